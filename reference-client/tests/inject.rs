//! Bringing a secret to where it is used, and saying so.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use common::issuer::{CREATE, CREDENTIAL, Run, clp};
use common::living::{Shared, key_of, living, living_with, lock};
use common::{Seen, Server};
use serde_json::{Value, json};

fn puts(server: &Server) -> Vec<Seen> {
    let seen = server.seen().into_iter();
    seen.filter(|seen| seen.method == "PUT").collect()
}

fn state(seen: &Seen) -> String {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    body.get("state").unwrap().as_str().unwrap().to_owned()
}

struct Scene {
    home: tempfile::TempDir,
    server: Server,
    shared: Shared,
    file: std::path::PathBuf,
}

impl Scene {
    fn new(profiles: Option<&[&str]>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (server, shared) = profiles.map_or_else(living, living_with);
        let file = home.path().join(".env");
        let scene = Self {
            home,
            server,
            shared,
            file,
        };
        let run = scene.clp(CREATE);
        assert_eq!(run.status, 0, "{}", run.stderr);
        scene
    }

    fn clp(&self, arguments: &[&str]) -> Run {
        clp(&self.home, &self.server, arguments)
    }

    fn inject(&self, more: &[&str]) -> Run {
        let file = self.file.to_str().unwrap();
        self.clp(
            &[
                &["inject", CREDENTIAL, "--env-file", file, "--name", "KEY"],
                more,
            ]
            .concat(),
        )
    }

    fn content(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }
}

