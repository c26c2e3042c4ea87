//! The calls of the model, and what is answered.

use super::issuer::Record;
use super::table::{Life, Stage, words};

/// What a caller says that it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The object as it is.
    Fresh,
    /// An older state of it.
    Stale,
    /// That there is none.
    Nothing,
}

/// What a caller sees of a rotation, as far as its tag changes with it. As with a tag that is a
/// hash, a rotation that is as it was before has the tag that it had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// The stage.
    pub stage: Option<Stage>,
    /// The state of the successor.
    pub life: Life,
    /// Whether its delivery can still be read.
    pub has_delivery: bool,
    /// What it names as its own successor.
    pub successor: Option<u8>,
}

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the members are the number of a credential, a place or a key"
)]
pub enum Request {
    /// `rotation_open`
    Open { of: u8, key: u8 },
    /// `delivery_read`
    Read { of: u8 },
    /// `delivery_ack`
    Acknowledge { of: u8 },
    /// `installation_put`
    Put {
        place: u8,
        record: Record,
        seen: Seen,
    },
    /// `rotation_advance`, of what was seen; `None` stands for a tag that never was.
    Advance { rotation: u8, seen: Option<View> },
    /// `rotation_rollback`
    RollBack { rotation: u8, seen: Option<View> },
    /// `credential_revoke` with `immediate`
    Revoke { of: u8 },
    /// `credential_revoke` with `after_migration`; `believed`, that the caller has read that it
    /// is safe, means nothing to an issuer that does as it should.
    Migrate { of: u8, believed: bool },
    /// `credential_suspend`
    Suspend { of: u8 },
    /// `credential_resume`
    Resume { of: u8, seen: Seen },
    /// A call at the resource, from a place.
    Use { place: u8, with: u8 },
}

words! {
    /// A gate.
    Gate {
        Successor = "successor",
        Installations = "installations",
        Health = "health",
        Quiet = "quiet",
        Consumers = "consumers",
        Overlap = "overlap",
    }
}

words! {
    /// Why a call is refused.
    Problem {
        PreconditionFailed = "precondition-failed",
        RotationInProgress = "rotation-in-progress",
        CredentialNotActive = "credential-not-active",
        DeliveryGone = "delivery-gone",
        DeliveryNotRead = "delivery-not-read",
        InstallationState = "installation-state",
        GateUnmet = "gate-unmet",
        RotationNotOpen = "rotation-not-open",
        NoRollbackAfterCompromise = "no-rollback-after-compromise",
        Unauthenticated = "unauthenticated",
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// It is refused; with `gate-unmet`, for these gates.
    Refused(Problem, Vec<Gate>),
}

impl Answer {
    /// Whether it was done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

pub(super) fn refused(problem: Problem) -> Answer {
    Answer::Refused(problem, Vec::new())
}
