//! Judges of the suite's own. They import nothing from the code that they judge, and the
//! tests plant bugs and see each of them caught before a verdict is believed.

pub mod attestation;
pub mod canary;
pub mod digest;
pub mod document;
pub mod gates;
pub mod identity;
pub mod jose;
pub mod key;
pub mod log;
pub mod merkle;
pub mod note;
pub mod passkey;
pub mod record;
pub mod statement;
pub mod webhook;

/// Why something does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsound(pub String);

impl Unsound {
    /// Says why.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}
