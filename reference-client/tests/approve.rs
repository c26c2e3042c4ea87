//! Approving with `clp`: nothing is signed that differs from what was shown.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use clp_client::passkey::Passkey;
use clp_schemas::approval::{self, Decision};
use clp_schemas::canonical::to_base64url;
use common::issuer::{PRINCIPAL, REQUEST, Run, Twist, body, clp, issuer, request};
use common::{Server, json};
use serde_json::{Value, json};

fn approving(passkey: &str, twist_request: Twist, twist_challenge: Twist) -> Server {
    let passkey = passkey.to_owned();
    issuer(move |url, seen| {
        let path = |rest: &str| format!("/credentials/requests/{REQUEST}{rest}");
        let mut answer = request(url, &body());
        let mut digest = answer["digest"].as_str().unwrap().to_owned();
        if seen.is("POST", &path("/approval-challenges")) {
            let nonce = to_base64url(&[7; 32]);
            let sent: Value = serde_json::from_str(&seen.body).unwrap();
            let mut version = 1;
            if sent
                .get("permissions")
                .or(sent.get("lifetime_seconds"))
                .is_some()
            {
                version = 2;
                let mut document = answer["approval_document"].clone();
                document["version"] = json!(2);
                for member in ["permissions", "lifetime_seconds"] {
                    if let Some(value) = sent.get(member) {
                        document["request"][member] = value.clone();
                    }
                }
                digest = approval::digest(&serde_json::from_value(document).unwrap()).unwrap();
            }
            let decision = if sent["decision"] == "deny" {
                Decision::Deny
            } else {
                Decision::Approve
            };
            let bytes = approval::challenge(&digest, &nonce, decision, PRINCIPAL);
            let mut challenge = json!({"id": "chl_0123456789abcdefghij", "request_id": REQUEST, "version": version,
                "digest": digest, "approver": PRINCIPAL, "nonce": nonce, "decision": decision,
                "challenge": to_base64url(&bytes), "expires_at": "2026-11-24T19:44:13Z",
                "relying_party_id": "localhost", "allow_credentials": [passkey], "methods": ["passkey"]});
            twist_challenge(&mut challenge);
            json(201, &challenge)
        } else if seen.is("POST", &path("/approvals")) {
            let narrowed = seen.body.contains("narrowed");
            json(
                201,
                &json!({"id": "apr_0123456789abcdefghij", "request_id": REQUEST, "version": if narrowed { 2 } else { 1 }, "decision": "approve",
                "approver": PRINCIPAL, "method": "passkey", "approved_at": "2026-11-24T19:40:13Z",
                "expires_at": "2026-11-24T20:40:13Z"}),
            )
        } else {
            twist_request(&mut answer);
            json(200, &answer)
        }
    })
}

fn approve(twist_request: Twist, twist_challenge: Twist) -> (Run, usize) {
    approve_with(twist_request, twist_challenge, None, &[])
}

