//! Saboteurs of changing a request, and of taking it back (specification chapter 11).

use clp_schemas::audit::Event;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::request::State;
use serde_json::json;

use super::Saboteur;
use super::ways::{are_of, garble, request};
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-REQ-014",
        "does not say for whom a request is opened",
        |asked, answer| {
            garble(asked, answer, "request_open", |body| {
                if let Some(actors) = body["approval_document"]["actors"].as_array_mut() {
                    actors.truncate(1);
                }
            });
        },
    ),
    Saboteur::alter(
        "CLP-REQ-015",
        "lets what was approved stay so when it is changed",
        |_, effects| {
            if are_of(effects, Event::RequestAmended)
                && let Some(request) = request(effects)
                && !request.approvals.is_empty()
            {
                request.state = State::Approved;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-REQ-015/version",
        "changes a request without another version",
        |asked, answer| {
            garble(asked, answer, "request_amend", |body| {
                body["version"] = json!(1);
            });
        },
    ),
    Saboteur::skip(
        "CLP-REQ-016",
        "lets anybody who sees a request change it",
        &["CLP-REQ-016"],
    ),
    Saboteur::skip(
        "CLP-REQ-016/cancel",
        "lets anybody who sees a request take it back",
        &["CLP-REQ-016/cancel"],
    ),
    Saboteur::skip(
        "CLP-REQ-017",
        "lets somebody change what they may no longer ask for",
        &["CLP-REQ-017"],
    ),
    Saboteur::skip(
        "CLP-REQ-018",
        "changes a request that has ended",
        &["CLP-REQ-018"],
    ),
    Saboteur::skip(
        "CLP-REQ-018/cancel",
        "takes a request back that has ended",
        &["CLP-REQ-018/cancel"],
    ),
    Saboteur::tamper(
        "CLP-REQ-019",
        "does not say what is wrong with what a request is changed to",
        |asked, answer| {
            if asked.endpoint == "request_amend" && answer.status == 422 {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::alter(
        "CLP-REQ-020",
        "answers that a request is taken back, and leaves it as it was",
        |_, effects| {
            if are_of(effects, Event::RequestCancelled) {
                effects.retain(|effect| !matches!(effect, Effect::SaveRequest(_)));
            }
        },
    ),
];
