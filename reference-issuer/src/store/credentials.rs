//! Credentials: one record each, and the columns it is searched by.

use clp_schemas::ids::{CredentialId, TenantId};
use clp_schemas::key::Verifier;
use clp_schemas::ops::create::{Credential, ListQuery};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::time::Timestamp;
use rusqlite::types::Value as Bound;
use rusqlite::{OptionalExtension as _, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{DeliveryRow, Fault, Gate, Tx};
use crate::lifecycle::credential::FreshSecret;

/// Which credentials of the tenant a listing is about.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// `<project>/<environment>` of everything that the caller sees.
    pub places: &'a [String],
    /// What the caller asks for.
    pub query: &'a ListQuery,
}

/// Where a page of a listing ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// When its last credential was created, in seconds after 1970-01-01T00:00:00Z.
    pub created_at: i64,
    /// Its number in the order of creation.
    pub number: i64,
}

impl Gate<'_> {
    /// The tenant of a credential of a persona.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn tenant_of(&self, persona: &str, id: &CredentialId) -> Result<Option<TenantId>, Fault> {
        let found: Option<String> = self
            .connection()
            .prepare_cached(
                "SELECT tenant FROM credentials JOIN tenants ON tenants.id = tenant
                 WHERE credentials.id = ?1 AND persona = ?2",
            )?
            .query_row(params![id.as_str(), persona], |row| row.get(0))
            .optional()?;
        found
            .map(|tenant| tenant.parse().map_err(|_| Fault::Value("tenant id")))
            .transpose()
    }

    /// The credential of a persona whose key has this public part, and what its key must match.
    pub(crate) fn credential_by_key_id(
        &self,
        persona: &str,
        key_id: &str,
    ) -> Result<Option<(TenantId, CredentialId, Verifier)>, Fault> {
        let found: Option<(String, String, [u8; 32])> = self
            .connection()
            .prepare_cached(
                "SELECT tenant, credentials.id, verifier FROM credentials
                 JOIN tenants ON tenants.id = tenant
                 WHERE key_id = ?1 AND persona = ?2 AND verifier IS NOT NULL",
            )?
            .query_row(params![key_id, persona], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        found
            .map(|(tenant, id, verifier)| {
                Ok((
                    tenant.parse().map_err(|_| Fault::Value("tenant id"))?,
                    id.parse().map_err(|_| Fault::Value("credential id"))?,
                    Verifier::from_bytes(verifier),
                ))
            })
            .transpose()
    }
}

