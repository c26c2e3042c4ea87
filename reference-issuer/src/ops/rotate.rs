//! Mint a successor while the predecessor works on (specification chapter 18).

use clp_schemas::endpoint::Class;
use clp_schemas::ids::RotationId;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::rotate::{Plan, Rotation, RotationOpen};
use clp_schemas::permissions::{Unknown, check_against};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;

use super::rotation::shown;
use super::{Incoming, Operation, Outcome, bounds, guard, mint, types};
use crate::auth::Action;
use crate::lifecycle::rotation::{self, ExpiryFacts, Opening};
use crate::rules::Rule;
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
    refuses: |facts| {
        (!facts.fits()).then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer("/expires_at"))
    },
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
        let service = &call.service;
        let expiry = expiry_facts(tx, &predecessor, call, body.expires_at);
        tx.check(EXPIRY_RULES, &expiry)?;
        let max_overlap = predecessor
            .rotation_policy
            .as_ref()
            .and_then(|policy| policy.max_overlap_seconds);
        let plan = service
            .persona
            .claims(Class::Lifecycle)
            .then(|| rotation::plan(body.plan.as_ref(), max_overlap, tx.now()));
        tx.check(
            WANTED_RULES,
            &wanted(tx, &predecessor, call, plan.as_ref())?,
        )?;
        types::rotation_key(tx, &predecessor, body.public_jwk.as_ref())?;
        let standing = Standing {
            is_being_rotated: tx.neighbours(&predecessor.id)?.replaced_by.is_some(),
            state: predecessor.state,
        };
        tx.check(RULES, &standing)?;
        let probe = match plan {
            Some(_) => mint::probe_value(tx, service, predecessor.kind)?,
            None => None,
        };
        let (probe_value, probe_key_id) =
            probe.map_or((None, None), |probe| (Some(probe.value), probe.key_id));
        let opening = Opening {
            id: RotationId::from_entropy(tx.context().random.bytes()?),
            reason: body.reason,
            expires_at: expiry.expires_at(),
            by: call.caller.principal()?.clone(),
            permissions: body
                .permissions
                .clone()
                .unwrap_or_else(|| predecessor.permissions.clone()),
            plan,
            probe_value,
            probe_key_id,
        };
        let fresh = mint::fresh(tx, service, predecessor.kind, body.public_jwk.as_ref())?;
        let (rotation, successor, effects) = rotation::open(predecessor, opening, fresh, tx.now());
        tx.apply(effects)?;
        let uri = service.credential_uri(&successor.id);
        Ok(Outcome::Made(
            shown(tx, service, &call.caller, rotation)?,
            uri,
        ))
    }
}

/// What a rotation is to change, as far as it can be impossible (step 10).
struct Wanted {
    fault: Option<Unknown>,
    beyond: Option<Problem>,
    needed_seconds: u64,
    max_overlap_seconds: Option<u64>,
}

const WANTED_RULES: &[Rule<Wanted>] = &[
    Rule {
        id: "CLP-CRE-005",
        refuses: |wanted| {
            let fault = wanted.fault.as_ref()?;
            Some(
                Problem::new(fault.reason.problem())
                    .detail(fault.reason.to_string())
                    .pointer(fault.pointer.clone()),
            )
        },
    },
    Rule {
        id: "CLP-ROT-016",
        refuses: |wanted| wanted.beyond.clone(),
    },
    Rule {
        id: "CLP-ROT-017",
        refuses: |wanted| {
            (wanted.needed_seconds > wanted.max_overlap_seconds?)
                .then(|| Problem::new(ProblemType::PlanImpossible).pointer("/plan"))
        },
    },
];

fn wanted(
    tx: &Tx<'_>,
    predecessor: &Credential,
    call: &Incoming<RotationOpen>,
    plan: Option<&Plan>,
) -> Result<Wanted, Problem> {
    let (fault, beyond) = match &call.body()?.typed.permissions {
        // It keeps what it has, whatever a document may have said then.
        None => (None, None),
        Some(asked) => {
            let document = tx.document(
                &call.service.persona.name,
                &predecessor.permission_schema_digest,
            )?;
            (
                check_against(&document, asked, &predecessor.environment).err(),
                bounds::beyond(&document, asked, &predecessor.permissions),
            )
        }
    };
    let policy = predecessor.rotation_policy.as_ref();
    Ok(Wanted {
        fault,
        beyond,
        needed_seconds: plan.map_or(0, |plan| {
            plan.quiet_period_seconds.max(plan.min_overlap_seconds)
        }),
        max_overlap_seconds: policy.and_then(|policy| policy.max_overlap_seconds),
    })
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
