//! Where what came back differs from what was expected, when both are JSON.

use serde_json::Value;

/// Most places that are named.
const MOST: usize = 8;

/// The places, as JSON pointers with both values; nothing where one of the two is no JSON
/// object or array.
pub(super) fn places(expected: &str, got: &str) -> Vec<String> {
    let (Ok(expected), Ok(got)) = (
        serde_json::from_str::<Value>(expected),
        serde_json::from_str::<Value>(got),
    ) else {
        return Vec::new();
    };
    if !(expected.is_object() || expected.is_array()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    walk(&expected, &got, "", &mut found);
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

fn walk(expected: &Value, got: &Value, at: &str, found: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match right.get(name) {
                    Some(other) => walk(value, other, &at, found),
                    None => found.push(format!("{at}: expected {value}, got nothing")),
                }
            }
            for (name, value) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                found.push(format!("{at}/{name}: expected nothing, got {value}"));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (value, other)) in left.iter().zip(right).enumerate() {
                walk(value, other, &format!("{at}/{index}"), found);
            }
        }
        (left, right) if left == right => {}
        (left, right) => {
            let at = if at.is_empty() { "/" } else { at };
            found.push(format!("{at}: expected {left}, got {right}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn each_kind_of_difference_is_named_by_its_place() {
        let found = places(
            r#"{"a": 1, "b": {"c": [1, 2]}, "gone": true}"#,
            r#"{"a": 1, "b": {"c": [1, 3]}, "new": false}"#,
        );
        assert_eq!(
            found,
            [
                "/b/c/1: expected 2, got 3",
                "/gone: expected true, got nothing",
                "/new: expected nothing, got false",
            ]
        );
        assert!(places(r#"{"a": 1}"#, r#"{"a": 1}"#).is_empty());
        assert!(places("a sentence", "another").is_empty());
    }
}
