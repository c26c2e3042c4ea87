//! The reference client as a subject: the one place where the suite touches it. A task is read
//! from standard input, and done by the command `clp`, which is this program once more: a
//! process of its own, with real arguments.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output, Stdio};

use clp_client::sabotage::{self, Sabotage};
use serde_json::{Value, json};

use crate::client::task::{DONE, REFUSED, TOKEN_VARIABLE, UNSUPPORTED};

/// Longest task that is read, in bytes.
const MAX_TASK: u64 = 256 * 1024;
/// The command that stands for a task, below the home directory.
const HOME: &str = ".clp";

/// A way to break one requirement.
pub use clp_client::sabotage::Saboteur;

/// Every one that the reference client has.
pub fn saboteurs() -> impl Iterator<Item = &'static Saboteur> {
    sabotage::all()
}

/// What went wrong here, and not in the client.
struct Fault(String);

impl<E: std::fmt::Display> From<E> for Fault {
    fn from(fault: E) -> Self {
        Self(fault.to_string())
    }
}

/// Does the task on standard input, or is `clp` itself where `words` are given.
#[must_use]
pub fn main(violate: Option<&str>, words: Option<&[OsString]>) -> ExitCode {
    let sabotage = match violate.map(|name| (name, Sabotage::by_name(name))) {
        None => Sabotage::default(),
        Some((_, Some(sabotage))) => sabotage,
        Some((name, None)) => return give_up(&format!("no saboteur is called `{name}`")),
    };
    if let Some(words) = words {
        let clp = std::iter::once(OsString::from("clp")).chain(words.iter().cloned());
        return clp_client::cli::run_broken(clp, sabotage);
    }
    match Adapter::read(violate).and_then(|adapter| adapter.task()) {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(Fault(words)) => give_up(&words),
    }
}

fn give_up(words: &str) -> ExitCode {
    // Nobody is left to tell if standard error is gone.
    let _ = writeln!(std::io::stderr(), "subject-client: {words}");
    ExitCode::FAILURE
}

struct Adapter {
    task: Value,
    violate: Option<String>,
    home: PathBuf,
}

/// What `clp` made of its arguments.
struct Came {
    code: i32,
    json: Value,
    text: String,
    error: Value,
}

impl Adapter {
    fn read(violate: Option<&str>) -> Result<Self, Fault> {
        let mut text = String::new();
        std::io::stdin().take(MAX_TASK).read_to_string(&mut text)?;
        let home = std::env::var_os("HOME").ok_or(Fault("there is no HOME".to_owned()))?;
        Ok(Self {
            task: serde_json::from_str(&text)?,
            violate: violate.map(str::to_owned),
            home: PathBuf::from(home),
        })
    }

    fn text(&self, member: &str) -> Result<&str, Fault> {
        let found = self.task.pointer(&format!("/input/{member}"));
        found
            .and_then(Value::as_str)
            .ok_or_else(|| Fault(format!("the task has no `{member}`")))
    }

    fn flag(&self, member: &str) -> bool {
        self.task.get(member) == Some(&Value::Bool(true))
    }

    /// Writes a part of the input to a file, for an argument that takes one.
    fn file(&self, member: &str) -> Result<String, Fault> {
        let value = self.task.pointer(&format!("/input/{member}"));
        let value = value.ok_or_else(|| Fault(format!("the task has no `{member}`")))?;
        let path = self.home.join(format!("{member}.json"));
        std::fs::write(&path, value.to_string())?;
        Ok(path.display().to_string())
    }

