//! Signed notes (C2SP signed-note v1.0.0) with Ed25519: a text, an empty line, and lines of
//! signatures. Here are the bytes; what a text means is for the caller to say.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::canonical::{self, NotBase64};

/// Longest note read, in bytes.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// Most signature lines read. C2SP asks for at least 16.
pub const MAX_SIGNATURES: usize = 32;

/// What a signature line begins with: an em dash and a space.
const LINE_START: &str = "\u{2014} ";
/// The signature type of Ed25519, which goes into the key id.
const ED25519_TYPE: u8 = 1;
const KEY_ID_BYTES: usize = 4;

/// An Ed25519 public key (RFC 8032), 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// From its raw bytes. A point that is not on the curve verifies nothing.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The public half of a key pair.
    #[must_use]
    pub fn of(pair: &Ed25519KeyPair) -> Self {
        let mut bytes = [0; 32];
        // An Ed25519 public key is 32 bytes long, always.
        bytes.copy_from_slice(pair.public_key().as_ref());
        Self(bytes)
    }

    /// Reads the manifest's form: the raw key in base64 with padding.
    ///
    /// # Errors
    /// [`NotBase64`] if it is not 32 bytes in their one spelling.
    pub fn from_base64(text: &str) -> Result<Self, NotBase64> {
        let bytes = canonical::from_base64(text)?;
        bytes.try_into().map(Self).map_err(|_| NotBase64)
    }

    /// The key id of this key under a name:
    /// SHA-256(name || 0x0A || 0x01 || key), its first four bytes.
    #[must_use]
    pub fn key_id(&self, name: &str) -> [u8; KEY_ID_BYTES] {
        let input = [name.as_bytes(), b"\n", &[ED25519_TYPE], &self.0].concat();
        let [a, b, c, d, ..] = canonical::sha256(&input);
        [a, b, c, d]
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(text.as_bytes(), signature)
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&canonical::to_base64(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}

/// Why a note does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// More bytes than [`MAX_NOTE_BYTES`], or more lines than [`MAX_SIGNATURES`].
    #[error("the note is too large")]
    TooLarge,
    /// Not text, empty line and signature lines, or a control character in it.
    #[error("the note is malformed")]
    Form,
    /// The name is empty or has white space or `+` in it.
    #[error("the name of the key is malformed")]
    Name,
    /// No line is from the key asked for.
    #[error("the note is not signed by this key")]
    NotSigned,
    /// A line claims to be from the key asked for, and is not.
    #[error("the signature of the note does not verify")]
    Signature,
}

/// A note whose form was checked, and nothing else.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

#[derive(Clone, Debug)]
struct SignatureLine<'a> {
    name: &'a str,
    key_id: [u8; KEY_ID_BYTES],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Takes a note apart. Nothing in it is to be believed before [`Note::verify`].
    ///
    /// # Errors
    /// [`NoteFault::TooLarge`], [`NoteFault::Form`] or [`NoteFault::Name`].
    pub fn parse(note: &'a str) -> Result<Self, NoteFault> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteFault::TooLarge);
        }
        check_text(note)?;
        // The text may have empty lines of its own: the last one divides.
        let end = note.rfind("\n\n").ok_or(NoteFault::Form)?;
        let (text, rest) = note.split_at_checked(end + 1).ok_or(NoteFault::Form)?;
        let lines = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteFault::Form)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteFault::TooLarge);
            }
            signatures.push(SignatureLine::parse(line)?);
        }
        Ok(Self { text, signatures })
    }

    /// The text, with its final line feed.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Requires a signature by this key under this name. Lines from other keys, such as
    /// witnesses, are passed over.
    ///
    /// # Errors
    /// [`NoteFault::NotSigned`] or [`NoteFault::Signature`].
    pub fn verify(&self, name: &str, key: &PublicKey) -> Result<(), NoteFault> {
        let key_id = key.key_id(name);
        let mut ours = self
            .signatures
            .iter()
            .filter(|line| line.name == name && line.key_id == key_id)
            .peekable();
        if ours.peek().is_none() {
            return Err(NoteFault::NotSigned);
        }
        if ours.all(|line| key.verifies(self.text, &line.signature)) {
            Ok(())
        } else {
            Err(NoteFault::Signature)
        }
    }

    /// How many signature lines there are, whoever's they be.
    #[must_use]
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Result<Self, NoteFault> {
        let (name, encoded) = line
            .strip_prefix(LINE_START)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteFault::Form)?;
        check_name(name)?;
        let bytes = canonical::from_base64(encoded).map_err(|_| NoteFault::Form)?;
        match bytes.split_first_chunk() {
            Some((key_id, signature)) if !signature.is_empty() => Ok(Self {
                name,
                key_id: *key_id,
                signature: signature.to_vec(),
            }),
            _ => Err(NoteFault::Form),
        }
    }
}

