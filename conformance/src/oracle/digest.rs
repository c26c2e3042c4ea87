//! The digests of the protocol, computed a second time: canonical JSON (RFC 8785), SHA-256,
//! and the challenge that an approver signs (spec chapter 12).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Unsound;

/// The canonical bytes of a value.
///
/// # Errors
/// Where the value has none.
pub fn canonical(value: &Value) -> Result<Vec<u8>, Unsound> {
    serde_json_canonicalizer::to_vec(value)
        .map_err(|_| Unsound::new("the value has no canonical form"))
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// The bytes as base64url without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a base64url text without padding stands for.
///
/// # Errors
/// Where it is no such text.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, Unsound> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Unsound::new("not base64url without padding"))
}

/// The bytes in hexadecimal, lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of an approval document.
///
/// # Errors
/// Where the document has no canonical form.
pub fn of_request(approval_document: &Value) -> Result<String, Unsound> {
    Ok(base64url(&sha256(&canonical(approval_document)?)))
}

/// The digest by which a permission document is named.
///
/// # Errors
/// Where the document has no canonical form.
pub fn of_document(document: &Value) -> Result<String, Unsound> {
    Ok(format!("sha256:{}", hex(&sha256(&canonical(document)?))))
}

/// The challenge of one decision, base64url.
///
/// # Errors
/// Where the parts have no canonical form.
pub fn challenge(
    digest: &str,
    nonce: &str,
    decision: &str,
    approver: &str,
) -> Result<String, Unsound> {
    let signed = json!({
        "context": "clp-approval-v1",
        "digest": digest,
        "nonce": nonce,
        "decision": decision,
        "approver": approver,
    });
    Ok(base64url(&sha256(&canonical(&signed)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_does_not_matter_and_their_values_do() {
        let one = of_request(&json!({"a": 1, "b": [2]})).unwrap();
        assert_eq!(one, of_request(&json!({"b": [2], "a": 1})).unwrap());
        assert_ne!(one, of_request(&json!({"b": [3], "a": 1})).unwrap());
        // SHA-256 of `{}`.
        assert_eq!(
            of_document(&json!({})).unwrap(),
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    #[test]
    fn a_challenge_that_leaves_a_part_out_is_another() {
        let whole = challenge("d", "n", "approve", "p").unwrap();
        for (digest, nonce, decision, approver) in [
            ("x", "n", "approve", "p"),
            ("d", "x", "approve", "p"),
            ("d", "n", "deny", "p"),
            ("d", "n", "approve", "x"),
        ] {
            assert_ne!(challenge(digest, nonce, decision, approver).unwrap(), whole);
        }
        let planted =
            json!({"context": "clp-approval-v1", "digest": "d", "nonce": "n", "approver": "p"});
        assert_ne!(base64url(&sha256(&canonical(&planted).unwrap())), whole);
    }
}
