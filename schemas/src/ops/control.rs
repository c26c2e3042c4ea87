//! Test control: fresh tenants, a clock, simulated approvals (spec chapter 80). Only in
//! `environment: test`, on a listener and with a token of its own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::approve::{Approval, Attestation, AttestationTrust};
use super::discover::AuthMethod;
use super::request::MAX_LIFETIME_SECONDS;
use super::store::SecretText;
use super::{Nothing, call};
use crate::approval::{Decision, PrincipalKind};
use crate::ids::{PrincipalId, RequestId, TenantId};
use crate::permissions::PermissionSet;
use crate::state::named;
use crate::time::Timestamp;

/// Of which issuer a tenant is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxBody {
    /// Its identifier; by default the first that the process serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_identifier: Option<String>,
}

/// A fresh tenant with a cast of principals, and two calls that tell what a key opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sandbox {
    /// The tenant of all but the outsider.
    pub tenant_id: TenantId,
    /// The issuer.
    pub issuer_identifier: String,
    /// Where its credentials are.
    pub credential_issuer_endpoint: String,
    /// The tenant's clock.
    pub now: Timestamp,
    /// By role: `owner`, `approver`, `bystander`, `outsider`.
    pub principals: BTreeMap<String, CastMember>,
    /// Two calls to the issuer's own API.
    pub probe: Probe,
}

/// Somebody who acts in a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CastMember {
    /// Who.
    pub id: PrincipalId,
    /// Their bearer token.
    pub token: SecretText,
}

/// Two calls that tell what a key opens: one that only reads and one that writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// The project that the cast has rights in.
    pub project: String,
    /// An environment where a create needs no approval.
    pub environment: String,
    /// An environment where it does.
    pub approval_environment: String,
    /// A call that `read_permissions` admit.
    pub read: ProbeCall,
    /// A call that `write_permissions` admit and `read_permissions` do not.
    pub write: ProbeCall,
    /// What the first needs.
    pub read_permissions: PermissionSet,
    /// What the second needs.
    pub write_permissions: PermissionSet,
}

/// A call to the issuer's own API, to be sent with a key as bearer token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeCall {
    /// The method.
    pub method: String,
    /// Where, below the issuer's origin.
    pub path: String,
    /// The JSON body, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// How far to move the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockBody {
    /// Forward by so many seconds.
    #[schemars(range(min = 1, max = 315_360_000_u64))]
    pub advance_seconds: u64,
}

/// What the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockAnswer {
    /// The tenant's time.
    pub now: Timestamp,
}

/// A simulated decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlApprovalBody {
    /// The request decided on.
    pub request_id: RequestId,
    /// The decision.
    pub decision: Decision,
    /// In whose name; by default the cast's approver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<PrincipalId>,
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

named! {
    /// What can be permitted to a principal: an action on `clp.credential`.
    PrincipalAction {
        /// See credentials and requests.
        Read = "read",
        /// Ask for a credential.
        Request = "request",
        /// Decide on a request.
        Approve = "approve",
        /// Mint a credential.
        Create = "create",
        /// Replace a credential.
        Rotate = "rotate",
        /// End a credential.
        Revoke = "revoke",
        /// Read the log.
        Audit = "audit",
        /// Change owner, labels or an earlier end.
        Amend = "amend",
        /// Say where credentials are kept and used.
        Inventory = "inventory",
    }
}

/// Another principal for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrincipalBody {
    /// What it is called; two can have the same name.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,31}$"))]
    pub name: String,
    /// What it is; by default a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PrincipalKind>,
    /// For whom it acts, or whose other account it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<PrincipalId>,
    /// What it may do in the project of the cast.
    #[schemars(length(max = 9))]
    pub actions: Vec<PrincipalAction>,
    /// In these environments alone; by default in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub environments: Option<Vec<String>>,
}

/// What a principal may do from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrincipalChange {
    /// What it may do in the project of the cast, in every environment.
    #[schemars(length(max = 9))]
    pub actions: Vec<PrincipalAction>,
    /// Whether its token is refused; by default it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// Which principal of which tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrincipalPath {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The principal.
    pub principal_id: PrincipalId,
}

/// An authenticator to be registered for a principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AuthenticatorBody {
    /// By its key.
    Key(AuthenticatorKeyBody),
    /// By an attested registration, out of which the key is taken.
    Attested(AttestedAuthenticatorBody),
}

