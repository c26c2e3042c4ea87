//! What was done with a credential, for as many distinct accesses as are kept. What is
//! forgotten is noted, so that nobody takes the rest for all.

use clp_schemas::ids::CredentialId;
use clp_schemas::ops::scope::{MAX_RECORDED, RecordedUse};
use clp_schemas::permissions::Recorded;
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Tx};

impl Tx<'_> {
    /// Notes an access now. Beyond the bound, the one that was not used for longest is
    /// forgotten.
    pub(super) fn record_access(
        &mut self,
        credential: &CredentialId,
        access: Option<&Recorded>,
    ) -> Result<(), Fault> {
        let now = self.now().unix();
        let Some(access) = access else {
            return self.forget_accesses(credential, now);
        };
        let (tenant, id) = (self.tenant().as_str(), credential.as_str());
        let text = serde_json::to_string(access)?;
        let known = self
            .connection()
            .prepare_cached(
                "UPDATE accesses SET count = count + 1, last_at = ?4
                 WHERE tenant = ?1 AND credential = ?2 AND access = ?3",
            )?
            .execute(params![tenant, id, text, now])?;
        if known > 0 {
            return Ok(());
        }
        self.connection()
            .prepare_cached(
                "INSERT INTO accesses (tenant, credential, access, count, first_at, last_at)
                 VALUES (?1, ?2, ?3, 1, ?4, ?4)",
            )?
            .execute(params![tenant, id, text, now])?;
        let kept = i64::try_from(MAX_RECORDED).unwrap_or(i64::MAX);
        let oldest: Option<(String, i64)> = self
            .connection()
            .prepare_cached(
                "SELECT access, last_at FROM accesses WHERE tenant = ?1 AND credential = ?2
                 ORDER BY last_at DESC, first_at DESC, access LIMIT 1 OFFSET ?3",
            )?
            .query_row(params![tenant, id, kept], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((oldest, last_at)) = oldest else {
            return Ok(());
        };
        self.connection()
            .prepare_cached(
                "DELETE FROM accesses WHERE tenant = ?1 AND credential = ?2 AND access = ?3",
            )?
            .execute(params![tenant, id, oldest])?;
        self.forget_accesses(credential, last_at)
    }

    fn forget_accesses(&mut self, credential: &CredentialId, until: i64) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO forgotten_accesses (tenant, credential, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
            )?
            .execute(params![self.tenant().as_str(), credential.as_str(), until])?;
        Ok(())
    }

    /// The last second of an access that is not kept any more, if there is one.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn forgotten_until(&self, credential: &CredentialId) -> Result<Option<Timestamp>, Fault> {
        let until: Option<i64> = self
            .connection()
            .prepare_cached(
                "SELECT until FROM forgotten_accesses WHERE tenant = ?1 AND credential = ?2",
            )?
            .query_row(
                params![self.tenant().as_str(), credential.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        Ok(until.map(Timestamp::from_unix))
    }

    /// The distinct accesses since then that are kept, the last used first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn accesses(
        &self,
        credential: &CredentialId,
        since: Timestamp,
    ) -> Result<Vec<RecordedUse>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT access, count, first_at, last_at FROM accesses
             WHERE tenant = ?1 AND credential = ?2 AND last_at >= ?3
             ORDER BY last_at DESC, first_at DESC, access",
        )?;
        let rows = statement.query_map(
            params![self.tenant().as_str(), credential.as_str(), since.unix()],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, i64>(3)?,
                ))
            },
        )?;
        rows.map(|row| {
            let (text, count, first_at, last_at) = row?;
            let counted = u64::try_from(count).unwrap_or_default();
            Ok(RecordedUse {
                access: serde_json::from_str(&text)?,
                // Of those before, nobody knows how many there were since.
                uses: if first_at >= since.unix() { counted } else { 1 },
                last_used_at: Timestamp::from_unix(last_at),
            })
        })
        .collect()
    }
}
