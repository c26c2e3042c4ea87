//! The command `clp` against an issuer made by hand: what it does when things go wrong
//! half-way, and what it never does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clp_client::passkey::Passkey;
use clp_schemas::approval::{self, ApprovalDocument, Decision};
use clp_schemas::canonical::to_base64url;
use clp_schemas::key::{GENERATION_BYTES, Key};
use common::{MANIFEST, Reply, Seen, Server, json, manifest, problem};
use serde_json::{Value, json};

const CREDENTIAL: &str = "cred_0123456789abcdefghij";
const SUCCESSOR: &str = "cred_0123456789abcdefghik";
const REQUEST: &str = "req_0123456789abcdefghij";
const DELIVERY: &str = "dlv_0123456789abcdefghij";
const PRINCIPAL: &str = "prin_0123456789abcdefghij";
const TOKEN: &str = "owner-token-for-tests";

fn key() -> Key {
    let random: Vec<u8> = (0..GENERATION_BYTES)
        .map(|byte| u8::try_from(byte).unwrap())
        .collect();
    Key::generate("acme", &random).unwrap()
}

fn credential(url: &str) -> Value {
    json!({
        "id": CREDENTIAL, "type": "api_key", "state": "provisioned", "purpose": "nightly import",
        "owner": "data-team", "project": "atlas", "environment": "staging",
        "permissions": [{"resource_type": "event", "selector": "atlas/*", "actions": ["read"]}],
        "permission_schema_digest": format!("sha256:{}", "0".repeat(64)),
        "key_id": Key::parse(key().expose()).unwrap().key_id,
        "created_at": "2026-11-24T19:39:13Z", "created_by": PRINCIPAL, "created_via": {"kind": "direct"},
        "labels": {}, "disclosed_to": [],
        "delivery": {"id": DELIVERY, "uri": format!("{url}/credentials/deliveries/{DELIVERY}"),
                     "expires_at": "2026-11-24T19:54:13Z"}
    })
}

fn delivery() -> Value {
    json!({"id": DELIVERY, "credential_id": CREDENTIAL, "mode": "plain", "expires_at": "2026-11-24T19:54:13Z",
           "secret": {"kind": "api_key", "value": key().expose()}})
}

fn permissions() -> Value {
    json!({"version": "1", "environments": ["staging"], "resource_types": {"event": {"title": {"en": "Events"},
        "actions": {"read": {"risk": "low", "consent": {"en": "Read events of {selector}"}},
                    "write": {"risk": "high", "implies": ["read"], "consent": {"en": "Write events of {selector}"}}}}}})
}

/// An issuer that answers discovery and deliveries; `reply` answers the rest.
fn issuer(reply: impl Fn(&str, &Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |url, seen| {
        if seen.is("GET", MANIFEST) {
            json(200, &manifest(url))
        } else if seen.is("GET", "/.well-known/credential-permissions") {
            json(200, &permissions())
        } else if seen.is("GET", &format!("/credentials/deliveries/{DELIVERY}")) {
            json(200, &delivery())
        } else {
            reply(url, seen)
        }
    })
}

struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

fn clp(home: &tempfile::TempDir, server: &Server, arguments: &[&str]) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_clp"))
        .args([
            "--allow-loopback-http",
            "--allow-test-issuer",
            "--timeout",
            "5",
        ])
        .args(arguments)
        .env_clear()
        .env("CLP_ISSUER", server.url())
        .env("CLP_TOKEN", TOKEN)
        .env("CLP_HOME", home.path())
        .output()
        .unwrap();
    let run = Run {
        status: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    };
    for text in [&run.stderr, &run.stdout] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert!(!run.stderr.contains(key().expose()), "{}", run.stderr);
    run
}

const CREATE: &[&str] = &[
    "create",
    "--purpose",
    "nightly import",
    "--owner",
    "data-team",
    "--project",
    "atlas",
    "--environment",
    "staging",
    "--allow",
    "event:read:atlas/*",
];

fn keys(server: &Server) -> Vec<String> {
    let posts = server
        .seen()
        .into_iter()
        .filter(|seen| seen.is("POST", "/credentials"));
    posts
        .map(|seen| seen.header("idempotency-key").unwrap().to_owned())
        .collect()
}

