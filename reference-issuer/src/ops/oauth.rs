//! Access tokens (specification chapter 21; RFC 6749, RFC 7523, RFC 8414). What is refused is
//! refused as OAuth has it, so that ordinary OAuth libraries can read it.

use std::sync::Arc;

use axum::http::header::PRAGMA;
use clp_schemas::ids::TenantId;
use clp_schemas::ops::oauth::{
    GRANT_CLIENT_CREDENTIALS, GRANT_JWT_BEARER, OauthError, OauthErrorCode, OauthMetadata,
    TOKEN_SECONDS, TokenAnswer,
};
use clp_schemas::ops::store::SecretText;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;

use super::authentication::{self, Client, Method};
use super::form::Form;
use super::mint;
use crate::auth::scope;
use crate::config::Persona;
use crate::http::{Inbound, Reply};
use crate::lifecycle::access::{self, NewToken, Spent};
use crate::rules::Rule;
use crate::seams::Seams;
use crate::service::Service;
use crate::store::{Gate, Once, Tx};

/// Discovery may be cached for five minutes.
const CACHING: &str = "public, max-age=300";

/// Where OAuth clients get tokens.
pub(crate) fn metadata(service: &Service) -> Result<Reply, Problem> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let metadata = OauthMetadata {
        issuer: service.origin.clone(),
        token_endpoint: service.token_endpoint(),
        introspection_endpoint: format!("{}/oauth/introspect", service.endpoint()),
        response_types_supported: Vec::new(),
        grant_types_supported: texts(&[GRANT_CLIENT_CREDENTIALS, GRANT_JWT_BEARER]),
        token_endpoint_auth_methods_supported: texts(&[
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ]),
        token_endpoint_auth_signing_alg_values_supported: texts(&["EdDSA", "ES256"]),
    };
    Ok(Reply::json(200, &metadata)?.caching(CACHING))
}

/// What access tokens of a persona begin with.
pub(crate) fn token_prefix(persona: &Persona) -> String {
    format!("{}_at", persona.token_prefix)
}

/// A refusal of a form endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) code: OauthErrorCode,
    pub(super) why: &'static str,
}

impl Refused {
    pub(super) const fn new(code: OauthErrorCode, why: &'static str) -> Self {
        Self { code, why }
    }
}

/// What became of a form: a value, a refusal, or a failure of the issuer.
pub(super) type Judged<T> = Result<Result<T, Refused>, Problem>;

/// The answer that a refusal is. `challenge` says that the client tried the `Authorization`
/// header field (RFC 6749 section 5.2).
pub(super) fn refusal(refused: Refused, challenge: bool) -> Result<Reply, Problem> {
    tracing::debug!(error = %refused.code, "refused");
    let error = OauthError {
        error: refused.code,
        error_description: Some(refused.why.to_owned()),
    };
    let reply = Reply::json(refused.code.status(), &error)?.with(PRAGMA, "no-cache");
    let is_client = refused.code == OauthErrorCode::InvalidClient;
    Ok(if challenge && is_client {
        reply.challenge(r#"Basic realm="clients""#)
    } else {
        reply
    })
}

/// Reads the form of a call.
pub(super) fn form(inbound: &Inbound) -> Result<Form, Refused> {
    if !inbound.is_form() {
        return Err(Refused::new(
            OauthErrorCode::InvalidRequest,
            "the body is not application/x-www-form-urlencoded",
        ));
    }
    Form::parse(&inbound.body).map_err(|fault| {
        let why = match fault {
            super::form::FormFault::Encoding => "the form is not well-formed",
            super::form::FormFault::Repeated => "a parameter is repeated",
        };
        Refused::new(OauthErrorCode::InvalidRequest, why)
    })
}

/// Issues an access token.
pub(crate) async fn token(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    let challenge = inbound.has_authorization();
    let asked = match form(inbound).and_then(|form| Asked::read(service.seams, inbound, &form)) {
        Ok(asked) => asked,
        Err(refused) => return refusal(refused, challenge),
    };
    let job = {
        let service = Arc::clone(service);
        move |gate: &Gate<'_>| issue(gate, &service, asked)
    };
    let known = service.store.run(job).await?;
    let reply = match known.result {
        Ok(answer) => Reply::json(200, &answer)?.with(PRAGMA, "no-cache"),
        Err(refused) => refusal(refused, challenge)?,
    };
    if let Some(whose) = known.whose {
        service.note_call(whose, inbound, &reply);
    }
    Ok(reply)
}

/// What a client asks for.
struct Asked {
    method: Method,
    scope: Option<String>,
}

impl Asked {
    fn read(seams: Seams, inbound: &Inbound, form: &Form) -> Result<Self, Refused> {
        Ok(Self {
            method: authentication::read(seams, inbound, form)?,
            scope: form.get("scope").map(str::to_owned),
        })
    }
}

/// What came of it, and in whose world.
struct Known {
    result: Result<TokenAnswer, Refused>,
    whose: Option<(TenantId, Timestamp)>,
}

fn issue(gate: &Gate<'_>, service: &Service, asked: Asked) -> Result<Known, Problem> {
    let (mut tx, client) = match authentication::authenticate(gate, service, asked.method)? {
        Ok(found) => found,
        Err(refused) => {
            return Ok(Known {
                result: Err(refused),
                whose: None,
            });
        }
    };
    let whose = Some((tx.tenant().clone(), tx.now()));
    let result = grant(gate, &mut tx, service, client, asked.scope.as_deref())?;
    Ok(Known { result, whose })
}

/// What a client gets of the scope that it asks for; `None` where it has not all of it.
type Given = Option<Vec<String>>;

const SCOPE_RULES: &[Rule<Given, Refused>] = &[Rule {
    id: "CLP-OAU-007",
    refuses: |given| {
        let why = "the credential does not have all of that scope";
        given
            .is_none()
            .then_some(Refused::new(OauthErrorCode::InvalidScope, why))
    },
}];

fn grant(
    gate: &Gate<'_>,
    tx: &mut Tx<'_>,
    service: &Service,
    client: Client,
    wanted: Option<&str>,
) -> Judged<TokenAnswer> {
    let credential = client.credential;
    let document = gate
        .document(&service.persona.name, &credential.permission_schema_digest)?
        .ok_or(ProblemType::Internal)?;
    let held = scope::names(&document, &credential.permissions);
    let given = match wanted {
        None => Some(held.clone()),
        Some(wanted) => scope::narrow(&document, &held, wanted),
    };
    if let Err(refused) = tx.check(SCOPE_RULES, &given) {
        return Ok(Err(refused));
    }
    let given = given.unwrap_or(held);
    let longest = tx.now().plus(TOKEN_SECONDS);
    let expires_at = credential.expires_at.map_or(longest, |at| at.min(longest));
    let (token, _) = mint::key(tx.context().random, &token_prefix(&service.persona))?;
    let answer = TokenAnswer {
        access_token: SecretText::new(token.expose().to_owned()),
        token_type: "Bearer".to_owned(),
        expires_in: expires_at.unix() - tx.now().unix(),
        scope: given.join(" "),
    };
    let token = NewToken {
        token,
        credential: credential.id.clone(),
        scope: given,
        expires_at,
    };
    let assertion = client.assertion.map(|assertion| Spent {
        kind: Once::Assertion,
        credential: credential.id.clone(),
        id: assertion.id,
        forget_at: assertion.forget_at,
    });
    tx.apply(access::issue(&credential, token, assertion))?;
    Ok(Ok(answer))
}
