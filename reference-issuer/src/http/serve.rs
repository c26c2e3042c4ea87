//! The listener of a persona: the endpoints of the protocol, and below them the persona's own
//! API.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::USER_AGENT;
use axum::response::Response;
use clp_schemas::endpoint::Class;
use clp_schemas::ops::control::LoggedRequest;
use clp_schemas::ops::faults::FaultTarget;
use clp_schemas::ops::store::SecretText;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use tower_http::catch_panic::CatchPanicLayer;

use super::dispatch;
use super::inbound::Inbound;
use super::reply::Reply;
use super::route::{Routed, route};
use super::tamper::tampered;
use crate::auth::{Presented, Scheme};
use crate::console;
use crate::resource::{self, ResourceCall};
use crate::rules::Rule;
use crate::service::{ENDPOINT_PATH, Service};

/// Answers whatever reaches a persona.
pub fn router(service: Arc<Service>) -> Router {
    let seams = service.seams;
    let name = {
        let service = Arc::clone(&service);
        move |method: &str, path: &str| match route(method, path, |class| {
            service.persona.claims(class)
        }) {
            Routed::Endpoint(row, _) => row.name,
            Routed::Elsewhere => "elsewhere",
            Routed::NoMethod(_) | Routed::Nothing => "nothing",
        }
    };
    let router = Router::new()
        .fallback(move |request: Request| {
            let service = Arc::clone(&service);
            async move { serve(&service, request).await.into_response() }
        })
        .layer(CatchPanicLayer::custom(|_| -> Response {
            tracing::error!("a handler panicked");
            Reply::refusal(&ProblemType::Internal.into()).into_response()
        }));
    tampered(router, seams, name)
}

async fn serve(service: &Arc<Service>, request: Request) -> Reply {
    let below = is_below_endpoint(request.uri().path());
    let (endpoint, reply) = match Inbound::read(service.seams, request).await {
        Ok(inbound) => answer(service, inbound).await,
        Err(problem) => ("none", Reply::refusal(&problem)),
    };
    // Never the path as it was sent: it can hold what somebody typed into the wrong place.
    tracing::debug!(
        persona = service.persona.name,
        endpoint,
        status = reply.status(),
        problem = reply.problem(),
        "answered"
    );
    // Answers below E are about credentials (RFC 9111 section 5.2.2.5).
    if below {
        reply.caching("no-store")
    } else {
        reply
    }
}

fn is_below_endpoint(path: &str) -> bool {
    path.strip_prefix(ENDPOINT_PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Step 3.
const ROUTE_RULES: &[Rule<Routed>] = &[
    Rule {
        id: "CLP-DIS-006",
        refuses: |routed| matches!(routed, Routed::Nothing).then(|| ProblemType::NotFound.into()),
    },
    Rule {
        id: "CLP-TRN-034",
        refuses: |routed| {
            matches!(routed, Routed::NoMethod(_)).then(|| ProblemType::MethodNotAllowed.into())
        },
    },
];

/// The name of what answers, and its answer.
async fn answer(service: &Arc<Service>, inbound: Inbound) -> (&'static str, Reply) {
    let routed = route(&inbound.method, &inbound.path, |class| {
        service.persona.claims(class)
    });
    if let Err(problem) = service.seams.check(ROUTE_RULES, &routed) {
        let reply = Reply::refusal(&problem);
        let reply = match &routed {
            Routed::NoMethod(allow) => reply.allow(allow),
            _ => reply,
        };
        return ("none", reply);
    }
    match routed {
        Routed::Endpoint(row, path) => {
            let reply = dispatch::answer(service, row, path, inbound).await;
            let reply = reply.unwrap_or_else(|problem| Reply::refusal(&problem));
            (row.name, reply)
        }
        Routed::NoMethod(_) | Routed::Nothing => {
            ("none", Reply::refusal(&ProblemType::NotFound.into()))
        }
        Routed::Elsewhere if has_page(service, &inbound.path) => {
            ("approval page", console::answer(service, inbound).await)
        }
        Routed::Elsewhere => ("resource", resource(service, inbound).await),
    }
}

/// What a request is to a script of faults: a call of an endpoint that the persona claims, or one
/// of its own API.
pub(crate) fn fault_target(service: &Service, method: &str, path: &str) -> Option<FaultTarget> {
    match route(method, path, |class| service.persona.claims(class)) {
        Routed::Endpoint(row, _) => Some(FaultTarget::Endpoint(row.id)),
        Routed::Elsewhere if !has_page(service, path) => Some(FaultTarget::Resource),
        Routed::Elsewhere | Routed::NoMethod(_) | Routed::Nothing => None,
    }
}

/// Whether the approval page answers there.
fn has_page(service: &Service, path: &str) -> bool {
    service.persona.claims(Class::Approval) && console::is_below(path)
}

/// What a call says about who makes it: a key by itself (RFC 6750), or with a proof (RFC 9449).
fn presented(service: &Service, inbound: &Inbound) -> Option<Presented> {
    let (scheme, token) = inbound.authorization()?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ => return None,
    };
    let agent = inbound.headers.get(USER_AGENT);
    let agent = agent.map(|value| String::from_utf8_lossy(value.as_bytes()));
    Some(Presented {
        scheme,
        token: SecretText::new(token.to_owned()),
        // Two proofs are none that holds (RFC 9449 section 4.3).
        proof: inbound
            .headers
            .contains_key("dpop")
            .then(|| inbound.only("dpop").unwrap_or_default().to_owned()),
        method: inbound.method.clone(),
        url: format!("{}{}", service.origin, inbound.path),
        user_agent: agent
            .map(|agent| {
                agent
                    .chars()
                    .filter(|letter| !letter.is_control())
                    .take(MAX_AGENT)
                    .collect()
            })
            .unwrap_or_default(),
        address: inbound.peer.to_canonical().to_string(),
    })
}

/// Most characters of a user agent that are kept.
const MAX_AGENT: usize = 200;

/// Hands a call over to the persona's own API.
async fn resource(service: &Arc<Service>, inbound: Inbound) -> Reply {
    let call = ResourceCall {
        presented: presented(service, &inbound),
        method: inbound.method.clone(),
        path: inbound.path.clone(),
        query: inbound.query,
        body: inbound.body.into(),
        caller: inbound.peer,
    };
    let answer = resource::answer(&service.store, &service.persona, call).await;
    for event in answer.events {
        service.courier.take(service.persona.environment, event);
    }
    let reply = match answer.result {
        Ok(success) => match &success.value {
            Some(value) => Reply::json(success.status, value),
            None => Ok(Reply::empty(success.status)),
        },
        Err(problem) => Err(problem),
    };
    let mut reply = reply.unwrap_or_else(|problem: Problem| Reply::refusal(&problem));
    if reply.problem() == Some(ProblemType::Unauthenticated.name())
        && let Err(problem) = service.resource_failures.admit(inbound.peer)
    {
        reply = Reply::refusal(&problem);
    } else if let Some(challenge) = answer.challenge {
        reply = reply.challenge(challenge);
    }
    reply = reply.caching("no-store");
    if let Some(allow) = &answer.allow {
        reply = reply.allow(allow);
    }
    if let Some(tenant) = answer.tenant {
        let time = service
            .store
            .submit(tenant.clone(), |tx| Ok(tx.now()))
            .await
            .unwrap_or_else(|_| Timestamp::system_now());
        let logged = LoggedRequest {
            time,
            method: inbound.method,
            path: inbound.path,
            status: reply.status(),
            problem: reply.problem().map(str::to_owned),
        };
        service.log.record(&tenant, logged);
    }
    reply
}
