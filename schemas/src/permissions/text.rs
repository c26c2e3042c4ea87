//! Which characters may stand in selectors, names and texts. A person decides by what is
//! shown, so nothing is admitted that is invisible or that reorders its neighbours.

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

/// The same set as the inside of a negated character class of a regular expression
/// (ECMA 262 with the `u` flag), controls and white space included.
pub(super) const HIDDEN_CLASS: &str = r"\s\u{0}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{2800}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\u{fff0}-\u{ffff}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}";

/// Whether `character` is seen, and seen where it stands.
pub(super) fn is_visible(character: char) -> bool {
    !character.is_control()
        && !character.is_whitespace()
        && !HIDDEN
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&character))
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
        && !text.chars().any(|character| {
            character.is_control()
                || matches!(
                    character,
                    '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                )
        })
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
    text.len() <= 35
        && subtags.next().is_some_and(|first| {
            well_formed(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
        && subtags.all(well_formed)
}
