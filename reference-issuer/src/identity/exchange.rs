//! Fetching what a provider signed, with bounds on time and size.

use std::time::Duration;

use clp_schemas::ops::approve::{Evidence, IdTokenEvidence, IntrospectionEvidence};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;

use super::{Attempt, IdentityFault, Relation};

/// How long a provider may take for one answer.
const TIME: Duration = Duration::from_secs(10);
/// Longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Exchanges the code with which the provider sent the person back, and answers the evidence.
/// For `oauth` the token is introspected and dropped.
///
/// # Errors
/// [`IdentityFault`].
pub async fn exchange(
    relation: &Relation,
    attempt: Attempt<'_>,
    code: &SecretText,
) -> Result<Evidence, IdentityFault> {
    let provider = &relation.provider;
    let endpoint = provider
        .token_endpoint
        .as_ref()
        .ok_or(IdentityFault::Endpoint("token_endpoint"))?;
    let parameters = [
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.expose().to_owned()),
        ("redirect_uri", attempt.redirect_uri.to_string()),
        ("code_verifier", attempt.verifier.expose().to_owned()),
    ];
    let answer = post(relation, endpoint, &parameters, "application/json").await?;
    let answer: Value = serde_json::from_str(&answer).map_err(|_| IdentityFault::Answer(200))?;
    let text = |name: &str| {
        let text = answer.get(name).and_then(Value::as_str);
        text.map(str::to_owned).ok_or(IdentityFault::Answer(200))
    };
    if attempt.method != AuthMethod::Oauth {
        let id_token = text("id_token")?;
        return Ok(Evidence::IdToken(IdTokenEvidence { id_token }));
    }
    let token = SecretText::new(text("access_token")?);
    let endpoint = provider
        .introspection_endpoint
        .as_ref()
        .ok_or(IdentityFault::Endpoint("introspection_endpoint"))?;
    let parameters = [
        ("token", token.expose().to_owned()),
        ("token_type_hint", "access_token".to_owned()),
    ];
    let wanted = "application/token-introspection+jwt";
    let introspection = post(relation, endpoint, &parameters, wanted).await?;
    Ok(Evidence::Introspection(IntrospectionEvidence {
        introspection,
    }))
}

/// Posts a form as the client that the issuer is there, and answers the body.
pub(super) async fn post(
    relation: &Relation,
    endpoint: &Url,
    parameters: &[(&'static str, String)],
    accept: &str,
) -> Result<String, IdentityFault> {
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(TIME)
        .build()
        .map_err(|_| IdentityFault::Unreachable)?;
    let mut request = client
        .post(endpoint.clone())
        .header("accept", accept)
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some(secret) = &relation.secret {
        // Each half is form-encoded first (RFC 6749 section 2.3.1).
        let half = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        request = request.basic_auth(
            half(&relation.provider.client_id),
            Some(half(secret.expose())),
        );
    }
    let mut answer = request
        .body(form(relation, parameters))
        .send()
        .await
        .map_err(|_| IdentityFault::Unreachable)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|_| IdentityFault::Unreachable)?
    {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            return Err(IdentityFault::Answer(status.as_u16()));
        }
    }
    if !status.is_success() {
        return Err(IdentityFault::Answer(status.as_u16()));
    }
    String::from_utf8(body).map_err(|_| IdentityFault::Answer(status.as_u16()))
}

/// The form. A client that has no secret says who it is, unless that stands in it already.
fn form(relation: &Relation, parameters: &[(&'static str, String)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    if relation.secret.is_none() && !parameters.iter().any(|(name, _)| *name == "client_id") {
        form.append_pair("client_id", &relation.provider.client_id);
    }
    form.finish()
}
