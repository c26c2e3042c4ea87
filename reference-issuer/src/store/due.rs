//! What time does by itself.

use clp_schemas::ids::{ChallengeId, CredentialId, DeliveryId, PrincipalId, RequestId, RotationId};
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Tx};

/// Something that happens at a time unless the object has moved on by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A credential's `expires_at` comes.
    Credential(CredentialId),
    /// A delivery is over.
    Delivery(DeliveryId),
    /// A request ends undecided, or its approval unused.
    Request(RequestId),
    /// The deadline of a rotation comes.
    Rotation(RotationId),
    /// A challenge can no longer be answered.
    Challenge(ChallengeId),
    /// The record under an idempotency key is not needed any more.
    Idempotency(i64),
    /// An access token ends.
    Token(String),
    /// An identifier need not be remembered any more.
    Seen(i64),
    /// A principal's readings of the log have been counted together for long enough.
    AuditRead(PrincipalId),
}

impl Due {
    fn to_columns(&self) -> (&'static str, String) {
        match self {
            Self::Credential(id) => ("credential", id.to_string()),
            Self::Delivery(id) => ("delivery", id.to_string()),
            Self::Request(id) => ("request", id.to_string()),
            Self::Rotation(id) => ("rotation", id.to_string()),
            Self::Challenge(id) => ("challenge", id.to_string()),
            Self::Idempotency(number) => ("idempotency", number.to_string()),
            Self::Token(key_id) => ("token", key_id.clone()),
            Self::Seen(number) => ("seen", number.to_string()),
            Self::AuditRead(id) => ("audit_read", id.to_string()),
        }
    }

    fn from_columns(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "credential" => id.parse().ok().map(Self::Credential),
            "delivery" => id.parse().ok().map(Self::Delivery),
            "request" => id.parse().ok().map(Self::Request),
            "rotation" => id.parse().ok().map(Self::Rotation),
            "challenge" => id.parse().ok().map(Self::Challenge),
            "idempotency" => id.parse().ok().map(Self::Idempotency),
            "token" => Some(Self::Token(id.to_owned())),
            "seen" => id.parse().ok().map(Self::Seen),
            "audit_read" => id.parse().ok().map(Self::AuditRead),
            _ => None,
        }
    }
}

impl Tx<'_> {
    /// Notes that something is due.
    pub(crate) fn schedule(&mut self, at: Timestamp, due: &Due) -> Result<(), Fault> {
        let (kind, id) = due.to_columns();
        self.connection()
            .prepare_cached(
                "INSERT OR IGNORE INTO due (tenant, at, kind, id) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![self.tenant().as_str(), at.unix(), kind, id])?;
        Ok(())
    }

    /// Takes the first thing that is due by now, with the time at which it was.
    pub(crate) fn take_due(&mut self) -> Result<Option<(Timestamp, Due)>, Fault> {
        let first: Option<(i64, String, String)> = self
            .connection()
            .prepare_cached(
                "SELECT at, kind, id FROM due WHERE tenant = ?1 AND at <= ?2
                 ORDER BY at, kind, id LIMIT 1",
            )?
            .query_row(params![self.tenant().as_str(), self.now().unix()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((at, kind, id)) = first else {
            return Ok(None);
        };
        self.connection()
            .prepare_cached(
                "DELETE FROM due WHERE tenant = ?1 AND at = ?2 AND kind = ?3 AND id = ?4",
            )?
            .execute(params![self.tenant().as_str(), at, kind, id])?;
        let due = Due::from_columns(&kind, &id).ok_or(Fault::Value("due time"))?;
        Ok(Some((Timestamp::from_unix(at), due)))
    }
}
