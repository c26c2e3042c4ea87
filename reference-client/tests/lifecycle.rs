//! Changes of a credential after it was made, deliveries that are acknowledged, and the types
//! that are more than a key.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use clp_schemas::dpop::{self, Expected};
use clp_schemas::jose::PublicJwk;
use clp_schemas::time::Timestamp;
use common::issuer::{CREATE, CREDENTIAL, DELIVERY, Run, clp};
use common::living::{Shared, key_of, living, living_with, lock};
use common::{MANIFEST, Reply, Seen, Server, json, manifest};
use serde_json::{Value, json};

fn create(server: &Server, more: &[&str]) -> (tempfile::TempDir, Run) {
    let home = tempfile::tempdir().unwrap();
    let run = clp(&home, server, &[CREATE, more].concat());
    (home, run)
}

fn created() -> (tempfile::TempDir, Server, Shared) {
    let (server, shared) = living();
    let (home, run) = create(&server, &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    (home, server, shared)
}

fn position(seen: &[Seen], method: &str, path: &str) -> usize {
    seen.iter().position(|seen| seen.is(method, path)).unwrap()
}

#[test]
fn a_delivery_is_acknowledged_once_the_secret_is_stored() {
    let (home, server, _) = created();
    let ack = format!("/credentials/deliveries/{DELIVERY}/ack");
    let seen = server.seen();
    let read = position(&seen, "GET", &format!("/credentials/deliveries/{DELIVERY}"));
    assert!(read < position(&seen, "POST", &ack));
    // With the store that was registered for this project and environment, from then on.
    let register = [
        "store",
        "register",
        "laptop",
        "--owner",
        "data-team",
        "--project",
        "atlas",
        "--environment",
        "staging",
    ];
    let run = clp(&home, &server, &register);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        clp(&home, &server, &["store", "remove", CREDENTIAL]).status,
        0
    );
    assert_eq!(clp(&home, &server, &["store", "get", CREDENTIAL]).status, 0);
    let last = server
        .seen()
        .into_iter()
        .rfind(|seen| seen.is("POST", &ack))
        .unwrap();
    assert!(
        last.body.contains("sto_0123456789abcdefghij"),
        "{}",
        last.body
    );
    // Nobody who does not claim it is told.
    let (server, _) = living_with(&[]);
    let (_, run) = create(&server, &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(server.count("POST", &ack), 0);
}

#[test]
fn a_store_that_fails_acknowledges_nothing() {
    let (home, server, _) = created();
    let ack = format!("/credentials/deliveries/{DELIVERY}/ack");
    assert_eq!(server.count("POST", &ack), 1);
    std::fs::write(home.path().join("store"), "not a store").unwrap();
    assert_eq!(clp(&home, &server, &["store", "get", CREDENTIAL]).status, 1);
    assert_eq!(server.count("POST", &ack), 1);
}

#[test]
fn a_change_is_sent_with_the_tag_of_what_was_shown() {
    let (home, server, shared) = created();
    let run = clp(
        &home,
        &server,
        &["amend", CREDENTIAL, "--owner", "platform", "--label", "a=b"],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("owner: data-team -> platform"),
        "{}",
        run.stderr
    );
    let patch = server
        .seen()
        .into_iter()
        .find(|seen| seen.method == "PATCH")
        .unwrap();
    let sent: Value = serde_json::from_str(&patch.body).unwrap();
    assert_eq!(sent, json!({"owner": "platform", "labels": {"a": "b"}}));
    assert_eq!(
        lock(&shared).credentials[CREDENTIAL]["owner"],
        json!("platform")
    );
    assert_eq!(clp(&home, &server, &["amend", CREDENTIAL]).status, 2);
    let run = clp(&home, &server, &["amend", CREDENTIAL, "--no-labels"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(lock(&shared).credentials[CREDENTIAL]["labels"], json!({}));
}

#[test]
fn a_change_of_what_somebody_else_changed_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    // Between reading and changing, somebody is faster: no tag fits any more.
    let server =
        Server::start(
            move |url, seen| match (seen.method.as_str(), seen.target.as_str()) {
                (_, MANIFEST) => {
                    let mut value = manifest(url);
                    value["profiles_supported"] = json!(["lifecycle"]);
                    json(200, &value)
                }
                ("GET", _) => {
                    let value = common::issuer::credential(url).to_string().into_bytes();
                    Reply::Answer(
                        200,
                        "Content-Type: application/json\r\nETag: \"1\"\r\n".to_owned(),
                        value,
                    )
                }
                _ => {
                    assert_eq!(seen.header("if-match"), Some("\"1\""));
                    common::problem(412, "precondition-failed", "")
                }
            },
        );
    let run = clp(
        &home,
        &server,
        &["amend", CREDENTIAL, "--owner", "platform"],
    );
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("decide again"), "{}", run.stderr);
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|seen| seen.method == "PATCH")
            .count(),
        1
    );
}

