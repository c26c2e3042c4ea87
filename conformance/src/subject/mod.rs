//! What is tested: an issuer, reached by its URL, with a cast and perhaps test control.

pub mod client;
pub mod log;
pub mod null;
mod preflight;
pub mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;

use clp_schemas::endpoint::Class;
use clp_schemas::ops::discover::Manifest;

use url::{Host, Url};

use crate::config::{Cast, Control, Target};
use crate::world::baseline::Contracts;
use crate::world::wire::{self, Limits};

/// Which of several issuers a scenario is about. What holds only where a profile is not claimed
/// cannot be seen at an issuer that claims every one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The one that the run is about.
    #[default]
    Home,
    /// One that does not claim `inventory`.
    WithoutInventory,
    /// One that claims no profile beyond approvals, proofs of its log and test control.
    WithoutProfiles,
}

impl Which {
    /// All but the first, with the tag of the scenarios that are about it.
    pub const ELSEWHERE: [(Self, &str); 2] = [
        (Self::WithoutInventory, "without-inventory"),
        (Self::WithoutProfiles, "without-profiles"),
    ];

    /// Which one a scenario with these tags is about.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a String>) -> Self {
        tags.into_iter()
            .find_map(|tag| Self::ELSEWHERE.iter().find(|(_, name)| name == tag))
            .map_or(Self::Home, |(which, _)| *which)
    }

    /// The first profile that an issuer claims though it should not, to be this one.
    #[must_use]
    pub fn claimed_too_much(self, manifest: &Manifest) -> Option<Class> {
        let beyond: &[Class] = match self {
            Self::Home => &[],
            Self::WithoutInventory => &[Class::Inventory],
            Self::WithoutProfiles => &[
                Class::Lifecycle,
                Class::Inventory,
                Class::Oauth,
                Class::Webhooks,
                Class::BoundKeys,
                Class::Faults,
                Class::ApprovalPolicy,
            ],
        };
        beyond.iter().copied().find(|class| manifest.claims(*class))
    }
}

/// An issuer under test.
#[derive(Debug)]
pub struct Subject {
    /// The prefix of its manifest: the issuer identifier.
    pub url: Url,
    /// The issuers for what cannot be seen there, behind the same test control.
    pub elsewhere: BTreeMap<Which, Url>,
    /// Its test control; with it, every scenario has a tenant and a clock of its own.
    pub control: Option<Control>,
    /// The cast that was set up by hand, without test control.
    pub cast: Option<Cast>,
    /// The published schemas.
    pub contracts: Contracts,
    /// The suite's client.
    pub http: reqwest::Client,
    /// How much is asked of it.
    pub limits: Limits,
    /// Ends the embedded issuer with the subject.
    embedded: Option<reference::Embedded>,
}

/// Why there is nothing to test.
#[derive(Debug, thiserror::Error)]
pub enum SubjectFault {
    /// The embedded issuer did not start.
    #[error("the reference issuer does not start: {0}")]
    Reference(String),
    /// It cannot be broken in this way.
    #[error("there is no saboteur `{0}`; `clp-conformance mutants --list` shows those there are")]
    Saboteur(String),
    /// The system cannot do TLS.
    #[error("no client can be made: {0}")]
    Client(#[from] reqwest::Error),
    /// Nothing listens there.
    #[error("no connection to {0}: {1}; is it running, and is the URL right?")]
    Unreachable(String, String),
    /// A configured token is not taken.
    #[error("the token `{name}` (from {from}) is refused with {status}: check it")]
    TokenRefused {
        /// The member of the configuration.
        name: String,
        /// Where it is from.
        from: String,
        /// 401 or 403.
        status: u16,
    },
}

impl Subject {
    /// Reaches the target, and starts it where it is the embedded one.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn open(target: &Target) -> Result<Arc<Self>, SubjectFault> {
        match target {
            Target::Remote(remote) => Self::start(
                remote.url.clone(),
                remote.elsewhere.clone(),
                remote.control.clone(),
                remote.cast.clone(),
                None,
                Limits::default(),
            ),
            Target::Reference => Self::embed(reference::Embedded::start(None).await?),
            Target::Saboteur(name) => Self::embed(reference::Embedded::start(Some(name)).await?),
        }
    }

    fn embed(embedded: reference::Embedded) -> Result<Arc<Self>, SubjectFault> {
        let (url, control) = (embedded.url.clone(), embedded.control.clone());
        let elsewhere = embedded.elsewhere.clone();
        Self::start(
            url,
            elsewhere,
            Some(control),
            None,
            Some(embedded),
            Limits::default(),
        )
    }

    fn start(
        url: Url,
        elsewhere: BTreeMap<Which, Url>,
        control: Option<Control>,
        cast: Option<Cast>,
        embedded: Option<reference::Embedded>,
        limits: Limits,
    ) -> Result<Arc<Self>, SubjectFault> {
        Ok(Arc::new(Self {
            url,
            elsewhere,
            control,
            cast,
            contracts: Contracts::default(),
            http: wire::client(limits)?,
            limits,
            embedded,
        }))
    }

    /// The issuer that a scenario is about: the one for it, if there is one.
    #[must_use]
    pub fn at(&self, which: Which) -> &Url {
        self.elsewhere.get(&which).unwrap_or(&self.url)
    }

    /// Whether it runs on this machine, so that it can send events here.
    #[must_use]
    pub fn is_near(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// What it logs, where it runs in this process.
    #[must_use]
    pub fn log(&self) -> Option<&'static log::Log> {
        self.embedded.as_ref().and_then(|embedded| embedded.log)
    }

    /// Whether it is the embedded reference issuer.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }
}
