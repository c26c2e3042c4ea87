//! Proof that the caller holds the private half of a bound key (RFC 9449; specification
//! chapter 21).

use serde_json::{Map, Value, json};

use crate::canonical::{sha256, to_base64url};
use crate::jose::{JoseFault, PublicJwk, SigningKey, Unverified};
use crate::time::Timestamp;

/// How far a proof's `iat` may be from now, in seconds, either way.
pub const WINDOW_SECONDS: i64 = 60;

/// Why a proof proves nothing. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DpopFault {
    /// The signature or the key in the header.
    #[error(transparent)]
    Jose(#[from] JoseFault),
    /// `typ` is not `dpop+jwt`.
    #[error("the proof is of another type")]
    Type,
    /// `htm`, `htu` or `ath` are not those of this call.
    #[error("the proof is of another call")]
    Call,
    /// `iat` is more than a minute away, or absent.
    #[error("the proof is too old or from the future")]
    Time,
    /// `jti` is absent, empty, or longer than 256 characters.
    #[error("the proof has no usable identifier")]
    Id,
    /// The proof is of another key than the one bound.
    #[error("the proof is of another key")]
    Key,
}

/// The call that a proof has to be of.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL without query and fragment.
    pub url: &'a str,
    /// The key or token that came with it.
    pub token: &'a str,
    /// The thumbprint that it is bound to.
    pub thumbprint: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its identifier. The caller refuses one seen before, within [`Proof::forget_at`].
    pub id: String,
    /// When the identifier may be forgotten.
    pub forget_at: Timestamp,
}

/// `ath`: base64url of the SHA-256 of the token (RFC 9449 section 4.2).
#[must_use]
pub fn token_hash(token: &str) -> String {
    to_base64url(&sha256(token.as_bytes()))
}

/// Checks the value of a `DPoP` header field (RFC 9449 section 4.3), but for repetition,
/// which needs a memory.
///
/// # Errors
/// The first fault found.
pub fn check(compact: &str, expected: Expected<'_>) -> Result<Proof, DpopFault> {
    let unverified = Unverified::parse(compact)?;
    if unverified.header().get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return Err(DpopFault::Type);
    }
    let key = header_key(unverified.header())?;
    let claims = unverified.verify(&key)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let same_url =
        text("htu").is_some_and(|url| url.split(['?', '#']).next() == Some(expected.url));
    if text("htm") != Some(expected.method)
        || !same_url
        || text("ath") != Some(token_hash(expected.token).as_str())
    {
        return Err(DpopFault::Call);
    }
    let issued = claims
        .get("iat")
        .and_then(Value::as_i64)
        .ok_or(DpopFault::Time)?;
    if issued.abs_diff(expected.now.unix()) > WINDOW_SECONDS.unsigned_abs() {
        return Err(DpopFault::Time);
    }
    let id = text("jti").ok_or(DpopFault::Id)?;
    if id.is_empty() || id.chars().count() > 256 {
        return Err(DpopFault::Id);
    }
    if key.thumbprint()? != expected.thumbprint {
        return Err(DpopFault::Key);
    }
    Ok(Proof {
        id: id.to_owned(),
        forget_at: Timestamp::from_unix(issued).plus(WINDOW_SECONDS + 1),
    })
}

/// The key in the header. Members that say nothing about the key itself are skipped
/// (RFC 7517 section 4); a private one is refused (RFC 9449 section 4.3, step 7).
fn header_key(header: &Map<String, Value>) -> Result<PublicJwk, JoseFault> {
    let members = header
        .get("jwk")
        .and_then(Value::as_object)
        .filter(|members| !members.contains_key("d"))
        .ok_or(JoseFault::Key)?;
    let known: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "kty" | "crv" | "x" | "y"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    serde_json::from_value(Value::Object(known)).map_err(|_| JoseFault::Key)
}

/// A proof of one call.
///
/// # Errors
/// What [`SigningKey::sign`] has.
pub fn prove(
    key: &SigningKey,
    id: &str,
    method: &str,
    url: &str,
    token: &str,
    now: Timestamp,
) -> Result<String, JoseFault> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!("dpop+jwt"));
    let public = serde_json::to_value(key.public()).map_err(|_| JoseFault::Key)?;
    header.insert("jwk".to_owned(), public);
    let mut claims = Map::new();
    for (name, value) in [
        ("jti", json!(id)),
        ("htm", json!(method)),
        ("htu", json!(url)),
        ("iat", json!(now.unix())),
        ("ath", json!(token_hash(token))),
    ] {
        claims.insert(name.to_owned(), value);
    }
    key.sign(header, &claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://api.example/v1/records";

    #[test]
    fn a_proof_is_good_for_one_call_of_one_key() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let thumbprint = key.public().thumbprint().unwrap();
        let now = Timestamp::from_unix(1_800_000_000);
        let proof = prove(&key, "a", "GET", URL, "token", now).unwrap();
        let expected = Expected {
            method: "GET",
            url: URL,
            token: "token",
            thumbprint: &thumbprint,
            now,
        };
        assert_eq!(check(&proof, expected).unwrap().id, "a");
        let twins = [
            (
                Expected {
                    method: "POST",
                    ..expected
                },
                DpopFault::Call,
            ),
            (
                Expected {
                    url: "https://api.example/",
                    ..expected
                },
                DpopFault::Call,
            ),
            (
                Expected {
                    token: "other",
                    ..expected
                },
                DpopFault::Call,
            ),
            (
                Expected {
                    thumbprint: "x",
                    ..expected
                },
                DpopFault::Key,
            ),
            (
                Expected {
                    now: now.plus(61),
                    ..expected
                },
                DpopFault::Time,
            ),
            (
                Expected {
                    now: now.plus(-61),
                    ..expected
                },
                DpopFault::Time,
            ),
        ];
        for (twin, fault) in twins {
            assert_eq!(check(&proof, twin), Err(fault));
        }
        let nameless = prove(&key, "", "GET", URL, "token", now).unwrap();
        assert_eq!(check(&nameless, expected), Err(DpopFault::Id));
        let untyped = key.sign(Map::new(), &Map::new()).unwrap();
        assert_eq!(check(&untyped, expected), Err(DpopFault::Type));
    }

    #[test]
    fn the_hash_of_a_token_is_that_of_the_rfc() {
        // RFC 9449 section 7.1.
        assert_eq!(
            token_hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
        );
    }
}
