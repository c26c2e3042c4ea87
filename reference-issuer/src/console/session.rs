//! Who is signed in: a cookie that scripts cannot read, and that no other site makes a browser
//! send.

use axum::http::header::COOKIE;
use clp_schemas::canonical;
use clp_schemas::problem::{Problem, ProblemType};

use super::kept::{SESSION_SECONDS, Session};
use crate::context::Random;
use crate::http::Inbound;
use crate::service::Service;

/// The name of the cookie. Browsers share cookies between the ports of a host, so the port is in
/// it. A page on https would add the prefix `__Host-` and `Secure`; this issuer is reached over
/// http on the loopback interface alone, where not every browser takes them.
fn name(service: &Service) -> String {
    let port = service.origin.rsplit(':').next().unwrap_or_default();
    format!("clp-approval-{port}")
}

/// What the cookie holds; `None` where there is none, or more than one, of which one would be
/// somebody else's.
fn token(service: &Service, inbound: &Inbound) -> Option<String> {
    let name = name(service);
    let mut found = inbound
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(given, _)| *given == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.to_owned()),
        _ => None,
    }
}

/// Who sent a request, if they are signed in.
pub(super) fn of(service: &Service, inbound: &Inbound) -> Option<Session> {
    let token = token(service, inbound)?;
    service.console.kept().sessions.get(&token).cloned()
}

/// The same for a request that only somebody who is signed in can make.
///
/// # Errors
/// `unauthenticated`.
pub(super) fn wanted(service: &Service, inbound: &Inbound) -> Result<Session, Problem> {
    of(service, inbound).ok_or_else(|| {
        Problem::new(ProblemType::Unauthenticated).detail("you are not signed in any more")
    })
}

/// Signs somebody in, and answers the cookie.
///
/// # Errors
/// `internal` where there is no randomness.
pub(super) fn begin(service: &Service, session: Session) -> Result<String, Problem> {
    let token = canonical::to_base64url(&Random.bytes::<32>()?);
    service.console.kept().sessions.put(&token, session);
    Ok(cookie(service, &token, SESSION_SECONDS))
}

/// Signs whoever sent a request out, and answers the cookie that is none.
pub(super) fn end(service: &Service, inbound: &Inbound) -> String {
    if let Some(token) = token(service, inbound) {
        service.console.kept().sessions.take(&token);
    }
    cookie(service, "", 0)
}

fn cookie(service: &Service, token: &str, seconds: u64) -> String {
    let name = name(service);
    format!("{name}={token}; Path=/approve; Max-Age={seconds}; HttpOnly; SameSite=Strict")
}
