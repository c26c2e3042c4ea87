//! What of a credential's permissions was used (specification chapter 14).

use clp_schemas::ops::create::Credential;
use clp_schemas::ops::scope::{Analysis, AtomUse, ScopeAnalysis};
use clp_schemas::permissions::{expand, recommend};
use clp_schemas::problem::{Problem, ProblemType};

use super::{Incoming, Operation, Outcome, guard};
use crate::auth::Action;
use crate::store::Tx;

impl Operation for ScopeAnalysis {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(tx, &call.caller, &call.path()?.credential_id, Action::Read)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Analysis>, Problem> {
        let since = call.query()?.since.unwrap_or(credential.created_at);
        let document = tx.document(
            &call.service.persona.name,
            &credential.permission_schema_digest,
        )?;
        let parts =
            expand(&document, &credential.permissions).map_err(|_| ProblemType::Internal)?;
        let uses = tx.part_uses(&credential.id)?;
        let atoms: Vec<AtomUse> = parts
            .into_iter()
            .enumerate()
            .map(|(number, statement)| {
                let last_used_at = uses.get(&number).copied();
                AtomUse {
                    statement,
                    used: last_used_at.is_some_and(|at| at >= since),
                    last_used_at,
                }
            })
            .collect();
        let used: Vec<_> = atoms
            .iter()
            .filter(|atom| atom.used)
            .map(|atom| atom.statement.clone())
            .collect();
        Ok(Outcome::Done(Analysis {
            credential_id: credential.id,
            since,
            // Uses are recorded in the call that they are, so nothing lags.
            as_of: tx.now(),
            recommended: recommend(&document, &credential.permissions, &used),
            atoms,
        }))
    }
}
