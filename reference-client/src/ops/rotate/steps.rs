//! The steps of a rotation, each written down before it is taken. Every step looks first at
//! how things are, so that taking it again does nothing twice.

use std::time::Duration;

use clp_schemas::endpoint::Class;
use clp_schemas::gates::GateState;
use clp_schemas::ids::{CredentialId, InstallationId};
use clp_schemas::ops::inject::{Health as Seen, Installation};
use clp_schemas::ops::revoke::{RevocationMode, RevocationReason};
use clp_schemas::ops::rotate::{GateReport, Rotation};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::installation;
use clp_schemas::state::rotation::State;
use serde_json::json;
use tokio::time::Instant;

use super::health::{self, Checked, From};
use super::record::{Record, Records, Step};
use super::sabotage;
use crate::client::Client;
use crate::error::{Error, LocalFault};
use crate::ops::Session;
use crate::ops::call::Caller;
use crate::ops::inject::{Said, bring};
use crate::ops::store_registry::acknowledge;
use crate::places::Place;
use crate::render::{self, Outcome};
use crate::store::Entry;

/// Pause between two looks at the gates.
const PAUSE: Duration = Duration::from_secs(2);
/// The variable for a command where no place has one.
const VARIABLE: &str = "CLP_SECRET";

/// What a run may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// How long to wait for the gates.
    pub(super) wait: Duration,
    /// Whether a person has seen that every place has the successor.
    pub(super) moved_everything: bool,
}

/// The gates that are not met, by name.
pub(super) fn missing(report: &GateReport) -> Vec<String> {
    let gates = report.gates.iter().chain(&report.issuer_gates);
    gates
        .filter(|gate| gate.state != GateState::Met)
        .map(|gate| gate.id.to_string())
        .collect()
}

/// A rotation on its way.
pub(super) struct Drive<'a> {
    client: &'a Client,
    session: &'a Session,
    record: Record,
    options: Options,
    said: Vec<String>,
}

impl<'a> Drive<'a> {
    pub(super) fn new(
        client: &'a Client,
        session: &'a Session,
        record: Record,
        options: Options,
    ) -> Self {
        Self {
            client,
            session,
            record,
            options,
            said: Vec::new(),
        }
    }

    /// Takes the rotation as far as it goes.
    pub(super) async fn forward(mut self) -> Result<Outcome, Error> {
        if self.record.step == Step::RevokeFirst {
            self.revoke_first().await?;
        }
        let mut rotation = self.rotation().await?;
        if rotation.state == State::RolledBack
            || (rotation.state == State::Completed && !self.record.compromised)
        {
            return self.ended(&rotation);
        }
        self.store(&rotation).await?;
        rotation = self.rotation().await?;
        if rotation.state != State::Draining || self.record.unhealthy {
            self.place().await?;
            self.check(&rotation).await?;
        }
        if rotation.state.is_open() {
            self.drain().await?;
            rotation = self.rotation().await?;
        }
        self.ended(&rotation)
    }

    /// Gives the rotation up: the places first, then the rotation.
    pub(super) async fn back(mut self) -> Result<Outcome, Error> {
        let rotation = self.rotation().await?;
        if !rotation.state.is_open() {
            return self.ended(&rotation);
        }
        // The issuer would refuse it, and the places would have been put back by then.
        if self.record.compromised {
            return Err(Problem::new(ProblemType::NoRollbackAfterCompromise).into());
        }
        self.note(Step::RollBack)?;
        if self.has_inventory().await? {
            let successor = self.record.successor.clone();
            for place in self.client.installations(&successor).await? {
                if place.declared.state != installation::State::Retired
                    && !self.record.moved.contains(&place.id)
                {
                    self.record.moved.push(place.id);
                }
            }
        }
        // Ending the successor while a place has it would be the outage that this is to avoid.
        if !self.put_back().await? {
            return Err(self.unhealthy(
                "places still have the successor, and nobody put the predecessor back",
            ));
        }
        let seen = self.client.rotation(&self.record.rotation_id).await?;
        let rotation = self.client.roll_back(&seen).await?;
        self.say(&format!("{} works again", rotation.predecessor));
        self.ended(&rotation)
    }

