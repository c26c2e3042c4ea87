//! Who was seen using a credential, and which of its permissions.

use std::collections::BTreeMap;

use clp_schemas::ids::CredentialId;
use clp_schemas::time::Timestamp;
use rusqlite::params;

use super::{Fault, Tx};
use crate::lifecycle::access::Use;

/// One consumer of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// Its user agent, where it sent one and the persona looks at it.
    pub user_agent: Option<String>,
    /// Where its calls came from; empty where the persona does not look.
    pub address: String,
    /// Number of calls that were accepted.
    pub uses: u64,
    /// When the first was.
    pub first_seen_at: Timestamp,
    /// When the last was.
    pub last_seen_at: Timestamp,
}

impl Tx<'_> {
    pub(super) fn count_use(&mut self, used: &Use) -> Result<(), Fault> {
        let (tenant, credential) = (self.tenant().as_str(), used.credential.as_str());
        let now = self.now().unix();
        self.connection()
            .prepare_cached(
                "INSERT INTO uses (tenant, credential, user_agent, address, count, first_at, last_at)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5)
                 ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at",
            )?
            .execute(params![tenant, credential, used.user_agent, used.address, now])?;
        for part in &used.parts {
            let part = i64::try_from(*part).unwrap_or(i64::MAX);
            self.connection()
                .prepare_cached(
                    "INSERT INTO part_uses (tenant, credential, part, last_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET last_at = excluded.last_at",
                )?
                .execute(params![tenant, credential, part, now])?;
        }
        self.record_access(&used.credential, used.access.as_ref())
    }

    /// Who used a credential, the last seen first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn consumers(&self, credential: &CredentialId) -> Result<Vec<UseRow>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT user_agent, address, count, first_at, last_at FROM uses
             WHERE tenant = ?1 AND credential = ?2 ORDER BY last_at DESC, user_agent, address",
        )?;
        let rows = statement.query_map(
            params![self.tenant().as_str(), credential.as_str()],
            |row| {
                let user_agent: String = row.get(0)?;
                Ok(UseRow {
                    user_agent: (!user_agent.is_empty()).then_some(user_agent),
                    address: row.get(1)?,
                    uses: u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default(),
                    first_seen_at: Timestamp::from_unix(row.get(3)?),
                    last_seen_at: Timestamp::from_unix(row.get(4)?),
                })
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The parts of a credential's expanded permissions that were used, and when last.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn part_uses(
        &self,
        credential: &CredentialId,
    ) -> Result<BTreeMap<usize, Timestamp>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT part, last_at FROM part_uses WHERE tenant = ?1 AND credential = ?2",
        )?;
        let rows = statement.query_map(
            params![self.tenant().as_str(), credential.as_str()],
            |row| {
                let part = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX);
                Ok((part, Timestamp::from_unix(row.get(1)?)))
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