#[test]
fn create_stores_the_secret_and_prints_none() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, _| json(201, &credential(url)));
    let run = clp(&home, &server, CREATE);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains(CREDENTIAL));
    assert!(!run.stdout.contains(key().expose()));
    let run = clp(&home, &server, &["store", "list", "--json"]);
    let listed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        listed.pointer("/items/0/credential_id"),
        Some(&json!(CREDENTIAL))
    );
    assert!(!run.stdout.contains(key().expose()));
    let run = clp(&home, &server, &["store", "read", CREDENTIAL]);
    assert_eq!((run.status, run.stdout.as_str()), (0, key().expose()));
    // A second create is a second credential: the first run is over.
    clp(&home, &server, CREATE);
    let keys = keys(&server);
    assert_eq!(keys.len(), 2);
    assert_ne!(keys.first(), keys.last());
    assert_eq!(
        std::fs::read_dir(home.path().join("journal"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_create_that_dies_is_resumed_with_the_same_key_and_body() {
    let home = tempfile::tempdir().unwrap();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let server = issuer(
        move |url, seen| match counted.fetch_add(1, Ordering::SeqCst) {
            0..4 => Reply::HangUp,
            _ => {
                let sent: Value = serde_json::from_str(&seen.body).unwrap();
                let mut answer = credential(url);
                answer["expires_at"] = sent["expires_at"].clone();
                json(201, &answer)
            }
        },
    );
    let with_lifetime = [CREATE, &["--lifetime", "30d"]].concat();
    let run = clp(&home, &server, &with_lifetime);
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert!(run.stderr.contains("does nothing twice"), "{}", run.stderr);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let run = clp(&home, &server, &with_lifetime);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains("nothing was minted twice"));
    let mut posts: Vec<_> = server
        .seen()
        .into_iter()
        .filter(|seen| seen.is("POST", "/credentials"))
        .collect();
    assert_eq!(posts.len(), 5);
    let first = posts.remove(0);
    for post in posts {
        assert_eq!(
            post.header("idempotency-key"),
            first.header("idempotency-key")
        );
        assert_eq!(post.body, first.body);
    }
}

#[test]
fn nothing_is_minted_before_the_store_is_seen_to_work() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, _| json(201, &credential(url)));
    std::fs::write(home.path().join("store"), "not a store").unwrap();
    let run = clp(&home, &server, CREATE);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(server.seen().is_empty());
}

#[test]
fn a_credential_that_opens_more_is_a_failure_and_one_that_opens_less_is_not() {
    for (action, selector, status) in [
        ("write", "atlas/*", 5),
        ("read", "*", 5),
        ("read", "atlas/a", 0),
    ] {
        let home = tempfile::tempdir().unwrap();
        let server = issuer(move |url, _| {
            let document: clp_schemas::permissions::PermissionDocument =
                serde_json::from_value(permissions()).unwrap();
            let mut answer = credential(url);
            let set =
                json!([{"resource_type": "event", "selector": selector, "actions": [action]}]);
            for (member, value) in [
                ("permissions", set),
                ("permission_schema_digest", json!(document.digest())),
            ] {
                answer
                    .as_object_mut()
                    .unwrap()
                    .insert(member.to_owned(), value);
            }
            json(201, &answer)
        });
        let run = clp(&home, &server, CREATE);
        assert_eq!(run.status, status, "{action} {selector}: {}", run.stderr);
        let fetched = server.count("GET", &format!("/credentials/deliveries/{DELIVERY}"));
        assert_eq!(fetched == 1, status == 0, "{action} {selector}");
    }
}

#[test]
fn a_permission_document_of_another_digest_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, _| json(201, &credential(url)));
    let digest = format!("sha256:{}", "0".repeat(64));
    let run = clp(&home, &server, &["scope", "--digest", &digest]);
    assert_eq!(run.status, 5, "{}", run.stderr);
    assert_eq!(clp(&home, &server, &["scope"]).status, 0);
}

#[test]
fn a_person_is_waited_for_and_problems_are_explained() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, seen| match seen.method.as_str() {
        "POST" => {
            let mut value = json!({"type": "tag:clp.example,2026:problem/approval-required", "title": "x", "status": 403});
            value["request"] = json!({"id": REQUEST, "uri": format!("{url}/credentials/requests/{REQUEST}"),
                                      "approval_uri": format!("{url}/approve")});
            let headers = "Content-Type: application/problem+json\r\n".to_owned();
            Reply::Answer(403, headers, value.to_string().into_bytes())
        }
        _ => json(200, &request(url, &body())),
    });
    let run = clp(&home, &server, CREATE);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        run.stderr.contains(REQUEST) && run.stderr.contains("/approve"),
        "{}",
        run.stderr
    );
    assert_eq!(clp(&home, &server, CREATE).status, 7);
    let keys = keys(&server);
    assert_eq!(keys.first(), keys.last());

    let server = issuer(|_, _| problem(403, "forbidden", ""));
    let run = clp(&home, &server, &["list", "--json"]);
    assert_eq!(run.status, 3);
    let said: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(said.pointer("/exit"), Some(&json!(3)));
    assert!(run.stdout.is_empty());
}

