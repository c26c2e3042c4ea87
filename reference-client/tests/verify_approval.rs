//! Checking the record of a decision with `clp`: what the reader expects, and what is said.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::path::PathBuf;

use common::issuer::{Run, clp_with};
use serde_json::Value;

/// A record of the published vectors, in a file.
fn record(home: &tempfile::TempDir, id: &str) -> (PathBuf, Value) {
    let file = clp_test_vectors::load("approval/record.json").unwrap();
    let mut all = file.vectors.into_iter();
    let vector = all.find(|one| one.id == id).unwrap();
    let text = vector.input["record"].as_str().unwrap();
    let path = home.path().join(format!("{id}.json"));
    std::fs::write(&path, text).unwrap();
    (path, serde_json::from_str(text).unwrap())
}

fn verify(home: &tempfile::TempDir, path: &std::path::Path, more: &[&str]) -> Run {
    let file = path.to_str().unwrap();
    let words = [&["verify", "approval", file], more].concat();
    clp_with(home, &[], &words)
}

#[test]
fn a_decision_is_proved_without_an_issuer_a_token_or_a_network() {
    let home = tempfile::tempdir().unwrap();
    let (path, record) = record(&home, "app-record-hardware");
    let run = verify(&home, &path, &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for said in [
        "the decision is proved",
        "hardware_key",
        "01020304-0506-0708-090a-0b0c0d0e0f10",
        record["challenge"]["digest"].as_str().unwrap(),
        "anybody can",
        "only the issuer vouches",
        "that this root is the maker's",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
}

#[test]
fn what_the_reader_expects_has_to_be_what_was_decided_on() {
    let home = tempfile::tempdir().unwrap();
    let (path, record) = record(&home, "app-record-passkey");
    let digest = record["challenge"]["digest"].as_str().unwrap();
    let request = home.path().join("request.json");
    let mut shown = serde_json::json!({"approval_document": record["approval_document"]});
    std::fs::write(&request, shown.to_string()).unwrap();
    let request_path = request.to_str().unwrap();
    let fine = [
        "--digest",
        digest,
        "--request",
        request_path,
        "--decision",
        "approve",
    ];
    let run = verify(&home, &path, &fine);
    assert_eq!(run.status, 0, "{}", run.stderr);

    assert_eq!(verify(&home, &path, &["--digest", "-other"]).status, 6);
    assert_eq!(verify(&home, &path, &["--decision", "deny"]).status, 6);
    shown["approval_document"]["version"] = 2.into();
    std::fs::write(&request, shown.to_string()).unwrap();
    let run = verify(&home, &path, &["--request", request_path]);
    assert_eq!(run.status, 6, "{}", run.stderr);
    std::fs::write(&request, "{}").unwrap();
    assert_eq!(verify(&home, &path, &["--request", request_path]).status, 2);
    assert_eq!(verify(&home, &path, &["--decision", "maybe"]).status, 2);
}

#[test]
fn what_proves_nothing_is_refused_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let (path, _) = record(&home, "app-record-signature");
    let run = verify(&home, &path, &[]);
    assert_eq!(run.status, 6);
    assert!(
        run.stderr.contains("the signature does not fit"),
        "{}",
        run.stderr
    );
    assert_eq!(verify(&home, &home.path().join("absent"), &[]).status, 1);
    std::fs::write(&path, vec![b' '; 300_000]).unwrap();
    assert_eq!(verify(&home, &path, &[]).status, 6);
}
