//! The vectors in which sets are normalised, compared, met and subtracted.

use std::collections::BTreeSet;

use clp_schemas::permissions::{
    Atoms, CombineFault, Comparison, Verdict, compare, meet, normalise, subtract,
};
use serde_json::{Value, json};

use super::naive::{spell_out, verdict};
use super::small::written;
use super::{document_of, named_document, probes, read, run, vectors};

/// The files of which this is about.
const FILES: [&str; 5] = ["compare", "constraint", "normalise", "meet", "subtract"];

#[test]
fn comparison_vectors() {
    for name in ["compare", "constraint"] {
        run(name, |input| {
            let document = named_document(&input["document"]);
            let (first, second) = (read(&input["first"]), read(&input["second"]));
            let Comparison {
                verdict,
                counterexample,
            } = compare(&document, &first, &second);
            let proven = matches!(verdict, Verdict::Equal | Verdict::Narrower);
            assert_eq!(counterexample.is_none(), proven);
            json!({"verdict": verdict})
        });
    }
}

fn statements(form: &Value) -> BTreeSet<String> {
    form.as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect()
}

/// Runs every vector of a file that expects a normal form, which has no order of
/// statements.
fn run_forms(name: &str, outcome: impl Fn(&Value) -> Result<Atoms, Value>) {
    let wrong: Vec<_> = vectors(name)
        .iter()
        .filter_map(|vector| {
            let expected = &vector["expect"];
            let (found, same) = match outcome(&vector["input"]) {
                Err(fault) => (fault.clone(), fault == *expected),
                Ok(form) => {
                    let found = written(&form);
                    let same = expected
                        .get("normal_form")
                        .is_some_and(|expected| statements(expected) == statements(&found));
                    (found, same)
                }
            };
            (!same).then(|| format!("{}: {found}", vector["id"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn normal_form_vectors() {
    run_forms("normalise", |input| {
        normalise(
            &named_document(&input["document"]),
            &read(&input["permissions"]),
        )
        .map_err(|fault| json!({"pointer": fault.pointer}))
    });
}

#[test]
fn meet_and_subtract_vectors() {
    for (name, combine) in [
        ("meet", meet as fn(&_, &_, &_) -> _),
        ("subtract", subtract),
    ] {
        run_forms(name, |input| {
            let document = named_document(&input["document"]);
            combine(&document, &read(&input["first"]), &read(&input["second"])).map_err(|fault| {
                let (which, unknown) = match fault {
                    CombineFault::First(unknown) => ("first", unknown),
                    CombineFault::Second(unknown) => ("second", unknown),
                    CombineFault::TooLarge(_) => unreachable!("no vector is that large"),
                };
                json!({"unknown": which, "pointer": unknown.pointer})
            })
        });
    }
}

/// The expectations were written by hand, and are held against the definition too.
#[test]
fn the_oracle_agrees_with_the_vectors() {
    let (mut held, mut accesses) = (0, 0);
    for name in FILES {
        for vector in vectors(name) {
            let document = document_of(&vector["input"]["document"]);
            let asked = probes::hold(name, &document, &vector["input"], &vector["expect"])
                .unwrap_or_else(|fault| unreachable!("{}: {fault}", vector["id"]));
            held += usize::from(asked > 0);
            accesses += asked;
        }
    }
    println!("{held} vectors were held against {accesses} accesses");
    assert!(held >= 150 && accesses > 20_000);
}

/// Where each part has a meaning, looking at every pair of atoms gives the same verdict.
#[test]
fn the_naive_comparison_agrees_with_the_vectors() {
    let mut compared = 0;
    for vector in ["compare", "constraint"].into_iter().flat_map(vectors) {
        let input = &vector["input"];
        let typed = named_document(&input["document"]);
        let [first, second] = ["first", "second"].map(|name| &input[name]);
        if normalise(&typed, &read(first)).is_err() || normalise(&typed, &read(second)).is_err() {
            continue;
        }
        let document = document_of(&input["document"]);
        let spell = |set| spell_out(&document, set, None);
        let found = verdict(&spell(first), &spell(second), None);
        assert_eq!(vector["expect"]["verdict"], found, "{}", vector["id"]);
        compared += 1;
    }
    assert!(compared > 100);
}

/// Two vectors that say the same would be counted twice.
#[test]
fn there_are_two_hundred_vectors_that_say_something_new() {
    let mut said = BTreeSet::new();
    for name in FILES {
        for vector in vectors(name) {
            assert!(!vector["comment"].as_str().unwrap().is_empty());
            let new = said.insert(format!("{name} {}", vector["input"]));
            assert!(new, "{} says nothing new", vector["id"]);
        }
    }
    println!("{} vectors", said.len());
    assert!(said.len() >= 200);
}
