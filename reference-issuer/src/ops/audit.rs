//! Who did what, and how to prove it (specification chapter 20).

use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::audit::merkle;
use clp_schemas::ops::Call;
use clp_schemas::ops::audit::{
    AuditCheckpoint, AuditConsistency, AuditEntries, AuditInclusion, AuditPage, CheckpointText,
    ConsistencyProof, EntriesQuery, InclusionProof,
};
use clp_schemas::problem::{Problem, ProblemType};
use serde::{Deserialize, Serialize};

use super::page::{self, Listing};
use super::{Incoming, Operation, Outcome};
use crate::auth::{Action, Caller};
use crate::http::Reply;
use crate::lifecycle::Effect;
use crate::rules::Rule;
use crate::store::{EntryRange, Fault, Tx};

/// How a caller stands to the log.
struct Sight {
    audits_something: bool,
}

const SIGHT_RULES: &[Rule<Sight>] = &[Rule {
    id: "CLP-AUD-006",
    refuses: |sight| (!sight.audits_something).then(|| ProblemType::Forbidden.into()),
}];

fn admit<C: Call>(tx: &Tx<'_>, call: &Incoming<C>) -> Result<(), Problem> {
    let sight = Sight {
        audits_something: call.caller.may_somewhere(Action::Audit),
    };
    tx.check(SIGHT_RULES, &sight)
}

/// Where a page of the log ends, and the log as it was when its first page was read: reading
/// is itself logged, and a listing has to come to an end.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Position {
    from: u64,
    before: u64,
}

impl Operation for AuditEntries {
    type Subject = ();

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<(), Problem> {
        admit(tx, call)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<AuditPage>, Problem> {
        let query = call.query()?;
        let filter = EntriesQuery {
            limit: None,
            cursor: None,
            ..query.clone()
        };
        let listing = Listing {
            caller: call.caller.id(),
            endpoint: Self::ID.row().name,
        };
        let cipher = tx.keys().cursors();
        let size = tx.audit_size()?;
        let position = listing
            .open(tx.seams(), cipher, &filter, query.cursor.as_deref())?
            .unwrap_or(Position {
                from: 0,
                before: size,
            });
        let mut places = tx.audit_places()?;
        places.retain(|place| call.caller.may(Action::Audit, place));
        let range = EntryRange {
            from: position.from,
            before: position.before.min(size),
            places,
            without_place: call.caller.may_everywhere(Action::Audit),
        };
        let limit = page::limit(query.limit);
        let mut entries = tx.audit_entries(&filter, &range, limit + 1)?;
        let more = page::cut(&mut entries, limit);
        let next_cursor = match entries.last() {
            Some(last) if more => {
                let next = Position {
                    from: last.index + 1,
                    ..position
                };
                Some(listing.seal(cipher, &filter, &next)?)
            }
            _ => None,
        };
        if let Caller::Principal { id, .. } = &call.caller {
            tx.apply(vec![Effect::CountAuditRead(id.clone())])?;
        }
        Ok(Outcome::Done(AuditPage {
            log_origin: call.service.log_origin(tx.tenant()),
            entries,
            next_cursor,
        }))
    }
}

impl Operation for AuditCheckpoint {
    type Subject = ();

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<(), Problem> {
        admit(tx, call)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<CheckpointText>, Problem> {
        let tree_size = tx.audit_size()?;
        let checkpoint = Checkpoint {
            origin: call.service.log_origin(tx.tenant()),
            tree_size,
            root: merkle::root(tree_size, |node| tx.audit_node(node)).map_err(Fault::from)?,
        };
        let note = checkpoint.sign(tx.keys().signing()).map_err(|fault| {
            tracing::error!(%fault, "a checkpoint cannot be signed");
            Problem::from(ProblemType::Internal)
        })?;
        Ok(Outcome::Done(CheckpointText(note)))
    }

    fn render(status: u16, answer: &CheckpointText) -> Result<Reply, Problem> {
        Ok(Reply::text(
            status,
            "text/plain; charset=utf-8",
            answer.0.clone(),
        ))
    }
}

/// A part of the log that a proof is wanted of: `0 < end`, `start` within it, `end` within the
/// log.
struct Range {
    start_fits: bool,
    end: u64,
    size: u64,
}

const RANGE_RULES: &[Rule<Range>] = &[
    Rule {
        id: "CLP-AUD-018/start",
        refuses: |range| (!range.start_fits).then(|| ProblemType::InvalidProofRange.into()),
    },
    Rule {
        id: "CLP-AUD-018/end",
        refuses: |range| (range.end > range.size).then(|| ProblemType::InvalidProofRange.into()),
    },
];

impl Operation for AuditInclusion {
    type Subject = ();

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<(), Problem> {
        admit(tx, call)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<InclusionProof>, Problem> {
        let query = call.query()?;
        let range = Range {
            start_fits: query.index < query.tree_size,
            end: query.tree_size,
            size: tx.audit_size()?,
        };
        tx.check(RANGE_RULES, &range)?;
        let hashes = merkle::inclusion(query.index, query.tree_size, |node| tx.audit_node(node));
        Ok(Outcome::Done(InclusionProof {
            index: query.index,
            tree_size: query.tree_size,
            hashes: hashes.map_err(Fault::from)?,
        }))
    }
}

impl Operation for AuditConsistency {
    type Subject = ();

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<(), Problem> {
        admit(tx, call)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<ConsistencyProof>, Problem> {
        let query = call.query()?;
        let range = Range {
            start_fits: 0 < query.from && query.from <= query.to,
            end: query.to,
            size: tx.audit_size()?,
        };
        tx.check(RANGE_RULES, &range)?;
        let hashes = merkle::consistency(query.from, query.to, |node| tx.audit_node(node));
        Ok(Outcome::Done(ConsistencyProof {
            from: query.from,
            to: query.to,
            hashes: hashes.map_err(Fault::from)?,
        }))
    }
}