    fn say(&mut self, line: &str) {
        let line = render::clean(line);
        self.session.say(&format!("{line}\n"));
        self.said.push(line);
    }

    fn rotations(&self) -> Records {
        self.session.home.rotations(self.client.id())
    }

    fn entry(&self, id: &CredentialId) -> Result<Entry, LocalFault> {
        self.session.home.store().entry(&self.record.issuer, id)
    }

    /// Writes down what is about to be done.
    fn note(&mut self, step: Step) -> Result<(), LocalFault> {
        self.record.step = step;
        self.rotations().write(&self.record)
    }

    async fn has_inventory(&self) -> Result<bool, Error> {
        Ok(self
            .client
            .issuer()
            .await?
            .manifest
            .claims(Class::Inventory))
    }

    async fn rotation(&self) -> Result<Rotation, Error> {
        Ok(self.client.rotation(&self.record.rotation_id).await?.value)
    }

    fn ended(self, rotation: &Rotation) -> Result<Outcome, Error> {
        self.rotations().forget(&rotation.id)?;
        let journal = self.session.home.journal();
        journal.forget(&rotation.predecessor)?;
        let last = match rotation.state {
            State::Completed => "the predecessor is revoked\n",
            State::RolledBack => "the successor is revoked, and the predecessor works on\n",
            _ => "",
        };
        let text = format!("{}{last}", render::rotation(rotation));
        Outcome::new(&json!({"rotation": rotation, "steps": self.said}), text)
    }

    async fn revoke_first(&mut self) -> Result<(), Error> {
        let predecessor = self.record.predecessor.clone();
        let (mode, reason) = (RevocationMode::Immediate, RevocationReason::Compromise);
        self.client.revoke(&predecessor, mode, reason, None).await?;
        self.say(&format!("{predecessor} is revoked"));
        self.note(Step::Store)?;
        Ok(())
    }

    async fn store(&mut self, rotation: &Rotation) -> Result<(), Error> {
        let store = self.session.home.store();
        if store.holds(&self.record.issuer, &rotation.successor)? {
            // Nothing is fetched: it is seen to be the same one.
            return self.client.store_secret(&rotation.credential, &store).await;
        }
        self.note(Step::Store)?;
        sabotage::before_storing(self.client, &self.record, rotation, &store).await?;
        let stored = self.client.store_secret(&rotation.credential, &store).await;
        if let Err(fault) = &stored
            && fault.problem() == Some(ProblemType::DeliveryGone)
        {
            self.say(&format!(
                "the successor's secret is out of reach: run `clp rotate --rollback {}`",
                rotation.id
            ));
        }
        stored?;
        let more = acknowledge(self.client, &rotation.credential, None, self.session).await?;
        self.say(&format!("{} is stored{more}", rotation.successor));
        Ok(())
    }

    /// The place that an installation is on this machine, if it was filled from here.
    fn local(&self, id: &InstallationId) -> Result<Option<Place>, LocalFault> {
        self.session.home.places().get(&self.record.issuer, id)
    }

    /// The places that still have the predecessor, and those that a run died at.
    async fn unmoved(&mut self) -> Result<Vec<InstallationId>, Error> {
        if !self.has_inventory().await? {
            let predecessor = &self.record.predecessor;
            let places = self.session.home.places().of(&self.record.issuer)?;
            let here = places.into_iter().filter(|(id, place)| {
                place.credential_id == *predecessor || self.record.moved.contains(id)
            });
            return Ok(here.map(|(id, _)| id).collect());
        }
        let (old, new) = (&self.record.predecessor, &self.record.successor);
        let mut ids = Vec::new();
        let mut elsewhere = Vec::new();
        let there = self.client.installations(old).await?;
        let begun = self.client.installations(new).await?;
        let begun = begun
            .into_iter()
            .filter(|place| place.declared.state == installation::State::Updating);
        for place in there.into_iter().chain(begun) {
            if place.declared.state == installation::State::Retired {
                continue;
            }
            match self.local(&place.id)? {
                Some(_) => ids.push(place.id),
                None => elsewhere.push(place),
            }
        }
        for place in elsewhere {
            self.say(&foreign(&place));
        }
        Ok(ids)
    }

