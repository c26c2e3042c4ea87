//! Discover: the manifest, its RFC 9728 companion, and the permission document
//! (spec chapters 10 and 04).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Nothing, call};
use crate::endpoint::{Class, Operation};
use crate::jose::PublicJwk;
use crate::permissions::PermissionDocument;
use crate::state::named;

/// Where a manifest is found, below the issuer's origin (RFC 8615).
pub const MANIFEST_PATH: &str = "/.well-known/credential-issuer";
/// Where the permission document is found, unless the manifest says otherwise.
pub const PERMISSIONS_PATH: &str = "/.well-known/credential-permissions";

named! {
    /// The kinds of credential.
    CredentialType {
        /// A bearer secret that names itself.
        ApiKey = "api_key",
        /// An OAuth client with the client credentials grant (RFC 6749 section 4.4).
        OauthClient = "oauth_client",
        /// A shared secret that signs events.
        WebhookSecret = "webhook_secret",
        /// A key pair that signs assertions (RFC 7523).
        ServiceAccount = "service_account",
    }
}

named! {
    /// How a person or an organisation approves.
    AuthMethod {
        /// A `WebAuthn` credential.
        Passkey = "passkey",
        /// OAuth 2.0 with rich authorization requests (RFC 9396).
        Oauth = "oauth",
        /// `OpenID` Connect.
        Oidc = "oidc",
        /// An organisation's identity provider.
        Sso = "sso",
        /// An attested authenticator that cannot be copied.
        HardwareKey = "hardware_key",
        /// The test control listener; never in production.
        Test = "test",
        /// The organisation's own policy; nobody decided.
        Policy = "policy",
    }
}

named! {
    /// What an issuer sees of the uses of a credential.
    UsageObservation {
        /// Nothing.
        None = "none",
        /// That it was used, and when last.
        LastUsed = "last_used",
        /// By which consumers, too.
        PerConsumer = "per_consumer",
    }
}

named! {
    /// Whether anything real depends on an issuer.
    Deployment {
        /// Real credentials.
        Production = "production",
        /// For tests; the clock may be moved and approvals simulated.
        Test = "test",
    }
}

/// `/.well-known/credential-issuer`: what a provider can do.
///
/// Only `credential_issuer_endpoint` is needed; every other member has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The provider's name, for people. Not its identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub issuer: Option<String>,
    /// The provider's identity; by default the origin that the manifest was fetched from.
    ///
    /// Text, not a parsed URL: it is compared byte for byte (RFC 8414 section 3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000), extend("format" = "uri"))]
    pub issuer_identifier: Option<String>,
    /// The collection of credentials, below which every endpoint stands.
    pub credential_issuer_endpoint: Url,
    /// By default 1.0 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub protocol_versions_supported: Option<Vec<String>>,
    /// The profiles claimed on top of the core class; by default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles_supported: Option<Vec<String>>,
    /// By default `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Deployment>,
    /// Grows with every change; by default 0. An older one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub manifest_version: Option<u64>,
    /// By default `api_key` alone. Types unknown here are kept as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_credential_types: Option<Vec<String>>,
    /// By default the operations of the core class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_operations: Option<Vec<String>>,
    /// How approvals are given; by default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_methods: Option<Vec<String>>,
    /// Where the permission document is; by default at its well-known place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_schema_url: Option<Url>,
    /// Digest of the permission document in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub permission_schema_digest: Option<String>,
    /// By default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_expiring_credentials: Option<bool>,
    /// By default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_workload_bound_credentials: Option<bool>,
    /// Agrees with `rotate` in `supported_operations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_rotation: Option<bool>,
    /// Agrees with `revoke` in `supported_operations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_revocation: Option<bool>,
    /// Agrees with `audit` in `supported_operations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_audit: Option<bool>,
    /// Longest life that a credential may have, in seconds; by default unbounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub max_lifetime_seconds: Option<u64>,
    /// How secrets are handed over; by default `plain` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_modes_supported: Option<Vec<String>>,
    /// What a key of this issuer looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_formats: Option<Vec<TokenFormat>>,
    /// Longest time until a revocation has effect everywhere, in seconds; by default unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub max_propagation_seconds: Option<u64>,
    /// Whether the predecessor keeps working while the successor exists; by default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_supported: Option<bool>,
    /// What the issuer sees of uses; by default `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_observation: Option<UsageObservation>,
    /// Longest time until a use has been seen, in seconds; by default unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub usage_lag_seconds: Option<u64>,
    /// How the audit log is checked; absent where it is not provable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_log: Option<AuditLog>,
    /// The keys that statements are signed with (RFC 7517; as the member of RFC 7591 section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<Url>,
    /// Whom to write to after a leak, as a `mailto:` or `https:` URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Url>,
}

