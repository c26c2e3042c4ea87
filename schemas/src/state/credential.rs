//! The life of a credential (spec chapter 01).

use super::{Machine, Transition, named};

named! {
    /// Where a credential stands in its life.
    State {
        /// Minted; the secret has not been fetched yet.
        Provisioned = "provisioned",
        /// In use.
        Active = "active",
        /// A successor exists; this one still works until it is revoked.
        Retiring = "retiring",
        /// Stopped for now; it opens nothing until it is resumed.
        Suspended = "suspended",
        /// Ended by somebody. Final.
        Revoked = "revoked",
        /// Ended by time. Final.
        Expired = "expired",
    }
}

impl State {
    /// Whether it has not ended.
    #[must_use]
    pub fn is_live(self) -> bool {
        !MACHINE.is_terminal(self)
    }

    /// Whether it opens anything.
    #[must_use]
    pub fn opens(self) -> bool {
        matches!(self, Self::Active | Self::Retiring)
    }
}

named! {
    /// What can happen to a credential.
    Event {
        /// The secret was fetched for the first time.
        Deliver = "deliver",
        /// A successor was minted.
        Retire = "retire",
        /// The successor ended first; this one carries on.
        Restore = "restore",
        /// Somebody stopped it for now.
        Suspend = "suspend",
        /// Somebody let it work again.
        Resume = "resume",
        /// Somebody let it work again while its rotation is still open.
        ResumeRetiring = "resume_retiring",
        /// Somebody ended it.
        Revoke = "revoke",
        /// Its time is over, or its delivery lapsed unread.
        Expire = "expire",
    }
}

const fn row(from: State, event: Event, to: State) -> Transition<State, Event> {
    Transition { from, event, to }
}

/// The machine.
pub const MACHINE: Machine<State, Event> = Machine {
    name: "credential",
    initial: State::Provisioned,
    transitions: &[
        row(State::Provisioned, Event::Deliver, State::Active),
        row(State::Provisioned, Event::Revoke, State::Revoked),
        row(State::Provisioned, Event::Expire, State::Expired),
        row(State::Active, Event::Retire, State::Retiring),
        row(State::Active, Event::Revoke, State::Revoked),
        row(State::Active, Event::Expire, State::Expired),
        row(State::Retiring, Event::Restore, State::Active),
        row(State::Retiring, Event::Revoke, State::Revoked),
        row(State::Retiring, Event::Expire, State::Expired),
        row(State::Active, Event::Suspend, State::Suspended),
        row(State::Retiring, Event::Suspend, State::Suspended),
        row(State::Suspended, Event::Resume, State::Active),
        row(State::Suspended, Event::ResumeRetiring, State::Retiring),
        row(State::Suspended, Event::Restore, State::Suspended),
        row(State::Suspended, Event::Revoke, State::Revoked),
        row(State::Suspended, Event::Expire, State::Expired),
    ],
};
