//! What of a credential's permissions was used (specification chapter 14).

use clp_schemas::endpoint::Class;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::scope::{Analysis, AtomUse, Observed, RecordedUse, ScopeAnalysis};
use clp_schemas::permissions::{Recorded, expand, recommend, refused};
use clp_schemas::problem::{Problem, ProblemType};

use super::{Incoming, Operation, Outcome, guard};
use crate::auth::Action;
use crate::store::Tx;

/// Most installations that are asked how long they can be silent.
const INSTALLATIONS: u32 = 1000;

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
        let persona = &call.service.persona;
        let asked = call.query()?.since.unwrap_or(credential.created_at);
        let since = asked.max(credential.created_at);
        // Uses are recorded in the call that they are, so nothing lags.
        let as_of = tx.now();
        let document = tx.document(&persona.name, &credential.permission_schema_digest)?;
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
        let complete = tx
            .forgotten_until(&credential.id)?
            .is_none_or(|until| until < since);
        let recorded: Vec<RecordedUse> = tx.accesses(&credential.id, since)?;
        let accesses: Vec<Recorded> = recorded.iter().map(|one| one.access.clone()).collect();
        let calls = recorded.iter().map(|one| one.uses).sum();
        let observed = Observed {
            complete,
            window_seconds: u64::try_from(as_of.unix() - since.unix()).unwrap_or_default(),
            uses: calls,
            longest_interval_seconds: match persona.claims(Class::Inventory) {
                true => longest_interval(tx, &credential)?,
                false => 0,
            },
        };
        let recommended = recommend(
            &document,
            &credential.permissions,
            &used,
            complete.then_some(&accesses),
        );
        Ok(Outcome::Done(Analysis {
            credential_id: credential.id,
            since,
            as_of,
            atoms,
            recorded,
            complete,
            uses: calls,
            confidence: observed.confidence(),
            would_refuse: recommended
                .as_ref()
                .map(|set| refused(&document, set, &accesses))
                .unwrap_or_default(),
            recommended,
        }))
    }
}

/// The longest time for which a place says that it can be silent.
fn longest_interval(tx: &Tx<'_>, credential: &Credential) -> Result<u64, Problem> {
    let installations = tx.installations(&credential.id, None, None, INSTALLATIONS)?;
    let intervals = installations
        .iter()
        .filter_map(|(_, installation)| installation.declared.use_interval_seconds);
    Ok(intervals.max().unwrap_or_default())
}
