//! Signed events in the form of Standard Webhooks (specification chapter 21): a shared
//! secret, and an HMAC-SHA-256 over id, time and body.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::canonical::{from_base64, to_base64};
use crate::time::Timestamp;

/// What every secret begins with.
pub const PREFIX: &str = "whsec_";
/// Bytes of a secret that is made here.
pub const SECRET_BYTES: usize = 32;
/// How old an event may be, or how far in the future, in seconds.
pub const TOLERANCE_SECONDS: i64 = 300;

/// Why an event is not believed. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookFault {
    /// Not `whsec_` and base64 of 24 to 64 bytes.
    #[error("not a webhook secret")]
    Secret,
    /// The time is too far from now.
    #[error("the event is too old or from the future")]
    Time,
    /// No signature is of one of the secrets.
    #[error("no signature of the event verifies")]
    Signature,
}

/// A shared secret. It is wiped when dropped, and never prints.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Of random bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// [`WebhookFault::Secret`].
    pub fn parse(text: &str) -> Result<Self, WebhookFault> {
        let bytes = text
            .strip_prefix(PREFIX)
            .and_then(|rest| from_base64(rest).ok())
            .map(Zeroizing::new)
            .ok_or(WebhookFault::Secret)?;
        if (24..=64).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(WebhookFault::Secret)
        }
    }

    /// The secret as it is delivered.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", to_base64(&self.0)))
    }

    /// One signature, as it stands in `webhook-signature`.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", to_base64(context.sign().as_ref()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(..)")
    }
}

/// The `webhook-signature` of an event: one signature of each secret, spaces between.
#[must_use]
pub fn signatures(secrets: &[&WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    secrets
        .iter()
        .map(|secret| secret.sign(id, timestamp, body))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Checks an event: its time, and that one of its signatures is of the secret.
///
/// Signatures of other versions are skipped, and at most 16 are looked at.
///
/// # Errors
/// [`WebhookFault::Time`] or [`WebhookFault::Signature`].
pub fn verify(
    secret: &WebhookSecret,
    id: &str,
    timestamp: i64,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), WebhookFault> {
    if timestamp.abs_diff(now.unix()) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(WebhookFault::Time);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    signature
        .split(' ')
        .take(16)
        .filter_map(|one| from_base64(one.strip_prefix("v1,")?).ok())
        .any(|tag| hmac::verify(&key, &signed, &tag).is_ok())
        .then_some(())
        .ok_or(WebhookFault::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn secret() -> WebhookSecret {
        WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    #[test]
    fn the_published_example_is_met() {
        assert_eq!(
            secret().sign(ID, TIME, BODY),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn during_a_rotation_either_secret_verifies() {
        let (old, new) = (secret(), WebhookSecret::from_bytes(&[5; 32]));
        let both = signatures(&[&old, &new], ID, TIME, BODY);
        let now = Timestamp::from_unix(TIME);
        let check =
            |secret: &WebhookSecret, body: &[u8], now| verify(secret, ID, TIME, &both, body, now);
        assert_eq!(check(&old, BODY, now), Ok(()));
        assert_eq!(check(&new, BODY, now.plus(300)), Ok(()));
        let other = WebhookSecret::from_bytes(&[6; 32]);
        assert_eq!(check(&other, BODY, now), Err(WebhookFault::Signature));
        assert_eq!(check(&old, b"{}", now), Err(WebhookFault::Signature));
        assert_eq!(check(&old, BODY, now.plus(301)), Err(WebhookFault::Time));
        assert_eq!(check(&old, BODY, now.plus(-301)), Err(WebhookFault::Time));
    }

    #[test]
    fn a_secret_has_one_spelling() {
        let text = WebhookSecret::from_bytes(&[5; 32]).expose();
        assert_eq!(*WebhookSecret::parse(&text).unwrap().expose(), *text);
        for wrong in [
            "",
            "whsec_",
            "whsec_AAAA",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(WebhookSecret::parse(wrong).is_err(), "{wrong}");
        }
    }
}
