//! What holds for every answer, whatever was called: checked each time, so that no scenario
//! has to ask for it and none can forget to.

mod contracts;
mod fault;
mod oauth;

use clp_schemas::endpoint::{Base, Media};
use clp_schemas::json::{Limits, parse};
use clp_schemas::problem::{MEDIA_TYPE, ProblemType};
use serde_json::Value;

pub use fault::fault;

pub use self::contracts::Contracts;
use super::Fault;
use super::call::{Call, Payload, Place};
use super::wire::Got;

/// A page of 200 credentials fits, and nothing nests deeper.
const LIMITS: Limits = Limits {
    bytes: 8 * 1024 * 1024,
    depth: 32,
};

/// What an answer breaks although it can be understood.
#[derive(Debug, Default)]
pub struct Remarks(Vec<Fault>);

impl Remarks {
    /// Adds that a requirement is broken.
    pub fn add(&mut self, requirement: &str, expected: impl Into<String>, got: impl Into<String>) {
        self.0.push(Fault::broken(requirement, expected, got));
    }

    /// Adds what a check found, if it found something.
    pub fn take(&mut self, outcome: Result<(), Fault>) {
        self.0.extend(outcome.err());
    }

    /// All of them, in the order in which they were found.
    #[must_use]
    pub fn all(self) -> Vec<Fault> {
        self.0
    }
}

/// How an answer is to be taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The call was carried out.
    Accepted,
    /// It was refused, with the problem of that name.
    Refused(String),
    /// What a vendor's own API said; the protocol has no say in it.
    Foreign,
    /// No answer came, or not one of the issuer: the scenario had a fault asked for.
    Lost,
}

/// Checks what holds for every answer, and reads its JSON. What does not hold is remarked.
///
/// # Errors
/// Where so much does not hold that nothing can be made of the answer.
pub fn check(
    contracts: &Contracts,
    call: &Call,
    got: &Got,
    mark: &str,
    remarks: &mut Remarks,
) -> Result<(Kind, Option<Value>), Fault> {
    let Place::Endpoint(row) = call.place else {
        return Ok((Kind::Foreign, serde_json::from_slice(&got.body).ok()));
    };
    if got.status >= 500 {
        return Err(Fault::broken(
            "CLP-ERR-004",
            "no status of 500 or above",
            got.status.to_string(),
        ));
    }
    // Documents for discovery are plain files to many servers; all else speaks the protocol.
    header(
        got,
        "clp-version",
        "CLP-TRN-001",
        |value| value == "1.0",
        "CLP-Version: 1.0",
        remarks,
    );
    if row.base == Base::Credentials {
        let no_store = |value: &str| {
            value
                .split(',')
                .any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
        };
        header(
            got,
            "cache-control",
            "CLP-TRN-031",
            no_store,
            "Cache-Control: no-store",
            remarks,
        );
    }
    if got.status == 304 {
        return Ok((Kind::Accepted, None));
    }
    let media = got.header("content-type").unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if oauth::is_one(call, got, essence) {
        let (code, answer) = oauth::refusal(call, got, mark, remarks)?;
        return Ok((Kind::Refused(code), Some(answer)));
    }
    if got.status >= 400 {
        let (name, problem) = refusal(contracts, call, got, mark, remarks)?;
        return Ok((Kind::Refused(name), Some(problem)));
    }
    if !row.successes().contains(&got.status) {
        return Err(Fault::missing(
            format!("the status {} or a refusal", row.success),
            got.status.to_string(),
        ));
    }
    match row.media {
        Media::Empty => Ok((Kind::Accepted, None)),
        Media::Text if essence.eq_ignore_ascii_case("text/plain") => Ok((Kind::Accepted, None)),
        Media::Json if essence.eq_ignore_ascii_case("application/json") => {
            if call.method == "HEAD" {
                return Ok((Kind::Accepted, None));
            }
            let value = parse(&got.body, LIMITS).map_err(|fault| {
                Fault::broken("CLP-TRN-011", "an answer in I-JSON", fault.to_string())
            })?;
            if has_null(&value) {
                remarks.add("CLP-TRN-011", "an answer without `null`", "one with it");
            }
            contracts.check(Some(row.id), &value, remarks)?;
            Ok((Kind::Accepted, Some(value)))
        }
        Media::Text | Media::Json => Err(Fault::broken(
            "CLP-TRN-011",
            format!("the media type of {}", row.name),
            format!("`{media}`"),
        )),
    }
}

