//! What scenarios can refer to: `{credential.expires_at+60}` is a member of something that
//! was answered before, moved by a minute.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};
use serde_json::Value;

use super::Fault;
use super::tenant::PEOPLE;

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{([a-z_][A-Za-z0-9_.]*)([+-][0-9]+)?\}").ok());

/// Everything that has a name in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, Value>);

impl Names {
    /// Gives `value` a name; the newest of a name counts.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// What has that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value behind a path such as `credential.delivery.uri`.
    ///
    /// # Errors
    /// Where nothing of that name was answered before.
    pub fn resolve(&self, path: &str) -> Result<Value, Fault> {
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let mut at = self.0.get(first).ok_or_else(|| nothing(first))?;
        for part in parts {
            at = member(at, part).ok_or_else(|| {
                Fault::missing(format!("`{path}`"), format!("`{first}` without `{part}`"))
            })?;
        }
        Ok(at.clone())
    }

    /// The value that a cell stands for: a reference, or JSON with references in it.
    ///
    /// # Errors
    /// Where a reference leads nowhere, or the cell is not JSON.
    pub fn value(&self, cell: &str) -> Result<Value, Fault> {
        let cell = cell.trim();
        let pattern = pattern()?;
        if let Some(found) = pattern.captures(cell)
            && found
                .get(0)
                .is_some_and(|whole| whole.as_str().len() == cell.len())
        {
            return self.reference(&found);
        }
        let text = self.fill(cell, pattern, |value| {
            let inner = serde_json::to_string(value).unwrap_or_default();
            match value {
                Value::String(_) => inner.trim_matches('"').to_owned(),
                _ => inner,
            }
        })?;
        serde_json::from_str(&text)
            .map_err(|_| Fault::suite(format!("`{cell}` is neither JSON nor a reference")))
    }

    /// The text that a cell stands for: a JSON string's content, or the text itself, with
    /// references filled in.
    ///
    /// # Errors
    /// Where a reference leads nowhere.
    pub fn text(&self, cell: &str) -> Result<String, Fault> {
        let cell = cell.trim();
        let bare = cell
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(cell);
        self.fill(bare, pattern()?, |value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    fn fill(
        &self,
        text: &str,
        pattern: &Regex,
        write: impl Fn(&Value) -> String,
    ) -> Result<String, Fault> {
        let mut fault = None;
        let filled = pattern.replace_all(text, |found: &Captures<'_>| {
            self.reference(found).map_or_else(
                |error| {
                    fault = Some(error);
                    String::new()
                },
                |value| write(&value),
            )
        });
        let filled = filled.into_owned();
        match fault {
            Some(fault) => Err(fault),
            None => Ok(filled),
        }
    }

    fn reference(&self, found: &Captures<'_>) -> Result<Value, Fault> {
        let path = found.get(1).map_or("", |path| path.as_str());
        let value = self.resolve(path)?;
        match found.get(2) {
            None => Ok(value),
            Some(shift) => moved(&value, shift.as_str()),
        }
    }
}

/// Why a name stands for nothing. The ids of a cast that was set up by hand may be unknown.
fn nothing(name: &str) -> Fault {
    if name == "tenant" {
        return Fault::unfit("`tenant_id` is not set");
    }
    match PEOPLE
        .iter()
        .find(|(person, _)| person.to_lowercase() == name)
    {
        Some((_, role)) => Fault::unfit(format!("`cast.{role}.id` is not set")),
        None => Fault::suite(format!("nothing is called `{name}` here")),
    }
}

fn pattern() -> Result<&'static Regex, Fault> {
    REFERENCE
        .as_ref()
        .ok_or_else(|| Fault::suite("the pattern of references is malformed"))
}

/// The member or item of that name.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    }
}

/// The value behind a path of members, if there is one.
#[must_use]
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, member)
}

/// A time or a number, moved.
fn moved(value: &Value, shift: &str) -> Result<Value, Fault> {
    let by: i64 = shift
        .parse()
        .map_err(|_| Fault::suite("a reference is moved by a number"))?;
    match value {
        Value::String(text) => {
            let time: Timestamp = text
                .parse()
                .map_err(|_| Fault::missing("a time", format!("`{text}`")))?;
            let time = time
                .checked_add(SignedDuration::from_secs(by))
                .map_err(|_| Fault::suite("the time is out of range"))?;
            Ok(Value::String(spell(time)))
        }
        Value::Number(number) => number
            .as_i64()
            .and_then(|number| number.checked_add(by))
            .map(Value::from)
            .ok_or_else(|| Fault::suite("the number is out of range")),
        _ => Err(Fault::suite("only times and numbers can be moved")),
    }
}

/// The one spelling of a time on the wire.
#[must_use]
pub fn spell(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Sets what a path of members leads to; numbers lead into arrays. Missing objects are made.
///
/// # Errors
/// Where the path leads through something that has no members.
pub fn set(value: &mut Value, path: &str, new: Value) -> Result<(), Fault> {
    let mut at = value;
    for part in path.split('.') {
        at = match at {
            Value::Array(items) => part
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get_mut(index)),
            Value::Object(members) => Some(
                members
                    .entry(part)
                    .or_insert_with(|| Value::Object(serde_json::Map::new())),
            ),
            _ => None,
        }
        .ok_or_else(|| Fault::suite(format!("`{path}` leads nowhere")))?;
    }
    *at = new;
    Ok(())
}

/// Takes away what a path of members leads to.
///
/// # Errors
/// Where nothing is there.
pub fn remove(value: &mut Value, path: &str) -> Result<(), Fault> {
    let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = value;
    for part in parent.split('.').filter(|part| !part.is_empty()) {
        at = match at {
            Value::Array(items) => part
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get_mut(index)),
            Value::Object(members) => members.get_mut(part),
            _ => None,
        }
        .ok_or_else(|| Fault::suite(format!("`{path}` leads nowhere")))?;
    }
    let gone = match at {
        Value::Object(members) => members.remove(last).is_some(),
        _ => false,
    };
    if gone {
        Ok(())
    } else {
        Err(Fault::suite(format!("there is no `{path}` to leave out")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        let mut names = Names::default();
        names.set("now", json!("2026-02-28T23:59:50Z"));
        names.set("credential", json!({"id": "cred_1", "items": [{"n": 4}]}));
        names
    }

    #[test]
    fn cells_are_json_with_references() {
        let names = names();
        assert_eq!(names.value("{credential.id}").unwrap(), json!("cred_1"));
        assert_eq!(names.value("{credential.items.0.n+3}").unwrap(), json!(7));
        assert_eq!(
            names.value("{now+20}").unwrap(),
            json!("2026-03-01T00:00:10Z")
        );
        assert_eq!(
            names
                .value(r#"{"a": "x{credential.id}", "b": {}}"#)
                .unwrap(),
            json!({"a": "xcred_1", "b": {}})
        );
        assert_eq!(names.text("\"a {credential.id}\"").unwrap(), "a cred_1");
        assert!(names.value("{nobody}").is_err());
        assert!(names.value("bare words").is_err());
    }

    #[test]
    fn paths_lead_into_bodies() {
        let mut body = json!({"a": [{"b": 1}]});
        set(&mut body, "a.0.b", json!(2)).unwrap();
        set(&mut body, "c.d", json!(3)).unwrap();
        assert_eq!(body, json!({"a": [{"b": 2}], "c": {"d": 3}}));
        remove(&mut body, "c.d").unwrap();
        assert!(remove(&mut body, "c.d").is_err());
        assert_eq!(at(&body, "a.0.b"), Some(&json!(2)));
    }
}
