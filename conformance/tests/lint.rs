//! The linter of permission documents: that it refuses what readers refuse, that what stands in
//! this repository is fine, and its command line.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clp_conformance::lint::{Code, Finding, Severity, lint, lint_value};
use clp_schemas::endpoint::EndpointId;
use clp_schemas::generate::contract_of;
use clp_schemas::permissions::PermissionDocument;
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

fn base() -> Value {
    json!({
        "version": "1",
        "environments": ["test", "live"],
        "resource_types": {
            "page": {
                "title": {"en": "Pages", "de": "Seiten"},
                "actions": {
                    "read": {"risk": "low", "consent": {"en": "Read {selector}"}},
                    "write": {"implies": ["read"], "risk": "high", "consent": {"en": "Write {selector}"}},
                },
                "constraints": {"rows": {"kind": "max"}},
            },
            "key": {
                "title": {"en": "Keys"},
                "actions": {"use": {"risk": "low", "consent": {"en": "Use"}, "deprecated": true}},
            },
        },
    })
}

/// Places of a document, the whole first.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{position}"), found);
            }
        }
        _ => {}
    }
}

/// A change at one place: the place by its number, and what is done there.
#[derive(Clone, Debug)]
enum Change {
    Put(usize, Value),
    Add(usize, String, Value),
    Take(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let names = prop::sample::select(vec![
        "surprise",
        "implies",
        "deprecated",
        "constraints",
        "title",
        "kind",
        "risk",
        "consent",
        "clp.x",
        "CLP.",
        "clp",
        "a/b",
        "é",
        "en",
        "EN",
        "de_DE",
        "de-CH",
        "toolonglanguage",
        "x-1",
        "1",
        "",
        "read",
        "write",
        "erase",
        "ümlaut\u{202e}",
    ])
    .prop_map(str::to_owned);
    let long = |length: usize| json!("x".repeat(length));
    let values = prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(""),
        json!("x"),
        json!("low"),
        json!("max"),
        json!("Test"),
        json!("test"),
        json!("{selector}"),
        json!("{selector} {selector}"),
        json!("{x}"),
        json!("a\u{202e}"),
        json!("a\nb"),
        json!("a\u{200d}b"),
        long(500),
        long(501),
        json!([]),
        json!({}),
        json!(["read"]),
        json!(["write"]),
        json!(["read", "read"]),
        json!(["write", "read"]),
        json!(["test"]),
        json!(["max"]),
        json!({"low": null}),
        json!({"en": "x"}),
        json!({"kind": "set"}),
        json!({"en": "x", "de": 1}),
        json!({"risk": "low", "consent": {"en": "x"}}),
        json!(["low", {"en": "x"}]),
        json!({"risk": "low", "consent": {"en": "x"}, "implies": ["write"]}),
    ]);
    let name = prop_oneof![names, (1usize..70).prop_map(|length| "n".repeat(length))];
    prop_oneof![
        (any::<usize>(), values.clone()).prop_map(|(at, value)| Change::Put(at, value)),
        (any::<usize>(), name, values).prop_map(|(at, name, value)| Change::Add(at, name, value)),
        (any::<usize>(), any::<usize>()).prop_map(|(at, which)| Change::Take(at, which)),
    ]
}

fn apply(document: &mut Value, change: &Change) {
    let mut all = Vec::new();
    places(document, "", &mut all);
    let (Change::Put(at, _) | Change::Add(at, _, _) | Change::Take(at, _)) = change;
    let place = document.pointer_mut(&all[at % all.len()]).unwrap();
    match (change, place) {
        (Change::Put(_, value), place) => *place = value.clone(),
        (Change::Add(_, name, value), Value::Object(object)) => {
            object.insert(name.clone(), value.clone());
        }
        (Change::Add(_, _, value), Value::Array(items)) => items.push(value.clone()),
        (Change::Take(_, which), Value::Object(object)) if !object.is_empty() => {
            let name = object.keys().nth(which % object.len()).unwrap().clone();
            object.remove(&name);
        }
        (Change::Take(_, which), Value::Array(items)) if !items.is_empty() => {
            items.remove(which % items.len());
        }
        _ => {}
    }
}

fn is_refused_by_readers(document: &Value) -> bool {
    serde_json::from_value::<PermissionDocument>(document.clone())
        .map_or(true, |read| read.check().is_err())
}

fn errors(found: &[Finding]) -> Vec<Code> {
    found
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .map(|one| one.code)
        .collect()
}

