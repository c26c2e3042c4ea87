//! Assertions by which a service account, or a client without a secret, gets a token
//! (RFC 7523 section 3; specification chapter 21).

use serde_json::{Map, Value, json};

use crate::jose::{JoseFault, PublicJwk, SigningKey, Unverified};
use crate::time::Timestamp;

/// Longest time from now to `exp`, in seconds.
pub const MAX_SECONDS: i64 = 300;

/// Why an assertion proves nothing. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// The signature.
    #[error(transparent)]
    Jose(#[from] JoseFault),
    /// `iss` and `sub` are not both the client.
    #[error("the assertion is of another client")]
    Client,
    /// `aud` names neither the token endpoint nor the issuer.
    #[error("the assertion is for somebody else")]
    Audience,
    /// `exp` has passed, is absent, or is too far ahead; or `nbf` or `iat` is to come.
    #[error("the assertion is not of this time")]
    Time,
    /// `jti` is absent, empty, or longer than 256 characters.
    #[error("the assertion has no usable identifier")]
    Id,
}

/// An assertion that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Its identifier. The caller refuses one seen before, within [`Assertion::forget_at`].
    pub id: String,
    /// When the identifier may be forgotten.
    pub forget_at: Timestamp,
}

/// The client that an assertion names, before anything is verified: to find its key by.
///
/// # Errors
/// [`AssertionFault::Client`] where `sub` is absent, and faults of form.
pub fn client_unverified(compact: &str) -> Result<String, AssertionFault> {
    Unverified::parse(compact)?
        .claim_unverified("sub")
        .map(str::to_owned)
        .ok_or(AssertionFault::Client)
}

/// Checks an assertion of `client`, but for repetition, which needs a memory.
///
/// # Errors
/// The first fault found.
pub fn check(
    compact: &str,
    key: &PublicJwk,
    client: &str,
    audiences: &[&str],
    now: Timestamp,
) -> Result<Assertion, AssertionFault> {
    let claims = Unverified::parse(compact)?.verify(key)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(client) || text("sub") != Some(client) {
        return Err(AssertionFault::Client);
    }
    let names_us = |audience: &Value| {
        audience
            .as_str()
            .is_some_and(|audience| audiences.contains(&audience))
    };
    let for_us = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(names_us),
        Some(one) => names_us(one),
        None => false,
    };
    if !for_us {
        return Err(AssertionFault::Audience);
    }
    let second = |name: &str| claims.get(name).and_then(Value::as_i64);
    let end = second("exp").ok_or(AssertionFault::Time)?;
    let now = now.unix();
    let to_come = ["nbf", "iat"]
        .iter()
        .any(|name| second(name).is_some_and(|from| from > now.saturating_add(60)));
    if end <= now || end > now.saturating_add(MAX_SECONDS) || to_come {
        return Err(AssertionFault::Time);
    }
    let id = text("jti").ok_or(AssertionFault::Id)?;
    if id.is_empty() || id.chars().count() > 256 {
        return Err(AssertionFault::Id);
    }
    Ok(Assertion {
        id: id.to_owned(),
        forget_at: Timestamp::from_unix(end),
    })
}

/// An assertion of `client` that lives for a minute.
///
/// # Errors
/// What [`SigningKey::sign`] has.
pub fn assert(
    key: &SigningKey,
    id: &str,
    client: &str,
    audience: &str,
    now: Timestamp,
) -> Result<String, JoseFault> {
    let mut claims = Map::new();
    for (name, value) in [
        ("iss", json!(client)),
        ("sub", json!(client)),
        ("aud", json!(audience)),
        ("iat", json!(now.unix())),
        ("exp", json!(now.plus(60).unix())),
        ("jti", json!(id)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    key.sign(Map::new(), &claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIENCE: &str = "https://api.example/credentials/oauth/token";

    #[test]
    fn an_assertion_is_of_one_client_for_one_audience_at_one_time() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let now = Timestamp::from_unix(1_800_000_000);
        let text = assert(&key, "a", "cred_a", AUDIENCE, now).unwrap();
        let public = key.public();
        let ours = [AUDIENCE];
        assert_eq!(client_unverified(&text).unwrap(), "cred_a");
        assert!(check(&text, &public, "cred_a", &ours, now).is_ok());
        assert_eq!(
            check(&text, &public, "cred_b", &ours, now),
            Err(AssertionFault::Client)
        );
        assert_eq!(
            check(&text, &public, "cred_a", &["https://b.example"], now),
            Err(AssertionFault::Audience)
        );
        for wrong in [60, -241] {
            assert_eq!(
                check(&text, &public, "cred_a", &ours, now.plus(wrong)),
                Err(AssertionFault::Time),
                "{wrong}"
            );
        }
        let other = SigningKey::from_seed(&[2; 32]).unwrap().public();
        assert_eq!(
            check(&text, &other, "cred_a", &ours, now),
            Err(AssertionFault::Jose(JoseFault::Signature))
        );
    }
}
