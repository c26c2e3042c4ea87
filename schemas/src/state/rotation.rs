//! The life of a rotation in the core class (spec chapter 18).

use super::{Machine, Transition, named};

named! {
    /// Where a rotation stands.
    State {
        /// The successor exists and the predecessor is retiring.
        Created = "created",
        /// The predecessor has ended. Final.
        Completed = "completed",
        /// The successor ended first, and the predecessor carries on. Final.
        RolledBack = "rolled_back",
    }
}

named! {
    /// What can happen to a rotation.
    Event {
        /// The predecessor was revoked or has expired.
        PredecessorEnded = "predecessor_ended",
        /// The successor was revoked or has expired while the predecessor still lived.
        SuccessorEnded = "successor_ended",
    }
}

const fn row(from: State, event: Event, to: State) -> Transition<State, Event> {
    Transition { from, event, to }
}

/// The machine.
pub const MACHINE: Machine<State, Event> = Machine {
    name: "rotation",
    initial: State::Created,
    transitions: &[
        row(State::Created, Event::PredecessorEnded, State::Completed),
        row(State::Created, Event::SuccessorEnded, State::RolledBack),
    ],
};
