//! Identifiers that are good once: of assertions and of proofs.

use clp_schemas::ids::CredentialId;
use rusqlite::params;

use super::{Due, Fault, Tx};
use crate::lifecycle::access::Spent;

/// What an identifier is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// An assertion (RFC 7523).
    Assertion,
    /// A proof of possession (RFC 9449).
    Proof,
}

impl Once {
    const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Proof => "proof",
        }
    }
}

impl Tx<'_> {
    /// Whether an identifier was accepted before.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn was_seen(&self, kind: Once, credential: &CredentialId, id: &str) -> Result<bool, Fault> {
        Ok(self
            .connection()
            .prepare_cached("SELECT 1 FROM seen WHERE tenant = ?1 AND kind = ?2 AND credential = ?3 AND id = ?4")?
            .exists(params![self.tenant().as_str(), kind.name(), credential.as_str(), id])?)
    }

    pub(super) fn remember(&mut self, spent: &Spent) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO seen (tenant, kind, credential, id) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                self.tenant().as_str(),
                spent.kind.name(),
                spent.credential.as_str(),
                spent.id
            ])?;
        let number = self.connection().last_insert_rowid();
        self.schedule(spent.forget_at, &Due::Seen(number))
    }

    /// Forgets an identifier.
    pub(crate) fn drop_seen(&mut self, number: i64) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("DELETE FROM seen WHERE number = ?1 AND tenant = ?2")?
            .execute(params![number, self.tenant().as_str()])?;
        Ok(())
    }
}
