//! A rotation that is open: read it, take it further, or give the predecessor back
//! (specification chapter 18).

use clp_schemas::endpoint::Class;
use clp_schemas::gates::{GateId, safe_to_revoke};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::revoke::{Revocation, RevocationMode, RevocationReason};
use clp_schemas::ops::rotate::{
    GateReport, Rotation, RotationAdvance, RotationGates, RotationPath, RotationRead,
    RotationReason, RotationRollback,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::installation;
use clp_schemas::state::rotation::State;
use clp_schemas::statement::Statement;
use serde_json::Value;

use super::gates::{self, ADVANCE_RULES, Needed};
use super::{Incoming, Operation, Outcome, as_seen, guard, mint};
use crate::auth::{Action, Caller};
use crate::lifecycle::{credential, rotation};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{RotationRow, Tx};

/// A rotation as the caller sees it, with the successor as it is now.
pub(super) fn shown(
    tx: &Tx<'_>,
    service: &Service,
    caller: &Caller,
    row: RotationRow,
) -> Result<Rotation, Problem> {
    let successor = tx
        .credential(&row.successor)?
        .ok_or(ProblemType::Internal)?;
    let is_record = row.plan.is_some();
    Ok(Rotation {
        id: row.id,
        state: row.state,
        reason: row.reason,
        predecessor: row.predecessor,
        successor: row.successor,
        credential: mint::shown(tx, service, caller, successor)?,
        created_at: row.created_at,
        plan: row.plan,
        probe_value: row.probe_value,
        ended_at: row.ended_at.filter(|_| is_record),
    })
}

const SIGHT_RULES: &[Rule<Option<RotationRow>>] = &[Rule {
    id: "CLP-MOD-005",
    refuses: |row| row.is_none().then(|| ProblemType::NotFound.into()),
}];

/// A rotation, and the credential that it replaces.
type Subject = (RotationRow, Credential);

fn admit<C>(tx: &Tx<'_>, call: &Incoming<C>, action: Action) -> Result<Subject, Problem>
where
    C: Operation<Path = RotationPath>,
{
    let row = tx.rotation(&call.path()?.rotation_id)?;
    tx.check(SIGHT_RULES, &row)?;
    let row = row.ok_or(ProblemType::Internal)?;
    let predecessor = guard::credential(tx, &call.caller, &row.predecessor, action)?;
    Ok((row, predecessor))
}

fn current<C: Operation>(
    tx: &Tx<'_>,
    row: &RotationRow,
    call: &Incoming<C>,
) -> Result<Option<Value>, Problem> {
    as_seen(&shown(tx, &call.service, &call.caller, row.clone())?).map(Some)
}

impl Operation for RotationRead {
    type Subject = Subject;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Subject, Problem> {
        admit(tx, call, Action::Read)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (row, _): Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Rotation>, Problem> {
        Ok(Outcome::Done(shown(tx, &call.service, &call.caller, row)?))
    }
}

impl Operation for RotationGates {
    type Subject = Subject;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Subject, Problem> {
        admit(tx, call, Action::Read)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (row, _): Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<GateReport>, Problem> {
        let judged = gates::judged(tx, &call.service, &row)?;
        let mut report = GateReport {
            rotation_id: row.id.clone(),
            state: row.state,
            gates: Vec::new(),
            issuer_gates: Vec::new(),
            safe_to_revoke: None,
            statement: None,
            // Uses are recorded in the call that they are, so nothing lags.
            usage_as_of: tx.now(),
        };
        if call.service.persona.claims(Class::Inventory) {
            let statement = Statement::new(
                call.service.origin.clone(),
                (row.id, row.state),
                (row.predecessor, row.successor),
                &judged,
                tx.now(),
            );
            let signed = statement.sign(tx.keys().statements());
            report.statement = Some(signed.map_err(|_| ProblemType::Internal)?);
            report.safe_to_revoke = Some(safe_to_revoke(&judged, tx.now()));
            report.gates = judged;
        } else {
            report.issuer_gates = judged;
        }
        Ok(Outcome::Done(report))
    }
}

const STAGE_RULES: &[Rule<State>] = &[Rule {
    id: "CLP-ROT-029",
    refuses: |state| {
        let is_under_way = matches!(state, State::Distributing | State::Draining);
        (!is_under_way).then(|| ProblemType::RotationNotOpen.into())
    },
}];

impl Operation for RotationAdvance {
    type Subject = Subject;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Subject, Problem> {
        admit(tx, call, Action::Rotate)
    }

    fn current(
        tx: &Tx<'_>,
        (row, _): &Subject,
        call: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        current(tx, row, call)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (row, predecessor): Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Rotation>, Problem> {
        let note = call.body()?.typed.note.as_deref();
        tx.check(STAGE_RULES, &row.state)?;
        let judged = gates::judged(tx, &call.service, &row)?;
        if row.state == State::Distributing {
            // Without an inventory the last two are not among those that were judged.
            let stage = [GateId::Successor, GateId::Installations, GateId::Health];
            tx.check(ADVANCE_RULES, &Needed::only(judged, &stage))?;
            let (row, effects) = rotation::drain(row, &predecessor, call.caller.id(), note)?;
            tx.apply(effects)?;
            return Ok(Outcome::Done(shown(tx, &call.service, &call.caller, row)?));
        }
        tx.check(ADVANCE_RULES, &Needed::all(judged))?;
        let revocation = Revocation {
            mode: RevocationMode::AfterMigration,
            reason: RevocationReason::Superseded,
            by: call.caller.id().to_owned(),
            at: tx.now(),
        };
        end(tx, predecessor, revocation, note)?;
        ended(tx, row, call)
    }
}

/// Where a rotation stands that somebody wants to take back.
struct Standing {
    state: State,
    reason: RotationReason,
    is_installed: bool,
}

const ROLLBACK_RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-ROT-031",
        refuses: |standing| {
            (!standing.state.is_open()).then(|| ProblemType::RotationNotOpen.into())
        },
    },
    Rule {
        id: "CLP-ROT-032",
        refuses: |standing| {
            (standing.reason == RotationReason::Compromise)
                .then(|| ProblemType::NoRollbackAfterCompromise.into())
        },
    },
    Rule {
        id: "CLP-ROT-033",
        refuses: |standing| {
            standing
                .is_installed
                .then(|| Problem::new(ProblemType::GateUnmet).gates(vec![GateId::Installations]))
        },
    },
];

impl Operation for RotationRollback {
    type Subject = Subject;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Subject, Problem> {
        admit(tx, call, Action::Rotate)
    }

    fn current(
        tx: &Tx<'_>,
        (row, _): &Subject,
        call: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        current(tx, row, call)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (row, _): Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Rotation>, Problem> {
        let line = tx.first_of_line(&row.predecessor)?;
        let standing = Standing {
            state: row.state,
            reason: row.reason,
            is_installed: tx.installations_of_line(&line)?.iter().any(|place| {
                place.credential_id == row.successor
                    && place.declared.state != installation::State::Retired
            }),
        };
        tx.check(ROLLBACK_RULES, &standing)?;
        let successor = tx
            .credential(&row.successor)?
            .ok_or(ProblemType::Internal)?;
        let revocation = Revocation {
            mode: RevocationMode::Immediate,
            reason: RevocationReason::Other,
            by: call.caller.id().to_owned(),
            at: tx.now(),
        };
        end(
            tx,
            successor,
            revocation,
            call.body()?.typed.note.as_deref(),
        )?;
        ended(tx, row, call)
    }
}

/// Revokes one of the two; the rotation ends with it.
fn end(
    tx: &mut Tx<'_>,
    credential: Credential,
    revocation: Revocation,
    note: Option<&str>,
) -> Result<(), Problem> {
    let neighbours = tx.neighbours(&credential.id)?;
    let (_, effects) = credential::revoke(credential, neighbours, revocation, note);
    Ok(tx.apply(effects)?)
}

/// The rotation as its end left it.
fn ended<C: Operation>(
    tx: &Tx<'_>,
    row: RotationRow,
    call: &Incoming<C>,
) -> Result<Outcome<Rotation>, Problem> {
    let row = tx.rotation(&row.id)?.ok_or(ProblemType::Internal)?;
    Ok(Outcome::Done(shown(tx, &call.service, &call.caller, row)?))
}
