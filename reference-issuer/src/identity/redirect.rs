//! Sending a person to a provider: an authentication request (`OpenID` Connect Core 1.0 section
//! 3.1.2.1) or an authorization request with details (RFC 9396), pushed (RFC 9126).

use clp_schemas::canonical::{sha256, to_base64url};
use clp_schemas::identity::Decided;
use clp_schemas::ops::approve::Challenge;
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use serde_json::{Value, json};
use url::Url;

use super::exchange::post;
use super::{IdentityFault, Relation};

/// What a person is sent to a provider for.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The issuer identifier.
    pub issuer: &'a str,
    /// What is decided.
    pub challenge: &'a Challenge,
    /// `oidc`, `sso` or `oauth`.
    pub method: AuthMethod,
    /// Where the provider sends the person back to; it is registered there.
    pub redirect_uri: &'a Url,
    /// 32 random bytes, base64url: ties the way back to the browser that went.
    pub state: &'a str,
    /// 32 random bytes, base64url: the verifier of PKCE (RFC 7636).
    pub verifier: &'a SecretText,
}

/// Where the person goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The address to send the browser to.
    pub authorization_url: Url,
}

impl Attempt<'_> {
    /// The parameters of the request.
    fn parameters(
        &self,
        relation: &Relation,
    ) -> Result<Vec<(&'static str, String)>, IdentityFault> {
        let provider = &relation.provider;
        if !provider.methods.contains(&self.method) {
            return Err(IdentityFault::Method(self.method));
        }
        let mut parameters = vec![
            ("response_type", "code".to_owned()),
            ("client_id", provider.client_id.clone()),
            ("redirect_uri", self.redirect_uri.to_string()),
            ("state", self.state.to_owned()),
            (
                "code_challenge",
                to_base64url(&sha256(self.verifier.expose().as_bytes())),
            ),
            ("code_challenge_method", "S256".to_owned()),
        ];
        match self.method {
            AuthMethod::Oauth => {
                let detail = Decided::of(self.issuer, self.challenge).detail();
                // Some servers grant details only for a resource that is named (RFC 8707).
                parameters.push(("resource", self.issuer.to_owned()));
                parameters.push(("authorization_details", json!([detail]).to_string()));
            }
            AuthMethod::Oidc | AuthMethod::Sso => {
                parameters.push(("scope", "openid".to_owned()));
                parameters.push(("nonce", self.challenge.challenge.clone()));
                parameters.push(("max_age", "0".to_owned()));
                if self.method == AuthMethod::Sso {
                    parameters.push(("acr_values", provider.acr_values.join(" ")));
                }
            }
            _ => return Err(IdentityFault::Attempt),
        }
        Ok(parameters)
    }
}

/// Says where to send the browser. An authorization request with details is pushed first, so
/// that they do not pass through the browser, where they could be changed.
///
/// # Errors
/// [`IdentityFault`].
pub async fn start(relation: &Relation, attempt: Attempt<'_>) -> Result<Started, IdentityFault> {
    let parameters = attempt.parameters(relation)?;
    let provider = &relation.provider;
    let mut url = provider
        .authorization_endpoint
        .clone()
        .ok_or(IdentityFault::Endpoint("authorization_endpoint"))?;
    if attempt.method == AuthMethod::Oauth {
        let push = provider
            .pushed_authorization_request_endpoint
            .as_ref()
            .ok_or(IdentityFault::Endpoint(
                "pushed_authorization_request_endpoint",
            ))?;
        let pushed = post(relation, push, &parameters, "application/json").await?;
        let pushed: Value =
            serde_json::from_str(&pushed).map_err(|_| IdentityFault::Answer(201))?;
        let name = pushed
            .get("request_uri")
            .and_then(Value::as_str)
            .ok_or(IdentityFault::Answer(201))?;
        url.query_pairs_mut()
            .append_pair("client_id", &provider.client_id)
            .append_pair("request_uri", name);
    } else {
        url.query_pairs_mut().extend_pairs(&parameters);
    }
    Ok(Started {
        authorization_url: url,
    })
}
