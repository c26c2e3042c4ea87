//! What an authenticator asserts over a challenge of ours (specification chapter 12, Web
//! Authentication Level 3 section 7.2).

use serde_json::Value;

use super::cose::CoseKey;
use crate::canonical::{from_base64url, sha256};
use crate::json::{self, Limits};
use crate::ops::approve::Assertion;

/// How long the fixed part of authenticator data is: hash, flags, counter.
const FIXED: usize = 37;

/// Flags of authenticator data (Web Authentication Level 3 section 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED_DATA: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// Why an assertion proves nothing, or why a key cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyFault {
    /// A part is not in its form.
    #[error("a part of the evidence is malformed")]
    Malformed,
    /// The key is none that can be verified with: ES256, ES384, RS256 and `EdDSA` are.
    #[error("the public key is not an ES256, ES384, RS256 or EdDSA key")]
    Key,
    /// None of the approver's authenticators has this credential id.
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

/// Who has to have signed, and where.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The credential id, base64url.
    pub credential_id: &'a str,
    /// The `COSE_Key`.
    pub public_key: &'a [u8],
    /// The relying party.
    pub relying_party_id: &'a str,
    /// The origins that a client data may name.
    pub origins: &'a [String],
}

/// What an assertion says of its authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// The signature counter; 0 where the authenticator has none.
    pub counter: u32,
    /// Whether the key can leave the authenticator it was made in.
    pub backup_eligible: bool,
}

/// Checks that `signer` signed `challenge`, with its person present and verified. Whether the
/// counter grew is left to who keeps it.
///
/// # Errors
/// [`PasskeyFault`], in the order in which the parts are checked.
pub fn check(
    signer: Signer<'_>,
    challenge: &[u8],
    assertion: &Assertion,
) -> Result<Asserted, PasskeyFault> {
    if assertion.id != signer.credential_id {
        return Err(PasskeyFault::UnknownPasskey);
    }
    if assertion.kind != "public-key" || assertion.raw_id != assertion.id {
        return Err(PasskeyFault::Malformed);
    }
    let read = |text: &str| from_base64url(text).map_err(|_| PasskeyFault::Malformed);
    let response = &assertion.response;
    if let Some(handle) = &response.user_handle {
        read(handle)?;
    }
    let client_data = read(&response.client_data_json)?;
    let site = client_data_of(&client_data, "webauthn.get", signer.origins)?;
    if site.challenge != challenge {
        return Err(PasskeyFault::Challenge);
    }
    if site.is_elsewhere {
        return Err(PasskeyFault::Origin);
    }
    if site.is_framed {
        return Err(PasskeyFault::Frame);
    }
    let data = read(&response.authenticator_data)?;
    let (flags, counter) = head(&data, signer.relying_party_id)?;
    let rest = data.get(FIXED..).unwrap_or_default();
    let is_formed = match flags & EXTENSIONS {
        0 => rest.is_empty(),
        _ => matches!(
            serde_cbor_2::from_slice(rest),
            Ok(serde_cbor_2::Value::Map(_))
        ),
    };
    if !is_formed || flags & ATTESTED_DATA != 0 {
        return Err(PasskeyFault::Malformed);
    }
    let key = CoseKey::parse(signer.public_key).map_err(|_| PasskeyFault::Key)?;
    let signed = [data.as_slice(), &sha256(&client_data)].concat();
    if !key.verifies(&signed, &read(&response.signature)?) {
        return Err(PasskeyFault::Signature);
    }
    Ok(Asserted {
        counter,
        backup_eligible: flags & BACKUP_ELIGIBLE != 0,
    })
}

/// Where and over what a client data was made.
pub(super) struct ClientData {
    pub(super) challenge: Vec<u8>,
    pub(super) is_elsewhere: bool,
    pub(super) is_framed: bool,
}

/// Reads a client data, strictly: two equal members, or a path after the origin, are refused.
pub(super) fn client_data_of(
    bytes: &[u8],
    kind: &str,
    origins: &[String],
) -> Result<ClientData, PasskeyFault> {
    let data = json::parse(bytes, Limits::default()).map_err(|_| PasskeyFault::Malformed)?;
    let member = |name: &str| data.get(name).and_then(Value::as_str);
    if member("type") != Some(kind) {
        return Err(PasskeyFault::Ceremony);
    }
    let challenge = member("challenge").and_then(|text| from_base64url(text).ok());
    let origin = member("origin");
    let framed = data
        .get("crossOrigin")
        .is_some_and(|value| *value != Value::Bool(false));
    Ok(ClientData {
        challenge: challenge.ok_or(PasskeyFault::Challenge)?,
        is_elsewhere: !origins.iter().any(|one| Some(one.as_str()) == origin),
        is_framed: framed || data.get("topOrigin").is_some(),
    })
}

/// Flags and counter of authenticator data whose person was present and verified.
pub(super) fn head(data: &[u8], relying_party_id: &str) -> Result<(u8, u32), PasskeyFault> {
    let (Some(hash), Some(flags), Some(counter)) = (
        data.get(..32),
        data.get(32),
        data.get(33..FIXED).and_then(|bytes| bytes.try_into().ok()),
    ) else {
        return Err(PasskeyFault::Malformed);
    };
    if hash != sha256(relying_party_id.as_bytes()) {
        return Err(PasskeyFault::RelyingParty);
    }
    if flags & PRESENT == 0 {
        return Err(PasskeyFault::NotPresent);
    }
    if flags & VERIFIED == 0 {
        return Err(PasskeyFault::NotVerified);
    }
    // What is backed up can be (Web Authentication Level 3 section 6.1.3).
    if flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0 {
        return Err(PasskeyFault::Malformed);
    }
    Ok((*flags, u32::from_be_bytes(counter)))
}

/// Whether a key of these flags can leave the authenticator it was made in.
pub(super) const fn is_backup_eligible(flags: u8) -> bool {
    flags & BACKUP_ELIGIBLE != 0
}