fn published() -> Validator {
    let (_, schema) = contract_of(EndpointId::PermissionDocumentRead)
        .answer
        .unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// What the schema cannot say: that names refer to something, and not in a circle.
fn is_beyond_schemas(code: Code) -> bool {
    matches!(code, Code::Cycle | Code::UnknownImplied)
}

/// Whether the three judge one document alike.
fn agree(document: &Value, schema: &Validator) -> Result<(), TestCaseError> {
    let found = errors(&lint_value(document));
    let refused = is_refused_by_readers(document);
    prop_assert_eq!(
        refused,
        !found.is_empty(),
        "readers: {:?} {}",
        found,
        document
    );
    let formal = found.iter().any(|code| !is_beyond_schemas(*code));
    let valid = schema.is_valid(document);
    prop_assert_eq!(valid, !formal, "schema: {:?} {}", found, document);
    Ok(())
}

#[test]
fn the_linter_the_readers_and_the_schema_refuse_the_same() {
    let schema = published();
    // `PROPTEST_CASES` asks for more.
    let usual = ProptestConfig::default();
    let config = ProptestConfig {
        cases: usual.cases.max(4096),
        failure_persistence: None,
        ..usual
    };
    let outcomes = std::cell::RefCell::new([0, 0]);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let changes = prop::collection::vec(change(), 1..4);
    runner
        .run(&changes, |changes| {
            let mut document = base();
            for change in &changes {
                apply(&mut document, change);
            }
            agree(&document, &schema)?;
            let refused = usize::from(is_refused_by_readers(&document));
            outcomes.borrow_mut()[refused] += 1;
            Ok(())
        })
        .unwrap();
    let [accepted, refused] = outcomes.into_inner();
    assert!(
        accepted > 200 && refused > 200,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn the_vectors_of_documents_are_refused_or_not_as_they_say() {
    let schema = published();
    for vector in clp_test_vectors::load("permissions/document.json")
        .unwrap()
        .vectors
    {
        let document = &vector.input["document"];
        agree(document, &schema).unwrap();
        let refused = !errors(&lint_value(document)).is_empty();
        assert_eq!(refused, vector.expect["accepted"] == false, "{}", vector.id);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every permission document that stands in this repository as a file.
fn committed() -> Vec<PathBuf> {
    let in_folder = |folder: &str, ending: &str| -> Vec<PathBuf> {
        std::fs::read_dir(root().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .collect()
    };
    let mut all = in_folder("reference-issuer/src/personas", ".permissions.json");
    all.extend(in_folder("test-vectors/permissions/vocabularies", ".json"));
    all.sort();
    all
}

#[test]
fn what_is_committed_has_no_errors_and_no_warnings() {
    let files = committed();
    assert_eq!(files.len(), 7, "{files:?}");
    for file in files {
        let found = lint(&std::fs::read(&file).unwrap());
        let worse: Vec<_> = found
            .iter()
            .filter(|one| one.severity != Severity::Note)
            .collect();
        assert!(worse.is_empty(), "{}: {worse:#?}", file.display());
        let document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for definition in document["resource_types"].as_object().unwrap().values() {
            for action in definition["actions"].as_object().unwrap().values() {
                let languages = action["consent"].as_object().unwrap().len();
                assert!(languages >= 2, "{}: {action}", file.display());
            }
        }
    }
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_clp-conformance"))
        .arg("lint-permissions")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not wait for its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn the_exit_code_says_whether_anything_is_refused() {
    let mut misleading = base();
    misleading["resource_types"]["page"]["title"] = json!({"en": "Pages"});
    let clean = json!({
        "version": "1", "environments": ["test"],
        "resource_types": {"page": {"title": {"en": "Pages"}, "actions": {
            "read": {"risk": "low", "consent": {"en": "Read {selector}"}},
        }}},
    });
    let mut refused = clean.clone();
    refused["resource_types"]["page"]["actions"]["read"]["implies"] = json!(["read"]);
    for (arguments, input, code) in [
        (&["-"][..], &clean, 0),
        (&["--strict", "-"], &clean, 0),
        (&["-"], &misleading, 0),
        (&["--strict", "-"], &misleading, 1),
        (&["-"], &refused, 1),
        (&["/nowhere/at/all.json"], &clean, 2),
        (&["http://issuer.example/permissions"], &clean, 2),
        (&["https://user:word@issuer.example/permissions"], &clean, 2),
        (&[], &clean, 2),
    ] {
        let output = run(arguments, &input.to_string());
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        assert!(!shown.contains("word"), "{shown}");
    }
    let output = run(&["-"], &refused.to_string());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("error cycle (CLP-PRM-002) at /resource_types/page/actions/read/implies"),
        "{text}"
    );
    assert!(
        text.contains("`read → read`") && text.contains("-: 1 error, 0 warnings, 0 notes"),
        "{text}"
    );
    let output = run(&["--json", "-", "-"], &clean.to_string());
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["documents"][0]["errors"], 0);
    assert!(
        shown["documents"][0]["digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    // The input was read up already.
    assert_eq!(shown["documents"][1]["findings"][0]["code"], "not-json");
}

#[test]
fn a_document_is_fetched_from_a_loopback_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/permissions?digest=x",
        listener.local_addr().unwrap()
    );
    let server = std::thread::spawn(move || {
        for answer in ["200 OK", "404 Not Found"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            assert!(request[..read].starts_with(b"GET /permissions?digest=x HTTP/1.1"));
            let body = base().to_string();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {answer}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    assert_eq!(run(&[&url], "").status.code(), Some(0));
    assert_eq!(run(&[&url], "").status.code(), Some(2));
    server.join().unwrap();
}

#[test]
fn a_document_without_end_is_not_read_to_its_end() {
    let output = run(&["-"], &"[".repeat(1024 * 1024 + 1));
    assert_eq!(output.status.code(), Some(2));
    let deep = run(&["-"], &"[".repeat(10_000));
    assert_eq!(deep.status.code(), Some(1));
}
