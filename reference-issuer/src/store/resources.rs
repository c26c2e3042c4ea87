//! What stands in a persona's own API, the one that its keys open.

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use super::{Fault, Tx};

impl Tx<'_> {
    /// The value at a path of the persona's API.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn resource(&self, path: &str) -> Result<Option<Value>, Fault> {
        let text: Option<String> = self
            .connection()
            .prepare_cached("SELECT value FROM resources WHERE tenant = ?1 AND path = ?2")?
            .query_row(params![self.tenant().as_str(), path], |row| row.get(0))
            .optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// The paths and values whose path begins with `prefix`, in order, at most `limit`.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn resources_below(&self, prefix: &str, limit: u32) -> Result<Vec<(String, Value)>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT path, value FROM resources
             WHERE tenant = ?1 AND path >= ?2 AND substr(path, 1, length(?2)) = ?2
             ORDER BY path LIMIT ?3",
        )?;
        let rows = statement.query_map(params![self.tenant().as_str(), prefix, limit], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (path, text) = row?;
            Ok((path, serde_json::from_str(&text)?))
        })
        .collect()
    }

    /// Puts a value at a path.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn put_resource(&mut self, path: &str, value: &Value) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO resources (tenant, path, value) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![self.tenant().as_str(), path, value.to_string()])?;
        Ok(())
    }

    /// Takes the value at a path away; answers whether there was one.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn remove_resource(&mut self, path: &str) -> Result<bool, Fault> {
        let count = self
            .connection()
            .prepare_cached("DELETE FROM resources WHERE tenant = ?1 AND path = ?2")?
            .execute(params![self.tenant().as_str(), path])?;
        Ok(count > 0)
    }
}