/// A key of an authenticator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthenticatorKeyBody {
    /// Whose it is.
    pub principal: PrincipalId,
    /// The `WebAuthn` credential id, base64url.
    #[schemars(length(min = 16, max = 1400))]
    pub credential_id: String,
    /// The `COSE_Key` (RFC 9052 section 7), base64url.
    #[schemars(length(min = 16, max = 1400))]
    pub public_key: String,
}

/// A registration as a browser answered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttestedAuthenticatorBody {
    /// Whose it is.
    pub principal: PrincipalId,
    /// Client data and attestation object.
    pub attestation: Attestation,
}

/// An identity provider to be trusted. One of the same `issuer` and `client_id` is replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityProviderBody {
    /// Its identifier: `iss`.
    #[schemars(length(min = 1, max = 2048))]
    pub issuer: String,
    /// As whom the issuer is known there.
    #[schemars(length(min = 1, max = 256))]
    pub client_id: String,
    /// What the issuer authenticates with there (RFC 6749 section 2.3.1); without one it is a
    /// public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub client_secret: Option<SecretText>,
    /// For which methods it is trusted, out of `oidc`, `sso` and `oauth`.
    #[schemars(length(min = 1, max = 3), extend("items" = {"enum": ["oidc", "sso", "oauth"]}))]
    pub methods: Vec<AuthMethod>,
    /// For `sso`: the classes of authentication that are taken. Without one, none is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 256)))]
    pub acr_values: Vec<String>,
    /// Its public keys, a JWK set (RFC 7517).
    pub jwks: Value,
    /// Where people authenticate (RFC 6749 section 3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub authorization_endpoint: Option<Url>,
    /// Where codes are exchanged (RFC 6749 section 3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub token_endpoint: Option<Url>,
    /// Where authorization requests are pushed (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Where tokens are introspected (RFC 7662).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub introspection_endpoint: Option<Url>,
    /// Whose account is whose.
    #[schemars(length(min = 1, max = 100))]
    pub accounts: Vec<Account>,
}

/// An account at an identity provider and the principal that it is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The account: `sub`.
    #[schemars(length(min = 1, max = 255))]
    pub subject: String,
    /// The principal, of this tenant.
    pub principal: PrincipalId,
}

/// The requests that reached a tenant, oldest first, at most the last 1000.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestLogAnswer {
    /// The requests.
    pub items: Vec<LoggedRequest>,
}

/// One request, without headers and bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedRequest {
    /// When, by the tenant's clock.
    pub time: Timestamp,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The status it was answered with.
    pub status: u16,
    /// The problem it was answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a tenant holds, without a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateAnswer {
    /// Every credential.
    pub credentials: Vec<ObjectState>,
    /// Every request.
    pub requests: Vec<ObjectState>,
    /// Every rotation.
    pub rotations: Vec<ObjectState>,
    /// Every installation, where the issuer claims `inventory`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installations: Vec<ObjectState>,
    /// Number of entries in the audit log.
    pub audit_size: u64,
}

/// An object and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectState {
    /// The object.
    pub id: String,
    /// Its state.
    pub state: String,
}

/// Which tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantPath {
    /// The tenant.
    pub tenant_id: TenantId,
}

call!(
    /// Makes a fresh tenant.
    SandboxOpen, Nothing, Nothing, SandboxBody => Sandbox
);
call!(
    /// Empties a tenant; its cast, its clock and its log begin anew.
    SandboxReset, TenantPath, Nothing, Nothing => Nothing
);
call!(
    /// Moves a tenant's clock forward.
    ClockAdvance, TenantPath, Nothing, ClockBody => ClockAnswer
);
call!(
    /// Simulates a decision.
    ControlApprove, TenantPath, Nothing, ControlApprovalBody => Approval
);
call!(
    /// Registers an authenticator.
    AuthenticatorRegister, TenantPath, Nothing, AuthenticatorBody => Nothing
);
call!(
    /// Adds somebody to a tenant.
    ControlPrincipalAdd, TenantPath, Nothing, PrincipalBody => CastMember
);
call!(
    /// Says what somebody may do from now on.
    ControlPrincipalSet, PrincipalPath, Nothing, PrincipalChange => Nothing
);
call!(
    /// Says which makers and models of authenticators are trusted.
    AttestationTrustPut, TenantPath, Nothing, AttestationTrust => Nothing
);
call!(
    /// Trusts an identity provider.
    ControlIdentityProvider, TenantPath, Nothing, IdentityProviderBody => Nothing
);
call!(
    /// Reads what reached a tenant.
    RequestLog, TenantPath, Nothing, Nothing => RequestLogAnswer
);
call!(
    /// Reads what a tenant holds.
    StateDump, TenantPath, Nothing, Nothing => StateAnswer
);
