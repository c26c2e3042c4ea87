//! Saboteurs of what is known of the places of a credential, and of its uses (specification
//! chapters 16 and 17).

use clp_schemas::state::installation::State;
use serde_json::{Value, json};

use super::Saboteur;
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-INJ-001",
        "answers a new installation as if it had been there",
        |asked, answer| {
            if asked.endpoint == "installation_put" && answer.status == 201 {
                answer.status = 200;
            }
        },
    ),
    Saboteur::alter(
        "CLP-INJ-001/dropped",
        "forgets what was said of how a place is recognised",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveInstallation(row) = effect {
                    row.installation.declared.matcher = None;
                }
            }
        },
    ),
    Saboteur::skip(
        "CLP-INJ-002",
        "takes any report after any other",
        &["CLP-INJ-002"],
    ),
    Saboteur::alter(
        "CLP-INJ-003",
        "leaves a place below the credential that it was first below",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveInstallation(row) = effect {
                    row.installation.credential_id.clone_from(&row.line);
                }
            }
        },
    ),
    Saboteur::skip(
        "CLP-INJ-004",
        "lets a required place be talked away during a rotation",
        &["CLP-INJ-004"],
    ),
    Saboteur::skip(
        "CLP-INJ-005",
        "takes reports below a credential that has ended",
        &["CLP-INJ-005"],
    ),
    Saboteur::mishear(
        "CLP-INJ-010",
        "takes a kind of place that nobody registered for some other",
        |asked| asked.replace(r#""mainframe""#, r#""other""#),
    ),
    Saboteur::mishear(
        "CLP-INJ-010/letters",
        "takes capital letters in the name of a kind",
        |asked| asked.replace(r#""x-Acme""#, r#""x-acme""#),
    ),
    Saboteur::mishear(
        "CLP-INJ-011",
        "knows no kinds of places but those that are registered",
        |asked| {
            if asked.endpoint == "installation_put" {
                asked.replace(r#""kind":"x-"#, r#""kind":"own-"#);
            }
        },
    ),
    Saboteur::mishear("CLP-INJ-011/dashboard", "knows no dashboards", |asked| {
        if asked.endpoint == "installation_put" {
            asked.replace(r#""dashboard""#, r#""a dashboard""#);
        }
    }),
    Saboteur::tamper(
        "CLP-INV-001",
        "leaves retired installations out of a list",
        |asked, answer| {
            if asked.endpoint == "installation_list" && !asked.target.contains("state=") {
                answer.edit(|body| {
                    if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
                        items.retain(|one| one["state"] != json!(State::Retired));
                    }
                });
            }
        },
    ),
    Saboteur::alter("CLP-INV-002", "counts no use", |_, effects| {
        effects.retain(|effect| !matches!(effect, Effect::CountUse(_)))
    }),
    Saboteur::tamper(
        "CLP-INV-003",
        "names the first place that fits a consumer and no other",
        |asked, answer| {
            if asked.endpoint == "usage_read" {
                answer.edit(|body| {
                    if let Some(all) = body.get_mut("consumers").and_then(Value::as_array_mut) {
                        for one in all {
                            if let Some(fits) =
                                one.get_mut("installations").and_then(Value::as_array_mut)
                            {
                                fits.truncate(1);
                            }
                        }
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-INV-004",
        "does not say by when it has counted a use",
        |asked, answer| {
            if asked.endpoint == "manifest_read" {
                answer.edit(|body| {
                    if let Some(manifest) = body.as_object_mut() {
                        manifest.remove("usage_lag_seconds");
                    }
                });
            }
        },
    ),
];