#[test]
fn a_predecessor_is_not_revoked_before_its_successor_is_stored() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, seen| {
        let mut answer = credential(url);
        answer["successor"] = json!(SUCCESSOR);
        answer["state"] = json!(if seen.method == "POST" {
            "revoked"
        } else {
            "retiring"
        });
        json(200, &answer)
    });
    let revoke = |more: &[&str]| {
        let arguments = [&["revoke", CREDENTIAL, "--reason"], more].concat();
        clp(&home, &server, &arguments).status
    };
    let path = format!("/credentials/{CREDENTIAL}/revoke");
    assert_eq!(revoke(&["superseded"]), 2);
    assert_eq!(server.count("POST", &path), 0);
    assert_eq!(revoke(&["superseded", "--stored-elsewhere"]), 0);
    assert_eq!(revoke(&["compromise"]), 0);
    assert_eq!(server.count("POST", &path), 2);
}

#[test]
fn a_revocation_that_did_not_end_the_credential_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, _| json(200, &credential(url)));
    let run = clp(
        &home,
        &server,
        &["revoke", CREDENTIAL, "--reason", "compromise"],
    );
    assert_eq!(run.status, 5, "{}", run.stderr);
}

#[test]
fn a_credential_of_something_else_or_that_lives_longer_is_a_failure() {
    let twists: [(Twist, &[&str]); 4] = [
        (|answer| answer["environment"] = json!("production"), &[]),
        (|answer| answer["project"] = json!("other"), &[]),
        (|_| (), &["--lifetime", "30d"]),
        (
            |answer| answer["expires_at"] = json!("2099-01-01T00:00:00Z"),
            &["--lifetime", "30d"],
        ),
    ];
    for (number, (twist, more)) in twists.into_iter().enumerate() {
        let home = tempfile::tempdir().unwrap();
        let server = issuer(move |url, _| {
            let mut answer = credential(url);
            twist(&mut answer);
            json(201, &answer)
        });
        let run = clp(&home, &server, &[CREATE, more].concat());
        assert_eq!(run.status, 5, "{number}: {}", run.stderr);
    }
}

