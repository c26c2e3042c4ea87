//! The form of an API key (specification chapter 13-create):
//! `<prefix>_<key id>_<random part><checksum>`.
//!
//! The key id is public, so that a key found in a log names its credential; the checksum
//! lets a scanner tell a key from chance text without asking anybody.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use secrecy::{ExposeSecret as _, SecretString};

use crate::canonical;

/// Letters of the public key id.
pub const KEY_ID_LENGTH: usize = 16;
/// Letters of the random part: 32 of 62 give 190 bits.
pub const RANDOM_LENGTH: usize = 32;
/// Letters of the checksum: CRC-32 in base 62, padded with `0` in front.
pub const CHECKSUM_LENGTH: usize = 6;
/// Longest prefix admitted, in letters.
pub const MAX_PREFIX_LENGTH: usize = 24;
/// Random bytes [`Key::generate`] wants. 48 letters are drawn from them and each byte is
/// rejected with probability 1/32, so that they run out less than once in 10^30 keys.
pub const GENERATION_BYTES: usize = 96;

/// The digits of base 62, in ascending order.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Why a text is no key. No variant carries any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The prefix is not lower-case words of letters and digits joined by `_`.
    #[error("the prefix of the key is malformed")]
    Prefix,
    /// The key id, the random part or the whole has another length or alphabet.
    #[error("the key is malformed")]
    Form,
    /// The checksum does not fit: the key was mistyped, cut short or made up.
    #[error("the checksum of the key does not fit")]
    Checksum,
    /// Fewer than [`GENERATION_BYTES`] random bytes, or no randomness in them.
    #[error("too little randomness to make a key")]
    Randomness,
}

/// The public parts of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The issuer's prefix.
    pub prefix: &'a str,
    /// The public key id, 16 letters.
    pub key_id: &'a str,
}

/// A whole key. Its memory is wiped when it is dropped, and it never prints.
#[derive(Clone)]
pub struct Key(SecretString);

impl Key {
    /// Puts a key together and appends its checksum.
    ///
    /// # Errors
    /// [`KeyFault::Prefix`] or [`KeyFault::Form`] if a part is not of its form.
    pub fn assemble(prefix: &str, key_id: &str, random: &str) -> Result<Self, KeyFault> {
        check_prefix(prefix)?;
        if !is_base62(key_id, KEY_ID_LENGTH) || !is_base62(random, RANDOM_LENGTH) {
            return Err(KeyFault::Form);
        }
        let capacity = prefix.len() + 2 + KEY_ID_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH;
        // Room for the whole at once: growing would leave copies of the secret behind.
        let mut text = String::with_capacity(capacity);
        for part in [prefix, "_", key_id, "_", random] {
            text.push_str(part);
        }
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self(text.into()))
    }

    /// Makes a new key out of the caller's random bytes, without bias.
    ///
    /// # Errors
    /// [`KeyFault::Prefix`]; [`KeyFault::Randomness`] with fewer than [`GENERATION_BYTES`]
    /// bytes, or with bytes that are plainly not random.
    pub fn generate(prefix: &str, random: &[u8]) -> Result<Self, KeyFault> {
        if random.len() < GENERATION_BYTES {
            return Err(KeyFault::Randomness);
        }
        let mut letters = base62_letters(random);
        let mut take = |length| {
            // Room for the whole at once here too.
            let mut text = String::with_capacity(length);
            text.extend(letters.by_ref().take(length));
            (text.len() == length).then_some(text)
        };
        let key_id = take(KEY_ID_LENGTH).ok_or(KeyFault::Randomness)?;
        let secret: SecretString = take(RANDOM_LENGTH).ok_or(KeyFault::Randomness)?.into();
        Self::assemble(prefix, &key_id, secret.expose_secret())
    }

    /// Reads the public parts of a key and checks its form and checksum. Says nothing
    /// about whether such a key was ever issued.
    ///
    /// # Errors
    /// [`KeyFault`], the first found from the left; the checksum last.
    pub fn parse(text: &str) -> Result<Parsed<'_>, KeyFault> {
        let (rest, tail) = text.rsplit_once('_').ok_or(KeyFault::Form)?;
        let (prefix, key_id) = rest.rsplit_once('_').ok_or(KeyFault::Form)?;
        check_prefix(prefix)?;
        if !is_base62(key_id, KEY_ID_LENGTH) || !is_base62(tail, RANDOM_LENGTH + CHECKSUM_LENGTH) {
            return Err(KeyFault::Form);
        }
        let (body, given) = text
            .split_at_checked(text.len() - CHECKSUM_LENGTH)
            .ok_or(KeyFault::Form)?;
        if checksum(body) != given {
            return Err(KeyFault::Checksum);
        }
        Ok(Parsed { prefix, key_id })
    }

    /// The key itself, for the one answer that delivers it and the request that uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

/// The I-Regexp (RFC 9485) that every key with this prefix matches as a whole, for the
/// manifest's `token_formats`.
///
/// # Errors
/// [`KeyFault::Prefix`].
pub fn pattern(prefix: &str) -> Result<String, KeyFault> {
    check_prefix(prefix)?;
    let tail = RANDOM_LENGTH + CHECKSUM_LENGTH;
    Ok(format!(
        "{prefix}_[0-9A-Za-z]{{{KEY_ID_LENGTH}}}_[0-9A-Za-z]{{{tail}}}"
    ))
}

/// What an issuer stores instead of a key: HMAC-SHA-256(pepper, SHA-256(key)).
#[derive(Clone, Copy)]
pub struct Verifier([u8; 32]);

