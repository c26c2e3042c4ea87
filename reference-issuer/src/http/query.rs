//! Queries: known parameters, each once, within their bounds (step 7).

use clp_schemas::endpoint::{Class, EndpointId};
use clp_schemas::problem::{Problem, ProblemType};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::schema::{self, Compiled};
use crate::rules::Rule;
use crate::seams::Seams;

/// What became of a query.
type Outcome = Option<Value>;

const RULES: &[Rule<Outcome>] = &[Rule {
    id: "CLP-TRN-027",
    refuses: |outcome| outcome.is_none().then(|| ProblemType::InvalidQuery.into()),
}];

/// Reads the query of a call to somebody who claims these profiles.
///
/// # Errors
/// `invalid-query`.
pub(crate) fn read<T: DeserializeOwned>(
    seams: Seams,
    id: EndpointId,
    profiles: &[Class],
    query: &str,
) -> Result<T, Problem> {
    let schemas = schema::of(id, profiles)?;
    let outcome = parse(&schemas.query, query);
    seams.check(RULES, &outcome)?;
    serde_json::from_value(outcome.unwrap_or_else(|| Value::Object(Map::new())))
        .map_err(|_| ProblemType::InvalidQuery.into())
}

/// The query as an object that fits the schema; `None` where it is none.
fn parse(schema: &Compiled, query: &str) -> Outcome {
    let mut object = Map::new();
    for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
        let is_integer = schema
            .member(&name)?
            .get("type")
            .is_some_and(|kind| kind == "integer");
        let value = if is_integer {
            // One spelling: no sign, no zero in front.
            let number: u64 = text.parse().ok()?;
            (number.to_string() == text).then_some(Value::from(number))?
        } else {
            Value::String(text.into_owned())
        };
        if object.insert(name.into_owned(), value).is_some() {
            return None;
        }
    }
    let value = Value::Object(object);
    schema.check(&value).ok().map(|()| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::ops::create::ListQuery;

    #[test]
    fn parameters_are_known_once_and_in_bounds() {
        let read = |query| {
            read::<ListQuery>(
                Seams::default(),
                EndpointId::CredentialList,
                &[Class::Lifecycle],
                query,
            )
        };
        assert_eq!(read("").unwrap(), ListQuery::default());
        let query =
            read("limit=200&state=active&owner=a%20b&expires_before=2026-11-24T19:39:13Z").unwrap();
        assert_eq!(
            (query.limit, query.owner.as_deref()),
            (Some(200), Some("a b"))
        );
        for refused in [
            "limit=0",
            "limit=201",
            "limit=05",
            "limit=+5",
            "limit=",
            "limit=x",
            "state=alive",
            "nosuch=1",
            "limit=1&limit=1",
            "owner=a&owner=b",
            "expires_before=now",
            "disclosed_to=ana",
        ] {
            let problem = read(refused).unwrap_err();
            assert_eq!(problem.kind(), Some(ProblemType::InvalidQuery), "{refused}");
        }
    }
}
