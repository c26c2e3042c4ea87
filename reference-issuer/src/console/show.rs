//! The page of a request, for whoever is signed in and may see it; a page to sign in for
//! everybody else, the same whatever they ask for.

use std::sync::Arc;

use askama::Template;
use clp_schemas::ops::approve::ChallengeOpen;
use clp_schemas::ops::request::RequestRead;
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::json;

use super::decide::{as_person, body_of};
use super::kept::Session;
use super::view::{self, RequestPage};
use super::{enrol, session};
use crate::http::{Inbound, Reply};
use crate::ops::policy;
use crate::ops::{Operation, run};
use crate::service::Service;
use crate::store::{Gate, Keep};

/// The page to sign in.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    issuer: &'a str,
    can_enrol: bool,
}

/// The page where there is nothing to see.
#[derive(Template)]
#[template(path = "missing.html")]
struct MissingPage<'a> {
    issuer: &'a str,
    who: String,
}

/// What a page that was filled in answers.
///
/// # Errors
/// `internal`.
pub(super) fn html(status: u16, page: &impl Template) -> Result<Reply, Problem> {
    let text = page.render().map_err(|fault| {
        tracing::error!(%fault, "a page cannot be written");
        Problem::from(ProblemType::Internal)
    })?;
    Ok(Reply::text(status, "text/html; charset=utf-8", text))
}

/// Answers the page of a request.
pub(super) async fn page(
    service: &Arc<Service>,
    inbound: &Inbound,
    request: &str,
) -> Result<Reply, Problem> {
    let Some(session) = session::of(service, inbound) else {
        return sign_in(service);
    };
    // Looking changes nothing, also where it tries what the person may do.
    let found = service
        .store
        .run_keeping(Keep::Nothing, {
            let (service, session) = (Arc::clone(service), session.clone());
            let request = request.to_owned();
            move |gate| look(gate, &service, &session, &request)
        })
        .await;
    match found {
        Ok(page) => html(200, &page),
        Err(problem) => match problem.kind() {
            // Somebody else's, or none at all: the same.
            Some(ProblemType::NotFound | ProblemType::Forbidden) => missing(service, session).await,
            // Somebody who has been shut out. Their session goes too, or the page to sign in
            // would take them for signed in.
            Some(ProblemType::Unauthenticated) => {
                session::end(service, inbound);
                sign_in(service)
            }
            _ => Err(problem),
        },
    }
}

fn sign_in(service: &Service) -> Result<Reply, Problem> {
    let page = SignInPage {
        issuer: &service.persona.display_name,
        can_enrol: enrol::is_open(service),
    };
    html(200, &page)
}

async fn missing(service: &Service, session: Session) -> Result<Reply, Problem> {
    let who = service
        .store
        .run(move |gate| Ok(view::person(gate, &session.tenant, &session.principal)?))
        .await?;
    let page = MissingPage {
        issuer: &service.persona.display_name,
        who,
    };
    html(404, &page)
}

fn look(
    gate: &Gate<'_>,
    service: &Arc<Service>,
    session: &Session,
    request: &str,
) -> Result<RequestPage, Problem> {
    let (tx, call) = as_person::<RequestRead>(gate, service, session, request, Ok(None))?;
    let found = RequestRead::admit(&tx, &call)?;
    drop(tx);
    // Whether this person may decide is what the endpoint itself says to them.
    let body = body_of::<ChallengeOpen>(json!({"decision": "deny"}))?;
    let (mut tx, call) =
        as_person::<ChallengeOpen>(gate, service, session, request, Ok(Some(body)))?;
    let tried = run(&mut tx, &call);
    let found = policy::shown(&tx, service, found)?;
    view::of(gate, &tx, service, session, found, tried)
}
