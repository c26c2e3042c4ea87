//! The handoff of a project: what its receiver has to know of each credential, without any
//! secret (spec chapter 17, "The handoff").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CredentialId, InstallationId, PrincipalId, StoreId};
use crate::ops::create::{Disclosure, Labels, RotationPolicy, Subject};
use crate::ops::discover::CredentialType;
use crate::permissions::{PermissionSet, Risk};
use crate::state::credential::State as CredentialState;
use crate::state::installation::State as PlaceState;
use crate::target::{TakesUp, TargetKind};
use crate::time::Timestamp;
use crate::usage::{AskedIssuer, ConsumerFacts, Sight, Unknown};

/// A store in which a secret is, as a client said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptIn {
    /// The store.
    pub store_id: StoreId,
    /// What it is called; absent where its issuer does not list it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A place in which a credential is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandedPlace {
    /// The installation.
    pub installation_id: InstallationId,
    /// What kind of place.
    pub kind: TargetKind,
    /// What people call it.
    pub name: String,
    /// Where in it; may be opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// How far the credential has come there.
    pub state: PlaceState,
    /// Whether a rotation waits for it.
    pub required: bool,
    /// Whether it was seen using the credential.
    pub sight: Sight,
    /// When last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// What stops when it does, over any number of steps.
    pub stops: Vec<String>,
    /// How such a place takes up a new secret.
    pub takes_up: TakesUp,
    /// Whether the client that wrote this fills it by itself in a rotation.
    pub filled_from_here: bool,
}

/// How to replace a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replacing {
    /// The call that begins a rotation.
    pub method: String,
    /// Where it is made.
    pub url: String,
    /// A command that does the whole of it.
    pub command: String,
    /// How it is to be rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<RotationPolicy>,
    /// By when the policy, or the end of the credential, wants it done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_by: Option<Timestamp>,
    /// The call that ends the credential, if it is no longer needed.
    pub revoke_url: String,
}

/// All that is known of a credential of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandedCredential {
    /// The identifier of its issuer.
    pub issuer: String,
    /// The credential.
    pub credential_id: CredentialId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// Where it stands in its life.
    pub state: CredentialState,
    /// What it is for.
    pub purpose: String,
    /// Who answers for it.
    pub owner: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// Who or what uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What it opens, in words, as the issuer's permission document has them.
    pub may: Vec<String>,
    /// How much harm that could do.
    pub risk: Risk,
    /// What it opens, for programs.
    pub permissions: PermissionSet,
    /// The document that gives these their meaning.
    pub permission_schema_digest: String,
    /// When it was minted.
    pub created_at: Timestamp,
    /// Who minted it.
    pub created_by: PrincipalId,
    /// When the key was last replaced; absent where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rotated_at: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Free labels.
    pub labels: Labels,
    /// Who has seen the secret, and is to be thought of as knowing it.
    pub disclosed_to: Vec<Disclosure>,
    /// The stores in which it is.
    pub kept_in: Vec<KeptIn>,
    /// For a `webhook_secret`: the origin that events go to. The rest of the URL can be a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_origin: Option<String>,
    /// When it was last used; absent where it never was, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Where it is used.
    pub places: Vec<HandedPlace>,
    /// Who was seen using it, and fits no place or several.
    pub unexplained: Vec<ConsumerFacts>,
    /// How to replace it.
    pub replacing: Replacing,
}

/// The handoff of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handoff {
    /// The version of the protocol, `1.0`.
    pub clp: String,
    /// The project.
    pub project: String,
    /// When it was put together.
    pub made_at: Timestamp,
    /// The issuers that were to be asked.
    pub issuers: Vec<AskedIssuer>,
    /// The credentials that still live.
    pub credentials: Vec<HandedCredential>,
    /// What is not known. What is not in here may exist all the same.
    pub unknown: Vec<Unknown>,
}