    async fn place(&mut self) -> Result<(), Error> {
        let entry = self.entry(&self.record.successor)?;
        for id in self.unmoved().await? {
            let Some(place) = self.local(&id)? else {
                continue;
            };
            if !self.record.moved.contains(&id) {
                self.record.moved.push(id.clone());
            }
            self.note(Step::Place)?;
            self.bring(&id, &place, &entry).await?;
        }
        Ok(())
    }

    async fn bring(
        &mut self,
        id: &InstallationId,
        place: &Place,
        entry: &Entry,
    ) -> Result<(), Error> {
        bring(self.client, self.session, id, place, entry, Said::default()).await?;
        let (to, path) = (&entry.credential_id, place.path.display());
        self.say(&format!("{to} is in {path} as {}", place.variable));
        Ok(())
    }

    /// Sees that every place filled from here works. After a failure the places get the
    /// predecessor back, and the rotation goes no further (CLP-ROT-034).
    async fn check(&mut self, rotation: &Rotation) -> Result<(), Error> {
        let entry = self.entry(&self.record.successor)?;
        let by_event = health::is_by_event(entry.kind) && rotation.state.is_open();
        if !by_event && self.record.health.is_none() {
            if self.record.unhealthy {
                return Err(self.unhealthy("its last health check failed"));
            }
            self.say("no health check: give --health or --health-cmd to see that it works");
            return Ok(());
        }
        self.note(Step::Check)?;
        let mut places = Vec::new();
        if self.has_inventory().await? {
            let successor = self.record.successor.clone();
            for place in self.client.installations(&successor).await? {
                if let Some(here) = self.local(&place.id)?
                    && matches!(
                        place.declared.state,
                        installation::State::Installed | installation::State::Verified
                    )
                {
                    places.push((place, here));
                }
            }
        }
        if places.is_empty() {
            let checked = self.check_one(rotation, &entry, None, by_event).await?;
            self.judge(None, checked).await?;
        }
        for (place, here) in places {
            let known = Some((&place, &here));
            let checked = self.check_one(rotation, &entry, known, by_event).await?;
            self.judge(Some(&place), checked).await?;
        }
        // Only now: a run that dies between two places has not checked the second.
        self.record.unhealthy = false;
        self.note(Step::Check)?;
        Ok(())
    }

    async fn check_one(
        &self,
        rotation: &Rotation,
        entry: &Entry,
        place: Option<(&Installation, &Place)>,
        by_event: bool,
    ) -> Result<Checked, Error> {
        if by_event {
            return health::by_event(self.client, rotation).await;
        }
        let Some(how) = &self.record.health else {
            return Ok(Err("there is no health check"));
        };
        if let Some((_, here)) = place {
            sabotage::before_checking(self.client, rotation, here, entry)?;
        }
        let caller = Caller::new(entry, &self.session.home.store())?;
        let from = From {
            user_agent: place.and_then(|(declared, _)| {
                declared.declared.matcher.as_ref()?.user_agent.as_deref()
            }),
            variable: place.map_or(VARIABLE, |(_, here)| &here.variable),
        };
        health::check(self.client, how, &caller, rotation, from).await
    }

    /// Reports what a check gave, or stops at it.
    async fn judge(&mut self, place: Option<&Installation>, checked: Checked) -> Result<(), Error> {
        let seen = match checked {
            Ok(seen) => seen,
            Err(_) if self.client.sabotage.breaks("CLP-ROT-034") => return Ok(()),
            Err(what) => {
                if let (Some(place), true) = (place, self.client.sabotage.breaks("CLP-INJ-007")) {
                    self.report(place, sabotage::as_if_it_worked()).await?;
                }
                self.record.unhealthy = true;
                self.note(Step::Check)?;
                self.say(what);
                if !self.record.compromised
                    && let Err(fault) = self.put_back().await
                {
                    self.say(&format!("the places could not be put back: {fault}"));
                }
                return Err(self.unhealthy(what));
            }
        };
        match place {
            Some(place) if self.report(place, seen).await? => {
                self.say(&format!("{} works with the successor", place.id));
            }
            _ => self.say("the successor works"),
        }
        Ok(())
    }

