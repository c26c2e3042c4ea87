//! Saboteurs of handing a secret over (specification chapter 15).

use clp_schemas::audit::Event;
use clp_schemas::problem::ProblemType;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::{Memory, are_of, forget_credential, garble, ignore, leave_delivery};
use crate::lifecycle::Effect;
use crate::store::Due;

static READINGS: Memory = Memory::new();

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-DLV-001",
        "does not say whose a client secret is",
        |asked, answer| {
            garble(asked, answer, "delivery_read", |body| {
                if let Some(Value::Object(secret)) = body.get_mut("secret") {
                    secret.remove("client_id");
                }
            });
        },
    ),
    Saboteur::skip(
        "CLP-DLV-002",
        "hands a secret to whoever asks",
        &["CLP-DLV-002"],
    ),
    Saboteur::tamper(
        "CLP-DLV-002/forbidden",
        "lets others know that there is a delivery",
        |asked, answer| {
            if asked.endpoint == "delivery_read" && answer.status == 404 {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-DLV-003",
        "says of a credential whose secret was fetched that it is provisioned",
        |asked, answer| {
            garble(asked, answer, "credential_read", |body| {
                if body["state"] == "active" {
                    body["state"] = json!("provisioned");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-DLV-004",
        "hands out another secret the second time",
        |asked, answer| {
            if asked.endpoint == "delivery_read"
                && answer.status == 200
                && READINGS.before(&asked.target, &[]).is_some()
            {
                answer.edit(|body| {
                    let secret = body["secret"]["value"].as_str().unwrap_or_default();
                    body["secret"]["value"] = secret.chars().rev().collect::<String>().into();
                });
            }
        },
    ),
    Saboteur::alter(
        "CLP-DLV-004/once",
        "hands a secret out once",
        |_, effects| {
            let credential = effects.iter().find_map(|effect| match effect {
                Effect::SaveCredential(credential) => Some(credential.id.clone()),
                _ => None,
            });
            if are_of(effects, Event::CredentialDelivered) {
                effects.extend(credential.map(Effect::CloseDelivery));
            }
        },
    ),
    Saboteur::alter(
        "CLP-DLV-005",
        "hands out a secret that is in use",
        |_, effects| leave_delivery(effects, Event::CredentialUsed),
    ),
    Saboteur::alter(
        "CLP-DLV-005/token",
        "hands out a secret that got a token",
        |_, effects| leave_delivery(effects, Event::TokenIssued),
    ),
    Saboteur::alter(
        "CLP-DLV-006",
        "hands a secret out for ever to whoever fetched it in time",
        |_, effects| {
            // Nothing else closes a delivery and does nothing besides.
            if matches!(effects.as_slice(), [Effect::CloseDelivery(_)]) {
                effects.clear();
            }
        },
    )
    .without(&["CLP-DLV-006"]),
    Saboteur::alter(
        "CLP-DLV-006/early",
        "closes a delivery after ten minutes",
        |_, effects| {
            for effect in effects {
                if let Effect::Schedule(at, Due::Delivery(_)) = effect {
                    *at = at.plus(-300);
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-DLV-007",
        "keeps a delivery open for an hour",
        |_, effects| {
            for effect in effects {
                match effect {
                    Effect::Schedule(at, Due::Delivery(_)) => *at = at.plus(2700),
                    Effect::Mint {
                        delivery: Some(delivery),
                        ..
                    } => delivery.expires_at = delivery.expires_at.plus(2700),
                    _ => {}
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-DLV-008",
        "lets a secret that nobody fetched live on",
        |_, effects| {
            effects.retain(|effect| !matches!(effect, Effect::Schedule(_, Due::Delivery(_))));
        },
    ),
    Saboteur::alter(
        "CLP-DLV-009",
        "hands out the secret of what was revoked",
        |_, effects| leave_delivery(effects, Event::CredentialRevoked),
    )
    .without(&["CLP-DLV-009"]),
    Saboteur::tamper(
        "CLP-DLV-010",
        "does not tell who has a secret",
        |asked, answer| {
            garble(asked, answer, "credential_read", |body| {
                body["disclosed_to"] = json!([]);
            });
        },
    ),
    Saboteur::tamper(
        "CLP-DLV-010/time",
        "tells of no other time than that of the creation",
        |asked, answer| {
            garble(asked, answer, "credential_read", |body| {
                let at = body["created_at"].clone();
                if let Some(Value::Array(seen)) = body.get_mut("disclosed_to") {
                    for seen in seen {
                        seen["at"] = at.clone();
                    }
                }
            });
        },
    ),
    Saboteur::skip(
        "CLP-DLV-015",
        "takes the acknowledgement of a delivery that is gone",
        &["CLP-DLV-015"],
    ),
    Saboteur::alter(
        "CLP-DLV-015/again",
        "does not know a delivery that was acknowledged",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::SaveReceipt(_))),
    ),
    Saboteur::alter(
        "CLP-DLV-016",
        "hands out a secret that has arrived",
        |_, effects| leave_delivery(effects, Event::DeliveryAcknowledged),
    ),
    Saboteur::skip(
        "CLP-DLV-017",
        "takes the acknowledgement of what nobody has read",
        &["CLP-DLV-017"],
    ),
    Saboteur::mishear(
        "CLP-DLV-018",
        "lists the stores of every environment",
        |asked| ignore(asked, "store_list", "environment"),
    ),
    Saboteur::mishear(
        "CLP-DLV-018/project",
        "lists the stores of every project",
        |asked| ignore(asked, "store_list", "project"),
    ),
    Saboteur::tamper(
        "CLP-DLV-018/page",
        "leaves the last page of stores empty",
        |asked, answer| {
            if asked.has_query("cursor") {
                garble(asked, answer, "store_list", |body| {
                    body["items"] = json!([])
                });
            }
        },
    ),
    Saboteur::skip(
        "CLP-DLV-019",
        "takes a store that it does not know",
        &["CLP-DLV-019/unknown"],
    ),
    Saboteur::skip(
        "CLP-DLV-019/elsewhere",
        "takes a store of another environment",
        &["CLP-DLV-019/elsewhere"],
    ),
    Saboteur::alter(
        "CLP-DLV-020",
        "does not remember in which store a secret is",
        |_, effects| forget_credential(effects, Event::DeliveryAcknowledged),
    ),
];
