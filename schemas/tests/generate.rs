//! What is published is what is enforced: the generated schemas, against documents that
//! must pass and their twins with one member changed that must not.

#![expect(clippy::unwrap_used, reason = "what cannot be read fails the test")]

use clp_schemas::endpoint::{self, Class, EndpointId};
use clp_schemas::generate::{Direction, contract_of, files, restrict, schema_of};
use clp_schemas::ops::create::{CreateFromRequest, DirectCreate};
use clp_schemas::ops::discover::Manifest;
use serde_json::{Value, json};

const PROPOSAL: &str = include_str!("../../test-vectors/discover/proposal-manifest.json");

fn admits(schema: &Value, document: &Value) -> bool {
    jsonschema::options()
        .build(schema)
        .unwrap()
        .is_valid(document)
}

#[test]
fn the_manifest_of_the_proposal_is_valid_as_it_stands() {
    let document: Value = serde_json::from_str(PROPOSAL).unwrap();
    assert!(admits(&schema_of::<Manifest>(Direction::Answer), &document));
    let manifest: Manifest = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(manifest.check(), Ok(()));
    assert_eq!(
        manifest.credential_issuer_endpoint.as_str(),
        "https://api.example.com/credentials"
    );

    let mut without = document.clone();
    without
        .as_object_mut()
        .unwrap()
        .remove("credential_issuer_endpoint");
    assert!(!admits(&schema_of::<Manifest>(Direction::Answer), &without));

    let mut contradicting = document;
    contradicting["supports_rotation"] = json!(false);
    let manifest: Manifest = serde_json::from_value(contradicting).unwrap();
    assert!(manifest.check().is_err());
}

#[test]
fn every_schema_of_the_table_compiles() {
    for row in endpoint::ALL {
        let contract = contract_of(row.id);
        let schemas = contract
            .body
            .iter()
            .chain(&contract.answer)
            .map(|(_, schema)| schema)
            .chain([&contract.query]);
        for schema in schemas {
            jsonschema::options().build(schema).unwrap();
        }
        assert_eq!(contract.body.is_some(), row.has_body(), "{}", row.name);
    }
}

fn direct() -> Value {
    json!({
        "type": "api_key",
        "permissions": [{"resource_type": "record", "selector": "atlas/*", "actions": ["read"]}],
        "purpose": "nightly export",
        "owner": "data team",
        "project": "atlas",
        "environment": "staging",
        "expires_at": "2026-12-24T00:00:00Z",
        "rotation_policy": {"rotate_every_seconds": 86400},
        "labels": {"team": "data"},
    })
}

#[test]
fn a_create_is_closed_and_free_of_null() {
    let schema = schema_of::<DirectCreate>(Direction::Request);
    assert!(admits(&schema, &direct()));
    let changes = [
        ("/purpose", json!("")),
        ("/purpose", json!(null)),
        ("/expires_at", json!(null)),
        ("/expires_at", json!("2026-12-24")),
        ("/project", json!("Atlas")),
        ("/type", json!("password")),
        ("/permissions/0/actions", json!("read")),
        (
            "/rotation_policy",
            json!({"rotate_every_seconds": 86400, "surprise": 1}),
        ),
        ("/rotation_policy", json!({"rotate_every_seconds": 0})),
        ("/labels", json!({"team": 1})),
        ("/labels", json!({"": "x"})),
    ];
    for (pointer, value) in changes {
        let mut body = direct();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!admits(&schema, &body), "{pointer} = {value}");
    }
    for pointer in ["", "/permissions/0"] {
        let mut body = direct();
        body.pointer_mut(pointer).unwrap()["surprise"] = json!(1);
        assert!(!admits(&schema, &body), "a surprise at `{pointer}`");
    }
}

#[test]
fn the_two_shapes_of_a_create_do_not_mix() {
    let (_, union) = contract_of(EndpointId::CredentialCreate).body.unwrap();
    let request = json!({"request_id": "req_01234567890123456789"});
    assert!(admits(&union, &request));
    assert!(admits(&union, &direct()));
    let mut both = direct();
    both["request_id"] = request["request_id"].clone();
    assert!(!admits(&union, &both));
    assert!(!admits(
        &schema_of::<CreateFromRequest>(Direction::Request),
        &both
    ));
}

#[test]
fn answers_are_open_to_members_of_later_versions() {
    let (_, schema) = contract_of(EndpointId::CredentialRevoke).answer.unwrap();
    let text = schema.to_string();
    assert!(!text.contains("\"null\""));
    let closed = schema["additionalProperties"] == json!(false);
    assert!(!closed);
}

