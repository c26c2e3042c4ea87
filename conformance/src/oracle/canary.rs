//! Every secret of a run is a canary: once seen, it is looked for in all that comes back
//! afterwards, as it is and in the spellings in which secrets usually leak.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::digest::hex;

/// Shorter secrets would be found by chance.
const SHORTEST: usize = 12;

/// The secrets that were seen.
#[derive(Clone, Default)]
pub struct Canary {
    needles: Vec<Needle>,
}

#[derive(Clone)]
struct Needle {
    label: String,
    raw: String,
    forms: Vec<String>,
    /// It is hidden where it stands as a word, and not looked for.
    short: bool,
}

impl std::fmt::Debug for Canary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.needles.iter().map(|needle| &needle.label))
            .finish()
    }
}

impl Canary {
    /// Looks for this secret from now on. One that is too short for that is only hidden from
    /// what is shown, and only where it is a word of its own.
    pub fn taint(&mut self, label: impl Into<String>, secret: &str) {
        if secret.is_empty() || self.needles.iter().any(|needle| needle.raw == secret) {
            return;
        }
        self.needles.push(Needle {
            label: label.into(),
            raw: secret.to_owned(),
            forms: forms(secret),
            short: secret.len() < SHORTEST,
        });
    }

    /// Looks for an API key from now on: as a whole, and by the part that is secret. Prefix
    /// and key id are public.
    pub fn taint_key(&mut self, label: impl Into<String>, key: &str) {
        let label = label.into();
        if let Some((_, tail)) = key.rsplit_once('_') {
            self.taint(format!("the secret part of {label}"), tail);
        }
        self.taint(label, key);
    }

    /// What secret stands in `text`, if one does, other than `expected`.
    #[must_use]
    pub fn find(&self, text: &str, expected: Option<&str>) -> Option<&str> {
        self.needles
            .iter()
            .filter(|needle| {
                !needle.short && !expected.is_some_and(|secret| secret.contains(&needle.raw))
            })
            .find(|needle| needle.forms.iter().any(|form| text.contains(form)))
            .map(|needle| needle.label.as_str())
    }

    /// The text without the secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        // Short ones last: they could stand in a label, and labels name long ones.
        for needle in self.needles.iter().filter(|needle| !needle.short) {
            for form in &needle.forms {
                if clean.contains(form) {
                    clean = clean.replace(form, &format!("[{}]", needle.label));
                }
            }
        }
        for needle in self.needles.iter().filter(|needle| needle.short) {
            clean = hide_word(&clean, &needle.raw, &format!("[{}]", needle.label));
        }
        clean
    }
}

/// Puts a label where a word stands between others.
fn hide_word(text: &str, word: &str, label: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some((head, tail)) = rest.split_once(word) {
        let left = head.chars().next_back().or(before);
        let inside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        clean.push_str(head);
        if inside(left) || inside(tail.chars().next()) {
            clean.push_str(word);
        } else {
            clean.push_str(label);
        }
        before = word.chars().next_back();
        rest = tail;
    }
    clean.push_str(rest);
    clean
}

/// The spellings of a secret.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let lower = hex(bytes);
    let mut forms = vec![secret.to_owned(), lower.to_uppercase(), lower];
    for upper in [false, true] {
        forms.push(
            bytes
                .iter()
                .map(|byte| {
                    if upper {
                        format!("%{byte:02X}")
                    } else {
                        format!("%{byte:02x}")
                    }
                })
                .collect(),
        );
    }
    // Inside a longer text the secret can begin at any of the three places of a base64
    // group; the letters at the edges depend on the neighbours and are left out.
    for lead in 0..3_usize {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(bytes);
        let before = [0, 2, 3].get(lead).copied().unwrap_or_default();
        let after = usize::from(padded.len() % 3 != 0);
        for text in [
            STANDARD_NO_PAD.encode(&padded),
            URL_SAFE_NO_PAD.encode(&padded),
        ] {
            if let Some(inner) = text.get(before..text.len() - after) {
                forms.push(inner.to_owned());
            }
        }
    }
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const KEY: &str = "acme_0123456789abcdef_ABCDEFGHIJKLMNOPQRSTUVWXYZ012345abcdef";

    fn planted() -> Canary {
        let mut canary = Canary::default();
        canary.taint_key("the key", KEY);
        canary
    }

    #[test]
    fn a_planted_secret_is_found_in_every_spelling() {
        let canary = planted();
        let hexed = hex(KEY.as_bytes());
        let percent: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mut places = vec![
            format!("{{\"note\":\"{KEY}\"}}"),
            format!("x{hexed}y"),
            hexed.to_uppercase(),
            percent.to_lowercase(),
            percent,
        ];
        for lead in ["", "a", "ab", "abc"] {
            let text = format!("{lead}{KEY} and more");
            places.push(STANDARD.encode(&text));
            places.push(URL_SAFE_NO_PAD.encode(&text));
        }
        // The secret part alone, without prefix and key id.
        places.push(KEY.rsplit_once('_').unwrap().1.to_owned());
        for place in places {
            assert!(canary.find(&place, None).is_some(), "{place}");
            let clean = canary.redact(&place);
            assert!(canary.find(&clean, None).is_none(), "{clean}");
        }
    }

    #[test]
    fn a_short_secret_is_hidden_and_not_looked_for() {
        let mut canary = Canary::default();
        canary.taint("a token", "dev");
        let text = "{\"token\":\"dev\",\"environment\":\"development\"}";
        assert_eq!(
            canary.redact(text),
            "{\"token\":\"[a token]\",\"environment\":\"development\"}"
        );
        assert_eq!(canary.find("dev", None), None);
    }

    #[test]
    fn what_is_public_is_no_find() {
        let canary = planted();
        assert_eq!(canary.find("acme_0123456789abcdef_", None), None);
        assert_eq!(canary.find(KEY, Some(KEY)), None);
        assert!(!format!("{canary:?}").contains("ABCDEFGH"));
    }
}
