//! The reference client against an issuer at which things go wrong on purpose: whatever gets lost
//! on the way, one command mints one credential.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A program of the workspace, made where it is not there yet: they stand beside each other.
fn program(name: &str) -> PathBuf {
    static BUILT: LazyLock<bool> = LazyLock::new(|| {
        let build = ["build", "--quiet", "--workspace", "--bins"];
        let status = Command::new(env!("CARGO")).args(build).status();
        status.unwrap().success()
    });
    assert!(*BUILT);
    Path::new(env!("CARGO_BIN_EXE_clp-conformance")).with_file_name(name)
}

/// An issuer, and a home of a client with a sandbox there.
struct Bench {
    issuer: Child,
    client: PathBuf,
    home: TempDir,
    url: String,
    control: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.issuer.kill();
        let _ = self.issuer.wait();
    }
}

impl Bench {
    fn start(faults: Option<&Value>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program("clp-issuer"));
        command
            .args(["--port", "0", "--control-token-file"])
            .arg(home.path().join("control-token"))
            .env_remove("CLP_CONTROL_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(script) = faults {
            let file = home.path().join("faults.json");
            std::fs::write(&file, script.to_string()).unwrap();
            command.arg("--faults").arg(file);
        }
        let mut issuer = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(issuer.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let served: Value = serde_json::from_str(&line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bench = Self {
            issuer,
            client: program("clp"),
            home,
            url: text(&served["personas"][0]["url"]),
            control: text(&served["control_url"]),
        };
        bench.done(bench.clp("default", &["sandbox"]));
        bench
    }

    /// A command of a run.
    fn clp(&self, run: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        let home = self.home.path();
        command
            .args(["--json", "--allow-loopback-http", "--allow-test-issuer"])
            .args(arguments)
            .env_clear()
            .env("CLP_HOME", home)
            .env("CLP_ISSUER", &self.url)
            .env("CLP_TEST_RUN", run)
            .env("CLP_CONTROL", &self.control)
            .env("CLP_CONTROL_TOKEN_FILE", home.join("control-token"));
        let token = home.join("sandbox/owner.token");
        if token.exists() {
            command.env("CLP_TOKEN_FILE", token);
        }
        command
    }

    /// What a command answers that succeeds.
    fn done(&self, mut command: Command) -> Value {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn put(&self, script: &Value) {
        let mut command = self.clp("default", &["sandbox", "faults", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(script.to_string().as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    /// Creates a credential for this purpose, in the run of that name.
    fn create(&self, purpose: &str) -> Output {
        let arguments = [
            "create",
            "--timeout",
            "1",
            "--purpose",
            purpose,
            "--owner",
            "data team",
            "--project",
            "atlas",
            "--environment",
            "staging",
            "--allow",
            "record:read:atlas/*",
            "--lifetime",
            "1d",
        ];
        self.clp(purpose, &arguments).output().unwrap()
    }

    /// How many credentials there are for this purpose.
    fn count(&self, purpose: &str) -> usize {
        let listed = self.done(self.clp("counting", &["list"]));
        let items = listed
            .as_array()
            .unwrap_or_else(|| listed["items"].as_array().unwrap());
        items.iter().filter(|one| one["purpose"] == purpose).count()
    }

    /// What the calls of an endpoint met in a run, one step each.
    fn met(&self, run: &str, endpoint: &str) -> Value {
        let state = self.done(self.clp("default", &["sandbox", "faults", "--show"]));
        let rules = state["replay"]["rules"].as_array().unwrap();
        let of = |rule: &&Value| rule["run"] == run && rule["endpoint"] == endpoint;
        rules
            .iter()
            .find(of)
            .map_or(json!([]), |rule| rule["steps"].clone())
    }
}

/// The script in which the calls of one endpoint meet these faults.
fn script(endpoint: &str, steps: &Value) -> Value {
    json!({"rules": [{"endpoint": endpoint, "steps": steps}]})
}

#[test]
fn whatever_gets_lost_one_command_mints_one_credential() {
    let bench = Bench::start(None);
    let busy = json!({"status": 429, "retry_after": 1});
    let cases = [
        ("busy", "credential_create", busy.clone()),
        (
            "unavailable",
            "credential_create",
            json!({"status": 503, "retry_after": 0}),
        ),
        (
            "lost-before",
            "credential_create",
            json!({"drop": "before_commit"}),
        ),
        (
            "lost-after",
            "credential_create",
            json!({"drop": "after_commit"}),
        ),
        ("broken", "credential_create", json!({"truncate_at": 10})),
        ("late", "credential_create", json!({"delay_ms": 3000})),
        (
            "secret-lost",
            "delivery_read",
            json!({"drop": "after_commit"}),
        ),
        ("secret-broken", "delivery_read", json!({"truncate_at": 40})),
        ("no-manifest", "*", json!({"drop": "before_commit"})),
    ];
    for (run, endpoint, fault) in cases {
        bench.put(&script(endpoint, &json!([fault])));
        let begun = Instant::now();
        let output = bench.create(run);
        assert!(output.status.success(), "{run}: {output:?}");
        if fault == busy {
            assert!(
                begun.elapsed() >= Duration::from_secs(1),
                "{run} did not wait"
            );
        }
        assert_eq!(bench.count(run), 1, "{run}");
        if endpoint != "*" {
            assert_eq!(bench.met(run, endpoint), json!([fault, "ok"]), "{run}");
        }
    }
}

#[test]
fn a_call_that_arrives_twice_mints_one_credential() {
    let bench = Bench::start(None);
    bench.put(&script("credential_create", &json!(["duplicate"])));
    let output = bench.create("twice");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(bench.count("twice"), 1);
    assert_eq!(
        bench.met("twice", "credential_create"),
        json!(["duplicate"])
    );
}

#[test]
fn a_command_that_gave_up_is_run_again_and_mints_nothing_twice() {
    let bench = Bench::start(None);
    let times = |fault: Value| json!([{"times": 4, "fault": fault}]);
    for (run, steps, exit) in [
        ("all-lost", times(json!({"drop": "after_commit"})), 4),
        (
            "all-busy",
            times(json!({"status": 429, "retry_after": 0})),
            3,
        ),
        ("gateway", json!([{"status": 502}]), 4),
    ] {
        bench.put(&script("credential_create", &steps));
        let output = bench.create(run);
        assert_eq!(output.status.code(), Some(exit), "{run}: {output:?}");
        let output = bench.create(run);
        assert!(output.status.success(), "{run}: {output:?}");
        assert_eq!(bench.count(run), 1, "{run}");
    }
}

#[test]
fn runs_at_once_meet_the_same_script_each_from_its_beginning() {
    let bench = Bench::start(None);
    let fault = json!({"drop": "after_commit"});
    bench.put(&script("credential_create", &json!([fault])));
    std::thread::scope(|scope| {
        for run in ["one", "other"] {
            let bench = &bench;
            scope.spawn(move || {
                let output = bench.create(run);
                assert!(output.status.success(), "{run}: {output:?}");
            });
        }
    });
    for run in ["one", "other"] {
        assert_eq!(bench.count(run), 1, "{run}");
        assert_eq!(bench.met(run, "credential_create"), json!([fault, "ok"]));
    }
    // And once more, from what happened.
    let replay = bench.done(bench.clp("default", &["sandbox", "faults", "--replay"]));
    bench.put(&replay);
    let state = bench.done(bench.clp("default", &["sandbox", "faults", "--show"]));
    assert_eq!(state["script"], replay);
    let cleared = bench.done(bench.clp("default", &["sandbox", "faults", "--clear"]));
    assert_eq!(cleared["script"], json!({"rules": []}));
}

#[test]
fn a_whole_issuer_lets_discovery_fail_too() {
    let steps = json!([{"truncate_at": 20}, {"status": 503, "retry_after": 0}]);
    let bench = Bench::start(Some(&script("manifest_read", &steps)));
    let output = bench.create("discovery");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(bench.count("discovery"), 1);
}

#[test]
fn what_is_no_script_is_refused_with_what_to_do() {
    let bench = Bench::start(None);
    let file = bench.home.path().join("script.json");
    for (text, exit) in [
        ("{", 2),
        (r#"{"rules": [{"endpoint": "nosuch", "steps": ["ok"]}]}"#, 2),
        (
            r#"{"rules": [{"endpoint": "*", "steps": [{"delay_ms": 99999}]}]}"#,
            3,
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = bench.clp("default", &["sandbox", "faults", file.to_str().unwrap()]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
    }
    let refused = Command::new(&bench.client)
        .args([
            "--allow-loopback-http",
            "--issuer",
            &bench.url,
            "--test-run",
            "a",
            "discover",
        ])
        .env_clear()
        .env("CLP_HOME", bench.home.path())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--allow-test-issuer"));
}
