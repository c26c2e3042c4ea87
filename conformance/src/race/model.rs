//! What an issuer is to callers that call at once: a small machine that does one thing after the
//! other, and says for each call what can be answered.

use std::collections::{BTreeMap, BTreeSet};

use super::linear::Model;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Open a rotation of the one credential.
    Open,
    /// Revoke it.
    Revoke,
    /// Read it.
    Read,
    /// Create, under this key.
    Create(usize),
    /// List what there is.
    List,
    /// Replace the one place, by what was seen at first; each by something else.
    Put(usize),
    /// Read it.
    ReadPlace,
    /// Create from the one request.
    FromRequest,
    /// Approve it, or deny it.
    Decide(bool),
    /// Read it.
    ReadRequest,
    /// Roll the one rotation back, by what was seen at first.
    RollBack,
    /// Revoke its successor.
    RevokeSuccessor,
    /// Read the rotation.
    ReadRotation,
}

/// An answer: its status, and the word that tells it from others. For a refusal that is the name
/// of the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// An id, a state, a tag, or the name of a problem.
    pub word: String,
}

/// What is remembered of the one thing that all calls of a history are about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The state of a credential.
    Credential(&'static str),
    /// What was created, by key, and what there is.
    Created(BTreeMap<usize, String>, BTreeSet<String>),
    /// The tag of a place, and whether it is the first one.
    Place(String, bool),
    /// The state of a request, and the credential that came of it.
    Request(&'static str, Option<String>),
    /// Whether a rotation is open.
    Rotation(bool),
}

/// The machine.
pub struct Issuer;

impl Model for Issuer {
    type Call = Call;
    type Answer = Answer;
    type State = State;

    fn step(state: &State, call: &Call, answer: &Answer) -> Option<State> {
        let said = (answer.status, answer.word.as_str());
        match state {
            State::Credential(now) => credential(now, call, said).map(State::Credential),
            State::Created(keys, ids) => created(keys, ids, call, said),
            State::Place(tag, first) => place(tag, *first, call, said),
            State::Request(now, minted) => request(now, minted.as_deref(), call, said),
            State::Rotation(open) => rotation(*open, call, said).map(State::Rotation),
        }
    }

    /// Every state of these machines is left for good, and what was refused or repeated in one is so
    /// in those that follow, or could not have been answered there.
    fn stays_idle(_: &Call, _: &Answer) -> bool {
        true
    }
}

fn credential(now: &'static str, call: &Call, said: (u16, &str)) -> Option<&'static str> {
    let wanted = match (call, now) {
        (Call::Open, "active") => return (said.0 == 201).then_some("retiring"),
        (Call::Open, "retiring") => (409, "rotation-in-progress"),
        (Call::Open, _) => (409, "credential-not-active"),
        (Call::Revoke, _) => return (said == (200, "revoked")).then_some("revoked"),
        (Call::Read, now) => (200, now),
        _ => return None,
    };
    (said == wanted).then_some(now)
}

fn created(
    keys: &BTreeMap<usize, String>,
    ids: &BTreeSet<String>,
    call: &Call,
    (status, word): (u16, &str),
) -> Option<State> {
    let same = || State::Created(keys.clone(), ids.clone());
    match (call, status) {
        (Call::List, 200) => {
            let all: Vec<&str> = ids.iter().map(String::as_str).collect();
            (word == all.join(",")).then(same)
        }
        (Call::Create(key), 201) => match keys.get(key) {
            Some(id) => (id == word).then(same),
            None if ids.contains(word) => None,
            None => {
                let (mut keys, mut ids) = (keys.clone(), ids.clone());
                keys.insert(*key, word.to_owned());
                ids.insert(word.to_owned());
                Some(State::Created(keys, ids))
            }
        },
        // Somebody else with this key is at work: nothing is done.
        (Call::Create(_), 409) => (word == "idempotency-in-flight").then(same),
        _ => None,
    }
}

fn place(tag: &str, first: bool, call: &Call, (status, word): (u16, &str)) -> Option<State> {
    let same = || State::Place(tag.to_owned(), first);
    match (call, status) {
        (Call::ReadPlace, 200) => (word == tag).then(same),
        (Call::Put(_), 200) => (first && word != tag).then(|| State::Place(word.to_owned(), false)),
        (Call::Put(_), 412) => (!first && word == "precondition-failed").then(same),
        _ => None,
    }
}

fn request(
    now: &'static str,
    minted: Option<&str>,
    call: &Call,
    said: (u16, &str),
) -> Option<State> {
    let same = || State::Request(now, minted.map(str::to_owned));
    match (call, now) {
        (Call::ReadRequest, now) => (said == (200, now)).then(same),
        (Call::Decide(approve), "pending_approval") => {
            let state = if *approve { "approved" } else { "denied" };
            (said.0 == 201).then_some(State::Request(state, None))
        }
        (Call::Decide(_), _) => (said == (409, "request-not-pending")).then(same),
        (Call::FromRequest, "approved") => {
            (said.0 == 201).then(|| State::Request("issued", Some(said.1.to_owned())))
        }
        (Call::FromRequest, "issued") => (said.0 == 201 && minted == Some(said.1)).then(same),
        (Call::FromRequest, _) => (said == (409, "request-not-approved")).then(same),
        _ => None,
    }
}

fn rotation(open: bool, call: &Call, said: (u16, &str)) -> Option<bool> {
    match (call, open) {
        (Call::ReadRotation, true) => (said == (200, "distributing")).then_some(true),
        (Call::ReadRotation, false) => (said == (200, "rolled_back")).then_some(false),
        (Call::RollBack, true) => (said == (200, "rolled_back")).then_some(false),
        // Its end has changed it, so that what was seen at first does not hold any more.
        (Call::RollBack, false) => (said == (412, "precondition-failed")).then_some(false),
        (Call::RevokeSuccessor, _) => (said == (200, "revoked")).then_some(false),
        _ => None,
    }
}