    /// Reports a place as verified. False where the issuer does not have it any more.
    async fn report(&self, place: &Installation, seen: Seen) -> Result<bool, Error> {
        let successor = &self.record.successor;
        let Some(found) = self.client.installation(successor, &place.id).await? else {
            return Ok(false);
        };
        self.client.report_verified(&found, seen).await?;
        Ok(true)
    }

    fn unhealthy(&self, what: &'static str) -> Error {
        Error::Unhealthy {
            rotation: self.record.rotation_id.clone(),
            what,
        }
    }

    /// The places that have the successor get the predecessor back. False where some place
    /// still has the successor, because it cannot be filled from here.
    async fn put_back(&mut self) -> Result<bool, Error> {
        let moved = self.record.moved.clone();
        let entry = match self.entry(&self.record.predecessor) {
            Ok(entry) => entry,
            Err(LocalFault::NotStored) if moved.is_empty() => return Ok(true),
            Err(LocalFault::NotStored) => {
                self.say("the predecessor is not in this store: its places have to be put back by whoever has it");
                return Ok(false);
            }
            Err(fault) => return Err(fault.into()),
        };
        let mut left = Vec::new();
        for id in moved.iter().rev() {
            match self.local(id)? {
                // A run can die before it is written down here that the issuer knows of it.
                Some(mut place) => {
                    place.credential_id = self.record.successor.clone();
                    self.bring(id, &place, &entry).await?;
                }
                None => {
                    self.say(&format!(
                        "{id} is not filled from here: somebody has to put the predecessor back"
                    ));
                    left.push(id.clone());
                }
            }
        }
        self.record.moved = left;
        self.rotations().write(&self.record)?;
        Ok(self.record.moved.is_empty())
    }

    /// Advances, waits for the gates, and lets the predecessor go.
    async fn drain(&mut self) -> Result<(), Error> {
        self.note(Step::Drain)?;
        let seen = self.client.rotation(&self.record.rotation_id).await?;
        if seen.value.state != State::Draining {
            let stepped = self.client.advance(&seen).await;
            stepped.map_err(|fault| self.waiting(fault))?;
            self.say(
                "the successor is where it is used; waiting for the predecessor to fall silent",
            );
        }
        self.wait().await?;
        self.note(Step::Complete)?;
        let seen = self.client.rotation(&self.record.rotation_id).await?;
        let stepped = self.client.advance(&seen).await;
        stepped.map_err(|fault| self.waiting(fault))?;
        self.say(&format!("{} is revoked", self.record.predecessor));
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + self.options.wait;
        let mut shown = String::new();
        loop {
            let report = self.client.gates(&self.record.rotation_id).await?;
            let text = render::gates(&report);
            if text != shown {
                self.session.say(&text);
                shown = text;
            }
            let mut missing = missing(&report);
            if report.safe_to_revoke.is_none() && !self.options.moved_everything {
                missing.push(
                    "your word that every place has the successor, --i-have-moved-everything"
                        .to_owned(),
                );
            }
            if missing.is_empty() {
                return Ok(());
            }
            let next = Instant::now() + PAUSE;
            if next > deadline {
                return Err(Error::Gates {
                    rotation: self.record.rotation_id.clone(),
                    missing: missing.join(", "),
                });
            }
            tokio::time::sleep_until(next).await;
        }
    }

    /// A gate that is not met is no failure; it is waited for.
    fn waiting(&self, fault: Error) -> Error {
        match fault {
            Error::Refused(problem) if problem.kind() == Some(ProblemType::GateUnmet) => {
                let names: Vec<String> = problem.gates.iter().map(ToString::to_string).collect();
                Error::Gates {
                    rotation: self.record.rotation_id.clone(),
                    missing: names.join(", "),
                }
            }
            other => other,
        }
    }
}

/// What has to be done by somebody else.
fn foreign(place: &Installation) -> String {
    let body = &place.declared;
    let depends = match body.depends_on.is_empty() {
        true => String::new(),
        false => format!(" (it keeps {} going)", body.depends_on.join(", ")),
    };
    format!(
        "{} is not filled from here: {} has to bring the successor to {} {}{depends}",
        place.id, place.reported_by, body.target.kind, body.target.name
    )
}
