//! Saboteurs of the end of a credential, and of what stops it for a while (specification
//! chapter 19).

use clp_schemas::ops::revoke::RevocationReason;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::credential::State;
use serde_json::json;

use super::Saboteur;
use crate::lifecycle::Effect;
use crate::store::Due;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::alter(
        "CLP-REV-001",
        "says that it has revoked, and does not",
        |_, effects| {
            effects.retain(|effect| {
                !matches!(effect, Effect::SaveCredential(one) if one.revocation.as_ref()
                    .is_some_and(|end| end.reason == RevocationReason::Compromise))
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REV-002",
        "shows the last reason for a revocation instead of the first",
        |asked, answer| {
            let reason = asked.json()["reason"].clone();
            if asked.endpoint == "credential_revoke" && answer.json()["revocation"].is_object() {
                answer.edit(|body| body["revocation"]["reason"] = reason);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-REV-003",
        "shows an expired credential as revoked where somebody revokes it",
        |asked, answer| {
            if asked.endpoint == "credential_revoke" && answer.json()["state"] == "expired" {
                answer.edit(|body| body["state"] = json!("revoked"));
            }
        },
    ),
    Saboteur::skip(
        "CLP-REV-004",
        "takes a mode for which it has no inventory",
        &["CLP-REV-004"],
    ),
    Saboteur::tamper("CLP-REV-005", "lets no key end itself", |asked, answer| {
        let is_key = asked
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.strip_prefix("Bearer "))
            .is_some_and(|key| clp_schemas::key::Key::parse(key).is_ok());
        if asked.endpoint == "credential_revoke" && answer.status == 200 && is_key {
            answer.refuse(ProblemType::Forbidden);
        }
    }),
    Saboteur::tamper(
        "CLP-REV-006",
        "wants an idempotency key before it revokes what was leaked",
        |asked, answer| {
            if asked.endpoint == "credential_revoke"
                && answer.status == 200
                && asked.json()["reason"] == "compromise"
                && !asked.headers.contains_key("idempotency-key")
            {
                answer.refuse(ProblemType::IdempotencyKeyMissing);
            }
        },
    ),
    Saboteur::alter(
        "CLP-REV-007",
        "ends a successor along with what it replaces",
        |context, effects| {
            let ended: Vec<_> = effects
                .iter()
                .filter_map(|effect| match effect {
                    Effect::SaveCredential(one) if one.state == State::Revoked => {
                        one.successor.clone()
                    }
                    _ => None,
                })
                .collect();
            effects.extend(
                ended
                    .into_iter()
                    .map(|id| Effect::Schedule(context.now, Due::Credential(id))),
            );
        },
    ),
    Saboteur::tamper(
        "CLP-REV-008",
        "does not end a predecessor whose gates are met",
        |asked, answer| {
            if asked.endpoint == "credential_revoke"
                && answer.status == 200
                && asked.json()["mode"] == "after_migration"
            {
                answer.edit(|body| body["state"] = json!("retiring"));
            }
        },
    ),
    Saboteur::skip(
        "CLP-REV-009",
        "ends a predecessor whatever the gates say",
        &["CLP-REV-009"],
    ),
    Saboteur::skip(
        "CLP-REV-010",
        "looks for gates where nothing is being replaced",
        &["CLP-REV-010"],
    ),
    Saboteur::alter(
        "CLP-REV-011",
        "says that it has suspended, and does not",
        |_, effects| {
            effects.retain(|effect| {
                !matches!(effect, Effect::SaveCredential(one) if one.state == State::Suspended)
            });
        },
    ),
    Saboteur::tamper(
        "CLP-REV-012",
        "shows the last reason for a suspension instead of the first",
        |asked, answer| {
            let reason = asked.json()["reason"].clone();
            if asked.endpoint == "credential_suspend" && answer.json()["suspension"].is_object() {
                answer.edit(|body| body["suspension"]["reason"] = reason);
            }
        },
    ),
    Saboteur::skip(
        "CLP-REV-013",
        "suspends and resumes what is not in use",
        &["CLP-REV-013"],
    ),
    Saboteur::alter(
        "CLP-REV-014",
        "resumes a predecessor as if nothing replaced it",
        |_, effects| {
            let resumes = !effects
                .iter()
                .any(|effect| matches!(effect, Effect::SaveRotation(_)));
            for effect in effects {
                if let Effect::SaveCredential(one) = effect
                    && resumes
                    && one.state == State::Retiring
                {
                    one.state = State::Active;
                }
            }
        },
    ),
];
