//! State machines as data: one file a machine, one row a transition.
//!
//! The spec's diagrams are generated from these rows, and the issuer's decisions read
//! them; a move that no row names does not exist.

pub mod credential;
pub mod installation;
pub mod request;
pub mod rotation;

use std::fmt::Write as _;

/// One permitted move.
#[derive(Clone, Copy, Debug)]
pub struct Transition<S: 'static, E: 'static> {
    /// The state before.
    pub from: S,
    /// What happens.
    pub event: E,
    /// The state after.
    pub to: S,
}

/// A state machine.
#[derive(Debug)]
pub struct Machine<S: 'static, E: 'static> {
    /// Its name, which is also the name of the object that it governs.
    pub name: &'static str,
    /// The state in which an object is born.
    pub initial: S,
    /// Every permitted move; no two rows share `from` and `event`.
    pub transitions: &'static [Transition<S, E>],
}

impl<S: Copy + PartialEq, E: Copy + PartialEq> Machine<S, E> {
    /// The state that `event` leads to, or `None` where `from` does not admit it.
    #[must_use]
    pub fn next(&self, from: S, event: E) -> Option<S> {
        self.transitions
            .iter()
            .find(|row| row.from == from && row.event == event)
            .map(|row| row.to)
    }

    /// Whether nothing leads out of `state`.
    #[must_use]
    pub fn is_terminal(&self, state: S) -> bool {
        !self.transitions.iter().any(|row| row.from == state)
    }
}

impl<S: Copy + PartialEq + Named, E: Copy + PartialEq + Named> Machine<S, E> {
    /// The machine as a Mermaid state diagram.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut text = format!("stateDiagram-v2\n    [*] --> {}\n", self.initial.name());
        for row in self.transitions {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "    {} --> {}: {}",
                row.from.name(),
                row.to.name(),
                row.event.name()
            );
        }
        let mut ends: Vec<&str> = Vec::new();
        for row in self.transitions {
            if self.is_terminal(row.to) && !ends.contains(&row.to.name()) {
                ends.push(row.to.name());
            }
        }
        for end in ends {
            let _ = writeln!(text, "    {end} --> [*]");
        }
        text
    }
}

/// A state or an event that has a name on the wire.
pub trait Named {
    /// The name, in `snake_case`.
    fn name(&self) -> &'static str;
}

/// An enum whose variants are spelled in `snake_case` on the wire, with the spelling at hand.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The variant that is spelled so on the wire.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl $crate::state::Named for $name {
            fn name(&self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str($crate::state::Named::name(self))
            }
        }
    };
}
pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::*;

    fn deterministic<S: Copy + PartialEq, E: Copy + PartialEq>(machine: &Machine<S, E>) {
        for (at, row) in machine.transitions.iter().enumerate() {
            let twin = machine
                .transitions
                .iter()
                .position(|other| other.from == row.from && other.event == row.event);
            assert_eq!(twin, Some(at), "{}: two rows for one event", machine.name);
        }
    }

    #[test]
    fn no_event_leads_two_ways() {
        deterministic(&credential::MACHINE);
        deterministic(&request::MACHINE);
        deterministic(&rotation::MACHINE);
        deterministic(&installation::MACHINE);
    }

    #[test]
    fn the_ends_are_the_ends() {
        use credential::State;
        for state in State::ALL {
            let over = matches!(state, State::Revoked | State::Expired);
            assert_eq!(credential::MACHINE.is_terminal(*state), over, "{state}");
            assert_eq!(state.is_live(), !over);
        }
    }

    #[test]
    fn the_diagram_names_every_state() {
        let text = credential::MACHINE.mermaid();
        for state in credential::State::ALL {
            assert!(text.contains(state.name()));
        }
    }
}
