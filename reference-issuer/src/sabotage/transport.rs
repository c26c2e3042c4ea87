//! Saboteurs of what is the same for every endpoint: version, bodies, authentication, paths and
//! the order of checks (specification chapter 02).

use clp_schemas::problem::ProblemType;
use serde_json::{Number, Value, json};

use super::Saboteur;
use crate::http::Asked;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-TRN-001",
        "does not say its version in a refusal",
        |_, answer| {
            if answer.status >= 400 {
                answer.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-001/another",
        "says another version in its answers",
        |_, answer| answer.set("clp-version", "1.1"),
    ),
    Saboteur::skip(
        "CLP-TRN-002",
        "reads a call of whatever version",
        &["CLP-TRN-002"],
    ),
    Saboteur::mishear(
        "CLP-TRN-002/discovery",
        "shows its manifest in whatever version",
        |asked| {
            if asked.endpoint == "manifest_read" {
                asked.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-002/text",
        "takes a version that is no number for its own",
        |asked| {
            if !asked
                .header("clp-version")
                .starts_with(|letter: char| letter.is_ascii_digit())
            {
                asked.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-004",
        "takes a body that is too large for one that was cut off",
        &["CLP-TRN-004"],
    ),
    Saboteur::mishear(
        "CLP-TRN-004/one-more",
        "takes a body with one byte too many",
        |asked| {
            if asked.body.len() == 262_145 {
                asked.body.pop();
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-005",
        "takes a body of whatever media type",
        &["CLP-TRN-005"],
    ),
    Saboteur::mishear(
        "CLP-TRN-005/unnamed",
        "takes a body without a media type for JSON",
        |asked| {
            if !asked.has("content-type") {
                asked.set("content-type", "application/json");
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-006", "repairs bytes that are no UTF-8", |asked| {
        asked.body = String::from_utf8_lossy(&asked.body)
            .into_owned()
            .into_bytes()
    }),
    Saboteur::mishear(
        "CLP-TRN-006/trailing",
        "reads no further than the first value of a body",
        |asked| {
            let mut values = serde_json::Deserializer::from_slice(&asked.body).into_iter::<Value>();
            if let Some(Ok(_)) = values.next() {
                let end = values.byte_offset();
                asked.body.truncate(end);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-006/mark",
        "passes over a byte order mark",
        |asked| {
            if asked.body.starts_with(b"\xef\xbb\xbf") {
                asked.body.drain(..3);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-006/empty",
        "takes an empty body for an empty object",
        |asked| {
            if asked.body.is_empty() && asked.endpoint == "credential_create" {
                asked.body = b"{}".to_vec();
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-007",
        "keeps the last of two members of one name",
        |asked| asked.edit(|_| {}),
    ),
    Saboteur::mishear(
        "CLP-TRN-007/inside",
        "looks for members that stand twice at the top alone",
        |asked| replace(asked, r#"{"a":1,"a":1}"#, r#"{"a":1}"#),
    ),
    Saboteur::mishear(
        "CLP-TRN-008",
        "rounds an integer that is too large",
        |asked| {
            if asked.body.windows(6).any(|digits| digits == b"900719") {
                asked.edit(rounded);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-008/negative",
        "bounds an integer above and not below",
        |asked| replace(asked, "-9007199254740993", "-9007199254740992"),
    ),
    Saboteur::mishear(
        "CLP-TRN-009",
        "counts one level of nesting too few",
        |asked| {
            if asked.body.len() < 10_000 {
                replace(asked, &"[".repeat(32), &"[".repeat(31));
                replace(asked, &"]".repeat(32), &"]".repeat(31));
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-010",
        "does not hold a body to its schema",
        &["CLP-TRN-010"],
    ),
    Saboteur::mishear(
        "CLP-TRN-010/null",
        "takes null for a member that is absent",
        |asked| {
            asked.edit(|body| {
                if let Some(members) = body.as_object_mut() {
                    members.retain(|_, value| !value.is_null());
                }
            });
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-010/unknown",
        "ignores a label that is no text",
        |asked| {
            if asked.json()["labels"].is_object() {
                asked.edit(|body| {
                    if let Some(labels) = body["labels"].as_object_mut() {
                        labels.retain(|_, value| value.is_string());
                    }
                });
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-010/time",
        "takes parts of a second in a time",
        |asked| replace(asked, ":00.5Z\"", ":00Z\""),
    ),
    Saboteur::mishear("CLP-TRN-010/zone", "takes a time with an offset", |asked| {
        replace(asked, "+00:00\"", "Z\"")
    }),
    Saboteur::tamper(
        "CLP-TRN-011",
        "lists credentials whose purpose is not text",
        |asked, answer| {
            if asked.endpoint == "credential_list" {
                answer.edit(|body| {
                    for item in body["items"].as_array_mut().into_iter().flatten() {
                        item["purpose"] = json!(7);
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-011/null",
        "says null for what a credential has not",
        |asked, answer| {
            if asked.endpoint == "credential_read" && answer.status == 200 {
                answer.edit(|body| body["nothing"] = Value::Null);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-013",
        "answers an unknown token as one that may not",
        |asked, answer| {
            if asked.has("authorization") && answer.is_problem("unauthenticated") {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-013/none",
        "hides a credential from whoever sends no token",
        |asked, answer| {
            if !asked.has("authorization") && answer.is_problem("unauthenticated") {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-014",
        "does not say where to look for a token where none was sent",
        |asked, answer| {
            if !asked.has("authorization") {
                answer.headers.remove("www-authenticate");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-014/parameter",
        "names the scheme of a token, and not where to look",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.is_problem("unauthenticated") {
                answer.set("www-authenticate", "Bearer");
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-015", "takes a token out of the query", |asked| {
        if asked.endpoint != "elsewhere" {
            super::take_token_from_query(asked);
        }
    }),
    Saboteur::tamper(
        "CLP-TRN-016",
        "reads the body before it knows who calls",
        |asked, answer| {
            let is_early = matches!(answer.status, 401 | 403 | 404);
            if is_early && !asked.body.is_empty() && asked.json().is_null() {
                answer.refuse(ProblemType::InvalidJson);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/schema",
        "holds a body to its schema before it says who may",
        |asked, answer| {
            let reason = &asked.json()["reason"];
            let is_odd = reason.as_str().is_some_and(|text| text.contains('-'));
            if is_odd && matches!(answer.status, 403 | 404) {
                answer.refuse(ProblemType::InvalidRequest);
                answer.edit(|body| body["pointer"] = json!("/reason"));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/key",
        "asks for a key before it says who may",
        |asked, answer| {
            let takes_one = matches!(asked.endpoint, "credential_create" | "rotation_open");
            if takes_one && !asked.has("idempotency-key") && answer.is_problem("forbidden") {
                answer.refuse(ProblemType::IdempotencyKeyMissing);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/media",
        "looks at the media type before it says who may",
        |asked, answer| {
            if asked.header("content-type") == "text/plain" && answer.is_problem("forbidden") {
                answer.refuse(ProblemType::UnsupportedMediaType);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/version",
        "wants to know who calls before it looks at the version",
        |asked, answer| {
            if !asked.has("authorization")
                && asked.endpoint == "rotation_open"
                && answer.is_problem("version-not-supported")
            {
                answer.refuse(ProblemType::Unauthenticated);
                answer.set(
                    "www-authenticate",
                    "Bearer resource_metadata=\"https://issuer.example/\"",
                );
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/size",
        "looks at the size before it looks at the version",
        |asked, answer| {
            if asked.body.len() > 262_144 && answer.is_problem("version-not-supported") {
                answer.refuse(ProblemType::BodyTooLarge);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-016/bytes",
        "reads a body to its end before it names a fault",
        |asked| {
            if asked.json().is_null() {
                replace(asked, r#""more":1,"more":1,"#, r#""more":1,"#);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/meaning",
        "looks at what a body means before it looks for a key",
        |asked, answer| {
            if asked.json()["environment"] == "mars" && answer.is_problem("idempotency-key-missing")
            {
                answer.refuse(ProblemType::UnknownEnvironment);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/who",
        "looks at what a create means before it says who may",
        |asked, answer| {
            if asked.json()["environment"] == "mars" && answer.is_problem("forbidden") {
                answer.refuse(ProblemType::UnknownEnvironment);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-031",
        "lets what is read be cached",
        |asked, answer| {
            if asked.method == "GET" && answer.json()["credential_id"].is_string() {
                answer.headers.remove("cache-control");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-031/private",
        "lets whoever asked keep its refusals",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.status >= 400 {
                answer.set("cache-control", "private");
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-034",
        "hides what there is from a method that it has not",
        &["CLP-TRN-034"],
    ),
    Saboteur::tamper(
        "CLP-TRN-034/allow",
        "does not say which methods there are",
        |_, answer| {
            answer.headers.remove("allow");
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-034/options",
        "tells every site what may be done",
        |asked, answer| {
            if asked.method == "OPTIONS" {
                answer.status = 204;
                answer.body.clear();
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-039",
        "has another problem for a member of a profile that it does not claim",
        |asked, answer| {
            let body = asked.json();
            let of_profile = ["webhook", "cnf", "plan"]
                .iter()
                .any(|name| !body[name].is_null());
            if of_profile && answer.is_problem("invalid-request") {
                answer.refuse(ProblemType::TypeMismatch);
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-040", "carries out a HEAD like a GET", |asked| {
        if asked.method == "HEAD" {
            "GET".clone_into(&mut asked.method);
        }
    }),
    Saboteur::mishear(
        "CLP-TRN-041",
        "decodes a path before it looks for it",
        |asked| asked.target = asked.target.replace("%64", "d"),
    ),
    Saboteur::mishear(
        "CLP-TRN-041/slash",
        "passes over a slash at the end of a path",
        |asked| {
            let path = asked.path().trim_end_matches('/').to_owned();
            asked.target = asked.target.replacen(asked.path(), &path, 1);
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-041/empty",
        "passes over an empty segment",
        |asked| asked.target = asked.target.replacen("//", "/", 1),
    ),
];

/// Replaces the first occurrence of a text in the body.
fn replace(asked: &mut Asked, from: &str, to: &str) {
    if let Ok(text) = std::str::from_utf8(&asked.body)
        && text.contains(from)
    {
        asked.body = text.replacen(from, to, 1).into_bytes();
    }
}

/// Every integer as far as all readers keep it.
fn rounded(value: &mut Value) {
    const MOST: i64 = 1 << 53;
    match value {
        Value::Array(items) => items.iter_mut().for_each(rounded),
        Value::Object(members) => members.values_mut().for_each(rounded),
        Value::Number(number) => {
            if let Some(found) = number.as_i64() {
                *number = Number::from(found.clamp(-MOST, MOST));
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
