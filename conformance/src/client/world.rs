//! One scenario's world: an issuer of its own, a home directory for the client, and the tasks
//! that it was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::played::{Exchanged, RESOURCE, Wire};
use super::task::{self, Ending, Launch, Seen};
use super::usual;
use crate::config::Control;
use crate::oracle::canary::Channel;
use crate::record::{Exchange, Failure};
use crate::run::ledger::Ledger;
use crate::subject::reference::Embedded;
use crate::world::Fault;
use crate::world::names::Names;
use crate::world::watch::Watch;
use crate::world::wire;
use crate::writer::{Trace, Traced};

/// How clients are started, and how long a task may take.
#[derive(Clone, Debug)]
pub struct Starter {
    /// How it is started.
    pub launch: Launch,
    /// How long one task may take.
    pub limit: Duration,
}

/// What a scenario takes place in.
#[derive(Debug)]
struct Setting {
    starter: Arc<Starter>,
    wire: Arc<Wire>,
    home: TempDir,
    http: reqwest::Client,
    control: Control,
    tenant: String,
    owner: String,
    approver: String,
    _embedded: Embedded,
}

/// A task as it was given.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its name.
    pub task: String,
    /// What the scenario says of it, by member.
    pub members: Vec<(String, String)>,
    /// How much was exchanged before it.
    pub mark: usize,
    /// How much the other origin had seen before it.
    pub elsewhere: usize,
}

/// The state of one scenario.
#[derive(Debug, Default, cucumber::World)]
pub struct ClientWorld {
    failure: Option<Failure>,
    unfit: Option<String>,
    pub(super) exchanges: Vec<Exchange>,
    setting: Option<Setting>,
    /// What the scenario can refer to.
    pub names: Names,
    /// The last task.
    pub asked: Option<Asked>,
    /// The last task that a scenario is about.
    pub repeats: Option<Asked>,
    /// What was seen of it.
    pub seen: Option<Seen>,
    pub(super) watch: Watch,
    /// Where what broke in passing is entered.
    pub ledger: Option<Arc<Ledger>>,
    /// The name of the scenario.
    pub(super) scenario: String,
    secrets: Vec<String>,
}

impl Traced for ClientWorld {
    fn open(&mut self, name: &str, _: &[String]) {
        name.clone_into(&mut self.scenario);
    }

    fn trace(&mut self) -> Trace {
        Trace {
            exchanges: std::mem::take(&mut self.exchanges),
            failure: self.failure.take(),
            unfit: self.unfit.take(),
        }
    }

    fn watch(&self) -> &Watch {
        &self.watch
    }
}

fn broken(fault: impl std::fmt::Display) -> String {
    format!("the issuer cannot be played: {fault}")
}

impl ClientWorld {
    /// Starts the issuer, and makes the client a home.
    ///
    /// # Errors
    /// Where either cannot be had.
    pub async fn begin(&mut self, starter: Arc<Starter>) -> Result<(), String> {
        let wire = Wire::new().await.map_err(broken)?;
        let front = Arc::clone(&wire);
        let embedded = Embedded::start_behind(None, move |honest| Arc::clone(&front).wrap(honest))
            .await
            .map_err(broken)?;
        let http = wire::client(wire::Limits::default()).map_err(broken)?;
        let control = embedded.control.clone();
        let issuer = embedded.url.origin().ascii_serialization();
        let body = json!({"issuer_identifier": issuer});
        let sandbox = call(&http, &control, "sandboxes", &body).await?;
        let text = |path: &str| -> Result<String, String> {
            let found = sandbox.pointer(path).and_then(Value::as_str);
            found
                .map(str::to_owned)
                .ok_or_else(|| broken(format!("the sandbox lacks {path}")))
        };
        let endpoint: Url = text("/credential_issuer_endpoint")?
            .parse()
            .map_err(broken)?;
        let probe = sandbox.get("probe").cloned().unwrap_or_default();
        let writes = probe.get("write_permissions").cloned().unwrap_or_default();
        wire.learn(endpoint.path().trim_end_matches('/'), &writes);
        let url = format!("{issuer}{}", text("/probe/read/path")?);
        self.names.set("narrower_permissions", narrower(&probe));
        self.names.set("both_permissions", both(&probe));
        self.names.set("probe", probe);
        self.names.set("probe_url", json!(url));
        self.names.set("issuer", json!(issuer));
        for (name, scheme) in [("elsewhere", "http"), ("elsewhere_https", "https")] {
            self.names.set(name, json!(wire.elsewhere.origin(scheme)));
        }
        let approver = text("/principals/approver/id")?;
        self.names.set("approver_id", json!(approver));
        let owner = text("/principals/owner/token")?;
        self.watch.canary.taint("the token", &owner);
        let home = TempDir::new().map_err(broken)?;
        self.names
            .set("home", json!(home.path().display().to_string()));
        self.setting = Some(Setting {
            tenant: text("/tenant_id")?,
            approver: text("/principals/approver/token")?,
            owner,
            starter,
            wire,
            home,
            http,
            control,
            _embedded: embedded,
        });
        Ok(())
    }

