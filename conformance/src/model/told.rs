//! Steps in words, for traces.

use std::fmt;

use super::action::{Action, Fate};
use super::issuer::Record;
use super::request::{Request, Seen};

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fresh => "as it is",
            Self::Stale => "by an old picture",
            Self::Nothing => "as new",
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { of, key } => write!(formatter, "rotation_open of {of} with key {key}"),
            Self::Read { of } => write!(formatter, "delivery_read of {of}"),
            Self::Acknowledge { of } => write!(formatter, "delivery_ack of {of}"),
            Self::Put {
                place,
                record:
                    Record {
                        below,
                        state,
                        required,
                    },
                seen,
            } => {
                let required = if *required { "" } else { ", not required" };
                write!(
                    formatter,
                    "installation_put of place {place} below {below}: {state}{required}, {seen}"
                )
            }
            Self::Advance { rotation, .. } => {
                write!(formatter, "rotation_advance to successor {rotation}")
            }
            Self::RollBack { rotation, .. } => {
                write!(formatter, "rotation_rollback from successor {rotation}")
            }
            Self::Revoke { of } => write!(formatter, "credential_revoke of {of}, immediate"),
            Self::Migrate { of, .. } => {
                write!(formatter, "credential_revoke of {of}, after_migration")
            }
            Self::Suspend { of } => write!(formatter, "credential_suspend of {of}"),
            Self::Resume { of, seen } => write!(formatter, "credential_resume of {of}, {seen}"),
            Self::Use { place, with } => write!(formatter, "a call with {with} from place {place}"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(r, of) => {
                write!(formatter, "client {r} writes down that it will rotate {of}")
            }
            Self::Drop(r) => write!(formatter, "client {r} gives up what it had written down"),
            Self::Call(r, request, fate) => {
                write!(formatter, "client {r}: {request}")?;
                formatter.write_str(match fate {
                    Fate::Answered => "",
                    Fate::AnswerLost => "; the answer is lost",
                    Fate::Late => "; the message is late",
                    Fate::Twice => "; the message comes twice",
                })
            }
            Self::WriteDown(r) => write!(formatter, "client {r} writes the rotation down"),
            Self::Store(r) => write!(formatter, "client {r} stores the secret"),
            Self::Look(r, place) => write!(formatter, "client {r} looks at place {place}"),
            Self::Check(r) => write!(formatter, "client {r} calls from the place"),
            Self::Change(r) => write!(formatter, "client {r} changes the place"),
            Self::Haste(r, to) => {
                write!(
                    formatter,
                    "client {r} changes the place to {to}, unreported"
                )
            }
            Self::Decide(r, rotation) => {
                write!(
                    formatter,
                    "client {r} reads the rotation to successor {rotation}"
                )
            }
            Self::Crash(r) => write!(formatter, "client {r} dies"),
            Self::Arrive => formatter.write_str("the late message arrives"),
            Self::Vanish => formatter.write_str("the late message is lost"),
            Self::Person(request) => write!(formatter, "a person: {request}"),
            Self::Use(place) => write!(formatter, "place {place} uses what it has"),
            Self::Tick => formatter.write_str("time passes"),
            Self::Day => formatter.write_str("a day passes"),
        }
    }
}
