//! What each endpoint does, one file per operation. A handler is short: it gathers facts,
//! checks them against the rules that it declares, takes a decision, and applies the effects.

mod amend;
pub(crate) mod approve;
mod audit;
mod authentication;
mod bounds;
mod create;
mod deciding;
pub(crate) mod discover;
pub(crate) mod event;
mod form;
mod gates;
mod guard;
mod inject;
pub(crate) mod introspection;
mod inventory;
mod mint;
mod narrow;
pub(crate) mod oauth;
mod page;
pub(crate) mod policy;
mod request;
mod request_change;
mod revoke;
mod rotate;
mod rotation;
mod scope;
mod store;
mod stores;
mod suspend;
mod types;

use std::net::IpAddr;
use std::sync::Arc;

use clp_schemas::endpoint::{Class, Media, Method, Precondition};
use clp_schemas::ops::Call;
use clp_schemas::ops::create::Webhook;
use clp_schemas::problem::{Problem, ProblemType};
use serde::Serialize;
use serde_json::Value;

use crate::auth::Caller;
use crate::http::{Body, Conditions, Reply, check_precondition, entity_tag};
use crate::lifecycle::Effect;
use crate::rules::Rule;
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
    pub(crate) conditions: Conditions,
    /// The addresses of the target that the body names.
    pub(crate) addresses: Vec<IpAddr>,
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
    Refused(Box<Problem>),
}

/// An endpoint below E.
pub(crate) trait Operation: Call {
    /// What steps 5 and 6 found: the object that the call is about.
    type Subject;

    /// Where a body wants events to be sent; the address is looked up before the call is.
    fn target(_: &Self::Body) -> Option<&Webhook> {
        None
    }

    /// Steps 5 and 6: whether the caller sees the object, and may do this to it.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Self::Subject, Problem>
    where
        Self: Sized;

    /// The object as the caller sees it, for step 9; `None` where there is none yet. Asked for by
    /// rows with a precondition alone.
    fn current(_: &Tx<'_>, _: &Self::Subject, _: &Incoming<Self>) -> Result<Option<Value>, Problem>
    where
        Self: Sized,
    {
        Ok(None)
    }

    /// Steps 10 to 13, and the work itself.
    fn carry_out(
        tx: &mut Tx<'_>,
        subject: Self::Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Self::Answer>, Problem>
    where
        Self: Sized;

    /// The answer as it goes out.
    fn render(status: u16, answer: &Self::Answer) -> Result<Reply, Problem> {
        match Self::ID.row().media {
            Media::Empty => Ok(Reply::empty(status)),
            Media::Json | Media::Text => Reply::json(status, answer),
        }
    }
}

/// How long an answer is kept for a repetition, in seconds: a day.
const KEPT_SECONDS: i64 = 86_400;

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

/// Runs a call through steps 5 to 13. Its effects, the log entries about them, and the record
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
    // There is no key where the row takes none.
    let Some(text) = call.key.clone()? else {
        let outcome = in_state::<C>(tx, subject, call)?;
        return tagged(call, reply::<C>(&outcome)?.0);
    };
    let key = IdempotencyKey {
        principal: call.caller.principal()?.clone(),
        method: row.method.name(),
        path: call.raw_path.clone(),
        key: text,
    };
    let body_hash = call.body()?.hash;
    let recorded = tx.recorded(&key)?;
    let facts = KeyFacts {
        recorded_hash: recorded.as_ref().map(|recorded| recorded.body_hash),
        body_hash,
    };
    tx.check(KEY_RULES, &facts)?;
    if let Some(recorded) = recorded {
        return tagged(
            call,
            Reply::again(recorded.status, recorded.location, recorded.body),
        );
    }
    let outcome = in_state::<C>(tx, subject, call)?;
    let (reply, location) = reply::<C>(&outcome)?;
    let answer = Recorded {
        body_hash,
        status: reply.status(),
        location,
        body: reply.body().to_vec(),
    };
    tx.apply(vec![Effect::Record {
        key,
        answer,
        forget_at: tx.now().plus(KEPT_SECONDS),
    }])?;
    tagged(call, reply)
}

/// Step 9, and what comes after it.
fn in_state<C: Operation>(
    tx: &mut Tx<'_>,
    subject: C::Subject,
    call: &Incoming<C>,
) -> Result<Outcome<C::Answer>, Problem> {
    let wanted = C::ID.row().precondition;
    if matches!(wanted, Precondition::IfMatch | Precondition::IfMatchOrNew) {
        let current = C::current(tx, &subject, call)?;
        check_precondition(tx.seams(), wanted, &call.conditions, current.as_ref())?;
    }
    C::carry_out(tx, subject, call)
}

/// The same answer with the entity tag of what it shows, where its row has one.
fn tagged<C: Operation>(call: &Incoming<C>, reply: Reply) -> Result<Reply, Problem> {
    let is_success = (200..300).contains(&reply.status());
    // The core class has no tags of its own; a profile has those that its rows ask for.
    let claimed = match C::ID.row().class {
        Class::Core => Class::Lifecycle,
        profile => profile,
    };
    if !is_success || !C::ID.row().is_tagged() || !call.service.persona.claims(claimed) {
        return Ok(reply);
    }
    let object = serde_json::from_slice(reply.body()).map_err(|_| ProblemType::Internal)?;
    Ok(reply.etag(&entity_tag(&object)?))
}

/// An object as it goes out, for its entity tag.
fn as_seen<T: Serialize>(object: &T) -> Result<Value, Problem> {
    serde_json::to_value(object).map_err(|_| ProblemType::Internal.into())
}

fn reply<C: Operation>(outcome: &Outcome<C::Answer>) -> Result<(Reply, Option<String>), Problem> {
    let row = C::ID.row();
    // A PUT that makes its object says so (RFC 9110 section 9.3.4).
    let made = if row.method == Method::Put {
        201
    } else {
        row.success
    };
    match outcome {
        Outcome::Done(answer) => Ok((C::render(row.success, answer)?, None)),
        Outcome::Made(answer, uri) => {
            Ok((C::render(made, answer)?.location(uri), Some(uri.clone())))
        }
        Outcome::Refused(problem) => Ok((Reply::refusal(problem), None)),
    }
}
