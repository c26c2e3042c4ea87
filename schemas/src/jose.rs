//! JSON Web Keys and compact signatures (RFC 7517, RFC 7515, RFC 7638), as far as service
//! accounts and bound keys need them: P-256 with ES256, and Ed25519 with `EdDSA`.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey, UnparsedPublicKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::canonical::{self, from_base64url, to_base64url};
use crate::json::{self, Limits};

/// Longest compact signature that is read, in bytes.
pub const MAX_COMPACT: usize = 8192;

/// Why a key or a signature is of no use. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseFault {
    /// Not a P-256 or Ed25519 public key in its one spelling.
    #[error("not a public key of a supported kind")]
    Key,
    /// Not three parts of base64url with JSON objects in the first two.
    #[error("not a compact signature")]
    Form,
    /// The header wants something that is not supported: another algorithm, or `crit`.
    #[error("the header asks for something that is not supported")]
    Header,
    /// The signature is not of this key over these bytes.
    #[error("the signature does not verify")]
    Signature,
}

/// A public key (RFC 7517; RFC 7518 section 6.2, RFC 8037 section 2). A private member is
/// no part of it, and a schema made from it refuses one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicJwk {
    /// `EC` or `OKP`.
    #[schemars(regex(pattern = r"^(EC|OKP)$"))]
    pub kty: String,
    /// `P-256` or `Ed25519`.
    #[schemars(regex(pattern = r"^(P-256|Ed25519)$"))]
    pub crv: String,
    /// 32 bytes, base64url.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub x: String,
    /// For `EC`: 32 bytes, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub y: Option<String>,
}

impl PublicJwk {
    /// The algorithm that signatures of this key name.
    ///
    /// # Errors
    /// [`JoseFault::Key`] where the members do not make a key.
    pub fn algorithm(&self) -> Result<&'static str, JoseFault> {
        self.raw().map(|(algorithm, _)| algorithm)
    }

    /// The thumbprint (RFC 7638), base64url of 32 bytes.
    ///
    /// # Errors
    /// [`JoseFault::Key`] where the members do not make a key.
    pub fn thumbprint(&self) -> Result<String, JoseFault> {
        self.raw()?;
        let members = serde_json::to_value(self).map_err(|_| JoseFault::Key)?;
        // The members that RFC 7638 asks for are all that there are, and RFC 8785 orders
        // them as it does.
        let bytes = canonical::to_bytes(&members).map_err(|_| JoseFault::Key)?;
        Ok(to_base64url(&canonical::sha256(&bytes)))
    }

    /// Whether `signature` is of this key over these bytes, by its one algorithm.
    ///
    /// # Errors
    /// [`JoseFault::Key`], [`JoseFault::Signature`].
    pub(crate) fn verify(&self, signed: &str, signature: &[u8]) -> Result<(), JoseFault> {
        let (algorithm, raw) = self.raw()?;
        let outcome = if algorithm == "ES256" {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, raw)
                .verify(signed.as_bytes(), signature)
        } else {
            UnparsedPublicKey::new(&ED25519, raw).verify(signed.as_bytes(), signature)
        };
        outcome.map_err(|_| JoseFault::Signature)
    }

    fn raw(&self) -> Result<(&'static str, Vec<u8>), JoseFault> {
        let number = |text: &str| {
            from_base64url(text)
                .ok()
                .filter(|bytes| bytes.len() == 32)
                .ok_or(JoseFault::Key)
        };
        match (self.kty.as_str(), self.crv.as_str(), &self.y) {
            ("EC", "P-256", Some(y)) => {
                let mut point = vec![4];
                point.extend(number(&self.x)?);
                point.extend(number(y)?);
                // Any two numbers have this form; few of them are a point of the curve.
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
                    .map_err(|_| JoseFault::Key)?;
                Ok(("ES256", point))
            }
            ("OKP", "Ed25519", None) => Ok(("EdDSA", number(&self.x)?)),
            _ => Err(JoseFault::Key),
        }
    }
}

