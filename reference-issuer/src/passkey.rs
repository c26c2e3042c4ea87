//! Authenticators that principals have registered, and what is remembered of each.

use clp_schemas::approval::attestation::{AttestationFault, RegisteredKey};
use clp_schemas::approval::cose::CoseKey;
use clp_schemas::approval::webauthn::{self, PasskeyFault, Signer};
use clp_schemas::canonical::from_base64url;
use clp_schemas::ops::approve::{Assertion, Attestation};

/// A registered authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The `WebAuthn` credential id, base64url.
    pub credential_id: String,
    /// The `COSE_Key` (RFC 9052 section 7), CBOR.
    pub public_key: Vec<u8>,
    /// The signature counter last seen; 0 where the authenticator has none.
    pub counter: u32,
    /// The registration, where one was shown. What it is worth is looked at when it is relied on.
    pub attestation: Option<Attestation>,
}

/// An authenticator that proved its presence, and what it said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Which one.
    pub credential_id: String,
    /// What to remember as its counter.
    pub counter: u32,
    /// Whether its key can be copied.
    pub backup_eligible: bool,
}

impl Passkey {
    /// Takes a key in, once it is known that signatures can be checked with it.
    ///
    /// # Errors
    /// [`PasskeyFault::Malformed`] or [`PasskeyFault::Key`].
    pub fn register(credential_id: &str, public_key: &str) -> Result<Self, PasskeyFault> {
        from_base64url(credential_id).map_err(|_| PasskeyFault::Malformed)?;
        let public_key = from_base64url(public_key).map_err(|_| PasskeyFault::Malformed)?;
        CoseKey::parse(&public_key).map_err(|_| PasskeyFault::Key)?;
        Ok(Self {
            credential_id: credential_id.to_owned(),
            public_key,
            counter: 0,
            attestation: None,
        })
    }

    /// Takes the key of a registration in, and keeps the registration.
    ///
    /// # Errors
    /// [`AttestationFault::Malformed`], where no key can be taken out of it.
    pub fn attested(attestation: &Attestation) -> Result<Self, AttestationFault> {
        let key = RegisteredKey::read(attestation)?;
        Ok(Self {
            credential_id: key.credential_id,
            public_key: key.public_key,
            counter: key.counter,
            attestation: Some(attestation.clone()),
        })
    }
}

