//! The life of an installation, as its client reports it (spec chapter 16).

use super::{Machine, Transition, named};

named! {
    /// How far a credential has come at one place.
    State {
        /// The place is known; the secret is not there yet.
        Declared = "declared",
        /// Its client is about to change the place, or was when it last reported.
        Updating = "updating",
        /// The secret is there. Whether it has been loaded is not known.
        Installed = "installed",
        /// It was seen to work from there.
        Verified = "verified",
        /// The place does not use it any more. Final.
        Retired = "retired",
    }
}

named! {
    /// What a client can report.
    Event {
        /// It is about to change the place.
        Update = "update",
        /// It has put the secret there.
        Install = "install",
        /// It has seen it work.
        Verify = "verify",
        /// The place does not use it any more.
        Retire = "retire",
    }
}

impl Event {
    /// The report that asks for this state; `None` for the state that a place is born in.
    #[must_use]
    pub fn to(state: State) -> Option<Self> {
        match state {
            State::Declared => None,
            State::Updating => Some(Self::Update),
            State::Installed => Some(Self::Install),
            State::Verified => Some(Self::Verify),
            State::Retired => Some(Self::Retire),
        }
    }
}

const fn row(from: State, event: Event, to: State) -> Transition<State, Event> {
    Transition { from, event, to }
}

/// The machine. A repeated report is no move.
pub const MACHINE: Machine<State, Event> = Machine {
    name: "installation",
    initial: State::Declared,
    transitions: &[
        row(State::Declared, Event::Update, State::Updating),
        row(State::Declared, Event::Install, State::Installed),
        row(State::Declared, Event::Retire, State::Retired),
        row(State::Updating, Event::Install, State::Installed),
        row(State::Updating, Event::Retire, State::Retired),
        row(State::Installed, Event::Update, State::Updating),
        row(State::Installed, Event::Verify, State::Verified),
        row(State::Installed, Event::Retire, State::Retired),
        row(State::Verified, Event::Update, State::Updating),
        row(State::Verified, Event::Install, State::Installed),
        row(State::Verified, Event::Retire, State::Retired),
    ],
};
