//! Where a key is used, over several issuers: what one of them does not say stops none of the
//! others, and is not passed over.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use common::issuer::{CREATE, CREDENTIAL, TOKEN, clp, clp_with};
use common::living::{living, living_with};
use serde_json::{Value, json};

/// A file that only this user can read, and that holds a token.
fn token_file(home: &tempfile::TempDir) -> String {
    let path = home.path().join("token");
    std::fs::write(&path, TOKEN).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    path.display().to_string()
}

#[test]
fn every_issuer_that_is_named_is_asked_and_one_that_is_away_is_not_known() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (living().0, living_with(&["lifecycle"]).0);
    let token = token_file(&home);
    let away = "http://localhost:9";
    for (server, file) in [(&first, "one.env"), (&second, "two.env")] {
        assert_eq!(clp(&home, server, CREATE).status, 0);
        let file = home.path().join(file);
        let file = file.to_str().unwrap();
        let place: &[&str] = &["inject", CREDENTIAL, "--env-file", file, "--name", "KEY"];
        let run = clp(&home, server, place);
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    for url in [first.url(), second.url(), away.to_owned()] {
        let run = clp_with(&home, &[], &["issuers", "add", &url, &token]);
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let asked = |more: &[&str]| {
        let run = clp_with(&home, &[], &[&["inventory", "--json"], more].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let graph = asked(&[]);
    let of = |kind: &str| {
        let nodes = graph["nodes"].as_array().unwrap().iter();
        nodes
            .filter(|node| node["kind"] == kind)
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(of("credential").len(), 2);
    let known: Vec<(Value, Value)> = of("place")
        .iter()
        .map(|node| (node["issuer"].clone(), node["place"]["known_from"].clone()))
        .collect();
    assert!(known.contains(&(json!(first.url()), json!("issuer"))));
    assert!(known.contains(&(json!(second.url()), json!("here"))));
    let reason = |issuer: &str| {
        let unknown = graph["unknown"].as_array().unwrap().iter();
        let of = unknown.filter(|one| one["issuer"] == issuer && one.get("about").is_none());
        of.map(|one| one["reason"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(reason(&first.url()), [json!("seen_up_to")]);
    assert_eq!(reason(&second.url()), [json!("no_inventory")]);
    assert_eq!(reason(away), [json!("not_asked")]);
    // A credential is looked for wherever it could be; where an issuer is said, there alone.
    let both = asked(&[CREDENTIAL]);
    assert_eq!(
        both["nodes"].as_array().unwrap().len(),
        graph["nodes"].as_array().unwrap().len()
    );
    let url = second.url();
    let alone = [("CLP_ISSUER", url.as_str())];
    let run = clp_with(&home, &alone, &["inventory", CREDENTIAL]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("who uses it is not known"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(&first.url()), "{}", run.stdout);
}

#[test]
fn where_nobody_answers_it_is_no_empty_inventory() {
    let home = tempfile::tempdir().unwrap();
    let token = token_file(&home);
    let add = ["issuers", "add", "http://localhost:9", &token];
    assert_eq!(clp_with(&home, &[], &add).status, 0);
    for arguments in [&["inventory"][..], &["handoff", "--project", "atlas"]] {
        let run = clp_with(&home, &[], arguments);
        assert_eq!((run.status, run.stdout.as_str()), (4, ""), "{}", run.stderr);
    }
    let run = clp_with(&home, &[], &["issuers", "remove", "http://localhost:9"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let run = clp_with(&home, &[], &["inventory"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("clp issuers add"), "{}", run.stderr);
}
