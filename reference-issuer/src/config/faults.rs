//! The script of faults of a whole process.

use std::path::Path;

use clp_schemas::json::{self, Limits};
use clp_schemas::ops::discover::Deployment;
use clp_schemas::ops::faults::FaultScript;
use serde_json::Value;

use super::file::text_of;
use super::{Config, ConfigFault};
use crate::faults::{self, NotAScript, SEEDS};

/// The script in a JSON file.
pub(super) fn read(path: &Path) -> Result<FaultScript, ConfigFault> {
    let label = path.display().to_string();
    let value = json::parse(text_of(path)?.as_bytes(), Limits::default())
        .map_err(|fault| ConfigFault::new(&label, "", fault.to_string()))?;
    script(&label, "", value)
}

/// The script that stands at a place of a file.
pub(super) fn script(label: &str, place: &str, value: Value) -> Result<FaultScript, ConfigFault> {
    faults::script(value).map_err(|NotAScript { pointer, keyword }| {
        let reason = format!("the value breaks the `{keyword}` of a script's schema");
        ConfigFault::new(label, format!("{place}{pointer}"), reason)
    })
}

/// That nothing goes wrong on purpose in production.
pub(super) fn check(label: &str, config: &Config) -> Result<(), ConfigFault> {
    let is_test = |persona: &super::Persona| persona.environment == Deployment::Test;
    if config.faults.is_empty() || config.personas.iter().all(is_test) {
        return Ok(());
    }
    let reason = "a persona is in production; want no script, or `test` as its environment";
    Err(ConfigFault::new(label, "faults", reason))
}

/// Gives the chaos of a script a seed.
pub(super) fn sow(script: &mut FaultScript, seed: u64) -> Result<(), ConfigFault> {
    let fault = |reason| ConfigFault::new("--fault-seed", "", reason);
    if seed >= SEEDS {
        return Err(fault("want less than 2^53"));
    }
    let chaos = script.chaos.as_mut();
    let chaos = chaos.ok_or_else(|| fault("want a script with `chaos` in --faults or --config"))?;
    chaos.seed = Some(seed);
    Ok(())
}
