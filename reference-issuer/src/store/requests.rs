//! Requests, the challenges that approvers answer, and what proves that they did.

use clp_schemas::ids::{ApprovalId, ChallengeId, RequestId};
use clp_schemas::ops::approve::{Challenge, Evidence, Verification};
use clp_schemas::ops::request::CredentialRequest;
use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use super::{Fault, Tx};

/// A challenge and whether it was answered.
#[derive(Clone, Debug)]
pub struct ChallengeRow {
    /// The challenge.
    pub challenge: Challenge,
    /// Whether evidence for it has been looked at.
    pub used: bool,
}

/// What was decided on and what proves it, for whoever doubts it later.
#[derive(Clone, Debug)]
pub struct EvidenceRow {
    /// The approval.
    pub approval: ApprovalId,
    /// The request decided on.
    pub request: RequestId,
    /// The document of the version decided on.
    pub document: Value,
    /// What a person answered; nothing where no person did.
    pub proof: Option<ProofRow>,
}

/// The answer to a challenge.
#[derive(Clone, Debug)]
pub struct ProofRow {
    /// The challenge that was answered.
    pub challenge: Challenge,
    /// The answer, as it was submitted.
    pub evidence: Evidence,
    /// What it was checked with.
    pub verification: Verification,
}

impl Tx<'_> {
    /// A request of the tenant.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn request(&self, id: &RequestId) -> Result<Option<CredentialRequest>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached("SELECT record FROM requests WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    pub(super) fn save_request(&mut self, request: &CredentialRequest) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO requests (id, tenant, state, record) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record",
            )?
            .execute(params![
                request.id.as_str(),
                self.tenant().as_str(),
                request.state.to_string(),
                serde_json::to_string(request)?,
            ])?;
        Ok(())
    }

    /// The id and state of every request of the tenant, oldest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn request_states(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT id, state FROM requests WHERE tenant = ?1 ORDER BY rowid")?;
        let rows = statement.query_map([self.tenant().as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a challenge until it is over.
    pub(super) fn put_challenge(&mut self, challenge: &Challenge) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO challenges (id, tenant, used, record) VALUES (?1, ?2, 0, ?3)",
            )?
            .execute(params![
                challenge.id.as_str(),
                self.tenant().as_str(),
                serde_json::to_string(challenge)?,
            ])?;
        Ok(())
    }

    /// A challenge of the tenant; `None` once it is over.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn challenge(&self, id: &ChallengeId) -> Result<Option<ChallengeRow>, Fault> {
        let row: Option<(bool, String)> = self
            .connection()
            .prepare_cached("SELECT used, record FROM challenges WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        row.map(|(used, record)| {
            Ok(ChallengeRow {
                challenge: serde_json::from_str(&record)?,
                used,
            })
        })
        .transpose()
    }

    /// Uses a challenge up.
    pub(super) fn use_challenge(&mut self, id: &ChallengeId) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("UPDATE challenges SET used = 1 WHERE id = ?1 AND tenant = ?2")?
            .execute(params![id.as_str(), self.tenant().as_str()])?;
        Ok(())
    }

    pub(crate) fn drop_challenge(&mut self, id: &ChallengeId) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("DELETE FROM challenges WHERE id = ?1 AND tenant = ?2")?
            .execute(params![id.as_str(), self.tenant().as_str()])?;
        Ok(())
    }
}
