//! Secrets that have not been fetched for good: sealed, and erased as soon as they are gone.

use clp_schemas::ids::{CredentialId, DeliveryId, PrincipalId};
use clp_schemas::ops::store::SecretText;
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Fault, Tx};

/// The hand-over of one secret, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The delivery.
    pub id: DeliveryId,
    /// Whose secret it is.
    pub credential: CredentialId,
    /// Who may fetch it.
    pub principal: PrincipalId,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// What the sealed secret is bound to.
fn owner(delivery: &DeliveryRow) -> Vec<u8> {
    format!(
        "{} {} {}",
        delivery.id, delivery.credential, delivery.principal
    )
    .into_bytes()
}

fn read(row: &Row<'_>) -> rusqlite::Result<(String, String, String, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn parse(
    (id, credential, principal, expires_at): (String, String, String, i64),
) -> Result<DeliveryRow, Fault> {
    Ok(DeliveryRow {
        id: id.parse().map_err(|_| Fault::Value("delivery id"))?,
        credential: credential
            .parse()
            .map_err(|_| Fault::Value("credential id"))?,
        principal: principal
            .parse()
            .map_err(|_| Fault::Value("principal id"))?,
        expires_at: Timestamp::from_unix(expires_at),
    })
}

impl Tx<'_> {
    pub(super) fn open_delivery(
        &mut self,
        delivery: &DeliveryRow,
        secret: &str,
    ) -> Result<(), Fault> {
        let sealed = self
            .keys()
            .deliveries()
            .seal(secret.as_bytes(), &owner(delivery))?;
        self.connection()
            .prepare_cached(
                "INSERT INTO deliveries (id, tenant, credential, principal, expires_at, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                delivery.id.as_str(),
                self.tenant().as_str(),
                delivery.credential.as_str(),
                delivery.principal.as_str(),
                delivery.expires_at.unix(),
                sealed,
            ])?;
        Ok(())
    }

    /// A delivery of the tenant, gone or not.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryRow>, Fault> {
        let row = self
            .connection()
            .prepare_cached(
                "SELECT id, credential, principal, expires_at FROM deliveries WHERE id = ?1 AND tenant = ?2",
            )?
            .query_row(params![id.as_str(), self.tenant().as_str()], read)
            .optional()?;
        row.map(parse).transpose()
    }

    /// Whether there ever was something to hand over of a credential.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn had_delivery(&self, credential: &CredentialId) -> Result<bool, Fault> {
        Ok(self
            .connection()
            .prepare_cached("SELECT 1 FROM deliveries WHERE credential = ?1 AND tenant = ?2")?
            .exists(params![credential.as_str(), self.tenant().as_str()])?)
    }

    /// The delivery of a credential, while its secret can be fetched.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn open_delivery_of(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<DeliveryRow>, Fault> {
        let row = self
            .connection()
            .prepare_cached(
                "SELECT id, credential, principal, expires_at FROM deliveries
                 WHERE credential = ?1 AND tenant = ?2 AND sealed IS NOT NULL",
            )?
            .query_row(params![credential.as_str(), self.tenant().as_str()], read)
            .optional()?;
        row.map(parse).transpose()
    }

    /// The secret of a delivery; `None` once it is gone.
    ///
    /// # Errors
    /// A failure of the database, or [`Fault::Seal`].
    pub fn secret(&self, delivery: &DeliveryRow) -> Result<Option<SecretText>, Fault> {
        let sealed: Option<Vec<u8>> = self
            .connection()
            .prepare_cached("SELECT sealed FROM deliveries WHERE id = ?1 AND tenant = ?2")?
            .query_row(
                params![delivery.id.as_str(), self.tenant().as_str()],
                |row| row.get(0),
            )
            .optional()?
            .flatten();
        sealed
            .map(|sealed| {
                let opened = self.keys().deliveries().open(&sealed, &owner(delivery))?;
                let text = std::str::from_utf8(&opened).map_err(|_| Fault::Seal)?;
                Ok(SecretText::new(text.to_owned()))
            })
            .transpose()
    }

    /// Erases what is left of the secret of a credential.
    pub(super) fn close_delivery(&mut self, credential: &CredentialId) -> Result<(), Fault> {
        let erased = self
            .connection()
            .prepare_cached("UPDATE deliveries SET sealed = NULL WHERE credential = ?1 AND tenant = ?2 AND sealed IS NOT NULL")?
            .execute(params![credential.as_str(), self.tenant().as_str()])?;
        if erased > 0 {
            self.note_erased();
        }
        Ok(())
    }
}
