//! The permission language against its vectors, and against a brute-force oracle.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod compared;
mod exhaustive;
mod lattice;
mod naive;
mod oracle;
mod order;
mod planted;
mod probes;
mod small;

use std::collections::BTreeSet;
use std::path::Path;

use clp_schemas::permissions::{
    Access, Facts, PermissionDocument, PermissionSet, Selector, Verdict, allows, check_against,
    compare, consent, limits, risk,
};
use serde::Deserialize as _;
use serde_json::{Value, json};

fn vectors(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../test-vectors/permissions")
        .join(format!("{name}.json"));
    let text = std::fs::read(path).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// Runs every vector of a file; what differs from the expectation is listed in the end.
fn run(name: &str, outcome: impl Fn(&Value) -> Value) {
    let wrong: Vec<_> = vectors(name)
        .iter()
        .filter_map(|vector| {
            let found = outcome(&vector["input"]);
            (found != vector["expect"]).then(|| format!("{}: {found}", vector["id"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn document_of(id: &Value) -> Value {
    let all = vectors("document");
    let vector = all.iter().find(|vector| vector["id"] == *id).unwrap();
    vector["input"]["document"].clone()
}

fn named_document(id: &Value) -> PermissionDocument {
    read(&document_of(id))
}

#[test]
fn document_vectors() {
    run("document", |input| {
        let Ok(document) = PermissionDocument::deserialize(&input["document"]) else {
            return json!({"accepted": false});
        };
        assert_eq!(serde_json::to_value(&document).unwrap(), input["document"]);
        match document.check() {
            Ok(()) => json!({"accepted": true, "digest": document.digest()}),
            Err(fault) => json!({"accepted": false, "pointer": fault.pointer}),
        }
    });
}

#[test]
fn selector_vectors() {
    run("selector", |input| {
        let selector = |name: &str| input[name].as_str().map(str::parse::<Selector>);
        if let (Some(wide), Some(narrow)) = (selector("wide"), selector("narrow")) {
            return json!({"contained": wide.unwrap().contains(&narrow.unwrap())});
        }
        let selector = selector("selector").unwrap();
        match input["path"].as_str() {
            Some(path) => json!({"covered": selector.unwrap().admits(path)}),
            None => json!({"accepted": selector.is_ok()}),
        }
    });
}

#[test]
fn access_vectors() {
    run("access", |input| {
        let document = named_document(&input["document"]);
        let facts: Facts = read(&input["access"]["facts"]);
        let text = |name: &str| input["access"][name].as_str().unwrap();
        let access = Access {
            resource_type: text("resource_type"),
            path: text("path"),
            action: text("action"),
            facts: &facts,
        };
        json!({"allowed": allows(&document, &read(&input["permissions"]), access)})
    });
}

#[test]
fn unknown_vectors() {
    run("unknown", |input| {
        let document = named_document(&input["document"]);
        let Ok(set) = PermissionSet::deserialize(&input["permissions"]) else {
            return json!({"accepted": false, "problem": "invalid-request"});
        };
        match check_against(&document, &set, input["environment"].as_str().unwrap()) {
            Ok(()) => json!({"accepted": true}),
            Err(fault) => json!({
                "accepted": false,
                "pointer": fault.pointer,
                "problem": fault.reason.problem().name(),
            }),
        }
    });
}

#[test]
fn consent_vectors() {
    run("consent", |input| {
        let document = named_document(&input["document"]);
        let set = read(&input["permissions"]);
        let lines = consent(&document, &set, input["language"].as_str().unwrap()).unwrap();
        json!({"lines": lines, "risk": risk(&document, &set)})
    });
}

/// Whoever checks by schema first and whoever reads into types refuse the same bodies.
#[test]
fn the_published_schemas_say_what_the_types_say() {
    let schema = schemars::schema_for!(PermissionSet);
    let sets = jsonschema::validator_for(schema.as_value()).unwrap();
    for vector in vectors("unknown") {
        let refused = vector["expect"]["problem"] == "invalid-request";
        let valid = sets.is_valid(&vector["input"]["permissions"]);
        assert_ne!(valid, refused, "{}", vector["id"]);
    }
    let schema = schemars::schema_for!(PermissionDocument);
    let documents = jsonschema::validator_for(schema.as_value()).unwrap();
    for vector in vectors("document") {
        let document = &vector["input"]["document"];
        let valid = documents.is_valid(document);
        assert!(
            valid || vector["expect"]["accepted"] == false,
            "{}",
            vector["id"]
        );
        let read = PermissionDocument::deserialize(document).is_ok();
        assert!(read || !valid, "{}", vector["id"]);
    }
}

#[test]
fn what_judges_imports_nothing_of_what_is_judged() {
    for text in [include_str!("oracle.rs"), include_str!("naive.rs")] {
        assert!(!text.contains("clp_") && !text.contains("super::"));
    }
}

#[test]
fn every_vector_has_its_own_id() {
    let mut seen = BTreeSet::new();
    for name in [
        "document",
        "selector",
        "compare",
        "constraint",
        "normalise",
        "meet",
        "subtract",
        "access",
        "unknown",
        "consent",
    ] {
        for vector in vectors(name) {
            assert!(seen.insert(vector["id"].as_str().unwrap().to_owned()));
        }
    }
}

#[test]
fn the_largest_sets_are_compared_and_larger_ones_refused() {
    let names: Vec<_> = (0..limits::ACTIONS)
        .map(|number| format!("a{number}"))
        .collect();
    let mut world = oracle::WORLD.clone();
    for (position, name) in names.iter().enumerate() {
        let implies = names.get(position + 1).into_iter().collect::<Vec<_>>();
        world["resource_types"]["rows"]["actions"][name] =
            json!({"risk": "low", "consent": {"en": "x"}, "implies": implies});
    }
    let document: PermissionDocument = read(&world);
    let members: Vec<_> = (0..limits::MEMBERS)
        .map(|number| format!("member {number}"))
        .collect();
    let statements = |count: usize| -> PermissionSet {
        let statement = |number: usize| {
            json!({
                "resource_type": "rows", "selector": format!("a/{number}"),
                "actions": names[..limits::ACTIONS_NAMED], "constraints": {"s": members},
            })
        };
        read(&(0..count).map(statement).collect::<Vec<_>>().into())
    };
    let largest = statements(limits::STATEMENTS);
    assert_eq!(
        compare(&document, &largest, &largest).verdict,
        Verdict::Equal
    );
    assert!(consent(&document, &largest, "en").is_err());
    let larger = statements(limits::STATEMENTS + 1);
    assert_eq!(check_against(&document, &largest, "production"), Ok(()));
    assert_eq!(
        check_against(&document, &larger, "production")
            .unwrap_err()
            .pointer,
        "/permissions"
    );
}
