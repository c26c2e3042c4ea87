//! The command `clp` against an issuer made by hand: what it does when things go wrong
//! half-way, and what it never does.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::issuer::{
    CREATE, CREDENTIAL, DELIVERY, REQUEST, SUCCESSOR, TOKEN, Twist, body, clp, credential,
    delivery, issuer, key, permissions, request, wanted,
};
use common::{MANIFEST, Reply, Server, json, manifest, problem};
use serde_json::{Value, json};

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
fn a_run_that_dies_between_minting_and_storing_is_resumed() {
    let path = format!("/credentials/deliveries/{DELIVERY}");
    for (gone, status) in [(false, 0), (true, 3)] {
        let home = tempfile::tempdir().unwrap();
        let reads = AtomicU32::new(0);
        let server = Server::start({
            let path = path.clone();
            move |url, seen| match seen.target.as_str() {
                MANIFEST => json(200, &manifest(url)),
                target if target == path => match reads.fetch_add(1, Ordering::SeqCst) {
                    0..4 => Reply::HangUp,
                    _ if gone => problem(410, "delivery-gone", ""),
                    _ => json(200, &delivery()),
                },
                _ => json(201, &credential(url)),
            }
        });
        assert_eq!(clp(&home, &server, CREATE).status, 4);
        let run = clp(&home, &server, CREATE);
        assert_eq!(run.status, status, "{}", run.stderr);
        // Whether stored or out of reach, it is over: the next run is a create of its own.
        clp(&home, &server, CREATE);
        let keys = keys(&server);
        assert_eq!(keys.len(), 3);
        assert_eq!(keys.first(), keys.get(1));
        assert_ne!(keys.first(), keys.last());
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
