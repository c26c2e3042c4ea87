//! The small API of a persona, which its keys open: the resource server of the protocol
//! (specification chapter 14; RFC 6750).

pub(crate) mod access;
mod data;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::TenantId;
use clp_schemas::json::{self, Limits};
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::Value;

use crate::auth::{KeyUse, Presented, use_key};
use crate::config::Persona;
use crate::events::{Event, signing};
use crate::store::{Fault, Gate, Store, Tx};
use access::{NoAccess, Wanted, resolve};

/// Largest body that the API takes, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// A call to the API of a persona.
#[derive(Clone)]
pub struct ResourceCall {
    /// The method, in upper case.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent; empty where there is none.
    pub query: String,
    /// The key or token of the `Authorization` header field, and of no other place.
    pub presented: Option<Presented>,
    /// The body.
    pub body: Bytes,
    /// Where the call came from.
    pub caller: IpAddr,
}

impl fmt::Debug for ResourceCall {
    /// Query and body are somebody's data.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResourceCall")
            .field("method", &self.method)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// What the API answers.
#[derive(Clone, Debug)]
pub struct ResourceReply {
    /// The tenant that the key belongs to, where it was a genuine one.
    pub tenant: Option<TenantId>,
    /// The `WWW-Authenticate` header field, with the error code of RFC 6750 section 3.1 or
    /// RFC 9449 section 7.1.
    pub challenge: Option<&'static str>,
    /// The `Allow` header field.
    pub allow: Option<String>,
    /// What the call gave, or why it gave nothing.
    pub result: Result<Success, Problem>,
    /// What others are to be told of it.
    pub(crate) events: Vec<Event>,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// 200, 201 or 204.
    pub status: u16,
    /// The body; `None` for 204.
    pub value: Option<Value>,
}

impl ResourceReply {
    fn refused(kind: ProblemType) -> Self {
        Self {
            tenant: None,
            challenge: None,
            allow: None,
            result: Err(kind.into()),
            events: Vec::new(),
        }
    }
}

/// Answers a call. Uses and refusals of a key are noted in its tenant's log.
pub async fn answer(store: &Store, persona: &Arc<Persona>, call: ResourceCall) -> ResourceReply {
    let resolved = resolve(
        &persona.routes,
        &call.method,
        &call.path,
        &call.query,
        call.caller,
    );
    let wanted = match resolved {
        Ok(wanted) => wanted,
        Err(NoAccess::NotFound) => return ResourceReply::refused(ProblemType::NotFound),
        Err(NoAccess::Query) => return ResourceReply::refused(ProblemType::InvalidQuery),
        Err(NoAccess::MethodNotAllowed(methods)) => {
            return ResourceReply {
                allow: Some(methods.join(", ")),
                ..ResourceReply::refused(ProblemType::MethodNotAllowed)
            };
        }
    };
    let Some(presented) = call.presented.clone() else {
        return ResourceReply {
            challenge: Some("Bearer"),
            ..ResourceReply::refused(ProblemType::Unauthenticated)
        };
    };
    let persona = Arc::clone(persona);
    let job = move |gate: &Gate<'_>| Ok(serve(gate, &persona, &presented, &wanted, &call)?);
    store
        .run(job)
        .await
        .unwrap_or_else(|problem| ResourceReply {
            result: Err(problem),
            ..ResourceReply::refused(ProblemType::Unavailable)
        })
}

/// Answers a call of a known route. Only a failure of ours is an error here: what a refusal
/// noted in the log has to stand.
fn serve(
    gate: &Gate<'_>,
    persona: &Persona,
    presented: &Presented,
    wanted: &Wanted,
    call: &ResourceCall,
) -> Result<ResourceReply, Fault> {
    let used = use_key(gate, persona, presented, wanted.access())?;
    Ok(match used {
        KeyUse::Invalid(challenge) => ResourceReply {
            challenge: Some(challenge),
            ..ResourceReply::refused(ProblemType::Unauthenticated)
        },
        KeyUse::NotGranted(tenant, challenge) => ResourceReply {
            tenant: Some(tenant),
            challenge: Some(challenge),
            ..ResourceReply::refused(ProblemType::Forbidden)
        },
        KeyUse::Granted(mut tx, credential) => {
            let route = wanted.route.path.to_string();
            tracing::debug!(credential = %credential.id, method = wanted.route.method, route, "key used");
            let result = carry_out(&mut tx, persona, wanted, call)?;
            let is_told = result.is_ok() && wanted.is_change() && persona.claims(Class::Webhooks);
            let events = match is_told {
                true => signing::about(gate, &tx, &persona.name, wanted.access(), &call.path)?,
                false => Vec::new(),
            };
            ResourceReply {
                tenant: Some(tx.tenant().clone()),
                challenge: None,
                allow: None,
                result,
                events,
            }
        }
    })
}

fn carry_out(
    tx: &mut Tx<'_>,
    persona: &Persona,
    wanted: &Wanted,
    call: &ResourceCall,
) -> Result<Result<Success, Problem>, Fault> {
    let body = if wanted.takes_body() {
        let limits = Limits {
            bytes: MAX_BODY_BYTES,
            ..Limits::default()
        };
        match json::parse(&call.body, limits) {
            // A null stands for what was taken away.
            Ok(Value::Null) => return Ok(Err(ProblemType::InvalidRequest.into())),
            Ok(value) => value,
            Err(fault) => return Ok(Err(fault.into())),
        }
    } else {
        Value::Null
    };
    data::Data::new(tx, &persona.seed).carry_out(wanted, &call.path, body)
}
