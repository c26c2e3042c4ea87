//! Access tokens for OAuth clients and service accounts (spec chapter 21): forms in, and
//! the answers and errors of the OAuth RFCs out, so that ordinary OAuth libraries fit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::store::SecretText;
use super::{Nothing, call};
use crate::state::named;

/// How long an access token lives, in seconds.
pub const TOKEN_SECONDS: i64 = 600;
/// The path of the metadata (RFC 8414 section 3), below the issuer's origin.
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// The grant type of RFC 7523 section 2.1.
pub const GRANT_JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The grant type of RFC 6749 section 4.4.
pub const GRANT_CLIENT_CREDENTIALS: &str = "client_credentials";
/// The client assertion type of RFC 7523 section 2.2.
pub const CLIENT_ASSERTION_JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Where OAuth clients get tokens (RFC 8414 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OauthMetadata {
    /// The issuer identifier.
    pub issuer: String,
    /// Where tokens are issued.
    pub token_endpoint: String,
    /// Where tokens are introspected.
    pub introspection_endpoint: String,
    /// Empty: there is no authorization endpoint.
    pub response_types_supported: Vec<String>,
    /// `client_credentials` and the grant of RFC 7523.
    pub grant_types_supported: Vec<String>,
    /// `client_secret_basic`, `client_secret_post`, `private_key_jwt`.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// `EdDSA` and `ES256`.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
}

/// The form of a token request. Parameters not named here are ignored (RFC 6749
/// section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct TokenBody {
    /// Which grant.
    pub grant_type: String,
    /// Fewer rights than the credential has, as `type:action` names between spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For `client_secret_post`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// For `client_secret_post`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretText>,
    /// For the grant of RFC 7523.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<SecretText>,
    /// For `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion_type: Option<String>,
    /// For `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<SecretText>,
}

/// An access token (RFC 6749 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenAnswer {
    /// The token; opaque.
    pub access_token: SecretText,
    /// `Bearer`.
    pub token_type: String,
    /// How long it lives, in seconds.
    pub expires_in: i64,
    /// What it opens, as `type:action` names between spaces, in ascending order.
    pub scope: String,
}

/// The form of an introspection (RFC 7662 section 2.1). Parameters not named here are
/// ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct IntrospectionBody {
    /// An access token or an API key.
    pub token: SecretText,
    /// Ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// What a token is good for (RFC 7662 section 2.2). Where `active` is false there is
/// nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Introspection {
    /// Whether it opens anything now.
    pub active: bool,
    /// What it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The credential behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The issuer identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// `Bearer`, or `DPoP` for a bound key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// When it ends, in seconds since 1970; absent where it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The key pair without which it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<super::create::Confirmation>,
}

named! {
    /// Why a token was not issued (RFC 6749 section 5.2).
    OauthErrorCode {
        /// A parameter is missing, repeated or malformed.
        InvalidRequest = "invalid_request",
        /// The client did not authenticate.
        InvalidClient = "invalid_client",
        /// The assertion does not prove anything.
        InvalidGrant = "invalid_grant",
        /// This client does not have this grant.
        UnauthorizedClient = "unauthorized_client",
        /// There is no such grant here.
        UnsupportedGrantType = "unsupported_grant_type",
        /// More was asked for than the credential opens.
        InvalidScope = "invalid_scope",
    }
}

impl OauthErrorCode {
    /// The status that it is answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            _ => 400,
        }
    }
}

/// A refusal of the form endpoints, as `application/json` (RFC 6749 section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OauthError {
    /// Why.
    pub error: OauthErrorCode,
    /// For people. Holds no input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

call!(
    /// Reads where tokens are issued.
    OauthMetadataRead, Nothing, Nothing, Nothing => OauthMetadata
);
call!(
    /// Gets an access token.
    TokenIssue, Nothing, Nothing, TokenBody => TokenAnswer
);
call!(
    /// Asks what a token is good for.
    TokenIntrospect, Nothing, Nothing, IntrospectionBody => Introspection
);
