//! Mint a successor while the predecessor works on (specification chapter 18).

use clp_schemas::ids::RotationId;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::rotate::{Rotation, RotationOpen};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;

use super::{Incoming, Operation, Outcome, guard, mint};
use crate::auth::Action;
use crate::lifecycle::rotation::{self, ExpiryFacts, Opening};
use crate::rules::{self, Rule};
use crate::store::Tx;

/// Where a credential stands that is to be rotated.
struct Standing {
    is_being_rotated: bool,
    state: State,
}

const RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-ROT-006",
        refuses: |standing| {
            standing
                .is_being_rotated
                .then(|| ProblemType::RotationInProgress.into())
        },
    },
    Rule {
        id: "CLP-ROT-008",
        refuses: |standing| {
            (standing.state != State::Active).then(|| ProblemType::CredentialNotActive.into())
        },
    },
];

const EXPIRY_RULES: &[Rule<ExpiryFacts>] = &[Rule {
    id: "CLP-ROT-010",
    refuses: |facts| facts.decide().err(),
}];

impl Operation for RotationOpen {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        let id = &call.path()?.credential_id;
        guard::credential(tx, &call.caller, id, Action::Rotate)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        predecessor: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Rotation>, Problem> {
        let body = &call.body()?.typed;
        let expiry = expiry_facts(tx, &predecessor, call, body.expires_at);
        rules::check(EXPIRY_RULES, &expiry)?;
        let standing = Standing {
            is_being_rotated: tx.neighbours(&predecessor.id)?.replaced_by.is_some(),
            state: predecessor.state,
        };
        rules::check(RULES, &standing)?;
        let opening = Opening {
            id: RotationId::from_entropy(tx.context().random.bytes()?),
            reason: body.reason,
            expires_at: expiry.decide()?,
            by: call.caller.principal()?.clone(),
        };
        let fresh = mint::fresh(tx, &call.service)?;
        let (rotation, successor, effects) = rotation::open(predecessor, opening, fresh, tx.now())?;
        tx.apply(effects)?;
        let uri = call.service.credential_uri(&successor.id);
        let answer = Rotation {
            id: rotation.id,
            state: rotation.state,
            reason: rotation.reason,
            predecessor: rotation.predecessor,
            successor: rotation.successor,
            credential: mint::shown(tx, &call.service, &call.caller, successor)?,
            created_at: rotation.created_at,
        };
        Ok(Outcome::Made(answer, uri))
    }
}

fn expiry_facts(
    tx: &Tx<'_>,
    predecessor: &Credential,
    call: &Incoming<RotationOpen>,
    wanted: Option<Timestamp>,
) -> ExpiryFacts {
    let policy = predecessor.rotation_policy.as_ref();
    ExpiryFacts {
        now: tx.now(),
        wanted,
        lifetime: predecessor
            .expires_at
            .map(|at| at.unix() - predecessor.created_at.unix()),
        renewable_until: policy.and_then(|policy| policy.renewable_until),
        max_lifetime: call
            .service
            .persona
            .max_lifetime_seconds
            .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
    }
}
