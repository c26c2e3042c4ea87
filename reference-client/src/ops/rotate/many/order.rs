//! In which order credentials are rotated: first what others depend on.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::super::foresight::Forecast;

/// The order of several rotations, by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Every one, those first that nothing has to come before.
    pub(super) sequence: Vec<usize>,
    /// What has to have ended before each.
    pub(super) after: Vec<BTreeSet<usize>>,
    /// Those that depend on each other in a circle, where nothing is first: they are taken one
    /// after the other.
    pub(super) circles: Vec<Vec<usize>>,
}

impl Order {
    /// A place says by name what stops when it does. A credential that is used in a place of
    /// that name comes later.
    pub(super) fn of(forecasts: &[Forecast]) -> Self {
        let mut used_in: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, one) in forecasts.iter().enumerate() {
            for spot in &one.places {
                used_in.entry(&spot.name).or_default().push(index);
            }
        }
        let mut edges = BTreeSet::new();
        for (index, one) in forecasts.iter().enumerate() {
            for name in one.places.iter().flat_map(|spot| &spot.depends_on) {
                let later = used_in.get(name.as_str()).into_iter().flatten();
                edges.extend(later.map(|later| (index, *later)));
            }
        }
        edges.retain(|(first, later)| first != later);
        Self::from_edges(forecasts.len(), &edges)
    }

    /// `edges` are pairs of what comes first and what comes later.
    fn from_edges(count: usize, edges: &BTreeSet<(usize, usize)>) -> Self {
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        for _ in 0..count {
            graph.add_node(());
        }
        for (first, later) in edges {
            graph.add_edge(NodeIndex::new(*first), NodeIndex::new(*later), ());
        }
        let mut circle_of = BTreeMap::new();
        let mut circles = Vec::new();
        for group in tarjan_scc(&graph) {
            if group.len() > 1 {
                let mut members: Vec<usize> = group.iter().map(|node| node.index()).collect();
                members.sort_unstable();
                circle_of.extend(members.iter().map(|member| (*member, circles.len())));
                circles.push(members);
            }
        }
        let together = |first: &usize, later: &usize| {
            circle_of.contains_key(first) && circle_of.get(first) == circle_of.get(later)
        };
        let mut after = vec![BTreeSet::new(); count];
        for (first, later) in edges
            .iter()
            .filter(|(first, later)| !together(first, later))
        {
            // What comes before one of a circle comes before all of it, or they would wait for
            // each other.
            let all = match circle_of.get(later).and_then(|at| circles.get(*at)) {
                Some(members) => members.clone(),
                None => vec![*later],
            };
            for one in all {
                after.get_mut(one).map(|before| before.insert(*first));
            }
        }
        for members in &circles {
            for pair in members.windows(2) {
                if let [first, later] = pair {
                    after.get_mut(*later).map(|before| before.insert(*first));
                }
            }
        }
        // What comes after one of a circle comes after all of it, and so after its last.
        for before in &mut after {
            let last: Vec<usize> = before
                .iter()
                .filter_map(|one| circles.get(*circle_of.get(one)?)?.last().copied())
                .collect();
            before.extend(last);
        }
        for members in &circles {
            for (at, member) in members.iter().enumerate() {
                if let Some(before) = after.get_mut(*member) {
                    before.retain(|one| !members.get(at..).unwrap_or_default().contains(one));
                }
            }
        }
        circles.sort_unstable();
        Self {
            sequence: sequence(&after),
            after,
            circles,
        }
    }
}

/// Every index once, after those that it has to come after; lower ones first where that is free.
fn sequence(after: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut left: BTreeMap<usize, usize> = BTreeMap::new();
    let mut later: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for (index, before) in after.iter().enumerate() {
        left.insert(index, before.len());
        if before.is_empty() {
            ready.insert(index);
        }
        for first in before {
            later.entry(*first).or_default().push(index);
        }
    }
    let mut sequence = Vec::with_capacity(after.len());
    while let Some(index) = ready.pop_first() {
        sequence.push(index);
        for one in later.get(&index).into_iter().flatten() {
            if let Some(count) = left.get_mut(one) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*one);
                }
            }
        }
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(count: usize, edges: &[(usize, usize)]) -> Order {
        Order::from_edges(count, &edges.iter().copied().collect())
    }

    #[test]
    fn what_others_depend_on_comes_first() {
        let found = order(4, &[(3, 0), (0, 2), (3, 2)]);
        assert_eq!(found.sequence, [1, 3, 0, 2]);
        assert!(found.circles.is_empty());
        assert_eq!(found.after[2], BTreeSet::from([0, 3]));
    }

    #[test]
    fn a_circle_is_named_and_taken_one_after_the_other() {
        // 4 before the circle 1, 2, 3; 0 after it.
        let found = order(5, &[(1, 2), (2, 3), (3, 1), (4, 2), (1, 0)]);
        assert_eq!(found.circles, [vec![1, 2, 3]]);
        assert_eq!(found.sequence, [4, 1, 2, 3, 0]);
        assert!(found.after[0].contains(&3));
        // Nothing waits for itself, in however many circles.
        let two = order(4, &[(0, 1), (1, 0), (2, 3), (3, 2), (1, 2)]);
        assert_eq!(two.sequence, [0, 1, 2, 3]);
        assert_eq!(two.circles.len(), 2);
    }

    #[test]
    fn every_graph_has_a_sequence_of_all() {
        // All graphs of four credentials.
        let pairs: Vec<(usize, usize)> = (0..4)
            .flat_map(|first| (0..4).map(move |later| (first, later)))
            .filter(|(first, later)| first != later)
            .collect();
        for choice in 0..1_u32 << pairs.len() {
            let edges: Vec<_> = pairs
                .iter()
                .enumerate()
                .filter(|(bit, _)| choice >> bit & 1 == 1)
                .map(|(_, pair)| *pair)
                .collect();
            let found = order(4, &edges);
            let mut all = found.sequence.clone();
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3], "{edges:?}");
            let at = |one: usize| found.sequence.iter().position(|index| *index == one);
            let circle = |one: usize, other: usize| {
                let mut circles = found.circles.iter();
                circles.any(|circle| circle.contains(&one) && circle.contains(&other))
            };
            for (first, later) in edges {
                assert!(circle(first, later) || at(first) < at(later), "{choice:b}");
            }
        }
    }
}
