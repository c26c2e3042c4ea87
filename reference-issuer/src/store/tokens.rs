//! Access tokens: what each opens, and until when. Never the token itself.

use clp_schemas::ids::{CredentialId, TenantId};
use clp_schemas::key::{Key, Verifier};
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Due, Fault, Gate, Tx};
use crate::lifecycle::access::NewToken;

/// An access token as it is stored.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its tenant.
    pub tenant: TenantId,
    /// The credential that it was issued to.
    pub credential: CredentialId,
    /// `type:action` names, ascending.
    pub scope: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Gate<'_> {
    /// What is known of an access token of a persona, if it is genuine, ended or not.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn token(&self, persona: &str, text: &str) -> Result<Option<TokenRow>, Fault> {
        let Ok(parsed) = Key::parse(text) else {
            return Ok(None);
        };
        type Columns = (String, String, [u8; 32], String, i64, i64);
        let found: Option<Columns> = self
            .connection()
            .prepare_cached(
                "SELECT tenant, credential, verifier, scope, issued_at, expires_at FROM tokens
                 JOIN tenants ON tenants.id = tenant WHERE key_id = ?1 AND persona = ?2",
            )?
            .query_row(params![parsed.key_id, persona], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                ))
            })
            .optional()?;
        let Some((tenant, credential, verifier, scope, issued_at, expires_at)) = found else {
            return Ok(None);
        };
        if !Verifier::from_bytes(verifier).matches(&self.keys().verifier(text)) {
            return Ok(None);
        }
        Ok(Some(TokenRow {
            tenant: tenant.parse().map_err(|_| Fault::Value("tenant id"))?,
            credential: credential
                .parse()
                .map_err(|_| Fault::Value("credential id"))?,
            scope: serde_json::from_str(&scope)?,
            issued_at: Timestamp::from_unix(issued_at),
            expires_at: Timestamp::from_unix(expires_at),
        }))
    }
}

impl Tx<'_> {
    pub(super) fn save_token(&mut self, new: &NewToken) -> Result<(), Fault> {
        let text = new.token.expose();
        let key_id = Key::parse(text)?.key_id.to_owned();
        self.connection()
            .prepare_cached(
                "INSERT INTO tokens (key_id, tenant, credential, verifier, scope, issued_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                key_id,
                self.tenant().as_str(),
                new.credential.as_str(),
                self.keys().verifier(text).as_bytes(),
                serde_json::to_string(&new.scope)?,
                self.now().unix(),
                new.expires_at.unix(),
            ])?;
        self.schedule(new.expires_at, &Due::Token(key_id))
    }

    /// Forgets an access token.
    pub(crate) fn drop_token(&mut self, key_id: &str) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("DELETE FROM tokens WHERE key_id = ?1 AND tenant = ?2")?
            .execute(params![key_id, self.tenant().as_str()])?;
        Ok(())
    }
}