    /// Runs `clp`, and passes on to standard error whatever it prints.
    fn clp(&self, words: &[&str]) -> Result<Came, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("subject-client");
        if let Some(name) = &self.violate {
            command.args(["--violate", name]);
        }
        command.args(["--clp", "--timeout", "5"]);
        if self.flag("local") {
            command.arg("--allow-loopback-http");
        }
        if self.flag("test") {
            command.arg("--allow-test-issuer");
        }
        command.args(words);
        let token = std::env::var(TOKEN_VARIABLE).unwrap_or_default();
        if self.violate.as_deref() == Some("CLP-SEC-007") {
            command.args(["--token-on-command-line", &token]);
        } else {
            command.env("CLP_TOKEN", &token);
        }
        let issuer = self.task.get("issuer").and_then(Value::as_str);
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .env_remove(TOKEN_VARIABLE)
            .env("CLP_HOME", self.home.join(HOME))
            .env("CLP_ISSUER", issuer.unwrap_or_default())
            .stdin(Stdio::null())
            .output()?;
        let mut all = std::io::stderr().lock();
        all.write_all(&stdout)?;
        all.write_all(&stderr)?;
        Ok(Came {
            code: status.code().unwrap_or(1),
            json: serde_json::from_slice(&stdout).unwrap_or_default(),
            text: String::from_utf8_lossy(&stdout).into_owned(),
            error: serde_json::from_slice(&stderr).unwrap_or_default(),
        })
    }

    fn task(&self) -> Result<i32, Fault> {
        let name = self.task.get("task").and_then(Value::as_str);
        match name.unwrap_or_default() {
            "discover" => self.simple(&["discover"], |_| json!({})),
            "permissions" => self.permissions(),
            "create" => self.create(),
            "request" => self.request(),
            "show" => self.shown(),
            "passkey" => self.passkey(),
            "approve" => self.approve(),
            "call" => self.simple_plain(&[
                "call",
                self.text("credential_id")?,
                self.text("method")?,
                self.text("url")?,
            ]),
            "amend" => self.amend(),
            "inject" => self.simple(
                &[
                    "inject",
                    self.text("credential_id")?,
                    "--env-file",
                    self.text("file")?,
                    "--name",
                    self.text("variable")?,
                ],
                |_| json!({}),
            ),
            "run" => self.program(),
            "inventory" => self.simple(&["inventory", self.text("credential_id")?], inventory),
            "handoff" => self.simple(&["handoff", "--project", self.text("project")?], |_| {
                json!({})
            }),
            "rotate" => self.rotate(&["rotate", self.text("credential_id")?]),
            "due" => self.due(),
            "narrow" => self.rotate(&["scope", self.text("credential_id")?, "--replace"]),
            "compare" => self.compare(),
            "checkpoint" => self.simple(
                &["audit", "--checkpoint"],
                |came| json!({"tree_size": came.json.get("tree_size")}),
            ),
            "verify" => self.verify(),
            "verify_approval" => self.verify_approval(),
            "verify_statement" => self.verify_statement(),
            _ => Ok(UNSUPPORTED),
        }
    }

    /// Runs a command that answers JSON, and makes the result of it.
    fn simple(&self, words: &[&str], result: impl Fn(&Came) -> Value) -> Result<i32, Fault> {
        let mut all = words.to_vec();
        all.push("--json");
        let came = self.clp(&all)?;
        match came.code {
            0 => answer(&result(&came)),
            code => Ok(ended(code)),
        }
    }

    /// Runs a command whose output is none of ours.
    fn simple_plain(&self, words: &[&str]) -> Result<i32, Fault> {
        match self.clp(words)?.code {
            0 => answer(&json!({})),
            code => Ok(ended(code)),
        }
    }

    fn permissions(&self) -> Result<i32, Fault> {
        let digest = self.task.pointer("/input/digest").and_then(Value::as_str);
        let mut words = vec!["scope"];
        if let Some(digest) = digest {
            words.extend(["--digest", digest]);
        }
        self.simple(&words, |came| json!({"version": came.json.get("version")}))
    }

    fn about(&self) -> Result<Vec<String>, Fault> {
        let mut words = vec!["--permissions".to_owned(), self.file("permissions")?];
        for member in ["purpose", "owner", "project", "environment"] {
            words.push(format!("--{member}"));
            words.push(self.text(member)?.to_owned());
        }
        let seconds = self.task.pointer("/input/lifetime_seconds");
        words.push("--lifetime".to_owned());
        words.push(format!(
            "{}s",
            seconds.and_then(Value::as_u64).unwrap_or(3600)
        ));
        Ok(words)
    }

    fn create(&self) -> Result<i32, Fault> {
        let about = self.about()?;
        let mut words = vec!["create"];
        words.extend(about.iter().map(String::as_str));
        self.simple(&words, |came| {
            json!({"credential_id": came.json.get("id"),
                   "permission_schema_digest": came.json.get("permission_schema_digest")})
        })
    }

    fn request(&self) -> Result<i32, Fault> {
        let about = self.about()?;
        let wait = self.task.pointer("/input/wait_seconds");
        let wait = format!(
            "--wait={}s",
            wait.and_then(Value::as_u64).unwrap_or(0).max(1)
        );
        let mut words = vec!["request", "--json"];
        words.extend(about.iter().map(String::as_str));
        words.extend(["--subject", "agent:conformance", "--justification"]);
        words.push(self.text("justification")?);
        if self.task.pointer("/input/wait_seconds") != Some(&json!(0)) {
            words.push(&wait);
        }
        let came = self.clp(&words)?;
        match came.code {
            0 => {
                answer(&json!({"request_id": came.json.get("id"), "state": came.json.get("state")}))
            }
            // It waited, and nobody has decided.
            7 => answer(&json!({"request_id": came.error.pointer("/request/id"),
                                "state": "pending_approval"})),
            code => Ok(ended(code)),
        }
    }

    /// What a person is shown: without `--json`.
    fn shown(&self) -> Result<i32, Fault> {
        let came = self.clp(&["show", self.text("request_id")?])?;
        match came.code {
            0 => answer(&json!({"text": came.text})),
            code => Ok(ended(code)),
        }
    }

    fn passkey(&self) -> Result<i32, Fault> {
        self.simple(&["passkey", "new"], |came| {
            json!({"credential_id": came.json.get("credential_id"),
                   "public_key": came.json.get("public_key")})
        })
    }

    fn approve(&self) -> Result<i32, Fault> {
        let id = self.text("request_id")?;
        let shown = self.clp(&["show", id, "--json"])?;
        let digest = shown.json.get("digest").and_then(Value::as_str);
        let file = match self.task.pointer("/input/permissions") {
            Some(_) => Some(self.file("permissions")?),
            None => None,
        };
        match (shown.code, digest) {
            (0, Some(digest)) => {
                let mut words = vec!["approve", id, "--digest", digest];
                if let Some(file) = &file {
                    words.extend(["--narrow", file]);
                }
                self.simple(&words, |_| json!({}))
            }
            (code, _) => Ok(ended(code)),
        }
    }

    fn amend(&self) -> Result<i32, Fault> {
        let labels = self
            .task
            .pointer("/input/labels")
            .and_then(Value::as_object);
        let mut words = vec!["amend".to_owned(), self.text("credential_id")?.to_owned()];
        for (name, value) in labels.into_iter().flatten() {
            words.push("--label".to_owned());
            words.push(format!("{name}={}", value.as_str().unwrap_or_default()));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.simple(&words, |_| json!({}))
    }

    fn program(&self) -> Result<i32, Fault> {
        let command = self
            .task
            .pointer("/input/command")
            .and_then(Value::as_array);
        let mut words = vec!["run", self.text("credential_id")?, "--name"];
        words.extend([self.text("variable")?, "--"]);
        words.extend(command.into_iter().flatten().filter_map(Value::as_str));
        self.simple_plain(&words)
    }

    fn rotate(&self, words: &[&str]) -> Result<i32, Fault> {
        let mut words = words.to_vec();
        words.extend(["--health", self.text("health_url")?, "--json"]);
        let told =
            |member: &str| self.task.pointer(&format!("/input/{member}")) == Some(&json!(true));
        if told("no_places") {
            words.push("--no-places");
        }
        if told("accept_gap") {
            words.push("--accept-gap");
        }
        let came = self.clp(&words)?;
        let rotation = |value: &Value| {
            let of = |path: &str| value.pointer(path).cloned();
            json!({"rotation_id": of("/rotation/id"), "successor_id": of("/rotation/successor")})
        };
        match came.code {
            0 => answer(&rotation(&came.json)),
            // Every step was taken, and the issuer wants more time to pass.
            7 if came.error.pointer("/rotation/id").is_some() => answer(&rotation(&came.error)),
            code => Ok(ended(code)),
        }
    }

    fn due(&self) -> Result<i32, Fault> {
        let seconds = self.task.pointer("/input/within_seconds");
        let within = format!("{}s", seconds.and_then(Value::as_u64).unwrap_or(0));
        let came = self.clp(&["due", "--within", &within, "--json"])?;
        match came.code {
            0 | 8 => {
                let items = came.json.get("items").and_then(Value::as_array);
                let ids: Vec<&Value> = items
                    .into_iter()
                    .flatten()
                    .filter_map(|item| item.get("credential_id"))
                    .collect();
                answer(&json!({"due": ids}))
            }
            code => Ok(ended(code)),
        }
    }

    fn compare(&self) -> Result<i32, Fault> {
        let file = self.file("permissions")?;
        let id = self.text("credential_id")?;
        let came = self.clp(&[
            "scope",
            "--of",
            id,
            "--check",
            "--permissions",
            &file,
            "--json",
        ])?;
        let said = came
            .error
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let verdict = match came.code {
            0 => came.json.get("verdict").cloned().unwrap_or_default(),
            6 if said.starts_with("broader") => json!("broader"),
            6 => json!("incomparable"),
            code => return Ok(ended(code)),
        };
        answer(&json!({"verdict": verdict}))
    }

    fn verify_approval(&self) -> Result<i32, Fault> {
        let words = ["verify", "approval", self.text("file")?];
        self.simple(&words, |came| {
            let of = |member: &str| came.json.get(member).cloned().unwrap_or_default();
            json!({"decision": of("decision"), "method": of("method"),
                   "vouched_by_issuer": of("vouched_by_issuer")})
        })
    }

    fn verify_statement(&self) -> Result<i32, Fault> {
        let file = self.text("file")?;
        let keys = self.task.pointer("/input/keys").cloned();
        let keys_file = format!("{file}.keys");
        std::fs::write(&keys_file, json!({"keys": keys}).to_string())?;
        let words = [
            "verify",
            "statement",
            file,
            "--jwks",
            &keys_file,
            "--at",
            self.text("at")?,
        ];
        self.simple(&words, |came| {
            let of = |member: &str| came.json.get(member).cloned().unwrap_or_default();
            json!({"safe": of("safe"), "unknowns": of("unknowns")})
        })
    }

    fn verify(&self) -> Result<i32, Fault> {
        let key = self
            .task
            .pointer("/input/public_key")
            .and_then(Value::as_str);
        let mut words = vec!["verify", "audit", self.text("file")?];
        match key {
            Some(key) => words.extend(["--key", key]),
            None => words.push("--unauthenticated"),
        }
        self.simple(&words, |came| {
            let of = |member: &str| came.json.get(member).cloned().unwrap_or_default();
            let authenticated = came.json.get("verdict") == Some(&json!("authenticated"));
            json!({"authenticated": authenticated, "redacted": of("redacted"),
                   "vouched_by_issuer": of("vouched_by_issuer")})
        })
    }
}

/// What the suite asks of a usage graph.
fn inventory(came: &Came) -> Value {
    let all = |member: &str| came.json.get(member).and_then(Value::as_array);
    let consumers = all("nodes")
        .into_iter()
        .flatten()
        .filter_map(|node| node.get("consumer"));
    let undeclared = consumers.filter(|one| one.get("match") == Some(&json!("undeclared")));
    let reasons = all("unknown")
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("reason"));
    json!({"undeclared": undeclared.collect::<Vec<_>>(), "unknown": reasons.collect::<Vec<_>>()})
}

fn answer(result: &Value) -> Result<i32, Fault> {
    let mut result = result.clone();
    if let Some(members) = result.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    std::io::stdout().write_all(result.to_string().as_bytes())?;
    Ok(DONE)
}

/// What an exit status of `clp` means for a task: refused by the issuer, by the settings, or
/// by a check; or failed.
fn ended(code: i32) -> i32 {
    match code {
        2 | 3 | 5 | 6 | 7 => REFUSED,
        _ => 1,
    }
}