impl Tx<'_> {
    /// The credentials of a kind that open something, oldest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn opening(&self, kind: CredentialType) -> Result<Vec<Credential>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT record FROM credentials WHERE tenant = ?1 AND type = ?2 AND state IN ('active', 'retiring')
             ORDER BY created_at, seq",
        )?;
        let rows = statement
            .query_map(params![self.tenant().as_str(), kind.to_string()], |row| {
                row.get::<_, String>(0)
            })?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    /// Whether a credential of the tenant has this public part.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn has_key_id(&self, key_id: &str) -> Result<bool, Fault> {
        Ok(self
            .connection()
            .prepare_cached("SELECT 1 FROM credentials WHERE key_id = ?1 AND tenant = ?2")?
            .exists(params![key_id, self.tenant().as_str()])?)
    }

    /// A credential of the tenant.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn credential(&self, id: &CredentialId) -> Result<Option<Credential>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached("SELECT record FROM credentials WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    pub(super) fn mint(
        &mut self,
        credential: &Credential,
        secret: &FreshSecret,
        delivery: Option<&DeliveryRow>,
    ) -> Result<(), Fault> {
        let verifier = match secret {
            FreshSecret::Key(key) => Some(*self.keys().verifier(key.expose()).as_bytes()),
            FreshSecret::Webhook(_) | FreshSecret::PrivateJwk(_) | FreshSecret::Own => None,
        };
        self.connection()
            .prepare_cached(
                "INSERT INTO credentials (id, tenant, place, project, environment, owner, type, state,
                                          created_at, expires_at, key_id, verifier, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                credential.id.as_str(),
                self.tenant().as_str(),
                format!("{}/{}", credential.project, credential.environment),
                credential.project,
                credential.environment,
                credential.owner,
                credential.kind.to_string(),
                credential.state.to_string(),
                credential.created_at.unix(),
                credential.expires_at.map(Timestamp::unix),
                credential.key_id,
                verifier,
                serde_json::to_string(credential)?,
            ])?;
        if let FreshSecret::Webhook(secret) = secret {
            self.keep_secret(&credential.id, secret)?;
        }
        match (delivery, secret.text()) {
            (Some(delivery), Some(text)) => self.open_delivery(delivery, &text),
            _ => Ok(()),
        }
    }

    pub(super) fn save_credential(&mut self, credential: &Credential) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("UPDATE credentials SET state = ?3, owner = ?4, expires_at = ?5, record = ?6 WHERE id = ?1 AND tenant = ?2")?
            .execute(params![
                credential.id.as_str(),
                self.tenant().as_str(),
                credential.state.to_string(),
                credential.owner,
                credential.expires_at.map(Timestamp::unix),
                serde_json::to_string(credential)?,
            ])?;
        if !credential.state.is_live() {
            self.drop_secret(&credential.id)?;
        }
        for seen in &credential.disclosed_to {
            self.connection()
                .prepare_cached("INSERT OR IGNORE INTO disclosures (tenant, principal, credential) VALUES (?1, ?2, ?3)")?
                .execute(params![
                    self.tenant().as_str(),
                    seen.principal.as_str(),
                    credential.id.as_str()
                ])?;
        }
        Ok(())
    }

    /// The line that a credential belongs to: it, its predecessors and its successors, ended ones
    /// included, the first of them first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn lineage(&self, id: &CredentialId) -> Result<Vec<Credential>, Fault> {
        let first = self.first_of_line(id)?;
        let mut statement = self.connection().prepare_cached(
            "WITH RECURSIVE line(id) AS (
                 SELECT ?1
                 UNION
                 SELECT successor FROM rotations JOIN line ON predecessor = line.id WHERE rotations.tenant = ?2
             )
             SELECT record FROM credentials WHERE tenant = ?2 AND id IN (SELECT id FROM line) ORDER BY seq",
        )?;
        let rows = statement.query_map(params![first.as_str(), self.tenant().as_str()], |row| {
            row.get::<_, String>(0)
        })?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    /// The first credential of the line that a credential belongs to, which names the line.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn first_of_line(&self, id: &CredentialId) -> Result<CredentialId, Fault> {
        let first: String = self
            .connection()
            .prepare_cached(
                "WITH RECURSIVE line(id, steps) AS (
                     SELECT ?1, 0
                     UNION ALL
                     SELECT predecessor, steps + 1 FROM rotations JOIN line ON successor = line.id
                     WHERE rotations.tenant = ?2
                 )
                 SELECT id FROM line ORDER BY steps DESC LIMIT 1",
            )?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })?;
        first.parse().map_err(|_| Fault::Value("credential id"))
    }

    /// The `<project>/<environment>` of every credential of the tenant, each once.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn places(&self) -> Result<Vec<String>, Fault> {
        // One step of the index for each place, however many credentials it has.
        let mut statement = self.connection().prepare_cached(
            "WITH RECURSIVE next(place) AS (
                 SELECT min(place) FROM credentials WHERE tenant = ?1
                 UNION ALL
                 SELECT (SELECT min(place) FROM credentials WHERE tenant = ?1 AND place > next.place)
                 FROM next WHERE next.place IS NOT NULL
             )
             SELECT place FROM next WHERE place IS NOT NULL",
        )?;
        let places = statement.query_map([self.tenant().as_str()], |row| row.get(0))?;
        Ok(places.collect::<Result<_, _>>()?)
    }

    /// Credentials that match, newest first, from after a position on, at most `limit`.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn credentials(
        &self,
        filter: Filter<'_>,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<(Position, Credential)>, Fault> {
        let (text, values) = self.listing(filter, after, limit)?;
        let mut statement = self.connection().prepare_cached(&text)?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            let position = Position {
                created_at: row.get(0)?,
                number: row.get(1)?,
            };
            Ok((position, row.get::<_, String>(2)?))
        })?;
        rows.map(|row| {
            let (position, record) = row?;
            Ok((position, serde_json::from_str(&record)?))
        })
        .collect()
    }

    /// The query of a listing. It reads an index in order, so that a page costs what it holds.
    pub(super) fn listing(
        &self,
        filter: Filter<'_>,
        after: Option<Position>,
        limit: u32,
    ) -> Result<(String, Vec<Bound>), Fault> {
        let query = filter.query;
        let mut text =
            String::from("SELECT created_at, seq, record FROM credentials WHERE tenant = ?");
        let mut values: Vec<Bound> = vec![Bound::Text(self.tenant().to_string())];
        let mut and = |condition: &str, value: Option<Bound>| {
            if let Some(value) = value {
                text.push_str(" AND ");
                text.push_str(condition);
                values.push(value);
            }
        };
        match filter.places {
            [only] => and("place = ?", Some(Bound::Text(only.clone()))),
            // The plus keeps this condition out of the choice of an index: rows have to come
            // in order of age, and most of them match.
            many => and(
                "+place IN (SELECT value FROM json_each(?))",
                Some(Bound::Text(serde_json::to_string(many)?)),
            ),
        }
        and("project = ?", query.project.clone().map(Bound::Text));
        and(
            "environment = ?",
            query.environment.clone().map(Bound::Text),
        );
        and("owner = ?", query.owner.clone().map(Bound::Text));
        and(
            "state = ?",
            query.state.map(|state| Bound::Text(state.to_string())),
        );
        and(
            "type = ?",
            query.kind.map(|kind| Bound::Text(kind.to_string())),
        );
        and(
            "expires_at < ?",
            query.expires_before.map(|at| Bound::Integer(at.unix())),
        );
        and(
            "json_extract(record, '$.subject.kind') = ?",
            query.subject_kind.map(|kind| Bound::Text(kind.to_string())),
        );
        and(
            "json_extract(record, '$.subject.id') = ?",
            query.subject_id.clone().map(Bound::Text),
        );
        and(
            "instr(json_extract(record, '$.purpose'), ?) > 0",
            query.purpose.clone().map(Bound::Text),
        );
        and(
            "created_at + json_extract(record, '$.rotation_policy.rotate_every_seconds') < ?",
            query.rotate_before.map(|at| Bound::Integer(at.unix())),
        );
        // A label is split at its first `=`: names hold none, values may.
        let label = query
            .label
            .as_deref()
            .and_then(|label| label.split_once('='));
        and(
            "EXISTS (SELECT 1 FROM json_each(record, '$.labels') WHERE key = ?",
            label.map(|(name, _)| Bound::Text(name.to_owned())),
        );
        and(
            "value = ?)",
            label.map(|(_, value)| Bound::Text(value.to_owned())),
        );
        if let Some(principal) = &query.disclosed_to {
            and(
                "id IN (SELECT credential FROM disclosures WHERE disclosures.tenant = credentials.tenant AND principal = ?)",
                Some(Bound::Text(principal.to_string())),
            );
        }
        if let Some(after) = after {
            and("created_at <= ?", Some(Bound::Integer(after.created_at)));
            and("(created_at < ?", Some(Bound::Integer(after.created_at)));
            text.push_str(" OR seq < ?)");
            values.push(Bound::Integer(after.number));
        }
        text.push_str(" ORDER BY created_at DESC, seq DESC LIMIT ?");
        values.push(Bound::Integer(i64::from(limit)));
        Ok((text, values))
    }

    /// The id and state of every credential of the tenant, oldest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn credential_states(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, state FROM credentials WHERE tenant = ?1 ORDER BY created_at, seq",
        )?;
        let rows = statement.query_map([self.tenant().as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
