//! Where faults happen: between the connection and what answers there. Before the persona is
//! called, nothing is done; once it has answered, its transaction stands.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::TenantId;
use clp_schemas::ops::control::LoggedRequest;
use clp_schemas::ops::faults::{DropAt, FAULT_HEADER, Fault, PlainFault};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use futures::stream;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::played::Said;
use super::read::{Asked, asked};
use crate::auth;
use crate::http::{Reply, VERSION_HEADER, fault_target, read_whole};
use crate::rules::Rule;
use crate::service::Service;

/// The most bytes of an answer that is cut off: more than any endpoint answers.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Marks an answer that is not to be sent: the connection ends instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

/// Puts faults in front of a persona.
pub(crate) fn front(service: Arc<Service>, inner: Router) -> Router {
    Router::new().fallback(move |request: Request| {
        let (service, inner) = (Arc::clone(&service), inner.clone());
        async move {
            let (parts, body) = request.into_parts();
            match meets(&service, &parts).await {
                Ok(fault) => {
                    let request = Request::from_parts(parts, body);
                    match service.seams.check(FAULTS, &fault.unwrap_or(Fault::OK)) {
                        Ok(()) => call(&inner, request).await,
                        Err(fault) => play(&service, fault, inner, request).await,
                    }
                }
                Err(problem) => Reply::refusal(&problem).caching("no-store").into_response(),
            }
        }
    })
}

/// Whether the persona claims faults.
const CLAIMED: &[Rule<bool, ()>] = &[Rule {
    id: "CLP-FLT-010",
    refuses: |claimed| (!claimed).then_some(()),
}];

/// A fault that a request asks for by itself comes before any script.
const ASKED_FOR: &[Rule<Option<Fault>, Fault>] = &[Rule {
    id: "CLP-FLT-009",
    refuses: |fault| *fault,
}];

/// What a script says about a call.
const SCRIPTED: &[Rule<Said, Fault>] = &[
    Rule {
        id: "CLP-FLT-002",
        refuses: |said| (!said.is_drawn).then_some(said.fault),
    },
    Rule {
        id: "CLP-FLT-006",
        refuses: |said| said.is_drawn.then_some(said.fault),
    },
];

/// A fault is a refusal to let a call pass as it is.
const FAULTS: &[Rule<Fault, Fault>] = &[
    Rule {
        id: "CLP-FLT-003",
        refuses: |fault| {
            let before = Fault::Drop {
                drop: DropAt::BeforeCommit,
            };
            (*fault == before).then_some(*fault)
        },
    },
    Rule {
        id: "CLP-FLT-004",
        refuses: |fault| matches!(fault, Fault::Answer { .. }).then_some(*fault),
    },
    Rule {
        id: "CLP-FLT-005",
        refuses: |fault| {
            let after = Fault::Drop {
                drop: DropAt::AfterCommit,
            };
            let is_broken = *fault == after || matches!(fault, Fault::Truncate { .. });
            is_broken.then_some(*fault)
        },
    },
    Rule {
        id: "CLP-FLT-012",
        refuses: |fault| {
            let twice = Fault::Plain(PlainFault::Duplicate);
            (*fault == twice).then_some(*fault)
        },
    },
    Rule {
        id: "CLP-FLT-013",
        refuses: |fault| matches!(fault, Fault::Delay { .. }).then_some(*fault),
    },
];

/// What a request meets.
async fn meets(service: &Service, request: &Parts) -> Result<Option<Fault>, Problem> {
    let persona = &service.persona;
    let claims = persona.claims(Class::Faults);
    let claimed = service.seams.check(CLAIMED, &claims).is_ok();
    let by_persona = service.faults.in_persona(&persona.name);
    let by_sandbox = claimed && service.faults.in_sandboxes();
    let by_header = claimed && request.headers.contains_key(FAULT_HEADER);
    if !(claimed || by_persona) {
        return Ok(None);
    }
    let target = fault_target(service, request.method.as_str(), request.uri.path());
    let Some(target) = target else {
        return Ok(None);
    };
    let Asked { run, fault } = asked(service.seams, &request.headers)?;
    if !(by_persona || by_sandbox || by_header) {
        return Ok(None);
    }
    let caller = tenant_of(service, &request.headers).await;
    let tenant = caller.as_ref().map(|(tenant, _)| tenant);
    let asked_for = fault.filter(|_| by_header);
    let fault = match service.seams.check(ASKED_FOR, &asked_for) {
        Err(fault) => Some(fault),
        Ok(()) => {
            let tenant = tenant.filter(|_| by_sandbox);
            let said = service.faults.next(tenant, &persona.name, &run, target)?;
            said.and_then(|said| service.seams.check(SCRIPTED, &said).err())
        }
    };
    if let (Some(Fault::Answer { status, .. }), Some((tenant, time))) = (fault, &caller) {
        let logged = LoggedRequest {
            time: *time,
            method: request.method.as_str().to_owned(),
            path: request.uri.path().to_owned(),
            status,
            problem: problem_of(status).map(|kind| kind.name().to_owned()),
        };
        service.log.record(tenant, logged);
    }
    if let Some(fault) = fault.filter(|fault| *fault != Fault::OK) {
        tracing::debug!(
            persona = persona.name,
            run,
            endpoint = target.name(),
            ?fault,
            "a fault"
        );
    }
    Ok(fault)
}

