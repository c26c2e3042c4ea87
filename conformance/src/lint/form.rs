//! Errors: what the specification does not admit. Every member is looked at by itself, so that
//! one fault does not hide another.

use std::collections::{BTreeMap, BTreeSet};

use clp_schemas::permissions::{RESERVED_PREFIX, Risk, limits};
use serde_json::{Map, Value};

use super::model::{Action, Model, Type};
use super::{Code, Findings, shown};

/// Longest language tag, in characters (RFC 5646 section 4.4.1).
const LANGUAGE_LENGTH: usize = 35;
const KINDS: [&str; 6] = ["set", "max", "min", "cidr_set", "interval", "flag"];
const RISKS: [(&str, Risk); 4] = [
    ("low", Risk::Low),
    ("medium", Risk::Medium),
    ("high", Risk::High),
    ("critical", Risk::Critical),
];

/// Reads what can be understood, and notes every error.
pub(super) fn read<'a>(document: &'a Value, findings: &mut Findings) -> Model<'a> {
    let mut reader = Reader {
        findings,
        model: Model::default(),
    };
    reader.document(document);
    reader.model
}

struct Reader<'a, 'f> {
    findings: &'f mut Findings,
    model: Model<'a>,
}

/// An object with its place.
struct Place<'a> {
    pointer: String,
    object: &'a Map<String, Value>,
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self, document: &'a Value) {
        let known = ["version", "resource_types", "environments"];
        let Some(place) = self.object("", document, &known) else {
            return;
        };
        if let Some(version) = self.needed(&place, "version")
            && let Some(version) = self.string("/version", version)
        {
            self.prose("/version", version, "the version");
        }
        if let Some(types) = self.needed(&place, "resource_types")
            && let Some(types) = self.entries(
                "/resource_types",
                types,
                1,
                limits::RESOURCE_TYPES,
                "resource types",
            )
        {
            for (name, definition) in types.object {
                if is_reserved(name) {
                    self.findings.add(
                        Code::Reserved,
                        "/resource_types",
                        format!("the resource type {} begins with `{RESERVED_PREFIX}`, in some case, and only the specification defines such; choose another name", shown(name)),
                    );
                }
                let pointer = self.named("/resource_types", name, "a resource type");
                let read = self.resource_type(pointer, definition);
                self.model.types.insert(name, read);
            }
        }
        if let Some(environments) = self.needed(&place, "environments") {
            self.environments(environments);
        }
    }

    fn environments(&mut self, environments: &'a Value) {
        let pointer = "/environments";
        let mut seen = BTreeSet::new();
        for (at, name) in self.strings(
            pointer,
            environments,
            1,
            limits::ENVIRONMENTS,
            "environments",
        ) {
            let place = format!("{pointer}/{at}");
            if !is_environment(name) {
                self.findings.add(
                    Code::Name,
                    &place,
                    format!("the environment {} is no name; use lower-case letters, digits and hyphens, at most {}, a letter or digit first", shown(name), limits::ENVIRONMENT_LENGTH),
                );
            }
            if !seen.insert(name) {
                self.findings.add(
                    Code::Repeated,
                    &place,
                    format!("the environment {} stands twice; take one out", shown(name)),
                );
            }
        }
    }

    fn resource_type(&mut self, pointer: String, definition: &'a Value) -> Type<'a> {
        let mut read = Type {
            pointer: pointer.clone(),
            ..Type::default()
        };
        let known = ["title", "actions", "constraints"];
        let Some(place) = self.object(&pointer, definition, &known) else {
            return read;
        };
        if let Some(title) = self.needed(&place, "title") {
            self.texts(format!("{pointer}/title"), title, false);
        }
        let actions = format!("{pointer}/actions");
        if let Some(value) = self.needed(&place, "actions")
            && let Some(entries) = self.entries(&actions, value, 1, limits::ACTIONS, "actions")
        {
            for (name, action) in entries.object {
                let pointer = self.named(&actions, name, "an action");
                let action = self.action(pointer, action, entries.object);
                read.actions.insert(name, action);
            }
        }
        let constraints = format!("{pointer}/constraints");
        if let Some(value) = place.object.get("constraints")
            && let Some(entries) = self.entries(
                &constraints,
                value,
                0,
                limits::CONSTRAINT_DEFINITIONS,
                "constraints",
            )
        {
            for (name, constraint) in entries.object {
                let pointer = self.named(&constraints, name, "a constraint");
                if let Some(place) = self.object(&pointer, constraint, &["kind"])
                    && let Some(kind) = self.needed(&place, "kind")
                {
                    self.one_of(&format!("{pointer}/kind"), kind, &KINDS);
                }
                read.constraints.push(name);
            }
        }
        read
    }

    fn action(
        &mut self,
        pointer: String,
        definition: &'a Value,
        siblings: &Map<String, Value>,
    ) -> Action<'a> {
        let mut read = Action {
            pointer: pointer.clone(),
            ..Action::default()
        };
        let known = ["implies", "risk", "consent", "deprecated"];
        let Some(place) = self.object(&pointer, definition, &known) else {
            return read;
        };
        if let Some(implies) = place.object.get("implies") {
            read.implies = self.implies(&format!("{pointer}/implies"), implies, siblings);
        }
        if let Some(risk) = self.needed(&place, "risk") {
            let words = RISKS.map(|(word, _)| word);
            let word = self.one_of(&format!("{pointer}/risk"), risk, &words);
            read.risk = RISKS
                .iter()
                .find(|(known, _)| Some(*known) == word)
                .map(|(_, risk)| *risk);
        }
        if let Some(consent) = self.needed(&place, "consent") {
            read.consent = self.texts(format!("{pointer}/consent"), consent, true);
        }
        if let Some(deprecated) = place.object.get("deprecated") {
            match deprecated.as_bool() {
                Some(deprecated) => read.deprecated = deprecated,
                None => self.wrong(
                    &format!("{pointer}/deprecated"),
                    deprecated,
                    "`true` or `false`",
                ),
            }
        }
        read
    }

    fn implies(
        &mut self,
        pointer: &str,
        implies: &'a Value,
        siblings: &Map<String, Value>,
    ) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let mut read = Vec::new();
        for (at, name) in self.strings(pointer, implies, 0, limits::ACTIONS, "implied actions") {
            let place = format!("{pointer}/{at}");
            if !seen.insert(name) {
                self.findings.add(
                    Code::Repeated,
                    place,
                    format!("the action {} is implied twice; take one out", shown(name)),
                );
            } else if siblings.contains_key(name) {
                read.push(name);
            } else if !is_name(name) {
                self.misnamed(&place, name, "an action");
            } else {
                self.findings.add(
                    Code::UnknownImplied,
                    place,
                    format!("the resource type has no action {}; define it there, or do not imply it: actions imply those of their own type alone", shown(name)),
                );
            }
        }
        read
    }

    /// A text by language, without those whose language is none.
    fn texts(
        &mut self,
        pointer: String,
        value: &'a Value,
        is_template: bool,
    ) -> BTreeMap<&'a str, &'a str> {
        let mut read = BTreeMap::new();
        let Some(entries) = self.entries(&pointer, value, 1, limits::LANGUAGES, "languages") else {
            return read;
        };
        for (language, text) in entries.object {
            if !is_language(language) {
                self.findings.add(
                    Code::Language,
                    &pointer,
                    format!(
                        "{} is no language tag of RFC 5646; write such as `en` or `pt-BR`",
                        shown(language)
                    ),
                );
            }
            let place = below(&pointer, language);
            let Some(text) = self.string(&place, text) else {
                continue;
            };
            self.prose(&place, text, "the text");
            if is_template && text.replacen("{selector}", "", 1).contains(['{', '}']) {
                self.findings.add(
                    Code::Placeholder,
                    &place,
                    "the text has a brace that is no `{selector}`, or a second `{selector}`; there is this placeholder only, once",
                );
            }
            if is_language(language) {
                read.insert(language.as_str(), text);
            }
        }
        self.model.texts.push((pointer, read.clone()));
        read
    }

    fn prose(&mut self, pointer: &str, text: &str, what: &str) {
        let length = text.chars().count();
        if !(1..=limits::TEXT_LENGTH).contains(&length) {
            self.findings.add(
                Code::Text,
                pointer,
                format!(
                    "{what} has {length} characters; write 1 to {}",
                    limits::TEXT_LENGTH
                ),
            );
        }
        if let Some(unruly) = text.chars().find(|character| is_unruly(*character)) {
            self.findings.add(
                Code::Text,
                pointer,
                format!("{what} holds U+{:04X}, which breaks the line or reorders it; write one plain line", u32::from(unruly)),
            );
        }
    }

    /// Where the entry of that name is.
    fn named(&mut self, holder: &str, name: &str, what: &str) -> String {
        if !is_name(name) {
            self.misnamed(holder, name, what);
        }
        below(holder, name)
    }

    fn misnamed(&mut self, pointer: &str, name: &str, what: &str) {
        self.findings.add(
            Code::Name,
            pointer,
            format!("{} is no name of {what}; use a letter, then letters, digits and `_.:-`, at most {}", shown(name), limits::NAME_LENGTH),
        );
    }

    fn object(&mut self, pointer: &str, value: &'a Value, known: &[&str]) -> Option<Place<'a>> {
        let Some(object) = value.as_object() else {
            self.wrong(pointer, value, "an object");
            return None;
        };
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.findings.add(
                Code::UnknownMember,
                pointer,
                format!("the specification does not define the member {}; readers refuse a document whose members they do not all know; here it defines {}", shown(name), listed(known)),
            );
        }
        Some(Place {
            pointer: pointer.to_owned(),
            object,
        })
    }

    fn entries(
        &mut self,
        pointer: &str,
        value: &'a Value,
        least: usize,
        most: usize,
        what: &str,
    ) -> Option<Place<'a>> {
        let Some(object) = value.as_object() else {
            self.wrong(pointer, value, "an object");
            return None;
        };
        self.size(pointer, object.len(), least, most, what);
        Some(Place {
            pointer: pointer.to_owned(),
            object,
        })
    }

    fn strings(
        &mut self,
        pointer: &str,
        value: &'a Value,
        least: usize,
        most: usize,
        what: &str,
    ) -> Vec<(usize, &'a str)> {
        let Some(items) = value.as_array() else {
            self.wrong(pointer, value, "an array");
            return Vec::new();
        };
        self.size(pointer, items.len(), least, most, what);
        let mut read = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if let Some(text) = self.string(&format!("{pointer}/{at}"), item) {
                read.push((at, text));
            }
        }
        read
    }

    fn size(&mut self, pointer: &str, count: usize, least: usize, most: usize, what: &str) {
        if !(least..=most).contains(&count) {
            self.findings.add(
                Code::Size,
                pointer,
                format!("there are {count} {what}; have {least} to {most}"),
            );
        }
    }

    fn needed(&mut self, place: &Place<'a>, name: &str) -> Option<&'a Value> {
        let value = place.object.get(name);
        if value.is_none() {
            self.findings.add(
                Code::MissingMember,
                &place.pointer,
                format!("the member `{name}` is missing; add it"),
            );
        }
        value
    }

    fn string(&mut self, pointer: &str, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            self.wrong(pointer, value, "a string");
        }
        text
    }

    fn one_of(&mut self, pointer: &str, value: &'a Value, words: &[&str]) -> Option<&'a str> {
        let word = self.string(pointer, value)?;
        if words.contains(&word) {
            return Some(word);
        }
        self.findings.add(
            Code::UnknownValue,
            pointer,
            format!(
                "{} is none of {}; choose one of them",
                shown(word),
                listed(words)
            ),
        );
        None
    }

    fn wrong(&mut self, pointer: &str, found: &Value, wanted: &str) {
        let advice = match found {
            Value::Null => format!(
                "`null` is no value; write {wanted}, or leave the member out if it is optional"
            ),
            Value::Bool(_) => format!("this is a boolean; write {wanted}"),
            Value::Number(_) => format!("this is a number; write {wanted}"),
            Value::String(_) => format!("this is a string; write {wanted}"),
            Value::Array(_) => format!("this is an array; write {wanted}"),
            Value::Object(_) => format!("this is an object; write {wanted}"),
        };
        self.findings.add(Code::WrongType, pointer, advice);
    }
}

/// The pointer to a member of what `pointer` points to (RFC 6901 section 3).
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn listed(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    text.len() <= limits::NAME_LENGTH
        && characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|next| next.is_ascii_alphanumeric() || "_.:-".contains(next))
}

fn is_environment(text: &str) -> bool {
    let small = |next: char| next.is_ascii_lowercase() || next.is_ascii_digit();
    let mut characters = text.chars();
    text.len() <= limits::ENVIRONMENT_LENGTH
        && characters.next().is_some_and(small)
        && characters.all(|next| small(next) || next == '-')
}

fn is_language(text: &str) -> bool {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.chars().all(|next| next.is_ascii_alphanumeric())
    };
    let first = text.split('-').next().unwrap_or_default();
    text.len() <= LANGUAGE_LENGTH
        && text.split('-').all(is_subtag)
        && first.chars().all(|next| next.is_ascii_alphabetic())
}

fn is_unruly(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