fn header(
    got: &Got,
    name: &str,
    requirement: &str,
    holds: impl Fn(&str) -> bool,
    expected: &str,
    remarks: &mut Remarks,
) {
    let found = match got.header(name) {
        Some(value) if holds(value) => return,
        Some(value) => format!("`{name}: {value}`"),
        None => format!("{} without `{name}`", got.status),
    };
    remarks.add(requirement, format!("`{expected}`"), found);
}

/// What holds for every refusal. Answers the problem's name.
fn refusal(
    contracts: &Contracts,
    call: &Call,
    got: &Got,
    mark: &str,
    remarks: &mut Remarks,
) -> Result<(String, Value), Fault> {
    let media = got.header("content-type").unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(MEDIA_TYPE) {
        remarks.add(
            "CLP-ERR-001",
            format!("a refusal as `{MEDIA_TYPE}`"),
            format!("{} as `{media}`", got.status),
        );
    }
    let problem = parse(&got.body, LIMITS)
        .map_err(|fault| Fault::broken("CLP-ERR-001", "a problem in JSON", fault.to_string()))?;
    for name in ["type", "title", "status"] {
        if problem.get(name).is_none() {
            return Err(Fault::broken(
                "CLP-ERR-001",
                format!("a problem with `{name}`"),
                "one without it",
            ));
        }
    }
    let kind = problem
        .get("type")
        .and_then(Value::as_str)
        .and_then(ProblemType::from_uri)
        .ok_or_else(|| Fault::broken("CLP-ERR-002", "a type out of the registry", "another one"))?;
    if kind.status() != got.status || problem.get("status") != Some(&Value::from(got.status)) {
        remarks.add(
            "CLP-ERR-002",
            format!("`{}` with the status {}, twice", kind.name(), kind.status()),
            format!(
                "{}, and {} inside",
                got.status,
                problem.get("status").unwrap_or(&Value::Null)
            ),
        );
    }
    contracts.check(None, &problem, remarks)?;
    // Everything that a scenario makes up carries its mark. References to what the issuer
    // made stay allowed, such as the id of a request.
    if got.text().contains(mark) {
        remarks.add(
            "CLP-ERR-003",
            "a problem without the peer's text",
            "one that repeats it",
        );
    }
    accompanied(call, got, kind, remarks);
    if kind == ProblemType::InvalidRequest {
        pointer(call, &problem, remarks);
    }
    Ok((kind.name().to_owned(), problem))
}

/// Header fields that go with some problems.
fn accompanied(call: &Call, got: &Got, kind: ProblemType, remarks: &mut Remarks) {
    let below_e = call.row().is_some_and(|row| row.base == Base::Credentials);
    match kind {
        ProblemType::Unauthenticated if below_e => {
            let challenge = got
                .headers
                .iter()
                .filter(|(name, _)| name == "www-authenticate")
                .any(|(_, value)| {
                    let mut words = value.split_ascii_whitespace();
                    words
                        .next()
                        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
                        && value.contains("resource_metadata=")
                });
            if !challenge {
                remarks.add(
                    "CLP-TRN-014",
                    "`WWW-Authenticate: Bearer resource_metadata=\"...\"`",
                    got.header("www-authenticate")
                        .unwrap_or("no such header field"),
                );
            }
        }
        ProblemType::MethodNotAllowed => header(
            got,
            "allow",
            "CLP-TRN-034",
            |value| !value.trim().is_empty(),
            "Allow: ...",
            remarks,
        ),
        ProblemType::RateLimited => header(
            got,
            "retry-after",
            "CLP-TRN-032",
            |value| value.parse::<u32>().is_ok(),
            "Retry-After: seconds",
            remarks,
        ),
        _ => {}
    }
}

