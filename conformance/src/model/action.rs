//! What can happen.

use super::request::Request;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is answered, and the answer arrives.
    Answered,
    /// It is carried out, and the answer is lost: the process gives up, and begins again from
    /// what is on disk.
    AnswerLost,
    /// It is not answered in time, and arrives later or never.
    Late,
    /// It is answered, and arrives once more later.
    Twice,
}

/// A step of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A client writes down that it will rotate this.
    Note(u8, u8),
    /// A client gives an intent up that is too old.
    Drop(u8),
    /// A client calls the issuer.
    Call(u8, Request, Fate),
    /// A client writes down the rotation that was opened.
    WriteDown(u8),
    /// A client stores the secret that it has read.
    Store(u8),
    /// A client takes the lock of a place, and reads its installation.
    Look(u8, u8),
    /// A client calls from the place with what is there.
    Check(u8),
    /// A client changes the place.
    Change(u8),
    /// A client changes the place to this before it has reported anything.
    Haste(u8, u8),
    /// A client reads a rotation.
    Decide(u8, u8),
    /// A process dies.
    Crash(u8),
    /// A late message arrives.
    Arrive,
    /// A late message is lost.
    Vanish,
    /// A person calls the issuer, having seen how things are.
    Person(Request),
    /// A place uses what it has.
    Use(u8),
    /// Time passes.
    Tick,
    /// So much time passes that everything is due and idempotency keys are forgotten.
    Day,
}

impl Action {
    /// What kind of step it is.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Note(..) => "note",
            Self::Drop(_) => "drop-note",
            Self::Call(_, request, fate) => match (request, fate) {
                (_, Fate::Late) => "call-late",
                (_, Fate::Twice) => "call-twice",
                (_, Fate::AnswerLost) => "call-answer-lost",
                (Request::Open { .. }, _) => "open",
                (Request::Read { .. }, _) => "read",
                (Request::Acknowledge { .. }, _) => "acknowledge",
                (Request::Put { .. }, _) => "put",
                (Request::Advance { .. }, _) => "advance",
                (Request::RollBack { .. }, _) => "roll-back",
                (Request::Revoke { .. }, _) => "revoke-first",
                (Request::Migrate { .. }, _) => "revoke-after-migration",
                (Request::Suspend { .. } | Request::Resume { .. } | Request::Use { .. }, _) => {
                    "other"
                }
            },
            Self::WriteDown(_) => "write-down",
            Self::Store(_) => "store",
            Self::Look(..) => "look",
            Self::Check(_) => "check",
            Self::Change(_) => "change",
            Self::Haste(..) => "haste",
            Self::Decide(..) => "decide",
            Self::Crash(_) => "crash",
            Self::Arrive => "arrive",
            Self::Vanish => "vanish",
            Self::Person(request) => match request {
                Request::Revoke { .. } => "person-revokes",
                Request::Suspend { .. } => "person-suspends",
                Request::Resume { .. } => "person-resumes",
                _ => "person-reports",
            },
            Self::Use(_) => "use",
            Self::Tick => "tick",
            Self::Day => "day",
        }
    }

    /// Whether it is what clients and places do by themselves, or a person who lets something
    /// work again: what a rotation has to be able to end by.
    #[must_use]
    pub fn is_ordinary(self) -> bool {
        match self {
            Self::Person(request) => matches!(request, Request::Resume { .. }),
            Self::Day | Self::Arrive | Self::Vanish => false,
            _ => true,
        }
    }
}