impl Verifier {
    /// Of a key. The pepper is the issuer's own secret, kept apart from the store, so that
    /// a stolen store alone lets nobody test guesses.
    #[must_use]
    pub fn of(pepper: &[u8], key: &str) -> Self {
        let pepper = hmac::Key::new(hmac::HMAC_SHA256, pepper);
        let tag = hmac::sign(&pepper, &canonical::sha256(key.as_bytes()));
        let mut bytes = [0; 32];
        // An HMAC-SHA-256 tag is 32 bytes long, always.
        bytes.copy_from_slice(tag.as_ref());
        Self(bytes)
    }

    /// As it was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are of the same key, in time that does not depend on the answer.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier(..)")
    }
}

fn check_prefix(prefix: &str) -> Result<(), KeyFault> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if prefix.len() <= MAX_PREFIX_LENGTH && prefix.split('_').all(is_word) {
        Ok(())
    } else {
        Err(KeyFault::Prefix)
    }
}

fn is_base62(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn digit(value: u32) -> char {
    // Callers reduce modulo 62, so the lookup always finds a digit.
    let index = usize::try_from(value % 62).unwrap_or_default();
    DIGITS.get(index).copied().map_or('0', char::from)
}

/// The letters that random bytes stand for. Bytes from 248 up are skipped: 256 is no
/// multiple of 62, and folding them in would favour the first eight digits.
fn base62_letters(random: &[u8]) -> impl Iterator<Item = char> {
    random
        .iter()
        .filter(|byte| **byte < 248)
        .map(|byte| digit(u32::from(*byte)))
}

/// CRC-32 (ISO-HDLC, as in zlib) in base 62, most significant digit first.
fn checksum(text: &str) -> String {
    let crc = crc32fast::hash(text.as_bytes());
    (0..CHECKSUM_LENGTH as u32)
        .rev()
        .map(|place| digit(crc / 62_u32.pow(place)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef";
    const RANDOM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";

    #[test]
    fn a_key_tells_its_public_parts() {
        for prefix in ["clp", "clp_test", "a1_b2_c3"] {
            let key = Key::assemble(prefix, ID, RANDOM).unwrap();
            let parsed = Key::parse(key.expose()).unwrap();
            assert_eq!(parsed, Parsed { prefix, key_id: ID });
        }
    }

    #[test]
    fn the_checksum_is_crc_32_in_base_62() {
        // "123456789" is the check input of CRC-32/ISO-HDLC: 0xCBF43926.
        assert_eq!(crc32fast::hash(b"123456789"), 0xCBF4_3926);
        let value = checksum("123456789").bytes().fold(0_u64, |sum, byte| {
            let place = DIGITS.iter().position(|digit| *digit == byte).unwrap();
            sum * 62 + place as u64
        });
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn malformed_parts_are_refused() {
        assert!(Key::assemble("clp", ID, RANDOM).is_ok());
        let long = "a".repeat(MAX_PREFIX_LENGTH + 1);
        for prefix in ["", "_", "clp_", "_clp", "CLP", "c-p", "a__b", &long] {
            let fault = Key::assemble(prefix, ID, RANDOM).unwrap_err();
            assert_eq!(fault, KeyFault::Prefix, "{prefix:?}");
            assert_eq!(pattern(prefix), Err(KeyFault::Prefix));
        }
        for (id, random) in [
            ("short", RANDOM),
            (ID, "short"),
            ("0123456789abcde_", RANDOM),
        ] {
            assert_eq!(
                Key::assemble("clp", id, random).unwrap_err(),
                KeyFault::Form
            );
        }
    }

    #[test]
    fn generation_is_unbiased_and_wants_enough() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut counts = std::collections::BTreeMap::<char, usize>::new();
        for letter in base62_letters(&bytes) {
            *counts.entry(letter).or_default() += 1;
        }
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| *count == 4));

        assert!(Key::generate("clp", &bytes).is_ok());
        let short = Key::generate("clp", &bytes[..GENERATION_BYTES - 1]);
        assert_eq!(short.unwrap_err(), KeyFault::Randomness);
        assert_eq!(
            Key::generate("clp", &[255; GENERATION_BYTES]).unwrap_err(),
            KeyFault::Randomness
        );
    }

    #[test]
    fn neither_key_nor_verifier_prints() {
        let key = Key::assemble("clp", ID, RANDOM).unwrap();
        assert_eq!(format!("{key:?}"), "Key(..)");
        let verifier = Verifier::of(b"pepper", key.expose());
        assert_eq!(format!("{verifier:?}"), "Verifier(..)");
    }

    #[test]
    fn a_verifier_knows_its_key_and_its_pepper() {
        let stored = Verifier::from_bytes(*Verifier::of(b"pepper", "key").as_bytes());
        assert!(stored.matches(&Verifier::of(b"pepper", "key")));
        assert!(!stored.matches(&Verifier::of(b"pepper", "kez")));
        assert!(!stored.matches(&Verifier::of(b"salt", "key")));
    }

    proptest! {
        #[test]
        fn one_changed_letter_is_noticed(
            random in prop::collection::vec(any::<u8>(), GENERATION_BYTES),
            place: prop::sample::Index,
            letter in "[0-9A-Za-z_]",
        ) {
            let key = Key::generate("clp", &random);
            prop_assume!(key.is_ok());
            let key = key.unwrap();
            prop_assert!(Key::parse(key.expose()).is_ok());
            let at = place.index(key.expose().len());
            let mut changed = key.expose().to_owned();
            changed.replace_range(at..=at, &letter);
            prop_assert_eq!(Key::parse(&changed).is_ok(), changed == key.expose());
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Key::parse(&text);
        }
    }
}
