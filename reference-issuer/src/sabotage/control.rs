//! Saboteurs of test control (specification chapter 80).

use clp_schemas::problem::ProblemType;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use clp_schemas::ops::discover::AuthMethod;
use serde_json::json;

use super::Saboteur;
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::skip(
        "CLP-CTL-001",
        "lets everybody control its tests",
        &["CLP-CTL-001"],
    ),
    Saboteur::tamper(
        "CLP-CTL-001/status",
        "says to whoever has no token for control that they may not",
        |asked, answer| {
            if asked.endpoint == "sandbox_open" && answer.is_problem("unauthenticated") {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-002",
        "calls a place for tests production",
        |asked, answer| {
            if asked.endpoint == "manifest_read" && asked.has("clp-version") {
                answer.edit(|body| body["environment"] = json!("production"));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-003",
        "opens a sandbox with something in its log",
        |asked, answer| {
            if asked.endpoint == "state_dump" && answer.json()["audit_size"] == 0 {
                answer.edit(|body| body["audit_size"] = json!(1));
            }
        },
    ),
    Saboteur::mishear(
        "CLP-CTL-003/elsewhere",
        "opens a sandbox of an issuer that it is not",
        |asked| {
            let wanted = asked.json()["issuer_identifier"].to_string();
            if asked.endpoint == "sandbox_open" && wanted.contains(".example") {
                asked.body = b"{}".to_vec();
            }
        },
    ),
    Saboteur::skip(
        "CLP-CTL-004",
        "wants no approval where one is wanted",
        &["CLP-CRE-010"],
    ),
    Saboteur::mishear(
        "CLP-CTL-005",
        "moves a clock by half a day where it is told a day",
        |asked| {
            if asked.endpoint == "clock_advance" && asked.json()["advance_seconds"] == 86_400 {
                asked.edit(|body| body["advance_seconds"] = json!(43_200));
            }
        },
    ),
    Saboteur::mishear(
        "CLP-CTL-005/back",
        "moves a clock forward where it is told backward",
        |asked| {
            if asked.endpoint == "clock_advance" && asked.json()["advance_seconds"] == -1 {
                asked.edit(|body| body["advance_seconds"] = json!(1));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-006",
        "writes of a reset into the log of the sandbox",
        |asked, answer| {
            static RESET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
            let mut reset = RESET.lock().unwrap_or_else(PoisonError::into_inner);
            let sandbox = asked
                .path()
                .rsplit_once('/')
                .map_or("", |(sandbox, _)| sandbox);
            match asked.endpoint {
                "sandbox_reset" => {
                    reset.insert(sandbox.to_owned());
                }
                "state_dump" if reset.contains(sandbox) => {
                    answer.edit(|body| body["audit_size"] = json!(1));
                }
                _ => {}
            }
        },
    ),
    Saboteur::alter(
        "CLP-CTL-007",
        "records a simulated decision as one with a passkey",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveRequest(request) = effect {
                    for approval in &mut request.approvals {
                        approval.method = AuthMethod::Passkey;
                    }
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-007/answer",
        "answers a simulated decision as one with a passkey",
        |asked, answer| {
            if asked.endpoint == "control_approve" && answer.status < 300 {
                answer.edit(|body| body["method"] = json!("passkey"));
            }
        },
    ),
    Saboteur::skip(
        "CLP-CTL-008",
        "takes a decision that says of itself that it is simulated",
        &["CLP-CTL-008"],
    ),
    Saboteur::alter(
        "CLP-CTL-009",
        "forgets the authenticators that are registered",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::SavePasskey(..))),
    ),
    Saboteur::tamper(
        "CLP-CTL-010",
        "lists no problems among the requests",
        |asked, answer| {
            if asked.endpoint == "request_log" {
                answer.edit(|body| {
                    for item in body["items"].as_array_mut().into_iter().flatten() {
                        item.as_object_mut().map(|item| item.remove("problem"));
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-010/refused",
        "lists no requests that were refused",
        |asked, answer| {
            if asked.endpoint == "request_log" {
                answer.edit(|body| {
                    if let Some(items) = body["items"].as_array_mut() {
                        items.retain(|item| item["problem"].is_null());
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-011",
        "lists what was asked for with each request",
        |asked, answer| {
            static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
            let mut all = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.endpoint == "request_log" {
                answer.edit(|body| body["queries"] = json!(*all));
            } else if asked.endpoint == "credential_list" {
                all.push(asked.target.clone());
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CTL-012",
        "says of a tenant that is no sandbox that nobody may control it",
        |asked, answer| {
            let is_control = [
                "/clock",
                "/reset",
                "/state",
                "/requests",
                "/authenticators",
                "/identity-providers",
            ]
            .iter()
            .any(|end| asked.path().ends_with(end));
            if is_control && asked.endpoint != "elsewhere" && answer.is_problem("not-found") {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
];
