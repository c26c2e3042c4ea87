//! Checks offline what an issuer keeps of a decision (specification chapter 12): everything that
//! anybody can compute, and nothing that only the issuer vouches for.

use serde::Serialize;
use serde_json::Value;

use super::attestation::{self, AttestationFault, RegisteredKey};
use super::webauthn::{self, PasskeyFault, Signer};
use super::{ApprovalDocument, ApprovalFault, CHALLENGE_CONTEXT, Decision};
use crate::canonical::{from_base64url, sha256};
use crate::ids::{PrincipalId, RequestId};
use crate::json;
use crate::ops::approve::{
    ApprovalRecord, Assertion, Attestation, AttestationTrust, AuthenticatorKey, CHALLENGE_SECONDS,
    Evidence, Registration, SignedChallenge, Verification,
};
use crate::ops::discover::AuthMethod;
use crate::time::Timestamp;

/// How much of a record is read.
pub const LIMITS: json::Limits = json::Limits {
    bytes: 256 * 1024,
    depth: 32,
};

/// Why a record proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// The file is not strict JSON, or too large.
    #[error("the record cannot be read: {0}")]
    Unreadable(json::Fault),
    /// It lacks a member, or has one that nobody knows, or a value in another spelling.
    #[error("the record is malformed, or holds more than is known")]
    Form,
    /// It holds no evidence: the decision is the issuer's word alone.
    #[error("the record holds no evidence of the decision")]
    NoEvidence,
    /// The approval document has no digest.
    #[error("the approval document does not stand: {0}")]
    Document(ApprovalFault),
    /// What was signed is another document.
    #[error("the digest is not that of the approval document")]
    Digest,
    /// Its parts are of different requests, versions, decisions, people or times.
    #[error("the parts of the record do not belong together")]
    Parts,
    /// The challenge is not one of this protocol.
    #[error("the challenge is not one of an approval")]
    Challenge,
    /// The evidence is of another form than the method's.
    #[error("the evidence does not have the form of the method")]
    Method,
    /// The key did not sign this decision.
    #[error("the evidence does not stand: {0}")]
    Evidence(PasskeyFault),
    /// The key is not shown to live in hardware.
    #[error("the registration does not stand: {0}")]
    Registration(AttestationFault),
    /// The key that signed is another than the one that was attested.
    #[error("the key that signed is not the one that was registered")]
    OtherKey,
    /// This version does not check this method.
    #[error("evidence of this method cannot be checked here")]
    NotCheckable,
}

impl RecordFault {
    /// The stage of the check that failed, as the test vectors name it.
    #[must_use]
    pub const fn stage(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::Form => "form",
            Self::NoEvidence => "no-evidence",
            Self::Document(_) | Self::Digest => "digest",
            Self::Parts => "parts",
            Self::Challenge => "challenge",
            Self::Method | Self::Evidence(_) | Self::NotCheckable => "evidence",
            Self::Registration(_) | Self::OtherKey => "registration",
        }
    }
}

/// What a record proves, and what it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The issuer that the document names.
    pub issuer: String,
    /// The request decided on.
    pub request_id: RequestId,
    /// The version of it decided on.
    pub version: u64,
    /// Digest of that version, computed here.
    pub digest: String,
    /// Who asked.
    pub requester: PrincipalId,
    /// The decision that was signed.
    pub decision: Decision,
    /// Who decided.
    pub approver: PrincipalId,
    /// How they proved it.
    pub method: AuthMethod,
    /// For `hardware_key`: the model of the authenticator, by its AAGUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
    /// What nothing here proves, and only the issuer vouches for, a sentence each.
    pub vouched_by_issuer: Vec<String>,
}

/// A part of a check that held: what it shows, and what it rests on.
struct Shown {
    model: Option<String>,
    checked: Vec<String>,
    vouched: Vec<String>,
}

/// Reads a record from a file's bytes. What is read is what would be written: a member that is
/// not known, or a value in a second spelling, would be shown to nobody.
///
/// # Errors
/// [`RecordFault::Unreadable`] or [`RecordFault::Form`].
pub fn from_bytes(bytes: &[u8]) -> Result<ApprovalRecord, RecordFault> {
    let value = json::parse(bytes, LIMITS).map_err(RecordFault::Unreadable)?;
    let record: ApprovalRecord =
        serde_json::from_value(value.clone()).map_err(|_| RecordFault::Form)?;
    match serde_json::to_value(&record) {
        Ok(written) if written == value => Ok(record),
        _ => Err(RecordFault::Form),
    }
}

/// Checks everything in a record that can be checked offline.
///
/// # Errors
/// [`RecordFault`], the first found: the document, the challenge, then the evidence.
pub fn verify(record: &ApprovalRecord) -> Result<Report, RecordFault> {
    let document = document(&record.approval_document)?;
    let digest = super::digest(&document).map_err(RecordFault::Document)?;
    let (Some(challenge), Some(evidence), Some(verification)) =
        (&record.challenge, &record.evidence, &record.verification)
    else {
        return Err(RecordFault::NoEvidence);
    };
    if challenge.digest != digest {
        return Err(RecordFault::Digest);
    }
    belongs(record, &document, challenge)?;
    let is_ours = challenge.context == CHALLENGE_CONTEXT
        && from_base64url(&challenge.nonce).is_ok_and(|nonce| nonce.len() == 32);
    if !is_ours {
        return Err(RecordFault::Challenge);
    }
    let signed = super::challenge(
        &digest,
        &challenge.nonce,
        challenge.decision,
        challenge.approver.as_str(),
    );
    let approval = &record.approval;
    let shown = match (approval.method, evidence, verification) {
        (
            AuthMethod::Passkey | AuthMethod::HardwareKey,
            Evidence::Assertion(assertion),
            Verification::Authenticator(key),
        ) => by_authenticator(
            approval.method,
            assertion,
            key,
            &signed,
            approval.approved_at,
        )?,
        (
            AuthMethod::Oidc | AuthMethod::Sso | AuthMethod::Oauth,
            Evidence::IdToken(_) | Evidence::Introspection(_),
            Verification::Provider(_),
        ) => return Err(RecordFault::NotCheckable),
        _ => return Err(RecordFault::Method),
    };
    let approver = challenge.approver.clone();
    Ok(report(record, document, digest, approver, shown))
}

