//! The spellings in which a secret leaks. Some are looked for as they are; of others the text
//! is read back first, so that every mixture of escaped and plain characters is seen.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Serialize;

use super::super::digest::hex;

/// How a secret is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// As it is.
    Raw,
    /// Base64, with `+` and `/`, wherever in the encoded text it begins.
    Base64,
    /// Base64 for URLs, with `-` and `_`.
    Base64Url,
    /// Hexadecimal, in either case.
    Hex,
    /// Percent-encoded, all of it or some of it (RFC 3986).
    Percent,
    /// Escaped as in a string of JSON (RFC 8259).
    Json,
}

impl Spelling {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
            Self::Percent => "percent",
            Self::Json => "JSON",
        }
    }
}

/// One way to look for a secret.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) spelling: Spelling,
    pub(super) bytes: Vec<u8>,
}

impl Form {
    /// Whether this text is the form; the case of hexadecimal does not matter.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        if self.spelling == Spelling::Hex {
            self.bytes.eq_ignore_ascii_case(text)
        } else {
            self.bytes == text
        }
    }
}

/// What to look for, once percent signs and backslashes are read back.
pub(super) fn forms(secret: &[u8]) -> Vec<Form> {
    let form = |spelling, bytes: &[u8]| Form {
        spelling,
        bytes: bytes.to_vec(),
    };
    let mut forms = vec![
        form(Spelling::Raw, secret),
        form(Spelling::Hex, hex(secret).as_bytes()),
    ];
    // Inside a longer text the secret can begin at any of the three places of a base64
    // group; the letters at the edges depend on the neighbours and are left out.
    for lead in 0..3_usize {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(secret);
        let before = [0, 2, 3].get(lead).copied().unwrap_or_default();
        let after = usize::from(padded.len() % 3 != 0);
        let inner = |text: String| {
            text.get(before..text.len() - after)
                .map(|inner| inner.as_bytes().to_vec())
        };
        let plain = inner(STANDARD_NO_PAD.encode(&padded));
        let url = inner(URL_SAFE_NO_PAD.encode(&padded)).filter(|url| Some(url) != plain.as_ref());
        forms.extend(plain.map(|bytes| form(Spelling::Base64, &bytes)));
        forms.extend(url.map(|bytes| form(Spelling::Base64Url, &bytes)));
    }
    forms
}

/// The text with percent-encoding read back, if it has any.
pub(super) fn without_percent(text: &[u8]) -> Option<Read> {
    text.contains(&b'%').then(|| {
        read(text, |rest| {
            Some((hex_value(rest.get(1..3)?, b'%', rest)?, 3))
        })
    })
}

/// How often JSON stands as a string in JSON, at most, as a body does in a report.
const NESTED: usize = 3;

/// The text with the escapes of JSON read back, those of JSON within JSON too, if it has any.
pub(super) fn without_escapes(text: &[u8]) -> Option<Read> {
    let mut whole = unescaped(text)?;
    for _ in 1..NESTED {
        let Some(inner) = unescaped(&whole.bytes) else {
            break;
        };
        if inner.bytes == whole.bytes {
            break;
        }
        whole = inner.of(&whole);
    }
    Some(whole)
}

fn unescaped(text: &[u8]) -> Option<Read> {
    text.contains(&b'\\').then(|| {
        read(text, |rest| {
            if rest.first() != Some(&b'\\') {
                return None;
            }
            match rest.get(1)? {
                b'u' => {
                    // Secrets are ASCII: of another character nothing has to be read back.
                    let high = hex_value(rest.get(2..4)?, b'\\', rest)?;
                    let low = hex_value(rest.get(4..6)?, b'\\', rest)?;
                    (high == 0 && low.is_ascii()).then_some((low, 6))
                }
                letter @ (b'"' | b'\\' | b'/') => Some((*letter, 2)),
                _ => None,
            }
        })
    })
}

/// A text that was read back, and where in the text as it stood each byte begins.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) bytes: Vec<u8>,
    starts: Vec<u32>,
}

impl Read {
    /// The same, with places in what the other was read from.
    fn of(mut self, outer: &Self) -> Self {
        for start in &mut self.starts {
            let at = usize::try_from(*start).unwrap_or(usize::MAX);
            *start = outer.starts.get(at).copied().unwrap_or(u32::MAX);
        }
        self
    }

    /// Where a piece of what was read stood.
    pub(super) fn place(&self, from: usize, to: usize) -> (usize, usize) {
        let at = |index: usize| {
            let start = self.starts.get(index).copied().unwrap_or_default();
            usize::try_from(start).unwrap_or(usize::MAX)
        };
        (at(from), at(to))
    }
}

/// Reads back whatever `escape` knows at the beginning of what is left: the byte, and how many
/// it takes.
fn read(text: &[u8], escape: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Read {
    let mut bytes = Vec::with_capacity(text.len());
    let mut starts = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    while let Some(byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let (byte, length) = match byte {
            b'%' | b'\\' => escape(rest).unwrap_or((*byte, 1)),
            byte => (*byte, 1),
        };
        bytes.push(byte);
        starts.push(place(at));
        at += length;
    }
    starts.push(place(text.len()));
    Read { bytes, starts }
}

fn hex_value(digits: &[u8], sign: u8, rest: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    let value = digit(0)? * 16 + digit(1)?;
    (rest.first() == Some(&sign))
        .then(|| u8::try_from(value).ok())
        .flatten()
}