/// The tenant of whoever calls with a token or a key, and its time.
async fn tenant_of(service: &Service, headers: &HeaderMap) -> Option<(TenantId, Timestamp)> {
    let field = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = field.split_once(' ')?;
    let by_token = ["bearer", "dpop"];
    if !by_token.contains(&scheme.to_ascii_lowercase().as_str()) {
        return None;
    }
    let token = token.trim_start().to_owned();
    let persona = service.persona.name.clone();
    let found = service
        .store
        .run(move |gate| Ok(auth::tenant_of(gate, &persona, &token)?))
        .await;
    // What fails here fails again where the call itself is looked at, and is answered there.
    found.ok().flatten()
}

/// Lets a request meet a fault.
async fn play(service: &Service, fault: Fault, inner: Router, request: Request) -> Response {
    match fault {
        Fault::Plain(PlainFault::Ok) => call(&inner, request).await,
        Fault::Plain(PlainFault::Duplicate) => twice(service, &inner, request).await,
        Fault::Answer {
            status,
            retry_after,
        } => {
            // A peer that is answered while it sends might not see the answer.
            let _ = read_whole(service.seams, request.into_body()).await;
            instead(status, retry_after)
        }
        Fault::Delay { delay_ms } => {
            tokio::time::sleep(Duration::from_millis(u64::from(delay_ms))).await;
            call(&inner, request).await
        }
        Fault::Drop {
            drop: DropAt::BeforeCommit,
        } => {
            let _ = read_whole(service.seams, request.into_body()).await;
            no_answer()
        }
        Fault::Drop {
            drop: DropAt::AfterCommit,
        } => {
            call(&inner, request).await;
            no_answer()
        }
        Fault::Truncate { truncate_at } => {
            let is_head = request.method() == Method::HEAD;
            let answer = call(&inner, request).await;
            match is_head {
                true => answer,
                false => cut(answer, truncate_at).await,
            }
        }
    }
}

async fn call(inner: &Router, request: Request) -> Response {
    let answered: Result<Response, Infallible> =
        TowerToHyperService::new(inner.clone()).call(request).await;
    match answered {
        Ok(response) => response,
    }
}

/// Has a request carried out twice, as if the network had repeated it.
async fn twice(service: &Service, inner: &Router, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match read_whole(service.seams, body).await {
        Ok(body) => {
            let body = Bytes::from(body);
            call(inner, again(&parts, body.clone())).await;
            call(inner, again(&parts, body)).await
        }
        // What has not arrived whole is refused, each time for the same reason.
        Err(problem) => Reply::refusal(&problem).caching("no-store").into_response(),
    }
}

fn again(parts: &Parts, body: Bytes) -> Request {
    Request::from_parts(parts.clone(), Body::from(body))
}

fn problem_of(status: u16) -> Option<ProblemType> {
    match status {
        429 => Some(ProblemType::RateLimited),
        500 => Some(ProblemType::Internal),
        503 => Some(ProblemType::Unavailable),
        _ => None,
    }
}

/// The answer to a call that is not carried out.
fn instead(status: u16, retry_after: Option<u32>) -> Response {
    let mut response = match problem_of(status) {
        Some(kind) => Reply::refusal(&kind.into())
            .caching("no-store")
            .into_response(),
        None => {
            let text = format!("{status} from a gateway\n");
            let mut response =
                Reply::text(status, "text/plain; charset=utf-8", text).into_response();
            // A gateway does not speak the protocol.
            response.headers_mut().remove(VERSION_HEADER);
            response
        }
    };
    let headers = response.headers_mut();
    headers.remove(RETRY_AFTER);
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn no_answer() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(NoAnswer);
    response
}

/// The same answer, of whose body some is missing. An answer without a body stays whole.
async fn cut(response: Response, most: u32) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_ANSWER).await else {
        return no_answer();
    };
    let Some(all_but_one) = body.len().checked_sub(1) else {
        return Response::from_parts(parts, Body::empty());
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(all_but_one);
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let begin = body.slice(..most);
    // The connection fails with the body. What stands before that is on its way only once the
    // connection was left to itself for a moment.
    let pieces = stream::unfold(Some(begin), |left| async {
        let begin = left?;
        if begin.is_empty() {
            tokio::task::yield_now().await;
            return Some((Err(std::io::ErrorKind::ConnectionAborted.into()), None));
        }
        Some((Ok::<_, std::io::Error>(begin), Some(Bytes::new())))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}
