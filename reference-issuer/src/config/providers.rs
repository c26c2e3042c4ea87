//! The identity providers that a tenant trusts from the start (specification chapter 12).

use std::collections::BTreeMap;

use clp_schemas::identity::KeySet;
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::control::{Account, IdentityProviderBody};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::check::{At, Checked};
use super::{ConfigFault, TenantConfig};

/// The methods for which a provider can be trusted.
const PROVIDER_METHODS: [AuthMethod; 3] = [AuthMethod::Oidc, AuthMethod::Sso, AuthMethod::Oauth];

/// An identity provider as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its identifier: `iss`.
    pub issuer: String,
    /// As whom the issuer is known there.
    pub client_id: String,
    /// The environment variable with what the issuer authenticates with there; without one it
    /// is a public client.
    #[serde(default)]
    pub client_secret_env: Option<String>,
    /// For which methods it is trusted, out of `oidc`, `sso` and `oauth`.
    pub methods: Vec<AuthMethod>,
    /// For `sso`: the classes of authentication that are taken.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// Its public keys (RFC 7517).
    pub jwks: Value,
    /// Where people authenticate.
    #[serde(default)]
    pub authorization_endpoint: Option<Url>,
    /// Where codes are exchanged.
    #[serde(default)]
    pub token_endpoint: Option<Url>,
    /// Where authorization requests are pushed (RFC 9126).
    #[serde(default)]
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Where tokens are introspected (RFC 7662).
    #[serde(default)]
    pub introspection_endpoint: Option<Url>,
    /// Whose account is whose: the name of a principal by `sub`.
    pub accounts: BTreeMap<String, String>,
}

impl ProviderConfig {
    /// The secret that its variable holds.
    pub(super) fn secret(
        &self,
        label: &str,
        place: &str,
    ) -> Result<Option<SecretText>, ConfigFault> {
        self.client_secret_env
            .as_ref()
            .map(|variable| {
                std::env::var(variable).map(SecretText::new).map_err(|_| {
                    let reason = "the environment variable in `client_secret_env` is not set";
                    ConfigFault::new(label, place, reason)
                })
            })
            .transpose()
    }

    /// What is trusted, once the principals have ids.
    pub(crate) fn trusted(
        &self,
        secret: Option<SecretText>,
        principals: &BTreeMap<String, PrincipalId>,
    ) -> IdentityProviderBody {
        let accounts = self.accounts.iter().filter_map(|(subject, name)| {
            Some(Account {
                subject: subject.clone(),
                principal: principals.get(name)?.clone(),
            })
        });
        IdentityProviderBody {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret,
            methods: self.methods.clone(),
            acr_values: self.acr_values.clone(),
            jwks: self.jwks.clone(),
            authorization_endpoint: self.authorization_endpoint.clone(),
            token_endpoint: self.token_endpoint.clone(),
            pushed_authorization_request_endpoint: self
                .pushed_authorization_request_endpoint
                .clone(),
            introspection_endpoint: self.introspection_endpoint.clone(),
            accounts: accounts.collect(),
        }
    }
}

/// The providers of one tenant.
pub(super) fn check(at: &At<'_>, tenant: &TenantConfig, place: &str) -> Checked {
    for (position, (provider, _)) in tenant.identity_providers.iter().enumerate() {
        let place = |member: &str| format!("{place}.identity_providers[{position}].{member}");
        at.want(
            !provider.methods.is_empty()
                && provider
                    .methods
                    .iter()
                    .all(|method| PROVIDER_METHODS.contains(method)),
            place("methods"),
            "want one or more of `oidc`, `sso` and `oauth`",
        )?;
        if let Err(fault) = KeySet::parse(&provider.jwks) {
            at.want(false, place("jwks"), &fault.to_string())?;
        }
        at.want(
            provider
                .accounts
                .values()
                .all(|name| tenant.principals.iter().any(|one| one.name == *name)),
            place("accounts"),
            "want names of principals of this tenant",
        )?;
        at.want(
            !provider.methods.contains(&AuthMethod::Sso) || !provider.acr_values.is_empty(),
            place("acr_values"),
            "want at least one class of authentication for `sso`",
        )?;
    }
    Ok(())
}
