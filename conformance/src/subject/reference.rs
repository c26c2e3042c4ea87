//! The reference issuer, embedded: the one place where the suite touches it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use axum::Router;
use clp_issuer::config::Config;
use clp_issuer::{Issuer, Running};
use url::Url;

use super::log::Log;
use super::{SubjectFault, Which};
use crate::config::Control;

/// The target of what it logs.
pub const LOGS_AS: &str = "clp_issuer";

/// The personas that claim less than the first.
const ELSEWHERE: [(Which, &str); 2] = [
    (Which::WithoutInventory, "hosting"),
    (Which::WithoutProfiles, "analytics"),
];

/// Is `clp-issuer`, a process of its own, with these arguments.
#[must_use]
pub fn main(words: &[OsString]) -> ExitCode {
    let all = std::iter::once(OsString::from("clp-issuer")).chain(words.iter().cloned());
    clp_issuer::cli::run(all)
}

/// A way in which the reference issuer can be broken.
#[derive(Clone, Debug)]
pub struct Saboteur {
    /// Its name: the requirement, and a word where it has several.
    pub name: &'static str,
    /// The requirement that is then broken.
    pub requirement: &'static str,
    /// What the issuer then does, without a subject.
    pub does: &'static str,
}

/// All of them.
#[must_use]
pub fn saboteurs() -> Vec<Saboteur> {
    clp_issuer::sabotage::all()
        .map(|one| Saboteur {
            name: one.name,
            requirement: one.requirement(),
            does: one.does,
        })
        .collect()
}

/// A running reference issuer; it ends when this is dropped.
#[derive(Debug)]
pub struct Embedded {
    /// The issuer identifier of its first persona.
    pub url: Url,
    /// Those of the personas that claim less.
    pub elsewhere: BTreeMap<Which, Url>,
    /// Its test control.
    pub control: Control,
    /// What it logs, unless this program has a log of its own.
    pub log: Option<&'static Log>,
    _running: Running,
}

impl Embedded {
    /// Starts one on free ports, with nothing on disk, and broken where that is wanted.
    ///
    /// # Errors
    /// Where it does not start, or cannot be broken so.
    pub async fn start(saboteur: Option<&str>) -> Result<Self, SubjectFault> {
        Self::start_behind(saboteur, |honest| honest).await
    }

    /// The same, with something between its first persona and the wire.
    ///
    /// # Errors
    /// As [`Embedded::start`].
    pub async fn start_behind(
        saboteur: Option<&str>,
        front: impl Fn(Router) -> Router + Send + Sync + 'static,
    ) -> Result<Self, SubjectFault> {
        let fault = |words: String| SubjectFault::Reference(words);
        let config = Config::built_in()
            .and_then(|config| config.with_ports(0))
            .map_err(|error| fault(error.to_string()))?;
        let first = config.personas.first().map(|one| one.name.clone());
        let mut builder = Issuer::builder().config(config).wrap(move |name, honest| {
            if first.as_deref() == Some(name) {
                front(honest)
            } else {
                honest
            }
        });
        if let Some(name) = saboteur {
            let saboteur = clp_issuer::sabotage::find(name)
                .ok_or_else(|| SubjectFault::Saboteur(name.to_owned()))?;
            builder = builder.violate(saboteur);
        }
        let log = Log::capture(LOGS_AS);
        let running = builder
            .spawn()
            .await
            .map_err(|error| fault(error.to_string()))?;
        let url = |text: &str| {
            text.parse::<Url>()
                .map_err(|error| fault(error.to_string()))
        };
        let persona = running
            .personas
            .first()
            .ok_or_else(|| fault("it serves no persona".to_owned()))?;
        let elsewhere = ELSEWHERE
            .into_iter()
            .filter_map(|(which, name)| {
                let persona = running.personas.iter().find(|one| one.name == name)?;
                Some(url(&persona.url).map(|url| (which, url)))
            })
            .collect::<Result<_, _>>()?;
        let (Some(control), Some(token)) = (&running.control_url, &running.control_token) else {
            return Err(fault("it has no test control".to_owned()));
        };
        Ok(Self {
            url: url(&persona.url)?,
            elsewhere,
            control: Control {
                url: url(control)?,
                token: token.clone(),
                from: "the reference issuer".to_owned(),
            },
            log,
            _running: running,
        })
    }
}
