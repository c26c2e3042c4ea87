//! Rotate: mint a successor while the predecessor still works (spec chapter 18).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::{Credential, CredentialPath};
use super::revoke::NoteBody;
use super::{Nothing, call};
use crate::gates::{Basis, Gate, SafeToRevoke};
use crate::ids::{CredentialId, RotationId};
use crate::jose::PublicJwk;
use crate::permissions::PermissionSet;
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
    /// What the successor opens, if less than its predecessor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub permissions: Option<PermissionSet>,
    /// When the predecessor may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub plan: Option<PlanBody>,
    /// The successor's public key, where the predecessor's was the requester's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "oauth"))]
    pub public_jwk: Option<PublicJwk>,
}

/// When the predecessor may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanBody {
    /// The predecessor has to be unused for so long; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 315_360_000_u64))]
    pub quiet_period_seconds: Option<u64>,
    /// Predecessor and successor live side by side for at least so long; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 315_360_000_u64))]
    pub min_overlap_seconds: Option<u64>,
    /// The least that a gate may rest on; by default `reported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_basis: Option<Basis>,
}

/// When the predecessor may go, as the issuer keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The predecessor has to be unused for so long.
    pub quiet_period_seconds: u64,
    /// Predecessor and successor live side by side for at least so long.
    pub min_overlap_seconds: u64,
    /// The least that a gate may rest on.
    pub least_basis: Basis,
    /// At this second the rotation is `blocked`, if it is still open; out of the
    /// predecessor's `max_overlap_seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
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
    /// When the predecessor may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Well-formed and never valid: what a health check shows to be refused. No secret.
    /// Absent for a `service_account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_value: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// What still stands between a rotation and its end, as of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// The rotation.
    pub rotation_id: RotationId,
    /// Where it stands.
    pub state: State,
    /// Every gate; only where the issuer claims `inventory`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// The gates that an issuer can judge without an inventory, `successor`, `quiet` and
    /// `overlap`; only where it does not claim `inventory`. The others are the client's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_gates: Vec<Gate>,
    /// What follows from `gates`; absent beside `issuer_gates`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_to_revoke: Option<SafeToRevoke>,
    /// The same, signed: a JWS (RFC 7515) in compact form; present beside `safe_to_revoke`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub statement: Option<String>,
    /// Up to when the issuer has seen uses.
    pub usage_as_of: Timestamp,
}

/// Which rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotationPath {
    /// The rotation.
    pub rotation_id: RotationId,
}

call!(
    /// Reads a rotation.
    RotationRead, RotationPath, Nothing, Nothing => Rotation
);
call!(
    /// Reads its gates.
    RotationGates, RotationPath, Nothing, Nothing => GateReport
);
call!(
    /// Takes it one stage further.
    RotationAdvance, RotationPath, Nothing, NoteBody => Rotation
);
call!(
    /// Gives the predecessor back.
    RotationRollback, RotationPath, Nothing, NoteBody => Rotation
);

call!(
    /// Begins a rotation.
    RotationOpen, CredentialPath, Nothing, RotationBody => Rotation
);
