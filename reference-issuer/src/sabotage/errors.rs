//! Saboteurs of refusals, and of what stays secret (specification chapters 03 and 90).

use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Saboteur;
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-ERR-001",
        "sends its refusals as any JSON",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.status >= 400 {
                answer.set("content-type", "application/json");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-001/title",
        "refuses a version without a title",
        |_, answer| {
            if answer.is_problem("version-not-supported") {
                answer.edit(|body| {
                    body.as_object_mut().map(|members| members.remove("title"));
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-002",
        "has a type of its own for a version",
        |_, answer| {
            if answer.is_problem("version-not-supported") {
                answer.edit(|body| body["type"] = json!("about:blank"));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-002/status",
        "sends invalid requests with the status 422",
        |_, answer| {
            if answer.is_problem("invalid-request") {
                answer.status = 422;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-002/inside",
        "states another status than it sends",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.is_problem("forbidden") {
                answer.edit(|body| body["status"] = json!(401));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-003",
        "says which path it has not",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.is_problem("not-found") {
                answer.edit(|body| body["detail"] = json!(format!("no {}", asked.path())));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-003/header",
        "says which version it does not speak",
        |asked, answer| {
            if answer.is_problem("version-not-supported") {
                let version = asked.header("clp-version").to_owned();
                answer.edit(|body| body["detail"] = json!(version));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-003/query",
        "says which query it does not understand",
        |asked, answer| {
            if answer.is_problem("invalid-query") {
                answer.edit(|body| body["detail"] = json!(asked.target));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-003/member",
        "says which member nobody defined",
        |asked, answer| {
            let body = asked.json();
            let named = body
                .as_object()
                .and_then(|body| body.keys().find(|name| name.contains('-')));
            if let Some(name) = named
                && answer.is_problem("invalid-request")
            {
                answer.edit(|body| body["detail"] = json!(format!("`{name}` is unknown")));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-004",
        "breaks on bytes that are no UTF-8",
        |asked, answer| {
            if std::str::from_utf8(&asked.body).is_err() {
                answer.refuse(ProblemType::Internal);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-004/path",
        "breaks on a path with a null byte",
        |asked, answer| {
            if asked.path().contains("%00") {
                answer.refuse(ProblemType::Internal);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-004/depth",
        "breaks on a body that goes very deep",
        |asked, answer| {
            if asked.body.len() > 100_000 && answer.is_problem("too-deep") {
                answer.refuse(ProblemType::Unavailable);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-005",
        "does not say where a request is invalid",
        |_, answer| {
            if answer.is_problem("invalid-request") {
                answer.edit(|body| {
                    body.as_object_mut()
                        .map(|members| members.remove("pointer"));
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-005/nowhere",
        "points at what is not in the request",
        |_, answer| {
            if answer.is_problem("invalid-request") {
                answer.edit(|body| body["pointer"] = json!("/nowhere"));
            }
        },
    ),
    Saboteur::alter(
        "CLP-SEC-003",
        "writes a new secret into its log",
        |_, effects| {
            let secret = effects.iter().find_map(|effect| match effect {
                Effect::Mint { secret, .. } => secret.text(),
                _ => None,
            });
            let Some(secret) = secret else { return };
            for effect in effects {
                if let Effect::Audit(entry) = effect {
                    *entry = entry.clone().text("note", &secret);
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-SEC-003/problem",
        "shows a token that may not do something",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.is_problem("forbidden") {
                let shown = asked.header("authorization").to_owned();
                answer.edit(|body| body["detail"] = json!(shown));
            }
        },
    ),
];
