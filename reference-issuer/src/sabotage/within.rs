//! Saboteurs of permissions that have to stay within others (specification chapters 03, 11, 12
//! and 13).

use super::Saboteur;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::skip(
        "CLP-APP-022",
        "lets an approver agree to more than was asked for",
        &["CLP-APP-022"],
    ),
    Saboteur::skip(
        "CLP-APP-023",
        "lets an approver agree to a longer life than was asked for",
        &["CLP-APP-023"],
    ),
    Saboteur::skip(
        "CLP-APP-024",
        "lets a refusal be narrowed",
        &["CLP-APP-024"],
    ),
    Saboteur::tamper(
        "CLP-APP-025",
        "says the version asked for where less is agreed to",
        |asked, answer| {
            if asked.endpoint == "challenge_open" {
                answer.edit(|body| {
                    if body["approval_document"].is_object() {
                        body["approval_document"]["version"] = 1.into();
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-APP-026",
        "shows the document that was asked for, and not the one agreed to",
        |asked, answer| {
            if asked.endpoint == "request_read" {
                answer.edit(|body| {
                    let asked = body["submitted"]["permissions"].clone();
                    body["approval_document"]["request"]["permissions"] = asked;
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ERR-008",
        "does not say what goes beyond",
        |_, answer| {
            if answer.is_problem("scope-broader") {
                answer.edit(|body| {
                    if let Some(body) = body.as_object_mut() {
                        body.remove("counterexample");
                    }
                });
            }
        },
    ),
];
