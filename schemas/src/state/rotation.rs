//! The life of a rotation (spec chapter 18).

use super::{Machine, Transition, named};

named! {
    /// Where a rotation stands.
    State {
        /// The successor exists and the predecessor is retiring; nobody has read the
        /// successor's secret yet.
        Created = "created",
        /// The successor is being brought to where the predecessor is used.
        Distributing = "distributing",
        /// The successor is everywhere; the predecessor is waited for to fall silent.
        Draining = "draining",
        /// The deadline has passed. Nothing was revoked; somebody has to look.
        Blocked = "blocked",
        /// The predecessor has ended. Final.
        Completed = "completed",
        /// The successor has ended, and the predecessor carries on. Final.
        RolledBack = "rolled_back",
    }
}

impl State {
    /// Whether it has not ended.
    #[must_use]
    pub fn is_open(self) -> bool {
        !MACHINE.is_terminal(self)
    }
}

named! {
    /// What can happen to a rotation.
    Event {
        /// The successor's secret was read for the first time, or was the requester's own.
        Deliver = "deliver",
        /// Somebody took it one stage further, and the gates were met.
        Advance = "advance",
        /// The deadline came.
        Block = "block",
        /// Somebody gave the predecessor back.
        Rollback = "rollback",
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
        row(State::Created, Event::Deliver, State::Distributing),
        row(State::Created, Event::Block, State::Blocked),
        row(State::Created, Event::Rollback, State::RolledBack),
        row(State::Created, Event::PredecessorEnded, State::Completed),
        row(State::Created, Event::SuccessorEnded, State::RolledBack),
        row(State::Distributing, Event::Advance, State::Draining),
        row(State::Distributing, Event::Block, State::Blocked),
        row(State::Distributing, Event::Rollback, State::RolledBack),
        row(
            State::Distributing,
            Event::PredecessorEnded,
            State::Completed,
        ),
        row(
            State::Distributing,
            Event::SuccessorEnded,
            State::RolledBack,
        ),
        row(State::Draining, Event::Advance, State::Completed),
        row(State::Draining, Event::Block, State::Blocked),
        row(State::Draining, Event::Rollback, State::RolledBack),
        row(State::Draining, Event::PredecessorEnded, State::Completed),
        row(State::Draining, Event::SuccessorEnded, State::RolledBack),
        row(State::Blocked, Event::Deliver, State::Blocked),
        row(State::Blocked, Event::Rollback, State::RolledBack),
        row(State::Blocked, Event::PredecessorEnded, State::Completed),
        row(State::Blocked, Event::SuccessorEnded, State::RolledBack),
    ],
};
