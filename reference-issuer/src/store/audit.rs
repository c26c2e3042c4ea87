//! The log: entries, and the nodes of the Merkle tree over them. Appending and proving read
//! and write O(log n) nodes.

use std::collections::BTreeMap;

use clp_schemas::audit::AuditEntry;
use clp_schemas::audit::leaf::{self, Disclosed, SALT_BYTES};
use clp_schemas::audit::merkle::{self, Hash, Node, TreeFault};
use clp_schemas::canonical;
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::audit::EntriesQuery;
use clp_schemas::time::Timestamp;
use rusqlite::types::Value as Bound;
use rusqlite::{OptionalExtension as _, params, params_from_iter};

use super::{Due, Fault, Tx};
use crate::audit::Entry;

/// For how long readings of the log are counted together, in seconds: the most that the
/// specification admits.
pub const JOIN_SECONDS: i64 = 300;

/// Which part of the log a page is taken from.
#[derive(Clone, Debug)]
pub struct EntryRange {
    /// The first index.
    pub from: u64,
    /// The index before which it ends.
    pub before: u64,
    /// Entries about these, `<project>/<environment>`.
    pub places: Vec<String>,
    /// And entries about none.
    pub without_place: bool,
}

impl From<TreeFault<Fault>> for Fault {
    fn from(fault: TreeFault<Fault>) -> Self {
        match fault {
            TreeFault::Read(fault) => fault,
            TreeFault::OutOfRange => Self::Tree,
        }
    }
}

