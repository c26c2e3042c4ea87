//! Saboteurs of events and of bound keys (specification chapter 21).

use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Saboteur;
use crate::lifecycle::Effect;
use crate::store::Once;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-WHK-001",
        "delivers a webhook secret without saying what it is",
        |asked, answer| {
            if asked.endpoint == "delivery_read" {
                answer.edit(|body| {
                    let value = body["secret"]["value"].as_str().unwrap_or_default();
                    if let Some(bare) = value.strip_prefix("whsec_") {
                        body["secret"]["value"] = json!(bare);
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-WHK-002",
        "signs an event with one secret, however many there are",
        |asked, answer| {
            if asked.endpoint == "event_test" {
                answer.edit(|body| {
                    let all = body["signature"].as_str().unwrap_or_default();
                    if let Some((first, _)) = all.split_once(' ') {
                        body["signature"] = json!(first);
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-WHK-002/other",
        "signs an event with one secret more",
        |asked, answer| {
            if asked.endpoint == "event_test" {
                answer.edit(|body| {
                    if let Some(all) = body["signature"].as_str() {
                        let more = format!("{all} v1,{}", "A".repeat(43) + "=");
                        body["signature"] = json!(more);
                    }
                });
            }
        },
    ),
    Saboteur::skip(
        "CLP-WHK-003",
        "sends events wherever it is told to",
        &["CLP-WHK-003"],
    ),
    Saboteur::mishear("CLP-WHK-003/http", "sends events without TLS", |asked| {
        asked.replace("http://192.0.2.1/", "https://192.0.2.1/")
    }),
    Saboteur::mishear(
        "CLP-WHK-003/link-local",
        "sends events to link-local addresses",
        |asked| asked.replace("https://169.254.", "https://192.0."),
    ),
    Saboteur::mishear(
        "CLP-WHK-003/172",
        "knows 10.0.0.0/8 for private, and not 172.16.0.0/12",
        |asked| asked.replace("https://172.16.", "https://192.1."),
    ),
    Saboteur::mishear(
        "CLP-WHK-003/192",
        "does not know 192.168.0.0/16 for private",
        |asked| asked.replace("https://192.168.", "https://192.1."),
    ),
    Saboteur::mishear(
        "CLP-WHK-003/v6",
        "does not know which addresses of IPv6 are private",
        |asked| asked.replace("https://[fd00:", "https://[2606:4700:"),
    ),
    Saboteur::mishear(
        "CLP-WHK-003/v6-link-local",
        "does not know which addresses of IPv6 are link-local",
        |asked| asked.replace("https://[fe80:", "https://[2606:4700:"),
    ),
    Saboteur::mishear(
        "CLP-WHK-003/mapped",
        "does not see an address of IPv4 within one of IPv6",
        |asked| asked.replace("[::ffff:10.0.", "[::ffff:192.1."),
    ),
    Saboteur::skip(
        "CLP-WHK-004",
        "does not look whether a webhook fits the type",
        &["CLP-WHK-004"],
    ),
    Saboteur::tamper(
        "CLP-WHK-005",
        "shows another body than it has sent",
        |asked, answer| {
            if asked.endpoint == "event_test" {
                answer.edit(|body| {
                    if let Some(sent) = body["body"].as_str() {
                        body["body"] = json!(format!("{sent} "));
                    }
                });
            }
        },
    ),
    Saboteur::mishear(
        "CLP-WHK-005/signed-by",
        "signs a test as real events are signed, whatever it is told",
        |asked| {
            if asked.endpoint == "event_test" && asked.json()["signed_by"] == "credential" {
                asked.edit(|body| body["signed_by"] = json!("all"));
            }
        },
    ),
    Saboteur::skip(
        "CLP-WHK-005/ended",
        "tests a secret that has ended",
        &["CLP-WHK-005"],
    ),
    Saboteur::tamper(
        "CLP-WHK-006",
        "says of a key that signs nothing that it is not in use",
        |asked, answer| {
            if asked.endpoint == "event_test" && answer.is_problem("type-mismatch") {
                answer.refuse(ProblemType::CredentialNotActive);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-BND-001",
        "does not serve a proof on P-256",
        |asked, answer| {
            if asked.header("dpop").starts_with("eyJ") && is_p256(asked.header("dpop")) {
                answer.status = 401;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-BND-001/scope",
        "lets a proof stand for a permission",
        |asked, answer| {
            if asked.endpoint == "elsewhere" && asked.has("dpop") && answer.status == 403 {
                answer.status = 200;
            }
        },
    ),
    Saboteur::skip(
        "CLP-BND-002",
        "serves a bound key without a proof",
        &["CLP-BND-002"],
    ),
    Saboteur::skip("CLP-BND-003", "does not look at a proof", &["CLP-BND-003"]),
    Saboteur::tamper(
        "CLP-BND-003/code",
        "does not tell a bad proof from a bad key",
        |asked, answer| {
            if asked.endpoint == "elsewhere" && asked.has("dpop") && answer.status == 401 {
                answer.set(
                    "www-authenticate",
                    "DPoP error=\"invalid_token\", algs=\"EdDSA ES256\"",
                );
            }
        },
    ),
    Saboteur::skip(
        "CLP-BND-004",
        "takes a proof as often as it comes",
        &["CLP-BND-004"],
    ),
    Saboteur::alter(
        "CLP-BND-004/forgets",
        "does not remember the proofs that it has taken",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::Remember(spent) if spent.kind == Once::Proof),
            );
        },
    ),
    Saboteur::alter("CLP-BND-005", "binds no successor", |_, effects| {
        for effect in effects {
            if let Effect::Mint { credential, .. } = effect
                && credential.predecessor.is_some()
            {
                credential.cnf = None;
            }
        }
    }),
    Saboteur::tamper(
        "CLP-BND-005/create",
        "does not say what a new key is bound to",
        |asked, answer| {
            if asked.endpoint == "credential_create" {
                answer.edit(|body| {
                    body.as_object_mut().map(|body| body.remove("cnf"));
                });
            }
        },
    ),
    Saboteur::skip("CLP-BND-006", "binds what is no API key", &["CLP-BND-006"]),
    Saboteur::tamper(
        "CLP-BND-007",
        "does not say that it binds keys",
        |asked, answer| {
            if asked.endpoint == "manifest_read" && asked.has("clp-version") {
                answer.edit(|body| body["supports_workload_bound_credentials"] = json!(false));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-BND-007/claim",
        "says that it binds keys, and does not claim it",
        |asked, answer| {
            if asked.endpoint == "manifest_read" && asked.has("clp-version") {
                answer.edit(|body| body["supports_workload_bound_credentials"] = json!(true));
            }
        },
    ),
];

/// Whether the head of a proof names P-256.
fn is_p256(proof: &str) -> bool {
    let head = proof.split('.').next().unwrap_or_default();
    clp_schemas::canonical::from_base64url(head)
        .is_ok_and(|head| head.windows(5).any(|word| word == b"P-256"))
}
