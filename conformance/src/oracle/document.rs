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
pub fn sound(document: &Value) -> Result<(), (&'static str, Unsound)> {
    shaped(document).map_err(|fault| ("CLP-PRM-001", fault))?;
    for (kind, definition) in members(document, "resource_types") {
        if kind.to_lowercase().starts_with("clp.") {
            let fault = Unsound::new("a resource type has a reserved name");
            return Err(("CLP-PRM-003", fault));
        }
        implies_soundly(document, kind, definition).map_err(|fault| ("CLP-PRM-002", fault))?;
    }
    Ok(())
}

/// Whether it has what it has to have, and no more.
fn shaped(document: &Value) -> Result<(), Unsound> {
    only(document, &["version", "resource_types", "environments"])?;
    let has_some = |name: &str| match document.get(name) {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        _ => false,
    };
    for name in ["resource_types", "environments"] {
        if !has_some(name) {
            return Err(Unsound::new(format!("there are no `{name}`")));
        }
    }
    for (_, definition) in members(document, "resource_types") {
        only(definition, &["title", "actions", "constraints"])?;
        for (_, constraint) in members(definition, "constraints") {
            only(constraint, &["kind"])?;
        }
        for (_, action) in members(definition, "actions") {
            only(action, &["implies", "risk", "consent", "deprecated"])?;
        }
    }
    Ok(())
}

fn implies_soundly(document: &Value, kind: &str, definition: &Value) -> Result<(), Unsound> {
    for (name, _) in members(definition, "actions") {
        let implied = implied(document, kind, name);
        if implied.contains(name) {
            return Err(Unsound::new(format!(
                "`{kind}` has an action that implies itself"
            )));
        }
        let is_there = |other: &String| action(document, kind, other).is_some();
        if !implied.iter().all(is_there) {
            return Err(Unsound::new(format!(
                "`{kind}` has an action that implies what is not there"
            )));
        }
    }
    Ok(())
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// A permission document gives grants their meaning, so a member that nobody defined counts.
fn only(value: &Value, known: &[&str]) -> Result<(), Unsound> {
    let odd = value
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !known.contains(&name.as_str()));
    match odd {
        None => Ok(()),
        Some((name, _)) => Err(Unsound::new(format!(
            "`{name}` is no member of a permission document"
        ))),
    }
}

/// Resource type, selector and action of each action of each statement, implied ones included.
#[must_use]
pub fn atoms(document: &Value, permissions: &Value) -> BTreeSet<(String, String, String)> {
    let mut found = BTreeSet::new();
    for statement in permissions.as_array().into_iter().flatten() {
        let text = |name: &str| {
            let text = statement.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let kind = text("resource_type");
        for name in names(statement.get("actions")) {
            let mut all = implied(document, &kind, name);
            all.insert(name.to_owned());
            let atom = |action| (kind.clone(), text("selector"), action);
            found.extend(all.into_iter().map(atom));
        }
    }
    found
}

/// The same of the atoms that an answer states: one action each.
#[must_use]
pub fn stated_atoms(atoms: &Value) -> BTreeSet<(String, String, String)> {
    let statements: Vec<Value> = atoms
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|atom| atom.get("statement").cloned())
        .filter(|statement| names(statement.get("actions")).len() == 1)
        .collect();
    // Nothing is implied by what stands in no document.
    self::atoms(&Value::Null, &json!(statements))
}

/// The lines that a person is shown for a permission set in which no statement is within
/// another, in one language; the text of an action without that language is in English, or
/// else in its first.
///
/// # Errors
/// Where a statement names what is not in the document.
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
        let (kind, selector) = (text("resource_type"), text("selector"));
        let bounds = bounds(document, kind, statement.get("constraints"));
        for name in names(statement.get("actions")) {
            atoms.insert((kind, selector, bounds.clone(), name.to_owned()));
            for other in implied(document, kind, name) {
                atoms.insert((kind, selector, bounds.clone(), other));
            }
        }
    }
    atoms
        .into_iter()
        .map(|(kind, selector, bounds, name)| {
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
            let line = if words.contains("{selector}") {
                words.replace("{selector}", &quoted)
            } else {
                format!("{words}: {quoted}")
            };
            Ok(line + &bounds)
        })
        .collect()
}