/// Signs a text that ends in a line feed and answers the whole note.
///
/// # Errors
/// [`NoteFault::Form`] for a text that no note can hold, [`NoteFault::Name`].
pub fn sign(text: &str, name: &str, pair: &Ed25519KeyPair) -> Result<String, NoteFault> {
    check_text(text)?;
    check_name(name)?;
    if !text.ends_with('\n') {
        return Err(NoteFault::Form);
    }
    let key_id = PublicKey::of(pair).key_id(name);
    let signature = pair.sign(text.as_bytes());
    let encoded = canonical::to_base64(&[&key_id, signature.as_ref()].concat());
    Ok(format!("{text}\n{LINE_START}{name} {encoded}\n"))
}

fn check_text(text: &str) -> Result<(), NoteFault> {
    let is_refused = |byte: u8| byte < b' ' && byte != b'\n';
    if text.bytes().any(is_refused) {
        Err(NoteFault::Form)
    } else {
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), NoteFault> {
    let is_refused = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    if name.is_empty() || name.contains(is_refused) {
        Err(NoteFault::Name)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn open(note: &str, name: &str) -> Result<(), NoteFault> {
        Note::parse(note)?.verify(name, &PublicKey::of(&pair()))
    }

    #[test]
    fn what_was_signed_is_opened() {
        let text = "first\n\nsecond\n";
        let note = sign(text, "log.example/a", &pair()).unwrap();
        assert_eq!(Note::parse(&note).unwrap().text(), text);
        assert_eq!(open(&note, "log.example/a"), Ok(()));
        assert_eq!(open(&note, "log.example/b"), Err(NoteFault::NotSigned));
    }

    #[test]
    fn lines_of_others_are_passed_over_and_a_false_one_of_ours_is_not() {
        let note = sign("text\n", "log.example/a", &pair()).unwrap();
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let witness = sign("text\n", "witness.example", &other).unwrap();
        let line = witness.strip_prefix("text\n\n").unwrap();
        assert_eq!(open(&format!("{note}{line}"), "log.example/a"), Ok(()));
        assert_eq!(open(&witness, "log.example/a"), Err(NoteFault::NotSigned));

        let elsewhere = sign("other\n", "log.example/a", &pair()).unwrap();
        let false_line = elsewhere.strip_prefix("other\n\n").unwrap();
        for both in [
            format!("{note}{false_line}"),
            format!("text\n\n{false_line}"),
        ] {
            assert_eq!(open(&both, "log.example/a"), Err(NoteFault::Signature));
        }
    }

    #[test]
    fn malformed_notes_are_refused() {
        let note = sign("text\n", "log.example/a", &pair()).unwrap();
        let form = |note: &str| Note::parse(note).map(|_| ()).unwrap_err();
        assert_eq!(form(note.trim_end()), NoteFault::Form);
        assert_eq!(form(&format!("{note}\n")), NoteFault::Form);
        assert_eq!(form(&note.replace('\u{2014}', "-")), NoteFault::Form);
        assert_eq!(form(&note.replace("text", "te\txt")), NoteFault::Form);
        assert_eq!(form(&note.replace('\n', "\r\n")), NoteFault::Form);
        assert_eq!(form(&note.replace("/a", "+a")), NoteFault::Name);
        assert_eq!(form("text\n\n\u{2014} a AAAAAA==\n"), NoteFault::Form);
        assert_eq!(form("text\n"), NoteFault::Form);
        assert_eq!(form(&"x".repeat(MAX_NOTE_BYTES + 1)), NoteFault::TooLarge);
        let line = note.strip_prefix("text\n\n").unwrap();
        assert!(Note::parse(&format!("text\n\n{}", line.repeat(MAX_SIGNATURES))).is_ok());
        let many = format!("text\n\n{}", line.repeat(MAX_SIGNATURES + 1));
        assert_eq!(form(&many), NoteFault::TooLarge);
        for (text, name) in [
            ("text", "a"),
            ("te\rxt\n", "a"),
            ("text\n", ""),
            ("text\n", "a b"),
        ] {
            assert!(sign(text, name, &pair()).is_err(), "{text:?} {name:?}");
        }
    }

    proptest! {
        #[test]
        fn every_changed_byte_is_noticed(place: prop::sample::Index, flip in 1..=255_u8) {
            let mut note = sign("some text\n", "log.example/a", &pair()).unwrap().into_bytes();
            let at = place.index(note.len());
            note[at] ^= flip;
            if let Ok(text) = std::str::from_utf8(&note) {
                prop_assert!(open(text, "log.example/a").is_err());
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = open(&text, "a");
        }
    }
}
