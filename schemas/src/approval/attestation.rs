//! What the maker of an authenticator says of it when a key is registered (specification
//! chapter 12; Web Authentication Level 3 sections 7.1 and 8).
//!
//! The statement itself is checked by `webauthn-rs-core`. It draws challenges of its own; the
//! one that was signed goes in through its serialisable state, and this module is the only one
//! that knows.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize as _;
use serde_cbor_2::Value as Cbor;
use serde_json::Value;
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::attestation::verify_attestation_ca_chain;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AttestationCaList, AttestationCaListBuilder, AttestationFormat,
    AuthenticatorAttestationResponseRaw, COSEAlgorithm, Credential, ParsedAttestationData,
    RegisterPublicKeyCredential, RegistrationExtensionsClientOutputs, RegistrationState,
    UserVerificationPolicy,
};

use super::cose::CoseKey;
use super::webauthn::{PasskeyFault, client_data_of, head, is_backup_eligible};
use crate::canonical::{from_base64url, to_base64url};
use crate::ops::approve::{Attestation, AttestationTrust};
use crate::time::Timestamp;

/// Where an AAGUID stands in authenticator data, and how long it is.
const MODEL: std::ops::Range<usize> = 37..53;

/// Why a registration does not show that a key lives in a trusted authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationFault {
    /// A part is not in its form, or the attested key is none to verify with.
    #[error("the registration of the authenticator is malformed")]
    Malformed,
    /// Nobody attested it: the format is `none`, or the key vouches for itself.
    #[error("no maker attested the authenticator")]
    Unattested,
    /// The statement is of a format that does not sign the authenticator data: model and flags in
    /// it are anybody's word.
    #[error("the attestation does not cover the model of the authenticator")]
    Uncovered,
    /// The registration was another ceremony, or was made elsewhere or by nobody.
    #[error("the registration of the authenticator: {0}")]
    Ceremony(PasskeyFault),
    /// The statement, or the certificate that it is signed with, does not hold.
    #[error("the attestation does not hold")]
    Statement,
    /// The certificate is of another model than the one that is stated.
    #[error("the attestation is by the certificate of another model")]
    OtherModel,
    /// The certificate does not lead to a root that is trusted.
    #[error("the attestation leads to no root that is trusted")]
    Chain,
    /// The model is not among those that are trusted.
    #[error("the model of the authenticator is not among those that are trusted")]
    Model,
    /// The key can leave the authenticator.
    #[error("the key of the authenticator can be copied")]
    BackupEligible,
}

/// A key as it stands in a registration, unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredKey {
    /// The credential id, base64url.
    pub credential_id: String,
    /// The `COSE_Key`.
    pub public_key: Vec<u8>,
    /// The signature counter then.
    pub counter: u32,
    /// The AAGUID, in the spelling of RFC 9562.
    pub model: String,
    data: Vec<u8>,
}

impl RegisteredKey {
    /// Takes the key out of an attestation object. Nothing is verified.
    ///
    /// # Errors
    /// [`AttestationFault::Malformed`], also for a key that cannot be verified with.
    pub fn read(attestation: &Attestation) -> Result<Self, AttestationFault> {
        parts(&attestation.attestation_object).ok_or(AttestationFault::Malformed)
    }
}

fn parts(attestation_object: &str) -> Option<RegisteredKey> {
    let bytes = from_base64url(attestation_object).ok()?;
    let members: BTreeMap<Cbor, Cbor> = serde_cbor_2::from_slice(&bytes).ok()?;
    let Some(Cbor::Bytes(data)) = members.get(&Cbor::Text("authData".to_owned())) else {
        return None;
    };
    let counter = u32::from_be_bytes(data.get(33..37)?.try_into().ok()?);
    let model: [u8; 16] = data.get(MODEL)?.try_into().ok()?;
    let length = u16::from_be_bytes(data.get(53..55)?.try_into().ok()?);
    let (id, rest) = data.get(55..)?.split_at_checked(usize::from(length))?;
    // Extensions can follow the key, so it ends where its map does.
    let mut reader = serde_cbor_2::Deserializer::from_slice(rest);
    Cbor::deserialize(&mut reader).ok()?;
    let public_key = rest.get(..reader.byte_offset())?.to_vec();
    CoseKey::parse(&public_key).ok()?;
    Some(RegisteredKey {
        credential_id: to_base64url(id),
        public_key,
        counter,
        model: spelled(model),
        data: data.clone(),
    })
}

/// Whether a text is a model as it is spelled in [`AttestationTrust`].
#[must_use]
pub fn is_model(text: &str) -> bool {
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    u128::from_str_radix(&digits, 16).is_ok_and(|number| spelled(number.to_be_bytes()) == text)
}

/// Whether a text is a certificate (RFC 5280): DER, base64url without padding.
#[must_use]
pub fn is_certificate(text: &str) -> bool {
    list_of(text).is_some()
}

/// An AAGUID as RFC 9562 section 4 spells it.
fn spelled(model: [u8; 16]) -> String {
    let text = format!("{:032x}", u128::from_be_bytes(model));
    let mut out = String::with_capacity(36);
    for (at, letter) in text.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(letter);
    }
    out
}

