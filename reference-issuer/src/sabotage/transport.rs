//! Saboteurs of what is the same for every endpoint (specification chapter 02).

use super::Saboteur;
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-TRN-001",
        "does not say its version in a refusal",
        |_, answer| {
            if answer.status >= 400 {
                answer.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-014",
        "does not say where to look for a token where none was sent",
        |asked, answer| {
            if !asked.headers.contains_key("authorization") {
                answer.headers.remove("www-authenticate");
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-017",
        "takes a call without an idempotency key",
        &["CLP-TRN-017"],
    ),
    Saboteur::alter(
        "CLP-TRN-020",
        "does a repeated call once more",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::Record(..))),
    ),
    Saboteur::tamper(
        "CLP-TRN-031",
        "lets what is read be cached",
        |asked, answer| {
            if asked.method == "GET" && answer.json()["credential_id"].is_string() {
                answer.headers.remove("cache-control");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-035",
        "gives a credential one entity tag for ever",
        |asked, answer| {
            if asked.endpoint == "credential_read" && !asked.target.contains('?') {
                answer.set("etag", "\"one\"");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-008",
        "takes an integer that is too large",
        |asked, answer| {
            if answer.is_problem("integer-out-of-range") && !asked.json().is_null() {
                answer.edit(|body| {
                    body["type"] = "tag:clp.example,2026:problem/invalid-request".into()
                });
            }
        },
    ),
];
