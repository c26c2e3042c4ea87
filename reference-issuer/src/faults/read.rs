//! Scripts and single faults as they are written: within the bounds of the published schema,
//! wherever they come from.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use clp_schemas::endpoint::EndpointId;
use clp_schemas::generate::{Direction, schema_of};
use clp_schemas::json::{self, Limits};
use clp_schemas::ops::faults::{DEFAULT_RUN, FAULT_HEADER, Fault, FaultScript, RUN_HEADER};
use clp_schemas::problem::{Problem, ProblemType};
use jsonschema::Validator;
use serde_json::Value;

use crate::http::check_body;
use crate::rules::Rule;
use crate::seams::Seams;

/// The longest value of a header field that names a fault, in bytes.
const LONGEST: usize = 256;

/// The longest name of a run, in characters.
const LONGEST_RUN: usize = 64;

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at `{pointer}`: the value breaks the schema's `{keyword}`")]
pub(crate) struct NotAScript {
    /// JSON pointer to the place, or to one that encloses it.
    pub(crate) pointer: String,
    /// The keyword of the schema that it breaks.
    pub(crate) keyword: String,
}

/// A script out of a file, held to what test control holds it to.
///
/// # Errors
/// [`NotAScript`].
pub(crate) fn script(value: Value) -> Result<FaultScript, NotAScript> {
    check_body(EndpointId::FaultsPut, &value)
        .map_err(|(pointer, keyword)| NotAScript { pointer, keyword })?;
    serde_json::from_value(value).map_err(|_| NotAScript {
        pointer: String::new(),
        keyword: "type".to_owned(),
    })
}

/// What the header fields of a request ask for.
#[derive(Debug)]
pub(super) struct Asked {
    /// The run that it is of.
    pub(super) run: String,
    /// The fault that it is to meet.
    pub(super) fault: Option<Fault>,
}

/// What the header fields say; `None` for one that says nothing which is known.
struct Said {
    run: Option<String>,
    fault: Option<Option<Fault>>,
}

const RULES: &[Rule<Said>] = &[Rule {
    id: "CLP-FLT-008",
    refuses: |said| {
        (said.run.is_none() || said.fault.is_none()).then(|| ProblemType::InvalidFault.into())
    },
}];

/// Reads the header fields of a request.
///
/// # Errors
/// `invalid-fault`.
pub(super) fn asked(seams: Seams, headers: &HeaderMap) -> Result<Asked, Problem> {
    let said = Said {
        run: match only(headers, RUN_HEADER) {
            None => Some(DEFAULT_RUN.to_owned()),
            Some(field) => field.filter(|run| is_run(run)).map(str::to_owned),
        },
        fault: match only(headers, FAULT_HEADER) {
            None => Some(None),
            Some(field) => field.and_then(fault).map(Some),
        },
    };
    seams.check(RULES, &said)?;
    Ok(Asked {
        run: said.run.unwrap_or_default(),
        fault: said.fault.flatten(),
    })
}

/// The value of a header field: `None` without it, and nothing where it is not one text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(match values.next() {
        None => first.to_str().ok(),
        Some(_) => None,
    })
}

fn is_run(text: &str) -> bool {
    (1..=LONGEST_RUN).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

/// The schema of one fault. `None` only if it does not compile, which a test excludes.
static FAULT: LazyLock<Option<Validator>> =
    LazyLock::new(|| jsonschema::validator_for(&schema_of::<Fault>(Direction::Request)).ok());

fn fault(text: &str) -> Option<Fault> {
    let limits = Limits {
        bytes: LONGEST,
        ..Limits::default()
    };
    let value = json::parse(text.as_bytes(), limits).ok()?;
    let fits = FAULT.as_ref()?.is_valid(&value);
    fits.then(|| serde_json::from_value(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};
    use clp_schemas::ops::faults::DropAt;
    use serde_json::json;

    fn of(fields: &[(&'static str, &str)]) -> Result<(String, Option<Fault>), ProblemType> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        asked(Seams::default(), &headers)
            .map(|asked| (asked.run, asked.fault))
            .map_err(|problem| problem.kind().unwrap())
    }

    #[test]
    fn header_fields_name_a_run_and_a_fault() {
        let lost = Fault::Drop {
            drop: DropAt::AfterCommit,
        };
        assert_eq!(of(&[]), Ok(("default".to_owned(), None)));
        assert_eq!(
            of(&[
                (RUN_HEADER, "a.B-1"),
                (FAULT_HEADER, r#"{"drop": "after_commit"}"#)
            ]),
            Ok(("a.B-1".to_owned(), Some(lost)))
        );
        assert_eq!(of(&[(FAULT_HEADER, "\"ok\"")]).unwrap().1, Some(Fault::OK));
        for (name, value) in [
            (RUN_HEADER, ""),
            (RUN_HEADER, "a b"),
            (RUN_HEADER, &"a".repeat(65)),
            (FAULT_HEADER, ""),
            (FAULT_HEADER, "ok"),
            (FAULT_HEADER, r#"{"status": 200}"#),
            (FAULT_HEADER, r#"{"status": 503, "times": 2}"#),
            (FAULT_HEADER, r#"{"delay_ms": 30001}"#),
            (FAULT_HEADER, r#"{"delay_ms": 1, "drop": "after_commit"}"#),
            (FAULT_HEADER, r#"{"times": 2, "fault": "ok"}"#),
        ] {
            assert_eq!(
                of(&[(name, value)]),
                Err(ProblemType::InvalidFault),
                "{value}"
            );
            let twice = [(RUN_HEADER, "a"), (RUN_HEADER, "a")];
            assert_eq!(of(&twice), Err(ProblemType::InvalidFault));
        }
    }

    #[test]
    fn a_file_is_held_to_the_published_schema() {
        assert!(script(json!({"rules": []})).unwrap().is_empty());
        let fault = script(json!({"rules": [{"endpoint": "nosuch", "steps": ["ok"]}]}));
        assert_eq!(fault.unwrap_err().pointer, "/rules/0/endpoint");
        for refused in [
            json!([]),
            json!({"rules": [{"endpoint": "sandbox_open", "steps": ["ok"]}]}),
            json!({"rules": [{"endpoint": "*", "steps": []}]}),
            json!({"rules": [{"endpoint": "*", "steps": [{"status": 503, "extra": 1}]}]}),
            json!({"rules": [{"endpoint": "*", "steps": [{"times": 0, "fault": "ok"}]}]}),
            json!({"chaos": {"percent": 0, "among": ["ok"]}}),
            json!({"chaos": {"percent": 10, "among": []}}),
            json!({"rules": [], "more": 1}),
        ] {
            assert!(script(refused.clone()).is_err(), "{refused}");
        }
    }
}
