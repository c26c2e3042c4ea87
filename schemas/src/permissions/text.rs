//! Which characters may stand in selectors, names and texts. A person decides by what is
//! shown, so nothing is admitted that is invisible or that reorders its neighbours.

use serde_json::{Value, json};

/// Longest language tag, in characters (RFC 5646 section 4.4.1).
const LANGUAGE_LENGTH: usize = 35;

/// Code points that are invisible, blank, or change the order of others, beyond those that
/// are controls or white space: what Unicode calls default-ignorable, the bidirectional
/// controls, the blank fillers, and the specials block.
const HIDDEN: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{ffff}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// What is not seen either: controls, and the Unicode property White_Space.
const BLANK: &[(char, char)] = &[
    ('\0', ' '),
    ('\u{7f}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];

/// What breaks a line of prose or reorders it: controls, line separators, and the
/// bidirectional embeddings, overrides and isolates.
const UNRULY: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2066}', '\u{2069}'),
];

fn is_among(character: char, ranges: &[(char, char)]) -> bool {
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&character))
}

/// Ranges as they stand inside a character class of a regular expression. The characters
/// stand there themselves: no two families of engines escape them alike.
fn in_class(ranges: &[(char, char)]) -> String {
    ranges
        .iter()
        .flat_map(|(first, last)| match first == last {
            true => vec![*first],
            false => vec![*first, '-', *last],
        })
        .collect()
}

/// The pattern of a selector (specification chapter 04-permissions, "Selectors").
pub(super) fn selector_pattern() -> String {
    let hidden = in_class(BLANK) + &in_class(HIDDEN);
    let any = format!("[^/*{hidden}]");
    // A segment that is neither `.` nor `..`, said without looking ahead.
    let segment = format!(r"(?:[^./*{hidden}]{any}*|\.[^./*{hidden}]{any}*|\.\.{any}+)");
    format!(r"^(?:\*|{segment}(?:/{segment})*(?:/\*)?)$")
}

/// The schema of the text in one language.
pub(super) fn prose_schema() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": super::limits::TEXT_LENGTH,
        "pattern": format!("^[^{}]+$", in_class(UNRULY)),
    })
}

/// The schema of a consent text in one language: prose with `{selector}` at most once and
/// no other brace.
pub(super) fn template_schema() -> Value {
    let plain = format!("[^{{}}{}]*", in_class(UNRULY));
    json!({
        "type": "string", "minLength": 1, "maxLength": super::limits::TEXT_LENGTH,
        "pattern": format!(r"^{plain}(?:\{{selector\}}{plain})?$"),
    })
}

/// The schema of the names of resource types, actions and constraints.
pub(super) fn name_schema() -> Value {
    json!({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.:-]{0,63}$"})
}

/// The schema of the names of resource types that a permission document may define.
pub(super) fn type_name_schema() -> Value {
    let mut schema = name_schema();
    if let Some(object) = schema.as_object_mut() {
        object.insert("not".to_owned(), json!({"pattern": r"^[Cc][Ll][Pp]\."}));
    }
    schema
}

/// The schema of language tags.
pub(super) fn language_schema() -> Value {
    json!({
        "type": "string", "maxLength": LANGUAGE_LENGTH,
        "pattern": "^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$",
    })
}

/// Whether `character` is seen, and seen where it stands.
pub(super) fn is_visible(character: char) -> bool {
    !is_among(character, BLANK) && !is_among(character, HIDDEN)
}

/// Whether `text` may be a member of a `set`: visible characters and ordinary spaces.
pub(super) fn is_member(text: &str) -> bool {
    text.chars()
        .all(|character| character == ' ' || is_visible(character))
}

/// Whether `text` is one line of prose. Joiners are admitted, since some scripts need
/// them; what reorders a line or breaks it is not.
pub(super) fn is_prose(text: &str) -> bool {
    (1..=super::limits::TEXT_LENGTH).contains(&text.chars().count())
        && !text.chars().any(|character| is_among(character, UNRULY))
}

/// Whether `text` is a line of prose with at most one placeholder, `{selector}`, and no other
/// brace.
pub(super) fn is_template(text: &str) -> bool {
    is_prose(text) && !text.replacen("{selector}", "", 1).contains(['{', '}'])
}

/// Whether `text` may name a resource type, an action or a constraint:
/// `^[A-Za-z][A-Za-z0-9_.:-]{0,63}$`.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= super::limits::NAME_LENGTH
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

/// Whether `text` may name an environment: `^[a-z0-9][a-z0-9-]{0,62}$`.
pub(super) fn is_environment(text: &str) -> bool {
    text.len() <= super::limits::ENVIRONMENT_LENGTH
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether `text` has the form of a language tag (RFC 5646, well-formed as far as needed
/// to look it up): subtags of 1 to 8 letters and digits, the first of letters only.
pub(super) fn is_language(text: &str) -> bool {
    let mut subtags = text.split('-');
    let well_formed = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.len() <= LANGUAGE_LENGTH
        && subtags.next().is_some_and(|first| {
            well_formed(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
        && subtags.all(well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_blank_is_what_unicode_calls_blank() {
        for character in '\0'..=char::MAX {
            let blank = character.is_control() || character.is_whitespace();
            assert_eq!(is_among(character, BLANK), blank, "{character:?}");
            let controls = ('\0'..='\u{9f}').contains(&character) && character.is_control();
            assert!(!controls || is_among(character, UNRULY), "{character:?}");
        }
    }
}
