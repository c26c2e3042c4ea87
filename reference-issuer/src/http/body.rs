//! Bodies: media type, JSON, schema, type (step 7 of the order of checks).

use clp_schemas::canonical;
use clp_schemas::endpoint::{Class, EndpointId};
use clp_schemas::json::{self, Limits};
use clp_schemas::problem::{Problem, ProblemType};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::inbound::Inbound;
use super::schema::{self, Breach};
use crate::config::OPTIONAL;
use crate::rules::Rule;
use crate::seams::Seams;

/// A body that fits the schema of its endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Body<T> {
    /// What it says.
    pub(crate) typed: T,
    /// The same as a JSON value, with every member as it was sent.
    pub(crate) value: Value,
    /// SHA-256 of its canonical form, by which a repeated call is told from another one.
    pub(crate) hash: [u8; 32],
}

const MEDIA_RULES: &[Rule<Inbound>] = &[Rule {
    id: "CLP-TRN-005",
    refuses: |inbound| (!inbound.is_json()).then(|| ProblemType::UnsupportedMediaType.into()),
}];

/// What strict reading made of the bytes.
type Parsed = Result<Value, json::Fault>;

const JSON_RULES: &[Rule<Parsed>] = &[
    Rule {
        id: "CLP-TRN-006",
        refuses: |parsed| refused_as(parsed, ProblemType::InvalidJson),
    },
    Rule {
        id: "CLP-TRN-007",
        refuses: |parsed| refused_as(parsed, ProblemType::DuplicateMember),
    },
    Rule {
        id: "CLP-TRN-008",
        refuses: |parsed| refused_as(parsed, ProblemType::IntegerOutOfRange),
    },
    Rule {
        id: "CLP-TRN-009",
        refuses: |parsed| refused_as(parsed, ProblemType::TooDeep),
    },
];

fn refused_as(parsed: &Parsed, kind: ProblemType) -> Option<Problem> {
    let problem = Problem::from(parsed.clone().err()?);
    (problem.kind() == Some(kind)).then_some(problem)
}

/// Where the body breaks the schema of its endpoint.
type Fit = Option<Breach>;

const SCHEMA_RULES: &[Rule<Fit>] = &[Rule {
    id: "CLP-TRN-010",
    refuses: |fit| {
        let breach = fit.as_ref()?;
        Some(
            Problem::new(ProblemType::InvalidRequest)
                .detail(format!(
                    "the value breaks the schema's `{}`",
                    breach.keyword
                ))
                .pointer(breach.pointer.clone()),
        )
    },
}];

/// Holds a value to the schema of the body of an endpoint, every profile claimed.
///
/// # Errors
/// The JSON pointer to the place where it does not fit, and the keyword that it breaks.
pub(crate) fn check(id: EndpointId, value: &Value) -> Result<(), (String, String)> {
    let unknown = || (String::new(), "schema".to_owned());
    let schemas = schema::of(id, &OPTIONAL).map_err(|_| unknown())?;
    let schema = schemas.body_schema(value).ok_or_else(unknown)?;
    schema
        .check(value)
        .map_err(|breach| (breach.pointer, breach.keyword))
}

/// Reads the body of a call to somebody who claims these profiles.
///
/// # Errors
/// The first problem of step 7 that the body has.
pub(crate) fn read<T: DeserializeOwned>(
    seams: Seams,
    id: EndpointId,
    profiles: &[Class],
    inbound: &Inbound,
) -> Result<Body<T>, Problem> {
    seams.check(MEDIA_RULES, inbound)?;
    let parsed = json::parse(&inbound.body, Limits::default());
    seams.check(JSON_RULES, &parsed)?;
    let value = parsed.map_err(Problem::from)?;
    let fit = schema::of(id, profiles)?
        .body_schema(&value)
        .and_then(|schema| schema.check(&value).err());
    seams.check(SCHEMA_RULES, &fit)?;
    let unfit = || Problem::new(ProblemType::InvalidRequest).pointer("");
    // The canonical form has one spelling for a number: `3600.0` fits an integer's schema, and
    // is read as the integer that it is.
    let bytes = canonical::to_bytes_without_null(&value).map_err(|_| unfit())?;
    Ok(Body {
        typed: serde_json::from_slice(&bytes).map_err(|_| unfit())?,
        value: serde_json::from_slice(&bytes).map_err(|_| unfit())?,
        hash: canonical::sha256(&bytes),
    })
}
