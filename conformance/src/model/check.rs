//! Checks worlds, and says what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use serde_json::{Value, json};
use stateright::{Checker as _, Model as _};

use super::Rotations;
use super::action::Action;
use super::graph::Graph;
use super::plan::{PLAIN, Plan, Rule};
use super::property::ALWAYS;
use super::table;

/// Most states of one world: some gigabytes.
const MOST: usize = 6_000_000;

/// How much is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// Worlds in which each move of the tables occurs: seconds.
    Small,
    /// Those, and larger ones: minutes.
    Full,
}

/// The worlds of these bounds.
#[must_use]
pub fn worlds(bounds: Bounds) -> Vec<Plan> {
    let named = |name| Plan { name, ..PLAIN };
    let mut worlds = vec![
        Plan {
            rotators: 1,
            places: 2,
            late: true,
            ..named("a place that is declared late")
        },
        named("two clients"),
        Plan {
            rotators: 1,
            quiet: true,
            overlap: 1,
            deadline: Some(1),
            ..named("a deadline before the delivery is over")
        },
        Plan {
            rotators: 1,
            quiet: true,
            overlap: 1,
            deadline: Some(3),
            left: Some(3),
            ..named("lives that end")
        },
        Plan {
            rotators: 1,
            compromise: true,
            ..named("a compromise")
        },
        Plan {
            own_key: true,
            ..named("a key of the requester's own")
        },
        Plan {
            rotators: 1,
            people: true,
            late: true,
            left: Some(1),
            ..named("people")
        },
    ];
    if bounds == Bounds::Full {
        worlds.extend([
            Plan {
                rotators: 1,
                quiet: true,
                overlap: 1,
                deadline: Some(2),
                people: true,
                ..named("times and people")
            },
            Plan {
                people: true,
                ..named("two clients and people")
            },
            Plan {
                quiet: true,
                overlap: 1,
                deadline: Some(1),
                ..named("two clients and times")
            },
            Plan {
                compromise: true,
                ..named("two clients and a compromise")
            },
            Plan {
                stray: true,
                ..named("messages late and twice")
            },
            Plan {
                places: 2,
                ..named("two clients and two places")
            },
            Plan {
                places: 2,
                late: true,
                quiet: true,
                ..named("two clients, a place declared late")
            },
            Plan {
                places: 2,
                apart: true,
                ..named("two clients apart")
            },
            Plan {
                line: 3,
                ..named("a line of three")
            },
            Plan {
                line: 3,
                rotators: 1,
                places: 2,
                ..named("a line of three at two places")
            },
        ]);
    }
    worlds
}

/// The shortest way to what is wrong.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What is wrong.
    pub what: String,
    /// The steps to it.
    pub way: Vec<Action>,
}

/// What came of one world.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Which.
    pub plan: Plan,
    /// States that were generated, as often as they were.
    pub generated: usize,
    /// States that differ.
    pub unique: usize,
    /// The longest of the shortest ways.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// How often each kind of step occurs.
    pub kinds: BTreeMap<&'static str, u64>,
    /// How often each move of the tables occurs.
    pub moves: BTreeMap<usize, u64>,
    /// What is wrong, if anything is.
    pub wrong: Option<Trace>,
}

/// Checks a world: every property in every state, and whether every rotation can still end.
///
/// # Errors
/// Where it is larger than what is explored, or the two explorations differ.
pub fn check(plan: &Plan) -> Result<Checked, String> {
    let begun = Instant::now();
    let graph = Graph::explore(plan, MOST)
        .ok_or_else(|| format!("`{}` has more than {MOST} states", plan.name))?;
    let wrong = graph.broken(plan).map(|(at, what)| Trace {
        what: format!("does not hold: {what}"),
        way: graph.way(at),
    });
    let wrong = wrong.or_else(|| {
        graph.stuck().map(|(at, successor)| Trace {
            what: format!(
                "the rotation to successor {successor} can neither be completed nor rolled back"
            ),
            way: graph.way(at),
        })
    });
    let checker = Rotations(*plan).checker().spawn_bfs().join();
    let found = !checker.discoveries().is_empty();
    let broken = graph.broken(plan).is_some();
    if found != broken || (!found && checker.unique_state_count() != graph.states.len()) {
        return Err(format!(
            "the two explorations of `{}` differ: {} states and {}",
            plan.name,
            checker.unique_state_count(),
            graph.states.len()
        ));
    }
    Ok(Checked {
        plan: *plan,
        generated: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        seconds: begun.elapsed().as_secs_f64(),
        kinds: graph.kinds,
        moves: graph.moves,
        wrong,
    })
}

/// Leaves one rule out, and looks for what goes wrong: the shortest way to it.
///
/// # Errors
/// As [`check`].
pub fn planted(rule: Rule) -> Result<Option<Trace>, String> {
    let plan = rule.shows_in();
    let is_wrong = |world: &_| ALWAYS.iter().any(|(_, holds)| !holds(&plan, world));
    let graph = Graph::search(&plan, MOST, is_wrong)
        .ok_or_else(|| format!("`{}` has more than {MOST} states", plan.name))?;
    Ok(graph.broken(&plan).map(|(at, what)| Trace {
        what: format!("does not hold: {what}"),
        way: graph.way(at),
    }))
}

