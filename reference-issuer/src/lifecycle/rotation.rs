//! The life of a rotation (specification chapter 18).

use clp_schemas::audit;
use clp_schemas::gates::Basis;
use clp_schemas::ids::{PrincipalId, RotationId};
use clp_schemas::ops::create::{Credential, Origin, OriginKind};
use clp_schemas::ops::rotate::{Plan, PlanBody, RotationReason};
use clp_schemas::permissions::PermissionSet;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential;
use clp_schemas::state::rotation::{Event, MACHINE, State};
use clp_schemas::time::Timestamp;

use super::Effect;
use super::credential::{Blueprint, Fresh, create};
use crate::audit::Entry;
use crate::store::{Due, RotationRow};

/// The open rotations that a credential has a part in.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The one that replaces it.
    pub replaced_by: Option<RotationRow>,
    /// The one that it was minted by, and the credential that it is to replace.
    pub replaces: Option<(RotationRow, Credential)>,
}

/// How a credential ended, as far as its rotations have to know.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// When.
    pub at: Timestamp,
    /// Who did it; `None` where time did.
    pub by: Option<&'a str>,
}

/// The end of a credential, as far as its rotations go: its own is completed; the one that
/// minted it is rolled back, and the predecessor carries on.
pub(super) fn ended(
    credential: &Credential,
    neighbours: Neighbours,
    ending: Ending<'_>,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(rotation) = neighbours.replaced_by {
        effects.extend(end(rotation, Event::PredecessorEnded, credential, ending));
    }
    if let Some((rotation, mut predecessor)) = neighbours.replaces {
        effects.extend(end(rotation, Event::SuccessorEnded, &predecessor, ending));
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

fn end(
    mut rotation: RotationRow,
    event: Event,
    predecessor: &Credential,
    ending: Ending<'_>,
) -> Vec<Effect> {
    let Some(next) = MACHINE.next(rotation.state, event) else {
        return Vec::new();
    };
    rotation.state = next;
    rotation.ended_at = Some(ending.at);
    let logged = match next {
        State::RolledBack => audit::Event::RotationRolledBack,
        _ => audit::Event::RotationCompleted,
    };
    let entry = Entry::of(logged, predecessor)
        .at(ending.at)
        .rotation(&rotation.id)
        .maybe("actor", ending.by);
    vec![
        Effect::SaveRotation(Box::new(rotation)),
        Effect::Audit(entry),
    ]
}

/// Somebody has the successor's secret: it can be brought to where it is to be used.
#[must_use]
pub fn deliver(mut rotation: RotationRow) -> Option<Effect> {
    let next = MACHINE.next(rotation.state, Event::Deliver)?;
    if next == rotation.state {
        return None;
    }
    rotation.state = next;
    Some(Effect::SaveRotation(Box::new(rotation)))
}

/// The deadline has come. Nothing happens to a rotation that has ended.
#[must_use]
pub fn block(mut rotation: RotationRow, predecessor: &Credential, at: Timestamp) -> Vec<Effect> {
    let Some(next) = MACHINE.next(rotation.state, Event::Block) else {
        return Vec::new();
    };
    rotation.state = next;
    let entry = Entry::of(audit::Event::RotationBlocked, predecessor)
        .at(at)
        .rotation(&rotation.id);
    vec![
        Effect::SaveRotation(Box::new(rotation)),
        Effect::Audit(entry),
    ]
}

/// Takes a rotation from `distributing` to `draining`. Answers it as it then is.
///
/// # Errors
/// `rotation-not-open`, where the stage does not admit it.
pub fn drain(
    mut rotation: RotationRow,
    predecessor: &Credential,
    by: &str,
    note: Option<&str>,
) -> Result<(RotationRow, Vec<Effect>), Problem> {
    rotation.state = MACHINE
        .next(rotation.state, Event::Advance)
        .filter(|next| next.is_open())
        .ok_or(ProblemType::RotationNotOpen)?;
    let entry = Entry::of(audit::Event::RotationAdvanced, predecessor)
        .actor(by)
        .rotation(&rotation.id)
        .text("state", &rotation.state.to_string())
        .maybe("note", note);
    let effects = vec![
        Effect::SaveRotation(Box::new(rotation.clone())),
        Effect::Audit(entry),
    ];
    Ok((rotation, effects))
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
    #[must_use]
    pub fn expires_at(self) -> Option<Timestamp> {
        self.wanted.or(self.latest())
    }

    /// Whether what is asked for is in the future, and within every bound.
    #[must_use]
    pub fn fits(self) -> bool {
        self.expires_at()
            .is_none_or(|at| at > self.now && self.latest().is_none_or(|latest| at <= latest))
    }

    fn latest(self) -> Option<Timestamp> {
        let bound = |seconds: i64| self.now.plus(seconds);
        [
            self.lifetime.map(bound),
            self.max_lifetime.map(bound),
            self.renewable_until,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// What is asked for.
#[derive(Debug)]
pub struct Opening {
    /// The id of the rotation.
    pub id: RotationId,
    /// Why.
    pub reason: RotationReason,
    /// When the successor ends by itself, as [`ExpiryFacts::expires_at`] has it.
    pub expires_at: Option<Timestamp>,
    /// Who rotates.
    pub by: PrincipalId,
    /// What the successor opens.
    pub permissions: PermissionSet,
    /// When the predecessor may go; `None` where the persona does not claim `lifecycle`.
    pub plan: Option<Plan>,
    /// What a health check shows to be refused.
    pub probe_value: Option<String>,
    /// The public part of the probe value, where it has the form of a key.
    pub probe_key_id: Option<String>,
}

/// The plan of a rotation that is opened now.
#[must_use]
pub fn plan(asked: Option<&PlanBody>, max_overlap_seconds: Option<u64>, now: Timestamp) -> Plan {
    let asked = asked.cloned().unwrap_or_default();
    Plan {
        quiet_period_seconds: asked.quiet_period_seconds.unwrap_or_default(),
        min_overlap_seconds: asked.min_overlap_seconds.unwrap_or_default(),
        least_basis: asked.least_basis.unwrap_or(Basis::Reported),
        deadline: max_overlap_seconds
            .map(|seconds| now.plus(i64::try_from(seconds).unwrap_or(i64::MAX))),
    }
}

/// Opens a rotation: the successor is minted like its predecessor, which goes on working.
/// Answers the rotation and the successor. A predecessor that is not in use stays as it is.
#[must_use]
pub fn open(
    mut predecessor: Credential,
    opening: Opening,
    fresh: Fresh,
    now: Timestamp,
) -> (RotationRow, Credential, Vec<Effect>) {
    let next = credential::MACHINE
        .next(predecessor.state, credential::Event::Retire)
        .unwrap_or(predecessor.state);
    let twin = predecessor.clone();
    let blueprint = Blueprint {
        kind: twin.kind,
        permissions: opening.permissions,
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
        cnf: twin.cnf,
        webhook: twin.webhook,
    };
    let (successor, mut effects) = create(blueprint, fresh, &opening.by, now);
    // Whoever brought their own key has it already; there is nothing to be read.
    let has_secret = opening.plan.is_some() && successor.state.opens();
    let state = match MACHINE.next(MACHINE.initial, Event::Deliver) {
        Some(delivered) if has_secret => delivered,
        _ => MACHINE.initial,
    };
    let rotation = RotationRow {
        id: opening.id,
        state,
        reason: opening.reason,
        predecessor: predecessor.id.clone(),
        successor: successor.id.clone(),
        created_at: now,
        plan: opening.plan,
        probe_value: opening.probe_value,
        probe_key_id: opening.probe_key_id,
        probe_refused_at: None,
        event_accepted_at: None,
        ended_at: None,
    };
    if let Some(deadline) = rotation.plan.as_ref().and_then(|plan| plan.deadline) {
        effects.push(Effect::Schedule(
            deadline,
            Due::Rotation(rotation.id.clone()),
        ));
    }
    let entry = Entry::of(audit::Event::CredentialRotated, &predecessor)
        .actor(opening.by.as_str())
        .successor(&successor.id)
        .rotation(&rotation.id)
        .text("reason", &rotation.reason.to_string());
    predecessor.state = next;
    predecessor.successor = Some(successor.id.clone());
    effects.push(Effect::SaveCredential(Box::new(predecessor)));
    effects.push(Effect::SaveRotation(Box::new(rotation.clone())));
    effects.push(Effect::Audit(entry));
    (rotation, successor, effects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn credential() -> Credential {
        serde_json::from_value(json!({
            "id": "cred_00000000000000000000", "type": "api_key", "state": "retiring", "purpose": "p",
            "owner": "o", "project": "a", "environment": "e", "permissions": [],
            "permission_schema_digest": "sha256:00", "key_id": "k", "labels": {},
            "created_at": "2026-11-24T19:39:13Z", "created_by": "prin_00000000000000000000",
            "created_via": {"kind": "direct"}, "disclosed_to": [],
        }))
        .unwrap()
    }

    fn rotation(state: State) -> RotationRow {
        RotationRow {
            id: "rot_00000000000000000000".parse().unwrap(),
            state,
            reason: RotationReason::Scheduled,
            predecessor: credential().id,
            successor: "cred_11111111111111111111".parse().unwrap(),
            created_at: Timestamp::from_unix(0),
            plan: None,
            probe_value: None,
            probe_key_id: None,
            probe_refused_at: None,
            event_accepted_at: None,
            ended_at: None,
        }
    }

    #[test]
    fn one_stage_follows_another_and_a_deadline_stops_them() {
        for state in State::ALL {
            let drained = drain(rotation(*state), &credential(), "ana", None);
            assert_eq!(drained.is_ok(), *state == State::Distributing, "{state}");
            let delivered = deliver(rotation(*state)).is_some();
            assert_eq!(delivered, *state == State::Created, "{state}");
            let blocked = block(rotation(*state), &credential(), Timestamp::from_unix(9));
            let can_block = state.is_open() && *state != State::Blocked;
            assert_eq!(!blocked.is_empty(), can_block, "{state}");
        }
    }

    #[test]
    fn the_end_of_one_credential_ends_each_open_rotation_once() {
        let ending = Ending {
            at: Timestamp::from_unix(9),
            by: None,
        };
        for state in State::ALL {
            for (is_predecessor, wanted) in [(true, State::Completed), (false, State::RolledBack)] {
                let neighbours = if is_predecessor {
                    Neighbours {
                        replaced_by: Some(rotation(*state)),
                        replaces: None,
                    }
                } else {
                    Neighbours {
                        replaced_by: None,
                        replaces: Some((rotation(*state), credential())),
                    }
                };
                let effects = ended(&credential(), neighbours, ending);
                let saved = effects.iter().find_map(|effect| match effect {
                    Effect::SaveRotation(saved) => Some((saved.state, saved.ended_at)),
                    _ => None,
                });
                let wanted = state.is_open().then_some((wanted, Some(ending.at)));
                assert_eq!(saved, wanted, "{state}");
            }
        }
    }

    #[test]
    fn a_plan_is_kept_whole() {
        let now = Timestamp::from_unix(100);
        let kept = plan(None, Some(50), now);
        assert_eq!(
            (kept.quiet_period_seconds, kept.min_overlap_seconds),
            (0, 0)
        );
        assert_eq!(kept.deadline, Some(now.plus(50)));
        assert_eq!(plan(None, None, now).deadline, None);
    }
}
