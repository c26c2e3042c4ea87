//! End a credential for good (specification chapter 19).

use clp_schemas::endpoint::Class;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::revoke::{CredentialRevoke, Revocation, RevocationMode};
use clp_schemas::problem::{Problem, ProblemType};

use super::gates::{self, MIGRATION_RULES, Needed};
use super::{Incoming, Operation, Outcome, guard, mint};
use crate::auth::{Action, Caller};
use crate::lifecycle::credential;
use crate::rules::Rule;
use crate::store::{RotationRow, Tx};

/// A mode, and whether there is an inventory to judge a migration by.
struct Asked {
    mode: RevocationMode,
    has_inventory: bool,
}

const MODE_RULES: &[Rule<Asked>] = &[Rule {
    id: "CLP-REV-004",
    refuses: |asked| {
        (asked.mode == RevocationMode::AfterMigration && !asked.has_inventory)
            .then(|| Problem::new(ProblemType::ModeNotSupported).pointer("/mode"))
    },
}];

/// The open rotation that a credential is the predecessor of.
type Migration = Option<RotationRow>;

const MIGRATION_STAGE_RULES: &[Rule<Migration>] = &[Rule {
    id: "CLP-REV-010",
    refuses: |migration| {
        migration
            .is_none()
            .then(|| ProblemType::RotationNotOpen.into())
    },
}];

/// Checks, in the same transaction in which the credential is ended, that nothing needs it any
/// more.
fn check_migration(
    tx: &Tx<'_>,
    call: &Incoming<CredentialRevoke>,
    migration: &Migration,
) -> Result<(), Problem> {
    tx.check(MIGRATION_STAGE_RULES, migration)?;
    match migration {
        Some(rotation) => {
            let judged = gates::judged(tx, &call.service, rotation)?;
            tx.check(MIGRATION_RULES, &Needed::all(judged))
        }
        None => Ok(()),
    }
}

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
        let asked = Asked {
            mode: body.mode,
            has_inventory: call.service.persona.claims(Class::Inventory),
        };
        tx.check(MODE_RULES, &asked)?;
        let neighbours = tx.neighbours(&credential.id)?;
        // Of a credential that has ended there is nothing left to judge: what was wanted is so.
        if asked.mode == RevocationMode::AfterMigration && credential.state.is_live() {
            check_migration(tx, call, &neighbours.replaced_by)?;
        }
        let revocation = Revocation {
            mode: body.mode,
            reason: body.reason,
            by: call.caller.id().to_owned(),
            at: tx.now(),
        };
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
