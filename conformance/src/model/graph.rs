//! Everything that can be reached, with the steps between: which moves and which kinds of steps
//! occur, and whether every rotation can still end.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::action::Action;
use super::issuer::LINE;
use super::plan::Plan;
use super::table::Moves;
use super::world::World;

/// A step between two states.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: u32,
    to: u32,
    is_ordinary: bool,
    /// Whether it is time that passes.
    is_time: bool,
}

/// All that can be reached from the first state of a world.
pub struct Graph {
    /// The states, in the order in which they were found.
    pub states: Vec<World>,
    edges: Vec<Edge>,
    /// For each state but the first, from where it was found first and by what.
    parents: Vec<Option<(u32, Action)>>,
    /// How often each kind of step was taken.
    pub kinds: BTreeMap<&'static str, u64>,
    /// How often each move of the tables was made.
    pub moves: BTreeMap<usize, u64>,
    /// For each move, the step by which it was found first: the state before, and what happens.
    pub firsts: BTreeMap<usize, (u32, Action)>,
}

impl Graph {
    /// Explores a world, breadth first, up to so many states. `None` where there are more.
    #[must_use]
    pub fn explore(plan: &Plan, most: usize) -> Option<Self> {
        Self::search(plan, most, |_| false)
    }

    /// The same, up to the first state that is `wanted`.
    #[must_use]
    pub fn search(plan: &Plan, most: usize, wanted: impl Fn(&World) -> bool) -> Option<Self> {
        let first = World::new(plan);
        let mut known: HashMap<World, u32> = HashMap::from([(first, 0)]);
        let mut graph = Self {
            states: vec![first],
            edges: Vec::new(),
            parents: vec![None],
            kinds: BTreeMap::new(),
            moves: BTreeMap::new(),
            firsts: BTreeMap::new(),
        };
        let mut queue = VecDeque::from([0u32]);
        let mut actions = Vec::new();
        while let Some(from) = queue.pop_front() {
            let world = graph.states[from as usize];
            world.actions(plan, &mut actions);
            for action in actions.drain(..) {
                let (next, step) = world.after(plan, action);
                *graph.kinds.entry(action.kind()).or_default() += 1;
                graph.count(step.moves, from, action);
                if next == world {
                    continue;
                }
                let to = match known.get(&next) {
                    Some(to) => *to,
                    None => {
                        let to = u32::try_from(graph.states.len()).ok()?;
                        if graph.states.len() >= most {
                            return None;
                        }
                        known.insert(next, to);
                        graph.states.push(next);
                        graph.parents.push(Some((from, action)));
                        if wanted(&next) {
                            return Some(graph);
                        }
                        queue.push_back(to);
                        to
                    }
                };
                graph.edges.push(Edge {
                    from,
                    to,
                    is_ordinary: action.is_ordinary(),
                    is_time: action == Action::Tick,
                });
            }
        }
        Some(graph)
    }

    fn count(&mut self, moves: Moves, from: u32, action: Action) {
        for row in moves.rows() {
            *self.moves.entry(row).or_default() += 1;
            self.firsts.entry(row).or_insert((from, action));
        }
    }

    /// The first state in which a property does not hold, with the property.
    #[must_use]
    pub fn broken(&self, plan: &Plan) -> Option<(u32, &'static str)> {
        let mut states = self.states.iter().zip(0u32..);
        states.find_map(|(world, at)| {
            let mut all = super::property::ALWAYS.iter();
            all.find(|(_, holds)| !holds(plan, world))
                .map(|(name, _)| (at, *name))
        })
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.edges.len()
    }

    /// The shortest way from the first state to this one.
    #[must_use]
    pub fn way(&self, to: u32) -> Vec<Action> {
        let mut way = Vec::new();
        let mut at = to;
        while let Some((from, action)) = self.parents[at as usize] {
            way.push(action);
            at = from;
        }
        way.reverse();
        way
    }

    /// A state with an open rotation that nothing ordinary can end any more: neither what clients
    /// do, nor a person who lets something work again. Time may pass on the way, but does not
    /// count as the end.
    #[must_use]
    pub fn stuck(&self) -> Option<(u32, u8)> {
        (1..LINE)
            .filter_map(|number| u8::try_from(number).ok())
            .find_map(|number| {
                let is_open = |at: u32| self.states[at as usize].issuer.open(number).is_some();
                let mut back: HashMap<u32, Vec<u32>> = HashMap::new();
                let mut ends = vec![false; self.states.len()];
                let mut queue = Vec::new();
                for edge in self
                    .edges
                    .iter()
                    .filter(|edge| edge.is_ordinary && is_open(edge.from))
                {
                    if is_open(edge.to) {
                        back.entry(edge.to).or_default().push(edge.from);
                    } else if !edge.is_time && !ends[edge.from as usize] {
                        ends[edge.from as usize] = true;
                        queue.push(edge.from);
                    }
                }
                while let Some(at) = queue.pop() {
                    for before in back.remove(&at).unwrap_or_default() {
                        if !ends[before as usize] {
                            ends[before as usize] = true;
                            queue.push(before);
                        }
                    }
                }
                let at = ends
                    .iter()
                    .zip(0u32..)
                    .find(|(ends, at)| !**ends && is_open(*at));
                at.map(|(_, at)| (at, number))
            })
    }
}
