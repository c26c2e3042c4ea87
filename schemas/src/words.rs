//! Words that others chose. They are shown, but cannot rearrange what stands around them
//! (CLP-REQ-011).

use serde_json::Value;

/// The text without control characters and without what has no shape of its own (general
/// categories Cc, Cf, Zl and Zp), which could turn the direction around, or make two texts
/// look alike. White space and line separators become a space, so that words stay apart.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|letter| match letter {
            '\n' | '\r' | '\t' => Some(' '),
            _ if is_separator(letter) => Some(' '),
            _ if letter.is_control() || is_format(letter) => None,
            _ => Some(letter),
        })
        .collect()
}

/// General category Cf as of Unicode 16, the unassigned code points between taken along.
fn is_format(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0001}'..='\u{e007f}'
    )
}

/// General categories Zl and Zp.
fn is_separator(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}')
}

/// JSON for programs. What a terminal could take for a command is spelled as an escape, which
/// means the same: `serde_json` spells out only what JSON itself forbids.
#[must_use]
pub fn json_text(value: &Value) -> String {
    let mut text = String::new();
    for letter in format!("{value:#}\n").chars() {
        match letter {
            // The only one outside of strings.
            '\n' => text.push(letter),
            _ if letter.is_control() || is_format(letter) || is_separator(letter) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_go_and_words_stay() {
        assert_eq!(clean("a\u{1b}[31mb"), "a[31mb");
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{200f}"), "abc");
        assert_eq!(clean("a\u{9b}b\u{7f}c\u{0}"), "abc");
        assert_eq!(
            clean("re\u{200b}ad\u{2060}\u{feff} on\u{ad}ly\u{e0041}"),
            "read only"
        );
        assert_eq!(clean("one\u{2028}two\u{2029}three"), "one two three");
        assert_eq!(clean("two\nlines\ttab"), "two lines tab");
        assert_eq!(
            clean("na\u{ef}ve \u{6f22}\u{5b57}"),
            "na\u{ef}ve \u{6f22}\u{5b57}"
        );
    }

    #[test]
    fn json_means_the_same_without_controls() {
        let value =
            serde_json::json!({"a\u{9b}": "\u{1b}[2J\u{7f}\u{202e}\u{e0041}\u{2028}\u{200b}\n"});
        let text = json_text(&value);
        assert!(
            !text.trim_end().contains([
                '\u{9b}',
                '\u{1b}',
                '\u{7f}',
                '\u{202e}',
                '\u{e0041}',
                '\u{2028}',
                '\u{200b}'
            ]),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
