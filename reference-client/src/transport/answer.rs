//! From bytes that came back to a typed answer or a typed refusal.

use clp_schemas::endpoint::{Endpoint, Media};
use clp_schemas::json;
use clp_schemas::problem::{MEDIA_TYPE, Problem, ProblemType};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Incoming, VERSION};
use crate::error::{Error, ProtocolFault, Unreachable};

const DEPTH: usize = 32;

/// Reads an answer as the row of the endpoint says, or the refusal that came instead.
pub(crate) fn decode<T: DeserializeOwned>(row: &Endpoint, incoming: &Incoming) -> Result<T, Error> {
    if incoming
        .version
        .as_deref()
        .is_some_and(|version| version != VERSION)
    {
        return Err(ProtocolFault::Version.into());
    }
    if !(200..300).contains(&incoming.status) {
        return Err(refusal(incoming));
    }
    let value = match row.media {
        Media::Json => {
            require_media_type(incoming, "application/json")?;
            strict(incoming)?
        }
        Media::Text => {
            require_media_type(incoming, "text/plain")?;
            let text = std::str::from_utf8(&incoming.body).map_err(|_| form(row))?;
            Value::String(text.to_owned())
        }
        Media::Empty => Value::Object(Map::new()),
    };
    if incoming.sabotage.breaks("CLP-TRN-012") && has_later_member(&value) {
        return Err(form(row).into());
    }
    serde_json::from_value(value).map_err(|_| form(row).into())
}

/// Whether an answer has a member of a kind that no version has.
fn has_later_member(value: &Value) -> bool {
    let members = value.as_object();
    members.is_some_and(|members| members.keys().any(|name| name.starts_with("x_")))
}

fn form(row: &Endpoint) -> ProtocolFault {
    ProtocolFault::Form { endpoint: row.name }
}

fn strict(incoming: &Incoming) -> Result<Value, ProtocolFault> {
    if incoming.sabotage.breaks("CLP-DIS-010")
        && let Ok(last_wins) = serde_json::from_slice(&incoming.body)
    {
        return Ok(last_wins);
    }
    let limits = json::Limits {
        bytes: incoming.body.len(),
        depth: DEPTH,
    };
    Ok(json::parse(&incoming.body, limits)?)
}

fn require_media_type(incoming: &Incoming, wanted: &str) -> Result<(), ProtocolFault> {
    if incoming.media_type.as_deref() == Some(wanted) {
        Ok(())
    } else {
        Err(ProtocolFault::MediaType)
    }
}

/// What a refusal means is decided by type and status alone (CLP-ERR-006).
fn refusal(incoming: &Incoming) -> Error {
    let status = incoming.status;
    if incoming.media_type.as_deref() != Some(MEDIA_TYPE) {
        // Proxies and load balancers answer 5xx in their own words; an issuer never does.
        return match status {
            500.. => Unreachable::Gateway(status).into(),
            _ => ProtocolFault::Status(status).into(),
        };
    }
    let problem = match strict(incoming).map(serde_json::from_value::<Problem>) {
        Ok(Ok(problem)) => problem,
        Ok(Err(_)) => return ProtocolFault::Problem.into(),
        Err(fault) => return fault.into(),
    };
    let registered = problem.kind().is_none_or(|kind| kind.status() == status);
    if problem.status != status || !registered {
        return ProtocolFault::Problem.into();
    }
    problem.into()
}

/// The kind of problem in an answer, if it is one that holds together.
pub(super) fn problem_kind(incoming: &Incoming) -> Option<ProblemType> {
    if incoming.status < 400 {
        return None;
    }
    match refusal(incoming) {
        Error::Refused(problem) => problem.kind(),
        _ => None,
    }
}
