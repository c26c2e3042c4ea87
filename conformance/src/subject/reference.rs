//! The reference issuer, embedded: the one place where the suite touches it.

use clp_issuer::config::Config;
use clp_issuer::{Issuer, Running};
use url::Url;

use super::SubjectFault;
use crate::config::Control;

/// A running reference issuer; it ends when this is dropped.
#[derive(Debug)]
pub struct Embedded {
    /// The issuer identifier of its first persona.
    pub url: Url,
    /// Its test control.
    pub control: Control,
    _running: Running,
}

impl Embedded {
    /// Starts one on free ports, with nothing on disk.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start() -> Result<Self, SubjectFault> {
        let fault = |words: String| SubjectFault::Reference(words);
        let config = Config::built_in()
            .and_then(|config| config.with_ports(0))
            .map_err(|error| fault(error.to_string()))?;
        let running = Issuer::builder()
            .config(config)
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
        let (Some(control), Some(token)) = (&running.control_url, &running.control_token) else {
            return Err(fault("it has no test control".to_owned()));
        };
        Ok(Self {
            url: url(&persona.url)?,
            control: Control {
                url: url(control)?,
                token: token.clone(),
            },
            _running: running,
        })
    }
}
