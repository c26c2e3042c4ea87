//! Saboteurs of who decides (specification chapter 22), and of test control for it.

use clp_schemas::audit::Event;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::request::State;
use serde_json::json;

use super::Saboteur;
use super::ways::{are_of, garble, request};

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::skip("CLP-POL-001", "lets programs decide", &["CLP-POL-001"]),
    Saboteur::skip(
        "CLP-POL-002",
        "lets somebody decide on what they asked for with another account",
        &["CLP-POL-002"],
    ),
    Saboteur::skip(
        "CLP-POL-003",
        "creates for somebody who may no longer ask",
        &["CLP-POL-003"],
    ),
    Saboteur::skip(
        "CLP-POL-004",
        "creates by the approval of somebody who may no longer approve",
        &["CLP-POL-004"],
    ),
    Saboteur::skip(
        "CLP-POL-005",
        "takes a challenge for what the request was before it was changed",
        &["CLP-POL-005"],
    ),
    Saboteur::skip(
        "CLP-POL-006",
        "lets somebody decide on what is asked for them where another person has to",
        &["CLP-POL-006"],
    ),
    Saboteur::tamper(
        "CLP-POL-007",
        "wants no other person in production unless it is told to",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                if body["approval_policy"].is_object() {
                    body["approval_policy"]["separation_of_duty"] = json!("client");
                }
            });
        },
    ),
    Saboteur::skip(
        "CLP-POL-008",
        "lets the same person approve twice",
        &["CLP-POL-008"],
    ),
    Saboteur::tamper(
        "CLP-POL-009/methods",
        "does not say which methods it takes",
        |_, answer| {
            if answer.is_problem("insufficient-user-authentication") {
                answer.edit(|body| body["methods"] = json!([]));
            }
        },
    ),
    Saboteur::skip(
        "CLP-POL-009",
        "takes every method, whatever the policy says",
        &["CLP-POL-009"],
    ),
    Saboteur::skip(
        "CLP-POL-010",
        "lets policy approve in production",
        &["CLP-POL-010/production"],
    ),
    Saboteur::tamper(
        "CLP-POL-011",
        "says that one approval is enough where two are",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                if body["approval_policy"]["approvals_required"] == 2 {
                    body["approval_policy"]["approvals_required"] = json!(1);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-POL-012",
        "names the requester as who approved where policy did",
        |asked, answer| {
            for endpoint in ["request_open", "request_amend"] {
                garble(asked, answer, endpoint, |body| {
                    if body["approvals"][0]["method"] == "policy" {
                        body["approvals"][0]["approver"] = body["requester"].clone();
                    }
                });
            }
        },
    ),
    Saboteur::skip(
        "CLP-POL-013",
        "lets policy approve a longer life than it says",
        &["CLP-POL-013/lifetime"],
    ),
    Saboteur::skip(
        "CLP-POL-013/environment",
        "lets policy approve in an environment that it does not name",
        &["CLP-POL-013/environment"],
    ),
    Saboteur::skip(
        "CLP-POL-013/emergency",
        "lets policy approve what says that it cannot wait",
        &["CLP-POL-013/emergency"],
    ),
    Saboteur::skip(
        "CLP-POL-014",
        "takes an emergency where there is none",
        &["CLP-POL-014"],
    ),
    Saboteur::skip(
        "CLP-POL-015",
        "takes an emergency for longer than the policy says",
        &["CLP-POL-015"],
    ),
    Saboteur::alter(
        "CLP-POL-016",
        "wants a second approval in an emergency too",
        |_, effects| {
            if let Some(request) = request(effects)
                && request.submitted.emergency.is_some()
                && request.approvals.len() == 1
                && request.state == State::Approved
            {
                request.state = State::PendingApproval;
            }
        },
    ),
    Saboteur::skip(
        "CLP-POL-017",
        "creates by an approval of somebody whom the policy no longer lets approve",
        &["CLP-POL-017"],
    ),
    Saboteur::skip(
        "CLP-POL-018",
        "creates by an approval with a method that the policy no longer takes",
        &["CLP-POL-018"],
    ),
    Saboteur::skip(
        "CLP-POL-019",
        "creates by fewer approvals than the policy wants by then",
        &["CLP-POL-019"],
    ),
    Saboteur::skip(
        "CLP-POL-020",
        "creates what the policy no longer approves by itself",
        &["CLP-POL-020"],
    ),
    Saboteur::skip(
        "CLP-POL-021",
        "creates in an emergency that the policy no longer provides for",
        &["CLP-POL-021"],
    ),
    Saboteur::alter(
        "CLP-POL-022",
        "takes the first of two approvals to be enough",
        |_, effects| {
            if are_of(effects, Event::RequestApproved)
                && let Some(request) = request(effects)
                && request.approvals.len() == 1
            {
                request.state = State::Approved;
            }
        },
    ),
    Saboteur::alter(
        "CLP-POL-023",
        "counts the approvals of what was asked for before",
        |_, effects| {
            if are_of(effects, Event::RequestApproved)
                && let Some(request) = request(effects)
                && request.approvals.len() > 1
            {
                request.state = State::Approved;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-APP-031",
        "lets what needed nobody, or could not wait, be renewed without an end",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                let ends = body["expires_at"].clone();
                if body["rotation_policy"]["renewable_until"] == ends
                    && let Some(body) = body.as_object_mut()
                {
                    body.remove("rotation_policy");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-100/policy",
        "has no record of what policy decided",
        |asked, answer| {
            if asked.endpoint == "approval_read" && answer.json()["approval"]["method"] == "policy"
            {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-CTL-020",
        "takes everybody who is added for a person",
        |asked| {
            if asked.endpoint == "control_principal_add" {
                asked.edit(|body| {
                    if let Some(body) = body.as_object_mut() {
                        body.remove("kind");
                    }
                });
            }
        },
    ),
    Saboteur::skip(
        "CLP-CTL-025",
        "lets in who acts for somebody disabled",
        &["CLP-CTL-025"],
    ),
    Saboteur::skip("CLP-CTL-021", "lets in who is disabled", &["CLP-CTL-021"]),
    Saboteur::mishear(
        "CLP-CTL-022",
        "leaves everybody what they could do",
        |asked| {
            if asked.endpoint == "control_principal_set" {
                asked.edit(|body| {
                    body["actions"] = json!(["read", "request", "approve", "create"]);
                });
            }
        },
    ),
    Saboteur::mishear(
        "CLP-CTL-023",
        "takes no policy that asks for four people",
        |asked| {
            if asked.endpoint == "control_policy_set" && asked.json()["approvals_required"] == 4 {
                asked.edit(|body| body["approvals_required"] = json!(2));
            }
        },
    ),
];
