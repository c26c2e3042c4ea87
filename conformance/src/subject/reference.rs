//! The reference issuer, embedded.

use url::Url;

use super::SubjectFault;
use crate::config::Control;

/// A running reference issuer; it ends when this is dropped.
#[derive(Debug)]
pub struct Embedded {
    /// Its issuer identifier.
    pub url: Url,
    /// Its test control.
    pub control: Control,
}

impl Embedded {
    /// Starts one on free ports, with nothing on disk.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start() -> Result<Self, SubjectFault> {
        Err(SubjectFault::Reference("it is not built yet".to_owned()))
    }
}