    fn setting(&self) -> Result<&Setting, Fault> {
        self.setting
            .as_ref()
            .ok_or_else(|| Fault::suite("the scenario was not begun"))
    }

    /// The issuer's wire.
    ///
    /// # Errors
    /// Where the scenario was not begun.
    pub fn wire(&self) -> Result<&Arc<Wire>, Fault> {
        Ok(&self.setting()?.wire)
    }

    /// A path in the client's home.
    ///
    /// # Errors
    /// Where the scenario was not begun, or the path leads out of it.
    pub fn path(&self, name: &str) -> Result<PathBuf, Fault> {
        if name.contains("..") || name.starts_with('/') {
            return Err(Fault::suite("files of a scenario are in the client's home"));
        }
        Ok(self.setting()?.home.path().join(name))
    }

    /// The client's home.
    ///
    /// # Errors
    /// Where the scenario was not begun.
    pub fn home(&self) -> Result<&Path, Fault> {
        Ok(self.setting()?.home.path())
    }

    /// The bearer token that the client was given.
    ///
    /// # Errors
    /// Where the scenario was not begun.
    pub fn token(&self) -> Result<&str, Fault> {
        Ok(&self.setting()?.owner)
    }

    /// The secrets that were delivered, oldest first.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Counts a text that was looked through for secrets.
    pub fn looked(&mut self, channel: Channel, text: &[u8]) {
        let (texts, bytes) = self.watch.seen.entry(channel).or_default();
        *texts += 1;
        *bytes += text.len() as u64;
    }

    /// What was exchanged since the last task was given.
    ///
    /// # Errors
    /// Where no task was given.
    pub fn since(&self) -> Result<Vec<Exchanged>, Fault> {
        let asked = self
            .asked
            .as_ref()
            .ok_or_else(|| Fault::suite("no task was given yet"))?;
        Ok(self.wire()?.exchanged().split_off(asked.mark))
    }

    /// Gives a task, and takes down what comes of it.
    ///
    /// # Errors
    /// Where the task makes no sense, the client cannot be started, or does no such tasks.
    pub async fn ask(&mut self, task: &str, members: &[(String, String)]) -> Result<(), Fault> {
        let mut input = usual::input(task, &self.names)?;
        let mut document = json!({
            "clp_subject": 1,
            "task": task,
            "issuer": self.names.resolve("issuer")?,
            "local": true,
            "test": true,
            "token_variable": task::TOKEN_VARIABLE,
        });
        for (member, cell) in members {
            let object = if usual::BESIDE.contains(&member.as_str()) {
                document.as_object_mut()
            } else {
                input.as_object_mut()
            };
            if let Some(object) = object {
                if cell == "absent" {
                    object.remove(member);
                } else {
                    object.insert(member.clone(), self.names.value(cell)?);
                }
            }
        }
        if let Some(object) = document.as_object_mut() {
            object.insert("input".to_owned(), input);
        }
        let setting = self.setting()?;
        let mark = setting.wire.count();
        let elsewhere = setting.wire.elsewhere.seen().len();
        // The approver's tasks are given by another person.
        let token = match task {
            "approve" | "show" => &setting.approver,
            _ => &setting.owner,
        };
        let seen = task::run(
            &setting.starter.launch,
            &document,
            setting.home.path(),
            Some(token),
            setting.starter.limit,
            &setting.wire.silent,
        )
        .await
        .map_err(Fault::suite)?;
        self.asked = Some(Asked {
            task: task.to_owned(),
            members: members.to_vec(),
            mark,
            elsewhere,
        });
        self.taint()?;
        self.take_down(task, &document, &seen)?;
        if seen.ending == Ending::Unsupported {
            self.seen = Some(seen);
            return Err(Fault::unfit(format!("{UNSUPPORTED} `{task}`")));
        }
        if let Ending::Done(result) = &seen.ending {
            self.names.set(usual::called(task), result.clone());
        }
        self.seen = Some(seen);
        Ok(())
    }