#[test]
fn a_place_is_reported_before_it_is_changed_and_after() {
    let scene = Scene::new(None);
    std::fs::write(&scene.file, "A=1\nKEY=old\nB=2").unwrap();
    let run = scene.inject(&[
        "--user-agent",
        "billing/",
        "--depends-on",
        "invoices",
        "--interval",
        "31d",
        "--json",
    ]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let secret = key_of(CREDENTIAL);
    assert_eq!(
        scene.content(),
        format!("A=1\nKEY={}\nB=2", secret.expose())
    );
    assert!(!run.stdout.contains(secret.expose()));
    let puts_seen = puts(&scene.server);
    let states: Vec<String> = puts_seen.iter().map(state).collect();
    assert_eq!(states, ["updating", "installed"]);
    assert_eq!(
        puts_seen.first().unwrap().header("if-none-match"),
        Some("*")
    );
    assert!(puts_seen.last().unwrap().header("if-match").is_some());
    let last: Value = serde_json::from_str(&puts_seen.last().unwrap().body).unwrap();
    assert_eq!(last["match"], json!({"user_agent": "billing/"}));
    assert_eq!(last["depends_on"], json!(["invoices"]));
    assert_eq!(last["use_interval_seconds"], json!(2_678_400));
    // The same place again is the same installation, and what was said of it stays.
    let run = scene.inject(&["--title", "billing"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let memory = lock(&scene.shared);
    assert_eq!(memory.installations.len(), 1);
    let place = memory.installations.values().next().unwrap();
    assert_eq!(place["depends_on"], json!(["invoices"]));
    assert_eq!(place["target"]["name"], json!("billing"));
}

#[test]
fn a_file_that_cannot_take_it_is_left_alone_and_nothing_is_reported() {
    for content in ["KEY=1\nKEY=2\n", "KEY=\"1\n2\"\n"] {
        let scene = Scene::new(None);
        std::fs::write(&scene.file, content).unwrap();
        assert_eq!(scene.inject(&[]).status, 1);
        assert_eq!(scene.content(), content);
        assert!(puts(&scene.server).is_empty());
    }
    let scene = Scene::new(None);
    std::os::unix::fs::symlink(scene.home.path().join("elsewhere"), &scene.file).unwrap();
    assert_eq!(scene.inject(&[]).status, 1);
    assert!(puts(&scene.server).is_empty());
}

#[test]
fn a_refused_report_leaves_the_place_as_it_was() {
    let scene = Scene::new(None);
    assert_eq!(scene.inject(&[]).status, 0);
    let before = scene.content();
    lock(&scene.shared).credentials.clear();
    // Not there any more, neither the credential nor the place below it.
    let run = scene.inject(&[]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert_eq!(scene.content(), before);
}

#[test]
fn without_an_inventory_the_place_is_changed_and_nobody_is_told() {
    let scene = Scene::new(Some(&["lifecycle"]));
    let run = scene.inject(&[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.content().contains(key_of(CREDENTIAL).expose()));
    assert!(puts(&scene.server).is_empty());
}

#[test]
fn a_program_gets_the_secret_in_its_environment_alone() {
    let scene = Scene::new(None);
    let script = r#"printf '%s|%s|%s' "$KEY" "${CLP_TOKEN-none}" "$(tr '\0' ' ' < /proc/$$/cmdline)"; exit 9"#;
    let run = scene.clp(&[
        "run", CREDENTIAL, "--name", "KEY", "--", "/bin/sh", "-c", script, "x", "--all",
    ]);
    assert_eq!(run.status, 9, "{}", run.stderr);
    let parts: Vec<&str> = run.stdout.split('|').collect();
    assert_eq!(parts.first(), Some(&key_of(CREDENTIAL).expose()));
    assert_eq!(parts.get(1), Some(&"none"));
    assert!(!parts.get(2).unwrap().contains(key_of(CREDENTIAL).expose()));
    assert!(run.stdout.contains("--all"));
    let run = scene.clp(&[
        "run",
        "cred_nothingisstoredforthis",
        "--name",
        "KEY",
        "--",
        "/bin/true",
    ]);
    assert_eq!(run.status, 1);
    let run = scene.clp(&["run", CREDENTIAL, "--name", "KEY", "--", "/nowhere/at/all"]);
    assert_eq!(run.status, 1);
}

#[test]
fn a_place_that_is_retired_or_forgotten_is_another_the_next_time() {
    for change in ["--retire", "--forget"] {
        let scene = Scene::new(None);
        assert_eq!(scene.inject(&[]).status, 0);
        let id = lock(&scene.shared)
            .installations
            .keys()
            .next()
            .unwrap()
            .clone();
        let run = scene.clp(&["inventory", CREDENTIAL, change, &id]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(scene.inject(&[]).status, 0);
        let memory = lock(&scene.shared);
        let now: Vec<&String> = memory
            .installations
            .keys()
            .filter(|now| **now != id)
            .collect();
        assert_eq!(now.len(), 1);
        let left = memory
            .installations
            .get(&id)
            .map(|place| place["state"].clone());
        assert_eq!(left, (change == "--retire").then(|| json!("retired")));
    }
}

#[test]
fn an_inventory_names_who_was_declared_and_who_was_not() {
    let scene = Scene::new(None);
    assert_eq!(scene.inject(&["--user-agent", "billing/"]).status, 0);
    let id = lock(&scene.shared)
        .installations
        .keys()
        .next()
        .unwrap()
        .clone();
    let consumer = |agent: &str, ids: Value| {
        json!({"user_agent": agent, "address": "192.0.2.1", "uses": 3, "first_seen_at": "2026-11-24T19:39:13Z",
               "last_seen_at": "2026-11-24T19:39:13Z", "installations": ids})
    };
    lock(&scene.shared).usage = Some(
        json!({"credential_id": CREDENTIAL, "as_of": "2026-11-24T19:39:13Z", "uses": 6,
        "last_used_at": "2026-11-24T19:39:13Z",
        "consumers": [consumer("billing/1", json!([id])), consumer("curl/8\u{1b}[2J", json!([]))]}),
    );
    let run = scene.clp(&["inventory", CREDENTIAL]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let undeclared: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("UNDECLARED"))
        .collect();
    assert_eq!(undeclared.len(), 1);
    assert!(undeclared.first().unwrap().contains("curl/8"));
    assert!(!run.stdout.contains('\u{1b}'));
    let run = scene.clp(&["inventory", "--json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    let nodes = value["nodes"].as_array().unwrap();
    let consumers = nodes.iter().filter_map(|node| node.get("consumer"));
    let undeclared: Vec<&Value> = consumers
        .filter(|consumer| consumer["match"] == "undeclared")
        .collect();
    assert_eq!(undeclared.len(), 1);
    assert_eq!(undeclared[0]["address"], "192.0.2.1");
}

#[test]
fn the_registered_store_is_reported_as_what_fills_a_place() {
    let scene = Scene::new(None);
    let store = |run: &Run| {
        assert_eq!(run.status, 0, "{}", run.stderr);
        let last: Value = serde_json::from_str(&puts(&scene.server).last().unwrap().body).unwrap();
        last.get("store_id").cloned()
    };
    assert_eq!(store(&scene.inject(&[])), None);
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
    assert_eq!(scene.clp(&register).status, 0);
    let registered = Some(json!("sto_0123456789abcdefghij"));
    assert_eq!(store(&scene.inject(&[])), registered);
    let other = "sto_0123456789abcdefghik";
    let named = scene.inject(&["--store-id", other]);
    assert_eq!(store(&named), Some(json!(other)));
}
