//! The life of a request for a credential (spec chapter 11).

use super::{Machine, Transition, named};

named! {
    /// Where a request stands.
    State {
        /// Nobody has decided yet.
        PendingApproval = "pending_approval",
        /// Approved; the credential can be created.
        Approved = "approved",
        /// The credential was created. Final.
        Issued = "issued",
        /// Refused by an approver. Final.
        Denied = "denied",
        /// Nobody decided, or nobody created, in time. Final.
        Expired = "expired",
        /// Taken back by whoever asked. Final.
        Cancelled = "cancelled",
    }
}

named! {
    /// What can happen to a request.
    Event {
        /// An approver said yes.
        Approve = "approve",
        /// An approver said no.
        Deny = "deny",
        /// The credential was created from it.
        Issue = "issue",
        /// Its time is over.
        Expire = "expire",
        /// Whoever asked changed it; it has to be decided on anew.
        Amend = "amend",
        /// Whoever asked took it back.
        Cancel = "cancel",
    }
}

const fn row(from: State, event: Event, to: State) -> Transition<State, Event> {
    Transition { from, event, to }
}

/// The machine.
pub const MACHINE: Machine<State, Event> = Machine {
    name: "request",
    initial: State::PendingApproval,
    transitions: &[
        row(State::PendingApproval, Event::Approve, State::Approved),
        row(State::PendingApproval, Event::Deny, State::Denied),
        row(State::PendingApproval, Event::Expire, State::Expired),
        row(State::Approved, Event::Issue, State::Issued),
        row(State::Approved, Event::Expire, State::Expired),
        row(State::PendingApproval, Event::Amend, State::PendingApproval),
        row(State::Approved, Event::Amend, State::PendingApproval),
        row(State::PendingApproval, Event::Cancel, State::Cancelled),
        row(State::Approved, Event::Cancel, State::Cancelled),
    ],
};
