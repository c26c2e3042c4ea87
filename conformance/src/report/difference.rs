//! Where what came back differs from what was expected, when both are JSON.

use serde_json::Value;

/// Most places that are named.
const MOST: usize = 8;

/// Longest text of one value, in characters.
const MAX_VALUE: usize = 300;

/// A place where two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// A JSON pointer (RFC 6901); `/` for the whole.
    pub(super) pointer: String,
    /// What should stand there.
    pub(super) expected: String,
    /// What stands there.
    pub(super) got: String,
}

/// The places, and how many more there are; nothing where one of the two is no JSON object or
/// array.
pub(super) fn places(expected: &str, got: &str) -> (Vec<Place>, usize) {
    let (Ok(expected), Ok(got)) = (
        serde_json::from_str::<Value>(expected),
        serde_json::from_str::<Value>(got),
    ) else {
        return (Vec::new(), 0);
    };
    if !(expected.is_object() || expected.is_array()) {
        return (Vec::new(), 0);
    }
    let mut found = Vec::new();
    walk(&expected, &got, "", &mut found);
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    (found, more)
}

fn walk(expected: &Value, got: &Value, at: &str, found: &mut Vec<Place>) {
    match (expected, got) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                let at = below(at, name);
                match right.get(name) {
                    Some(other) => walk(value, other, &at, found),
                    None => found.push(Place {
                        pointer: at,
                        expected: shown(Some(value)),
                        got: shown(None),
                    }),
                }
            }
            for (name, value) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                found.push(Place {
                    pointer: below(at, name),
                    expected: shown(None),
                    got: shown(Some(value)),
                });
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
            found.push(Place {
                pointer: at.to_owned(),
                expected: shown(Some(left)),
                got: shown(Some(right)),
            });
        }
    }
}

fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    let mut kept: String = text.chars().take(MAX_VALUE).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn each_kind_of_difference_is_named_by_its_place() {
        let (found, more) = places(
            r#"{"a": 1, "b": {"c": [1, 2]}, "gone": true}"#,
            r#"{"a": 1, "b": {"c": [1, 3]}, "new/": false}"#,
        );
        let found: Vec<_> = found
            .iter()
            .map(|place| {
                (
                    place.pointer.as_str(),
                    place.expected.as_str(),
                    place.got.as_str(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("/b/c/1", "2", "3"),
                ("/gone", "true", "nothing"),
                ("/new~1", "nothing", "false"),
            ]
        );
        assert_eq!(more, 0);
        assert!(places(r#"{"a": 1}"#, r#"{"a": 1}"#).0.is_empty());
        assert!(places("a sentence", "another").0.is_empty());
        let many = format!("[{}0]", "0,".repeat(10));
        assert_eq!(places(&many, &many.replace('0', "1")).1, 3);
    }
}
