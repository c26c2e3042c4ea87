//! What is wrong with a configuration, said so that it can be mended.

/// A configuration that cannot be used. Never holds a value out of it: it could be a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}{place}: {reason}", if place.is_empty() { "" } else { ": " })]
pub struct ConfigFault {
    /// The file, or the option of the command line.
    pub file: String,
    /// The member, such as `tenants[0].principals[1].token`, or `line 3, column 7`; empty
    /// where the whole is meant.
    pub place: String,
    /// What is wrong there, and what is wanted instead.
    pub reason: String,
}

impl ConfigFault {
    /// A fault at one place.
    #[must_use]
    pub fn new(
        file: impl Into<String>,
        place: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            place: place.into(),
            reason: reason.into(),
        }
    }
}
