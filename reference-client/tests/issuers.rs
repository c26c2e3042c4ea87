//! Two issuers, one of which gives its credentials the ids of the other's.

mod common;

use common::issuer::{
    CREATE, CREDENTIAL, SUCCESSOR, TOKEN, clp, clp_with, credential, issuer, key,
};
use common::living::{key_of, living};
use common::{Server, json};
use serde_json::{Value, json};

const READ: &[&str] = &["store", "read", CREDENTIAL];

/// An issuer that answers every call with the same credential, and the same key.
fn same() -> Server {
    issuer(|url, seen| match seen.method.as_str() {
        "POST" => json(201, &credential(url)),
        _ => json(200, &credential(url)),
    })
}

#[test]
fn an_id_of_one_issuer_opens_nothing_at_another() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (same(), living().0);
    assert_eq!(clp(&home, &first, CREATE).status, 0);
    // The second issuer has not given this id yet: nothing of the first one is sent to it.
    let file = home.path().join(".env");
    let file = file.to_str().unwrap();
    let resource = format!("{}/resource", second.url());
    for arguments in [
        READ,
        &["store", "remove", CREDENTIAL],
        &["run", CREDENTIAL, "--name", "KEY", "--", "true"],
        &["inject", CREDENTIAL, "--env-file", file, "--name", "KEY"],
        &["call", CREDENTIAL, "GET", &resource],
        &["token", CREDENTIAL],
        &["rotate", CREDENTIAL],
    ] {
        let run = clp(&home, &second, arguments);
        assert_eq!(run.status, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(&first.url()), "{}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
    assert!(second.seen().iter().all(|seen| seen.method == "GET"));
    // It gives the same id: each issuer's secret is its own.
    assert_eq!(clp(&home, &second, CREATE).status, 0);
    assert_eq!(clp(&home, &first, READ).stdout, key().expose());
    assert_eq!(
        clp(&home, &second, READ).stdout,
        key_of(CREDENTIAL).expose()
    );
    // Where no issuer is configured, it has to be said which.
    let run = clp_with(&home, &[], READ);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    for url in [first.url(), second.url()] {
        assert!(run.stderr.contains(&url), "{}", run.stderr);
    }
    assert_eq!(
        clp(&home, &second, &["store", "remove", CREDENTIAL]).status,
        0
    );
    let run = clp_with(&home, &[], READ);
    assert_eq!((run.status, run.stdout.as_str()), (0, key().expose()));
    assert!(run.stderr.contains(&first.url()), "{}", run.stderr);
}

#[test]
fn a_new_credential_with_a_stored_id_is_a_fault() {
    let home = tempfile::tempdir().unwrap();
    let server = same();
    assert_eq!(clp(&home, &server, CREATE).status, 0);
    for _ in 0..2 {
        let run = clp(&home, &server, CREATE);
        assert_eq!(run.status, 5, "{}", run.stderr);
        assert!(!run.stdout.contains("stored"), "{}", run.stdout);
    }
    assert_eq!(clp(&home, &server, READ).stdout, key().expose());
}

#[test]
fn a_stored_key_ends_itself_only_where_its_successor_is_known() {
    let (server, _) = living();
    let url = server.url();
    let own: &[&str] = &[
        "revoke",
        CREDENTIAL,
        "--with-own-key",
        "--reason",
        "no_longer_needed",
    ];
    let alone = [("CLP_ISSUER", url.as_str())];
    let home = tempfile::tempdir().unwrap();
    assert_eq!(clp(&home, &server, CREATE).status, 0);
    let path = format!("/credentials/{CREDENTIAL}/revoke");
    let run = clp_with(&home, &alone, own);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("--stored-elsewhere"), "{}", run.stderr);
    // Somebody rotates it, and keeps the successor's secret to himself.
    let rotated = clp(&home, &server, &["rotate", CREDENTIAL, "--no-store"]);
    assert_eq!(rotated.status, 0, "{}", rotated.stderr);
    let run = clp(&home, &server, own);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("clp store get"), "{}", run.stderr);
    assert_eq!(server.count("POST", &path), 0);
    let fetched = clp(&home, &server, &["store", "get", SUCCESSOR]);
    assert_eq!(fetched.status, 0, "{}", fetched.stderr);
    assert_eq!(clp(&home, &server, own).status, 0);
    assert_eq!(server.count("POST", &path), 1);
    let said = [own, &["--stored-elsewhere"]].concat();
    assert_eq!(clp_with(&home, &alone, &said).status, 0);
    let revocation = server
        .seen()
        .into_iter()
        .rfind(|seen| seen.is("POST", &path));
    let sent = revocation.unwrap();
    let sent = sent.header("authorization").unwrap();
    assert!(sent.ends_with(key_of(CREDENTIAL).expose()) && !sent.contains(TOKEN));
}

#[test]
fn every_member_of_an_answer_is_on_a_line_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let server = same();
    let run = clp(&home, &server, &[CREATE, &["--json"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    for (name, value) in answer.as_object().unwrap() {
        let begins = format!("\n  \"{name}\": ");
        assert_eq!(run.stdout.matches(&begins).count(), 1, "{name}");
        if let Value::String(text) = value {
            let line = format!("{begins}{}", json!(text));
            assert!(run.stdout.contains(&line), "{name}");
        }
    }
}
