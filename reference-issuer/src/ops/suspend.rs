//! Stop a credential for now, and let it work again (specification chapter 19).

use clp_schemas::ops::create::{Credential, Suspension};
use clp_schemas::ops::revoke::{CredentialResume, CredentialSuspend};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential::State;
use serde_json::Value;

use super::{Incoming, Operation, Outcome, as_seen, guard, mint};
use crate::auth::Action;
use crate::lifecycle::change;
use crate::rules::Rule;
use crate::store::Tx;

const RULES: &[Rule<State>] = &[Rule {
    id: "CLP-REV-013",
    refuses: |state| {
        let is_in_use = state.opens() || *state == State::Suspended;
        (!is_in_use).then(|| ProblemType::CredentialNotActive.into())
    },
}];

impl Operation for CredentialSuspend {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(
            tx,
            &call.caller,
            &call.path()?.credential_id,
            Action::Revoke,
        )
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Credential>, Problem> {
        let body = &call.body()?.typed;
        tx.check(RULES, &credential.state)?;
        let suspension = Suspension {
            reason: body.reason,
            by: call.caller.principal()?.clone(),
            at: tx.now(),
        };
        let (credential, effects) = change::suspend(credential, suspension, body.note.as_deref());
        tx.apply(effects)?;
        Ok(Outcome::Done(mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential,
        )?))
    }
}

impl Operation for CredentialResume {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(
            tx,
            &call.caller,
            &call.path()?.credential_id,
            Action::Revoke,
        )
    }

    fn current(
        tx: &Tx<'_>,
        credential: &Credential,
        call: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        as_seen(&mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential.clone(),
        )?)
        .map(Some)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Credential>, Problem> {
        let body = &call.body()?.typed;
        tx.check(RULES, &credential.state)?;
        let is_being_replaced = tx.neighbours(&credential.id)?.replaced_by.is_some();
        let (credential, effects) = change::resume(
            credential,
            is_being_replaced,
            call.caller.id(),
            body.note.as_deref(),
        );
        tx.apply(effects)?;
        Ok(Outcome::Done(mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential,
        )?))
    }
}
