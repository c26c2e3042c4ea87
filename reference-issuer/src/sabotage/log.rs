//! Saboteurs of reading the log and of proving it (specification chapter 20).

use std::sync::atomic::{AtomicU64, Ordering};

use clp_schemas::audit::Event;
use clp_schemas::canonical::{from_base64, to_base64, to_bytes};
use clp_schemas::problem::ProblemType;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::{Memory, entry, garble, ignore};
use crate::http::{Answer, Asked};

static CHECKPOINTS: Memory = Memory::new();
static READINGS: AtomicU64 = AtomicU64::new(0);

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::skip("CLP-AUD-006", "lets anybody read the log", &["CLP-AUD-006"]),
    Saboteur::mishear("CLP-AUD-007", "lists entries of every event", |asked| {
        ignore(asked, "audit_entries", "event");
    }),
    Saboteur::mishear(
        "CLP-AUD-007/credential",
        "lists entries about every credential",
        |asked| ignore(asked, "audit_entries", "credential_id"),
    ),
    Saboteur::mishear(
        "CLP-AUD-007/rotation",
        "lists entries about every rotation",
        |asked| ignore(asked, "audit_entries", "rotation_id"),
    ),
    Saboteur::mishear(
        "CLP-AUD-007/since",
        "lists entries from the beginning",
        |asked| {
            ignore(asked, "audit_entries", "since");
        },
    ),
    Saboteur::mishear("CLP-AUD-007/until", "lists entries to the end", |asked| {
        ignore(asked, "audit_entries", "until");
    }),
    Saboteur::alter(
        "CLP-AUD-007/successor",
        "does not find a rotation by its successor",
        |_, effects| {
            if let Some(entry) = entry(effects, Event::CredentialRotated) {
                let successor = entry.members.get("successor").and_then(Value::as_str);
                let successor = successor.unwrap_or_default().to_owned();
                entry.about.retain(|id| *id != successor);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-007/order",
        "lists the newest entry first",
        |asked, answer| {
            if asked.has_query("limit") {
                garble(asked, answer, "audit_entries", |body| {
                    if let Some(Value::Array(entries)) = body.get_mut("entries") {
                        entries.reverse();
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-007/page",
        "leaves out the entry with which a page begins",
        |asked, answer| {
            if asked.has_query("cursor") {
                garble(asked, answer, "audit_entries", |body| {
                    if let Some(Value::Array(entries)) = body.get_mut("entries") {
                        entries.drain(..entries.len().min(1));
                    }
                });
            }
        },
    ),
    Saboteur::tamper("CLP-AUD-008", "numbers entries from 1", |asked, answer| {
        leaves(asked, answer, |leaf| {
            leaf["index"] = (leaf["index"].as_u64().unwrap_or_default() + 1).into();
        });
    }),
    Saboteur::tamper("CLP-AUD-008/gap", "leaves a number out", |asked, answer| {
        leaves(asked, answer, |leaf| {
            let index = leaf["index"].as_u64().unwrap_or_default();
            leaf["index"] = (index + u64::from(index > 0)).into();
        });
    }),
    Saboteur::tamper(
        "CLP-AUD-009",
        "answers a leaf that is not in canonical form",
        |asked, answer| {
            entries(asked, answer, |entry| {
                let leaf = from_base64(entry["leaf"].as_str().unwrap_or_default());
                let mut leaf = leaf.unwrap_or_default();
                leaf.push(b'\n');
                entry["leaf"] = to_base64(&leaf).into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-009/again",
        "answers another leaf at each reading",
        |asked, answer| {
            let second = READINGS.fetch_add(1, Ordering::Relaxed) % 60;
            leaves(asked, answer, |leaf| {
                leaf["time"] = format!("2026-01-01T00:00:{second:02}Z").into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-010",
        "discloses another delivery than that in the leaf",
        |asked, answer| {
            entries(asked, answer, |entry| {
                if let Some(id) = entry.pointer_mut("/disclosed/delivery_id/value") {
                    *id = json!("dlv_00000000000000000000");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-010/salt",
        "discloses another salt than that in the leaf",
        |asked, answer| {
            entries(asked, answer, |entry| {
                if let Some(salt) = entry.pointer_mut("/disclosed/via/salt") {
                    *salt = json!("AAAAAAAAAAAAAAAAAAAAAA");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-013",
        "signs another checkpoint than it answers",
        |asked, answer| {
            checkpoint(asked, answer, |text| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                if let Some(size) = lines.get_mut(1) {
                    size.push('0');
                }
                lines.join("\n") + "\n"
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-013/signature",
        "answers a checkpoint without a signature",
        |asked, answer| {
            checkpoint(asked, answer, |text| {
                let end = text.find("\n\n").map_or(text.len(), |at| at + 2);
                text.get(..end).unwrap_or_default().to_owned()
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-014",
        "answers the first checkpoint for ever",
        |asked, answer| {
            let caller = asked.headers.get("authorization");
            let caller = caller.and_then(|value| value.to_str().ok());
            if asked.endpoint == "audit_checkpoint"
                && answer.status == 200
                && let Some(before) = CHECKPOINTS.before(caller.unwrap_or_default(), &answer.body)
            {
                answer.body = before;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-016",
        "turns the proof that an entry is in the log around",
        |asked, answer| proof(asked, answer, "audit_inclusion"),
    ),
    Saboteur::tamper(
        "CLP-AUD-016/only",
        "proves the only entry of a log with a hash beside it",
        |asked, answer| {
            garble(asked, answer, "audit_inclusion", |body| {
                if body["tree_size"] == 1 {
                    body["hashes"] = json!([to_base64(&[0; 32])]);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-017",
        "turns the proof that the log only grew around",
        |asked, answer| proof(asked, answer, "audit_consistency"),
    ),
    Saboteur::tamper(
        "CLP-AUD-017/same",
        "proves that a log continues itself with a hash",
        |asked, answer| {
            garble(asked, answer, "audit_consistency", |body| {
                if body["from"] == body["to"] {
                    body["hashes"] = json!([to_base64(&[0; 32])]);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-018/problem",
        "says of what is not in the log that it was asked for wrongly",
        |_, answer| {
            if answer.is_problem("invalid-proof-range") {
                answer.refuse(ProblemType::InvalidQuery);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-018",
        "proves with nothing what is not in the log",
        |asked, answer| prove(asked, answer, true),
    ),
    Saboteur::tamper(
        "CLP-AUD-018/start",
        "proves with nothing that the log shrank",
        |asked, answer| prove(asked, answer, false),
    ),
];

/// Answers with a proof of no hashes what was refused for its range: where it ends beyond the
/// log, or where it starts beyond its own end.
fn prove(asked: &Asked, answer: &mut Answer, beyond: bool) {
    if !answer.is_problem("invalid-proof-range") {
        return;
    }
    let number = |wanted: &str| {
        let query = asked.query();
        let given = query.into_iter().find(|(name, _)| name == wanted)?;
        given.1.parse::<u64>().ok()
    };
    let (starts_late, proof) = match asked.endpoint {
        "audit_inclusion" => {
            let (index, size) = (number("index"), number("tree_size"));
            let proof = json!({"index": index, "tree_size": size, "hashes": []});
            (index >= size, proof)
        }
        _ => {
            let (from, to) = (number("from"), number("to"));
            let proof = json!({"from": from, "to": to, "hashes": []});
            (from == Some(0) || from > to, proof)
        }
    };
    if starts_late != beyond {
        answer.status = 200;
        answer.set("content-type", "application/json");
        answer.body = proof.to_string().into_bytes();
    }
}

/// Changes each entry of a page.
fn entries(asked: &Asked, answer: &mut Answer, change: impl Fn(&mut Value)) {
    garble(asked, answer, "audit_entries", |body| {
        if let Some(Value::Array(entries)) = body.get_mut("entries") {
            entries.iter_mut().for_each(change);
        }
    });
}

/// Changes what the leaves say, in canonical form all the same.
fn leaves(asked: &Asked, answer: &mut Answer, change: impl Fn(&mut Value)) {
    entries(asked, answer, |entry| {
        let bytes = from_base64(entry["leaf"].as_str().unwrap_or_default()).unwrap_or_default();
        let mut leaf: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        change(&mut leaf);
        entry["index"] = leaf["index"].clone();
        entry["leaf"] = to_base64(&to_bytes(&leaf).unwrap_or_default()).into();
    });
}

/// Changes the text of a checkpoint.
fn checkpoint(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&str) -> String) {
    if asked.endpoint == "audit_checkpoint" && answer.status == 200 {
        answer.body = change(&String::from_utf8_lossy(&answer.body)).into_bytes();
    }
}

/// Turns the hashes of a proof around; of one alone, the bytes.
fn proof(asked: &Asked, answer: &mut Answer, endpoint: &str) {
    garble(asked, answer, endpoint, |body| {
        let Some(Value::Array(hashes)) = body.get_mut("hashes") else {
            return;
        };
        hashes.reverse();
        if let [only] = hashes.as_mut_slice() {
            let mut bytes = from_base64(only.as_str().unwrap_or_default()).unwrap_or_default();
            bytes.reverse();
            *only = to_base64(&bytes).into();
        }
    });
}
