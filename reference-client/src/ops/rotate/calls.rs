//! The calls of a rotation, and what is checked of their answers.

use clp_schemas::ids::RotationId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{Credential, CredentialPath};
use clp_schemas::ops::revoke::NoteBody;
use clp_schemas::ops::rotate::{
    GateReport, Rotation, RotationAdvance, RotationBody, RotationGates, RotationOpen, RotationPath,
    RotationRead, RotationReason, RotationRollback,
};
use clp_schemas::state::credential;
use clp_schemas::state::rotation::State;

use super::draining::missing;
use super::record::Record;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::tagged::Tagged;

impl Client {
    /// Begins a rotation, with a key that the caller keeps for repetitions. The successor's
    /// secret is fetched apart, with [`Client::store_secret`].
    ///
    /// # Errors
    /// [`ProtocolFault::TooBroad`] if the successor opens more than its predecessor, or than
    /// was asked for; [`ProtocolFault::Mismatch`] if the rotation is of another credential;
    /// otherwise as every call.
    pub async fn rotate(
        &self,
        predecessor: &Credential,
        body: &RotationBody,
        key: &str,
    ) -> Result<Rotation, Error> {
        let path = CredentialPath {
            credential_id: predecessor.id.clone(),
        };
        let rotation = self.call_with_key::<RotationOpen>(&path, body, key).await?;
        let successor = &rotation.credential;
        let belongs = rotation.predecessor == predecessor.id
            && rotation.successor == successor.id
            && successor.id != predecessor.id
            && successor.kind == predecessor.kind
            && successor.project == predecessor.project
            && successor.environment == predecessor.environment
            && successor.cnf == predecessor.cnf
            && successor.webhook == predecessor.webhook
            && (body.public_jwk.is_none() || successor.public_jwk == body.public_jwk);
        if !belongs {
            return Err(ProtocolFault::Mismatch("the rotation").into());
        }
        let asked = body
            .permissions
            .as_ref()
            .unwrap_or(&predecessor.permissions);
        self.require_within(successor, asked).await?;
        Ok(rotation)
    }

    /// Reads a rotation, to decide on its next stage.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn rotation(&self, id: &RotationId) -> Result<Tagged<Rotation>, Error> {
        let path = RotationPath {
            rotation_id: id.clone(),
        };
        let seen = self.call_tagged::<RotationRead>(&path).await?;
        match seen.value.id == *id && seen.value.credential.id == seen.value.successor {
            true => Ok(seen),
            false => Err(ProtocolFault::Mismatch("the rotation").into()),
        }
    }

    /// A rotation of which the issuer keeps no record: what it is at shows in its two
    /// credentials (spec chapter 18, "One at a time").
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if they do not belong to each other.
    pub(super) async fn rotation_by_its_ends(&self, record: &Record) -> Result<Rotation, Error> {
        let predecessor = self.credential(&record.predecessor).await?;
        let successor = self.credential(&record.successor).await?;
        if successor.predecessor.as_ref() != Some(&predecessor.id) {
            return Err(ProtocolFault::Mismatch("the rotation").into());
        }
        let state = match (predecessor.state.is_live(), successor.state.is_live()) {
            (false, _) => State::Completed,
            (true, false) => State::RolledBack,
            (true, true) if successor.state == credential::State::Provisioned => State::Created,
            (true, true) => State::Distributing,
        };
        Ok(Rotation {
            id: record.rotation_id.clone(),
            state,
            reason: record.reason.unwrap_or(RotationReason::Scheduled),
            predecessor: predecessor.id,
            successor: successor.id.clone(),
            created_at: successor.created_at,
            credential: successor,
            plan: None,
            probe_value: None,
            ended_at: None,
        })
    }

    /// What still stands between a rotation and its end.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another rotation, or
    /// says that it is safe while a gate is not met.
    pub async fn gates(&self, id: &RotationId) -> Result<GateReport, Error> {
        let path = RotationPath {
            rotation_id: id.clone(),
        };
        let report = self
            .call::<RotationGates>(&path, &Nothing {}, &Nothing {})
            .await?;
        let safe = report.safe_to_revoke.as_ref().is_some_and(|said| said.safe);
        let sound = !safe || (!report.gates.is_empty() && missing(&report).is_empty());
        match report.rotation_id == *id && sound {
            true => Ok(report),
            false => Err(ProtocolFault::Mismatch("the gates").into()),
        }
    }

    /// Takes a rotation one stage further, as it was seen.
    ///
    /// # Errors
    /// [`ProblemType::GateUnmet`] while a gate is not met; otherwise as every call.
    pub async fn advance(&self, seen: &Tagged<Rotation>) -> Result<Tagged<Rotation>, Error> {
        let path = RotationPath {
            rotation_id: seen.value.id.clone(),
        };
        let body = NoteBody::default();
        let answer = self
            .change::<RotationAdvance>(&path, &body, seen.condition()?)
            .await?;
        let wanted = match seen.value.state {
            State::Distributing => State::Draining,
            _ => State::Completed,
        };
        match answer.value.id == seen.value.id && answer.value.state == wanted {
            true => Ok(answer),
            false => Err(ProtocolFault::Mismatch("the stage of the rotation").into()),
        }
    }

    /// Gives the predecessor back, as the rotation was seen.
    ///
    /// # Errors
    /// [`ProblemType::GateUnmet`] while a place has the successor; otherwise as every call.
    pub async fn roll_back(&self, seen: &Tagged<Rotation>) -> Result<Rotation, Error> {
        let path = RotationPath {
            rotation_id: seen.value.id.clone(),
        };
        let body = NoteBody::default();
        let answer = self
            .change::<RotationRollback>(&path, &body, seen.condition()?)
            .await?
            .value;
        match answer.id == seen.value.id && answer.state == State::RolledBack {
            true => Ok(answer),
            false => Err(ProtocolFault::Mismatch("the stage of the rotation").into()),
        }
    }
}