/// `invalid-request` says where the fault lies, and the place is there.
fn pointer(call: &Call, problem: &Value, remarks: &mut Remarks) {
    let Some(pointer) = problem.get("pointer").and_then(Value::as_str) else {
        return remarks.add(
            "CLP-ERR-005",
            "`invalid-request` with a `pointer`",
            "one without it",
        );
    };
    let body = match &call.payload {
        Payload::Json(body) => body.clone(),
        Payload::Raw(bytes) => match serde_json::from_slice(bytes) {
            Ok(body) => body,
            Err(_) => return,
        },
        Payload::Nothing | Payload::Form(_) => return,
    };
    if body.pointer(pointer).is_none() {
        remarks.add(
            "CLP-ERR-005",
            "a `pointer` that leads to something in the body",
            format!("`{pointer}`"),
        );
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::call::{Actor, row};
    use serde_json::json;

    fn judged(endpoint: &str, got: &Got, mark: &str) -> Result<Kind, String> {
        let call = Call::of(
            row(endpoint).unwrap(),
            Actor::Nobody,
            Payload::Json(json!({"a": 1})),
        );
        let mut remarks = Remarks::default();
        let judged = check(&Contracts::default(), &call, got, mark, &mut remarks);
        let first = remarks.all().into_iter().next();
        first
            .map_or(judged, Err)
            .map(|(kind, _)| kind)
            .map_err(|fault| match fault {
                Fault::Broken(failure) => failure.requirement.unwrap_or_default(),
                Fault::Suite(words) | Fault::Unfit(words) => words,
            })
    }

    fn problem(status: u16, name: &str) -> Got {
        let kind = ProblemType::from_name(name).unwrap();
        Got {
            status,
            headers: [
                ("content-type", MEDIA_TYPE),
                ("clp-version", "1.0"),
                ("cache-control", "no-store"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            body: json!({"type": kind.uri(), "title": kind.title(), "status": status, "pointer": "/a"})
                .to_string()
                .into_bytes(),
        }
    }

    #[test]
    fn planted_faults_name_the_requirement_that_they_break() {
        let sound = problem(404, "not-found");
        let with = |change: &dyn Fn(&mut Got)| {
            let mut got = sound.clone();
            change(&mut got);
            judged("credential_read", &got, "mark-1234").unwrap_err()
        };
        assert_eq!(
            judged("credential_read", &sound, "mark-1234"),
            Ok(Kind::Refused("not-found".to_owned()))
        );
        assert_eq!(
            with(&|got| got.headers.retain(|(name, _)| name != "clp-version")),
            "CLP-TRN-001"
        );
        assert_eq!(
            with(&|got| got.headers.retain(|(name, _)| name != "cache-control")),
            "CLP-TRN-031"
        );
        assert_eq!(
            with(&|got| got.headers[0].1 = "text/html".to_owned()),
            "CLP-ERR-001"
        );
        assert_eq!(with(&|got| got.status = 403), "CLP-ERR-002");
        assert_eq!(with(&|got| got.status = 500), "CLP-ERR-004");
        assert_eq!(with(&|got| got.body = b"{}".to_vec()), "CLP-ERR-001");
        assert_eq!(
            with(&|got| {
                let text = got
                    .text()
                    .replace("\"pointer\":\"/a\"", "\"detail\":\"mark-1234\"");
                got.body = text.into_bytes();
            }),
            "CLP-ERR-003"
        );
        assert_eq!(
            judged(
                "credential_read",
                &problem(401, "unauthenticated"),
                "mark-1234"
            ),
            Err("CLP-TRN-014".to_owned())
        );
        assert_eq!(
            judged(
                "credential_read",
                &problem(405, "method-not-allowed"),
                "mark-1234"
            ),
            Err("CLP-TRN-034".to_owned())
        );
        let mut lost = problem(400, "invalid-request");
        assert!(judged("rotation_open", &lost, "mark-1234").is_ok());
        lost.body = lost.text().replace("/a", "/b").into_bytes();
        assert_eq!(
            judged("rotation_open", &lost, "mark-1234"),
            Err("CLP-ERR-005".to_owned())
        );
    }

    #[test]
    fn an_answer_of_another_shape_is_no_answer() {
        let mut got = problem(404, "not-found");
        got.status = 200;
        got.headers[0].1 = "application/json".to_owned();
        got.body = b"{}".to_vec();
        assert_eq!(
            judged("credential_read", &got, "mark-1234"),
            Err("CLP-TRN-011".to_owned())
        );
        got.body = br#"{"items": [null]}"#.to_vec();
        assert_eq!(
            judged("credential_list", &got, "mark-1234"),
            Err("CLP-TRN-011".to_owned())
        );
        got.body = br#"{"items": []}"#.to_vec();
        assert_eq!(
            judged("credential_list", &got, "mark-1234"),
            Ok(Kind::Accepted)
        );
    }
}
