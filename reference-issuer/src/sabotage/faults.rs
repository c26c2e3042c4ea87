//! Saboteurs of faults on purpose (specification chapter 80): issuers on which a test of a client
//! proves nothing.

use super::Saboteur;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-FLT-001",
        "lets things go wrong in production",
        |asked, answer| {
            if asked.endpoint == "manifest_read" {
                answer.edit(|manifest| manifest["environment"] = "production".into());
            }
        },
    ),
    Saboteur::skip(
        "CLP-FLT-002",
        "takes a script and does not play it",
        &["CLP-FLT-002"],
    ),
    Saboteur::skip(
        "CLP-FLT-003",
        "carries out a call that is not to get through",
        &["CLP-FLT-003"],
    ),
    Saboteur::skip(
        "CLP-FLT-004",
        "carries out a call that is to be answered with a status",
        &["CLP-FLT-004"],
    ),
    Saboteur::skip(
        "CLP-FLT-005",
        "answers a call whose answer is to get lost",
        &["CLP-FLT-005"],
    ),
    Saboteur::skip(
        "CLP-FLT-006",
        "takes chaos and draws nothing",
        &["CLP-FLT-006"],
    ),
    Saboteur::tamper("CLP-FLT-007", "forgets what happened", |asked, answer| {
        if asked.endpoint == "faults_read" {
            answer.edit(|state| state["replay"]["rules"] = serde_json::json!([]));
        }
    }),
    Saboteur::skip(
        "CLP-FLT-008",
        "overlooks a fault that is none",
        &["CLP-FLT-008"],
    ),
    Saboteur::skip(
        "CLP-FLT-009",
        "overlooks the fault that a request asks for",
        &["CLP-FLT-009"],
    ),
    Saboteur::skip(
        "CLP-FLT-010",
        "lets things go wrong without saying that it can",
        &["CLP-FLT-010"],
    ),
    Saboteur::skip(
        "CLP-FLT-012",
        "carries out once what is to be carried out twice",
        &["CLP-FLT-012"],
    ),
    Saboteur::skip(
        "CLP-FLT-013",
        "carries out at once what is to be late",
        &["CLP-FLT-013"],
    ),
    Saboteur::tamper(
        "CLP-FLT-015",
        "does not tell of the status that a call met",
        |asked, answer| {
            if asked.endpoint == "request_log" {
                answer.edit(|log| {
                    if let Some(items) = log["items"].as_array_mut() {
                        items.retain(|item| item["status"] != 503);
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-FLT-016",
        "lists a call more than got through",
        |asked, answer| {
            if asked.endpoint == "request_log" {
                answer.edit(|log| {
                    if let Some(items) = log["items"].as_array_mut() {
                        items.extend(items.last().cloned());
                    }
                });
            }
        },
    ),
];
