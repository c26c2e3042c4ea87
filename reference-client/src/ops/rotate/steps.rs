//! The steps of a rotation, each written down before it is taken. Every step looks first at
//! how things are, so that taking it again does nothing twice.

use std::time::Duration;

use clp_schemas::endpoint::Class;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::revoke::{RevocationMode, RevocationReason};
use clp_schemas::ops::rotate::Rotation;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::installation;
use clp_schemas::state::rotation::State;
use serde_json::json;

use super::record::{Record, Records, Step};
use super::sabotage;
use super::voice::Voice;
use crate::client::Client;
use crate::error::{Error, LocalFault};
use crate::ops::Session;
use crate::ops::inject::LOOKS;
use crate::ops::store_registry::acknowledge;
use crate::render::{self, Outcome};
use crate::store::Entry;

/// What a run may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// How long to wait for the gates.
    pub(super) wait: Duration,
    /// Whether a person has seen that every place has the successor.
    pub(super) moved_everything: bool,
    /// How long a command that checks health may take.
    pub(super) health_limit: Duration,
}

/// A rotation on its way.
pub(super) struct Drive<'a> {
    pub(super) client: &'a Client,
    pub(super) session: &'a Session,
    pub(super) record: Record,
    pub(super) options: Options,
    voice: Voice<'a>,
    said: Vec<String>,
}

impl<'a> Drive<'a> {
    pub(super) fn new(
        client: &'a Client,
        session: &'a Session,
        record: Record,
        options: Options,
        voice: Voice<'a>,
    ) -> Self {
        Self {
            client,
            session,
            record,
            options,
            voice,
            said: Vec::new(),
        }
    }

    /// Takes the rotation as far as it goes.
    pub(super) async fn forward(mut self) -> Result<Outcome, Error> {
        if self.record.step == Step::RevokeFirst {
            self.revoke_first().await?;
        }
        let mut rotation = self.rotation().await?;
        if rotation.state == State::RolledBack {
            return self.given_back(&rotation).await;
        }
        // Whoever ended the old one in haste has left its places with a key that opens nothing.
        let over = rotation.state == State::Completed && !self.record.compromised;
        // A successor whose secret is not stored yet has a delivery that is soon over.
        if over && !self.has_left_behind()? && self.is_stored(&rotation)? {
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
        if rotation.state == State::RolledBack {
            return self.given_back(&rotation).await;
        }
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
            let predecessor = self.record.predecessor.clone();
            let there = self.client.installations(&successor).await?;
            let there = there
                .into_iter()
                .filter(|place| place.declared.state != installation::State::Retired);
            // Somebody was about to give these the predecessor back, and perhaps has not
            // (CLP-ROT-036).
            let between = self.client.installations(&predecessor).await?;
            let between = between
                .into_iter()
                .filter(|place| place.declared.state == installation::State::Updating);
            for place in there.chain(between) {
                if !self.record.moved.contains(&place.id) {
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
        if !self.record.managed {
            let (mode, reason) = (RevocationMode::Immediate, RevocationReason::Other);
            let successor = self.record.successor.clone();
            self.client.revoke(&successor, mode, reason, None).await?;
            self.say(&format!("{} works again", self.record.predecessor));
            let rotation = self.rotation().await?;
            return self.ended(&rotation);
        }
        let mut looks = LOOKS;
        let rotation = loop {
            let seen = self.client.rotation(&self.record.rotation_id).await?;
            looks -= 1;
            match self.client.roll_back(&seen).await {
                Err(fault)
                    if looks > 0 && fault.problem() == Some(ProblemType::PreconditionFailed) => {}
                other => break other?,
            }
        };
        self.say(&format!("{} works again", rotation.predecessor));
        self.ended(&rotation)
    }

    /// The successor is gone, by this client or by somebody else: no place may be left with it.
    async fn given_back(mut self, rotation: &Rotation) -> Result<Outcome, Error> {
        if !self.put_back().await? {
            return Err(self.unhealthy(
                "the successor is gone and places still have it, and nobody put the predecessor back",
            ));
        }
        self.ended(rotation)
    }

    pub(super) fn say(&mut self, line: &str) {
        let line = render::clean(line);
        self.voice.say(&line);
        self.said.push(line);
    }

    /// What is on the way, and need not be in the answer.
    pub(super) fn mention(&self, lines: &str) {
        self.voice.mention(lines);
    }

    pub(super) fn rotations(&self) -> Records {
        self.session.home.rotations(self.client.id())
    }

    pub(super) fn entry(&self, id: &CredentialId) -> Result<Entry, LocalFault> {
        self.session.home.store().entry(&self.record.issuer, id)
    }

    /// Writes down what is about to be done.
    pub(super) fn note(&mut self, step: Step) -> Result<(), LocalFault> {
        self.record.step = step;
        self.rotations().write(&self.record)
    }

    pub(super) async fn has_inventory(&self) -> Result<bool, Error> {
        Ok(self
            .client
            .issuer()
            .await?
            .manifest
            .claims(Class::Inventory))
    }

    pub(super) async fn rotation(&self) -> Result<Rotation, Error> {
        match self.record.managed {
            true => Ok(self.client.rotation(&self.record.rotation_id).await?.value),
            false => self.client.rotation_by_its_ends(&self.record).await,
        }
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

    fn is_stored(&self, rotation: &Rotation) -> Result<bool, LocalFault> {
        let store = self.session.home.store();
        store.holds(&self.record.issuer, &rotation.successor)
    }

    async fn store(&mut self, rotation: &Rotation) -> Result<(), Error> {
        let store = self.session.home.store();
        if self.is_stored(rotation)? {
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
}
