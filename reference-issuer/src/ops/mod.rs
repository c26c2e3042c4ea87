//! What each endpoint does, one file per operation. A handler is short: it gathers facts,
//! checks them against the rules that it declares, takes a decision, and applies the effects.

pub(crate) mod approve;
mod audit;
mod create;
pub(crate) mod discover;
mod guard;
mod mint;
mod page;
mod request;
mod revoke;
mod rotate;
mod store;

use std::sync::Arc;

use clp_schemas::endpoint::Idempotency;
use clp_schemas::ops::Call;
use clp_schemas::problem::{Problem, ProblemType};

use crate::auth::Caller;
use crate::http::{Body, Reply};
use crate::rules::{self, Rule};
use crate::service::Service;
use crate::store::{IdempotencyKey, Recorded, Tx};

/// A call whose caller is known. Its parts are looked at in the order of checks, so each is
/// still what reading it gave: a value or a refusal.
#[derive(Debug)]
pub(crate) struct Incoming<C: Call> {
    pub(crate) service: Arc<Service>,
    pub(crate) caller: Caller,
    pub(crate) raw_path: String,
    pub(crate) path: Result<C::Path, Problem>,
    pub(crate) query: Result<C::Query, Problem>,
    pub(crate) body: Result<Option<Body<C::Body>>, Problem>,
    pub(crate) key: Result<Option<String>, Problem>,
}

impl<C: Call> Incoming<C> {
    /// What stands in the path. A segment that has not the form of an id names nothing.
    fn path(&self) -> Result<&C::Path, Problem> {
        self.path.as_ref().map_err(Clone::clone)
    }

    fn query(&self) -> Result<&C::Query, Problem> {
        self.query.as_ref().map_err(Clone::clone)
    }

    fn body(&self) -> Result<&Body<C::Body>, Problem> {
        match &self.body {
            Ok(Some(body)) => Ok(body),
            // Only endpoints whose row has a body ask for it.
            Ok(None) => Err(ProblemType::InvalidJson.into()),
            Err(problem) => Err(problem.clone()),
        }
    }
}

/// What came of a call that was not refused, or that was refused with an effect.
#[derive(Debug)]
pub(crate) enum Outcome<A> {
    /// It was done.
    Done(A),
    /// It was done, and made something that is found at a URL.
    Made(A, String),
    /// It was refused, and yet changed something that has to stand.
    Refused(Problem),
}

/// An endpoint below E.
pub(crate) trait Operation: Call {
    /// What steps 5 and 6 found: the object that the call is about.
    type Subject;

    /// Steps 5 and 6: whether the caller sees the object, and may do this to it.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Self::Subject, Problem>
    where
        Self: Sized;

    /// Steps 9 to 11, and the work itself.
    fn carry_out(
        tx: &mut Tx<'_>,
        subject: Self::Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Self::Answer>, Problem>
    where
        Self: Sized;

    /// The answer as it goes out.
    fn render(status: u16, answer: &Self::Answer) -> Result<Reply, Problem> {
        Reply::json(status, answer)
    }
}

/// What step 8 looks at.
struct KeyFacts {
    recorded_hash: Option<[u8; 32]>,
    body_hash: [u8; 32],
}

const KEY_RULES: &[Rule<KeyFacts>] = &[Rule {
    id: "CLP-TRN-021",
    refuses: |facts| {
        (facts.recorded_hash? != facts.body_hash).then(|| ProblemType::IdempotencyKeyReused.into())
    },
}];

/// Runs a call through steps 5 to 11. Its effects, the log entries about them, and the record
/// of its answer are one transaction.
///
/// Jobs run one after the other, so a repetition never meets a first call that is still being
/// worked on: it waits, and is answered from the record.
pub(crate) fn run<C: Operation>(tx: &mut Tx<'_>, call: &Incoming<C>) -> Result<Reply, Problem> {
    let row = C::ID.row();
    let subject = C::admit(tx, call)?;
    call.query()?;
    if row.has_body() {
        call.body()?;
    }
    if row.idempotency == Idempotency::None {
        return Ok(reply::<C>(&C::carry_out(tx, subject, call)?)?.0);
    }
    let text = call
        .key
        .clone()?
        .ok_or(ProblemType::IdempotencyKeyMissing)?;
    let key = IdempotencyKey {
        principal: call.caller.principal()?,
        method: row.method.name(),
        path: &call.raw_path,
        key: &text,
    };
    let body_hash = call.body()?.hash;
    let recorded = tx.recorded(key)?;
    let facts = KeyFacts {
        recorded_hash: recorded.as_ref().map(|recorded| recorded.body_hash),
        body_hash,
    };
    rules::check(KEY_RULES, &facts)?;
    if let Some(recorded) = recorded {
        return Ok(Reply::again(
            recorded.status,
            recorded.location,
            recorded.body,
        ));
    }
    let outcome = C::carry_out(tx, subject, call)?;
    let (reply, location) = reply::<C>(&outcome)?;
    let answer = Recorded {
        body_hash,
        status: reply.status(),
        location,
        body: reply.body().to_vec(),
    };
    tx.record(key, &answer)?;
    Ok(reply)
}

fn reply<C: Operation>(outcome: &Outcome<C::Answer>) -> Result<(Reply, Option<String>), Problem> {
    let status = C::ID.row().success;
    match outcome {
        Outcome::Done(answer) => Ok((C::render(status, answer)?, None)),
        Outcome::Made(answer, uri) => {
            Ok((C::render(status, answer)?.location(uri), Some(uri.clone())))
        }
        Outcome::Refused(problem) => Ok((Reply::refusal(problem), None)),
    }
}
