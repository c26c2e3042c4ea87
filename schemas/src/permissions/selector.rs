//! Which resources of a type a statement covers.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::limits;
use super::text::{is_visible, selector_pattern};

/// One resource by its path (`a/b`), every resource strictly below a path (`a/b/*`), or
/// every resource of the type (`*`).
///
/// Compared code point by code point: case matters and nothing is normalised, so that two
/// programs never disagree about what is covered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Selector(String);

/// The text is not a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a selector: want `*`, a path, or a path that ends in `/*`")]
pub struct NotASelector;

impl Selector {
    /// The selector as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether everything that `other` covers is covered by this selector too.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.covers(&other.0)
    }

    /// Whether the resource at the concrete `path` is covered. A `path` that is none
    /// (an empty segment, `.`, `..`, `*`, an invisible character) is not.
    #[must_use]
    pub fn admits(&self, path: &str) -> bool {
        Self::is_resource(path) && self.covers(path)
    }

    /// Whether a resource can be at `path`.
    pub(super) fn is_resource(path: &str) -> bool {
        is_path(path, limits::PATH_LENGTH)
    }

    /// The entries whose selector covers `text`, the text of a selector or a path. Only
    /// `text` itself, what is below each of its ancestors, and `*` can.
    pub(super) fn covering<'a, V>(
        entries: &'a BTreeMap<Self, V>,
        text: &str,
    ) -> impl Iterator<Item = (&'a Self, &'a V)> {
        let same = (!text.ends_with('*')).then(|| text.to_owned());
        let above = text.match_indices('/').map(|(slash, _)| slash + 1);
        let starred: Vec<_> = std::iter::once(0)
            .chain(above)
            .filter_map(|end| text.get(..end))
            .map(|prefix| format!("{prefix}*"))
            .collect();
        same.into_iter()
            .chain(starred)
            .filter_map(|wide| entries.get_key_value(wide.as_str()))
    }

    fn covers(&self, text: &str) -> bool {
        // What is left of `a/b/*` ends in `/`, so that `a/bc` is not taken for a resource
        // below `a/b`; what is left of `*` is empty and starts everything.
        match self.0.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == self.0,
        }
    }
}

/// Selectors are ordered and compared as their text is.
impl Borrow<str> for Selector {
    fn borrow(&self) -> &str {
        &self.0
    }
}

fn is_path(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest
        && text.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .chars()
                    .all(|character| character != '*' && is_visible(character))
        })
}

impl FromStr for Selector {
    type Err = NotASelector;

    fn from_str(text: &str) -> Result<Self, NotASelector> {
        let path = text.strip_suffix("/*").unwrap_or(text);
        let fits = text.chars().count() <= limits::SELECTOR_LENGTH;
        if text == "*" || (fits && is_path(path, limits::SELECTOR_LENGTH)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotASelector)
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "`*`, a path of segments, or a path that ends in `/*`. No segment is empty, `.` or `..`.",
            "minLength": 1,
            "maxLength": limits::SELECTOR_LENGTH,
            "pattern": selector_pattern(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(wide: &str, narrow: &str) -> bool {
        let parse = |text: &str| text.parse::<Selector>().unwrap();
        parse(wide).contains(&parse(narrow))
    }

    const REFUSED: &[&str] = &[
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "a/../b",
        ".",
        "..",
        "./a",
        "a/*/b",
        "**",
        "a*",
        "a/b*",
        "/*",
        "*/a",
        "*/*",
        "a b",
        "a\tb",
        "a\u{200b}b",
        "a\u{202e}b",
        "a\u{3000}b",
        "a\u{e0041}",
        "a\u{fffd}",
        "\u{85}",
    ];
    const ADMITTED: &[&str] = &[
        "*",
        "a",
        "a/*",
        "a/b",
        "a/b/*",
        "...",
        ".a",
        "a..",
        "..a/.b.",
        "Größe/Ä",
        "日本/語",
        "a:b@c+d,e;f=g",
    ];

    #[test]
    fn containment_goes_by_whole_segments() {
        for (wide, narrow) in [
            ("*", "a"),
            ("*", "*"),
            ("*", "a/*"),
            ("a/*", "a/b"),
            ("a/*", "a/b/*"),
            ("a/*", "a/*"),
            ("a", "a"),
        ] {
            assert!(contains(wide, narrow), "{narrow} in {wide}");
        }
        for (wide, narrow) in [
            ("a/*", "*"),
            ("a/*", "a"),
            ("a/*", "ab/c"),
            ("a", "a/*"),
            ("a/b/*", "a/*"),
            ("a", "b"),
            ("a", "A"),
        ] {
            assert!(!contains(wide, narrow), "{narrow} in {wide}");
        }
    }

    #[test]
    fn text_is_read_or_refused() {
        for text in REFUSED {
            assert_eq!(text.parse::<Selector>(), Err(NotASelector), "{text:?}");
        }
        for text in ADMITTED {
            assert_eq!(text.parse::<Selector>().unwrap().as_str(), *text);
        }
        let longest = "é".repeat(limits::SELECTOR_LENGTH);
        assert!(longest.parse::<Selector>().is_ok());
        assert!(format!("{longest}é").parse::<Selector>().is_err());
    }

    #[test]
    fn the_published_pattern_says_the_same() {
        let schema = Selector::json_schema(&mut SchemaGenerator::default());
        let validator = jsonschema::validator_for(schema.as_value()).unwrap();
        for text in REFUSED {
            assert!(!validator.is_valid(&(*text).into()), "{text:?}");
        }
        for text in ADMITTED {
            assert!(validator.is_valid(&(*text).into()), "{text:?}");
        }
    }

    #[test]
    fn only_a_path_is_admitted() {
        let below: Selector = "a/*".parse().unwrap();
        assert!(below.admits("a/b"));
        assert!(below.admits(&format!("a/{}", "b/".repeat(200) + "c")));
        for path in ["a", "a/", "a/../b", "a/*", "a/b//c", "b/a"] {
            assert!(!below.admits(path), "{path}");
        }
    }
}
