//! Saboteurs of roles, tenants and states (specification chapter 01).

use clp_schemas::problem::ProblemType;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use clp_schemas::key::Key;
use clp_schemas::state::{credential, request};
use serde_json::json;

use super::Saboteur;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;
use crate::store::Due;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-MOD-001",
        "revokes what has expired",
        |asked, answer| {
            if asked.endpoint == "credential_revoke" && answer.json()["state"] == "expired" {
                answer.edit(|body| body["state"] = json!("revoked"));
            }
        },
    ),
    Saboteur::alter("CLP-MOD-002", "lets nothing expire", |_, effects| {
        effects.retain(|effect| !is_in_state(effect, credential::State::Expired));
    }),
    Saboteur::alter(
        "CLP-MOD-002/late",
        "lets a credential expire a second late",
        |_, effects| {
            for effect in effects {
                if let Effect::Schedule(at, Due::Credential(_)) = effect {
                    *at = at.plus(1);
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-MOD-003",
        "gives a credential the permissions of its successor",
        |_, effects| {
            let wanted = effects.iter().find_map(|effect| match effect {
                Effect::Mint { credential, .. } if credential.predecessor.is_some() => {
                    Some(credential.permissions.clone())
                }
                _ => None,
            });
            let Some(wanted) = wanted else { return };
            for effect in effects {
                if let Effect::SaveCredential(credential) = effect {
                    credential.permissions = wanted.clone();
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-MOD-003/digest",
        "gives a credential that ends another permission document",
        |_, effects| {
            for effect in effects {
                if is_in_state(effect, credential::State::Revoked)
                    && let Effect::SaveCredential(credential) = effect
                {
                    credential.permission_schema_digest = format!("sha256:{}", "0".repeat(64));
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-MOD-004",
        "does not show a credential that has expired",
        |asked, answer| {
            if asked.endpoint == "credential_read" && answer.json()["state"] == "expired" {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-MOD-005",
        "says of a stranger's credential that it may not be touched",
        |asked, answer| {
            static KNOWN: Known = Known::new();
            KNOWN.learn(asked, answer);
            if !holds_key(asked) && KNOWN.knows(asked) && answer.is_problem("not-found") {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-MOD-005/detail",
        "hides a stranger's credential in other words than one that is not there",
        |asked, answer| {
            static KNOWN: Known = Known::new();
            KNOWN.learn(asked, answer);
            if KNOWN.knows(asked) && answer.is_problem("not-found") {
                answer.edit(|body| body["detail"] = json!("not in your tenant"));
            }
        },
    ),
    Saboteur::skip(
        "CLP-MOD-006",
        "says of what cannot be seen that it may not be touched",
        &["CLP-MOD-006"],
    ),
    Saboteur::skip(
        "CLP-MOD-007",
        "lets whoever sees a credential do everything to it",
        &["CLP-MOD-007"],
    ),
    Saboteur::tamper(
        "CLP-MOD-008",
        "does not know its own keys",
        |asked, answer| {
            if holds_key(asked) && asked.endpoint == "credential_read" {
                answer.refuse(ProblemType::Unauthenticated);
                answer.set(
                    "www-authenticate",
                    "Bearer resource_metadata=\"https://issuer.example/\"",
                );
            }
        },
    ),
    Saboteur::tamper(
        "CLP-MOD-008/list",
        "has no list for a key, not even an empty one",
        |asked, answer| {
            if holds_key(asked) && asked.endpoint == "credential_list" {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-MOD-008/rotate",
        "says to a key that it may not replace itself",
        |asked, answer| {
            if holds_key(asked) && asked.endpoint == "rotation_open" {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::alter(
        "CLP-MOD-009",
        "lets a request that was denied expire",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveRequest(request) = effect
                    && request.state == request::State::Denied
                {
                    request.state = request::State::PendingApproval;
                }
            }
        },
    ),
];

fn is_in_state(effect: &Effect, state: credential::State) -> bool {
    matches!(effect, Effect::SaveCredential(credential) if credential.state == state)
}

/// Whether the caller holds a minted key.
fn holds_key(asked: &Asked) -> bool {
    let token = asked.header("authorization").rsplit(' ').next();
    token.is_some_and(|token| Key::parse(token).is_ok())
}

/// The credentials of all tenants.
struct Known(Mutex<BTreeSet<String>>);

impl Known {
    const fn new() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }

    fn learn(&self, asked: &Asked, answer: &Answer) {
        if asked.endpoint == "credential_create"
            && let Some(id) = answer.json()["id"].as_str()
        {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(id.to_owned());
        }
    }

    /// Whether the call is of one of them.
    fn knows(&self, asked: &Asked) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked
            .path()
            .split('/')
            .any(|segment| known.contains(segment))
    }
}