/// The part of a line in square brackets, with the space before it; empty without constraints.
fn bounds(document: &Value, kind: &str, constraints: Option<&Value>) -> String {
    let of_kind = |name: &str| {
        document
            .get("resource_types")
            .and_then(|types| {
                types
                    .get(kind)?
                    .get("constraints")?
                    .get(name)?
                    .get("kind")?
                    .as_str()
            })
            .unwrap_or_default()
    };
    // Members of a JSON object stand in the order of their names here.
    let parts: Vec<String> = constraints
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| match of_kind(name) {
            "max" => format!("{name} <= {value}"),
            "min" => format!("{name} >= {value}"),
            "interval" => {
                let end = |which| value.get(which).cloned().unwrap_or_default();
                format!("{name} {}..{}", end("from"), end("to"))
            }
            "flag" => name.clone(),
            kind => {
                let mut members = names(Some(value));
                members.sort_unstable();
                let shown: Vec<String> = members
                    .iter()
                    .map(|member| {
                        if kind == "set" {
                            json!(member).to_string()
                        } else {
                            (*member).to_owned()
                        }
                    })
                    .collect();
                format!("{name}: {}", shown.join(", "))
            }
        })
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" [{}]", parts.join("; "))
    }
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
        json!({"version": "1", "environments": ["test"], "resource_types": {"event": {"actions": {
            "read": {"consent": {"en": "Read {selector}", "de": "Lesen: {selector}"}},
            "write": {"implies": ["read"], "consent": {"en": "Write events"}},
            "own": {"implies": ["write"], "consent": {"en": "Own events"}},
        }}}})
    }

    #[test]
    fn planted_faults_are_seen() {
        type Plant<'a> = (&'a str, &'a dyn Fn(&mut Value));
        assert_eq!(sound(&document()), Ok(()));
        let read = |document: &mut Value, member: &str, value: Value| {
            document["resource_types"]["event"]["actions"]["read"][member] = value;
        };
        let planted: [Plant<'_>; 6] = [
            ("CLP-PRM-001", &|document| document["more"] = json!(1)),
            ("CLP-PRM-001", &|document| {
                document["environments"] = json!([])
            }),
            ("CLP-PRM-001", &|document| read(document, "more", json!(1))),
            ("CLP-PRM-002", &|document| {
                read(document, "implies", json!(["own"]))
            }),
            ("CLP-PRM-002", &|document| {
                read(document, "implies", json!(["gone"]))
            }),
            ("CLP-PRM-003", &|document| {
                document["resource_types"]["CLP.x"] = json!({"actions": {}});
            }),
        ];
        for (requirement, plant) in planted {
            let mut wrong = document();
            plant(&mut wrong);
            assert_eq!(sound(&wrong).unwrap_err().0, requirement);
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

        let mut bounded = document();
        bounded["resource_types"]["event"]["constraints"] = json!({
            "rows": {"kind": "max"}, "fields": {"kind": "set"}, "hours": {"kind": "interval"},
            "safe": {"kind": "flag"}, "age": {"kind": "min"}, "from": {"kind": "cidr_set"},
        });
        let permissions = json!([{"resource_type": "event", "selector": "a", "actions": ["read"],
            "constraints": {"rows": 10, "fields": ["time", "id"], "hours": {"from": 9, "to": 17},
                            "safe": true, "age": 1, "from": ["10.0.0.0/8"]}}]);
        assert_eq!(
            consent(&bounded, &permissions, "en").unwrap(),
            [
                "Read \"a\" [age >= 1; fields: \"id\", \"time\"; from: 10.0.0.0/8; hours 9..17; rows <= 10; safe]"
            ]
        );
    }
}
