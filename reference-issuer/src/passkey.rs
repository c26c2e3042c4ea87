//! Passkeys: verification of a `WebAuthn` assertion over a challenge of our own
//! (specification chapter 12; Web Authentication Level 3 section 7.2).
//!
//! `webauthn-rs-core` draws its challenges itself; ours, which binds the decision, goes in
//! through its serialisable [`AuthenticationState`]. This module is the only one that knows.

use std::time::Duration;

use clp_schemas::canonical::{from_base64url, to_base64url};
use clp_schemas::json::{self, Limits};
use clp_schemas::ops::approve::Assertion;
use serde_json::Value;
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AuthenticationState, COSEAlgorithm, COSEKey, Credential, CredentialV3, PublicKeyCredential,
    UserVerificationPolicy,
};

/// Where the flags stand in authenticator data, right after the hash of the relying party.
const FLAGS_AT: usize = 32;
/// Backup eligible.
const FLAG_BE: u8 = 0x08;
/// Backed up.
const FLAG_BS: u8 = 0x10;

/// A registered passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The `WebAuthn` credential id, base64url.
    pub credential_id: String,
    /// The `COSE_Key` (RFC 9052 section 7), CBOR.
    pub public_key: Vec<u8>,
    /// The signature counter last seen; 0 where the authenticator has none.
    pub counter: u32,
}

/// A passkey that proved its presence, and its counter now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Which one.
    pub credential_id: String,
    /// What to remember as its counter.
    pub counter: u32,
}

/// Why an assertion proves nothing, or why a key cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyFault {
    /// A part is not in its form.
    #[error("a part of the evidence is malformed")]
    Malformed,
    /// The key is none that can be verified with: ES256, ES384 and RS256 are.
    #[error("the public key is not an ES256, ES384 or RS256 key")]
    Key,
    /// None of the approver's passkeys has this credential id.
    #[error("the passkey is not registered for this approver")]
    UnknownPasskey,
    /// The client data is of another ceremony.
    #[error("the client data is not of type `webauthn.get`")]
    Ceremony,
    /// Another challenge was signed.
    #[error("another challenge was signed")]
    Challenge,
    /// It was signed for another site.
    #[error("the assertion was made for another origin")]
    Origin,
    /// It was signed inside a frame of another site.
    #[error("the assertion was made in a frame of another origin")]
    Frame,
    /// It was signed for another relying party.
    #[error("the assertion was made for another relying party")]
    RelyingParty,
    /// Nobody was there.
    #[error("the person was not present")]
    NotPresent,
    /// Nobody proved who they are.
    #[error("the person was not verified")]
    NotVerified,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// The counter did not grow: there may be a copy of the passkey.
    #[error("the signature counter did not grow")]
    Counter,
}

