//! Requests that are changed, and taken back.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use common::issuer::{REQUEST, Run, Twist, body, clp, issuer, request};
use common::{Reply, Server};
use serde_json::{Value, json};

const TAG: &str = "\"as-it-was-seen\"";

fn tagged(value: &Value) -> Reply {
    let headers = format!("Content-Type: application/json\r\nETag: {TAG}\r\n");
    Reply::Answer(200, headers, value.to_string().into_bytes())
}

/// Runs a command against an issuer that does to its answer to a change what `twist` does.
fn run(args: &[&str], twist: Twist) -> (Server, Run) {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(move |url, seen| {
        let mut answer = request(url, &body());
        match seen.method.as_str() {
            "PATCH" => {
                answer["version"] = json!(2);
                twist(&mut answer);
            }
            "DELETE" => {
                answer["state"] = json!("cancelled");
                twist(&mut answer);
            }
            _ => {}
        }
        tagged(&answer)
    });
    let run = clp(&home, &server, args);
    (server, run)
}

#[test]
fn a_request_is_changed_as_it_was_seen() {
    let args = [
        "request",
        "amend",
        REQUEST,
        "--lifetime",
        "30m",
        "--purpose",
        "less",
    ];
    let (server, ended) = run(&args, |_| {});
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("WDJB-MJHT"), "{}", ended.stdout);
    let seen = server.seen();
    let sent = seen.iter().find(|seen| seen.method == "PATCH").unwrap();
    assert_eq!(sent.header("if-match"), Some(TAG));
    let sent: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(sent, json!({"lifetime_seconds": 1800, "purpose": "less"}));

    let (server, ended) = run(&["request", "amend", REQUEST], |_| {});
    assert_eq!(ended.status, 2, "{}", ended.stderr);
    assert!(!server.seen().iter().any(|seen| seen.method == "PATCH"));
}

#[test]
fn a_request_is_taken_back_as_it_was_seen() {
    let (server, ended) = run(&["request", "cancel", REQUEST], |_| {});
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("cancelled"), "{}", ended.stdout);
    let seen = server.seen();
    let sent = seen.iter().find(|seen| seen.method == "DELETE").unwrap();
    assert_eq!(sent.header("if-match"), Some(TAG));
}

#[test]
fn a_change_that_was_not_made_is_a_failure() {
    let amend = ["request", "amend", REQUEST, "--purpose", "less"];
    let cancel = ["request", "cancel", REQUEST];
    let stale: Twist = |answer| {
        answer["version"] = json!(1);
        answer["state"] = json!("pending_approval");
    };
    let other: Twist = |answer| answer["id"] = json!("req_99999999999999999999");
    for args in [&amend[..], &cancel[..]] {
        for twist in [stale, other] {
            let (_, ended) = run(args, twist);
            assert_ne!(ended.status, 0, "{args:?}: {}", ended.stdout);
        }
    }
}

#[test]
fn asking_still_takes_a_lifetime() {
    let args = [
        "request",
        "--purpose",
        "p",
        "--owner",
        "o",
        "--project",
        "atlas",
    ];
    let (_, ended) = run(&args, |_| {});
    assert_eq!(ended.status, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("--lifetime"), "{}", ended.stderr);
}
