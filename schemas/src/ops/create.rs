//! Create, list and read credentials (spec chapter 13).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::discover::CredentialType;
use super::revoke::{Revocation, RevocationReason};
use super::{Nothing, call};
use crate::ids::{CredentialId, DeliveryId, PrincipalId, RequestId, RotationId, StoreId};
use crate::jose::PublicJwk;
use crate::permissions::PermissionSet;
use crate::state::credential::State;
use crate::state::named;
use crate::time::Timestamp;

named! {
    /// Who or what uses a credential.
    SubjectKind {
        /// A project as a whole.
        Project = "project",
        /// A program that runs somewhere.
        Workload = "workload",
        /// A person.
        User = "user",
        /// A program that acts for a person by its own judgement.
        Agent = "agent",
        /// An environment as a whole.
        Environment = "environment",
        /// One piece of work with an end.
        Task = "task",
    }
}

/// Who or what uses a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The kind.
    pub kind: SubjectKind,
    /// Its name, as its owner spells it.
    #[schemars(length(min = 1, max = 200))]
    pub id: String,
}

/// How a credential is to be rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotationPolicy {
    /// Rotate at least this often, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 315_360_000_u64))]
    pub rotate_every_seconds: Option<u64>,
    /// Predecessor and successor live side by side for at most this long, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 315_360_000_u64))]
    pub max_overlap_seconds: Option<u64>,
    /// No successor lives beyond this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewable_until: Option<Timestamp>,
}

/// The key pair without which a key opens nothing (RFC 7800, RFC 9449 section 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmation {
    /// Thumbprint of the public key (RFC 7638), base64url of 32 bytes.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{43}$"))]
    pub jkt: String,
}

/// Where the events that a `webhook_secret` signs are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// An https URL without user, password and fragment.
    #[schemars(length(min = 1, max = 2000))]
    pub url: String,
}

/// Labels: at most 32, names and values of at most 100 characters.
pub type Labels = BTreeMap<String, String>;

/// A create without a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectCreate {
    /// The kind of credential.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// What it opens.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// When it ends by itself; by default never, or as the issuer bounds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How it is to be rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_policy: Option<RotationPolicy>,
    /// For an `api_key`: the key pair without which it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "bound-keys"))]
    pub cnf: Option<Confirmation>,
    /// For a `service_account`: the requester's own key; by default the issuer makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "oauth"))]
    pub public_jwk: Option<PublicJwk>,
    /// For a `webhook_secret`: where the events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "webhooks"))]
    pub webhook: Option<Webhook>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = label_bounds)]
    pub labels: Labels,
}

/// Bounds names and values of labels in the schema.
fn label_bounds(schema: &mut schemars::Schema) {
    schema.insert(
        "propertyNames".to_owned(),
        serde_json::json!({"minLength": 1, "maxLength": 100}),
    );
    schema.insert(
        "additionalProperties".to_owned(),
        serde_json::json!({"type": "string", "maxLength": 100}),
    );
}

/// A create from an approved request; everything else was said there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreateFromRequest {
    /// The approved request.
    pub request_id: RequestId,
}

/// The two shapes of a create, told apart by `request_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CreateBody {
    /// From an approved request.
    FromRequest(CreateFromRequest),
    /// Without one.
    Direct(Box<DirectCreate>),
}

named! {
    /// What brought a credential into being.
    OriginKind {
        /// A create without a request.
        Direct = "direct",
        /// A create from an approved request.
        Request = "request",
        /// A rotation of its predecessor.
        Rotation = "rotation",
    }
}

/// What brought a credential into being.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The kind.
    pub kind: OriginKind,
    /// The request, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The rotation, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_id: Option<RotationId>,
}

/// Who has seen the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disclosure {
    /// Who.
    pub principal: PrincipalId,
    /// When first.
    pub at: Timestamp,
}

/// A store in which a client says that the secret is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// The store.
    pub store_id: StoreId,
    /// Who said so.
    pub by: PrincipalId,
    /// When.
    pub at: Timestamp,
}

/// How a credential was stopped for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspension {
    /// Why.
    pub reason: RevocationReason,
    /// Who.
    pub by: PrincipalId,
    /// When.
    pub at: Timestamp,
}

/// Where the secret can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryLink {
    /// The delivery.
    pub id: DeliveryId,
    /// Where it is read.
    pub uri: String,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// A credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credential {
    /// The credential.
    pub id: CredentialId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// Where it stands in its life.
    pub state: State,
    /// What it is for.
    pub purpose: String,
    /// Who answers for it.
    pub owner: String,
    /// The project that it belongs to.
    pub project: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// Who or what uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What it opens, frozen when it was minted.
    pub permissions: PermissionSet,
    /// Digest of the permission document that gives them their meaning.
    pub permission_schema_digest: String,
    /// The public part of the key, by which a find names its credential.
    pub key_id: String,
    /// When it was minted.
    pub created_at: Timestamp,
    /// Who minted it.
    pub created_by: PrincipalId,
    /// What brought it into being.
    pub created_via: Origin,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How it is to be rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_policy: Option<RotationPolicy>,
    /// The credential that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<CredentialId>,
    /// The credential that replaces this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<CredentialId>,
    /// Free labels.
    #[serde(default)]
    pub labels: Labels,
    /// The key pair without which it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// For a `service_account`: the public key of its assertions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_jwk: Option<PublicJwk>,
    /// For a `webhook_secret`: where the events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Who has seen the secret.
    pub disclosed_to: Vec<Disclosure>,
    /// The stores in which it is, as clients say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stored_in: Vec<Placement>,
    /// While it is suspended: how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// How it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// Where the secret can be fetched; only for its creator, only until it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryLink>,
}

/// Which credentials, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Of this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of this owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whose secret this principal has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosed_to: Option<PrincipalId>,
    /// In this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Of this kind.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CredentialType>,
    /// That end by themselves before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<Timestamp>,
    /// For this kind of subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub subject_kind: Option<SubjectKind>,
    /// For the subject of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), extend("x-clp-profile" = "lifecycle"))]
    pub subject_id: Option<String>,
    /// Whose purpose holds this text, case and all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), extend("x-clp-profile" = "lifecycle"))]
    pub purpose: Option<String>,
    /// With this label, as `name=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 201), extend("x-clp-profile" = "lifecycle"))]
    pub label: Option<String>,
    /// Whose rotation policy wants them rotated before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub rotate_before: Option<Timestamp>,
    /// At most so many, 1 to 200; by default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One page of credentials, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialPage {
    /// The credentials.
    pub items: Vec<Credential>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialPath {
    /// The credential.
    pub credential_id: CredentialId,
}

/// What is to be changed; each member given replaces the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("minProperties" = 1))]
pub struct AmendBody {
    /// The person or team that answers for it from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub owner: Option<String>,
    /// All labels; those not in it are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32), transform = label_bounds)]
    pub labels: Option<Labels>,
    /// An earlier end than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

call!(
    /// Changes a credential.
    CredentialAmend, CredentialPath, Nothing, AmendBody => Credential
);
call!(
    /// Mints a credential.
    CredentialCreate, Nothing, Nothing, CreateBody => Credential
);
call!(
    /// Lists credentials.
    CredentialList, Nothing, ListQuery, Nothing => CredentialPage
);
call!(
    /// Reads a credential.
    CredentialRead, CredentialPath, Nothing, Nothing => Credential
);
