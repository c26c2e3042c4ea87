//! Words that others chose. They are shown, but cannot rearrange what stands around them
//! (CLP-REQ-011).

use serde_json::Value;

/// The text without control characters (general category Cc) and bidirectional controls.
/// White space among them becomes a space, so that words stay apart.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|letter| match letter {
            '\n' | '\r' | '\t' => Some(' '),
            _ if letter.is_control() || is_bidi_control(letter) => None,
            _ => Some(letter),
        })
        .collect()
}

/// Unicode's `Bidi_Control`.
fn is_bidi_control(letter: char) -> bool {
    matches!(
        letter,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// JSON for programs. What a terminal could take for a command is spelled as an escape, which
/// means the same: `serde_json` spells out only what JSON itself forbids.
pub(crate) fn json_text(value: &Value) -> String {
    let mut text = String::new();
    for letter in format!("{value:#}\n").chars() {
        match letter {
            // The only one outside of strings.
            '\n' => text.push(letter),
            _ if letter.is_control() || is_bidi_control(letter) => {
                text.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => text.push(letter),
        }
    }
    text
}

/// Words set apart by a bar at the left of each line, which they cannot leave.
pub(crate) fn quoted_block(text: &str) -> String {
    text.lines()
        .map(|line| format!("  | {}\n", clean(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_go_and_words_stay() {
        assert_eq!(clean("a\u{1b}[31mb"), "a[31mb");
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{200f}"), "abc");
        assert_eq!(clean("a\u{9b}b\u{7f}c\u{0}"), "abc");
        assert_eq!(clean("two\nlines\ttab"), "two lines tab");
        assert_eq!(
            clean("na\u{ef}ve \u{6f22}\u{5b57}"),
            "na\u{ef}ve \u{6f22}\u{5b57}"
        );
    }

    #[test]
    fn json_means_the_same_without_controls() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[2J\u{7f}\u{202e}\n"});
        let text = json_text(&value);
        assert!(
            !text
                .trim_end()
                .contains(['\u{9b}', '\u{1b}', '\u{7f}', '\u{202e}']),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn no_line_leaves_the_block() {
        assert_eq!(
            quoted_block("a\nconsent: all\r\nb\rc"),
            "  | a\n  | consent: all\n  | b c\n"
        );
        assert_eq!(quoted_block(""), "");
    }
}
