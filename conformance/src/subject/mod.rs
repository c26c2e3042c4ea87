//! What is tested: an issuer, reached by its URL, with a cast and perhaps test control.

pub mod null;
pub mod reference;

use std::sync::Arc;

use url::Url;

use crate::config::{Cast, Control, Target};
use crate::world::baseline::Contracts;
use crate::world::wire;

/// An issuer under test.
#[derive(Debug)]
pub struct Subject {
    /// The prefix of its manifest: the issuer identifier.
    pub url: Url,
    /// Its test control; with it, every scenario has a tenant and a clock of its own.
    pub control: Option<Control>,
    /// The cast that was set up by hand, without test control.
    pub cast: Option<Cast>,
    /// The published schemas.
    pub contracts: Contracts,
    /// The suite's client.
    pub http: reqwest::Client,
    /// Ends the embedded issuer with the subject.
    embedded: Option<reference::Embedded>,
}

/// Why there is nothing to test.
#[derive(Debug, thiserror::Error)]
pub enum SubjectFault {
    /// The embedded issuer did not start.
    #[error("the reference issuer does not start: {0}")]
    Reference(String),
    /// The system cannot do TLS.
    #[error("no client can be made: {0}")]
    Client(#[from] reqwest::Error),
}

impl Subject {
    /// Reaches the target, and starts it where it is the embedded one.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn open(target: &Target) -> Result<Arc<Self>, SubjectFault> {
        match target {
            Target::Remote(remote) => Self::at(
                remote.url.clone(),
                remote.control.clone(),
                remote.cast.clone(),
                None,
            ),
            Target::Reference => {
                let embedded = reference::Embedded::start().await?;
                let (url, control) = (embedded.url.clone(), embedded.control.clone());
                Self::at(url, Some(control), None, Some(embedded))
            }
        }
    }

    fn at(
        url: Url,
        control: Option<Control>,
        cast: Option<Cast>,
        embedded: Option<reference::Embedded>,
    ) -> Result<Arc<Self>, SubjectFault> {
        Ok(Arc::new(Self {
            url,
            control,
            cast,
            contracts: Contracts::default(),
            http: wire::client()?,
            embedded,
        }))
    }

    /// Whether it is the embedded reference issuer.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }
}