    /// Learns the secrets that the issuer has handed over.
    fn taint(&mut self) -> Result<(), Fault> {
        for one in self.since()? {
            let Some(answer) = one.honest.filter(|answer| answer.status < 300) else {
                continue;
            };
            let body = answer.json();
            match one.endpoint {
                "credential_create" => {
                    // Also where the client came to no result of its own.
                    let id = body.get("id").cloned().unwrap_or_default();
                    self.names.set("credential", json!({"credential_id": id}));
                    self.names.set("minted", body.clone());
                }
                "rotation_open" => {
                    let minted = body.get("credential").cloned();
                    self.names.set("minted", minted.unwrap_or_default());
                }
                _ => {}
            }
            if let Some(secret) = body.pointer("/secret/value").and_then(Value::as_str) {
                self.watch.canary.taint_key("the secret", secret);
                if !self.secrets.iter().any(|have| have == secret) {
                    self.secrets.push(secret.to_owned());
                }
            }
        }
        Ok(())
    }

    /// A person's decision on the last request, by test control.
    ///
    /// # Errors
    /// Where test control does not carry it out.
    pub async fn approve(&self) -> Result<(), Fault> {
        let request = self.names.resolve("request.request_id")?;
        let body = json!({"request_id": request, "decision": "approve"});
        self.operate("approvals", &body).await
    }

    /// Registers the client's passkey for the approver, by test control.
    ///
    /// # Errors
    /// Where test control does not take it.
    pub async fn register(&self) -> Result<(), Fault> {
        let setting = self.setting()?;
        let mut body = self.names.resolve("passkey")?;
        let manager = self.names.resolve("approver_id")?;
        if let Some(members) = body.as_object_mut() {
            members.retain(|name, _| name == "credential_id" || name == "public_key");
            members.insert("principal".to_owned(), manager);
        }
        let path = format!("sandboxes/{}/authenticators", setting.tenant);
        call(&setting.http, &setting.control, &path, &body)
            .await
            .map(|_| ())
            .map_err(|fault| Fault::missing("a passkey that can be registered", fault))
    }

    async fn operate(&self, what: &str, body: &Value) -> Result<(), Fault> {
        let setting = self.setting()?;
        let path = format!("sandboxes/{}/{what}", setting.tenant);
        call(&setting.http, &setting.control, &path, body)
            .await
            .map(|_| ())
            .map_err(Fault::suite)
    }

    /// Keeps what a step found, without the secrets in it.
    ///
    /// # Errors
    /// The fault, if there is one.
    pub fn note<T>(&mut self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        outcome.map_err(|fault| match fault {
            Fault::Broken(mut failure) => {
                failure.expected = self.watch.canary.redact(&failure.expected);
                failure.got = self.watch.canary.redact(&failure.got);
                self.failure = Some((*failure).clone());
                Fault::Broken(failure)
            }
            Fault::Unfit(words) => {
                self.unfit = Some(words.clone());
                Fault::Unfit(words)
            }
            Fault::Suite(words) => Fault::Suite(self.watch.canary.redact(&words)),
        })
    }
}

/// What reads the probe, and less than everything that its permissions open.
fn narrower(probe: &Value) -> Value {
    let mut set = probe.get("read_permissions").cloned().unwrap_or_default();
    for statement in set.as_array_mut().into_iter().flatten() {
        let selector = statement.get("selector").and_then(Value::as_str);
        let within = selector.map(|text| text.replace('*', "conformance"));
        if let (Some(members), Some(within)) = (statement.as_object_mut(), within) {
            members.insert("selector".to_owned(), json!(within));
        }
    }
    set
}

/// What reads the probe, and what writes it.
fn both(probe: &Value) -> Value {
    let sets = ["read_permissions", "write_permissions"];
    let all = sets.iter().filter_map(|name| probe.get(*name)?.as_array());
    all.flatten().cloned().collect()
}

/// How the reason begins where a client does not do a task.
pub const UNSUPPORTED: &str = "the client does not do the task";

/// Whether a request goes to the issuer's endpoints below E.
#[must_use]
pub fn is_below(one: &Exchanged) -> bool {
    one.endpoint != RESOURCE && !one.target.starts_with("/.well-known/")
}

/// A call of test control.
async fn call(
    http: &reqwest::Client,
    control: &Control,
    path: &str,
    body: &Value,
) -> Result<Value, String> {
    let base = control.url.as_str().trim_end_matches('/');
    let answer = http
        .post(format!("{base}/{path}"))
        .bearer_auth(control.token.expose())
        .header("CLP-Version", "1.0")
        .json(body)
        .send()
        .await
        .map_err(|fault| broken(fault.without_url()))?;
    let status = answer.status();
    let bytes = answer
        .bytes()
        .await
        .map_err(|fault| broken(fault.without_url()))?;
    if !status.is_success() {
        return Err(broken(format!("test control answers {status} to {path}")));
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}
