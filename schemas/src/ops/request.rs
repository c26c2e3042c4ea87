//! Request: asking for a credential that somebody has to approve (spec chapter 11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approve::Approval;
use super::create::{Confirmation, RotationPolicy, Subject, Webhook};
use super::discover::CredentialType;
use super::policy::AppliedPolicy;
use super::{Nothing, call};
use crate::ids::{CredentialId, PrincipalId, RequestId};
use crate::jose::PublicJwk;
use crate::permissions::PermissionSet;
use crate::state::request::State;
use crate::time::Timestamp;

/// Longest life that may be asked for, in seconds: ten years.
pub const MAX_LIFETIME_SECONDS: u64 = 315_360_000;

/// The letters of a user code: no vowels, so that no word comes about (RFC 8628 section 6.1).
pub const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// The form of a user code.
pub const USER_CODE_PATTERN: &str = "^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$";

/// What is asked for. An approver signs every member of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestBody {
    /// The kind of credential.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// What it shall open.
    pub permissions: PermissionSet,
    /// What it is for, in a sentence.
    #[schemars(length(min = 1, max = 500))]
    pub purpose: String,
    /// The person or team that answers for it.
    #[schemars(length(min = 1, max = 200))]
    pub owner: String,
    /// The project that it belongs to.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub project: String,
    /// The environment that it belongs to, out of the permission document.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub environment: String,
    /// Who or what will use it.
    pub subject: Subject,
    /// How long it shall live once created, in seconds.
    #[schemars(range(min = 1, max = 315_360_000_u64))]
    pub lifetime_seconds: u64,
    /// How it shall be rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_policy: Option<RotationPolicy>,
    /// For an `api_key`: the key pair without which it shall open nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "bound-keys"))]
    pub cnf: Option<Confirmation>,
    /// For a `service_account`: the requester's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "oauth"))]
    pub public_jwk: Option<PublicJwk>,
    /// For a `webhook_secret`: where the events shall go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "webhooks"))]
    pub webhook: Option<Webhook>,
    /// The requester's own words. Shown apart, as untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub justification: Option<String>,
    /// Why it cannot wait for as many people as it would otherwise take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), extend("x-clp-profile" = "approval-policy"))]
    pub emergency: Option<String>,
}

/// What of a request is changed: each member stands in place of the one before it. At least
/// one has to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct AmendRequestBody {
    /// What it shall open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionSet>,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub purpose: Option<String>,
    /// The person or team that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub owner: Option<String>,
    /// Who or what will use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// How long it shall live once created, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_LIFETIME_SECONDS))]
    pub lifetime_seconds: Option<u64>,
    /// How it shall be rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_policy: Option<RotationPolicy>,
    /// For an `api_key`: the key pair without which it shall open nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "bound-keys"))]
    pub cnf: Option<Confirmation>,
    /// For a `service_account`: the requester's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "oauth"))]
    pub public_jwk: Option<PublicJwk>,
    /// For a `webhook_secret`: where the events shall go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "webhooks"))]
    pub webhook: Option<Webhook>,
    /// The requester's own words. Shown apart, as untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub justification: Option<String>,
    /// Why it cannot wait for as many people as it would otherwise take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), extend("x-clp-profile" = "approval-policy"))]
    pub emergency: Option<String>,
}

/// A request as the issuer keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialRequest {
    /// The request.
    pub id: RequestId,
    /// From 1, one higher with each amendment and narrowing; an approval is of one version only.
    #[schemars(range(min = 1))]
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// Who asked.
    pub requester: PrincipalId,
    /// The body, every member as submitted.
    pub submitted: RequestBody,
    /// The exact object whose canonical form is hashed (spec chapter 12).
    pub approval_document: Value,
    /// base64url of the SHA-256 of the canonical form of `approval_document`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub digest: String,
    /// What a person is asked, in words out of the permission document.
    pub consent: Vec<String>,
    /// The decisions so far.
    pub approvals: Vec<Approval>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// How long to wait between two reads, in seconds (RFC 8628 section 3.2).
    #[schemars(range(min = 1, max = 3600))]
    pub interval: u64,
    /// Where a person decides.
    pub approval_uri: String,
    /// What requester and approver both see, so that they can tell that they mean the same
    /// request (RFC 8628 section 6.1). It opens nothing.
    #[schemars(regex(pattern = USER_CODE_PATTERN))]
    pub user_code: String,
    /// What the organisation's policy comes to here, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_policy: Option<AppliedPolicy>,
    /// The credential that was created from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<CredentialId>,
}

/// Which request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestPath {
    /// The request.
    pub request_id: RequestId,
}

call!(
    /// Opens a request.
    RequestOpen, Nothing, Nothing, RequestBody => CredentialRequest
);
call!(
    /// Reads a request.
    RequestRead, RequestPath, Nothing, Nothing => CredentialRequest
);
call!(
    /// Changes a request.
    RequestAmend, RequestPath, Nothing, AmendRequestBody => CredentialRequest
);
call!(
    /// Takes a request back.
    RequestCancel, RequestPath, Nothing, Nothing => CredentialRequest
);
