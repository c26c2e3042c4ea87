//! Permission documents, kept for as long as a credential can name one: for ever.

use clp_schemas::permissions::PermissionDocument;
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Gate};

impl Gate<'_> {
    /// Keeps a document of a persona, under its digest.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn keep_document(&self, persona: &str, document: &PermissionDocument) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "INSERT OR IGNORE INTO documents (digest, persona, document) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![
                document.digest(),
                persona,
                serde_json::to_string(document)?
            ])?;
        Ok(())
    }

    /// The document of a persona that has this digest.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn document(
        &self,
        persona: &str,
        digest: &str,
    ) -> Result<Option<PermissionDocument>, Fault> {
        let text: Option<String> = self
            .connection()
            .prepare_cached("SELECT document FROM documents WHERE persona = ?1 AND digest = ?2")?
            .query_row(params![persona, digest], |row| row.get(0))
            .optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }
}
