//! What the gates of a rotation are judged by, out of the state as it is in this very call
//! (specification chapter 18, "What is judged").

use clp_schemas::endpoint::Class;
use clp_schemas::gates::{
    Facts, Gate, GateId, GateState, Place, Sender, Sight, evaluate, issuer_gates,
};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::inject::{Check, Installation};
use clp_schemas::permissions::compare;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;

use super::inventory::Sightings;
use crate::lifecycle::inventory::fits;
use crate::lifecycle::rotation::plan;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{RotationRow, Tx};

/// How long a consumer that fell silent still counts, in seconds: 30 days.
const MEMORY_SECONDS: i64 = 2_592_000;

/// The gates that this persona can judge, as of now: all six with an inventory, three without.
pub(super) fn judged(
    tx: &Tx<'_>,
    service: &Service,
    rotation: &RotationRow,
) -> Result<Vec<Gate>, Problem> {
    let facts = facts(tx, service, rotation)?;
    Ok(if service.persona.claims(Class::Inventory) {
        evaluate(&facts)
    } else {
        issuer_gates(&facts)
    })
}

fn facts(tx: &Tx<'_>, service: &Service, rotation: &RotationRow) -> Result<Facts, Problem> {
    let predecessor = tx
        .credential(&rotation.predecessor)?
        .ok_or(ProblemType::Internal)?;
    let successor = tx
        .credential(&rotation.successor)?
        .ok_or(ProblemType::Internal)?;
    let document = tx.document(&service.persona.name, &predecessor.permission_schema_digest)?;
    let of_predecessor = Sightings::of(tx, &predecessor.id)?;
    let of_successor = Sightings::of(tx, &successor.id)?;
    let declared = tx.installations_of_line(&tx.first_of_line(&predecessor.id)?)?;
    let from = tx.now().plus(-MEMORY_SECONDS);
    Ok(Facts {
        now: tx.now(),
        opened_at: rotation.created_at,
        plan: rotation
            .plan
            .clone()
            .unwrap_or_else(|| plan(None, None, rotation.created_at)),
        kind: successor.kind,
        successor: successor.state,
        verdict: compare(&document, &successor.permissions, &predecessor.permissions).verdict,
        observation: service.usage_observation(),
        predecessor_used_at: of_predecessor.0.iter().map(|seen| seen.last_seen_at).max(),
        probe_refused_at: rotation.probe_refused_at,
        event_accepted_at: rotation.event_accepted_at,
        places: declared
            .iter()
            // Also those that an earlier rotation left behind: nobody knows what is there now.
            .map(|place| self::place(place, &successor, &of_successor, rotation.created_at))
            .collect(),
        senders: of_predecessor
            .0
            .iter()
            .filter(|seen| seen.last_seen_at >= from)
            .map(|seen| Sender {
                name: seen
                    .user_agent
                    .clone()
                    .unwrap_or_else(|| seen.address.clone()),
                fits: declared
                    .iter()
                    .filter(|place| {
                        fits(
                            place.declared.matcher.as_ref(),
                            seen.user_agent.as_deref(),
                            &seen.address,
                        )
                    })
                    .count(),
            })
            .collect(),
    })
}

fn place(
    installation: &Installation,
    successor: &Credential,
    uses: &Sightings,
    opened_at: Timestamp,
) -> Place {
    let declared = &installation.declared;
    let on_successor = installation.credential_id == successor.id;
    // What was reported below the predecessor says nothing of the successor.
    let health = declared.health.as_ref().filter(|_| on_successor);
    let sight = |check: Option<Check>| match check {
        None => Sight::Untold,
        Some(Check::Accepted) => Sight::Accepted,
        Some(Check::Refused) => Sight::Refused,
    };
    Place {
        id: installation.id.clone(),
        on_successor,
        state: declared.state,
        required: declared.required.unwrap_or(true),
        use_interval_seconds: declared.use_interval_seconds,
        seen: uses
            .last(declared.matcher.as_ref())
            .is_some_and(|seen| seen >= opened_at),
        reported: sight(health.map(|health| health.credential)),
        probe_reported: sight(health.and_then(|health| health.probe)),
    }
}

/// Gates that have to be met.
pub(super) struct Needed(Vec<Gate>);

impl Needed {
    /// All of them.
    pub(super) fn all(gates: Vec<Gate>) -> Self {
        Self(gates)
    }

    /// Those among them.
    pub(super) fn only(gates: Vec<Gate>, ids: &[GateId]) -> Self {
        Self(
            gates
                .into_iter()
                .filter(|gate| ids.contains(&gate.id))
                .collect(),
        )
    }

    /// `gate-unmet` with every one that is not met.
    fn refusal(&self) -> Option<Problem> {
        let unmet: Vec<GateId> = self
            .0
            .iter()
            .filter(|gate| gate.state != GateState::Met)
            .map(|gate| gate.id)
            .collect();
        (!unmet.is_empty()).then(|| Problem::new(ProblemType::GateUnmet).gates(unmet))
    }
}

/// What an advance needs.
pub(super) const ADVANCE_RULES: &[Rule<Needed>] = &[Rule {
    id: "CLP-ROT-028",
    refuses: Needed::refusal,
}];

/// What a revocation after a migration needs.
pub(super) const MIGRATION_RULES: &[Rule<Needed>] = &[Rule {
    id: "CLP-REV-009",
    refuses: Needed::refusal,
}];
