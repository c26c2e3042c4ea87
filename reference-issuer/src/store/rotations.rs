//! Rotations.

use clp_schemas::ids::{CredentialId, RotationId, TenantId};
use clp_schemas::ops::rotate::{Plan, RotationReason};
use clp_schemas::state::rotation::State;
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Fault, Gate, Tx};
use crate::lifecycle::rotation::Neighbours;

/// A rotation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationRow {
    /// The rotation.
    pub id: RotationId,
    /// Where it stands.
    pub state: State,
    /// Why it was begun.
    pub reason: RotationReason,
    /// The credential that is replaced.
    pub predecessor: CredentialId,
    /// The credential that replaces it.
    pub successor: CredentialId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When the predecessor may go; `None` where the persona does not claim `lifecycle`.
    pub plan: Option<Plan>,
    /// What a health check shows to be refused.
    pub probe_value: Option<String>,
    /// The public part of the probe value, where it has the form of a key.
    pub probe_key_id: Option<String>,
    /// When the probe value was last seen to be refused.
    pub probe_refused_at: Option<Timestamp>,
    /// When a test event that the successor alone signed was last accepted.
    pub event_accepted_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Gate<'_> {
    /// The open rotation of a persona whose probe value has this public part.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn rotation_of_probe(
        &self,
        persona: &str,
        key_id: &str,
    ) -> Result<Option<(TenantId, RotationId)>, Fault> {
        let found: Option<(String, String)> = self
            .connection()
            .prepare_cached(
                "SELECT tenant, rotations.id FROM rotations JOIN tenants ON tenants.id = tenant
                 WHERE probe_key_id = ?1 AND persona = ?2 AND state NOT IN ('completed', 'rolled_back')",
            )?
            .query_row(params![key_id, persona], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        found
            .map(|(tenant, id)| {
                Ok((
                    tenant.parse().map_err(|_| Fault::Value("tenant id"))?,
                    id.parse().map_err(|_| Fault::Value("rotation id"))?,
                ))
            })
            .transpose()
    }
}

impl Tx<'_> {
    /// A rotation of the tenant.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn rotation(&self, id: &RotationId) -> Result<Option<RotationRow>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached("SELECT record FROM rotations WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    fn open_rotation(&self, column: &str, id: &CredentialId) -> Result<Option<RotationRow>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached(&format!(
                "SELECT record FROM rotations
                 WHERE {column} = ?1 AND tenant = ?2 AND state NOT IN ('completed', 'rolled_back')"
            ))?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    /// The open rotations that a credential has a part in.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn neighbours(&self, id: &CredentialId) -> Result<Neighbours, Fault> {
        let replaces = match self.open_rotation("successor", id)? {
            Some(rotation) => self
                .credential(&rotation.predecessor)?
                .map(|predecessor| (rotation, predecessor)),
            None => None,
        };
        Ok(Neighbours {
            replaced_by: self.open_rotation("predecessor", id)?,
            replaces,
        })
    }

    pub(super) fn save_rotation(&mut self, rotation: &RotationRow) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO rotations (id, tenant, state, predecessor, successor, probe_key_id, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record",
            )?
            .execute(params![
                rotation.id.as_str(),
                self.tenant().as_str(),
                rotation.state.to_string(),
                rotation.predecessor.as_str(),
                rotation.successor.as_str(),
                rotation.probe_key_id,
                serde_json::to_string(rotation)?,
            ])?;
        Ok(())
    }

    /// The id and state of every rotation of the tenant, oldest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn rotation_states(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT id, state FROM rotations WHERE tenant = ?1 ORDER BY rowid")?;
        let rows = statement.query_map([self.tenant().as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ends_that_queries_name_are_the_ends() {
        let ended: Vec<String> = State::ALL
            .iter()
            .filter(|state| !state.is_open())
            .map(ToString::to_string)
            .collect();
        assert_eq!(ended, ["completed", "rolled_back"]);
    }
}
