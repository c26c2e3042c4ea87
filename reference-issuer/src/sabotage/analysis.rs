//! Saboteurs of the analysis of what was used (specification chapter 14).

use serde_json::{Value, json};

use super::Saboteur;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;

/// Changes an analysis.
fn analysis(asked: &Asked, answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    if asked.endpoint == "scope_analysis" && answer.status == 200 {
        answer.edit(change);
    }
}

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::alter(
        "CLP-SCO-010",
        "keeps no record of what was done",
        |_, effects| {
            for effect in effects {
                if let Effect::CountUse(used) = effect {
                    used.access = None;
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-SCO-012",
        "is sure after a single call",
        |asked, answer| {
            analysis(asked, answer, |body| body["confidence"] = "high".into());
        },
    ),
    Saboteur::tamper(
        "CLP-SCO-013",
        "recommends what refuses all that was done",
        |asked, answer| {
            analysis(asked, answer, |body| {
                if body["recommended"].is_array() {
                    body["recommended"][0]["selector"] = json!("nowhere/else");
                }
            });
        },
    ),
];
