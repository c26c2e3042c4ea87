//! Public keys of authenticators: `COSE_Key` (RFC 9052 section 7, RFC 9053 section 7) with the
//! algorithms that authenticators sign with (RFC 8152, RFC 8812).

use std::collections::BTreeMap;

use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_cbor_2::Value;

/// Longest key that is read, in bytes: an RSA key of 8192 bits fits.
const MAX_BYTES: usize = 2048;

/// It is no key that a signature could be checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key is not an ES256, ES384, RS256 or EdDSA key")]
pub struct NotAKey;

/// A public key and the one algorithm that it is for.
#[derive(Debug)]
pub struct CoseKey(Kind);

#[derive(Debug)]
enum Kind {
    /// Of the algorithms whose keys are points.
    Point(Box<ParsedPublicKey>),
    /// RS256: modulus and exponent, big-endian.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Labels of a key's parameters.
const KEY_TYPE: i128 = 1;
const ALGORITHM: i128 = 3;
const CURVE: i128 = -1;
const X: i128 = -2;
const Y: i128 = -3;
/// The same labels, as they are of an RSA key.
const N: i128 = -1;
const E: i128 = -2;

impl CoseKey {
    /// Reads a key: ES256 on P-256, ES384 on P-384, `EdDSA` on Ed25519, or RS256 of 2048 to 8192
    /// bits.
    ///
    /// # Errors
    /// [`NotAKey`] for any other, for a point that is not on its curve, and for bytes that are
    /// not one CBOR map.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAKey> {
        if bytes.len() > MAX_BYTES {
            return Err(NotAKey);
        }
        let members: BTreeMap<Value, Value> =
            serde_cbor_2::from_slice(bytes).map_err(|_| NotAKey)?;
        let number = |label: i128| match members.get(&Value::Integer(label)) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => Err(NotAKey),
        };
        let bytes = |label: i128| match members.get(&Value::Integer(label)) {
            Some(Value::Bytes(bytes)) => Ok(bytes.as_slice()),
            _ => Err(NotAKey),
        };
        let point = |length: usize| -> Result<Vec<u8>, NotAKey> {
            let (x, y) = (bytes(X)?, bytes(Y)?);
            match x.len() == length && y.len() == length {
                true => Ok([&[4], x, y].concat()),
                false => Err(NotAKey),
            }
        };
        let kind = match (number(KEY_TYPE)?, number(ALGORITHM)?) {
            (2, -7) if number(CURVE)? == 1 => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(32)?)
            }
            (2, -35) if number(CURVE)? == 2 => {
                ParsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, point(48)?)
            }
            (1, -8) if number(CURVE)? == 6 => ParsedPublicKey::new(&ED25519, bytes(X)?),
            (3, -257) => {
                let (n, e) = (bytes(N)?.to_vec(), bytes(E)?.to_vec());
                let fits = (256..=1024).contains(&n.len()) && (1..=4).contains(&e.len());
                return fits.then_some(Self(Kind::Rsa { n, e })).ok_or(NotAKey);
            }
            _ => return Err(NotAKey),
        };
        kind.map(|key| Self(Kind::Point(Box::new(key))))
            .map_err(|_| NotAKey)
    }

    /// Whether the key made this signature over these bytes.
    #[must_use]
    pub fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Point(key) => key.verify_sig(signed, signature).is_ok(),
            Kind::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                let algorithm: &signature::RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
                key.verify(algorithm, signed, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _,
    };

    fn map(members: &[(i128, Value)]) -> Vec<u8> {
        let members: BTreeMap<Value, Value> = members
            .iter()
            .map(|(label, value)| (Value::Integer(*label), value.clone()))
            .collect();
        serde_cbor_2::to_vec(&members).unwrap()
    }

    fn point(curve: i128, algorithm: i128, public: &[u8]) -> Vec<u8> {
        let (x, y) = public[1..].split_at(public.len() / 2);
        map(&[
            (1, Value::Integer(2)),
            (3, Value::Integer(algorithm)),
            (-1, Value::Integer(curve)),
            (-2, Value::Bytes(x.to_vec())),
            (-3, Value::Bytes(y.to_vec())),
        ])
    }

    fn check(key: &[u8], signature: &[u8]) {
        let key = CoseKey::parse(key).unwrap();
        assert!(key.verifies(b"signed", signature));
        assert!(!key.verifies(b"other", signature));
        assert!(!key.verifies(b"signed", &signature[1..]));
    }

    #[test]
    fn each_algorithm_verifies_what_its_key_signed_and_nothing_else() {
        let random = SystemRandom::new();
        for (algorithm, curve, label) in [
            (&ECDSA_P256_SHA256_ASN1_SIGNING, 1, -7),
            (&ECDSA_P384_SHA384_ASN1_SIGNING, 2, -35),
        ] {
            let pair = EcdsaKeyPair::generate(algorithm).unwrap();
            let signature = pair.sign(&random, b"signed").unwrap();
            let key = point(curve, label, pair.public_key().as_ref());
            check(&key, signature.as_ref());
        }
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = map(&[
            (1, Value::Integer(1)),
            (3, Value::Integer(-8)),
            (-1, Value::Integer(6)),
            (-2, Value::Bytes(pair.public_key().as_ref().to_vec())),
        ]);
        check(&key, pair.sign(b"signed").as_ref());
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &signature::RSA_PKCS1_SHA256,
            &random,
            b"signed",
            &mut signature,
        )
        .unwrap();
        let public = pair.public_key();
        let key = map(&[
            (1, Value::Integer(3)),
            (3, Value::Integer(-257)),
            (
                -1,
                Value::Bytes(public.modulus().big_endian_without_leading_zero().to_vec()),
            ),
            (
                -2,
                Value::Bytes(public.exponent().big_endian_without_leading_zero().to_vec()),
            ),
        ]);
        check(&key, &signature);
    }

    #[test]
    fn what_is_no_key_of_its_algorithm_is_refused() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let fine = point(1, -7, pair.public_key().as_ref());
        assert!(CoseKey::parse(&fine).is_ok());
        let mut off_curve = fine.clone();
        off_curve[12] ^= 1;
        let long = [fine.as_slice(), &[0]].concat();
        for bytes in [
            &off_curve[..],
            &long,
            &fine[..40],
            b"not cbor",
            &point(2, -7, pair.public_key().as_ref()),
            &point(1, -35, pair.public_key().as_ref()),
            &map(&[(1, Value::Integer(2))]),
            &[0; MAX_BYTES + 1],
        ] {
            assert!(CoseKey::parse(bytes).is_err());
        }
    }
}
