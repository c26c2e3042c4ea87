//! The oracle is believed because it sees mistakes: wrong comparators and wrong sums of
//! sets are shown to it, and it finds each of them out.

use clp_schemas::permissions::{Atoms, compare};
use serde_json::{Value, json};

use super::naive::{Mistake, spell_out, verdict};
use super::oracle::{WORLD, fault_of_meet, fault_of_rest, is_contradicted, judge, judge_atoms};
use super::read;
use super::small::{DOCUMENT, atoms, name_of, written};

/// Sets of one statement each that differ in every way in which one can be wrong.
fn samples() -> Vec<Value> {
    let mut statements = Vec::new();
    for selector in ["*", "a/*", "a/b/*", "a", "a/bc"] {
        for action in ["r", "w", "a"] {
            for constraints in [
                json!({}),
                json!({"h": 1}),
                json!({"h": 3, "f": true}),
                json!({"s": ["p"]}),
                json!({"s": ["p", "q"]}),
            ] {
                statements.push(("rows", selector, action, constraints));
            }
        }
    }
    for constraints in [
        json!({"n": ["10.0.0.0/8"]}),
        json!({"n": ["::/0"]}),
        json!({"l": 1}),
        json!({"l": 2}),
        json!({"i": {"from": 1, "to": 2}}),
    ] {
        statements.push(("hosts", "a/*", "w", constraints));
    }
    let single = statements
        .into_iter()
        .map(|(resource_type, selector, action, constraints)| {
            let mut statement =
                json!({"resource_type": resource_type, "selector": selector, "actions": [action]});
            if constraints != json!({}) {
                statement["constraints"] = constraints;
            }
            statement
        });
    let mut sets: Vec<_> = single.map(|statement| json!([statement])).collect();
    // Two statements that grant nothing together.
    sets.push(json!([
        {"resource_type": "rows", "selector": "a", "actions": ["w"]},
        {"resource_type": "rows", "selector": "a/*", "actions": ["r"]},
    ]));
    sets
}

/// How many of all pairs of samples a way to compare them gets wrong.
fn contradictions(compare: impl Fn(&Value, &Value) -> &'static str) -> usize {
    let samples = samples();
    let judged: Vec<_> = samples.iter().map(|set| (set, judge(set))).collect();
    let pairs = judged
        .iter()
        .flat_map(|one| judged.iter().map(move |two| (one, two)));
    pairs
        .filter(|((first, opens), (second, other))| {
            is_contradicted(compare(first, second), opens, other)
        })
        .count()
}

#[test]
fn wrong_comparators_are_found_out() {
    let naive = |mistake| {
        move |first: &Value, second: &Value| {
            let spell = |set| spell_out(&WORLD, set, mistake);
            verdict(&spell(first), &spell(second), mistake)
        }
    };
    assert_eq!(contradictions(naive(None)), 0);
    for mistake in [
        Mistake::PrefixWithoutSegment,
        Mistake::MissingConstraintMet,
        Mistake::MappedIntoIpv6,
        Mistake::ImplicationReversed,
        Mistake::AtomsMixed,
        Mistake::OverlapIsEnough,
        Mistake::MinReadAsMax,
    ] {
        assert!(contradictions(naive(Some(mistake))) > 0, "{mistake:?}");
    }
}

/// The comparison itself, given something else than what the oracle is given.
#[test]
fn a_comparison_of_other_sets_is_found_out() {
    type Spoil = fn(&mut Value);
    let given = |spoil: Spoil| {
        move |first: &Value, second: &Value| {
            let spoilt = |set: &Value| {
                let mut set = set.clone();
                set.as_array_mut().unwrap().iter_mut().for_each(spoil);
                read(&set)
            };
            name_of(compare(&DOCUMENT, &spoilt(first), &spoilt(second)).verdict)
        }
    };
    assert_eq!(contradictions(given(|_| ())), 0);
    let spoils: [(&str, Spoil); 3] = [
        ("constraints are dropped", |statement| {
            statement.as_object_mut().unwrap().remove("constraints");
        }),
        ("a prefix covers its own root", |statement| {
            if statement["selector"] == "a" {
                statement["selector"] = json!("a/*");
            }
        }),
        ("an upper bound is taken for its successor", |statement| {
            if let Some(bound) = statement.pointer_mut("/constraints/h") {
                *bound = json!(3);
            }
        }),
    ];
    for (name, spoil) in spoils {
        assert!(contradictions(given(spoil)) > 0, "{name}");
    }
}

#[test]
fn wrong_sums_of_sets_are_found_out() {
    type Sum = fn(&Atoms, &Atoms) -> Atoms;
    let samples = samples();
    let judged: Vec<_> = samples.iter().map(|set| (atoms(set), judge(set))).collect();
    let faults = |sum: Sum, is_meet: bool| {
        let pairs = judged
            .iter()
            .flat_map(|one| judged.iter().map(move |two| (one, two)));
        pairs
            .filter(|((first, opens), (second, other))| {
                let points = judge_atoms(&written(&sum(first, second)));
                let fault = if is_meet {
                    fault_of_meet(opens, other, &points)
                } else {
                    fault_of_rest(opens, other, &points)
                };
                fault.is_some()
            })
            .count()
    };
    let meets: [(&str, Sum); 3] = [
        ("the first as it is", |first, _| first.clone()),
        ("either instead of both", |first, second| {
            first.join(second).unwrap()
        }),
        ("only what one has whole", |first, second| {
            first.subtract(&first.subtract(second))
        }),
    ];
    assert_eq!(faults(|first, second| first.meet(second).unwrap(), true), 0);
    for (name, sum) in meets {
        assert!(faults(sum, true) > 0, "{name}");
    }
    let differences: [(&str, Sum); 3] = [
        ("nothing", |_, _| Atoms::default()),
        ("what overlaps is taken away", |first, second| {
            let overlap = first.meet(second).unwrap();
            if overlap.is_empty() {
                first.clone()
            } else {
                Atoms::default()
            }
        }),
        ("either instead of the first", |first, second| {
            first.join(second).unwrap()
        }),
    ];
    assert_eq!(faults(Atoms::subtract, false), 0);
    for (name, sum) in differences {
        assert!(faults(sum, false) > 0, "{name}");
    }
}
