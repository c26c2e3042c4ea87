//! The life of a rotation (specification chapter 18).

use clp_schemas::audit;
use clp_schemas::ids::{PrincipalId, RotationId};
use clp_schemas::ops::create::{Credential, Origin, OriginKind};
use clp_schemas::ops::rotate::RotationReason;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential;
use clp_schemas::state::rotation::{Event, MACHINE};
use clp_schemas::time::Timestamp;

use super::Effect;
use super::credential::{Blueprint, Fresh, create};
use crate::audit::Entry;
use crate::store::RotationRow;

/// The open rotations that a credential has a part in.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The one that replaces it.
    pub replaced_by: Option<RotationRow>,
    /// The one that it was minted by, and the credential that it is to replace.
    pub replaces: Option<(RotationRow, Credential)>,
}

/// The end of a credential, as far as its rotations go: its own is completed; the one that
/// minted it is rolled back, and the predecessor carries on.
pub(super) fn ended(neighbours: Neighbours) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(mut rotation) = neighbours.replaced_by
        && let Some(next) = MACHINE.next(rotation.state, Event::PredecessorEnded)
    {
        rotation.state = next;
        effects.push(Effect::SaveRotation(Box::new(rotation)));
    }
    if let Some((mut rotation, mut predecessor)) = neighbours.replaces
        && let Some(next) = MACHINE.next(rotation.state, Event::SuccessorEnded)
    {
        rotation.state = next;
        effects.push(Effect::SaveRotation(Box::new(rotation)));
        if let Some(restored) =
            credential::MACHINE.next(predecessor.state, credential::Event::Restore)
        {
            predecessor.state = restored;
            predecessor.successor = None;
            effects.push(Effect::SaveCredential(Box::new(predecessor)));
        }
    }
    effects
}

/// What a successor's expiry depends on.
#[derive(Clone, Copy, Debug)]
pub struct ExpiryFacts {
    /// The time.
    pub now: Timestamp,
    /// What the body asks for.
    pub wanted: Option<Timestamp>,
    /// How long the predecessor was meant to live, in seconds.
    pub lifetime: Option<i64>,
    /// No successor lives beyond this.
    pub renewable_until: Option<Timestamp>,
    /// The issuer's own bound on a life, in seconds.
    pub max_lifetime: Option<i64>,
}

impl ExpiryFacts {
    /// When the successor ends by itself.
    ///
    /// # Errors
    /// `expiry-out-of-range`.
    pub fn decide(self) -> Result<Option<Timestamp>, Problem> {
        let bound = |seconds: i64| self.now.plus(seconds);
        let latest = [
            self.lifetime.map(bound),
            self.max_lifetime.map(bound),
            self.renewable_until,
        ]
        .into_iter()
        .flatten()
        .min();
        let expires_at = self.wanted.or(latest);
        let fits =
            expires_at.is_none_or(|at| at > self.now && latest.is_none_or(|latest| at <= latest));
        if fits {
            Ok(expires_at)
        } else {
            Err(Problem::new(ProblemType::ExpiryOutOfRange).pointer("/expires_at"))
        }
    }
}

/// What is asked for.
#[derive(Debug)]
pub struct Opening {
    /// The id of the rotation.
    pub id: RotationId,
    /// Why.
    pub reason: RotationReason,
    /// When the successor ends by itself, as [`ExpiryFacts::decide`] has it.
    pub expires_at: Option<Timestamp>,
    /// Who rotates.
    pub by: PrincipalId,
}

/// Opens a rotation: the successor is minted like its predecessor, which goes on working.
/// Answers the rotation and the successor.
///
/// # Errors
/// `credential-not-active`, where the state does not admit it.
pub fn open(
    mut predecessor: Credential,
    opening: Opening,
    fresh: Fresh,
    now: Timestamp,
) -> Result<(RotationRow, Credential, Vec<Effect>), Problem> {
    let next = credential::MACHINE
        .next(predecessor.state, credential::Event::Retire)
        .ok_or(ProblemType::CredentialNotActive)?;
    let twin = predecessor.clone();
    let blueprint = Blueprint {
        kind: twin.kind,
        permissions: twin.permissions,
        permission_schema_digest: twin.permission_schema_digest,
        purpose: twin.purpose,
        owner: twin.owner,
        project: twin.project,
        environment: twin.environment,
        subject: twin.subject,
        expires_at: opening.expires_at,
        rotation_policy: twin.rotation_policy,
        labels: twin.labels,
        created_via: Origin {
            kind: OriginKind::Rotation,
            request_id: None,
            rotation_id: Some(opening.id.clone()),
        },
        predecessor: Some(twin.id),
    };
    let (successor, mut effects) = create(blueprint, fresh, &opening.by, now);
    let rotation = RotationRow {
        id: opening.id,
        state: MACHINE.initial,
        reason: opening.reason,
        predecessor: predecessor.id.clone(),
        successor: successor.id.clone(),
        created_at: now,
    };
    let entry = Entry::of(audit::Event::CredentialRotated, &predecessor)
        .actor(opening.by.as_str())
        .successor(&successor.id)
        .text("rotation_id", rotation.id.as_str())
        .text("reason", &rotation.reason.to_string());
    predecessor.state = next;
    predecessor.successor = Some(successor.id.clone());
    effects.push(Effect::SaveCredential(Box::new(predecessor)));
    effects.push(Effect::SaveRotation(Box::new(rotation.clone())));
    effects.push(Effect::Audit(entry));
    Ok((rotation, successor, effects))
}
