//! A credential that may do more than it is used for, and what takes its place.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use common::Server;
use common::issuer::{CREATE, CREDENTIAL, Run, SUCCESSOR, clp, permissions};
use common::living::{Shared, key_of, living, lock};
use serde_json::{Value, json};

fn set(action: &str, selector: &str) -> Value {
    json!([{"resource_type": "event", "selector": selector, "actions": [action]}])
}

/// A credential that may write, sits in one file, and has only read `atlas/a`.
struct Scene {
    home: tempfile::TempDir,
    server: Server,
    shared: Shared,
    health: String,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (server, shared) = living();
        let health = format!("{}/resource", server.url());
        let scene = Self {
            home,
            server,
            shared,
            health,
        };
        assert_eq!(scene.clp(CREATE).status, 0);
        let file = scene.home.path().join(".env");
        let run = scene.clp(&[
            "inject",
            CREDENTIAL,
            "--env-file",
            file.to_str().unwrap(),
            "--name",
            "KEY",
        ]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        let mut memory = lock(&scene.shared);
        memory.credentials.get_mut(CREDENTIAL).unwrap()["permissions"] = set("write", "atlas/*");
        memory.analysis = Some(analysis(&set("read", "atlas/a")));
        drop(memory);
        scene
    }

    fn clp(&self, arguments: &[&str]) -> Run {
        clp(&self.home, &self.server, arguments)
    }

    fn replace(&self, more: &[&str]) -> Run {
        let arguments = ["scope", CREDENTIAL, "--replace", "--health", &self.health];
        self.clp(&[&arguments, more].concat())
    }

    fn rotations(&self) -> usize {
        self.server
            .count("POST", &format!("/credentials/{CREDENTIAL}/rotations"))
    }
}

fn analysis(recommended: &Value) -> Value {
    let access = json!({"resource_type": "event", "path": "atlas/a", "action": "read"});
    json!({
        "credential_id": CREDENTIAL, "since": "2026-11-24T19:39:13Z", "as_of": "2026-11-25T19:39:13Z",
        "atoms": [{"statement": set("read", "atlas/*")[0], "used": true, "last_used_at": "2026-11-25T19:00:00Z"},
                  {"statement": set("write", "atlas/*")[0], "used": false}],
        "recorded": [{"access": access, "uses": 12, "last_used_at": "2026-11-25T19:00:00Z"}],
        "complete": true, "uses": 12, "confidence": "medium",
        "recommended": recommended, "would_refuse": [],
    })
}

