//! What a cell of an expectation says about a value: the value itself, or a word about it.

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use crate::world::Fault;
use crate::world::names::{Names, at};

/// How far apart two times can be that were taken one after the other, in seconds.
const NEAR: i64 = 5;

/// Checks one value against a cell.
///
/// # Errors
/// Where it does not hold, or the cell makes no sense.
pub fn holds(member: &str, cell: &str, actual: Option<&Value>, names: &Names) -> Result<(), Fault> {
    let shown = || {
        actual.map_or_else(
            || format!("no `{member}`"),
            |value| format!("`{member}`: {value}"),
        )
    };
    let wrong = || Fault::missing(format!("`{member}`: {}", words(cell, names)), shown());
    let good = match cell.split_once(' ').unwrap_or((cell, "")) {
        ("absent", "") => actual.is_none(),
        ("present", "") => actual.is_some(),
        ("matches", pattern) => {
            let pattern = Regex::new(pattern)
                .map_err(|_| Fault::suite(format!("`{pattern}` is no pattern")))?;
            actual
                .and_then(Value::as_str)
                .is_some_and(|text| pattern.is_match(text))
        }
        ("contains", rest) => {
            let wanted = names.value(rest)?;
            match actual {
                Some(Value::Array(items)) => items.contains(&wanted),
                Some(Value::String(text)) => {
                    wanted.as_str().is_some_and(|part| text.contains(part))
                }
                Some(Value::Object(members)) => wanted
                    .as_str()
                    .is_some_and(|name| members.contains_key(name)),
                _ => false,
            }
        }
        ("about", rest) => near(actual, &names.value(rest)?),
        ("perhaps", rest) => match actual {
            None => true,
            Some(actual) => *actual == names.value(rest)?,
        },
        ("at", rest) if rest.starts_with("most ") => {
            let most = names.value(rest.trim_start_matches("most "))?;
            match (actual, &most) {
                // Times have one spelling, so that their texts are in their order.
                (Some(Value::String(text)), Value::String(most)) => text <= most,
                (Some(Value::Number(number)), Value::Number(most)) => {
                    number.as_f64() <= most.as_f64()
                }
                _ => false,
            }
        }
        ("not", rest) => {
            let other = names.value(rest)?;
            actual.is_some_and(|actual| *actual != other)
        }
        (count, "items" | "item") => {
            let wanted: usize = count
                .parse()
                .map_err(|_| Fault::suite(format!("`{count}` is no number of items")))?;
            actual
                .and_then(Value::as_array)
                .is_some_and(|items| items.len() == wanted)
        }
        _ => {
            let wanted = names.value(cell)?;
            if actual == Some(&wanted) {
                return Ok(());
            }
            return Err(Fault::missing(format!("`{member}`: {wanted}"), shown()));
        }
    };
    if good { Ok(()) } else { Err(wrong()) }
}

/// A cell with what it refers to in place of the reference.
#[must_use]
pub fn words(cell: &str, names: &Names) -> String {
    names
        .value(cell)
        .map(|value| value.to_string())
        .or_else(|_| names.text(cell))
        .unwrap_or_else(|_| cell.to_owned())
}

/// The rows of a table as one sentence.
#[must_use]
pub fn sentence(rows: &[(String, String)], names: &Names) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|(member, cell)| format!("`{member}`: {}", words(cell, names)))
        .collect();
    rows.join(", ")
}

fn near(actual: Option<&Value>, wanted: &Value) -> bool {
    let seconds = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        other => Some(other.as_str()?.parse::<Timestamp>().ok()?.as_second()),
    };
    match (actual.and_then(seconds), seconds(wanted)) {
        (Some(one), Some(other)) => (one - other).abs() <= NEAR,
        _ => false,
    }
}

/// Checks every row of a table against the members of a value.
///
/// # Errors
/// Where one of them does not hold.
pub fn table(value: &Value, rows: &[(String, String)], names: &Names) -> Result<(), Fault> {
    for (member, cell) in rows {
        holds(member, cell, at(value, member), names).map_err(|fault| match fault {
            Fault::Broken(mut failure) => {
                failure.pointer = Some(format!("/{}", member.replace('.', "/")));
                Fault::Broken(failure)
            }
            fault => fault,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_word_can_say_no() {
        let mut names = Names::default();
        names.set("now", json!("2026-01-01T00:00:00Z"));
        let value = json!({"a": "text", "l": [1, 2], "t": "2026-01-01T00:00:04Z"});
        let judge = |member: &str, cell: &str| {
            table(&value, &[(member.to_owned(), cell.to_owned())], &names).is_ok()
        };
        for (member, yes, no) in [
            ("a", "present", "absent"),
            ("b", "absent", "present"),
            ("a", "matches ^te", "matches ^x"),
            ("a", "contains \"ex\"", "contains \"y\""),
            ("l", "contains 2", "contains 3"),
            ("l", "2 items", "3 items"),
            ("t", "about {now}", "about {now-2}"),
            ("a", "not \"x\"", "not \"text\""),
            ("b", "absent", "not \"x\""),
            ("b", "perhaps 1", "at most 1"),
            ("a", "perhaps \"text\"", "perhaps \"x\""),
            ("t", "at most {now+4}", "at most {now+3}"),
            ("l.0", "at most 1", "at most 0"),
            ("l", "[1, 2]", "[2, 1]"),
            ("l.1", "2", "1"),
        ] {
            assert!(judge(member, yes), "{member} {yes}");
            assert!(!judge(member, no), "{member} {no}");
        }
    }
}
