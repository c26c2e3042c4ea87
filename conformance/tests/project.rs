//! A whole project, spread over three providers, is rotated while somebody uses it: nothing
//! fails, though the run is killed half-way and gone on with.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Credentials at each of the three providers.
const EACH: usize = 4;
/// What each user waits between two calls.
const PAUSE: Duration = Duration::from_millis(10);

/// A program of the workspace, made where it is not there yet: they stand beside each other.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_clp-conformance")).with_file_name(name);
    let build = ["build", "--quiet", "--workspace", "--bins"];
    let status = std::process::Command::new(env!("CARGO"))
        .args(build)
        .status();
    assert!(status.unwrap().success());
    path
}

/// The providers, and the home of somebody who uses all three.
struct Bench {
    _issuer: Child,
    client: PathBuf,
    home: TempDir,
    control: String,
    /// By issuer identifier: a sandbox there, as `clp sandbox` describes it.
    providers: BTreeMap<String, Value>,
}

/// One credential in use.
struct Used {
    issuer: String,
    id: String,
    variable: String,
    file: PathBuf,
    /// The first key, which is refused in the end.
    key: String,
    url: String,
}

impl Bench {
    async fn start() -> Self {
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

    fn clp(&self, arguments: &[&str]) -> Command {
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

    async fn answer(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.clp(&all).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Four credentials at each provider, all of a provider in one file. What the second of one
    /// provider keeps going is where the first of the next one is used.
    async fn credentials(&self) -> Vec<Used> {
        let mut all = Vec::new();
        for (at, (issuer, sandbox)) in self.providers.iter().enumerate() {
            let probe = &sandbox["probe"];
            let text = |name: &str| probe[name].as_str().unwrap().to_owned();
            let permissions = self.home.path().join(format!("{at}.json"));
            std::fs::write(&permissions, probe["read_permissions"].to_string()).unwrap();
            let file = self.home.path().join(format!("{at}.env"));
            let url = format!("{issuer}{}", probe["read"]["path"].as_str().unwrap());
            for number in 0..EACH {
                let made = self
                    .answer(&[
                        "--issuer",
                        issuer,
                        "create",
                        "--purpose",
                        &format!("service {at}-{number}"),
                        "--owner",
                        "data team",
                        "--project",
                        &text("project"),
                        "--environment",
                        &text("environment"),
                        "--permissions",
                        permissions.to_str().unwrap(),
                        "--lifetime",
                        "1d",
                        "--max-overlap",
                        "1h",
                    ])
                    .await;
                let id = made["id"].as_str().unwrap().to_owned();
                let variable = format!("KEY_{number}");
                let mut words = vec![
                    "--issuer".to_owned(),
                    issuer.clone(),
                    "inject".to_owned(),
                    id.clone(),
                    format!("--env-file={}", file.display()),
                    format!("--name={variable}"),
                    format!("--title=service-{at}-{number}"),
                    format!("--user-agent=user-{at}-{number}/"),
                    format!("--health={url}"),
                ];
                if number == 1 {
                    words.push(format!("--depends-on=service-{}-0", at + 1));
                }
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.answer(&words).await;
                all.push(Used {
                    issuer: issuer.clone(),
                    id,
                    key: value(&file, &variable),
                    variable,
                    file: file.clone(),
                    url: url.clone(),
                });
            }
        }
        all
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What the file says now.
fn value(file: &Path, variable: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let prefix = format!("{variable}=");
    let line = text.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap().to_owned()
}

/// What happened to those who used the credentials all the while.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    failures: Mutex<Vec<String>>,
    over: AtomicBool,
}

/// Reads the file anew and calls, until it is over.
async fn uses(used: Arc<Used>, agent: String, http: reqwest::Client, seen: Arc<Seen>) {
    while !seen.over.load(Ordering::Relaxed) {
        let key = value(&used.file, &used.variable);
        let call = http
            .get(&used.url)
            .bearer_auth(&key)
            .header("User-Agent", &agent);
        let came = call.send().await;
        seen.requests.fetch_add(1, Ordering::Relaxed);
        match came {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => {
                let what = format!("{agent}: {}", answer.status());
                seen.failures.lock().unwrap().push(what);
            }
            Err(fault) => seen
                .failures
                .lock()
                .unwrap()
                .push(format!("{agent}: {fault}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

const ROTATE: &[&str] = &[
    "rotate",
    "--project",
    "atlas",
    "--quiet",
    "2s",
    "--wait",
    "90s",
    "--i-have-moved-everything",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_rotated_over_three_providers_and_nobody_notices() {
    let bench = Bench::start().await;
    let used: Vec<Arc<Used>> = bench
        .credentials()
        .await
        .into_iter()
        .map(Arc::new)
        .collect();
    assert_eq!((bench.providers.len(), used.len()), (3, 12));
    let seen = Arc::new(Seen::default());
    let http = reqwest::Client::new();
    let users: Vec<_> = used
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let agent = format!("user-{}-{}/1.0", index / EACH, index % EACH);
            tokio::spawn(uses(
                Arc::clone(one),
                agent,
                http.clone(),
                Arc::clone(&seen),
            ))
        })
        .collect();

    // It is said in advance, and nothing is changed by saying it.
    let would = bench.answer(&[ROTATE, &["--dry-run"]].concat()).await;
    assert_eq!(would["items"].as_array().unwrap().len(), 12, "{would:#}");
    assert!(
        used.iter()
            .all(|one| value(&one.file, &one.variable) == one.key)
    );

    // The first run is killed when some are done, and others are on their way.
    let mut first = bench.clp(ROTATE).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    let mut before = Vec::new();
    let mut done = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        done += usize::from(line.ends_with(": done"));
        before.push(line);
        if done == 3 {
            break;
        }
    }
    assert_eq!(done, 3, "{}", before.join("\n"));
    first.kill().await.unwrap();
    let killed_at = seen.requests.load(Ordering::Relaxed);

    let second = bench.clp(ROTATE).output().await.unwrap();
    seen.over.store(true, Ordering::Relaxed);
    for user in users {
        user.await.unwrap();
    }
    let told = said(&second);
    assert!(second.status.success(), "{}\n{told}", before.join("\n"));
    assert!(told.contains("going on with the run of"), "{told}");

    let failures = seen.failures.lock().unwrap().clone();
    let requests = seen.requests.load(Ordering::Relaxed);
    eprintln!(
        "{} credentials over {} providers: {requests} requests ({killed_at} before the kill), {} failures",
        used.len(),
        bench.providers.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{failures:#?}\n{told}");
    assert!(requests > 500, "{requests}");

    // Each was replaced once, whichever run did it, and the old keys open nothing.
    for one in &used {
        assert_ne!(value(&one.file, &one.variable), one.key);
        let old = http
            .get(&one.url)
            .bearer_auth(&one.key)
            .send()
            .await
            .unwrap();
        assert_eq!(old.status().as_u16(), 401, "{}", one.id);
        let shown = bench
            .answer(&["--issuer", &one.issuer, "show", &one.id])
            .await;
        assert_eq!(shown["state"], "revoked", "{shown:#}");
    }
    for issuer in bench.providers.keys() {
        let listed = bench.answer(&["--issuer", issuer, "list"]).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2 * EACH);
    }
    // What others depend on came first.
    let all = [before.join("\n"), told].concat();
    for at in 0..2 {
        let begun = |name: &str| {
            let of =
                |line: &&str| line.contains(&format!("({name})")) && line.contains(" opened: ");
            all.lines().position(|line| of(&line))
        };
        let first = begun(&format!("service {at}-1"));
        let later = begun(&format!("service {}-0", at + 1));
        assert!(
            first.is_some() && first < later,
            "{first:?} {later:?}\n{all}"
        );
    }
}
