//! Secrets that the issuer itself uses: kept sealed, and erased when their credential ends.

use clp_schemas::ids::CredentialId;
use clp_schemas::webhook::WebhookSecret;
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Tx};

impl Tx<'_> {
    /// What a sealed secret is bound to.
    fn secret_owner(&self, credential: &CredentialId) -> Vec<u8> {
        format!("secret {} {credential}", self.tenant()).into_bytes()
    }

    pub(super) fn keep_secret(
        &mut self,
        credential: &CredentialId,
        secret: &WebhookSecret,
    ) -> Result<(), Fault> {
        let sealed = self
            .keys()
            .deliveries()
            .seal(secret.expose().as_bytes(), &self.secret_owner(credential))?;
        self.connection()
            .prepare_cached("INSERT INTO secrets (credential, tenant, sealed) VALUES (?1, ?2, ?3)")?
            .execute(params![credential.as_str(), self.tenant().as_str(), sealed])?;
        Ok(())
    }

    /// The secret by which a credential signs events; `None` where it has none.
    ///
    /// # Errors
    /// A failure of the database, or [`Fault::Seal`].
    pub fn webhook_secret(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<WebhookSecret>, Fault> {
        let sealed: Option<Vec<u8>> = self
            .connection()
            .prepare_cached("SELECT sealed FROM secrets WHERE credential = ?1 AND tenant = ?2")?
            .query_row(
                params![credential.as_str(), self.tenant().as_str()],
                |row| row.get(0),
            )
            .optional()?;
        sealed
            .map(|sealed| {
                let opened = self
                    .keys()
                    .deliveries()
                    .open(&sealed, &self.secret_owner(credential))?;
                let text = std::str::from_utf8(&opened).map_err(|_| Fault::Seal)?;
                WebhookSecret::parse(text).map_err(|_| Fault::Seal)
            })
            .transpose()
    }

    pub(super) fn drop_secret(&mut self, credential: &CredentialId) -> Result<(), Fault> {
        let erased = self
            .connection()
            .prepare_cached("DELETE FROM secrets WHERE credential = ?1 AND tenant = ?2")?
            .execute(params![credential.as_str(), self.tenant().as_str()])?;
        if erased > 0 {
            self.note_erased();
        }
        Ok(())
    }
}
