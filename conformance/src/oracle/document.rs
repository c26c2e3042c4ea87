//! The permission document, judged a second time (spec chapter 04): whether it is sound, what
//! its actions imply, and what a person is told of a permission set.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Unsound;

fn action<'a>(document: &'a Value, kind: &str, name: &str) -> Option<&'a Value> {
    document
        .get("resource_types")?
        .get(kind)?
        .get("actions")?
        .get(name)
}

fn names(value: Option<&Value>) -> Vec<&str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// What an action implies, directly and through others, without itself unless it goes in a
/// circle.
#[must_use]
pub fn implied(document: &Value, kind: &str, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        for other in names(action(document, kind, &next).and_then(|action| action.get("implies"))) {
            if found.insert(other.to_owned()) {
                open.push(other.to_owned());
            }
        }
    }
    found
}

/// Checks what the schema of a permission document cannot say.
///
/// # Errors
/// Where an action implies itself or what is not there, or a name is reserved.
pub fn sound(document: &Value) -> Result<(), Unsound> {
    let types = document
        .get("resource_types")
        .and_then(Value::as_object)
        .ok_or_else(|| Unsound::new("there are no resource types"))?;
    for (kind, definition) in types {
        if kind.to_lowercase().starts_with("clp.") {
            return Err(Unsound::new("a resource type has a reserved name"));
        }
        let actions = definition.get("actions").and_then(Value::as_object);
        for name in actions.into_iter().flatten().map(|(name, _)| name) {
            let implied = implied(document, kind, name);
            if implied.contains(name) {
                return Err(Unsound::new(format!(
                    "`{kind}` has an action that implies itself"
                )));
            }
            if implied
                .iter()
                .any(|other| action(document, kind, other).is_none())
            {
                return Err(Unsound::new(format!(
                    "`{kind}` has an action that implies what is not there"
                )));
            }
        }
    }
    Ok(())
}

/// The lines that a person is shown for statements without constraints, in one language; the
/// text of an action without that language is in English, or else in its first.
///
/// # Errors
/// Where a statement has constraints, or names what is not in the document.
pub fn consent(
    document: &Value,
    permissions: &Value,
    language: &str,
) -> Result<Vec<String>, Unsound> {
    let mut atoms = BTreeSet::new();
    for statement in permissions.as_array().into_iter().flatten() {
        let text = |name| {
            statement
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        if statement.get("constraints").is_some() {
            return Err(Unsound::new("constraints are not judged here"));
        }
        let (kind, selector) = (text("resource_type"), text("selector"));
        for name in names(statement.get("actions")) {
            atoms.insert((kind, selector, name.to_owned()));
            for other in implied(document, kind, name) {
                atoms.insert((kind, selector, other));
            }
        }
    }
    atoms
        .into_iter()
        .map(|(kind, selector, name)| {
            let texts = action(document, kind, &name)
                .and_then(|action| action.get("consent"))
                .and_then(Value::as_object)
                .ok_or_else(|| Unsound::new("an action has no consent text"))?;
            let words = texts
                .get(language)
                .or_else(|| texts.get("en"))
                .or_else(|| texts.values().next())
                .and_then(Value::as_str)
                .unwrap_or_default();
            let quoted = json!(selector).to_string();
            Ok(if words.contains("{selector}") {
                words.replace("{selector}", &quoted)
            } else {
                format!("{words}: {quoted}")
            })
        })
        .collect()
}

/// Every language that a document has a consent text in.
#[must_use]
pub fn languages(document: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for definition in document
        .get("resource_types")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let actions = definition.1.get("actions").and_then(Value::as_object);
        for (_, action) in actions.into_iter().flatten() {
            let texts = action.get("consent").and_then(Value::as_object);
            all.extend(
                texts
                    .into_iter()
                    .flatten()
                    .map(|(language, _)| language.clone()),
            );
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({"resource_types": {"event": {"actions": {
            "read": {"consent": {"en": "Read {selector}", "de": "Lesen: {selector}"}},
            "write": {"implies": ["read"], "consent": {"en": "Write events"}},
            "own": {"implies": ["write"], "consent": {"en": "Own events"}},
        }}}})
    }

    #[test]
    fn planted_faults_are_seen() {
        assert_eq!(sound(&document()), Ok(()));
        let planted: [fn(&mut Value); 3] = [
            |document| {
                document["resource_types"]["event"]["actions"]["read"]["implies"] = json!(["own"])
            },
            |document| {
                document["resource_types"]["event"]["actions"]["read"]["implies"] = json!(["gone"])
            },
            |document| document["resource_types"]["CLP.x"] = json!({"actions": {}}),
        ];
        for plant in planted {
            let mut wrong = document();
            plant(&mut wrong);
            assert!(sound(&wrong).is_err());
        }
    }

    #[test]
    fn consent_has_a_line_for_each_atom() {
        let permissions =
            json!([{"resource_type": "event", "selector": "a/*", "actions": ["own"]}]);
        assert_eq!(
            consent(&document(), &permissions, "de").unwrap(),
            [
                "Own events: \"a/*\"",
                "Lesen: \"a/*\"",
                "Write events: \"a/*\""
            ]
        );
        assert_eq!(languages(&document()).len(), 2);
    }
}
