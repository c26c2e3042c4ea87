//! The approval page: where a person decides in a browser (specification chapter 12, "The
//! page").
//!
//! It is this issuer's own and no part of the protocol. It has no way of its own to decide: as
//! the person who signed in, it opens challenges and submits evidence by the operations that
//! everybody else calls, and the rules are theirs.

mod assets;
mod decide;
mod enrol;
mod guard;
mod kept;
mod redirect;
mod session;
mod show;
mod sign_in;
mod view;
mod wording;

use std::sync::Arc;

use axum::http::header::SET_COOKIE;
use clp_schemas::json::{self, Limits};
use clp_schemas::problem::{Problem, ProblemType};
use serde::de::DeserializeOwned;
use serde_json::json;

pub(crate) use kept::Console;

use crate::http::{Inbound, Reply};
use crate::service::{APPROVAL_PATH, Service};

/// Whether a path is one of the page's.
pub(crate) fn is_below(path: &str) -> bool {
    path.starts_with(APPROVAL_PATH)
}

/// Answers what a browser asks of the page.
pub(crate) async fn answer(service: &Arc<Service>, inbound: Inbound) -> Reply {
    let reply = route(service, &inbound).await;
    guard::dressed(reply.unwrap_or_else(|problem| Reply::refusal(&problem)))
}

async fn route(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    let path = inbound.path.strip_prefix(APPROVAL_PATH).unwrap_or_default();
    match inbound.method.as_str() {
        "GET" | "HEAD" => match path {
            "session" => {
                let signed_in = session::of(service, inbound).is_some();
                Reply::json(200, &json!({"signed_in": signed_in}))
            }
            "enrol" => enrol::page(service),
            "callback" => redirect::page(service),
            name => match assets::find(name) {
                Some(asset) => Ok(asset),
                None => show::page(service, inbound, name).await,
            },
        },
        "POST" => {
            guard::check(service, inbound)?;
            match path.split_once('/').unwrap_or((path, "")) {
                ("sign-in", "challenge") => sign_in::open(service),
                ("sign-in", "") => sign_in::submit(service, inbound).await,
                ("sign-out", "") => {
                    let cookie = session::end(service, inbound);
                    Ok(Reply::empty(204).with(SET_COOKIE, &cookie))
                }
                ("enrol", "challenge") => enrol::open(service, inbound).await,
                ("enrol", "") => enrol::submit(service, inbound).await,
                ("callback", "") => redirect::back(service, inbound).await,
                ("leave", "") => redirect::leave(service, inbound).await,
                (request, "challenge") => decide::open(service, inbound, request).await,
                (request, "decision") => decide::submit(service, inbound, request).await,
                _ => Err(ProblemType::NotFound.into()),
            }
        }
        _ => Ok(Reply::refusal(&ProblemType::MethodNotAllowed.into()).allow("GET, HEAD, POST")),
    }
}

/// The body of a call of the page's own.
///
/// # Errors
/// `unsupported-media-type`, `invalid-json` and the like, `invalid-request`.
fn body<T: DeserializeOwned>(inbound: &Inbound) -> Result<T, Problem> {
    if !inbound.is_json() {
        return Err(ProblemType::UnsupportedMediaType.into());
    }
    let value = json::parse(&inbound.body, Limits::default())?;
    serde_json::from_value(value).map_err(|_| ProblemType::InvalidRequest.into())
}
