//! One scenario's world: a tenant, a cast, what was called and what came back.

mod address;
pub mod baseline;
pub mod call;
pub mod keyring;
mod manner;
pub mod names;
pub mod receiver;
mod remark;
mod secrets;
pub mod tags;
pub mod tenant;
pub mod usual;
pub mod watch;
pub mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use clp_schemas::endpoint::{Base, Class, EndpointId, Idempotency};
use serde_json::{Value, json};

use self::baseline::{Kind, Remarks};
use self::call::{Actor, Call, Payload};
use self::keyring::Keyring;
use self::names::Names;
use self::receiver::Receiver;
use self::tags::Tags;
use self::tenant::Tenant;
use self::watch::{Answered, Watch};
use self::wire::{Got, Outcome, Sent};
use crate::oracle::digest::hex;
use crate::oracle::gates;
use crate::oracle::identity::Provider;
use crate::oracle::passkey::Passkey;
use crate::oracle::webhook::Event;
use crate::record::{Exchange, Failure};
use crate::run::ledger::Ledger;
use crate::steps::act::Recipe;
use crate::subject::log::Log;
use crate::subject::{Subject, Which};
use crate::writer::{Trace, Traced};

/// Why a step did not hold.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// The subject does not do what it should.
    #[error("{0}")]
    Broken(Box<Failure>),
    /// The subject has nothing that the scenario could try; says nothing against it.
    #[error("it cannot be tried here: {0}")]
    Unfit(String),
    /// The suite itself cannot go on: a step or a configuration makes no sense.
    #[error("the suite cannot go on: {0}")]
    Suite(String),
}

impl Fault {
    /// The subject broke this requirement.
    #[must_use]
    pub fn broken(requirement: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Broken(Box::new(Failure {
            requirement: Some(requirement.to_owned()),
            ..Failure::new(expected, got)
        }))
    }

    /// The subject broke the requirement that the scenario is about.
    #[must_use]
    pub fn missing(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Broken(Box::new(Failure::new(expected, got)))
    }

    /// The scenario has nothing to try here.
    #[must_use]
    pub fn unfit(words: impl Into<String>) -> Self {
        Self::Unfit(words.into())
    }

    /// The suite is at fault.
    #[must_use]
    pub fn suite(words: impl Into<String>) -> Self {
        Self::Suite(words.into())
    }
}

/// What a call was answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it is to be taken.
    pub kind: Kind,
    /// As it came in.
    pub got: Got,
    /// Its JSON, if it has any.
    pub json: Option<Value>,
}

/// The state of one scenario.
#[derive(Debug, Default, cucumber::World)]
pub struct World {
    /// Where the scenario broke. The writer takes it from here.
    pub failure: Option<Failure>,
    /// Why the scenario cannot be tried on this subject, where it cannot.
    pub unfit: Option<String>,
    /// What went over the wire, redacted; filled when the scenario ends, as a secret can come
    /// out before it is known to be one.
    pub exchanges: Vec<Exchange>,
    /// Which issuer the scenario is about.
    pub which: Which,
    /// The scenario's name.
    pub scenario: String,
    /// Where it enters what others answer for; without one it answers for all that it sees.
    pub ledger: Option<Arc<Ledger>>,
    wire: Vec<(Sent, Outcome)>,
    answered: Vec<Answered>,
    subject: Option<Arc<Subject>>,
    tenant: Option<Tenant>,
    manifest: Option<Value>,
    /// The secrets that are known, and where they were looked for.
    pub watch: Watch,
    /// Where the log of an issuer in this process ended when the scenario began.
    log_begins: usize,
    /// What the scenario can refer to.
    pub names: Names,
    /// The words of the call that "the same call" means.
    pub recipe: Option<Recipe>,
    /// That call, as it was sent.
    pub base: Option<Call>,
    /// The answers to calls that were made at the same time.
    pub together: Vec<Answer>,
    /// The last call and its answer.
    pub last: Option<(Call, Answer)>,
    /// Answers that were given a name, as they came in.
    pub kept: BTreeMap<String, Answer>,
    /// The secrets that were delivered, by credential.
    pub keys: BTreeMap<String, String>,
    /// The last delivered one's credential.
    pub newest_key: Option<String>,
    /// The access tokens that were issued, the newest of each credential.
    pub tokens: BTreeMap<String, String>,
    /// The last issued one's credential.
    pub newest_token: Option<String>,
    /// The key pairs.
    pub ring: Keyring,
    /// The first credential of each successor's line.
    lines: BTreeMap<String, String>,
    /// Below which credential each installation was put last, by line and installation.
    placed: BTreeMap<(String, String), String>,
    /// What listens for events, by name.
    pub receivers: BTreeMap<String, Receiver>,
    /// The last event that was sent, as its sender or its receiver has it.
    pub event: Option<Event>,
    sent_assertion: Option<String>,
    sent_proof: Option<String>,
    /// Whether a script of faults was put, so that any answer can be one.
    faulty: bool,
    tags: Tags,
    /// The identity provider that was trusted last, by whose account is there.
    pub providers: BTreeMap<String, Provider>,
    /// The software authenticators, by person.
    pub passkeys: BTreeMap<String, Passkey>,
    /// What the scenario marks all its own texts with.
    pub mark: String,
}

