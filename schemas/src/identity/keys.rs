//! The public keys of an identity provider (RFC 7517), and the algorithms that its signatures
//! may have.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_json::{Map, Value};

use super::ProviderFault;
use crate::canonical::from_base64url;
use crate::jose::{PublicJwk, Unverified};

/// The algorithms of a signature: asymmetric ones alone. Whoever verifies with a symmetric key
/// could have signed, so that such a signature proves nothing to others.
pub const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// Most keys of a provider.
pub const MAX_KEYS: usize = 20;

/// Longest modulus of an RSA key, in bytes: 8192 bits.
const MAX_MODULUS: usize = 1024;

/// Why a set of keys cannot be used. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetFault {
    /// Not an object with a list of at most [`MAX_KEYS`] objects as `keys`.
    #[error("want a JWK set: an object whose `keys` is a list of at most 20 keys")]
    Form,
    /// A key is secret: a symmetric one, or the private half of a pair.
    #[error("a key of the set is secret; want public keys alone")]
    Secret,
    /// None of the keys is of use here.
    #[error("no key of the set is an RSA, P-256 or Ed25519 key for signatures")]
    Unusable,
}

/// The keys of a provider that signatures can be verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Curve(PublicJwk),
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl KeySet {
    /// Reads a JWK set. Keys of other kinds and for other uses are passed over (RFC 7517
    /// section 5).
    ///
    /// # Errors
    /// [`KeySetFault`].
    pub fn parse(set: &Value) -> Result<Self, KeySetFault> {
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .filter(|keys| keys.len() <= MAX_KEYS)
            .ok_or(KeySetFault::Form)?;
        let mut usable = Vec::new();
        for key in keys {
            let members = key.as_object().ok_or(KeySetFault::Form)?;
            // `d` of a pair, `k` of a symmetric key (RFC 7518 section 6).
            if members.contains_key("d") || members.contains_key("k") {
                return Err(KeySetFault::Secret);
            }
            usable.extend(usable_key(members));
        }
        match usable.is_empty() {
            true => Err(KeySetFault::Unusable),
            false => Ok(Self(usable)),
        }
    }

    /// Whether one of the keys made the signature, with an algorithm that is admitted.
    pub(super) fn verify(&self, token: &Unverified<'_>) -> Result<(), ProviderFault> {
        let text = |name: &str| token.header().get(name).and_then(Value::as_str);
        let algorithm = text("alg")
            .filter(|named| ALGORITHMS.contains(named))
            .ok_or(ProviderFault::Algorithm)?;
        let wanted = text("kid");
        let made = self
            .0
            .iter()
            .filter(|key| wanted.is_none_or(|id| key.id.as_deref().is_none_or(|own| own == id)))
            .any(|key| key.verifies(algorithm, token.signed(), token.signature()));
        match made {
            true => Ok(()),
            false => Err(ProviderFault::Signature),
        }
    }
}

fn usable_key(members: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let own = |name: &str| text(name).map(str::to_owned);
    let material = if text("kty") == Some("RSA") {
        let number = |name: &str| text(name).and_then(|text| from_base64url(text).ok());
        let n = number("n").filter(|n| n.len() <= MAX_MODULUS)?;
        let e = number("e").filter(|e| e.len() <= 8)?;
        Material::Rsa { n, e }
    } else {
        let key = PublicJwk {
            kty: own("kty")?,
            crv: own("crv")?,
            x: own("x")?,
            y: own("y"),
        };
        key.algorithm().ok()?;
        Material::Curve(key)
    };
    Some(Key {
        id: own("kid"),
        algorithm: own("alg"),
        material,
    })
}

impl Key {
    fn verifies(&self, algorithm: &str, signed: &str, signature: &[u8]) -> bool {
        if self
            .algorithm
            .as_deref()
            .is_some_and(|own| own != algorithm)
        {
            return false;
        }
        match &self.material {
            Material::Curve(key) => {
                key.algorithm() == Ok(algorithm) && key.verify(signed, signature).is_ok()
            }
            Material::Rsa { n, e } => {
                let scheme = match algorithm {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "PS256" => &RSA_PSS_2048_8192_SHA256,
                    _ => return false,
                };
                RsaPublicKeyComponents { n, e }
                    .verify(scheme, signed.as_bytes(), signature)
                    .is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_set_has_public_keys_that_can_verify() {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let with = |name: &str, value: Value| {
            let mut one = key.clone();
            one[name] = value;
            json!({"keys": [one]})
        };
        assert!(KeySet::parse(&json!({"keys": [key]})).is_ok());
        assert!(KeySet::parse(&with("use", json!("sig"))).is_ok());
        for (set, fault) in [
            (json!({}), KeySetFault::Form),
            (json!({"keys": ["x"]}), KeySetFault::Form),
            (json!({"keys": vec![key.clone(); 21]}), KeySetFault::Form),
            (json!({"keys": []}), KeySetFault::Unusable),
            (with("use", json!("enc")), KeySetFault::Unusable),
            (with("crv", json!("X25519")), KeySetFault::Unusable),
            (with("d", json!("AAAA")), KeySetFault::Secret),
            (
                json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
                KeySetFault::Secret,
            ),
        ] {
            assert_eq!(KeySet::parse(&set), Err(fault), "{set}");
        }
    }
}
