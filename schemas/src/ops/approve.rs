//! Approve: a challenge bound to one decision, and the evidence that answers it
//! (spec chapter 12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Nothing;
use super::call;
use super::discover::AuthMethod;
use super::request::{MAX_LIFETIME_SECONDS, RequestPath};
use crate::approval::{CHALLENGE_CONTEXT, Decision};
use crate::ids::{ApprovalId, ChallengeId, PrincipalId, RequestId};
use crate::permissions::PermissionSet;
use crate::time::Timestamp;

/// How long a challenge can be used, in seconds.
pub const CHALLENGE_SECONDS: i64 = 300;
/// How long an approval can be used, in seconds.
pub const APPROVAL_SECONDS: i64 = 3600;

/// The decision that the caller is about to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeBody {
    /// The challenge is good for this decision only.
    pub decision: Decision,
    /// For `approve`: permissions to agree to, within those asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionSet>,
    /// For `approve`: the lifetime to agree to, in seconds, not longer than the one asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_LIFETIME_SECONDS))]
    pub lifetime_seconds: Option<u64>,
    /// For `approve`: until when a rotation may renew it, not later than asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewable_until: Option<Timestamp>,
}

/// What the approver's authenticator signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Challenge {
    /// The challenge.
    pub id: ChallengeId,
    /// The request decided on.
    pub request_id: RequestId,
    /// The version of it decided on.
    pub version: u64,
    /// Digest of that version.
    pub digest: String,
    /// Where the approver agrees to less: the document of that version, which the request
    /// gets with the approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_document: Option<Value>,
    /// Who decides.
    pub approver: PrincipalId,
    /// 32 random bytes, base64url.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub nonce: String,
    /// The decision.
    pub decision: Decision,
    /// The bytes to be signed, base64url; anybody can compute them from the members above.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub challenge: String,
    /// When it can no longer be used.
    pub expires_at: Timestamp,
    /// The `WebAuthn` relying party.
    pub relying_party_id: String,
    /// The approver's registered passkeys, by credential id, base64url.
    pub allow_credentials: Vec<String>,
    /// The methods by which it can be answered.
    pub methods: Vec<AuthMethod>,
    /// Where the approver has an account, for `oidc`, `sso` and `oauth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_providers: Vec<IdentityProvider>,
}

/// An identity provider that is trusted, as far as an approver's client has to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityProvider {
    /// Its identifier: `iss`, below which its metadata is found (`OpenID` Connect Discovery 1.0,
    /// RFC 8414).
    pub issuer: String,
    /// As whom the issuer is known there.
    pub client_id: String,
    /// For which methods it is trusted.
    pub methods: Vec<AuthMethod>,
    /// For `sso`: the classes of authentication that are taken (`acr_values`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
}

/// A decision and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalBody {
    /// The challenge that the evidence answers.
    pub challenge_id: ChallengeId,
    /// How the approver proves who they are.
    pub method: AuthMethod,
    /// The proof, in the form of the method.
    pub evidence: Evidence,
    /// Why, in the approver's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// What proves a decision; each method has one of these forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Evidence {
    /// Of `passkey` and `hardware_key`.
    Assertion(Assertion),
    /// Of `oidc` and `sso`.
    IdToken(IdTokenEvidence),
    /// Of `oauth`.
    Introspection(IntrospectionEvidence),
}

/// An ID token (`OpenID` Connect Core 1.0 section 2) whose nonce is the challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdTokenEvidence {
    /// The token as the provider signed it: a JWS in compact form.
    #[schemars(length(min = 1, max = 16_384))]
    pub id_token: String,
}

/// A signed answer to an introspection (RFC 9701) of a token that was granted for this decision
/// alone (RFC 9396).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntrospectionEvidence {
    /// The answer as the authorization server signed it: a JWS in compact form. Never the token.
    #[schemars(length(min = 1, max = 16_384))]
    pub introspection: String,
}

/// A `WebAuthn` assertion in the JSON form of `PublicKeyCredential.toJSON()`.
///
/// Binary members are base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assertion {
    /// The passkey's credential id.
    #[schemars(length(min = 1, max = 1400))]
    pub id: String,
    /// The same.
    #[serde(rename = "rawId")]
    #[schemars(length(min = 1, max = 1400))]
    pub raw_id: String,
    /// `public-key`.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = r"^public-key$"))]
    pub kind: String,
    /// The signed parts.
    pub response: AssertionResponse,
}

