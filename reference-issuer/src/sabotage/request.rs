//! Saboteurs of asking for a credential (specification chapter 11).

use clp_schemas::canonical::{sha256, to_base64url};
use clp_schemas::problem::ProblemType;
use clp_schemas::state::request::State;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::{garble, request};
use crate::lifecycle::Effect;
use crate::store::Due;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-REQ-001",
        "says of a new request that it is approved",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                body["state"] = json!("approved");
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-001/status",
        "answers 201 to a request with a rotation policy",
        |asked, answer| {
            if asked.endpoint == "request_open"
                && answer.status == 202
                && asked.json()["rotation_policy"].is_object()
            {
                answer.status = 201;
            }
        },
    ),
    Saboteur::skip(
        "CLP-REQ-002",
        "has somebody decide on permissions that it does not have",
        &["CLP-REQ-002/permissions"],
    ),
    Saboteur::skip(
        "CLP-REQ-002/environment",
        "has somebody decide on an environment that it does not have",
        &["CLP-REQ-002/environment"],
    ),
    Saboteur::skip(
        "CLP-REQ-002/type",
        "has somebody decide on a type that it does not make",
        &["CLP-REQ-002/type"],
    ),
    Saboteur::skip(
        "CLP-REQ-002/lifetime",
        "has somebody decide on a life that it does not give",
        &["CLP-REQ-002/lifetime"],
    ),
    Saboteur::skip("CLP-REQ-003", "lets anybody ask", &["CLP-REQ-003"]),
    Saboteur::tamper(
        "CLP-REQ-004",
        "does not keep why somebody asked",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                if let Some(Value::Object(submitted)) = body.get_mut("submitted") {
                    submitted.remove("justification");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-004/default",
        "writes a default into what was asked for",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                if body["submitted"]["rotation_policy"].is_object() {
                    body["submitted"]["rotation_policy"]["max_overlap_seconds"] = json!(86400);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-005",
        "makes the digest of a request from what was asked alone",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                let asked = body["submitted"].to_string();
                body["digest"] = to_base64url(&sha256(asked.as_bytes())).into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-006",
        "lets the requester say what the approver reads",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                let words = body["submitted"]["justification"].clone();
                if let Some(Value::Array(lines)) = body.get_mut("consent")
                    && words.is_string()
                {
                    lines.push(words);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-007",
        "lets a request wait for a year",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                body["expires_at"] = json!("2100-01-01T00:00:00Z");
            });
        },
    ),
    Saboteur::alter(
        "CLP-REQ-008",
        "lets a request wait for ever",
        |_, effects| {
            if request(effects).is_some_and(|request| request.state == State::PendingApproval) {
                effects.retain(|effect| !matches!(effect, Effect::Schedule(_, Due::Request(_))));
            }
        },
    ),
    Saboteur::alter(
        "CLP-REQ-008/minute",
        "lets a request wait for a minute too long",
        |_, effects| {
            let is_new =
                request(effects).is_some_and(|request| request.state == State::PendingApproval);
            for effect in effects.iter_mut().filter(|_| is_new) {
                if let Effect::Schedule(at, Due::Request(_)) = effect {
                    *at = at.plus(60);
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-009",
        "does not say what was created from a request",
        |asked, answer| {
            garble(asked, answer, "request_read", |body| {
                if let Value::Object(members) = body {
                    members.remove("credential_id");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-012",
        "knows no task that needs a credential",
        |asked, answer| {
            if asked.endpoint == "request_open" && asked.json()["subject"]["kind"] == "task" {
                answer.refuse(ProblemType::TypeMismatch);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-013",
        "has a request decided on under another permission document",
        |asked, answer| {
            for endpoint in ["request_open", "request_read"] {
                garble(asked, answer, endpoint, |body| {
                    body["approval_document"]["permission_schema_digest"] =
                        format!("sha256:{}", "0".repeat(64)).into();
                });
            }
        },
    ),
];
