//! Deciding by what an identity provider signs: the browser goes there with the challenge, and
//! comes back with a code. The code is exchanged here, and what comes of it is submitted as
//! evidence like any other.

use std::sync::Arc;

use askama::Template;
use clp_schemas::canonical::to_base64url;
use clp_schemas::ids::{ChallengeId, RequestId};
use clp_schemas::ops::Call as _;
use clp_schemas::ops::approve::{ApprovalBody, ApprovalSubmit, Challenge};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use clp_schemas::problem::{Problem, ProblemType};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::kept::Session;
use super::show::html;
use super::{body, decide, session};
use crate::context::Random;
use crate::http::{Inbound, Reply, check_body};
use crate::identity::{Attempt, IdentityFault, Relation, exchange, start};
use crate::service::Service;
use crate::store::Tx;

/// Somebody who is on their way to a provider and back.
pub(super) struct Away {
    session: Session,
    challenge: Challenge,
    method: AuthMethod,
    relation: Relation,
    verifier: SecretText,
    reason: Option<String>,
}

/// Where providers send people back to.
fn callback(service: &Service) -> Result<Url, Problem> {
    Url::parse(&format!("{}/approve/callback", service.origin))
        .map_err(|_| ProblemType::Internal.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    challenge_id: ChallengeId,
    method: AuthMethod,
    issuer: String,
    client_id: String,
    #[serde(default)]
    reason: Option<String>,
}

/// Says where the browser is to go.
///
/// # Errors
/// `unauthenticated`, `challenge-not-usable`, `method-not-supported`, `unavailable`.
pub(super) async fn leave(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    let session = session::wanted(service, inbound)?;
    let leave: Leave = body(inbound)?;
    let found = {
        let session = session.clone();
        let (id, issuer, client) = (leave.challenge_id, leave.issuer, leave.client_id);
        move |tx: &mut Tx<'_>| find(tx, &session, &id, &issuer, &client)
    };
    let (challenge, relation) = service.store.submit(session.tenant.clone(), found).await?;
    let secret = |bytes: [u8; 32]| to_base64url(&bytes);
    let state = secret(Random.bytes()?);
    let verifier = SecretText::new(secret(Random.bytes()?));
    let attempt = Attempt {
        issuer: &service.origin,
        challenge: &challenge,
        method: leave.method,
        redirect_uri: &callback(service)?,
        state: &state,
        verifier: &verifier,
    };
    let started = start(&relation, attempt)
        .await
        .map_err(|fault| failed(&fault))?;
    let away = Away {
        session,
        challenge,
        method: leave.method,
        relation,
        verifier,
        reason: leave.reason,
    };
    service.console.kept().away.put(&state, away);
    Reply::json(201, &json!({"location": started.authorization_url}))
}

/// The challenge that this person has opened, and the provider that they want to answer it at.
fn find(
    tx: &Tx<'_>,
    session: &Session,
    id: &ChallengeId,
    issuer: &str,
    client: &str,
) -> Result<(Challenge, Relation), Problem> {
    let challenge = tx
        .challenge(id)?
        .filter(|row| !row.used && row.challenge.approver == session.principal)
        .ok_or(ProblemType::ChallengeNotUsable)?
        .challenge;
    let provider = tx
        .providers()?
        .into_iter()
        .find(|one| one.issuer == issuer && one.client_id == client)
        .ok_or(ProblemType::MethodNotSupported)?;
    let secret = tx.client_secret(issuer, client)?;
    Ok((challenge, Relation { provider, secret }))
}

/// What went wrong at a provider is its trouble or the network's; the log says which.
fn failed(fault: &IdentityFault) -> Problem {
    tracing::warn!(%fault, "an identity provider does not do its part");
    match fault {
        IdentityFault::Method(_) | IdentityFault::Attempt => {
            Problem::new(ProblemType::MethodNotSupported)
        }
        IdentityFault::Endpoint(_) | IdentityFault::Unreachable | IdentityFault::Answer(_) => {
            Problem::new(ProblemType::EvidenceInvalid).detail(fault.to_string())
        }
    }
}

#[derive(Template)]
#[template(path = "callback.html")]
struct CallbackPage<'a> {
    issuer: &'a str,
}

/// The page that people come back to. A browser that comes from another site does not send the
/// cookie, so the page itself sends on what stands in its address.
///
/// # Errors
/// `internal`.
pub(super) fn page(service: &Service) -> Result<Reply, Problem> {
    let issuer = &service.persona.display_name;
    html(200, &CallbackPage { issuer })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    state: String,
    code: SecretText,
    /// Who says so (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
}

/// Exchanges the code, and submits what comes of it. Answers which request was decided on.
///
/// # Errors
/// `unauthenticated` where nobody of this session left with that state; `evidence-invalid` where
/// the provider gives nothing; and as `approval_submit`.
pub(super) async fn back(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    let session = session::wanted(service, inbound)?;
    let Back { state, code, iss } = body(inbound)?;
    // It is good once, whatever comes of it.
    let away = service.console.kept().away.take(&state);
    let away = away
        .filter(|away| away.session == session)
        .ok_or(ProblemType::ChallengeNotUsable)?;
    // One provider's code is not sent to another (RFC 9700 section 4.4.2).
    if iss.is_some_and(|iss| iss != away.relation.provider.issuer) {
        return Err(Problem::new(ProblemType::EvidenceInvalid).detail("another provider answers"));
    }
    let attempt = Attempt {
        issuer: &service.origin,
        challenge: &away.challenge,
        method: away.method,
        redirect_uri: &callback(service)?,
        state: &state,
        verifier: &away.verifier,
    };
    let evidence = exchange(&away.relation, attempt, &code)
        .await
        .map_err(|fault| failed(&fault))?;
    let sent = ApprovalBody {
        challenge_id: away.challenge.id,
        method: away.method,
        evidence,
        reason: away.reason,
    };
    let sent = serde_json::to_value(sent).map_err(|_| ProblemType::Internal)?;
    check_body(ApprovalSubmit::ID, &sent).map_err(|_| ProblemType::InvalidRequest)?;
    let request: RequestId = away.challenge.request_id;
    let reply = decide::submit_for(service, inbound, &session, request.as_str(), sent).await?;
    // A refusal that used the challenge up is an answer too.
    match reply.problem() {
        Some(_) => Ok(reply),
        None => Reply::json(200, &json!({"request_id": request})),
    }
}