impl Passkey {
    /// Takes a key in, once it is known that signatures can be checked with it.
    ///
    /// # Errors
    /// [`PasskeyFault::Malformed`] or [`PasskeyFault::Key`].
    pub fn register(credential_id: &str, public_key: &str) -> Result<Self, PasskeyFault> {
        from_base64url(credential_id).map_err(|_| PasskeyFault::Malformed)?;
        let public_key = from_base64url(public_key).map_err(|_| PasskeyFault::Malformed)?;
        cose_key(&public_key)?;
        Ok(Self {
            credential_id: credential_id.to_owned(),
            public_key,
            counter: 0,
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
    if assertion.kind != "public-key" || assertion.raw_id != assertion.id {
        return Err(PasskeyFault::Malformed);
    }
    check_client_data(&assertion.response.client_data_json, challenge, origin)?;

    let answer: PublicKeyCredential = serde_json::to_value(assertion)
        .and_then(serde_json::from_value)
        .map_err(|_| PasskeyFault::Malformed)?;
    let flags = *answer
        .response
        .authenticator_data
        .get(FLAGS_AT)
        .ok_or(PasskeyFault::Malformed)?;
    let credential = credential(passkey, flags)?;
    let site = Url::parse(origin).map_err(|_| PasskeyFault::Origin)?;
    let core = WebauthnCore::new_unsafe_experts_only(
        rp_id,
        rp_id,
        vec![site],
        Duration::from_secs(300),
        Some(false),
        Some(false),
    );
    let state = state(&core, credential, challenge)?;
    let result = core
        .authenticate_credential(&answer, &state)
        .map_err(fault)?;
    Ok(Used {
        credential_id: passkey.credential_id.clone(),
        counter: result.counter(),
    })
}

/// What the crate leaves open: it takes any path after the origin, a client data of two
/// equal members, and a frame of another site.
fn check_client_data(text: &str, challenge: &[u8], origin: &str) -> Result<(), PasskeyFault> {
    let bytes = from_base64url(text).map_err(|_| PasskeyFault::Malformed)?;
    let data = json::parse(&bytes, Limits::default()).map_err(|_| PasskeyFault::Malformed)?;
    let member = |name: &str| data.get(name).and_then(Value::as_str);
    if member("type") != Some("webauthn.get") {
        return Err(PasskeyFault::Ceremony);
    }
    if member("challenge") != Some(to_base64url(challenge).as_str()) {
        return Err(PasskeyFault::Challenge);
    }
    let framed = data
        .get("crossOrigin")
        .is_some_and(|value| *value != Value::Bool(false));
    if member("origin") != Some(origin) {
        return Err(PasskeyFault::Origin);
    }
    if framed || data.get("topOrigin").is_some() {
        return Err(PasskeyFault::Frame);
    }
    Ok(())
}

fn cose_key(bytes: &[u8]) -> Result<COSEKey, PasskeyFault> {
    let value: serde_cbor_2::Value =
        serde_cbor_2::from_slice(bytes).map_err(|_| PasskeyFault::Key)?;
    let key = COSEKey::try_from(&value).map_err(|_| PasskeyFault::Key)?;
    match key.type_ {
        COSEAlgorithm::ES256 | COSEAlgorithm::ES384 | COSEAlgorithm::RS256 => Ok(key),
        _ => Err(PasskeyFault::Key),
    }
}

/// The crate's view of a passkey. It refuses a passkey whose backup flags changed since
/// registration; here no registration told them, so they are taken as they come.
fn credential(passkey: &Passkey, flags: u8) -> Result<Credential, PasskeyFault> {
    let mut credential = Credential::from(CredentialV3 {
        cred_id: from_base64url(&passkey.credential_id).map_err(|_| PasskeyFault::Malformed)?,
        cred: cose_key(&passkey.public_key)?,
        counter: passkey.counter,
        verified: true,
        registration_policy: UserVerificationPolicy::Required,
    });
    credential.backup_eligible = flags & FLAG_BE != 0;
    credential.backup_state = flags & FLAG_BS != 0;
    Ok(credential)
}

/// The state of a ceremony whose challenge is ours.
fn state(
    core: &WebauthnCore,
    credential: Credential,
    challenge: &[u8],
) -> Result<AuthenticationState, PasskeyFault> {
    let builder = core
        .new_challenge_authenticate_builder(
            vec![credential],
            Some(UserVerificationPolicy::Required),
        )
        .map_err(fault)?;
    let (_, drawn) = core
        .generate_challenge_authenticate(builder)
        .map_err(fault)?;
    let mut state = serde_json::to_value(drawn).map_err(|_| PasskeyFault::Malformed)?;
    let place = state.get_mut("challenge").ok_or(PasskeyFault::Malformed)?;
    *place = Value::String(to_base64url(challenge));
    serde_json::from_value(state).map_err(|_| PasskeyFault::Malformed)
}

fn fault(error: WebauthnError) -> PasskeyFault {
    match error {
        WebauthnError::InvalidClientDataType => PasskeyFault::Ceremony,
        WebauthnError::MismatchedChallenge => PasskeyFault::Challenge,
        WebauthnError::InvalidRPOrigin => PasskeyFault::Origin,
        WebauthnError::InvalidRPIDHash => PasskeyFault::RelyingParty,
        WebauthnError::UserNotPresent => PasskeyFault::NotPresent,
        WebauthnError::UserNotVerified => PasskeyFault::NotVerified,
        WebauthnError::CredentialNotFound => PasskeyFault::UnknownPasskey,
        WebauthnError::CredentialPossibleCompromise => PasskeyFault::Counter,
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => {
            PasskeyFault::Signature
        }
        _ => PasskeyFault::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    use clp_schemas::canonical::sha256;
    use clp_schemas::ops::approve::AssertionResponse;
    use serde_json::json;

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
        // An Ed25519 key is well-formed, but the crate does not verify with it.
        let mut ed25519 = vec![0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
        ed25519.extend_from_slice(&[3; 32]);
        assert_eq!(register(&ed25519), Err(PasskeyFault::Key));
    }
}
