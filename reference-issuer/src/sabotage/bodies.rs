//! Saboteurs of how bodies are read and written (specification chapter 02, "JSON").

use serde_json::{Number, Value, json};

use super::Saboteur;

pub(super) const ALL: &[Saboteur] = &[
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
        |asked| asked.replace(r#"{"a":1,"a":1}"#, r#"{"a":1}"#),
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
        |asked| asked.replace("-9007199254740993", "-9007199254740992"),
    ),
    Saboteur::mishear(
        "CLP-TRN-009",
        "counts one level of nesting too few",
        |asked| {
            if asked.body.len() < 10_000 {
                asked.replace(&"[".repeat(32), &"[".repeat(31));
                asked.replace(&"]".repeat(32), &"]".repeat(31));
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
        |asked| asked.replace(":00.5Z\"", ":00Z\""),
    ),
    Saboteur::mishear("CLP-TRN-010/zone", "takes a time with an offset", |asked| {
        asked.replace("+00:00\"", "Z\"")
    }),
    Saboteur::tamper(
        "CLP-TRN-011",
        "shows and lists credentials whose purpose is not text",
        |asked, answer| {
            if asked.endpoint == "credential_list" {
                answer.edit(|body| {
                    for item in body["items"].as_array_mut().into_iter().flatten() {
                        item["purpose"] = json!(7);
                    }
                });
            }
            if asked.endpoint == "credential_read" && answer.status == 200 {
                answer.edit(|body| body["purpose"] = json!(7));
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
];

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
