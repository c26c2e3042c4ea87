//! Send a test event, and say what came of it (specification chapter 21).
//!
//! The receiver is waited for between two jobs, so that nobody else waits for it.

use std::sync::Arc;

use clp_schemas::endpoint::EndpointId;
use clp_schemas::ids::{CredentialId, RotationId, TenantId};
use clp_schemas::ops::create::{Credential, CredentialPath};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::inject::{EventTestAnswer, EventTestBody, Outcome, SignedBy};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use clp_schemas::webhook::WebhookSecret;
use serde_json::{Map, Value, json};

use super::guard;
use crate::auth::{self, Action};
use crate::events::{Event, courier, signing};
use crate::http::{Body, Inbound, Reply, read_body, read_query};
use crate::lifecycle::access::tested;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Gate, RotationRow, Tx};

/// What is to be tested.
struct Standing {
    kind: CredentialType,
    opens: bool,
    wants_rotation: bool,
    has_rotation: bool,
}

const RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-WHK-006",
        refuses: |standing| {
            (standing.kind != CredentialType::WebhookSecret)
                .then(|| ProblemType::TypeMismatch.into())
        },
    },
    Rule {
        id: "CLP-WHK-005",
        refuses: |standing| {
            let is_signable = standing.opens && (standing.has_rotation || !standing.wants_rotation);
            (!is_signable).then(|| ProblemType::CredentialNotActive.into())
        },
    },
];

/// A test that is about to be made.
struct Prepared {
    event: Event,
    credential: CredentialId,
    rotation: Option<RotationId>,
    signed_by: SignedBy,
    actor: String,
}

/// In whose world, and when.
type Whose = (TenantId, Timestamp);

/// Answers a call.
///
/// # Errors
/// Those of the layers, and what the rules refuse.
pub(crate) async fn test(
    service: &Arc<Service>,
    path: Map<String, Value>,
    inbound: &Inbound,
) -> Result<Reply, Problem> {
    let path = serde_json::from_value::<CredentialPath>(Value::Object(path))
        .map_err(|_| ProblemType::NotFound);
    let profiles = &service.persona.profiles;
    let query = read_query::<clp_schemas::ops::Nothing>(
        service.seams,
        EndpointId::EventTest,
        profiles,
        &inbound.query,
    );
    let body = read_body::<EventTestBody>(service.seams, EndpointId::EventTest, profiles, inbound);
    let bearer = inbound.bearer().map(str::to_owned);
    let job = {
        let service = Arc::clone(service);
        move |gate: &Gate<'_>| {
            let persona = &service.persona;
            let (tx, caller) =
                auth::authenticate(gate, &persona.name, &persona.permissions, bearer.as_deref())?;
            let whose: Whose = (tx.tenant().clone(), tx.now());
            let prepared = (|| {
                let id = path?.credential_id;
                let credential = guard::credential(&tx, &caller, &id, Action::Rotate)?;
                query?;
                prepare(&tx, credential, &body?, caller.id())
            })();
            Ok((whose, prepared))
        }
    };
    let (whose, prepared) = service.store.run(job).await?;
    let result = match prepared {
        Ok(prepared) => send(service, whose.0.clone(), prepared).await,
        Err(problem) => Err(problem),
    };
    let reply = match result {
        Ok(answer) => Reply::json(200, &answer)?,
        Err(problem) => Reply::refusal(&problem),
    };
    service.note_call(whose, inbound, &reply);
    Ok(reply)
}

fn prepare(
    tx: &Tx<'_>,
    credential: Credential,
    body: &Body<EventTestBody>,
    actor: &str,
) -> Result<Prepared, Problem> {
    let signed_by = body.typed.signed_by;
    let rotation = rotation_of(tx, &credential.id)?;
    let standing = Standing {
        kind: credential.kind,
        opens: credential.state.opens(),
        wants_rotation: signed_by == SignedBy::Probe,
        has_rotation: rotation
            .as_ref()
            .is_some_and(|rotation| rotation.probe_value.is_some()),
    };
    tx.check(RULES, &standing)?;
    let secrets = match signed_by {
        SignedBy::All => signing::secrets_of(tx, &tx.lineage(&credential.id)?)?,
        SignedBy::Credential => tx.webhook_secret(&credential.id)?.into_iter().collect(),
        SignedBy::Probe => {
            let probe = rotation
                .as_ref()
                .and_then(|rotation| rotation.probe_value.as_deref());
            let probe = probe.ok_or(ProblemType::CredentialNotActive)?;
            vec![WebhookSecret::parse(probe).map_err(|_| ProblemType::Internal)?]
        }
    };
    let webhook = credential.webhook.as_ref().ok_or(ProblemType::Internal)?;
    Ok(Prepared {
        event: signing::sign(tx, &webhook.url, &secrets, "clp.test", &json!({}))?,
        credential: credential.id,
        rotation: rotation.map(|rotation| rotation.id),
        signed_by,
        actor: actor.to_owned(),
    })
}

/// The open rotation of which a credential is one: of its own, or else the one that made it.
fn rotation_of(tx: &Tx<'_>, id: &CredentialId) -> Result<Option<RotationRow>, Problem> {
    let neighbours = tx.neighbours(id)?;
    Ok(neighbours
        .replaced_by
        .or(neighbours.replaces.map(|(rotation, _)| rotation)))
}

async fn send(
    service: &Service,
    tenant: TenantId,
    prepared: Prepared,
) -> Result<EventTestAnswer, Problem> {
    let (outcome, status) = courier::send(service.persona.environment, &prepared.event).await;
    let event = prepared.event.clone();
    service
        .store
        .submit(tenant, move |tx| record(tx, &prepared, outcome))
        .await?;
    Ok(EventTestAnswer {
        id: event.id,
        url: event.url,
        timestamp: event.timestamp,
        signature: event.signature,
        body: event.body,
        outcome,
        status,
    })
}

/// Keeps what came of a test, for the gates of a rotation that is still open.
fn record(tx: &mut Tx<'_>, prepared: &Prepared, outcome: Outcome) -> Result<(), Problem> {
    let Some(credential) = tx.credential(&prepared.credential)? else {
        return Ok(());
    };
    let rotation = match &prepared.rotation {
        Some(id) => tx.rotation(id)?.filter(|rotation| rotation.state.is_open()),
        None => None,
    };
    let effects = tested(
        &credential,
        rotation,
        prepared.signed_by,
        outcome,
        &prepared.actor,
        tx.now(),
    );
    Ok(tx.apply(effects)?)
}
