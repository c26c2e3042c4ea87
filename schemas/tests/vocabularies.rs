//! Permissions that real providers publish, in permission documents, and sets of them compared.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use clp_schemas::endpoint::EndpointId;
use clp_schemas::generate::contract_of;
use clp_schemas::json::{self, Limits};
use clp_schemas::permissions::{
    Comparison, PermissionDocument, PermissionSet, Verdict, compare, consent,
};
use serde_json::json;

/// Fewest resource types and actions of each document, as its source lists them.
const SIZES: [(&str, usize, usize); 4] = [
    ("cloudflare.json", 114, 223),
    ("github.json", 77, 139),
    ("postgresql.json", 14, 74),
    ("stripe.json", 2, 205),
];

fn documents() -> BTreeMap<&'static str, PermissionDocument> {
    clp_test_vectors::vocabularies()
        .into_iter()
        .map(|(name, bytes)| {
            let value = json::parse(bytes, Limits::default()).unwrap();
            let document: PermissionDocument = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(document.check(), Ok(()), "{name}");
            assert_eq!(serde_json::to_value(&document).unwrap(), value, "{name}");
            (name, document)
        })
        .collect()
}

#[test]
fn the_documents_are_sound_and_of_the_size_of_their_sources() {
    let (_, schema) = contract_of(EndpointId::PermissionDocumentRead)
        .answer
        .unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let sizes: Vec<_> = documents()
        .into_iter()
        .map(|(name, document)| {
            assert!(
                schema.is_valid(&serde_json::to_value(&document).unwrap()),
                "{name}"
            );
            let types = &document.resource_types;
            let actions = types.values().map(|one| one.actions.len()).sum();
            (name, types.len(), actions)
        })
        .collect();
    assert_eq!(sizes, SIZES);
}

#[test]
fn every_comparison_comes_out_as_expected() {
    let documents = documents();
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for vector in clp_test_vectors::load("permissions/vocabulary.json")
        .unwrap()
        .vectors
    {
        let set = |name: &str| -> PermissionSet {
            serde_json::from_value(vector.input[name].clone()).unwrap()
        };
        let name = vector.input["document"].as_str().unwrap();
        *counts.entry(name.to_owned()).or_default() += 1;
        let Comparison {
            verdict,
            counterexample,
        } = compare(&documents[name], &set("first"), &set("second"));
        let words = counterexample.unwrap_or_default();
        let proven = matches!(verdict, Verdict::Equal | Verdict::Narrower);
        assert_eq!(words.is_empty(), proven, "{}", vector.id);
        let named = vector.expect["counterexample"]
            .as_object()
            .is_none_or(|atom| {
                atom.values()
                    .all(|part| words.contains(part.as_str().unwrap()))
            });
        if json!(verdict) != vector.expect["verdict"] || !named {
            wrong.push(format!("{}: {verdict:?}, {words}", vector.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts.len(), SIZES.len());
    assert!(counts.values().all(|count| *count >= 10), "{counts:?}");
}

/// Each action can be asked for, and shows in both languages where the resources belong.
#[test]
fn every_action_can_be_shown_to_a_person() {
    for (name, document) in documents() {
        for (resource_type, definition) in &document.resource_types {
            for (action, texts) in &definition.actions {
                let set = json!([{
                    "resource_type": resource_type, "selector": "a/b/*", "actions": [action],
                }]);
                let set: PermissionSet = serde_json::from_value(set).unwrap();
                for language in ["en", "de"] {
                    let lines = consent(&document, &set, language).unwrap();
                    let own = texts.consent[language].replace("{selector}", "\"a/b/*\"");
                    assert!(
                        lines.contains(&own),
                        "{name} {resource_type} {action}: {lines:?}"
                    );
                }
            }
        }
    }
}