impl World {
    /// Finds a place for the scenario: reads the manifest and opens a sandbox, or takes the
    /// cast that was set up by hand.
    ///
    /// # Errors
    /// Where the subject is not there, or is none. The failure then also stands in the
    /// world, and every step fails.
    pub async fn begin(&mut self, subject: Arc<Subject>) -> Result<(), Fault> {
        let mut random = [0; 10];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| Fault::suite("the system has no randomness"))?;
        let letters = hex(&random);
        self.mark = format!("suite-{}", letters.get(..12).unwrap_or_default());
        self.names
            .set("spare", json!({"id": format!("ins_{letters}")}));
        self.names.set("mark", json!(self.mark));
        self.names.set("method", json!("passkey"));
        self.names
            .set("mark_upper", json!(self.mark.to_uppercase()));
        self.names.set("letters_255", json!("k".repeat(255)));
        self.names.set("letters_256", json!("k".repeat(256)));
        self.log_begins = subject.log().map_or(0, Log::end);
        self.subject = Some(subject);
        let outcome = self.settle().await;
        self.note(outcome)
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        let subject = self.subject()?;
        let issuer = subject.at(self.which).clone();
        if let Some(control) = &subject.control {
            self.watch
                .canary
                .taint("the control token", control.token.expose());
        }
        let found = call::row("manifest_read")?;
        let call = Call::of(found, Actor::Nobody, Payload::Nothing);
        let answer = self.send(&call).await?;
        if answer.kind != Kind::Accepted {
            return Err(Fault::broken(
                "CLP-DIS-001",
                "a manifest",
                answer.got.status.to_string(),
            ));
        }
        let manifest = answer.json.unwrap_or_default();
        let endpoint = manifest
            .get("credential_issuer_endpoint")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        self.names.set("manifest", manifest.clone());
        self.manifest = Some(manifest);
        let tenant = if subject.control.is_some() {
            let body = json!({"issuer_identifier": issuer.as_str().trim_end_matches('/')});
            let open = Call::of(
                call::row("sandbox_open")?,
                Actor::Operator,
                Payload::Json(body),
            );
            let answer = self.send(&open).await?;
            let Some(value) = answer.json.filter(|_| answer.kind == Kind::Accepted) else {
                return Err(Fault::broken(
                    "CLP-CTL-003",
                    "a sandbox",
                    answer.got.status.to_string(),
                ));
            };
            let sandbox = serde_json::from_value(value)
                .map_err(|error| Fault::broken("CLP-CTL-003", "a sandbox", error.to_string()))?;
            Tenant::sandbox(&sandbox)?
        } else if let Some(cast) = &subject.cast {
            Tenant::by_hand(cast, &issuer, &endpoint)?
        } else {
            return Err(Fault::suite(
                "the subject has neither test control nor a cast",
            ));
        };
        for (name, person) in &tenant.people {
            self.watch.canary.taint(tenant::label(name), &person.token);
        }
        // Requests ask for a life that the issuer can give.
        let longest = self
            .manifest()?
            .get("max_lifetime_seconds")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX);
        self.names.set("lifetime", json!(longest.min(1800)));
        for (name, value) in tenant.names() {
            self.names.set(name, value);
        }
        self.tenant = Some(tenant);
        Ok(())
    }

    /// The subject.
    ///
    /// # Errors
    /// Before the scenario has begun.
    pub fn subject(&self) -> Result<Arc<Subject>, Fault> {
        self.subject
            .clone()
            .ok_or_else(|| Fault::suite("the scenario has not begun"))
    }

    /// The tenant.
    ///
    /// # Errors
    /// Where the scenario found no place.
    pub fn tenant(&self) -> Result<&Tenant, Fault> {
        self.tenant.as_ref().ok_or_else(|| self.homeless())
    }

    /// Sets the tenant's clock by what `clock_advance` answered.
    ///
    /// # Errors
    /// Where the scenario found no place, or that is no time.
    pub fn set_clock(&mut self, now: &str) -> Result<(), Fault> {
        let fault = self.homeless();
        self.tenant.as_mut().ok_or(fault)?.set_clock(now)
    }

    /// How long a revocation may take to be obeyed everywhere; no longer than a suite can wait.
    ///
    /// # Errors
    /// Where the scenario found no place.
    pub fn propagation(&self) -> Result<Duration, Fault> {
        let stated = self
            .manifest()?
            .get("max_propagation_seconds")
            .and_then(Value::as_u64);
        Ok(Duration::from_secs(
            stated.unwrap_or_default().min(MOST_PATIENCE),
        ))
    }

    /// Whether the manifest claims a profile.
    ///
    /// # Errors
    /// Where the scenario found no place.
    pub fn claims(&self, profile: &str) -> Result<bool, Fault> {
        let profiles = self
            .manifest()?
            .get("profiles_supported")
            .and_then(Value::as_array);
        Ok(profiles.is_some_and(|profiles| profiles.contains(&json!(profile))))
    }

    /// The manifest.
    ///
    /// # Errors
    /// Where the scenario found no place.
    pub fn manifest(&self) -> Result<&Value, Fault> {
        self.manifest.as_ref().ok_or_else(|| self.homeless())
    }

    fn homeless(&self) -> Fault {
        match &self.failure {
            Some(failure) => Fault::Broken(Box::new(failure.clone())),
            None => Fault::suite("the scenario found no place"),
        }
    }

    /// A key that was not used before: for `Idempotency-Key`.
    fn fresh_key() -> Result<String, Fault> {
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| Fault::suite("the system has no randomness"))?;
        Ok(hex(&random))
    }

    /// Chooses the `Idempotency-Key` of a call that needs one and has none.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn choose_key(call: &mut Call) -> Result<(), Fault> {
        let takes = call
            .row()
            .is_some_and(|row| row.idempotency == Idempotency::Key);
        if takes && call.key.is_none() {
            call.key = Some(Self::fresh_key()?);
        }
        Ok(())
    }

    /// Sends a call, checks what holds for every answer, and remembers what came of it.
    ///
    /// # Errors
    /// Where nothing comes back, or what comes back breaks what holds for every answer.
    pub async fn send(&mut self, call: &Call) -> Result<Answer, Fault> {
        let mut call = call.clone();
        Self::choose_key(&mut call)?;
        let subject = self.subject()?;
        let mut patience = 5;
        loop {
            let sent = self.prepare(&call)?;
            let outcome = wire::exchange(&subject.http, &sent, subject.limits).await;
            let asked_for = self.asks_for_fault(&call);
            let wait = retry_after(&outcome).filter(|_| patience > 0 && !asked_for);
            let answer = self.accept(&call, &sent, outcome)?;
            patience -= 1;
            match wait {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => return Ok(answer),
            }
        }
    }

    /// How long the last exchange took, in milliseconds.
    #[must_use]
    pub fn millis(&self) -> Option<u64> {
        self.wire.last().map(|(_, outcome)| outcome.millis)
    }

    /// Whether the answer to a call can be a fault that the scenario asked for.
    fn asks_for_fault(&self, call: &Call) -> bool {
        let is_control = call.row().is_some_and(|row| row.base == Base::Control);
        !is_control && (self.faulty || call.owns("clp-fault"))
    }

    /// Sends several calls at the same time.
    ///
    /// # Errors
    /// As [`World::send`].
    pub async fn send_together(&mut self, calls: &[Call]) -> Result<Vec<Answer>, Fault> {
        let subject = self.subject()?;
        let sent: Vec<Sent> = calls
            .iter()
            .map(|call| self.prepare(call))
            .collect::<Result<_, _>>()?;
        let outcomes = futures::future::join_all(
            sent.iter()
                .map(|sent| wire::exchange(&subject.http, sent, subject.limits)),
        )
        .await;
        let mut answers = Vec::new();
        for ((call, sent), outcome) in calls.iter().zip(&sent).zip(outcomes) {
            answers.push(self.accept(call, sent, outcome)?);
        }
        Ok(answers)
    }

    /// Takes an outcome in: taints its secrets, records it, and judges it.
    fn accept(&mut self, call: &Call, sent: &Sent, outcome: Outcome) -> Result<Answer, Fault> {
        let secrets = outcome
            .got
            .as_ref()
            .map(|got| self.secrets(call, got))
            .unwrap_or_default();
        self.wire.push((sent.clone(), outcome.clone()));
        let fault = match self.asks_for_fault(call) {
            true => baseline::fault(call, &outcome),
            false => None,
        };
        if let Some((kind, got)) = fault {
            self.watch_answer(call, &got, &secrets)?;
            let json = serde_json::from_slice(&got.body).ok();
            return Ok(Answer { kind, got, json });
        }
        let got = outcome
            .got
            .map_err(|fault| Fault::missing("an answer", fault))?;
        let mut remarks = Remarks::default();
        remarks.take(self.watch_answer(call, &got, &secrets));
        let subject = self.subject()?;
        let judged = baseline::check(&subject.contracts, call, &got, &self.mark, &mut remarks);
        if let (Some(row), Ok((Kind::Accepted, Some(value)))) = (call.row(), &judged) {
            // The core class has no tags of its own.
            let tagging = match row.class {
                Class::Core => Class::Lifecycle,
                profile => profile,
            };
            if row.is_tagged() && self.claims(tagging.name())? {
                remarks.take(self.tags.check(call, sent, &got, value));
            }
            if row.id == EndpointId::RotationGates
                && let Err(fault) = gates::sound(value)
            {
                remarks.add(
                    "CLP-ROT-019",
                    "gates that do not contradict themselves",
                    fault.to_string(),
                );
            }
        }
        for fault in remarks.all() {
            self.remark(call, fault)?;
        }
        let (kind, json) = judged?;
        Ok(Answer { kind, got, json })
    }
}

impl Traced for World {
    fn open(&mut self, name: &str, tags: &[String]) {
        name.clone_into(&mut self.scenario);
        self.which = Which::of(tags);
    }

    fn trace(&mut self) -> Trace {
        self.close();
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

/// Longest wait that a refusal for haste is granted, in seconds.
const MOST_PATIENCE: u64 = 65;

/// How long a refusal for haste asks to wait, if not too long.
fn retry_after(outcome: &Outcome) -> Option<u64> {
    let got = outcome.got.as_ref().ok()?;
    (got.status == 429)
        .then(|| got.header("retry-after")?.parse().ok())
        .flatten()
        .filter(|seconds| *seconds <= MOST_PATIENCE)
}