#[test]
fn an_answer_without_a_tag_is_no_ground_for_a_change() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|url, seen| match seen.target.as_str() {
        MANIFEST => {
            let mut value = manifest(url);
            value["profiles_supported"] = json!(["lifecycle"]);
            json(200, &value)
        }
        _ => json(200, &common::issuer::credential(url)),
    });
    for command in ["amend", "resume"] {
        let more: &[&str] = if command == "amend" {
            &["--owner", "x"]
        } else {
            &[]
        };
        let run = clp(&home, &server, &[&[command, CREDENTIAL], more].concat());
        assert_eq!(run.status, 5, "{}", run.stderr);
    }
    assert!(server.seen().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn suspending_asks_for_nothing_and_resuming_for_the_state_that_was_seen() {
    let (home, server, shared) = created();
    let run = clp(
        &home,
        &server,
        &["suspend", CREDENTIAL, "--reason", "policy"],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        lock(&shared).credentials[CREDENTIAL]["state"],
        json!("suspended")
    );
    let run = clp(&home, &server, &["resume", CREDENTIAL]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("suspended at"), "{}", run.stderr);
    let path = format!("/credentials/{CREDENTIAL}/resume");
    let seen = server.seen();
    let resumed = seen.get(position(&seen, "POST", &path)).unwrap();
    assert!(resumed.header("if-match").is_some());
}

#[test]
fn after_migration_names_the_gates_that_are_missing() {
    let (home, server, shared) = created();
    lock(&shared).safe = false;
    let run = clp(&home, &server, &["revoke", CREDENTIAL, "--after-migration"]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("not met: quiet"), "{}", run.stderr);
    lock(&shared).safe = true;
    assert_eq!(
        clp(&home, &server, &["revoke", CREDENTIAL, "--after-migration"]).status,
        0
    );
}

#[test]
fn what_is_not_claimed_is_not_called() {
    let (server, _) = living_with(&[]);
    let (home, run) = create(&server, &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let before = server.seen().len();
    for command in [
        &["amend", CREDENTIAL, "--owner", "x"][..],
        &["suspend", CREDENTIAL, "--reason", "policy"],
        &["scope", "analyse", CREDENTIAL],
        &["store", "list", "--registered"],
        &["webhook", "test", CREDENTIAL],
    ] {
        assert_eq!(clp(&home, &server, command).status, 3, "{command:?}");
    }
    let more = server.seen().split_off(before);
    assert!(more.iter().all(|seen| seen.method == "GET"), "{more:?}");
}

#[test]
fn a_bound_key_is_used_with_a_proof_for_each_call() {
    let (server, _) = living();
    let (home, run) = create(&server, &["--bind"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let seen = server.seen();
    let sent: Value = serde_json::from_str(
        &seen
            .get(position(&seen, "POST", "/credentials"))
            .unwrap()
            .body,
    )
    .unwrap();
    let jkt = sent
        .pointer("/cnf/jkt")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("{}/resource", server.url());
    let run = clp(
        &home,
        &server,
        &["call", CREDENTIAL, "get", &format!("{url}?page=2")],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains("served"));
    let call = server
        .seen()
        .into_iter()
        .find(|seen| seen.is("GET", "/resource"))
        .unwrap();
    let key = key_of(CREDENTIAL);
    assert_eq!(
        call.header("authorization"),
        Some(format!("DPoP {}", key.expose()).as_str())
    );
    let expected = Expected {
        method: "GET",
        url: &url,
        token: key.expose(),
        thumbprint: &jkt,
        now: Timestamp::system_now(),
    };
    dpop::check(call.header("dpop").unwrap(), expected).unwrap();
}

#[test]
fn a_create_that_is_resumed_keeps_the_key_pair_of_the_first_run() {
    let home = tempfile::tempdir().unwrap();
    let tries = AtomicU32::new(0);
    let server = common::issuer::issuer(move |url, seen| {
        if tries.fetch_add(1, Ordering::SeqCst) < 4 {
            return Reply::HangUp;
        }
        let sent: Value = serde_json::from_str(&seen.body).unwrap();
        let mut value = common::issuer::credential(url);
        value["cnf"] = sent["cnf"].clone();
        json(201, &value)
    });
    let arguments = [CREATE, &["--bind"]].concat();
    assert_eq!(clp(&home, &server, &arguments).status, 4);
    let run = clp(&home, &server, &arguments);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let posts = server.seen().into_iter();
    let mut bodies: Vec<String> = posts
        .filter(|seen| seen.is("POST", "/credentials"))
        .map(|seen| seen.body)
        .collect();
    assert_eq!(bodies.len(), 5);
    bodies.dedup();
    let [body] = bodies.as_slice() else {
        panic!("the runs sent different bodies");
    };
    let body: Value = serde_json::from_str(body).unwrap();
    let at = |name: &str| home.path().join(name);
    let store = clp_client::store::Store::new(at("store"), at("store.key"));
    assert!(
        store
            .pair(&server.url(), body["cnf"]["jkt"].as_str().unwrap())
            .is_ok()
    );
}

#[test]
fn a_key_of_ones_own_is_stored_before_its_public_half_is_sent() {
    let (server, _) = living();
    let (home, run) = create(&server, &["--type", "service_account", "--own-key"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let seen = server.seen();
    let sent: Value = serde_json::from_str(
        &seen
            .get(position(&seen, "POST", "/credentials"))
            .unwrap()
            .body,
    )
    .unwrap();
    let public: PublicJwk = serde_json::from_value(sent["public_jwk"].clone()).unwrap();
    assert!(sent["public_jwk"].get("d").is_none());
    let run = clp(&home, &server, &["store", "read", CREDENTIAL]);
    let private = clp_schemas::jose::SigningKey::from_private_jwk(&run.stdout).unwrap();
    assert_eq!(private.public(), public);
    // Nobody is asked for what never left.
    assert!(!seen.iter().any(|seen| seen.target.contains("/deliveries/")));
    for (more, status) in [
        (&["--own-key"][..], 2),
        (&["--type", "oauth_client", "--bind"], 2),
        (&["--type", "webhook_secret"], 2),
        (&["--webhook-url", "https://hooks.example.com"], 2),
    ] {
        assert_eq!(create(&server, more).1.status, status, "{more:?}");
    }
}

#[test]
fn a_key_that_was_not_bound_as_asked_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|url, seen| match seen.target.as_str() {
        MANIFEST => json(200, &manifest(url)),
        _ => json(201, &common::issuer::credential(url)),
    });
    let run = clp(&home, &server, &[CREATE, &["--bind"]].concat());
    assert_eq!(run.status, 5, "{}", run.stderr);
}

#[test]
fn an_oauth_client_gets_a_token_and_shows_it_only_when_told() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|url, seen| match seen.target.as_str() {
        MANIFEST => {
            let mut value = manifest(url);
            value["profiles_supported"] = json!(["oauth"]);
            json(200, &value)
        }
        "/credentials/oauth/token" if seen.body.contains("scope=none") => {
            json(400, &json!({"error": "invalid_scope"}))
        }
        "/credentials/oauth/token" => json(
            200,
            &json!({"access_token": "access-token-of-a-test", "token_type": "Bearer", "expires_in": 600,
                    "scope": "event:read"}),
        ),
        "/resource" => json(200, &json!({"served": seen.header("authorization")})),
        target if target.contains("/deliveries/") => {
            let mut value = common::issuer::delivery();
            value["secret"]["kind"] = json!("oauth_client");
            json(200, &value)
        }
        _ => {
            let mut value = common::issuer::credential(url);
            value["type"] = json!("oauth_client");
            json(201, &value)
        }
    });
    let run = clp(
        &home,
        &server,
        &[CREATE, &["--type", "oauth_client"]].concat(),
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    let run = clp(&home, &server, &["token", CREDENTIAL]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(!run.stdout.contains("access-token-of-a-test"));
    let run = clp(
        &home,
        &server,
        &["token", CREDENTIAL, "--print", "--scope", "event:read"],
    );
    assert_eq!(run.stdout, "access-token-of-a-test");
    let asked = server
        .seen()
        .into_iter()
        .rfind(|seen| seen.target.ends_with("/token"))
        .unwrap();
    assert_eq!(
        asked.body,
        "scope=event%3Aread&grant_type=client_credentials"
    );
    assert_eq!(
        asked.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(asked.header("authorization").unwrap().starts_with("Basic "));
    let run = clp(&home, &server, &["token", CREDENTIAL, "--scope", "none"]);
    assert_eq!(run.status, 3);
    assert!(run.stderr.contains("invalid_scope"), "{}", run.stderr);
    let script = r#"printf '%s' "$TOKEN""#;
    let run = clp(
        &home,
        &server,
        &[
            "run", CREDENTIAL, "--name", "TOKEN", "--token", "--", "/bin/sh", "-c", script,
        ],
    );
    assert_eq!(run.stdout, "access-token-of-a-test");
    let url = format!("{}/resource", server.url());
    let run = clp(&home, &server, &["call", CREDENTIAL, "GET", &url]);
    assert!(
        run.stdout.contains("Bearer access-token-of-a-test"),
        "{}",
        run.stdout
    );
}
