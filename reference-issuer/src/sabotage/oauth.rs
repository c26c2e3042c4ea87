//! Saboteurs of access tokens and key pairs (specification chapter 21).

use clp_schemas::canonical::from_base64url;
use clp_schemas::jose::SigningKey;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::problem::ProblemType;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::{Memory, as_before, garble, minted};
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;
use crate::lifecycle::credential::FreshSecret;

/// What was made first.
static MADE: Memory = Memory::new();

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-OAU-001",
        "ends its identifier with a slash where OAuth looks for it",
        |asked, answer| {
            garble(asked, answer, "oauth_metadata_read", |body| {
                body["issuer"] = format!("{}/", body["issuer"].as_str().unwrap_or_default()).into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-001/endpoint",
        "says that tokens are issued elsewhere",
        |asked, answer| {
            garble(asked, answer, "oauth_metadata_read", |body| {
                let issuer = body["issuer"].as_str().unwrap_or_default();
                body["token_endpoint"] = format!("{issuer}/oauth/token").into();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-002",
        "does not take a client secret in the form",
        |asked, answer| {
            if asked.form("client_secret").is_some() {
                refuse(asked, answer, 401, "invalid_client");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-002/unknown",
        "refuses a parameter that it does not know",
        |asked, answer| {
            if asked.form("audience").is_some() {
                refuse(asked, answer, 400, "invalid_request");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-003",
        "does not take an assertion in place of a secret",
        |asked, answer| {
            if asked.form("client_assertion").is_some() {
                refuse(asked, answer, 401, "invalid_client");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-003/curve",
        "does not take a signature on P-256",
        |asked, answer| {
            let assertion = asked.form("assertion").unwrap_or_default();
            let header = assertion.split('.').next().unwrap_or_default();
            let header = from_base64url(header).unwrap_or_default();
            if String::from_utf8_lossy(&header).contains("ES256") {
                refuse(asked, answer, 400, "invalid_grant");
            }
        },
    ),
    Saboteur::skip(
        "CLP-OAU-004",
        "does not look at the secret of a client",
        &["CLP-OAU-004/secret"],
    ),
    Saboteur::skip(
        "CLP-OAU-004/state",
        "gives a token to a client that was stopped",
        &["CLP-OAU-004/state"],
    ),
    Saboteur::skip(
        "CLP-OAU-005",
        "does not verify the signature of an assertion",
        &["CLP-OAU-005/signature"],
    ),
    Saboteur::skip(
        "CLP-OAU-005/client",
        "does not look at whose an assertion is",
        &["CLP-OAU-005/client"],
    ),
    Saboteur::skip(
        "CLP-OAU-005/audience",
        "takes an assertion for somebody else",
        &["CLP-OAU-005/audience"],
    ),
    Saboteur::skip(
        "CLP-OAU-005/time",
        "takes an assertion of another time",
        &["CLP-OAU-005/time"],
    ),
    Saboteur::skip(
        "CLP-OAU-005/id",
        "takes an assertion that cannot be told from another",
        &["CLP-OAU-005/id"],
    ),
    Saboteur::skip(
        "CLP-OAU-005/state",
        "gives a token to a service account that was revoked",
        &["CLP-OAU-005/state"],
    ),
    Saboteur::alter(
        "CLP-OAU-005/again",
        "takes an assertion twice",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::Remember(_))),
    ),
    Saboteur::skip(
        "CLP-OAU-006",
        "takes any other grant for a client's own",
        &["CLP-OAU-006"],
    ),
    Saboteur::skip(
        "CLP-OAU-007",
        "gives all there is to who asks for more",
        &["CLP-OAU-007"],
    ),
    Saboteur::skip(
        "CLP-OAU-008",
        "says of a missing grant that it does not know it",
        &["CLP-OAU-008/grant"],
    ),
    Saboteur::skip(
        "CLP-OAU-008/whole",
        "does not miss an assertion where it is to be the grant",
        &["CLP-OAU-008/whole"],
    ),
    Saboteur::skip(
        "CLP-OAU-008/ways",
        "takes two ways of authentication at once",
        &["CLP-OAU-008/ways"],
    ),
    Saboteur::mishear(
        "CLP-OAU-008/repeated",
        "takes the first of two parameters of one name",
        |asked| {
            if asked.endpoint == "token_issue" {
                let body = String::from_utf8_lossy(&asked.body).into_owned();
                let mut seen = std::collections::BTreeSet::new();
                let kept: Vec<&str> = body
                    .split('&')
                    .filter(|pair| seen.insert(pair.split('=').next()))
                    .collect();
                asked.body = kept.join("&").into_bytes();
            }
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-008/problem",
        "refuses a form as it refuses all else",
        |asked, answer| {
            if asked.endpoint == "token_issue" && answer.json()["error"] == "invalid_request" {
                answer.refuse(ProblemType::InvalidRequest);
            }
        },
    ),
    Saboteur::skip(
        "CLP-OAU-009",
        "does not look at the scope of a token",
        &["CLP-OAU-009"],
    ),
    Saboteur::alter(
        "CLP-OAU-010",
        "lets a token live for an hour longer",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveToken(token) = effect {
                    token.expires_at = token.expires_at.plus(3600);
                }
            }
        },
    ),
    Saboteur::skip(
        "CLP-OAU-010/credential",
        "serves a token whose credential was stopped",
        &["CLP-OAU-010/credential"],
    ),
    Saboteur::skip(
        "CLP-OAU-011",
        "takes a client secret for a key",
        &["CLP-OAU-011"],
    ),
    Saboteur::tamper(
        "CLP-OAU-012",
        "does not say whose a token is",
        |asked, answer| {
            garble(asked, answer, "token_introspect", |body| {
                if let Value::Object(members) = body {
                    members.remove("client_id");
                }
            });
        },
    ),
    Saboteur::tamper("CLP-OAU-012/key", "knows tokens alone", |asked, answer| {
        let is_token = asked
            .form("token")
            .is_some_and(|text| text.contains("_at_"));
        garble(asked, answer, "token_introspect", |body| {
            if !is_token {
                *body = json!({"active": false});
            }
        });
    }),
    Saboteur::skip(
        "CLP-OAU-013",
        "takes the token of a stopped client for a good one",
        &["CLP-OAU-013/state"],
    ),
    Saboteur::tamper(
        "CLP-OAU-013/members",
        "says more of a token that opens nothing",
        |asked, answer| {
            garble(asked, answer, "token_introspect", |body| {
                if body["active"] == false {
                    body["scope"] = json!("none");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-013/status",
        "refuses a question about a token that it does not know",
        |asked, answer| {
            if asked.endpoint == "token_introspect" && answer.json()["active"] == false {
                refuse_form(answer, 400, "invalid_request");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-OAU-014",
        "waits for a delivery where there is nothing to deliver",
        |asked, answer| own_key(asked, answer, |body| body["state"] = json!("provisioned")),
    ),
    Saboteur::tamper(
        "CLP-OAU-014/key",
        "does not show the key that was sent",
        |asked, answer| {
            own_key(asked, answer, |body| {
                if let Value::Object(members) = body {
                    members.remove("public_jwk");
                }
            });
        },
    ),
    Saboteur::alter(
        "CLP-OAU-015",
        "delivers the private key of nobody",
        |context, effects| {
            if let Some((credential, secret)) = minted(effects)
                && credential.kind == CredentialType::ServiceAccount
                && matches!(secret, FreshSecret::PrivateJwk(_))
                && let Ok(seed) = context.random.bytes()
                && let Ok(other) = SigningKey::private_jwk(&seed)
            {
                *secret = FreshSecret::PrivateJwk(other);
            }
        },
    ),
    Saboteur::skip(
        "CLP-OAU-016",
        "makes a key for who has one of their own",
        &["CLP-OAU-016/missing"],
    ),
    Saboteur::skip(
        "CLP-OAU-016/superfluous",
        "takes a key from who was given one",
        &["CLP-OAU-016/superfluous"],
    ),
    Saboteur::tamper(
        "CLP-OAU-016/taken",
        "takes the key of another credential",
        |asked, answer| as_before(&MADE, asked, answer),
    )
    .without(&["CLP-OAU-016/taken"]),
    Saboteur::tamper(
        "CLP-OAU-016/curve",
        "takes a point that is on no curve",
        |asked, answer| as_before(&MADE, asked, answer),
    )
    .without(&["CLP-OAU-016/curve"]),
    Saboteur::tamper(
        "CLP-OAU-016/problem",
        "says of a key that it cannot use that it is of another type",
        |_, answer| {
            if answer.is_problem("key-not-usable") {
                answer.refuse(ProblemType::TypeMismatch);
            }
        },
    ),
    Saboteur::skip(
        "CLP-OAU-017",
        "takes a key pair for what has none",
        &["CLP-OAU-017"],
    ),
];

/// Refuses what the token endpoint accepted.
fn refuse(asked: &Asked, answer: &mut Answer, status: u16, code: &'static str) {
    if asked.endpoint == "token_issue" && answer.status == 200 {
        refuse_form(answer, status, code);
    }
}

fn refuse_form(answer: &mut Answer, status: u16, code: &'static str) {
    answer.status = status;
    answer.body = json!({"error": code}).to_string().into_bytes();
}

/// Changes the answer to a create with a key of the requester's own.
fn own_key(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    if asked.json()["public_jwk"].is_object() {
        garble(asked, answer, "credential_create", change);
    }
}