/// How often each move of the tables occurs in all of these, in the order of the tables.
#[must_use]
pub fn moves(all: &[Checked]) -> Vec<([&'static str; 4], u64)> {
    let count = |row: usize| {
        let each = all.iter().filter_map(|one| one.moves.get(&row));
        each.sum()
    };
    let rows = table::rows().into_iter().enumerate();
    rows.map(|(number, row)| (row, count(number))).collect()
}

/// Whether everything holds and every move occurs.
#[must_use]
pub fn holds(all: &[Checked]) -> bool {
    all.iter().all(|one| one.wrong.is_none()) && moves(all).iter().all(|(_, count)| *count > 0)
}

fn size(plan: &Plan) -> String {
    let time = |what: &str, ticks: Option<u8>| ticks.map(|ticks| format!("{what} {ticks}"));
    let flags = [
        (plan.apart, "apart"),
        (plan.late, "late"),
        (plan.quiet, "quiet 1"),
        (plan.own_key, "own key"),
        (plan.compromise, "compromise"),
        (plan.people, "people"),
        (plan.stray, "a late message"),
    ];
    let mut words = vec![format!(
        "{} clients, {} places, {} credentials",
        plan.rotators, plan.places, plan.line
    )];
    words.extend(
        flags
            .into_iter()
            .filter(|(set, _)| *set)
            .map(|(_, name)| name.to_owned()),
    );
    words.extend(time("overlap", (plan.overlap > 0).then_some(plan.overlap)));
    words.extend(time("deadline", plan.deadline));
    words.extend(time("life", plan.left));
    words.join(", ")
}

fn way(trace: &Trace) -> String {
    let mut text = format!("  {}\n", trace.what);
    for (step, action) in (1u32..).zip(&trace.way) {
        let _ = writeln!(text, "  {step:>3}. {action}");
    }
    text
}

/// What came of it, as text.
#[must_use]
pub fn text(all: &[Checked]) -> String {
    let mut text = format!(
        "{:>10} {:>9} {:>5} {:>7}  world\n",
        "generated", "unique", "depth", "seconds"
    );
    for one in all {
        let _ = writeln!(
            text,
            "{:>10} {:>9} {:>5} {:>7.1}  {} ({})",
            one.generated,
            one.unique,
            one.depth,
            one.seconds,
            one.plan.name,
            size(&one.plan)
        );
        text.extend(one.wrong.iter().map(way));
    }
    text.push_str("\nIn every state:\n");
    for (name, _) in ALWAYS {
        let _ = writeln!(text, "  {name}");
    }
    text.push_str("  every open rotation can still be completed or rolled back\n");
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, count) in all.iter().flat_map(|one| &one.kinds) {
        *kinds.entry(kind).or_default() += count;
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let _ = writeln!(text, "\nSteps taken: {}", kinds.join(", "));
    let moves = moves(all);
    let made = moves.iter().filter(|(_, count)| *count > 0).count();
    let _ = writeln!(
        text,
        "\nMoves of the tables made: {made} of {}",
        moves.len()
    );
    for ([machine, from, event, to], count) in moves {
        let _ = writeln!(text, "{count:>10}  {machine}: {from} -{event}-> {to}");
    }
    let end = if holds(all) {
        "everything holds"
    } else {
        "not everything holds"
    };
    let _ = writeln!(text, "\n{end}");
    text
}

/// The same as JSON.
#[must_use]
pub fn json(all: &[Checked]) -> Value {
    let worlds: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({
                "world": one.plan.name, "size": size(&one.plan), "generated": one.generated,
                "unique": one.unique, "depth": one.depth, "seconds": one.seconds, "steps": one.kinds,
                "wrong": one.wrong.as_ref().map(shown),
            })
        })
        .collect();
    let moves: Vec<Value> = moves(all)
        .into_iter()
        .map(|([machine, from, event, to], count)| {
            json!({"machine": machine, "from": from, "event": event, "to": to, "count": count})
        })
        .collect();
    let properties = ALWAYS.map(|(name, _)| name);
    json!({"holds": holds(all), "worlds": worlds, "properties": properties, "moves": moves})
}

fn shown(trace: &Trace) -> Value {
    let way: Vec<String> = trace.way.iter().map(ToString::to_string).collect();
    json!({"what": trace.what, "way": way})
}

/// What came of leaving rules out, as text.
#[must_use]
pub fn planted_text(all: &[(Rule, Option<Trace>)]) -> String {
    let mut text = String::new();
    for (rule, trace) in all {
        let _ = writeln!(text, "{rule}: an issuer or client that {}", rule.omission());
        match trace {
            Some(trace) => text.push_str(&way(trace)),
            None => text.push_str("  nothing goes wrong\n"),
        }
        text.push('\n');
    }
    let found = all.iter().filter(|(_, trace)| trace.is_some()).count();
    let _ = writeln!(text, "{found} of {} found", all.len());
    text
}

/// The same as JSON.
#[must_use]
pub fn planted_json(all: &[(Rule, Option<Trace>)]) -> Value {
    all.iter()
        .map(|(rule, trace)| {
            json!({"rule": rule.name(), "does": rule.omission(), "found": trace.as_ref().map(shown)})
        })
        .collect()
}
