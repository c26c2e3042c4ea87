//! Saboteurs of rotation (specification chapter 18).

use clp_schemas::ops::create::Credential;
use clp_schemas::ops::revoke::RevocationReason;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::credential::State as CredentialState;
use clp_schemas::state::rotation::State;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::Memory;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;
use crate::store::{Due, RotationRow};

/// The public part of the key of each credential that was created.
static KEYS: Memory = Memory::new();

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-ROT-001",
        "shows an opened rotation as distributing",
        |asked, answer| {
            if asked.endpoint == "rotation_open" && answer.status == 201 {
                answer.edit(|body| body["state"] = json!("distributing"));
            }
        },
    ),
    Saboteur::alter(
        "CLP-ROT-002",
        "leaves a predecessor active",
        |_, effects| {
            each_predecessor(effects, |old| old.state = CredentialState::Active);
        },
    ),
    Saboteur::alter(
        "CLP-ROT-003",
        "forgets the labels of what it replaces",
        |_, effects| each_successor(effects, |new| new.labels.clear()),
    ),
    Saboteur::alter(
        "CLP-ROT-003/policy",
        "forgets the rotation policy of what it replaces",
        |_, effects| each_successor(effects, |new| new.rotation_policy = None),
    ),
    Saboteur::tamper(
        "CLP-ROT-004",
        "says that the key of a successor is the one that it replaces",
        |asked, answer| {
            let body = answer.json();
            let credential = body.get("credential").unwrap_or(&body);
            let key = credential["key_id"].as_str().unwrap_or_default();
            let id = credential["id"].as_str().unwrap_or_default();
            match asked.endpoint {
                "rotation_open" if answer.status == 201 => {
                    let replaced = asked.path().rsplit('/').nth(1).unwrap_or_default();
                    if let Some(old) = KEYS.before(replaced, key.as_bytes()) {
                        let old = String::from_utf8_lossy(&old).into_owned();
                        answer.edit(|body| body["credential"]["key_id"] = old.into());
                    }
                }
                _ if !id.is_empty() && !key.is_empty() => {
                    KEYS.before(id, key.as_bytes());
                }
                _ => {}
            }
        },
    ),
    Saboteur::alter(
        "CLP-ROT-005",
        "does not name the successor in what it replaces",
        |_, effects| each_predecessor(effects, |old| old.successor = None),
    ),
    Saboteur::alter(
        "CLP-ROT-005/back",
        "does not name in a successor what it replaces",
        |_, effects| each_successor(effects, |new| new.predecessor = None),
    ),
    Saboteur::skip(
        "CLP-ROT-006",
        "does not notice that a credential is being rotated",
        &["CLP-ROT-006"],
    ),
    Saboteur::alter(
        "CLP-ROT-007",
        "leaves a predecessor retiring when its successor has ended",
        |_, effects| {
            let rolls_back = rolls_back(effects);
            effects.retain(|effect| {
                !(rolls_back
                    && matches!(effect, Effect::SaveCredential(one) if one.state == CredentialState::Active))
            });
        },
    ),
    Saboteur::skip(
        "CLP-ROT-008",
        "rotates what is not in use",
        &["CLP-ROT-008"],
    ),
    Saboteur::alter("CLP-ROT-009", "gives a successor no end", |_, effects| {
        each_successor(effects, |new| new.expires_at = None)
    }),
    Saboteur::skip(
        "CLP-ROT-010",
        "lets a successor live for as long as was asked",
        &["CLP-ROT-010"],
    ),
    Saboteur::alter(
        "CLP-ROT-011",
        "ends a predecessor when the overlap is over",
        |_, effects| {
            let deadline =
                opened(effects).and_then(|row| Some((row.plan?.deadline?, row.predecessor)));
            effects.extend(deadline.map(|(at, old)| Effect::Schedule(at, Due::Credential(old))));
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-012",
        "asks for an approval before it replaces what is in production",
        |asked, answer| {
            if asked.endpoint == "rotation_open"
                && answer.status == 201
                && asked.json()["permissions"].is_null()
                && answer.json()["credential"]["environment"] == "production"
            {
                answer.refuse(ProblemType::ApprovalRequired);
            }
        },
    ),
    Saboteur::alter(
        "CLP-ROT-013",
        "leaves a rotation open when its successor was the first to end",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::SaveRotation(row) if row.state == State::RolledBack),
            );
        },
    ),
    Saboteur::alter(
        "CLP-ROT-013/completed",
        "leaves a rotation open when its predecessor was the first to end",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::SaveRotation(row) if row.state == State::Completed),
            );
        },
    ),
    Saboteur::alter(
        "CLP-ROT-015",
        "does not notice that the secret of a successor was read",
        |_, effects| {
            let delivers = effects.iter().any(|effect| {
                matches!(effect, Effect::SaveCredential(one) if !one.disclosed_to.is_empty())
            });
            effects.retain(|effect| {
                !(delivers
                    && matches!(effect, Effect::SaveRotation(row) if row.state == State::Distributing))
            });
        },
    ),
    Saboteur::skip(
        "CLP-ROT-016",
        "lets a rotation widen what a credential opens",
        &["CLP-ROT-016"],
    ),
    Saboteur::skip(
        "CLP-ROT-017",
        "takes a plan that cannot be kept",
        &["CLP-ROT-017"],
    ),
    Saboteur::alter(
        "CLP-ROT-018",
        "forgets the deadline of a rotation",
        |_, effects| {
            effects.retain(|effect| !matches!(effect, Effect::Schedule(_, Due::Rotation(_))));
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-019",
        "calls it safe to revoke whatever the gates say",
        |asked, answer| {
            if asked.endpoint == "rotation_gates" && answer.json()["safe_to_revoke"].is_object() {
                answer.edit(|body| body["safe_to_revoke"]["safe"] = json!(true));
            }
        },
    ),
    Saboteur::tamper("CLP-ROT-019/five", "judges five gates", |asked, answer| {
        without_gate(asked, answer, "consumers")
    }),
    Saboteur::tamper(
        "CLP-ROT-020",
        "keeps no inventory and says that it is safe to revoke",
        |asked, answer| {
            if asked.endpoint == "rotation_gates" && !answer.json()["issuer_gates"].is_null() {
                let now = answer.json()["usage_as_of"].clone();
                answer.edit(|body| {
                    body["safe_to_revoke"] =
                        json!({"safe": true, "basis": "reported", "as_of": now});
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-021",
        "takes the report of a place that has not moved for that of one that has",
        |asked, answer| met(asked, answer, "installations"),
    ),
    Saboteur::tamper(
        "CLP-ROT-022",
        "calls healthy what nobody has checked",
        |asked, answer| met(asked, answer, "health"),
    ),
    Saboteur::tamper(
        "CLP-ROT-023",
        "calls quiet what was used just now",
        |asked, answer| met(asked, answer, "quiet"),
    ),
    Saboteur::tamper(
        "CLP-ROT-024",
        "overlooks a consumer that nobody declared",
        |asked, answer| met(asked, answer, "consumers"),
    ),
    Saboteur::tamper(
        "CLP-ROT-025",
        "takes what it does not know for met",
        |asked, answer| {
            if asked.endpoint == "rotation_gates" {
                each_gate(answer, |gate| {
                    if gate["state"] == "unknown" {
                        gate["state"] = json!("met");
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-026",
        "opens its API to what only has the form of a key",
        |asked, answer| {
            let refused = answer
                .headers
                .get("www-authenticate")
                .is_some_and(|value| value.as_bytes().ends_with(b"\"invalid_token\""));
            if asked.endpoint == "elsewhere" && refused && is_probe(asked) {
                answer.status = 200;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-027",
        "shows an advanced rotation as it was",
        |asked, answer| {
            if asked.endpoint == "rotation_advance" && answer.json()["state"] == "draining" {
                answer.edit(|body| body["state"] = json!("distributing"));
            }
        },
    ),
    Saboteur::skip(
        "CLP-ROT-028",
        "advances a rotation whatever the gates say",
        &["CLP-ROT-028"],
    ),
    Saboteur::tamper(
        "CLP-ROT-028/first",
        "names one gate that is not met where there are several",
        |asked, answer| {
            if asked.endpoint == "rotation_advance" && answer.json()["gates"].is_array() {
                answer.edit(|body| {
                    let first = body["gates"][0].clone();
                    body["gates"] = json!([first]);
                });
            }
        },
    ),
    Saboteur::skip(
        "CLP-ROT-029",
        "looks at the gates of a rotation that is not under way",
        &["CLP-ROT-029"],
    ),
    Saboteur::alter(
        "CLP-ROT-030",
        "ends a predecessor for another reason than that it was replaced",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveCredential(one) = effect
                    && let Some(revocation) = &mut one.revocation
                    && revocation.reason == RevocationReason::Superseded
                {
                    revocation.reason = RevocationReason::Other;
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-ROT-031",
        "does not revoke the successor of what it rolls back",
        |_, effects| {
            let rolls_back = rolls_back(effects);
            effects.retain(|effect| {
                !(rolls_back
                    && matches!(effect, Effect::SaveCredential(one) if one.state == CredentialState::Revoked
                        && one.revocation.as_ref().is_some_and(|end| end.reason == RevocationReason::Other)))
            });
        },
    ),
    Saboteur::skip(
        "CLP-ROT-032",
        "rolls back to a key that was leaked",
        &["CLP-ROT-032"],
    ),
    Saboteur::skip(
        "CLP-ROT-033",
        "rolls back under a place that has the successor",
        &["CLP-ROT-033"],
    ),
    Saboteur::skip(
        "CLP-ROT-036",
        "rolls back while nobody knows what a place has",
        &["CLP-ROT-036"],
    ),
    Saboteur::tamper(
        "CLP-ROT-037",
        "rolls back to what has ended in the same second",
        |asked, answer| {
            let both = answer.json()["credential"]["state"] == "expired";
            if asked.endpoint == "rotation_read" && both && answer.json()["state"] == "completed" {
                answer.edit(|body| body["state"] = json!("rolled_back"));
            }
        },
    ),
];

/// The rotation that these effects open.
fn opened(effects: &[Effect]) -> Option<RotationRow> {
    let mints = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Mint { .. }));
    effects.iter().find_map(|effect| match effect {
        Effect::SaveRotation(row) if mints => Some((**row).clone()),
        _ => None,
    })
}

fn rolls_back(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::SaveRotation(row) if row.state == State::RolledBack))
}

/// Changes the predecessor where a rotation is opened.
fn each_predecessor(effects: &mut [Effect], mut change: impl FnMut(&mut Credential)) {
    let Some(row) = opened(effects) else {
        return;
    };
    for effect in effects {
        if let Effect::SaveCredential(one) = effect
            && one.id == row.predecessor
        {
            change(one);
        }
    }
}

/// Changes the successor where a rotation is opened.
fn each_successor(effects: &mut [Effect], change: impl Fn(&mut Credential)) {
    if opened(effects).is_none() {
        return;
    }
    for effect in effects {
        if let Effect::Mint { credential, .. } = effect {
            change(credential);
        }
    }
}

fn each_gate(answer: &mut Answer, mut change: impl FnMut(&mut Value)) {
    answer.edit(|body| {
        for name in ["gates", "issuer_gates"] {
            if let Some(gates) = body.get_mut(name).and_then(Value::as_array_mut) {
                gates.iter_mut().for_each(&mut change);
            }
        }
    });
}

/// States a gate as met where it is not.
fn met(asked: &Asked, answer: &mut Answer, id: &str) {
    if asked.endpoint == "rotation_gates" {
        each_gate(answer, |gate| {
            if gate["id"] == id && gate["state"] == "unmet" {
                gate["state"] = json!("met");
            }
        });
    }
}

fn without_gate(asked: &Asked, answer: &mut Answer, id: &str) {
    if asked.endpoint == "rotation_gates" {
        answer.edit(|body| {
            if let Some(gates) = body.get_mut("gates").and_then(Value::as_array_mut) {
                gates.retain(|gate| gate["id"] != id);
            }
        });
    }
}

/// Whether a key is presented whose part of the form is right: it was not mistyped.
fn is_probe(asked: &Asked) -> bool {
    asked
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "))
        .is_some_and(|key| clp_schemas::key::Key::parse(key).is_ok())
}
