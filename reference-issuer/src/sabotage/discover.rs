//! Saboteurs of what an issuer says of itself, and of permission documents (specification
//! chapters 10 and 04).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use clp_schemas::problem::ProblemType;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::{Memory, as_before};
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;

/// What was made first.
static MADE: Memory = Memory::new();

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-DIS-001",
        "does not show its manifest to whoever sends a token that it does not know",
        |asked, answer| {
            if asked.endpoint == "manifest_read" && asked.has("authorization") {
                answer.refuse(ProblemType::Unauthenticated);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-002",
        "states where credentials are with a slash at the end",
        |asked, answer| {
            manifest(asked, answer, |body| {
                add(&mut body["credential_issuer_endpoint"], "/")
            });
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-003",
        "names itself with a slash that is not in its address",
        |asked, answer| {
            manifest(asked, answer, |body| {
                add(&mut body["issuer_identifier"], "/")
            });
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-004",
        "says that it does not rotate, and lists rotate",
        |asked, answer| {
            manifest(asked, answer, |body| {
                body["supports_rotation"] = json!(false)
            });
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-004/audit",
        "says that it has no log, and lists audit",
        |asked, answer| {
            manifest(asked, answer, |body| body["supports_audit"] = json!(false));
        },
    ),
    Saboteur::tamper("CLP-DIS-005", "does not list scope", |asked, answer| {
        manifest(asked, answer, |body| {
            if let Some(operations) = body["supported_operations"].as_array_mut() {
                operations.retain(|operation| operation != "scope");
            }
        });
    }),
    Saboteur::tamper(
        "CLP-DIS-006",
        "says of what it does not declare that nobody may do it",
        |asked, answer| {
            if asked.endpoint == "nothing" && answer.status == 404 {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-017",
        "does not tag its permission document",
        |asked, answer| {
            if asked.endpoint == "permission_document_read" {
                answer.headers.remove("etag");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-017/weak",
        "tags its permission document weakly",
        |asked, answer| tag(asked, answer, |tag| format!("W/{tag}")),
    ),
    Saboteur::mishear(
        "CLP-DIS-018",
        "answers every digest with the document in force",
        |asked| {
            if asked.endpoint == "permission_document_read" && asked.query().len() == 1 {
                asked.set_query(&[]);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-018/older",
        "does not find the document that a credential names",
        |asked, answer| {
            if asked.endpoint == "permission_document_read" && !asked.query().is_empty() {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-DIS-020",
        "describes another resource than where credentials are",
        |asked, answer| {
            if asked.endpoint == "resource_metadata_read" {
                answer.edit(|body| add(&mut body["resource"], "/"));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-PRM-001",
        "has a permission document without environments",
        |asked, answer| document(asked, answer, |body| body["environments"] = json!([])),
    ),
    Saboteur::tamper(
        "CLP-PRM-002",
        "has an action that implies itself",
        |asked, answer| {
            document(asked, answer, |body| {
                if let Some((name, action)) = first_action(body) {
                    action["implies"] = json!([name]);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-PRM-002/lacking",
        "has an action that implies one that is not there",
        |asked, answer| {
            document(asked, answer, |body| {
                if let Some((_, action)) = first_action(body) {
                    action["implies"] = json!(["fly"]);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-PRM-003",
        "defines a type whose name is kept for the protocol",
        |asked, answer| {
            document(asked, answer, |body| {
                if let Some(types) = body["resource_types"].as_object_mut()
                    && let Some(definition) = types.values().next().cloned()
                {
                    types.insert("CLP.store".to_owned(), definition);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-PRM-005",
        "writes its digest in capitals",
        |asked, answer| {
            tag(asked, answer, |tag| match tag.split_once(':') {
                Some((name, digits)) => format!("{name}:{}", digits.to_uppercase()),
                None => tag.to_owned(),
            });
        },
    ),
    Saboteur::mishear(
        "CLP-PRM-008",
        "reads a selector with an asterisk in the middle",
        |asked| selector(asked, "a/*/b", "a/*"),
    ),
    Saboteur::mishear(
        "CLP-PRM-008/empty",
        "passes over an empty segment of a selector",
        |asked| selector(asked, "a//b", "a/b"),
    ),
    Saboteur::mishear(
        "CLP-PRM-008/upwards",
        "resolves a selector that leads upwards",
        |asked| selector(asked, "../b", "b"),
    ),
    Saboteur::skip(
        "CLP-PRM-009",
        "does not look at the path that a permission is for",
        &["CLP-PRM-009"],
    ),
    Saboteur::skip(
        "CLP-PRM-010",
        "takes a constraint of another kind",
        &["CLP-PRM-010"],
    ),
    Saboteur::skip(
        "CLP-PRM-011",
        "does not look at the constraints of a permission",
        &["CLP-PRM-011"],
    ),
    Saboteur::tamper(
        "CLP-PRM-012",
        "does not know that one action implies another",
        |asked, answer| {
            // Credentials that name no action of reading, and then their keys.
            static IMPLYING: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
            let mut implying = IMPLYING.lock().unwrap_or_else(PoisonError::into_inner);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let said = answer.json();
            match asked.endpoint {
                "credential_create" if names_no_reading(&said) => {
                    implying.insert(text(&said["id"]));
                }
                "delivery_read" if implying.contains(&text(&said["credential_id"])) => {
                    implying.insert(format!("Bearer {}", text(&said["secret"]["value"])));
                }
                "elsewhere"
                    if asked.method == "GET"
                        && answer.status == 200
                        && implying.contains(asked.header("authorization")) =>
                {
                    answer.status = 403;
                    answer.set("www-authenticate", "Bearer error=\"insufficient_scope\"");
                }
                _ => {}
            }
        },
    ),
    Saboteur::alter(
        "CLP-PRM-015",
        "leaves the last line of a consent out",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveRequest(request) = effect {
                    request.consent.pop();
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-PRM-015/order",
        "states the lines of a consent the other way round",
        |asked, answer| {
            if asked.endpoint == "request_open" {
                answer.edit(|body| {
                    if let Some(lines) = body["consent"].as_array_mut() {
                        lines.reverse();
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-PRM-016",
        "asks for consent to what nobody can read",
        |asked, answer| as_before(&MADE, asked, answer),
    )
    .without(&["CLP-PRM-016"]),
];

/// Whether no statement of a credential names the action `read`.
fn names_no_reading(credential: &Value) -> bool {
    let mut statements = credential["permissions"].as_array().into_iter().flatten();
    credential["id"].is_string()
        && !statements.any(|statement| {
            let mut actions = statement["actions"].as_array().into_iter().flatten();
            actions.any(|action| action == "read")
        })
}

/// Changes the manifest as those see it who say which version they speak.
fn manifest(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    if asked.endpoint == "manifest_read" && asked.has("clp-version") {
        answer.edit(change);
    }
}

fn document(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    if asked.endpoint == "permission_document_read" && answer.status == 200 {
        answer.edit(change);
    }
}

fn tag(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&str) -> String) {
    if asked.endpoint == "permission_document_read"
        && let Some(tag) = answer.headers.get("etag").and_then(|tag| tag.to_str().ok())
        && let Ok(tag) = change(tag).parse()
    {
        answer.headers.insert("etag", tag);
    }
}

/// Some action of a permission document, with its name.
fn first_action(document: &mut Value) -> Option<(String, &mut Value)> {
    let (_, definition) = document["resource_types"]
        .as_object_mut()?
        .iter_mut()
        .next()?;
    let (name, action) = definition["actions"].as_object_mut()?.iter_mut().next()?;
    Some((name.clone(), action))
}

fn add(text: &mut Value, end: &str) {
    *text = json!(format!("{}{end}", text.as_str().unwrap_or_default()));
}

/// Reads one selector as another.
fn selector(asked: &mut Asked, from: &str, to: &str) {
    if asked.endpoint != "credential_create" {
        return;
    }
    asked.edit(|body| {
        for statement in body["permissions"].as_array_mut().into_iter().flatten() {
            if statement["selector"] == from {
                statement["selector"] = json!(to);
            }
        }
    });
}