#[test]
fn no_generated_file_mentions_null_as_a_type() {
    for (path, text) in files().unwrap() {
        assert!(!text.contains("\"null\""), "{path}");
    }
}

/// Every value of the keyword `pattern`, wherever it stands.
fn patterns<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("pattern").and_then(Value::as_str));
            for member in object.values() {
                patterns(member, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                patterns(item, found);
            }
        }
        _ => {}
    }
}

#[test]
fn no_pattern_needs_a_particular_engine() {
    let mut seen = 0;
    for (path, text) in files().unwrap() {
        assert!(text.is_ascii() && !text.contains('\u{7f}'), "{path}");
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut found = Vec::new();
        patterns(&document, &mut found);
        seen += found.len();
        for pattern in found {
            let groups = pattern.matches("(?").count();
            let plain = groups == pattern.matches("(?:").count();
            // A backslash stands before punctuation alone: `\\s`, `\\u`, `\\x`, `\\p` differ.
            let escapes = pattern
                .split('\\')
                .skip(1)
                .all(|rest| rest.starts_with(|next: char| next.is_ascii_punctuation()));
            assert!(plain && escapes, "{path}: {pattern}");
        }
    }
    assert!(seen > 100, "{seen} patterns");
}

#[test]
fn a_permission_document_is_closed_in_the_answer_too() {
    let (_, schema) = contract_of(EndpointId::PermissionDocumentRead)
        .answer
        .unwrap();
    let document = json!({
        "version": "1",
        "environments": ["production"],
        "resource_types": {"events": {
            "title": {"en": "Events"},
            "actions": {"read": {"risk": "low", "consent": {"en": "Read {selector}"}}},
            "constraints": {"rows": {"kind": "max"}},
        }},
    });
    assert!(admits(&schema, &document));
    let events = "/resource_types/events";
    for place in [
        "",
        events,
        "/resource_types/events/actions/read",
        "/resource_types/events/constraints/rows",
    ] {
        let mut wider = document.clone();
        wider.pointer_mut(place).unwrap()["surprise"] = json!(1);
        assert!(!admits(&schema, &wider), "a surprise at `{place}`");
    }
    for (place, name) in [
        ("/resource_types", "clp.x"),
        ("/resource_types", "a/b"),
        ("/resource_types/events/title", "en_US"),
        ("/resource_types/events/actions", "1st"),
    ] {
        let mut other = document.clone();
        let object = other.pointer_mut(place).unwrap();
        object[name] = object.as_object().unwrap().values().next().unwrap().clone();
        assert!(!admits(&schema, &other), "`{name}` at `{place}`");
    }
    assert!(!schema.to_string().contains("x-clp-closed"));
}

#[test]
fn an_issuer_admits_no_member_of_a_profile_that_it_does_not_claim() {
    let full = schema_of::<DirectCreate>(Direction::Request);
    let mut core = full.clone();
    restrict(&mut core, &|_| false);
    let mut bound = full.clone();
    restrict(&mut bound, &|class| class == Class::BoundKeys);
    let mut body = direct();
    for schema in [&full, &core, &bound] {
        assert!(admits(schema, &body));
    }
    body["cnf"] = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    assert!(admits(&full, &body));
    assert!(admits(&bound, &body));
    assert!(!admits(&core, &body));
}

#[test]
fn a_private_key_is_no_public_one() {
    let schema = schema_of::<DirectCreate>(Direction::Request);
    let mut body = direct();
    body["type"] = json!("service_account");
    body["public_jwk"] = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    assert!(admits(&schema, &body));
    body["public_jwk"]["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    assert!(!admits(&schema, &body));
}

#[test]
fn an_installation_is_answered_in_one_piece() {
    let (_, schema) = contract_of(EndpointId::InstallationRead).answer.unwrap();
    let document = json!({
        "id": "ins_01234567890123456789",
        "credential_id": "cred_01234567890123456789",
        "target": {"kind": "local_dev", "name": "laptop"},
        "state": "installed",
        "required": true,
        "depends_on": ["nightly export"],
        "match": {"user_agent": "nightly/"},
        "reported_by": "prin_01234567890123456789",
        "reported_at": "2026-11-24T19:39:13Z",
    });
    assert!(admits(&schema, &document));
    let mut without = document;
    without.as_object_mut().unwrap().remove("target");
    assert!(!admits(&schema, &without));
}
