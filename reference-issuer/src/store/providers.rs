//! Identity providers that are trusted, and what the issuer authenticates with there.

use clp_schemas::ops::control::IdentityProviderBody;
use clp_schemas::ops::store::SecretText;
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Tx};

impl Tx<'_> {
    /// What a sealed secret is bound to.
    fn provider_owner(&self, issuer: &str, client_id: &str) -> Vec<u8> {
        format!("provider {} {client_id} {issuer}", self.tenant()).into_bytes()
    }

    /// Trusts a provider from now on, in place of one of the same names.
    pub(super) fn save_provider(&mut self, provider: &IdentityProviderBody) -> Result<(), Fault> {
        let (issuer, client_id) = (&provider.issuer, &provider.client_id);
        let owner = self.provider_owner(issuer, client_id);
        let sealed = provider
            .client_secret
            .as_ref()
            .map(|secret| {
                self.keys()
                    .deliveries()
                    .seal(secret.expose().as_bytes(), &owner)
            })
            .transpose()?;
        let record = IdentityProviderBody {
            client_secret: None,
            ..provider.clone()
        };
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO identity_providers (tenant, issuer, client_id, record, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                self.tenant().as_str(),
                issuer,
                client_id,
                serde_json::to_string(&record)?,
                sealed,
            ])?;
        Ok(())
    }

    /// The providers that the tenant trusts, without secrets, in the order of their names.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn providers(&self) -> Result<Vec<IdentityProviderBody>, Fault> {
        let mut statement = self.connection().prepare_cached(
            "SELECT record FROM identity_providers WHERE tenant = ?1 ORDER BY issuer, client_id",
        )?;
        let records = statement.query_map([self.tenant().as_str()], |row| row.get(0))?;
        let records: Vec<String> = records.collect::<Result<_, _>>()?;
        records
            .iter()
            .map(|record| Ok(serde_json::from_str(record)?))
            .collect()
    }

    /// What the issuer authenticates with at a provider; `None` where it is a public client.
    ///
    /// # Errors
    /// A failure of the database, or [`Fault::Seal`].
    pub fn client_secret(
        &self,
        issuer: &str,
        client_id: &str,
    ) -> Result<Option<SecretText>, Fault> {
        let sealed: Option<Option<Vec<u8>>> = self
            .connection()
            .prepare_cached(
                "SELECT sealed FROM identity_providers
                 WHERE tenant = ?1 AND issuer = ?2 AND client_id = ?3",
            )?
            .query_row(params![self.tenant().as_str(), issuer, client_id], |row| {
                row.get(0)
            })
            .optional()?;
        let owner = self.provider_owner(issuer, client_id);
        sealed
            .flatten()
            .map(|sealed| {
                let opened = self.keys().deliveries().open(&sealed, &owner)?;
                let text = std::str::from_utf8(&opened).map_err(|_| Fault::Seal)?;
                Ok(SecretText::new(text.to_owned()))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use clp_schemas::ops::control::IdentityProviderBody;
    use serde_json::json;

    use crate::lifecycle::Effect;
    use crate::seams::Seams;
    use crate::store::{NewTenant, Store};

    fn provider(secret: Option<&str>) -> IdentityProviderBody {
        let mut body = json!({
            "issuer": "https://idp.example", "client_id": "clp", "methods": ["oidc"],
            "jwks": {"keys": []}, "accounts": [],
        });
        if let Some(secret) = secret {
            body["client_secret"] = json!(secret);
        }
        serde_json::from_value(body).unwrap()
    }

    #[tokio::test]
    async fn a_secret_is_kept_apart_and_goes_with_its_provider() {
        let store = Store::open(None, Seams::default()).unwrap();
        let new = NewTenant {
            persona: "p",
            name: None,
        };
        let tenant = store
            .run(move |gate| Ok(gate.make_tenant(new)?))
            .await
            .unwrap();
        let trust = |secret: Option<&str>| {
            let effect = Effect::SaveProvider(Box::new(provider(secret)));
            store.submit(tenant.clone(), move |tx| {
                tx.apply(vec![effect])?;
                let kept = tx.client_secret("https://idp.example", "clp")?;
                let kept = kept.map(|secret| secret.expose().to_owned());
                let nowhere = tx.client_secret("https://idp.example", "other")?;
                Ok((tx.providers()?, kept, nowhere.is_none()))
            })
        };
        let (listed, kept, nowhere) = trust(Some("hush")).await.unwrap();
        assert_eq!(listed, [provider(None)]);
        assert_eq!(kept.as_deref(), Some("hush"));
        assert!(nowhere);
        let (listed, kept, _) = trust(None).await.unwrap();
        assert_eq!((listed.len(), kept), (1, None));
    }
}
