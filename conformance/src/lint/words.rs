//! What people read: consent texts, languages, names.

use std::collections::BTreeMap;

use super::model::{Model, Names};
use super::{Code, Findings, shown};

pub(super) fn look(model: &Model<'_>, findings: &mut Findings) {
    placeholders(model, findings);
    languages(model, findings);
    same_words(model, findings);
    let types: Vec<&str> = model.types.keys().copied().collect();
    confusable("/resource_types", &types, findings);
    for resource_type in model.types.values() {
        let actions: Vec<&str> = resource_type.actions.keys().copied().collect();
        confusable(
            &format!("{}/actions", resource_type.pointer),
            &actions,
            findings,
        );
        confusable(
            &format!("{}/constraints", resource_type.pointer),
            &resource_type.constraints,
            findings,
        );
    }
    for (pointer, text) in &model.texts {
        let tags: Vec<&str> = text.keys().copied().collect();
        confusable(pointer, &tags, findings);
    }
}

fn placeholders(model: &Model<'_>, findings: &mut Findings) {
    for action in model.types.values().flat_map(|one| one.actions.values()) {
        for (language, text) in &action.consent {
            if text.contains("{selector}") || text.contains(['{', '}']) {
                continue;
            }
            findings.add(
                Code::NoSelector,
                format!("{}/consent/{language}", action.pointer),
                format!(
                    "the text has no `{{selector}}`, so the resources are put behind it, as in {}: \"a/*\"; say in the sentence where they belong",
                    shown(text)
                ),
            );
        }
    }
}

fn languages(model: &Model<'_>, findings: &mut Findings) {
    let all = model.languages();
    for (pointer, text) in &model.texts {
        let missing: Vec<_> = all
            .iter()
            .filter(|wanted| !text.keys().any(|have| serves(have, wanted)))
            .map(|wanted| shown(wanted))
            .collect();
        if !missing.is_empty() {
            findings.add(
                Code::LanguageMissing,
                pointer,
                format!(
                    "other texts of the document are there in {} too; who reads that is shown this one in another language between them, so translate it",
                    missing.join(", ")
                ),
            );
        }
    }
}

/// Whether a reader of `wanted` is shown the text of the tag `have` (RFC 4647 section 3.4).
fn serves(have: &str, wanted: &str) -> bool {
    let have = have.to_ascii_lowercase();
    let wanted = wanted.to_ascii_lowercase();
    wanted == have
        || wanted
            .strip_prefix(&have)
            .is_some_and(|rest| rest.starts_with('-'))
}

fn same_words(model: &Model<'_>, findings: &mut Findings) {
    let mut first_said: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (type_name, resource_type) in &model.types {
        for (name, action) in &resource_type.actions {
            for (&language, &text) in &action.consent {
                let here = format!("{} of {}", shown(name), shown(type_name));
                let Some(first) = first_said.get(&(language, text)) else {
                    first_said.insert((language, text), here);
                    continue;
                };
                findings.add(
                    Code::SameConsent,
                    format!("{}/consent/{language}", action.pointer),
                    format!("{here} asks in the same words as {first}; a line names neither the type nor the action, so nobody can tell them apart: say what is particular to each"),
                );
            }
        }
    }
}

/// Names that differ in case or punctuation alone.
fn confusable(pointer: &str, names: &[&str], findings: &mut Findings) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for &name in names {
        let bare: String = name
            .chars()
            .filter(|next| !"_.:-".contains(*next))
            .flat_map(char::to_lowercase)
            .collect();
        if let Some(first) = seen.insert(bare, name) {
            findings.add(
                Code::Confusable,
                pointer,
                format!(
                    "{} and {} differ in case or punctuation alone, and mean different things to a program; rename one",
                    shown(first),
                    shown(name)
                ),
            );
        }
    }
}

impl<'a> Model<'a> {
    /// Every language in which any text is given.
    pub(super) fn languages(&self) -> Names<'a> {
        self.texts
            .iter()
            .flat_map(|(_, text)| text.keys().copied())
            .collect()
    }
}