impl Tx<'_> {
    /// Appends an entry to the tenant's log.
    pub(super) fn audit(&mut self, entry: &Entry) -> Result<(), Fault> {
        let size = self.audit_size()?;
        let mut salts = Vec::with_capacity(entry.members.len());
        for _ in &entry.members {
            salts.push(self.context().random.bytes::<SALT_BYTES>()?);
        }
        let mut salts = salts.into_iter();
        let time = entry.at.unwrap_or(self.now());
        let (bytes, disclosed) = leaf::seal(
            size,
            time,
            entry.event.as_str(),
            entry.members.clone(),
            // One salt was drawn for each member.
            || salts.next().unwrap_or_default(),
        )?;
        let completed = merkle::append(size, merkle::leaf_hash(&bytes), |node| {
            self.audit_node(node)
        })?;
        self.connection()
            .prepare_cached(
                "INSERT INTO audit_entries (tenant, number, time, event, place, leaf, disclosed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.tenant().as_str(),
                to_column(size)?,
                time.unix(),
                entry.event.as_str(),
                entry.place,
                bytes,
                serde_json::to_string(&disclosed)?,
            ])?;
        for object in &entry.about {
            self.connection()
                .prepare_cached("INSERT OR IGNORE INTO audit_about (tenant, object, number) VALUES (?1, ?2, ?3)")?
                .execute(params![self.tenant().as_str(), object, to_column(size)?])?;
        }
        for (node, hash) in completed {
            self.connection()
                .prepare_cached(
                    "INSERT INTO audit_nodes (tenant, level, number, hash) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    self.tenant().as_str(),
                    node.level,
                    to_column(node.index)?,
                    hash.0
                ])?;
        }
        Ok(())
    }

    /// The number of entries in the tenant's log.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn audit_size(&self) -> Result<u64, Fault> {
        let last: Option<i64> = self
            .connection()
            .prepare_cached("SELECT max(number) FROM audit_entries WHERE tenant = ?1")?
            .query_row([self.tenant().as_str()], |row| row.get(0))?;
        Ok(match last {
            Some(last) => u64::try_from(last).map_err(|_| Fault::Tree)? + 1,
            None => 0,
        })
    }

    /// A node of the tree over the tenant's log.
    ///
    /// # Errors
    /// [`Fault::Tree`] if it is not there.
    pub fn audit_node(&self, node: Node) -> Result<Hash, Fault> {
        self.connection()
            .prepare_cached(
                "SELECT hash FROM audit_nodes WHERE tenant = ?1 AND level = ?2 AND number = ?3",
            )?
            .query_row(
                params![self.tenant().as_str(), node.level, to_column(node.index)?],
                |row| row.get(0),
            )
            .optional()?
            .map(Hash)
            .ok_or(Fault::Tree)
    }

    /// The `<project>/<environment>` of every entry of the log that has one, each once.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn audit_places(&self) -> Result<Vec<String>, Fault> {
        // One step of the index for each place, however many entries it has.
        let mut statement = self.connection().prepare_cached(
            "WITH RECURSIVE next(place) AS (
                 SELECT min(place) FROM audit_entries WHERE tenant = ?1
                 UNION ALL
                 SELECT (SELECT min(place) FROM audit_entries WHERE tenant = ?1 AND place > next.place)
                 FROM next WHERE next.place IS NOT NULL
             )
             SELECT place FROM next WHERE place IS NOT NULL",
        )?;
        let places = statement.query_map([self.tenant().as_str()], |row| row.get(0))?;
        Ok(places.collect::<Result<_, _>>()?)
    }

    /// Entries that the range covers and the query matches, oldest first, at most `limit`.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn audit_entries(
        &self,
        query: &EntriesQuery,
        range: &EntryRange,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, Fault> {
        let mut text = String::from(
            "SELECT number, leaf, disclosed FROM audit_entries
             WHERE tenant = ? AND number >= ? AND number < ?
             AND (place IN (SELECT value FROM json_each(?)) OR (place IS NULL AND ?))",
        );
        let mut values = vec![
            Bound::Text(self.tenant().to_string()),
            Bound::Integer(to_column(range.from)?),
            Bound::Integer(to_column(range.before)?),
            Bound::Text(serde_json::to_string(&range.places)?),
            Bound::Integer(i64::from(range.without_place)),
        ];
        let credential = query.credential_id.as_ref().map(ToString::to_string);
        let rotation = query.rotation_id.as_ref().map(ToString::to_string);
        for object in [credential, rotation].into_iter().flatten() {
            text.push_str(
                " AND number IN (SELECT number FROM audit_about WHERE tenant = ? AND object = ?)",
            );
            values.push(Bound::Text(self.tenant().to_string()));
            values.push(Bound::Text(object));
        }
        for (condition, bound) in [
            (" AND time >= ?", query.since),
            (" AND time < ?", query.until),
        ] {
            if let Some(bound) = bound {
                text.push_str(condition);
                values.push(Bound::Integer(bound.unix()));
            }
        }
        if let Some(event) = &query.event {
            text.push_str(" AND event = ?");
            values.push(Bound::Text(event.clone()));
        }
        text.push_str(" ORDER BY number LIMIT ?");
        values.push(Bound::Integer(i64::from(limit)));
        let mut statement = self.connection().prepare_cached(&text)?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        rows.map(|row| {
            let (number, leaf, disclosed) = row?;
            Ok(AuditEntry {
                index: u64::try_from(number).map_err(|_| Fault::Tree)?,
                leaf: canonical::to_base64(&leaf),
                disclosed: serde_json::from_str::<BTreeMap<String, Disclosed>>(&disclosed)?,
            })
        })
        .collect()
    }

    /// Notes that a principal read the log. Readings are counted together, and written as one
    /// entry when [`JOIN_SECONDS`] have passed since the first.
    pub(super) fn note_audit_read(&mut self, reader: &PrincipalId) -> Result<(), Fault> {
        let now = self.now();
        let first: bool = self
            .connection()
            .prepare_cached(
                "INSERT INTO audit_readings (tenant, principal, count, first_at, last_at) VALUES (?1, ?2, 1, ?3, ?3)
                 ON CONFLICT (tenant, principal) DO UPDATE SET count = count + 1, last_at = excluded.last_at
                 RETURNING count = 1",
            )?
            .query_row(params![self.tenant().as_str(), reader.as_str(), now.unix()], |row| row.get(0))?;
        if first {
            self.schedule(now.plus(JOIN_SECONDS), &Due::AuditRead(reader.clone()))?;
        }
        Ok(())
    }

    /// Takes the readings of a principal that were counted together.
    pub(crate) fn take_audit_reads(
        &mut self,
        reader: &PrincipalId,
    ) -> Result<Option<(u64, Timestamp, Timestamp)>, Fault> {
        Ok(self
            .connection()
            .prepare_cached(
                "DELETE FROM audit_readings WHERE tenant = ?1 AND principal = ?2 RETURNING count, first_at, last_at",
            )?
            .query_row(params![self.tenant().as_str(), reader.as_str()], |row| {
                Ok((
                    u64::from(row.get::<_, u32>(0)?),
                    Timestamp::from_unix(row.get(1)?),
                    Timestamp::from_unix(row.get(2)?),
                ))
            })
            .optional()?)
    }
}

fn to_column(number: u64) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| Fault::Tree)
}
