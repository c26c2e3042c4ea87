//! An authenticator in software, so that approvals are really signed: one P-256 passkey, and
//! the ways in which an assertion can be wrong (Web Authentication Level 2).

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::Unsound;
use super::digest::{base64url, sha256};

/// One thing that is wrong with an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Signed by a key that nobody registered.
    Key,
    /// One bit of the signature is flipped.
    Signature,
    /// Made for a registration, not for an assertion.
    Type,
    /// Made for other bytes than the challenge.
    Challenge,
    /// Made on another site.
    Origin,
    /// Made in a frame of another site.
    CrossOrigin,
    /// Made for another relying party.
    RelyingParty,
    /// Nobody was there.
    UserPresent,
    /// Nobody unlocked the authenticator.
    UserVerified,
    /// The counter did not grow.
    Counter,
    /// The key says that it can be copied.
    Copiable,
}

impl Flaw {
    /// Every flaw and how the scenarios name it.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Key, "another key"),
        (Self::Signature, "a bit flipped"),
        (Self::Type, "another type"),
        (Self::Challenge, "another challenge"),
        (Self::Origin, "another origin"),
        (Self::CrossOrigin, "a foreign frame"),
        (Self::RelyingParty, "another relying party"),
        (Self::UserPresent, "nobody present"),
        (Self::UserVerified, "nobody verified"),
        (Self::Counter, "an old counter"),
        (Self::Copiable, "a key that can be copied"),
    ];
}

/// A passkey.
#[derive(Debug)]
pub struct Passkey {
    pair: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
    id: [u8; 32],
    counter: u32,
    /// Whether the counter grows; that of a passkey that is synchronised stays zero.
    counts: bool,
    /// By which method its assertions are evidence.
    method: &'static str,
}

impl Passkey {
    /// Makes a new one.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn generate() -> Result<Self, Unsound> {
        let pair = || {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
                .map_err(|_| Unsound::new("no key pair could be made"))
        };
        let mut id = [0; 32];
        SystemRandom::new()
            .fill(&mut id)
            .map_err(|_| Unsound::new("the system has no randomness"))?;
        Ok(Self {
            pair: pair()?,
            stranger: pair()?,
            id,
            counter: 0,
            counts: true,
            method: "passkey",
        })
    }

    /// From now on its counter stays as it is.
    pub fn stop_counting(&mut self) {
        self.counts = false;
    }

    /// From now on it is a hardware key.
    pub fn harden(&mut self) {
        self.method = "hardware_key";
    }

    /// The method that its assertions are evidence of.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Its signature over some bytes.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Unsound> {
        self.pair
            .sign(&SystemRandom::new(), bytes)
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| Unsound::new("signing failed"))
    }

    /// Its credential id, base64url.
    #[must_use]
    pub fn credential_id(&self) -> String {
        base64url(&self.id)
    }

    /// Its private key, as bytes.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub fn secret(&self) -> Result<Vec<u8>, Unsound> {
        self.pair
            .private_key()
            .as_be_bytes()
            .map(|bytes: EcPrivateKeyBin<'_>| bytes.as_ref().to_vec())
            .map_err(|_| Unsound::new("the private key cannot be had"))
    }

    /// Its public key as an uncompressed point.
    pub(super) fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Its public key as a `COSE_Key` (RFC 9053 section 7.1.1), base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        // An uncompressed point is 0x04, then x and y of 32 bytes each.
        let point = self.point();
        let x = point.get(1..33).unwrap_or_default();
        let y = point.get(33..65).unwrap_or_default();
        // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        let mut cose = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        cose.extend_from_slice(x);
        cose.extend_from_slice(&[0x22, 0x58, 0x20]);
        cose.extend_from_slice(y);
        base64url(&cose)
    }

    /// Signs a challenge (base64url) for a relying party on an origin, perhaps wrongly.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn assert(
        &mut self,
        challenge: &str,
        relying_party: &str,
        origin: &str,
        flaw: Option<Flaw>,
    ) -> Result<Value, Unsound> {
        let is = |wanted| flaw == Some(wanted);
        let client_data = json!({
            "type": if is(Flaw::Type) { "webauthn.create" } else { "webauthn.get" },
            "challenge": if is(Flaw::Challenge) { base64url(&sha256(challenge.as_bytes())) } else { challenge.to_owned() },
            "origin": if is(Flaw::Origin) { "https://elsewhere.example" } else { origin },
            "crossOrigin": is(Flaw::CrossOrigin),
        })
        .to_string();
        if self.counts && !is(Flaw::Counter) {
            self.counter += 1;
        }
        let party = if is(Flaw::RelyingParty) {
            "elsewhere.example"
        } else {
            relying_party
        };
        let mut data = sha256(party.as_bytes()).to_vec();
        data.push(
            u8::from(!is(Flaw::UserPresent))
                | (u8::from(!is(Flaw::UserVerified)) << 2)
                | (u8::from(is(Flaw::Copiable)) << 3),
        );
        data.extend_from_slice(&self.counter.to_be_bytes());
        let mut signed = data.clone();
        signed.extend_from_slice(&sha256(client_data.as_bytes()));
        let pair = if is(Flaw::Key) {
            &self.stranger
        } else {
            &self.pair
        };
        let mut signature = pair
            .sign(&SystemRandom::new(), &signed)
            .map_err(|_| Unsound::new("signing failed"))?
            .as_ref()
            .to_vec();
        if is(Flaw::Signature)
            && let Some(last) = signature.last_mut()
        {
            *last ^= 1;
        }
        Ok(json!({
            "id": self.credential_id(),
            "rawId": self.credential_id(),
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data.as_bytes()),
                "authenticatorData": base64url(&data),
                "signature": base64url(&signature),
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::digest::from_base64url;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    fn part(assertion: &Value, name: &str) -> Vec<u8> {
        from_base64url(assertion["response"][name].as_str().unwrap()).unwrap()
    }

    fn verifies(passkey: &Passkey, assertion: &Value) -> bool {
        let mut signed = part(assertion, "authenticatorData");
        signed.extend_from_slice(&sha256(&part(assertion, "clientDataJSON")));
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, passkey.pair.public_key().as_ref())
            .verify(&signed, &part(assertion, "signature"))
            .is_ok()
    }

    #[test]
    fn every_flaw_shows_in_one_place() {
        let mut passkey = Passkey::generate().unwrap();
        let challenge = base64url(&[9; 32]);
        let sound = passkey.assert(&challenge, "rp", "http://rp", None).unwrap();
        assert!(verifies(&passkey, &sound));
        let data = part(&sound, "authenticatorData");
        assert_eq!(data[32..], [5, 0, 0, 0, 1]);
        for (flaw, name) in Flaw::ALL {
            let wrong = passkey
                .assert(&challenge, "rp", "http://rp", Some(*flaw))
                .unwrap();
            let broken = matches!(flaw, Flaw::Key | Flaw::Signature);
            assert_eq!(verifies(&passkey, &wrong), !broken, "{name}");
            let client = part(&wrong, "clientDataJSON") != part(&sound, "clientDataJSON");
            let expected = matches!(
                flaw,
                Flaw::Type | Flaw::Challenge | Flaw::Origin | Flaw::CrossOrigin
            );
            assert_eq!(client, expected, "{name}");
        }
    }

    #[test]
    fn the_cose_key_is_77_bytes() {
        let passkey = Passkey::generate().unwrap();
        assert_eq!(from_base64url(&passkey.public_key()).unwrap().len(), 77);
    }
}
