//! Saboteurs of hardware keys and of the records of decisions (specification chapter 12).

use clp_schemas::canonical::{sha256, to_base64url};
use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Saboteur;
use super::ways::garble;
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::alter("CLP-APP-020", "keeps no evidence", |_, effects| {
        for effect in effects {
            if let Effect::SaveEvidence(row) = effect {
                row.proof = None;
            }
        }
    }),
    Saboteur::skip(
        "CLP-APP-090",
        "takes any authenticator for hardware",
        &["CLP-APP-090"],
    ),
    Saboteur::skip(
        "CLP-APP-091",
        "does not verify what a maker attests",
        &["CLP-APP-091"],
    ),
    Saboteur::skip(
        "CLP-APP-092",
        "takes a registration that was made on another site",
        &["CLP-APP-092/origin"],
    ),
    Saboteur::skip(
        "CLP-APP-092/verified",
        "takes a registration that nobody was there for",
        &["CLP-APP-092/verified"],
    ),
    Saboteur::skip(
        "CLP-APP-093",
        "takes the certificate of another model",
        &["CLP-APP-093"],
    ),
    Saboteur::skip(
        "CLP-APP-032",
        "believes a model that nobody signed",
        &["CLP-APP-032"],
    ),
    Saboteur::skip(
        "CLP-APP-033",
        "lets somebody who is disabled decide",
        &["CLP-APP-033"],
    ),
    Saboteur::skip("CLP-APP-094", "believes any maker", &["CLP-APP-094"]),
    Saboteur::skip("CLP-APP-095", "takes any model", &["CLP-APP-095"]),
    Saboteur::skip(
        "CLP-APP-096",
        "takes a key that could be copied when it was registered",
        &["CLP-APP-096/registration"],
    ),
    Saboteur::skip(
        "CLP-APP-096/assertion",
        "takes a key that can be copied by now",
        &["CLP-APP-096/assertion"],
    ),
    Saboteur::alter(
        "CLP-APP-097",
        "goes on trusting a model that it trusted once",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::SaveAttestationTrust(trust) if trust.models.is_empty()),
            );
        },
    ),
    Saboteur::tamper(
        "CLP-APP-100",
        "has no record of a denial",
        |asked, answer| {
            let is_denial = answer.json()["approval"]["decision"] == "deny";
            if asked.endpoint == "approval_read" && is_denial {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-APP-100/used",
        "has no record of an approval that was used",
        |asked, answer| {
            let is_narrowed = answer.json()["approval"]["version"] != 1;
            if asked.endpoint == "approval_read" && is_narrowed {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::skip(
        "CLP-APP-101",
        "does not look at which request an approval is of",
        &["CLP-APP-101"],
    ),
    Saboteur::tamper(
        "CLP-APP-102",
        "reports another document than the one decided on",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                body["approval_document"]["request"]["purpose"] = json!("something else")
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-102/challenge",
        "reports another nonce than the one signed",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                let nonce = sha256(body["challenge"]["nonce"].to_string().as_bytes());
                body["challenge"]["nonce"] = to_base64url(&nonce).into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-102/evidence",
        "reports evidence without the place it was given at",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                body["evidence"]["response"]["clientDataJSON"] = to_base64url(b"{}").into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-102/key",
        "reports another key than the one that signed",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                let id = body["verification"]["credential_id"].clone();
                body["verification"]["public_key"] = id;
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-102/registration",
        "leaves out how a hardware key was registered",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                if let Some(members) = body["verification"].as_object_mut() {
                    members.remove("registration");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-103",
        "makes evidence up for a decision that has none",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                if body.get("evidence").is_none() {
                    body["evidence"] = json!({"id_token": "e30.e30.e30"});
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-104",
        "reports another policy than the one that decided",
        |asked, answer| {
            garble(asked, answer, "approval_read", |body| {
                if body["approval"]["method"] == "policy" {
                    body["verification"]["policy"]["approvals_required"] = json!(5);
                }
            });
        },
    ),
];
