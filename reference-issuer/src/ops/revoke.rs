//! End a credential for good (specification chapter 19).

use clp_schemas::ops::create::Credential;
use clp_schemas::ops::revoke::{CredentialRevoke, Revocation, RevocationMode};
use clp_schemas::problem::{Problem, ProblemType};

use super::{Incoming, Operation, Outcome, guard, mint};
use crate::auth::{Action, Caller};
use crate::lifecycle::credential;
use crate::rules::{self, Rule};
use crate::store::Tx;

const MODE_RULES: &[Rule<RevocationMode>] = &[Rule {
    id: "CLP-REV-004",
    refuses: |mode| {
        (*mode != RevocationMode::Immediate)
            .then(|| Problem::new(ProblemType::ModeNotSupported).pointer("/mode"))
    },
}];

impl Operation for CredentialRevoke {
    type Subject = Credential;

    /// Whoever holds a key may end it, and nothing else.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        let id = &call.path()?.credential_id;
        if matches!(&call.caller, Caller::Credential(own) if own == id) {
            return tx
                .credential(id)?
                .ok_or_else(|| ProblemType::NotFound.into());
        }
        guard::credential(tx, &call.caller, id, Action::Revoke)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Credential>, Problem> {
        let body = &call.body()?.typed;
        rules::check(MODE_RULES, &body.mode)?;
        let revocation = Revocation {
            mode: body.mode,
            reason: body.reason,
            by: call.caller.id().to_owned(),
            at: tx.now(),
        };
        let neighbours = tx.neighbours(&credential.id)?;
        let (credential, effects) =
            credential::revoke(credential, neighbours, revocation, body.note.as_deref());
        tx.apply(effects)?;
        Ok(Outcome::Done(mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential,
        )?))
    }
}