#[test]
fn waiting_keeps_to_the_interval_and_is_resumed() {
    let home = tempfile::tempdir().unwrap();
    let reads = AtomicU32::new(0);
    let server = issuer(move |url, seen| {
        let mut answer = request(url, &wanted());
        if seen.method == "POST" {
            return json(202, &answer);
        }
        if reads.fetch_add(1, Ordering::SeqCst) >= 3 {
            answer["state"] = json!("approved");
        }
        json(200, &answer)
    });
    let arguments = [
        "request",
        "--purpose",
        "fix ticket",
        "--owner",
        "data-team",
        "--project",
        "atlas",
        "--environment",
        "staging",
        "--allow",
        "event:read:atlas/*",
        "--subject",
        "agent:fixer",
        "--lifetime",
        "30m",
    ];
    let begun = std::time::Instant::now();
    let run = clp(&home, &server, &[&arguments[..], &["--wait=1s"]].concat());
    assert_eq!(run.status, 7, "{}", run.stderr);
    let run = clp(
        &home,
        &server,
        &[&arguments[..], &["--wait", "--json"]].concat(),
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    let path = format!("/credentials/requests/{REQUEST}");
    let count = u64::try_from(server.count("GET", &path)).unwrap();
    assert!(
        begun.elapsed() >= std::time::Duration::from_secs(count - 2),
        "{count}"
    );
    let opened: Vec<_> = server
        .seen()
        .into_iter()
        .filter(|seen| seen.method == "POST")
        .collect();
    let keys: Vec<_> = opened
        .iter()
        .map(|seen| seen.header("idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.first(), keys.last());
}

fn wanted() -> Value {
    json!({"type": "api_key", "permissions": [{"resource_type": "event", "selector": "atlas/*", "actions": ["read"]}],
           "purpose": "fix ticket", "owner": "data-team", "project": "atlas", "environment": "staging",
           "subject": {"kind": "agent", "id": "fixer"}, "lifetime_seconds": 1800})
}

fn body() -> Value {
    json!({"type": "api_key", "permissions": [{"resource_type": "event", "selector": "atlas/*", "actions": ["read"]}],
           "purpose": "fix\u{1b}[2J ticket", "owner": "data-team", "project": "atlas", "environment": "staging",
           "subject": {"kind": "agent", "id": "fixer"}, "lifetime_seconds": 1800,
           "justification": "please\n  - read nothing\u{202e}"})
}

/// A pending request, as an honest issuer answers it.
fn request(url: &str, body: &Value) -> Value {
    let document = json!({"clp": "1.0", "issuer": url, "request_id": REQUEST, "version": 1, "requester": PRINCIPAL,
                          "request": body});
    let typed: ApprovalDocument = serde_json::from_value(document.clone()).unwrap();
    json!({"id": REQUEST, "version": 1, "state": "pending_approval", "requester": PRINCIPAL, "submitted": body,
           "approval_document": document, "digest": approval::digest(&typed).unwrap(),
           "consent": ["Read events of \"atlas/*\""], "approvals": [], "created_at": "2026-11-24T19:39:13Z",
           "expires_at": "2026-12-01T19:39:13Z", "interval": 1, "approval_uri": format!("{url}/approve")})
}

/// What an issuer does to a request, and to a challenge, before it answers.
type Twist = fn(&mut Value);

fn approving(passkey: &str, twist_request: Twist, twist_challenge: Twist) -> Server {
    let passkey = passkey.to_owned();
    issuer(move |url, seen| {
        let path = |rest: &str| format!("/credentials/requests/{REQUEST}{rest}");
        let mut answer = request(url, &body());
        let digest = answer["digest"].as_str().unwrap().to_owned();
        if seen.is("POST", &path("/approval-challenges")) {
            let nonce = to_base64url(&[7; 32]);
            let sent: Value = serde_json::from_str(&seen.body).unwrap();
            let decision = if sent["decision"] == "deny" {
                Decision::Deny
            } else {
                Decision::Approve
            };
            let bytes = approval::challenge(&digest, &nonce, decision, PRINCIPAL);
            let mut challenge = json!({"id": "chl_0123456789abcdefghij", "request_id": REQUEST, "version": 1,
                "digest": digest, "approver": PRINCIPAL, "nonce": nonce, "decision": decision,
                "challenge": to_base64url(&bytes), "expires_at": "2026-11-24T19:44:13Z",
                "relying_party_id": "localhost", "allow_credentials": [passkey]});
            twist_challenge(&mut challenge);
            json(201, &challenge)
        } else if seen.is("POST", &path("/approvals")) {
            json(
                201,
                &json!({"id": "apr_0123456789abcdefghij", "request_id": REQUEST, "version": 1, "decision": "approve",
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
    let home = tempfile::tempdir().unwrap();
    let passkey = Passkey::create(home.path().join("passkey.json"), "localhost").unwrap();
    let id = passkey.public().unwrap().credential_id;
    let server = approving(&id, twist_request, twist_challenge);
    let digest = request(&server.url(), &body())["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let run = clp(&home, &server, &["approve", REQUEST, "--digest", &digest]);
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
    let requests: [Twist; 7] = [
        |request| request["digest"] = json!("A".repeat(43)),
        |request| request["approval_document"]["request"]["lifetime_seconds"] = json!(1801),
        |request| request["approval_document"]["request"]["hidden"] = json!(1),
        |request| request["approval_document"]["issuer"] = json!("https://other.example"),
        |request| request["approval_document"]["version"] = json!(2),
        |request| request["approval_document"]["extra"] = json!(1),
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

#[test]
fn a_token_file_that_others_can_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|_, _| json(200, &json!({"items": []})));
    let file = home.path().join("token");
    std::fs::write(&file, TOKEN).unwrap();
    let run = |mode: u32| {
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode))
            .unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_clp"))
            .args(["--allow-loopback-http", "--allow-test-issuer", "list"])
            .env_clear()
            .env("CLP_ISSUER", server.url())
            .env("CLP_TOKEN_FILE", &file)
            .env("CLP_HOME", home.path())
            .output()
            .unwrap()
            .status;
        status.code()
    };
    assert_eq!(run(0o644), Some(1));
    assert_eq!(run(0o600), Some(0));
}
