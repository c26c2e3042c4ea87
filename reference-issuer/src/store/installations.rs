//! Where credentials are used, as clients say.

use clp_schemas::ids::{CredentialId, InstallationId};
use clp_schemas::ops::inject::Installation;
use clp_schemas::state::installation::State;
use rusqlite::types::Value as Bound;
use rusqlite::{OptionalExtension as _, params, params_from_iter};

use super::{Fault, Tx};

/// An installation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationRow {
    /// The first credential of the line that it belongs to.
    pub line: CredentialId,
    /// The installation; without `last_seen_at`, which is looked up.
    pub installation: Installation,
}

impl Tx<'_> {
    /// An installation of a line.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn installation(
        &self,
        line: &CredentialId,
        id: &InstallationId,
    ) -> Result<Option<Installation>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached(
                "SELECT record FROM installations WHERE tenant = ?1 AND line = ?2 AND id = ?3",
            )?
            .query_row(
                params![self.tenant().as_str(), line.as_str(), id.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    /// Every installation of a line, the oldest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn installations_of_line(&self, line: &CredentialId) -> Result<Vec<Installation>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT record FROM installations WHERE tenant = ?1 AND line = ?2 ORDER BY seq",
        )?;
        let rows = statement.query_map(params![self.tenant().as_str(), line.as_str()], |row| {
            row.get::<_, String>(0)
        })?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    /// The installations that are below a credential, newest first, from after a number on, at
    /// most `limit`, each with its number.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn installations(
        &self,
        credential: &CredentialId,
        state: Option<State>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, Installation)>, Fault> {
        let mut text = String::from(
            "SELECT seq, record FROM installations WHERE tenant = ? AND credential = ?",
        );
        let mut values = vec![
            Bound::Text(self.tenant().to_string()),
            Bound::Text(credential.to_string()),
        ];
        if let Some(state) = state {
            text.push_str(" AND state = ?");
            values.push(Bound::Text(state.to_string()));
        }
        if let Some(after) = after {
            text.push_str(" AND seq < ?");
            values.push(Bound::Integer(after));
        }
        text.push_str(" ORDER BY seq DESC LIMIT ?");
        values.push(Bound::Integer(i64::from(limit)));
        let mut statement = self.connection().prepare_cached(&text)?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (number, record) = row?;
            Ok((number, serde_json::from_str(&record)?))
        })
        .collect()
    }

    pub(super) fn save_installation(&mut self, row: &InstallationRow) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO installations (tenant, line, id, credential, state, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (tenant, line, id) DO UPDATE
                 SET credential = excluded.credential, state = excluded.state, record = excluded.record",
            )?
            .execute(params![
                self.tenant().as_str(),
                row.line.as_str(),
                row.installation.id.as_str(),
                row.installation.credential_id.as_str(),
                row.installation.declared.state.to_string(),
                serde_json::to_string(&row.installation)?,
            ])?;
        Ok(())
    }

    pub(super) fn remove_installation(&mut self, row: &InstallationRow) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "DELETE FROM installations WHERE tenant = ?1 AND line = ?2 AND id = ?3",
            )?
            .execute(params![
                self.tenant().as_str(),
                row.line.as_str(),
                row.installation.id.as_str()
            ])?;
        Ok(())
    }

    /// The id and state of every installation of the tenant, oldest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn installation_states(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT id, state FROM installations WHERE tenant = ?1 ORDER BY seq")?;
        let rows = statement.query_map([self.tenant().as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
