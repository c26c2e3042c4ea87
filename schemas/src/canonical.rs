//! The exact bytes behind a digest: canonical JSON (RFC 8785), SHA-256, and base64 that
//! has one spelling only (RFC 4648 section 3.5).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::json::MAX_INTEGER;

/// Why a value has no canonical form here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalFault {
    /// An integer beyond 2^53. RFC 8785 writes numbers as doubles, so two such integers
    /// could share one spelling, and thereby one digest.
    #[error("an integer is beyond 2^53")]
    IntegerTooLarge,
    /// A `null`, where none may stand: an absent member and a null one would read alike
    /// and hash apart.
    #[error("a null stands where none may")]
    Null,
    /// The value cannot be written as JSON.
    #[error("the value cannot be written as canonical JSON")]
    Unwritable,
}

/// The text is not base64 in the form asked for, or has stray bits or padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64 in its one admitted spelling")]
pub struct NotBase64;

/// The canonical form of `value` (RFC 8785), in UTF-8.
///
/// # Errors
/// [`CanonicalFault::IntegerTooLarge`] rather than a rounded number.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalFault> {
    check_integers(value)?;
    serde_json_canonicalizer::to_vec(value).map_err(|_| CanonicalFault::Unwritable)
}

/// The same for a document in which `null` may not stand at any depth.
///
/// # Errors
/// [`CanonicalFault::Null`], and what [`to_bytes`] refuses.
pub fn to_bytes_without_null(value: &Value) -> Result<Vec<u8>, CanonicalFault> {
    if has_null(value) {
        return Err(CanonicalFault::Null);
    }
    to_bytes(value)
}

fn check_integers(value: &Value) -> Result<(), CanonicalFault> {
    match value {
        Value::Number(number) => {
            let magnitude = number
                .as_u64()
                .or_else(|| number.as_i64().map(i64::unsigned_abs));
            match magnitude {
                Some(magnitude) if magnitude > MAX_INTEGER => Err(CanonicalFault::IntegerTooLarge),
                _ => Ok(()),
            }
        }
        Value::Array(items) => items.iter().try_for_each(check_integers),
        Value::Object(members) => members.values().try_for_each(check_integers),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// SHA-256 (FIPS 180-4) of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    // A SHA-256 digest is 32 bytes long, always.
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// `bytes` as base64url without padding (RFC 4648 section 5).
#[must_use]
pub fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `bytes` as base64 with padding (RFC 4648 section 4).
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64url without padding.
///
/// # Errors
/// [`NotBase64`] for another alphabet, padding, white space, or bits set in the last
/// letter that no byte carries: each would give one value a second spelling.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, NotBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotBase64)
}

/// Reads base64 with padding, as strictly as [`from_base64url`].
///
/// # Errors
/// [`NotBase64`] likewise, and for absent padding.
pub fn from_base64(text: &str) -> Result<Vec<u8>, NotBase64> {
    STANDARD.decode(text).map_err(|_| NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_sort_by_utf_16_and_numbers_have_one_spelling() {
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let bytes = to_bytes(&value).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
        assert_eq!(to_bytes(&json!([1.0, -0.0])), Ok(b"[1,0]".to_vec()));
    }

    #[test]
    fn no_integer_is_rounded() {
        let edge = 1_i64 << 53;
        assert!(to_bytes(&json!([edge, -edge])).is_ok());
        for beyond in [json!({"a": [edge + 1]}), json!(-edge - 1), json!(u64::MAX)] {
            assert_eq!(to_bytes(&beyond), Err(CanonicalFault::IntegerTooLarge));
        }
    }

    #[test]
    fn null_is_found_at_any_depth() {
        let fine = json!({"a": [{"b": 1}]});
        assert_eq!(to_bytes_without_null(&fine), to_bytes(&fine));
        let refused = json!({"a": [{"b": null}]});
        assert!(to_bytes(&refused).is_ok());
        assert_eq!(to_bytes_without_null(&refused), Err(CanonicalFault::Null));
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(from_base64url("_w"), Ok(vec![0xff]));
        for refused in ["_x", "_w==", "/w", " _w", "_w\n", "_"] {
            assert_eq!(from_base64url(refused), Err(NotBase64), "{refused:?}");
        }
        assert_eq!(from_base64("/w=="), Ok(vec![0xff]));
        for refused in ["/x==", "/w", "_w==", "/w==\n"] {
            assert_eq!(from_base64(refused), Err(NotBase64), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn base64_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(from_base64url(&to_base64url(&bytes)), Ok(bytes.clone()));
            prop_assert_eq!(from_base64(&to_base64(&bytes)), Ok(bytes));
        }

        #[test]
        fn what_decodes_is_the_spelling_we_write(text in "[A-Za-z0-9_-]{0,12}") {
            if let Ok(bytes) = from_base64url(&text) {
                prop_assert_eq!(to_base64url(&bytes), text);
            }
        }
    }
}
