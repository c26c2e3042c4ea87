//! What actions imply: cycles, risk, deprecation, and what can never be approved.

use std::collections::BTreeSet;

use clp_schemas::permissions::{Risk, limits};

use super::model::{Model, Names, Type, arrows, way};
use super::{Code, Findings, shown};

/// The shortest selector, in quotes, as it stands in a consent text: `"*"`.
const SHORTEST_SELECTOR: usize = 3;

pub(super) fn look(model: &Model<'_>, findings: &mut Findings) {
    let languages = model.languages();
    for resource_type in model.types.values() {
        let circling = cycles(resource_type, findings);
        risks(resource_type, &circling, findings);
        redundant(resource_type, &circling, findings);
        deprecated(resource_type, findings);
        unshown(resource_type, &languages, findings);
    }
}

/// Notes one cycle for each action that lies on one not noted yet, and says which lie on any.
fn cycles<'a>(resource_type: &Type<'a>, findings: &mut Findings) -> Names<'a> {
    let mut noted: Names<'a> = BTreeSet::new();
    let mut circling = BTreeSet::new();
    for (&name, action) in &resource_type.actions {
        let reached = resource_type.reached(name);
        if !reached.contains_key(name) {
            continue;
        }
        circling.insert(name);
        if noted.contains(name) {
            continue;
        }
        let round = way(name, name, &reached);
        noted.extend(&round);
        findings.add(
            Code::Cycle,
            format!("{}/implies", action.pointer),
            format!(
                "the action implies itself: {}; actions that imply one another are one action, so take out one of these steps or make them one",
                arrows(&round)
            ),
        );
    }
    circling
}

fn risks(resource_type: &Type<'_>, circling: &Names<'_>, findings: &mut Findings) {
    for (&name, action) in &resource_type.actions {
        let Some(own) = action.risk.filter(|_| !circling.contains(name)) else {
            continue;
        };
        let reached = resource_type.reached(name);
        let risk_of = |other: &str| {
            resource_type
                .actions
                .get(other)
                .and_then(|other| other.risk)
        };
        let riskiest = reached
            .keys()
            .filter(|other| risk_of(other) > Some(own))
            .max_by_key(|other| {
                (
                    risk_of(other),
                    std::cmp::Reverse(way(name, other, &reached).len()),
                )
            });
        if let Some((&riskiest, risk)) = riskiest.and_then(|one| Some((one, risk_of(one)?))) {
            findings.add(
                Code::LessRisky,
                format!("{}/risk", action.pointer),
                format!(
                    "the action is of {} risk and includes one of {} risk: {}; who grants it grants that too, so it is of {} risk at least, or should not imply it",
                    word(own),
                    word(risk),
                    arrows(&way(name, riskiest, &reached)),
                    word(risk)
                ),
            );
        }
    }
}

const fn word(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

fn redundant(resource_type: &Type<'_>, circling: &Names<'_>, findings: &mut Findings) {
    for (&name, action) in &resource_type.actions {
        if circling.contains(name) {
            continue;
        }
        for (at, &one) in action.implies.iter().enumerate() {
            let through = action.implies.iter().find_map(|&other| {
                let reached = resource_type.reached(other);
                let included =
                    other != one && !circling.contains(other) && reached.contains_key(one);
                included.then(|| way(other, one, &reached))
            });
            if let Some(through) = through {
                findings.add(
                    Code::Redundant,
                    format!("{}/implies/{at}", action.pointer),
                    format!(
                        "{} is included already by another implied action: {}; it can be left out",
                        shown(one),
                        arrows(&through)
                    ),
                );
            }
        }
    }
}

fn deprecated(resource_type: &Type<'_>, findings: &mut Findings) {
    let is_deprecated = |name: &str| {
        resource_type
            .actions
            .get(name)
            .is_some_and(|one| one.deprecated)
    };
    let mut alive: Names<'_> = BTreeSet::new();
    for (&name, action) in resource_type
        .actions
        .iter()
        .filter(|(_, one)| !one.deprecated)
    {
        alive.insert(name);
        alive.extend(resource_type.reached(name).keys());
        for (at, &implied) in action.implies.iter().enumerate() {
            if is_deprecated(implied) {
                findings.add(
                    Code::DeprecatedImplied,
                    format!("{}/implies/{at}", action.pointer),
                    format!(
                        "who asks for {} is granted the deprecated {} too; nobody should hold it any more, so do not imply it, or do not deprecate it",
                        shown(name),
                        shown(implied)
                    ),
                );
            }
        }
    }
    for (name, action) in &resource_type.actions {
        if !alive.contains(name) {
            findings.add(
                Code::DeadAction,
                &action.pointer,
                format!(
                    "{} is dead: nobody should ask for it, and nothing that can be asked for includes it; leave it out of the next version once nobody requests it, since credentials that hold it name the document under which they were created",
                    shown(name)
                ),
            );
        }
    }
}

/// An action with so much to say that no request for it is ever accepted (CLP-PRM-016).
fn unshown(resource_type: &Type<'_>, languages: &Names<'_>, findings: &mut Findings) {
    for (&name, action) in &resource_type.actions {
        let mut included: Names<'_> = resource_type.reached(name).into_keys().collect();
        included.insert(name);
        let bytes = |language: &str| -> usize {
            included
                .iter()
                .filter_map(|one| resource_type.actions.get(one))
                .filter_map(|one| {
                    one.consent
                        .get(language)
                        .or_else(|| one.consent.values().next())
                })
                .map(|text| text.replace("{selector}", "").len() + SHORTEST_SELECTOR)
                .sum()
        };
        let least = languages
            .iter()
            .map(|language| bytes(language))
            .min()
            .unwrap_or(0);
        if least > limits::CONSENT_BYTES {
            findings.add(
                Code::NeverApproved,
                &action.pointer,
                format!(
                    "the consent text for {} and what it implies has at least {least} bytes, and more than {} are never shown: nobody can approve it (CLP-PRM-016); imply less, or say it shorter",
                    shown(name),
                    limits::CONSENT_BYTES
                ),
            );
        }
    }
}