fn document(value: &Value) -> Result<ApprovalDocument, RecordFault> {
    serde_json::from_value(value.clone()).map_err(|_| RecordFault::Form)
}

/// Whether the parts are of one decision: by the same person, on the same version of the same
/// request, within the time that a challenge lasts, and by somebody who did not ask.
fn belongs(
    record: &ApprovalRecord,
    document: &ApprovalDocument,
    challenge: &SignedChallenge,
) -> Result<(), RecordFault> {
    let approval = &record.approval;
    let lapses = challenge.opened_at.plus(CHALLENGE_SECONDS);
    let is_one = approval.request_id == document.request_id
        && approval.version == document.version
        && approval.decision == challenge.decision
        && approval.approver.as_ref() == Some(&challenge.approver)
        && challenge.approver != document.requester
        && (challenge.opened_at..lapses).contains(&approval.approved_at);
    is_one.then_some(()).ok_or(RecordFault::Parts)
}

/// Evidence of `passkey` and `hardware_key`.
fn by_authenticator(
    method: AuthMethod,
    assertion: &Assertion,
    key: &AuthenticatorKey,
    challenge: &[u8; 32],
    at: Timestamp,
) -> Result<Shown, RecordFault> {
    let public_key = from_base64url(&key.public_key)
        .map_err(|_| RecordFault::Evidence(PasskeyFault::Malformed))?;
    let signer = Signer {
        credential_id: &key.credential_id,
        public_key: &public_key,
        relying_party_id: &key.relying_party_id,
        origins: &key.origins,
    };
    let asserted = webauthn::check(signer, challenge, assertion).map_err(RecordFault::Evidence)?;
    let mut shown = Shown {
        model: None,
        checked: vec![format!(
            "the key in the record signed that challenge at {}, with its holder present and verified by the device",
            key.origins.join(" or ")
        )],
        vouched: vec![
            "that this key belongs to that principal, and that the principal is that person"
                .to_owned(),
        ],
    };
    let registration = match (method, &key.registration) {
        (AuthMethod::HardwareKey, Some(registration)) => registration,
        (AuthMethod::HardwareKey, None) => {
            return Err(RecordFault::Registration(AttestationFault::Unattested));
        }
        (_, None) => return Ok(shown),
        // Of a passkey nothing is claimed that a registration could show.
        (_, Some(_)) => return Err(RecordFault::Method),
    };
    if asserted.backup_eligible {
        return Err(RecordFault::Registration(AttestationFault::BackupEligible));
    }
    let registered = registered(registration, key, at)?;
    let is_same =
        registered.credential_id == key.credential_id && registered.public_key == public_key;
    if !is_same {
        return Err(RecordFault::OtherKey);
    }
    shown.checked.push(format!(
        "the key was made in an authenticator of model {}, which says that it cannot leave it; the certificate leads to the root {}",
        registered.model,
        root_name(&registration.root)
    ));
    shown
        .vouched
        .push("that this root is the maker's, and that the maker builds what it says".to_owned());
    shown.model = Some(registered.model);
    Ok(shown)
}

/// The key that a registration shows, where its root is believed.
fn registered(
    registration: &Registration,
    key: &AuthenticatorKey,
    at: Timestamp,
) -> Result<RegisteredKey, RecordFault> {
    let attestation = Attestation {
        client_data_json: registration.client_data_json.clone(),
        attestation_object: registration.attestation_object.clone(),
    };
    let registered = RegisteredKey::read(&attestation).map_err(RecordFault::Registration)?;
    let trust = AttestationTrust {
        roots: vec![registration.root.clone()],
        models: vec![registered.model.clone()],
    };
    attestation::check(
        &attestation,
        &key.relying_party_id,
        &key.origins,
        &trust,
        at,
    )
    .map_err(RecordFault::Registration)?;
    Ok(registered)
}

/// A root by its hash, so that it can be compared with one that is published.
fn root_name(root: &str) -> String {
    let der = from_base64url(root).unwrap_or_default();
    let hash: String = sha256(&der)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("SHA-256 {hash}")
}

fn report(
    record: &ApprovalRecord,
    document: ApprovalDocument,
    digest: String,
    approver: PrincipalId,
    shown: Shown,
) -> Report {
    let approval = &record.approval;
    let mut checked = vec![
        "the digest is that of the approval document".to_owned(),
        format!(
            "the challenge binds that digest, the decision `{}` and the approver",
            approval.decision.as_str()
        ),
    ];
    checked.extend(shown.checked);
    let mut vouched_by_issuer = shown.vouched;
    vouched_by_issuer.extend(
        [
            "that this record is the issuer's: nothing in it is signed by the issuer, and whoever has a key can make one like it",
            "that the person saw what the document says",
            "when it happened",
            "that nobody else had a say: an issuer can create a credential without any approval",
        ]
        .map(str::to_owned),
    );
    Report {
        issuer: document.issuer,
        request_id: document.request_id,
        version: document.version,
        digest,
        requester: document.requester,
        decision: approval.decision,
        approver,
        method: approval.method,
        model: shown.model,
        checked,
        vouched_by_issuer,
    }
}
