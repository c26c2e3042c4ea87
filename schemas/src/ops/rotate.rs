//! Rotate: mint a successor while the predecessor still works (spec chapter 18).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::{Credential, CredentialPath};
use super::{Nothing, call};
use crate::ids::{CredentialId, RotationId};
use crate::state::named;
use crate::state::rotation::State;
use crate::time::Timestamp;

named! {
    /// Why a credential is rotated.
    RotationReason {
        /// It is time.
        Scheduled = "scheduled",
        /// It may be known to somebody who should not know it.
        Compromise = "compromise",
        /// A policy asks for it.
        Policy = "policy",
        /// Somebody else answers for it from now on.
        Handover = "handover",
    }
}

/// How to rotate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotationBody {
    /// Why.
    pub reason: RotationReason,
    /// When the successor ends by itself; by default it lives as long as its predecessor was
    /// meant to, counted from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// One rotation of one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rotation {
    /// The rotation.
    pub id: RotationId,
    /// Where it stands.
    pub state: State,
    /// Why it was begun.
    pub reason: RotationReason,
    /// The credential that is replaced.
    pub predecessor: CredentialId,
    /// The credential that replaces it.
    pub successor: CredentialId,
    /// The successor, with its delivery.
    pub credential: Credential,
    /// When it was begun.
    pub created_at: Timestamp,
}

call!(
    /// Begins a rotation.
    RotationOpen, CredentialPath, Nothing, RotationBody => Rotation
);