/// Public keys (RFC 7517 section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JwkSet {
    /// The keys. One that is of no kind known here is for somebody else.
    #[schemars(length(min = 1, max = 16))]
    pub keys: Vec<Value>,
}

impl JwkSet {
    /// The keys of a kind that is known here.
    #[must_use]
    pub fn known(&self) -> Vec<PublicJwk> {
        self.keys
            .iter()
            .filter_map(|key| {
                let member = |name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
                let known = PublicJwk {
                    kty: member("kty")?,
                    crv: member("crv")?,
                    x: member("x")?,
                    y: member("y"),
                };
                known.algorithm().is_ok().then_some(known)
            })
            .collect()
    }
}

/// What a key of this issuer looks like, so that a find can be told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenFormat {
    /// What every key begins with.
    pub prefix: String,
    /// An I-Regexp (RFC 9485) that a whole key matches.
    pub pattern: String,
    /// `crc32-base62`: the last six characters check the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// How the audit log is checked (spec chapter 20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLog {
    /// What every tenant's log origin begins with.
    pub origin_prefix: String,
    /// The raw Ed25519 public key, base64.
    #[schemars(regex(pattern = r"^[A-Za-z0-9+/]{43}=$"))]
    pub public_key: String,
}

/// Why a manifest cannot be relied on, though it fits the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// A `supports_*` member contradicts `supported_operations`.
    #[error("`{member}` contradicts `supported_operations`")]
    Contradiction {
        /// The member that disagrees.
        member: &'static str,
    },
    /// The endpoint has a query, a fragment or a trailing slash, or cannot have a path.
    #[error("`credential_issuer_endpoint` has a query, a fragment or a trailing slash")]
    Endpoint,
}

impl Manifest {
    /// Checks what the schema cannot say: the members agree with each other.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn check(&self) -> Result<(), ManifestFault> {
        let endpoint = &self.credential_issuer_endpoint;
        if endpoint.cannot_be_a_base()
            || endpoint.query().is_some()
            || endpoint.fragment().is_some()
            || endpoint.path().ends_with('/')
        {
            return Err(ManifestFault::Endpoint);
        }
        if let Some(operations) = &self.supported_operations {
            let claims = [
                (
                    "supports_rotation",
                    self.supports_rotation,
                    Operation::Rotate,
                ),
                (
                    "supports_revocation",
                    self.supports_revocation,
                    Operation::Revoke,
                ),
                ("supports_audit", self.supports_audit, Operation::Audit),
            ];
            for (member, claim, operation) in claims {
                let listed = operations.iter().any(|name| name == operation.name());
                if claim.is_some_and(|claim| claim != listed) {
                    return Err(ManifestFault::Contradiction { member });
                }
            }
        }
        Ok(())
    }

    /// Whether an operation is declared, by itself or by the core class's default.
    #[must_use]
    pub fn declares(&self, operation: Operation) -> bool {
        match &self.supported_operations {
            Some(names) => names.iter().any(|name| name == operation.name()),
            None => operation.is_core(),
        }
    }

    /// Whether a class is claimed; the core class always is.
    #[must_use]
    pub fn claims(&self, class: Class) -> bool {
        class == Class::Core
            || self
                .profiles_supported
                .as_ref()
                .is_some_and(|names| names.iter().any(|name| name == class.name()))
    }

    /// The issuer's identity: what it says, or else the origin of `fetched_from`.
    #[must_use]
    pub fn identifier(&self, fetched_from: &Url) -> String {
        match &self.issuer_identifier {
            Some(identifier) => identifier.clone(),
            None => fetched_from.origin().ascii_serialization(),
        }
    }
}

/// RFC 9728 metadata of the credential endpoint, so that an OAuth client that meets a 401
/// finds its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceMetadata {
    /// The protected resource: the credential endpoint.
    pub resource: Url,
    /// Where tokens are issued; absent where tokens are static.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<Url>>,
    /// `header` alone: tokens never travel in a URL or a body.
    pub bearer_methods_supported: Vec<String>,
    /// The manifest that describes this resource.
    pub credential_issuer: Url,
}

/// Which permission document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentQuery {
    /// The one with this digest; by default the one in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
}

/// Texts by language tag (BCP 47).
pub type Texts = BTreeMap<String, String>;

call!(
    /// Reads the manifest.
    ManifestRead, Nothing, Nothing, Nothing => Manifest
);
call!(
    /// Reads the RFC 9728 companion.
    ResourceMetadataRead, Nothing, Nothing, Nothing => ResourceMetadata
);
call!(
    /// Reads a permission document.
    PermissionDocumentRead, Nothing, DocumentQuery, Nothing => PermissionDocument
);
