//! Refusals in the form of OAuth (RFC 6749 section 5.2), which the endpoints with forms have.

use clp_schemas::json::parse;
use serde_json::Value;

use super::{Fault, Got, LIMITS, Remarks};
use crate::world::call::{Call, Payload};

/// The error codes of token requests, with the status of each.
const CODES: [(&str, u16); 6] = [
    ("invalid_request", 400),
    ("invalid_client", 401),
    ("invalid_grant", 400),
    ("unauthorized_client", 400),
    ("unsupported_grant_type", 400),
    ("invalid_scope", 400),
];

/// Checks what holds for every such refusal. Answers its error code.
pub(super) fn refusal(
    call: &Call,
    got: &Got,
    mark: &str,
    remarks: &mut Remarks,
) -> Result<(String, Value), Fault> {
    let broken = |expected: &str, got: String| Fault::broken("CLP-OAU-008", expected, got);
    let answer =
        parse(&got.body, LIMITS).map_err(|fault| broken("an error in JSON", fault.to_string()))?;
    let code = answer
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Some((_, status)) = CODES.iter().find(|(name, _)| *name == code) else {
        return Err(broken("an `error` of RFC 6749", answer.to_string()));
    };
    if *status != got.status {
        let got = format!("{} {code}", got.status);
        remarks.add(
            "CLP-OAU-008",
            format!("`{code}` with the status {status}"),
            got,
        );
    }
    if got.text().contains(mark) {
        remarks.add(
            "CLP-ERR-003",
            "an error without the peer's text",
            "one that repeats it",
        );
    }
    let basic = |value: Option<&str>| {
        value
            .and_then(|value| value.split_ascii_whitespace().next())
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
    };
    let used = call
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .map(|(_, value)| value.as_str());
    if code == "invalid_client" && basic(used) && !basic(got.header("www-authenticate")) {
        let found = got
            .header("www-authenticate")
            .unwrap_or("no such header field");
        remarks.add("CLP-OAU-004", "`WWW-Authenticate: Basic`", found);
    }
    Ok((code.to_owned(), answer))
}

/// Whether an answer is such a refusal.
pub(super) fn is_one(call: &Call, got: &Got, essence: &str) -> bool {
    matches!(
        call.payload,
        Payload::Form(_) | Payload::Raw(_) | Payload::Json(_)
    ) && call
        .row()
        .is_some_and(|row| row.body() == clp_schemas::endpoint::BodyForm::Form)
        && got.status >= 400
        && essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::call::{Actor, row};

    #[test]
    fn planted_faults_name_the_requirement_that_they_break() {
        let mut call = Call::of(
            row("token_issue").unwrap(),
            Actor::Nobody,
            Payload::Form(Vec::new()),
        );
        call.headers
            .push(("Authorization".to_owned(), "Basic YTpi".to_owned()));
        let judged = |status: u16, body: &str, challenge: &str| {
            let got = Got {
                status,
                headers: vec![("www-authenticate".to_owned(), challenge.to_owned())],
                body: body.as_bytes().to_vec(),
            };
            let mut remarks = Remarks::default();
            let judged = refusal(&call, &got, "mark-1234", &mut remarks);
            let first = remarks.all().into_iter().next();
            first
                .map_or(judged, Err)
                .map(|(code, _)| code)
                .map_err(|fault| match fault {
                    Fault::Broken(failure) => failure.requirement.unwrap_or_default(),
                    Fault::Suite(words) | Fault::Unfit(words) => words,
                })
        };
        let refused = r#"{"error":"invalid_client"}"#;
        assert_eq!(
            judged(401, refused, "Basic realm=\"x\""),
            Ok("invalid_client".to_owned())
        );
        for (status, body, challenge, broken) in [
            (401, refused, "Bearer", "CLP-OAU-004"),
            (400, refused, "Basic", "CLP-OAU-008"),
            (400, r#"{"error":"odd"}"#, "", "CLP-OAU-008"),
            (400, r#"{"title":"invalid_request"}"#, "", "CLP-OAU-008"),
            (400, "error=invalid_request", "", "CLP-OAU-008"),
            (
                400,
                r#"{"error":"invalid_scope","error_description":"mark-1234"}"#,
                "",
                "CLP-ERR-003",
            ),
        ] {
            assert_eq!(
                judged(status, body, challenge),
                Err(broken.to_owned()),
                "{body}"
            );
        }
    }
}
