//! What proves decisions, the authenticators that made it, and whom to believe about those.

use clp_schemas::ids::{ApprovalId, PrincipalId};
use clp_schemas::ops::approve::AttestationTrust;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::requests::{EvidenceRow, ProofRow};
use super::{Fault, Tx};
use crate::passkey::Passkey;

impl Tx<'_> {
    /// Keeps what proves an approval.
    pub(super) fn put_evidence(&mut self, row: &EvidenceRow) -> Result<(), Fault> {
        let proof = row.proof.as_ref();
        self.connection()
            .prepare_cached(
                "INSERT INTO evidence (approval, tenant, request, document, challenge, evidence, verification)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                row.approval.as_str(),
                self.tenant().as_str(),
                row.request.as_str(),
                serde_json::to_string(&row.document)?,
                written(proof.map(|proof| &proof.challenge))?,
                written(proof.map(|proof| &proof.evidence))?,
                written(proof.map(|proof| &proof.verification))?,
            ])?;
        Ok(())
    }

    /// What proves an approval.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn evidence(&self, approval: &ApprovalId) -> Result<Option<EvidenceRow>, Fault> {
        let texts: Option<(String, String, Proof)> = self
            .connection()
            .prepare_cached(
                "SELECT challenge, evidence, verification, request, document FROM evidence
                 WHERE approval = ?1 AND tenant = ?2",
            )?
            .query_row(params![approval.as_str(), self.tenant().as_str()], |row| {
                Ok((row.get(3)?, row.get(4)?, proof(row)?))
            })
            .optional()?;
        let Some((request, document, proof)) = texts else {
            return Ok(None);
        };
        let proof = match proof {
            (Some(challenge), Some(evidence), Some(verification)) => Some(ProofRow {
                challenge: read(&challenge)?,
                evidence: read(&evidence)?,
                verification: read(&verification)?,
            }),
            _ => None,
        };
        Ok(Some(EvidenceRow {
            approval: approval.clone(),
            request: request.parse().map_err(|_| Fault::Value("request id"))?,
            document: read(&document)?,
            proof,
        }))
    }

    /// The authenticators of a principal.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn passkeys(&self, principal: &PrincipalId) -> Result<Vec<Passkey>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT credential_id, public_key, counter, attestation FROM passkeys
             WHERE principal = ?1 AND tenant = ?2 ORDER BY credential_id",
        )?;
        let mut rows = statement.query(params![principal.as_str(), self.tenant().as_str()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let attestation: Option<String> = row.get(3)?;
            found.push(Passkey {
                credential_id: row.get(0)?,
                public_key: row.get(1)?,
                counter: row.get(2)?,
                attestation: attestation.as_deref().map(read).transpose()?,
            });
        }
        Ok(found)
    }

    /// Registers an authenticator for a principal of the tenant, or sets its counter.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn put_passkey(&mut self, principal: &PrincipalId, passkey: &Passkey) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO passkeys
                 (tenant, principal, credential_id, public_key, counter, attestation)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.tenant().as_str(),
                principal.as_str(),
                passkey.credential_id,
                passkey.public_key,
                passkey.counter,
                written(passkey.attestation.as_ref())?,
            ])?;
        Ok(())
    }

    /// Whose word the tenant takes for what an authenticator is, where it was said for it.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn attestation_trust(&self) -> Result<Option<AttestationTrust>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached("SELECT record FROM attestation_trust WHERE tenant = ?1")?
            .query_row([self.tenant().as_str()], |row| row.get(0))
            .optional()?;
        record.as_deref().map(read).transpose()
    }

    pub(super) fn put_attestation_trust(&mut self, trust: &AttestationTrust) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO attestation_trust (tenant, record) VALUES (?1, ?2)",
            )?
            .execute(params![
                self.tenant().as_str(),
                serde_json::to_string(trust)?
            ])?;
        Ok(())
    }
}

/// Challenge, evidence and verification as they are stored.
type Proof = (Option<String>, Option<String>, Option<String>);

fn proof(row: &Row<'_>) -> rusqlite::Result<Proof> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn written<T: Serialize>(value: Option<&T>) -> Result<Option<String>, Fault> {
    Ok(value.map(serde_json::to_string).transpose()?)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    Ok(serde_json::from_str(text)?)
}
