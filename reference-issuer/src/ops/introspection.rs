//! What a token or a key is good for (RFC 7662; specification chapter 21).

use std::sync::Arc;

use clp_schemas::endpoint::EndpointId;
use clp_schemas::ids::TenantId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::oauth::{Introspection, OauthErrorCode};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use zeroize::Zeroizing;

use super::guard;
use super::oauth::{Judged, Refused, form, refusal};
use crate::auth::{self, Action, Caller, known_credential, scope};
use crate::http::{Inbound, Reply, read_query};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Gate, TokenRow, Tx};

/// What came of a question, and in whose world it was asked.
struct Known {
    result: Judged<Introspection>,
    whose: (TenantId, Timestamp),
}

/// Answers a call.
///
/// # Errors
/// `unauthenticated`.
pub(crate) async fn answer(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    let missing = Refused::new(OauthErrorCode::InvalidRequest, "token is missing");
    let asked = form(inbound).and_then(|form| {
        let token = form.get("token").ok_or(missing)?;
        Ok(Zeroizing::new(token.to_owned()))
    });
    let query = read_query::<Nothing>(
        service.seams,
        EndpointId::TokenIntrospect,
        &service.persona.profiles,
        &inbound.query,
    );
    let bearer = inbound.bearer().map(str::to_owned);
    let job = {
        let service = Arc::clone(service);
        move |gate: &Gate<'_>| {
            let persona = &service.persona;
            let (tx, caller) =
                auth::authenticate(gate, &persona.name, &persona.permissions, bearer.as_deref())?;
            // A key that was minted here can end itself below E, and nothing else.
            caller
                .principal()
                .map_err(|_| ProblemType::Unauthenticated)?;
            let result = query.and_then(|_| match asked {
                Ok(token) => introspect(gate, &tx, &service, &caller, &token).map(Ok),
                Err(refused) => Ok(Err(refused)),
            });
            Ok(Known {
                result,
                whose: (tx.tenant().clone(), tx.now()),
            })
        }
    };
    let known = service.store.run(job).await?;
    let reply = match known.result {
        Ok(Ok(answer)) => Reply::json(200, &answer)?,
        Ok(Err(refused)) => refusal(refused, false)?,
        Err(problem) => Reply::refusal(&problem),
    };
    service.note_call(known.whose, inbound, &reply);
    Ok(reply)
}

/// What is known of the credential behind a token.
struct Standing {
    opens: bool,
    readable: bool,
}

/// A refusal is the answer that says nothing.
const RULES: &[Rule<Standing, Introspection>] = &[
    Rule {
        id: "CLP-OAU-013/state",
        refuses: |standing| (!standing.opens).then(Introspection::default),
    },
    Rule {
        id: "CLP-OAU-013/read",
        refuses: |standing| (!standing.readable).then(Introspection::default),
    },
];

fn introspect(
    gate: &Gate<'_>,
    tx: &Tx<'_>,
    service: &Service,
    caller: &Caller,
    text: &str,
) -> Result<Introspection, Problem> {
    let Some((credential, token)) = found(gate, tx, &service.persona.name, text)? else {
        return Ok(Introspection::default());
    };
    let place = guard::place(&credential.project, &credential.environment);
    let standing = Standing {
        opens: credential.state.opens(),
        readable: caller.may(Action::Read, &place),
    };
    if let Err(inactive) = tx.check(RULES, &standing) {
        return Ok(inactive);
    }
    let document = gate
        .document(&service.persona.name, &credential.permission_schema_digest)?
        .ok_or(ProblemType::Internal)?;
    let (names, issued_at, expires_at) = match token {
        Some(token) => (token.scope, token.issued_at, Some(token.expires_at)),
        None => (
            scope::names(&document, &credential.permissions),
            credential.created_at,
            credential.expires_at,
        ),
    };
    Ok(Introspection {
        active: true,
        scope: Some(names.join(" ")),
        client_id: Some(credential.id.to_string()),
        sub: Some(credential.id.to_string()),
        iss: Some(service.origin.clone()),
        token_type: Some(
            if credential.cnf.is_some() {
                "DPoP"
            } else {
                "Bearer"
            }
            .to_owned(),
        ),
        exp: expires_at.map(Timestamp::unix),
        iat: Some(issued_at.unix()),
        cnf: credential.cnf,
    })
}

/// The credential behind a key or a token, if that opens something by itself, in this tenant.
fn found(
    gate: &Gate<'_>,
    tx: &Tx<'_>,
    persona: &str,
    text: &str,
) -> Result<Option<(Credential, Option<TokenRow>)>, Problem> {
    if let Some(token) = gate.token(persona, text)? {
        let is_known = token.tenant == *tx.tenant() && token.expires_at > tx.now();
        let credential = if is_known {
            tx.credential(&token.credential)?
        } else {
            None
        };
        return Ok(credential.map(|credential| (credential, Some(token))));
    }
    let known = known_credential(gate, persona, text)?;
    Ok(known
        .filter(|(theirs, credential)| {
            theirs.tenant() == tx.tenant() && credential.kind == CredentialType::ApiKey
        })
        .map(|(_, credential)| (credential, None)))
}