/// Verifies that one of `registered` signed `challenge` at `origin`, with its person present
/// and verified.
///
/// # Errors
/// [`PasskeyFault`], in the order in which the parts are checked.
pub fn verify(
    registered: &[Passkey],
    challenge: &[u8],
    assertion: &Assertion,
    rp_id: &str,
    origin: &str,
) -> Result<Used, PasskeyFault> {
    let passkey = registered
        .iter()
        .find(|passkey| passkey.credential_id == assertion.id)
        .ok_or(PasskeyFault::UnknownPasskey)?;
    let signer = Signer {
        credential_id: &passkey.credential_id,
        public_key: &passkey.public_key,
        relying_party_id: rp_id,
        origins: &[origin.to_owned()],
    };
    let asserted = webauthn::check(signer, challenge, assertion)?;
    // Many passkeys are synchronised, and always count zero.
    let counts = asserted.counter != 0 || passkey.counter != 0;
    if counts && asserted.counter <= passkey.counter {
        return Err(PasskeyFault::Counter);
    }
    Ok(Used {
        credential_id: passkey.credential_id.clone(),
        counter: asserted.counter,
        backup_eligible: asserted.backup_eligible,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    use clp_schemas::canonical::{sha256, to_base64url};
    use clp_schemas::ops::approve::AssertionResponse;
    use serde_json::{Value, json};

    const FLAG_BE: u8 = 0x08;
    const FLAG_BS: u8 = 0x10;

    const RP: &str = "localhost";
    const ORIGIN: &str = "http://localhost:8801";
    const CHALLENGE: [u8; 32] = [7; 32];
    const PRESENT_AND_VERIFIED: u8 = 0x05;

    /// An authenticator in software, and everything that it puts into an assertion.
    struct Authenticator {
        pair: EcdsaKeyPair,
        credential_id: String,
        client_data: Value,
        rp_id: &'static str,
        flags: u8,
        counter: u32,
    }

    impl Authenticator {
        fn new() -> Self {
            Self {
                pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
                credential_id: to_base64url(&[9; 16]),
                client_data: json!({
                    "type": "webauthn.get",
                    "challenge": to_base64url(&CHALLENGE),
                    "origin": ORIGIN,
                    "crossOrigin": false,
                }),
                rp_id: RP,
                flags: PRESENT_AND_VERIFIED,
                counter: 5,
            }
        }

        fn passkey(&self) -> Passkey {
            let point = self.pair.public_key().as_ref();
            let mut cose = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
            cose.extend_from_slice(&point[1..33]);
            cose.extend_from_slice(&[0x22, 0x58, 0x20]);
            cose.extend_from_slice(&point[33..]);
            let mut passkey = Passkey::register(&self.credential_id, &to_base64url(&cose)).unwrap();
            passkey.counter = 4;
            passkey
        }

        fn assert(&self) -> Assertion {
            let client_data = self.client_data.to_string().into_bytes();
            let mut data = sha256(self.rp_id.as_bytes()).to_vec();
            data.push(self.flags);
            data.extend_from_slice(&self.counter.to_be_bytes());
            let signed = [data.as_slice(), &sha256(&client_data)].concat();
            let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
            Assertion {
                id: self.credential_id.clone(),
                raw_id: self.credential_id.clone(),
                kind: "public-key".to_owned(),
                response: AssertionResponse {
                    client_data_json: to_base64url(&client_data),
                    authenticator_data: to_base64url(&data),
                    signature: to_base64url(signature.as_ref()),
                    user_handle: None,
                },
            }
        }

        fn check(&self) -> Result<Used, PasskeyFault> {
            verify(&[self.passkey()], &CHALLENGE, &self.assert(), RP, ORIGIN)
        }
    }

    /// First the twin that is accepted, then the same with one thing changed.
    fn refused_once(change: impl FnOnce(&mut Authenticator)) -> PasskeyFault {
        let mut authenticator = Authenticator::new();
        assert!(authenticator.check().is_ok());
        change(&mut authenticator);
        authenticator.check().unwrap_err()
    }

    #[test]
    fn what_the_person_signed_is_accepted() {
        let authenticator = Authenticator::new();
        let used = authenticator.check().unwrap();
        assert_eq!(used.credential_id, authenticator.credential_id);
        assert_eq!(used.counter, 5);
    }

    #[test]
    fn a_synchronised_passkey_without_a_counter_is_accepted() {
        let mut authenticator = Authenticator::new();
        authenticator.flags |= FLAG_BE | FLAG_BS;
        authenticator.counter = 0;
        let mut passkey = authenticator.passkey();
        passkey.counter = 0;
        let used = verify(&[passkey], &CHALLENGE, &authenticator.assert(), RP, ORIGIN).unwrap();
        assert_eq!(used.counter, 0);
    }

    #[test]
    fn another_challenge_ceremony_or_site_is_refused() {
        let set = |name: &'static str, value: Value| {
            refused_once(|authenticator| authenticator.client_data[name] = value)
        };
        assert_eq!(
            set("challenge", json!(to_base64url(&[8; 32]))),
            PasskeyFault::Challenge
        );
        assert_eq!(
            set("type", json!("webauthn.create")),
            PasskeyFault::Ceremony
        );
        assert_eq!(
            set("origin", json!("http://localhost:8802")),
            PasskeyFault::Origin
        );
        assert_eq!(
            set("origin", json!("http://localhost:8801/")),
            PasskeyFault::Origin
        );
        assert_eq!(set("crossOrigin", json!(true)), PasskeyFault::Frame);
        assert_eq!(
            set("topOrigin", json!("http://evil.example")),
            PasskeyFault::Frame
        );
    }

    #[test]
    fn another_relying_party_is_refused() {
        let fault = refused_once(|authenticator| authenticator.rp_id = "evil.example");
        assert_eq!(fault, PasskeyFault::RelyingParty);
    }

    #[test]
    fn presence_and_verification_are_both_needed() {
        for (flags, wanted) in [
            (0x00, PasskeyFault::NotPresent),
            (0x01, PasskeyFault::NotVerified),
            (0x04, PasskeyFault::NotPresent),
        ] {
            let fault = refused_once(|authenticator| authenticator.flags = flags);
            assert_eq!(fault, wanted, "{flags}");
        }
    }

    #[test]
    fn a_counter_that_does_not_grow_is_refused() {
        for counter in [4, 3, 0] {
            let fault = refused_once(|authenticator| authenticator.counter = counter);
            assert_eq!(fault, PasskeyFault::Counter, "{counter}");
        }
    }

    #[test]
    fn a_signature_by_another_key_is_refused() {
        let (known, other) = (Authenticator::new(), Authenticator::new());
        let check = |assertion| verify(&[known.passkey()], &CHALLENGE, &assertion, RP, ORIGIN);
        assert!(check(known.assert()).is_ok());
        assert_eq!(check(other.assert()), Err(PasskeyFault::Signature));
    }

    #[test]
    fn an_altered_part_is_refused() {
        let authenticator = Authenticator::new();
        let check = |assertion: &Assertion| {
            verify(
                &[authenticator.passkey()],
                &CHALLENGE,
                assertion,
                RP,
                ORIGIN,
            )
        };
        let fine = authenticator.assert();
        assert!(check(&fine).is_ok());

        let mut altered = fine.clone();
        altered.id = to_base64url(&[1; 16]);
        altered.raw_id.clone_from(&altered.id);
        assert_eq!(check(&altered), Err(PasskeyFault::UnknownPasskey));

        let mut altered = fine.clone();
        altered.raw_id = to_base64url(&[1; 16]);
        assert_eq!(check(&altered), Err(PasskeyFault::Malformed));

        let mut altered = fine.clone();
        altered.kind = "password".to_owned();
        assert_eq!(check(&altered), Err(PasskeyFault::Malformed));

        let mut altered = fine.clone();
        let mut data = from_base64url(&altered.response.authenticator_data).unwrap();
        data[36] ^= 0x10;
        altered.response.authenticator_data = to_base64url(&data);
        assert_eq!(check(&altered), Err(PasskeyFault::Signature));

        let mut altered = fine.clone();
        altered.response.authenticator_data = to_base64url(&data[..20]);
        assert_eq!(check(&altered), Err(PasskeyFault::Malformed));

        let mut altered = fine;
        altered.response.signature.insert(3, '=');
        assert_eq!(check(&altered), Err(PasskeyFault::Malformed));
    }

    #[test]
    fn only_keys_that_can_be_verified_with_are_registered() {
        let id = to_base64url(&[9; 16]);
        let fine = Authenticator::new().passkey().public_key;
        let register = |key: &[u8]| Passkey::register(&id, &to_base64url(key));
        assert!(register(&fine).is_ok());

        let mut off_curve = fine.clone();
        off_curve[12] ^= 1;
        assert_eq!(register(&off_curve), Err(PasskeyFault::Key));
        assert_eq!(register(&fine[..40]), Err(PasskeyFault::Key));
        assert_eq!(register(b"not cbor"), Err(PasskeyFault::Key));
        assert_eq!(
            Passkey::register("not base64!", "pQ"),
            Err(PasskeyFault::Malformed)
        );
    }
}
