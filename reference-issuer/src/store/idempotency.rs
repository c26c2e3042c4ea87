//! Answers that are given again when a call is repeated (specification chapter 02,
//! "Idempotency").

use clp_schemas::ids::PrincipalId;
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Due, Fault, Tx};

/// What makes two calls the same call.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// Who calls.
    pub principal: PrincipalId,
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The key that the caller chose, without quotes.
    pub key: String,
}

/// A recorded answer. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// SHA-256 of the canonical form of the body.
    pub body_hash: [u8; 32],
    /// The status.
    pub status: u16,
    /// The `Location` header field, if there was one.
    pub location: Option<String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Tx<'_> {
    /// The answer recorded under a key.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn recorded(&self, key: &IdempotencyKey) -> Result<Option<Recorded>, Fault> {
        Ok(self
            .connection()
            .prepare_cached(
                "SELECT body_hash, status, location, body FROM idempotency
                 WHERE tenant = ?1 AND principal = ?2 AND method = ?3 AND path = ?4 AND key = ?5",
            )?
            .query_row(
                params![
                    self.tenant().as_str(),
                    key.principal.as_str(),
                    key.method,
                    key.path,
                    key.key
                ],
                |row| {
                    Ok(Recorded {
                        body_hash: row.get(0)?,
                        status: row.get(1)?,
                        location: row.get(2)?,
                        body: row.get(3)?,
                    })
                },
            )
            .optional()?)
    }

    /// Records an answer until it need not be kept any more.
    pub(crate) fn record(
        &mut self,
        key: &IdempotencyKey,
        answer: &Recorded,
        forget_at: Timestamp,
    ) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO idempotency (tenant, principal, method, path, key, body_hash, status, location, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                self.tenant().as_str(),
                key.principal.as_str(),
                key.method,
                key.path,
                key.key,
                answer.body_hash,
                answer.status,
                answer.location,
                answer.body,
            ])?;
        let number = self.connection().last_insert_rowid();
        self.schedule(forget_at, &Due::Idempotency(number))
    }

    pub(crate) fn drop_recorded(&mut self, number: i64) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("DELETE FROM idempotency WHERE number = ?1 AND tenant = ?2")?
            .execute(params![number, self.tenant().as_str()])?;
        Ok(())
    }
}
