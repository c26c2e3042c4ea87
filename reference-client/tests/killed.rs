//! A run that dies half-way, between what the issuer knows and what is written down here.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use common::Server;
use common::issuer::{CREATE, CREDENTIAL, Run, clp};
use common::living::{ROTATION, Shared, key_of, living, lock};
use serde_json::json;

struct Scene {
    home: tempfile::TempDir,
    server: Server,
    shared: Shared,
    file: String,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (server, shared) = living();
        let file = home.path().join(".env").to_str().unwrap().to_owned();
        Self {
            home,
            server,
            shared,
            file,
        }
    }

    fn clp(&self, arguments: &[&str]) -> Run {
        clp(&self.home, &self.server, arguments)
    }

    fn inject(&self) -> Run {
        self.clp(&[
            "inject",
            CREDENTIAL,
            "--env-file",
            &self.file,
            "--name",
            "KEY",
        ])
    }

    /// The next request with this in its body is carried out, and the run dies of it.
    fn lose(&self, text: &'static str) {
        lock(&self.shared).lost = Some(text);
    }

    /// Names of the notes that are left in the journal.
    fn notes(&self) -> Vec<String> {
        let found = std::fs::read_dir(self.home.path().join("journal")).unwrap();
        let names = found.map(|found| found.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != ".lock").collect()
    }
}

#[test]
fn a_place_that_was_told_of_is_told_of_once() {
    let scene = Scene::new();
    assert_eq!(scene.clp(CREATE).status, 0);
    scene.lose("updating");
    assert_eq!(scene.inject().status, 4);
    let run = scene.inject();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(lock(&scene.shared).installations.len(), 1);
    assert_eq!(scene.notes(), Vec::<String>::new());
}

#[test]
fn a_rotation_that_dies_after_it_told_of_a_place_can_be_given_up() {
    let scene = Scene::new();
    assert_eq!(scene.clp(CREATE).status, 0);
    assert_eq!(scene.inject().status, 0);
    let health = format!("{}/resource", scene.server.url());
    scene.lose("updating");
    let run = scene.clp(&["rotate", CREDENTIAL, "--health", &health]);
    assert_eq!(run.status, 4, "{}", run.stderr);
    let run = scene.clp(&["rotate", "--rollback", ROTATION]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let held = std::fs::read_to_string(&scene.file).unwrap();
    assert_eq!(held, format!("KEY={}\n", key_of(CREDENTIAL).expose()));
    let memory = lock(&scene.shared);
    let place = memory.installations.values().next().unwrap();
    assert_eq!(place.get("credential_id"), Some(&json!(CREDENTIAL)));
}
