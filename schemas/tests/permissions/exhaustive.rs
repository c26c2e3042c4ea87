//! Every set of a few small vocabularies against every other, and every access of the small
//! world: no chance is left to what a generator happens to choose.

use clp_schemas::permissions::Atoms;
use serde_json::{Value, json};

use super::naive::{self, spell_out};
use super::oracle::{
    Points, UNIVERSE, WORLD, fault_of_meet, fault_of_rest, is_contradicted, judge, judge_atoms,
};
use super::small::{atoms, is_within, name_of, written};

/// What was looked at, and what the comparison did not see.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    sets: usize,
    pairs: usize,
    /// Pairs in which the first really stays within the second.
    within: usize,
    /// Those of them of which it was proven.
    proven: usize,
}

/// Statements that differ in place and action.
fn places(selectors: &[&str]) -> Vec<Value> {
    let mut statements = Vec::new();
    for selector in selectors {
        for actions in [json!(["r"]), json!(["w"]), json!(["w", "x"]), json!(["a"])] {
            statements
                .push(json!({"resource_type": "rows", "selector": selector, "actions": actions}));
        }
    }
    statements
}

/// Statements that differ in a set, a flag and an upper bound.
fn constraints(most: i64) -> Vec<Value> {
    let mut statements = Vec::new();
    for members in [json!(null), json!(["p"]), json!(["q"]), json!(["p", "q"])] {
        for flag in [json!(null), json!(true)] {
            for bound in 0..=most {
                let bound = (bound > 0).then_some(bound);
                let mut statement =
                    json!({"resource_type": "rows", "selector": "*", "actions": ["r"]});
                for (name, value) in [("s", &members), ("f", &flag), ("h", &json!(bound))] {
                    if !value.is_null() {
                        statement["constraints"][name] = value.clone();
                    }
                }
                statements.push(statement);
            }
        }
    }
    statements
}

/// Statements that differ in networks, in a span and in a lower bound.
fn networks() -> Vec<Value> {
    let networks = ["10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/8", "::/0"];
    let subset = |bits: usize| -> Vec<_> { (0..4).filter(|at| bits >> at & 1 == 1).collect() };
    let mut values: Vec<_> = (1..16)
        .map(|bits| {
            let chosen: Vec<_> = subset(bits).into_iter().map(|at| networks[at]).collect();
            json!({"n": chosen})
        })
        .collect();
    for from in 1..=3 {
        values.push(json!({"l": from}));
        values.extend((from..=3).map(|to| json!({"i": {"from": from, "to": to}})));
    }
    values
        .into_iter()
        .map(|constraints| {
            json!({
                "resource_type": "hosts", "selector": "*", "actions": ["r"],
                "constraints": constraints,
            })
        })
        .collect()
}

/// Every set of at most `most` of the statements, the empty one included.
fn sets(statements: &[Value], most: usize) -> Vec<Value> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..most {
        last = last
            .iter()
            .flat_map(|chosen| {
                let next = chosen.last().map_or(0, |last| last + 1);
                (next..statements.len()).map(move |at| [chosen.as_slice(), &[at]].concat())
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all.into_iter()
        .map(|chosen| {
            chosen
                .into_iter()
                .map(|at| statements[at].clone())
                .collect()
        })
        .collect()
}

/// Compares, meets and subtracts every pair of sets.
fn look_at_every_pair(statements: &[Value], most: usize) -> Tally {
    let all: Vec<(Atoms, Points, Vec<naive::Atom>)> = sets(statements, most)
        .iter()
        .map(|set| (atoms(set), judge(set), spell_out(&WORLD, set, None)))
        .collect();
    // What is within two sets is within their meet: shown of one statement, it is shown of
    // any number, since a set stays within another statement by statement.
    let single: Vec<Atoms> = statements.iter().map(|one| atoms(&json!([one]))).collect();
    let mut tally = Tally {
        sets: all.len(),
        ..Tally::default()
    };
    for (first, opens, spelt) in &all {
        let below: Vec<_> = single.iter().filter(|one| is_within(one, first)).collect();
        for (second, other, spelt_too) in &all {
            let verdict = name_of(first.compare(second).verdict);
            assert!(!is_contradicted(verdict, opens, other), "{verdict}");
            assert_eq!(verdict, naive::verdict(spelt, spelt_too, None));
            let proven = matches!(verdict, "equal" | "narrower");
            tally.pairs += 1;
            tally.within += usize::from(opens.is_within(other));
            tally.proven += usize::from(proven);

            let common = first.meet(second).unwrap();
            let points = judge_atoms(&written(&common));
            assert_eq!(fault_of_meet(opens, other, &points), None);
            assert!(is_within(&common, first) && is_within(&common, second));
            for one in &below {
                assert_eq!(is_within(one, second), is_within(one, &common));
            }

            let rest = first.subtract(second);
            let points = judge_atoms(&written(&rest));
            assert_eq!(fault_of_rest(opens, other, &points), None);
            assert_eq!(rest.is_empty(), proven);
        }
    }
    tally
}

fn report(name: &str, tally: &Tally) {
    println!(
        "{name}: {} sets, {} pairs x {} accesses; of {} that stay within, {} are proven",
        tally.sets,
        tally.pairs,
        UNIVERSE.len(),
        tally.within,
        tally.proven,
    );
}

#[test]
fn every_pair_of_single_statements_is_decided_exactly() {
    for (name, statements) in [
        ("places", places(&["*", "a/*", "a/b/*", "a", "a/b", "a/bc"])),
        ("constraints", constraints(3)),
        ("networks", networks()),
    ] {
        let tally = look_at_every_pair(&statements, 1);
        report(name, &tally);
        assert_eq!(tally.within, tally.proven, "{name}");
    }
}

#[test]
fn every_pair_of_small_sets_is_decided_soundly() {
    let tally = look_at_every_pair(&places(&["a/*", "a/b/*", "a/b"]), 2);
    report("places", &tally);
    // Nothing about places and actions alone is missed.
    assert_eq!(tally.within, tally.proven);
    let tally = look_at_every_pair(&constraints(1), 2);
    report("constraints", &tally);
    assert!(tally.proven <= tally.within);
}

/// Takes minutes in a release build; see `schemas/benches/README.md`.
#[test]
#[ignore = "looks at 2.7 million pairs, a quarter of an hour in a release build: `cargo permissions`"]
fn every_pair_of_larger_sets_is_decided_soundly() {
    for (name, statements, most) in [
        ("places", places(&["*", "a/*", "a/b/*", "a/b", "a/bc"]), 3),
        ("constraints", constraints(1), 3),
        ("constraints, pairs", constraints(3), 2),
        ("networks", networks(), 2),
    ] {
        report(name, &look_at_every_pair(&statements, most));
    }
}