/// Checks that a key was made in an authenticator of a trusted model, in a registration at this
/// relying party, and that it cannot leave it. Answers the root that vouches for it, base64url.
/// The challenge of the registration is not looked at: whoever registered the key drew it.
///
/// # Errors
/// [`AttestationFault`], in the order in which the parts are checked.
pub fn check(
    attestation: &Attestation,
    relying_party_id: &str,
    origins: &[String],
    trust: &AttestationTrust,
    now: Timestamp,
) -> Result<String, AttestationFault> {
    let key = RegisteredKey::read(attestation)?;
    let client_data =
        from_base64url(&attestation.client_data_json).map_err(|_| AttestationFault::Malformed)?;
    let site = client_data_of(&client_data, "webauthn.create", origins).map_err(ceremony)?;
    if site.is_elsewhere {
        return Err(AttestationFault::Ceremony(PasskeyFault::Origin));
    }
    if site.is_framed {
        return Err(AttestationFault::Ceremony(PasskeyFault::Frame));
    }
    let (flags, _) = head(&key.data, relying_party_id).map_err(ceremony)?;
    let object =
        from_base64url(&attestation.attestation_object).map_err(|_| AttestationFault::Malformed)?;
    let credential = statement(
        object,
        client_data,
        &site.challenge,
        relying_party_id,
        origins,
    )?;
    // Such a statement is over the key and its id alone (Web Authentication Level 3 section 8.6).
    if credential.attestation_format == AttestationFormat::FIDOU2F {
        return Err(AttestationFault::Uncovered);
    }
    let data = &credential.attestation.data;
    if matches!(
        data,
        ParsedAttestationData::None | ParsedAttestationData::Self_
    ) {
        return Err(AttestationFault::Unattested);
    }
    let root = trust.roots.iter().find(|root| leads_to(data, root, now));
    let root = root.ok_or(AttestationFault::Chain)?;
    if !trust.models.contains(&key.model) {
        return Err(AttestationFault::Model);
    }
    if is_backup_eligible(flags) {
        return Err(AttestationFault::BackupEligible);
    }
    Ok(root.clone())
}

const fn ceremony(fault: PasskeyFault) -> AttestationFault {
    match fault {
        PasskeyFault::Malformed => AttestationFault::Malformed,
        fault => AttestationFault::Ceremony(fault),
    }
}

/// The attestation statement, checked by its format.
fn statement(
    attestation_object: Vec<u8>,
    client_data_json: Vec<u8>,
    challenge: &[u8],
    relying_party_id: &str,
    origins: &[String],
) -> Result<Credential, AttestationFault> {
    let sites = origins.iter().filter_map(|origin| Url::parse(origin).ok());
    let core = WebauthnCore::new_unsafe_experts_only(
        relying_party_id,
        relying_party_id,
        sites.collect(),
        Duration::from_secs(300),
        Some(false),
        Some(false),
    );
    let answer = RegisterPublicKeyCredential {
        // The crate takes the id from the attested data, as it should.
        id: String::new(),
        raw_id: Vec::new(),
        response: AuthenticatorAttestationResponseRaw {
            attestation_object,
            client_data_json,
            transports: None,
        },
        type_: "public-key".to_owned(),
        extensions: RegistrationExtensionsClientOutputs::default(),
    };
    let state = state(&core, challenge).ok_or(AttestationFault::Malformed)?;
    core.register_credential(&answer, &state, None)
        .map_err(|error| fault(&error))
}

/// The state of a registration whose challenge is the one that was signed.
fn state(core: &WebauthnCore, challenge: &[u8]) -> Option<RegistrationState> {
    let builder = core
        .new_challenge_register_builder(&[0], "-", "-")
        .ok()?
        .user_verification_policy(UserVerificationPolicy::Required)
        .credential_algorithms(vec![
            COSEAlgorithm::ES256,
            COSEAlgorithm::ES384,
            COSEAlgorithm::RS256,
            COSEAlgorithm::EDDSA,
        ]);
    let (_, drawn) = core.generate_challenge_register(builder).ok()?;
    let mut state = serde_json::to_value(drawn).ok()?;
    *state.get_mut("challenge")? = Value::String(to_base64url(challenge));
    serde_json::from_value(state).ok()
}

/// A list of this root alone, so that it is known which of several vouches.
fn list_of(root: &str) -> Option<AttestationCaList> {
    let der = from_base64url(root).ok()?;
    let mut builder = AttestationCaListBuilder::new();
    // Models are looked at by us: the crate asks a format for its model, and not the data.
    builder
        .insert_device_der(&der, Default::default(), String::new(), BTreeMap::new())
        .ok()?;
    Some(builder.build())
}

/// Whether the certificates of a statement lead to this root, at this time (RFC 5280 section 6).
fn leads_to(data: &ParsedAttestationData, root: &str, now: Timestamp) -> bool {
    let seconds = u64::try_from(now.unix()).unwrap_or(0);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    list_of(root).is_some_and(|list| {
        verify_attestation_ca_chain(data, &list, time).is_ok_and(|found| found.is_some())
    })
}

fn fault(error: &WebauthnError) -> AttestationFault {
    match error {
        WebauthnError::InvalidRPIDHash => AttestationFault::Ceremony(PasskeyFault::RelyingParty),
        WebauthnError::InvalidRPOrigin => AttestationFault::Ceremony(PasskeyFault::Origin),
        WebauthnError::AttestationNotSupported => AttestationFault::Unattested,
        WebauthnError::AttestationCertificateAAGUIDMismatch => AttestationFault::OtherModel,
        _ => AttestationFault::Statement,
    }
}