/// What the authenticator signed, and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssertionResponse {
    /// The client data, as serialised by the browser.
    #[serde(rename = "clientDataJSON")]
    #[schemars(length(min = 1, max = 4096))]
    pub client_data_json: String,
    /// The authenticator data.
    #[serde(rename = "authenticatorData")]
    #[schemars(length(min = 1, max = 4096))]
    pub authenticator_data: String,
    /// The signature over both.
    #[schemars(length(min = 1, max = 1024))]
    pub signature: String,
    /// The account that the passkey was registered for.
    #[serde(
        rename = "userHandle",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(length(max = 128))]
    pub user_handle: Option<String>,
}

/// With what evidence was checked, as it was at that time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Verification {
    /// A key of an authenticator.
    Authenticator(AuthenticatorKey),
    /// The keys of an identity provider.
    Provider(ProviderKeys),
}

/// The key that an assertion verified with, and where it had to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthenticatorKey {
    /// The `WebAuthn` credential id, base64url.
    pub credential_id: String,
    /// The `COSE_Key` (RFC 9052 section 7), base64url.
    pub public_key: String,
    /// The `WebAuthn` relying party.
    pub relying_party_id: String,
    /// Where people decide: the origins that a client data may name.
    pub origins: Vec<String>,
    /// For `hardware_key`: what shows that the key lives in hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
}

/// How a key was registered, in the words of its authenticator and of that one's maker
/// (Web Authentication Level 3 section 7.1). Both members are base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attestation {
    /// The client data, as serialised by the browser.
    #[schemars(length(min = 1, max = 4096))]
    pub client_data_json: String,
    /// The attestation object, with authenticator data and statement.
    #[schemars(length(min = 1, max = 32_768))]
    pub attestation_object: String,
}

/// An attested registration, and the root that was trusted to vouch for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registration {
    /// The client data, base64url.
    pub client_data_json: String,
    /// The attestation object, base64url.
    pub attestation_object: String,
    /// The root certificate (RFC 5280), DER, base64url.
    pub root: String,
}

/// Whose word is taken for what an authenticator is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttestationTrust {
    /// Root certificates of makers (RFC 5280): DER, base64url without padding.
    #[schemars(length(max = 64), inner(length(min = 1, max = 8192)))]
    pub roots: Vec<String>,
    /// Models by their AAGUID, spelled as RFC 9562 section 4 has it, in lower case.
    #[schemars(length(max = 256), inner(regex(pattern = MODEL)))]
    pub models: Vec<String>,
}

/// An AAGUID.
const MODEL: &str = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// What an identity provider was known by, and who its subject was taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderKeys {
    /// The provider's identifier: `iss`.
    pub issuer: String,
    /// As whom the issuer is known there: `aud`.
    pub client_id: String,
    /// The provider's keys (RFC 7517).
    pub jwks: Value,
    /// For `sso`: the classes of authentication of which `acr` had to be one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// The approver's account: `sub`.
    pub subject: String,
}

/// One approver's decision on one version of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The approval.
    pub id: ApprovalId,
    /// The request decided on.
    pub request_id: RequestId,
    /// The version of it decided on.
    pub version: u64,
    /// The decision.
    pub decision: Decision,
    /// Who decided; nobody where the policy did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<PrincipalId>,
    /// How they proved who they are.
    pub method: AuthMethod,
    /// Where the policy decided: the digest of it, SHA-256 of its canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub policy: Option<String>,
    /// When.
    pub approved_at: Timestamp,
    /// Until when a credential can be created from it.
    pub expires_at: Timestamp,
    /// Why, in the approver's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An approval of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalPath {
    /// The request.
    pub request_id: RequestId,
    /// The approval.
    pub approval_id: ApprovalId,
}

/// A decision and all that is needed to check it offline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRecord {
    /// The decision.
    pub approval: Approval,
    /// What was decided on.
    pub approval_document: Value,
    /// What was signed. Only a decision without evidence has none of these three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<SignedChallenge>,
    /// What proves it, as it was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What it was checked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// The members that a challenge is computed from, and when it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedChallenge {
    /// Keeps the signature from meaning anything elsewhere.
    #[schemars(extend("const" = CHALLENGE_CONTEXT))]
    pub context: String,
    /// Who decided.
    pub approver: PrincipalId,
    /// The decision.
    pub decision: Decision,
    /// Digest of the document.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub digest: String,
    /// 32 random bytes, base64url.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub nonce: String,
    /// When the challenge was opened.
    pub opened_at: Timestamp,
}

call!(
    /// Reads a decision, with what proves it.
    ApprovalRead, ApprovalPath, Nothing, Nothing => ApprovalRecord
);
call!(
    /// Opens a challenge.
    ChallengeOpen, RequestPath, Nothing, ChallengeBody => Challenge
);
call!(
    /// Submits a decision.
    ApprovalSubmit, RequestPath, Nothing, ApprovalBody => Approval
);
