//! Where a rotation says what it does: on standard error, or as one line among those of others.

use crate::ops::Session;
use crate::ops::rotate::many::progress::Line;

/// Who listens.
#[derive(Clone, Copy)]
pub(super) enum Voice<'a> {
    /// Somebody who asked for this one rotation.
    Alone(&'a Session),
    /// Somebody who asked for several at once.
    Among(&'a Line),
}

impl Voice<'_> {
    /// Says what was done, in one clean line.
    pub(super) fn say(self, line: &str) {
        match self {
            Self::Alone(session) => session.say(&format!("{line}\n")),
            Self::Among(one) => one.say(line),
        }
    }

    /// Whether nobody can be asked, since it is one of several.
    pub(super) fn is_among_others(self) -> bool {
        matches!(self, Self::Among(_))
    }

    /// Shows how things stand, over several lines, where there is room for it.
    pub(super) fn mention(self, lines: &str) {
        if let Self::Alone(session) = self {
            session.say(lines);
        }
    }
}