#[test]
fn it_is_told_what_is_too_much_and_nothing_is_done_unasked() {
    let scene = Scene::new();
    let run = scene.clp(&["scope", CREDENTIAL]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for told in [
        "may, with risk high:",
        "Write events of \"atlas/*\"",
        "a narrower one may, with risk low:\n  - Read events of \"atlas/a\"",
        "none of the calls on record would have been refused",
        "confidence: medium",
        "it was used for: read event on atlas/*\nit was never used for: write event on atlas/*",
        "next: run `clp scope ",
    ] {
        assert!(run.stdout.contains(told), "no `{told}` in {}", run.stdout);
    }
    let run = scene.clp(&["scope", CREDENTIAL, "--json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["narrower"], set("read", "atlas/a"));
    assert_eq!(report["would_refuse"], json!([]));
    assert_eq!(scene.rotations(), 0);
}

#[test]
fn the_narrower_one_is_made_brought_there_and_seen_to_work_before_the_old_one_goes() {
    let scene = Scene::new();
    let run = scene.replace(&[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let memory = lock(&scene.shared);
    assert_eq!(memory.credentials[CREDENTIAL]["state"], "revoked");
    assert_eq!(
        memory.credentials[SUCCESSOR]["permissions"],
        set("read", "atlas/a")
    );
    let place = memory.installations.values().next().unwrap();
    assert_eq!(place["credential_id"], SUCCESSOR);
    assert_eq!(place["health"]["credential"], "accepted");
    drop(memory);
    let content = std::fs::read_to_string(scene.home.path().join(".env")).unwrap();
    assert_eq!(content, format!("KEY={}\n", key_of(SUCCESSOR).expose()));
    assert!(run.stderr.contains("a narrower one may"), "{}", run.stderr);
}

#[test]
fn a_place_that_does_not_work_keeps_the_old_one() {
    let scene = Scene::new();
    lock(&scene.shared).works = false;
    let run = scene.replace(&[]);
    assert_ne!(run.status, 0, "{}", run.stdout);
    assert_ne!(
        lock(&scene.shared).credentials[CREDENTIAL]["state"],
        "revoked"
    );
}

#[test]
fn what_was_begun_is_gone_on_with() {
    let scene = Scene::new();
    {
        let mut memory = lock(&scene.shared);
        memory.safe = false;
    }
    let run = scene.replace(&[]);
    assert_ne!(run.status, 0, "{}", run.stdout);
    {
        let mut memory = lock(&scene.shared);
        memory.safe = true;
        // By now another set would be recommended.
        memory.analysis = Some(analysis(&set("read", "atlas/*")));
    }
    let run = scene.replace(&[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(scene.rotations(), 1);
    let memory = lock(&scene.shared);
    assert_eq!(memory.credentials[CREDENTIAL]["state"], "revoked");
    assert_eq!(
        memory.credentials[SUCCESSOR]["permissions"],
        set("read", "atlas/a")
    );
}

#[test]
fn a_recommendation_is_not_taken_on_trust() {
    for unsound in [
        set("write", "*"),
        set("write", "atlas/*"),
        set("read", "atlas/b"),
        set("fly", "atlas/a"),
    ] {
        let scene = Scene::new();
        lock(&scene.shared).analysis = Some(analysis(&unsound));
        let run = scene.replace(&[]);
        assert_eq!((run.status, scene.rotations()), (5, 0), "{unsound}");
    }
}

#[test]
fn a_set_of_ones_own_is_replayed_against_what_was_done() {
    let scene = Scene::new();
    let own = |selector: &str, more: &[&str]| {
        let allow = format!("event:read:{selector}");
        scene.clp(&[&["scope", CREDENTIAL, "--allow", &allow], more].concat())
    };
    let run = own("atlas/b", &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let told = "it would have refused: read on event atlas/a";
    assert!(run.stdout.contains(told), "{}", run.stdout);
    let run = own("atlas/b", &["--replace"]);
    assert_eq!((run.status, scene.rotations()), (6, 0), "{}", run.stderr);
    let run = own("*", &["--replace"]);
    assert_eq!((run.status, scene.rotations()), (6, 0), "{}", run.stderr);
    let run = own("atlas/*", &["--replace", "--health", &scene.health]);
    assert_eq!((run.status, scene.rotations()), (0, 1), "{}", run.stderr);
    assert_eq!(
        lock(&scene.shared).credentials[SUCCESSOR]["permissions"],
        set("read", "atlas/*")
    );
}

#[test]
fn two_sets_are_compared_without_an_issuer() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, value: &Value| {
        let path = home.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let document = file("document.json", &permissions());
    let read = file("read.json", &set("read", "atlas/a"));
    let write = file("write.json", &set("write", "atlas/*"));
    let other = file("other.json", &set("read", "boreas/*"));
    let compare = |first: &str, second: &str| {
        let arguments = ["scope", "compare", first, second, "--document", &document];
        common::issuer::clp_with(&home, &[], &arguments)
    };
    let run = compare(&read, &write);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("narrower:"), "{}", run.stdout);
    assert!(compare(&read, &read).stdout.starts_with("equal:"));
    let run = compare(&write, &read);
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(
        run.stderr.contains("the first is broader"),
        "{}",
        run.stderr
    );
    let run = compare(&write, &other);
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(run.stderr.contains("not shown to stay"), "{}", run.stderr);
}
