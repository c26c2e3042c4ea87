//! Saboteurs of what keys open (specification chapter 14).

use serde_json::json;

use super::Saboteur;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-SCO-001",
        "serves no key that writes",
        |asked, answer| {
            if elsewhere(asked) && asked.method != "GET" && answer.status < 300 {
                answer.status = 403;
            }
        },
    ),
    Saboteur::skip(
        "CLP-SCO-002",
        "lets every key do everything",
        &["CLP-SCO-002"],
    ),
    Saboteur::tamper(
        "CLP-SCO-002/status",
        "answers a key that may not with 401",
        |asked, answer| {
            if elsewhere(asked) && answer.status == 403 {
                answer.status = 401;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-SCO-002/code",
        "does not say that a key may not",
        |asked, answer| {
            if elsewhere(asked) && answer.status == 403 {
                answer.headers.remove("www-authenticate");
            }
        },
    ),
    Saboteur::skip(
        "CLP-SCO-003",
        "knows a key by its id alone",
        &["CLP-SCO-003"],
    ),
    Saboteur::tamper(
        "CLP-SCO-003/status",
        "answers a key that is none with 403",
        |asked, answer| {
            if elsewhere(asked) && asked.has("authorization") && answer.status == 401 {
                answer.status = 403;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-SCO-003/code",
        "has a code of its own for a key that is none",
        |asked, answer| {
            if elsewhere(asked) && asked.has("authorization") && answer.status == 401 {
                answer.set("www-authenticate", "Bearer error=\"unknown_token\"");
            }
        },
    ),
    Saboteur::skip(
        "CLP-SCO-004",
        "serves a key that has ended",
        &["CLP-SCO-004"],
    ),
    Saboteur::mishear("CLP-SCO-005", "takes a key out of the query", |asked| {
        if elsewhere(asked) {
            super::take_token_from_query(asked);
        }
    }),
    Saboteur::skip(
        "CLP-SCO-006",
        "serves a key that is suspended",
        &["CLP-SCO-006"],
    ),
    Saboteur::tamper(
        "CLP-SCO-007",
        "leaves an action out of an analysis",
        |asked, answer| {
            analysis(asked, answer, |body| {
                if let Some(atoms) = body["atoms"].as_array_mut() {
                    atoms.pop();
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-SCO-007/twice",
        "analyses an action twice",
        |asked, answer| {
            analysis(asked, answer, |body| {
                if let Some(atoms) = body["atoms"].as_array_mut()
                    && let Some(first) = atoms.first().cloned()
                {
                    atoms.push(first);
                }
            });
        },
    ),
    Saboteur::alter(
        "CLP-SCO-008",
        "does not see which permission was used",
        |_, effects| {
            for effect in effects {
                if let Effect::CountUse(used) = effect {
                    used.parts.clear();
                }
            }
        },
    ),
    Saboteur::mishear(
        "CLP-SCO-008/since",
        "looks back to the beginning whatever it is told",
        |asked| {
            let mut query = asked.query();
            if asked.endpoint == "scope_analysis"
                && query.len() == 1
                && !query.iter().any(|(_, at)| at.contains("suite"))
            {
                query.clear();
                asked.set_query(&query);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-SCO-008/all",
        "says of everything that it was used",
        |asked, answer| {
            analysis(asked, answer, |body| {
                for atom in body["atoms"].as_array_mut().into_iter().flatten() {
                    atom["used"] = json!(true);
                }
            });
        },
    ),
    Saboteur::tamper("CLP-SCO-009", "recommends nothing", |asked, answer| {
        analysis(asked, answer, |body| {
            body.as_object_mut().map(|body| body.remove("recommended"));
        });
    }),
    Saboteur::tamper(
        "CLP-SCO-009/all",
        "recommends all that there is where all was used or nothing",
        |asked, answer| {
            analysis(asked, answer, |body| {
                if body["recommended"].is_null() {
                    let atoms = body["atoms"].as_array().into_iter().flatten();
                    let statements: Vec<_> = atoms.map(|atom| atom["statement"].clone()).collect();
                    body["recommended"] = json!(statements);
                }
            });
        },
    ),
];

fn elsewhere(asked: &Asked) -> bool {
    asked.endpoint == "elsewhere"
}

fn analysis(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&mut serde_json::Value)) {
    if asked.endpoint == "scope_analysis" && answer.status == 200 {
        answer.edit(change);
    }
}
