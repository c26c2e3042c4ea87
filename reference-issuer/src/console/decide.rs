//! Deciding, by the operations that the protocol has for it.

use std::sync::Arc;

use clp_schemas::approval::ApprovalDocument;
use clp_schemas::ids::TenantId;
use clp_schemas::ops::approve::{ApprovalSubmit, Challenge, ChallengeOpen};
use clp_schemas::ops::request::RequestBody;
use clp_schemas::ops::{Call, Nothing};
use clp_schemas::permissions::consent;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::kept::Session;
use super::{session, wording};
use crate::auth;
use crate::http::{Body, Conditions, Inbound, Reply, read_body};
use crate::ops::{Incoming, Operation, run};
use crate::service::Service;
use crate::store::{Gate, Keep, Tx};

/// A call of an endpoint by whoever is signed in, with the tenant that it is in.
///
/// # Errors
/// `unauthenticated` where there is no such principal any more.
pub(super) fn as_person<'c, C>(
    gate: &Gate<'c>,
    service: &Arc<Service>,
    session: &Session,
    request: &str,
    body: Result<Option<Body<C::Body>>, Problem>,
) -> Result<(Tx<'c>, Incoming<C>), Problem>
where
    C: Call<Query = Nothing>,
{
    let document = &service.persona.permissions;
    // Whoever was shut out since they signed in is nobody any more.
    gate.principal(&session.tenant, &session.principal)?
        .filter(|found| !found.is_disabled)
        .ok_or(ProblemType::Unauthenticated)?;
    let caller = auth::principal(gate, &session.tenant, document, &session.principal)?;
    let path = serde_json::from_value(json!({"request_id": request}));
    let call = Incoming {
        service: Arc::clone(service),
        caller,
        raw_path: format!("{}/requests/{request}", service.endpoint()),
        path: path.map_err(|_| ProblemType::NotFound.into()),
        query: Ok(Nothing {}),
        body,
        key: Ok(None),
        conditions: Conditions::read(&axum::http::HeaderMap::new()),
        addresses: Vec::new(),
    };
    Ok((gate.enter(&session.tenant)?, call))
}

/// Opens a challenge. The answer is the endpoint's, with the words for what would be agreed to
/// where that is less than was asked for.
///
/// # Errors
/// As the endpoint's, and `unauthenticated`.
pub(super) async fn open(
    service: &Arc<Service>,
    inbound: &Inbound,
    request: &str,
) -> Result<Reply, Problem> {
    carry_out::<ChallengeOpen>(service, inbound, request, explained).await
}

/// Submits evidence.
///
/// # Errors
/// As the endpoint's, and `unauthenticated`.
pub(super) async fn submit(
    service: &Arc<Service>,
    inbound: &Inbound,
    request: &str,
) -> Result<Reply, Problem> {
    carry_out::<ApprovalSubmit>(service, inbound, request, |_, _, reply| Ok(reply)).await
}

type Explain = fn(&Tx<'_>, &Service, Reply) -> Result<Reply, Problem>;

async fn carry_out<C>(
    service: &Arc<Service>,
    inbound: &Inbound,
    request: &str,
    explain: Explain,
) -> Result<Reply, Problem>
where
    C: Operation + Call<Query = Nothing> + 'static,
{
    let session = session::wanted(service, inbound)?;
    let body = read_body::<C::Body>(service.seams, C::ID, &service.persona.profiles, inbound);
    run_as::<C>(service, inbound, &session, request, body, explain).await
}

/// Submits evidence that was not sent here but fetched.
///
/// # Errors
/// As the endpoint's.
pub(super) async fn submit_for(
    service: &Arc<Service>,
    inbound: &Inbound,
    session: &Session,
    request: &str,
    sent: Value,
) -> Result<Reply, Problem> {
    let body = body_of::<ApprovalSubmit>(sent);
    run_as::<ApprovalSubmit>(service, inbound, session, request, body, |_, _, reply| {
        Ok(reply)
    })
    .await
}

/// A body that this page makes itself, for an endpoint that takes no key.
///
/// # Errors
/// `internal` if it is none of that endpoint.
pub(super) fn body_of<C: Call>(value: Value) -> Result<Body<C::Body>, Problem> {
    Ok(Body {
        typed: serde_json::from_value(value.clone()).map_err(|_| ProblemType::Internal)?,
        value,
        // Without a key nothing is repeated.
        hash: [0; 32],
    })
}

async fn run_as<C>(
    service: &Arc<Service>,
    inbound: &Inbound,
    session: &Session,
    request: &str,
    body: Result<Body<C::Body>, Problem>,
    explain: Explain,
) -> Result<Reply, Problem>
where
    C: Operation + Call<Query = Nothing> + 'static,
{
    let (reply, known) = service
        .store
        .run_keeping(Keep::Effects, {
            let (service, session) = (Arc::clone(service), session.clone());
            let request = request.to_owned();
            move |gate| {
                let (mut tx, call) =
                    as_person::<C>(gate, &service, &session, &request, body.map(Some))?;
                let known: (TenantId, Timestamp) = (tx.tenant().clone(), tx.now());
                let reply = run(&mut tx, &call)?;
                Ok((explain(&tx, &service, reply)?, known))
            }
        })
        .await?;
    service.note_call(known, inbound, &reply);
    Ok(reply)
}

/// The challenge together with what would be signed, in words.
fn explained(tx: &Tx<'_>, service: &Service, reply: Reply) -> Result<Reply, Problem> {
    if reply.status() != 201 {
        return Ok(reply);
    }
    let internal = |_| Problem::from(ProblemType::Internal);
    let sent: Value = serde_json::from_slice(reply.body()).map_err(internal)?;
    let challenge: Challenge = serde_json::from_value(sent.clone()).map_err(internal)?;
    let mut agreed = None;
    if let Some(narrowed) = challenge.approval_document {
        let document: ApprovalDocument = serde_json::from_value(narrowed).map_err(internal)?;
        let asked: RequestBody = serde_json::from_value(document.request).map_err(internal)?;
        let meaning = tx.document(&service.persona.name, &document.permission_schema_digest)?;
        let lines = consent(&meaning, &asked.permissions, wording::LANGUAGE)
            .map_err(|_| ProblemType::Internal)?;
        let lines: Vec<String> = lines.iter().map(|line| wording::clean(line)).collect();
        agreed = Some(json!({
            "consent": lines,
            "lifetime": wording::duration(asked.lifetime_seconds),
            "renewal": wording::renewal(&asked, tx.now()),
        }));
    }
    Reply::json(201, &json!({"challenge": sent, "agreed": agreed}))
}
