//! Places where secrets are kept, as clients name them, and what they say has arrived there.

use clp_schemas::ids::{DeliveryId, StoreId};
use clp_schemas::ops::store::{Receipt, Store, StoreQuery};
use rusqlite::types::Value as Bound;
use rusqlite::{OptionalExtension as _, params, params_from_iter};

use super::{Fault, Tx};

impl Tx<'_> {
    /// A store of the tenant.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn named_store(&self, id: &StoreId) -> Result<Option<Store>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached("SELECT record FROM stores WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    /// The `<project>/<environment>` of every store of the tenant, each once.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn store_places(&self) -> Result<Vec<String>, Fault> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT DISTINCT place FROM stores WHERE tenant = ?1")?;
        let places = statement.query_map([self.tenant().as_str()], |row| row.get(0))?;
        Ok(places.collect::<Result<_, _>>()?)
    }

    /// The stores of these places, `<project>/<environment>`, that match, newest first, from
    /// after a number on, at most `limit`, each with its number.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn named_stores(
        &self,
        places: &[String],
        query: &StoreQuery,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, Store)>, Fault> {
        let mut text = String::from(
            "SELECT seq, record FROM stores WHERE tenant = ? AND place IN (SELECT value FROM json_each(?))",
        );
        let mut values = vec![
            Bound::Text(self.tenant().to_string()),
            Bound::Text(serde_json::to_string(places)?),
        ];
        let conditions = [
            (" AND project = ?", query.project.clone().map(Bound::Text)),
            (
                " AND environment = ?",
                query.environment.clone().map(Bound::Text),
            ),
            (" AND seq < ?", after.map(Bound::Integer)),
        ];
        for (condition, value) in conditions {
            if let Some(value) = value {
                text.push_str(condition);
                values.push(value);
            }
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

    pub(super) fn save_store(&mut self, store: &Store) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT INTO stores (id, tenant, place, project, environment, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                store.id.as_str(),
                self.tenant().as_str(),
                format!("{}/{}", store.project, store.environment),
                store.project,
                store.environment,
                serde_json::to_string(store)?,
            ])?;
        Ok(())
    }

    /// What was answered when a delivery was first acknowledged.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn receipt(&self, delivery: &DeliveryId) -> Result<Option<Receipt>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached("SELECT record FROM receipts WHERE delivery = ?1 AND tenant = ?2")?
            .query_row(params![delivery.as_str(), self.tenant().as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    pub(super) fn save_receipt(&mut self, receipt: &Receipt) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("INSERT INTO receipts (delivery, tenant, record) VALUES (?1, ?2, ?3)")?
            .execute(params![
                receipt.id.as_str(),
                self.tenant().as_str(),
                serde_json::to_string(receipt)?
            ])?;
        Ok(())
    }
}
