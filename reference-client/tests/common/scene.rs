//! A credential of the issuer that remembers, and the file that it is in.

use serde_json::Value;

use super::Server;
use super::issuer::{CREATE, CREDENTIAL, Run, clp};
use super::living::{ROTATION, Shared, key_of, living, living_with, lock};

/// A credential that is in one file.
pub struct Scene {
    pub home: tempfile::TempDir,
    pub server: Server,
    pub shared: Shared,
    pub file: std::path::PathBuf,
    pub health: String,
}

impl Scene {
    pub fn new(profiles: Option<&[&str]>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (server, shared) = profiles.map_or_else(living, living_with);
        let file = home.path().join(".env");
        let health = format!("{}/resource", server.url());
        let scene = Self {
            home,
            server,
            shared,
            file,
            health,
        };
        assert_eq!(scene.clp(CREATE).status, 0);
        let path = scene.file.to_str().unwrap();
        let run = scene.clp(&[
            "inject",
            CREDENTIAL,
            "--env-file",
            path,
            "--name",
            "KEY",
            "--user-agent",
            "billing/",
        ]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        scene
    }

    /// The same before it is in any place.
    pub fn bare(profiles: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (server, shared) = living_with(profiles);
        let scene = Self {
            file: home.path().join(".env"),
            health: format!("{}/resource", server.url()),
            home,
            server,
            shared,
        };
        assert_eq!(scene.clp(CREATE).status, 0);
        scene
    }

    /// How many rotations were opened.
    pub fn opened(&self) -> usize {
        let path = format!("/credentials/{CREDENTIAL}/rotations");
        self.server.count("POST", &path)
    }

    pub fn clp(&self, arguments: &[&str]) -> Run {
        clp(&self.home, &self.server, arguments)
    }

    pub fn rotate(&self, more: &[&str]) -> Run {
        self.clp(&[&["rotate", CREDENTIAL], more].concat())
    }

    pub fn resume(&self, more: &[&str]) -> Run {
        self.clp(&[&["rotate", "--resume", ROTATION], more].concat())
    }

    pub fn holds(&self, id: &str) -> bool {
        let content = std::fs::read_to_string(&self.file).unwrap();
        content == format!("KEY={}\n", key_of(id).expose())
    }

    pub fn advances(&self) -> usize {
        self.server.count(
            "POST",
            &format!("/credentials/rotations/{ROTATION}/advance"),
        )
    }

    pub fn revocations(&self) -> usize {
        self.server
            .count("POST", &format!("/credentials/{CREDENTIAL}/revoke"))
    }

    pub fn place(&self) -> Value {
        lock(&self.shared)
            .installations
            .values()
            .next()
            .unwrap()
            .clone()
    }
}