/// A compact signature whose parts were read and not yet believed.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl<'a> Unverified<'a> {
    /// Reads the three parts.
    ///
    /// # Errors
    /// [`JoseFault::Form`]; [`JoseFault::Header`] for `crit`, since nothing critical is
    /// understood here (RFC 7515 section 4.1.11).
    pub fn parse(compact: &'a str) -> Result<Self, JoseFault> {
        let read = Self::read(compact, MAX_COMPACT)?;
        if read.has_critical() {
            return Err(JoseFault::Header);
        }
        Ok(read)
    }

    /// The same for a text of at most `longest` bytes, whatever its header wants: the caller
    /// asks [`Unverified::has_critical`].
    ///
    /// # Errors
    /// [`JoseFault::Form`].
    pub(crate) fn read(compact: &'a str, longest: usize) -> Result<Self, JoseFault> {
        if compact.len() > longest {
            return Err(JoseFault::Form);
        }
        let (signed, signature) = compact.rsplit_once('.').ok_or(JoseFault::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(JoseFault::Form)?;
        let object = |part: &str| {
            let bytes = from_base64url(part).map_err(|_| JoseFault::Form)?;
            match json::parse(&bytes, Limits::default()) {
                Ok(Value::Object(members)) => Ok(members),
                _ => Err(JoseFault::Form),
            }
        };
        Ok(Self {
            signed,
            signature: from_base64url(signature).map_err(|_| JoseFault::Form)?,
            header: object(header)?,
            claims: object(claims)?,
        })
    }

    /// Whether the header wants something to be understood that is not understood here.
    pub(crate) fn has_critical(&self) -> bool {
        self.header.contains_key("crit") || self.header.contains_key("b64")
    }

    /// The bytes that were signed.
    pub(crate) fn signed(&self) -> &'a str {
        self.signed
    }

    /// What is said to be the signature.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The claims before anybody has vouched for them.
    pub(crate) fn claims_unverified(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The header, which nobody has vouched for.
    #[must_use]
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// A claim before anybody has vouched for it, to find the key by.
    #[must_use]
    pub fn claim_unverified(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// The claims, once the signature has been found to be of `key`.
    ///
    /// # Errors
    /// [`JoseFault::Header`] where `alg` is not that of the key, so that the header cannot
    /// choose; [`JoseFault::Signature`].
    pub fn verify(self, key: &PublicJwk) -> Result<Map<String, Value>, JoseFault> {
        let (algorithm, _) = key.raw()?;
        if self.header.get("alg").and_then(Value::as_str) != Some(algorithm) {
            return Err(JoseFault::Header);
        }
        key.verify(self.signed, &self.signature)?;
        Ok(self.claims)
    }
}

/// A key pair that signs.
pub struct SigningKey(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// The Ed25519 pair of 32 random bytes.
    ///
    /// # Errors
    /// None in practice: every seed makes a pair.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, JoseFault> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(|pair| Self(Pair::Ed25519(pair)))
            .map_err(|_| JoseFault::Key)
    }

    /// Reads a private JWK, as a delivery of a service account holds it.
    ///
    /// # Errors
    /// [`JoseFault::Key`], also where the private and the public half do not fit.
    pub fn from_private_jwk(text: &str) -> Result<Self, JoseFault> {
        let members: Value = serde_json::from_str(text).map_err(|_| JoseFault::Key)?;
        let member = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .and_then(|text| from_base64url(text).ok())
                .ok_or(JoseFault::Key)
        };
        let private = Zeroizing::new(member("d")?);
        match members.get("crv").and_then(Value::as_str) {
            Some("Ed25519") => Ed25519KeyPair::from_seed_and_public_key(&private, &member("x")?)
                .map(|pair| Self(Pair::Ed25519(pair)))
                .map_err(|_| JoseFault::Key),
            Some("P-256") => {
                let mut point = vec![4];
                point.extend(member("x")?);
                point.extend(member("y")?);
                EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &private,
                    &point,
                )
                .map(|pair| Self(Pair::P256(pair)))
                .map_err(|_| JoseFault::Key)
            }
            _ => Err(JoseFault::Key),
        }
    }

    /// The private JWK of the Ed25519 pair of `seed`, as text: what a delivery holds.
    ///
    /// # Errors
    /// None in practice.
    pub fn private_jwk(seed: &[u8; 32]) -> Result<Zeroizing<String>, JoseFault> {
        let public = Self::from_seed(seed)?.public();
        let document = json!({
            "kty": public.kty, "crv": public.crv, "x": public.x,
            "kid": public.thumbprint()?, "alg": "EdDSA", "d": to_base64url(seed),
        });
        let bytes = canonical::to_bytes(&document).map_err(|_| JoseFault::Key)?;
        String::from_utf8(bytes)
            .map(Zeroizing::new)
            .map_err(|_| JoseFault::Key)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicJwk {
        match &self.0 {
            Pair::Ed25519(pair) => PublicJwk {
                kty: "OKP".to_owned(),
                crv: "Ed25519".to_owned(),
                x: to_base64url(pair.public_key().as_ref()),
                y: None,
            },
            Pair::P256(pair) => {
                // An uncompressed point: a tag, then two coordinates of 32 bytes.
                let point = pair.public_key().as_ref();
                PublicJwk {
                    kty: "EC".to_owned(),
                    crv: "P-256".to_owned(),
                    x: to_base64url(point.get(1..33).unwrap_or_default()),
                    y: Some(to_base64url(point.get(33..).unwrap_or_default())),
                }
            }
        }
    }

    /// Signs claims. `header` gets `alg`.
    ///
    /// # Errors
    /// [`JoseFault::Signature`] where the key cannot sign.
    pub fn sign(
        &self,
        mut header: Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, JoseFault> {
        let algorithm = match &self.0 {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
        };
        header.insert("alg".to_owned(), json!(algorithm));
        let part = |members: &Map<String, Value>| {
            serde_json::to_vec(members)
                .map(|bytes| to_base64url(&bytes))
                .map_err(|_| JoseFault::Form)
        };
        let signed = format!("{}.{}", part(&header)?, part(claims)?);
        let signature = match &self.0 {
            Pair::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), signed.as_bytes())
                .map_err(|_| JoseFault::Signature)?
                .as_ref()
                .to_vec(),
        };
        Ok(format!("{signed}.{}", to_base64url(&signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwk(kty: &str, crv: &str, x: &str, y: Option<&str>) -> PublicJwk {
        PublicJwk {
            kty: kty.to_owned(),
            crv: crv.to_owned(),
            x: x.to_owned(),
            y: y.map(str::to_owned),
        }
    }

    #[test]
    fn thumbprints_are_those_of_the_rfcs() {
        // RFC 8037 appendix A.3.
        let ed = jwk(
            "OKP",
            "Ed25519",
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            None,
        );
        assert_eq!(
            ed.thumbprint().unwrap(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        // RFC 9449 sections 4.1 and 6.1.
        let ec = jwk(
            "EC",
            "P-256",
            "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            Some("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"),
        );
        assert_eq!(
            ec.thumbprint().unwrap(),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        );
    }

    #[test]
    fn two_numbers_that_are_no_point_are_no_key() {
        let x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        assert_eq!(
            jwk("EC", "P-256", x, Some(x)).thumbprint(),
            Err(JoseFault::Key)
        );
    }

    #[test]
    fn a_signature_verifies_and_its_twins_do_not() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), json!("x"));
        let text = key.sign(Map::new(), &claims).unwrap();
        let read = |text: &str, key: &PublicJwk| {
            Unverified::parse(text).and_then(|unverified| unverified.verify(key))
        };
        assert_eq!(read(&text, &key.public()).unwrap(), claims);
        let other = SigningKey::from_seed(&[8; 32]).unwrap().public();
        assert_eq!(read(&text, &other), Err(JoseFault::Signature));

        let parts: Vec<&str> = text.split('.').collect();
        let none = to_base64url(br#"{"alg":"none"}"#);
        let stripped = format!("{none}.{}.", parts[1]);
        assert_eq!(read(&stripped, &key.public()), Err(JoseFault::Header));
        let critical = to_base64url(br#"{"alg":"EdDSA","crit":["x"]}"#);
        let critical = format!("{critical}.{}.{}", parts[1], parts[2]);
        assert_eq!(read(&critical, &key.public()), Err(JoseFault::Header));
        for wrong in ["", "a.b", "a.b.c", &format!("{text}=")] {
            assert!(Unverified::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_private_jwk_is_read_back() {
        let text = SigningKey::private_jwk(&[9; 32]).unwrap();
        let key = SigningKey::from_private_jwk(&text).unwrap();
        assert_eq!(
            key.public(),
            SigningKey::from_seed(&[9; 32]).unwrap().public()
        );
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
        assert!(serde_json::from_str::<PublicJwk>(&text).is_err());
    }

    #[test]
    fn a_p256_pair_signs_what_its_public_half_verifies() {
        // RFC 7515 appendix A.3.
        let text = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
        let key = SigningKey::from_private_jwk(text).unwrap();
        let signed = key.sign(Map::new(), &Map::new()).unwrap();
        assert!(
            Unverified::parse(&signed)
                .unwrap()
                .verify(&key.public())
                .is_ok()
        );
    }
}
