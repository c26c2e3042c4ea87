//! Rotations.

use clp_schemas::ids::{CredentialId, RotationId};
use clp_schemas::ops::rotate::RotationReason;
use clp_schemas::state::rotation::State;
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Fault, Tx};
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
}

impl Tx<'_> {
    fn open_rotation(&self, column: &str, id: &CredentialId) -> Result<Option<RotationRow>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached(&format!(
                "SELECT record FROM rotations WHERE {column} = ?1 AND tenant = ?2 AND state = ?3"
            ))?
            .query_row(
                params![
                    id.as_str(),
                    self.tenant().as_str(),
                    State::Created.to_string()
                ],
                |row| row.get(0),
            )
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
                "INSERT INTO rotations (id, tenant, state, predecessor, successor, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record",
            )?
            .execute(params![
                rotation.id.as_str(),
                self.tenant().as_str(),
                rotation.state.to_string(),
                rotation.predecessor.as_str(),
                rotation.successor.as_str(),
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
