//! The reference issuer and the reference client as programs, and the home of somebody who has
//! an account at every provider.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A program of the workspace, made where it is not there yet: they stand beside each other.
fn program(name: &str) -> PathBuf {
    static BUILT: LazyLock<bool> = LazyLock::new(|| {
        let build = ["build", "--quiet", "--workspace", "--bins"];
        let status = std::process::Command::new(env!("CARGO"))
            .args(build)
            .status();
        status.unwrap().success()
    });
    assert!(*BUILT);
    Path::new(env!("CARGO_BIN_EXE_clp-conformance")).with_file_name(name)
}

/// The providers, and the home of somebody who uses all three.
pub struct Bench {
    _issuer: Child,
    client: PathBuf,
    pub home: TempDir,
    control: String,
    /// By issuer identifier: a sandbox there, as `clp sandbox` describes it.
    pub providers: BTreeMap<String, Value>,
}

impl Bench {
    pub async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut issuer = Command::new(program("clp-issuer"))
            .args(["--port", "0", "--control-token-file"])
            .arg(home.path().join("control-token"))
            .env_remove("CLP_CONTROL_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(issuer.stdout.take().unwrap()).lines();
        let served: Value =
            serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        let mut bench = Self {
            _issuer: issuer,
            client: program("clp"),
            home,
            control: served["control_url"].as_str().unwrap().to_owned(),
            providers: BTreeMap::new(),
        };
        for persona in served["personas"].as_array().unwrap() {
            let url = persona["url"].as_str().unwrap().to_owned();
            let opened = bench.answer(&["--issuer", &url, "sandbox"]).await;
            // The next sandbox takes the place of this one.
            let token = bench
                .home
                .path()
                .join(format!("{}.token", bench.providers.len()));
            std::fs::copy(bench.home.path().join("sandbox/owner.token"), &token).unwrap();
            let token = token.to_str().unwrap();
            bench.answer(&["issuers", "add", &url, token]).await;
            bench.providers.insert(url, opened);
        }
        bench
    }

    /// A command of this somebody.
    pub fn clp(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command
            .args(["--allow-loopback-http", "--allow-test-issuer"])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("CLP_HOME", self.home.path())
            .env("CLP_CONTROL", &self.control)
            .env(
                "CLP_CONTROL_TOKEN_FILE",
                self.home.path().join("control-token"),
            )
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// What a command answers that succeeds.
    pub async fn answer(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.clp(&all).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// All that a command said.
pub fn said(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What the file says now.
pub fn value(file: &Path, variable: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let prefix = format!("{variable}=");
    let line = text.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap().to_owned()
}