/// Approves, perhaps only what the set says.
fn approve_with(
    twist_request: Twist,
    twist_challenge: Twist,
    narrow: Option<&Value>,
    more: &[&str],
) -> (Run, usize) {
    let home = tempfile::tempdir().unwrap();
    let passkey = Passkey::create(home.path().join("passkey.json"), "localhost").unwrap();
    let id = passkey.public().unwrap().credential_id;
    let server = approving(&id, twist_request, twist_challenge);
    let digest = request(&server.url(), &body())["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = home.path().join("less.json");
    let mut arguments = vec!["approve", REQUEST, "--digest", &digest];
    if let Some(set) = narrow {
        std::fs::write(&file, set.to_string()).unwrap();
        arguments.extend(["--narrow", file.to_str().unwrap()]);
    }
    arguments.extend(more);
    let run = clp(&home, &server, &arguments);
    let submitted = server.count(
        "POST",
        &format!("/credentials/requests/{REQUEST}/approvals"),
    );
    (run, submitted)
}

#[test]
fn an_honest_request_is_approved() {
    let (run, submitted) = approve(|_| (), |_| ());
    assert_eq!((run.status, submitted), (0, 1), "{}", run.stderr);
}

#[test]
fn nothing_is_signed_that_differs_from_what_was_shown() {
    let nothing: Twist = |_| ();
    let requests: [Twist; 11] = [
        |request| request["digest"] = json!("A".repeat(43)),
        |request| request["approval_document"]["request"]["lifetime_seconds"] = json!(1801),
        |request| request["approval_document"]["request"]["hidden"] = json!(1),
        |request| request["approval_document"]["issuer"] = json!("https://other.example"),
        |request| request["approval_document"]["version"] = json!(2),
        |request| request["approval_document"]["extra"] = json!(1),
        |request| request["approval_document"]["actors"] = json!([]),
        |request| request["approval_document"]["actors"][0]["kind"] = json!("agent"),
        |request| {
            request["approval_document"]["permission_schema_digest"] =
                json!(format!("sha256:{}", "0".repeat(64)))
        },
        |request| request["approval_document"]["permission_schema_digest"] = json!(null),
        |request| request["submitted"]["purpose"] = json!("another"),
    ];
    for (number, twist) in requests.into_iter().enumerate() {
        let (run, submitted) = approve(twist, nothing);
        assert_eq!((run.status, submitted), (5, 0), "{number}: {}", run.stderr);
    }
    let challenges: [Twist; 8] = [
        |challenge| challenge["challenge"] = json!("A".repeat(43)),
        |challenge| challenge["decision"] = json!("deny"),
        |challenge| challenge["digest"] = json!("A".repeat(43)),
        |challenge| challenge["version"] = json!(2),
        |challenge| challenge["approver"] = json!("prin_0123456789abcdefghik"),
        |challenge| challenge["nonce"] = json!(to_base64url(&[8; 32])),
        |challenge| challenge["request_id"] = json!("req_0123456789abcdefghik"),
        |challenge| challenge["relying_party_id"] = json!("other.example"),
    ];
    for (number, twist) in challenges.into_iter().enumerate() {
        let (run, submitted) = approve(nothing, twist);
        assert_eq!((run.status, submitted), (5, 0), "{number}: {}", run.stderr);
    }
}

#[test]
fn less_than_was_asked_for_can_be_agreed_to_and_more_cannot() {
    let set = |selector: &str, action: &str| json!([{"resource_type": "event", "selector": selector, "actions": [action]}]);
    let narrowed = ["--shorten", "10m", "--reason", "narrowed"];
    let less = set("atlas/a", "read");
    let (run, submitted) = approve_with(|_| (), |_| (), Some(&less), &narrowed);
    assert_eq!((run.status, submitted), (0, 1), "{}", run.stderr);
    let ignored: Twist = |challenge| {
        // What an issuer answers that has not understood that less is agreed to.
        let nonce = challenge["nonce"].as_str().unwrap().to_owned();
        let whole = request("", &body())["digest"].as_str().unwrap().to_owned();
        let bytes = approval::challenge(&whole, &nonce, Decision::Approve, PRINCIPAL);
        challenge["version"] = json!(1);
        challenge["digest"] = json!(whole);
        challenge["challenge"] = json!(to_base64url(&bytes));
    };
    let (run, submitted) = approve_with(|_| (), ignored, Some(&less), &narrowed);
    assert_eq!((run.status, submitted), (5, 0), "{}", run.stderr);
    for more in [
        set("atlas/*", "write"),
        set("*", "read"),
        set("boreas", "read"),
    ] {
        let (run, submitted) = approve_with(|_| (), |_| (), Some(&more), &[]);
        assert_eq!((run.status, submitted), (6, 0), "{}", run.stderr);
        assert!(
            run.stderr.contains("more than was asked for"),
            "{}",
            run.stderr
        );
    }
    let (run, submitted) = approve_with(|_| (), |_| (), None, &["--shorten", "31m"]);
    assert_eq!((run.status, submitted), (2, 0), "{}", run.stderr);
}

#[test]
fn the_requesters_words_stand_apart_and_cannot_move_the_cursor() {
    let home = tempfile::tempdir().unwrap();
    let server = approving("x", |_| (), |_| ());
    let run = clp(&home, &server, &["show", REQUEST]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']));
    assert!(
        run.stdout.contains("\n  | please\n  |   - read nothing\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn without_a_terminal_nobody_can_be_asked() {
    let home = tempfile::tempdir().unwrap();
    Passkey::create(home.path().join("passkey.json"), "localhost").unwrap();
    let server = approving("x", |_| (), |_| ());
    let run = clp(&home, &server, &["approve", REQUEST]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    let other = "B".repeat(43);
    let run = clp(&home, &server, &["approve", REQUEST, "--digest", &other]);
    assert_eq!(run.status, 6, "{}", run.stderr);
}
