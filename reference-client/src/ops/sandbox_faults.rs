//! What goes wrong on purpose in a sandbox, so that a tool can be tested against it (spec
//! chapter 80, "Faults").

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use clp_schemas::ids::TenantId;
use clp_schemas::json::{self, Limits};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::control::TenantPath;
use clp_schemas::ops::faults::{
    FaultRule, FaultScript, FaultState, FaultStep, FaultsPut, FaultsRead,
};
use serde::Serialize;
use url::Url;

use super::Session;
use super::sandbox::Opened;
use crate::control::Control;
use crate::error::{Error, LocalFault};
use crate::render::{Facts, Outcome, json_text, table};
use crate::wanted::read_file;

impl Control {
    /// Puts a script in place of the one that a sandbox has.
    ///
    /// # Errors
    /// As every call.
    pub async fn put_faults(
        &self,
        tenant: &TenantId,
        script: &FaultScript,
    ) -> Result<FaultState, Error> {
        let path = TenantPath {
            tenant_id: tenant.clone(),
        };
        self.call::<FaultsPut>(&path, script).await
    }

    /// Reads the script of a sandbox, what came of it, and what is left.
    ///
    /// # Errors
    /// As every call.
    pub async fn faults(&self, tenant: &TenantId) -> Result<FaultState, Error> {
        let path = TenantPath {
            tenant_id: tenant.clone(),
        };
        self.call::<FaultsRead>(&path, &Nothing {}).await
    }
}

/// Let things go wrong in a sandbox as a script says; needs CLP_CONTROL_TOKEN or
/// CLP_CONTROL_TOKEN_FILE
///
/// A client that sets CLP_TEST_RUN plays the script from its beginning, apart from others.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").required(true).args(["script", "show", "replay", "clear"])), after_help = HELP)]
pub(crate) struct FaultsArgs {
    /// Put the script in this JSON file, or in standard input where it is `-`
    #[arg(value_name = "FILE")]
    script: Option<PathBuf>,
    /// Show what the calls met, and what is left
    #[arg(long)]
    show: bool,
    /// Write what the calls met as a script, which can be put again
    #[arg(long)]
    replay: bool,
    /// Let nothing go wrong any more
    #[arg(long)]
    clear: bool,
    /// Where test control listens
    #[arg(long, value_name = "URL", env = "CLP_CONTROL")]
    control: Option<Url>,
    /// The sandbox, by default the one that `clp sandbox` made last
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
}

const HELP: &str = "\
Examples:
  echo '{\"rules\": [{\"endpoint\": \"credential_create\",
         \"steps\": [{\"status\": 429, \"retry_after\": 1}, {\"drop\": \"after_commit\"}, \"ok\"]}]}' \\
      | clp sandbox faults -
  clp sandbox faults --show
  clp sandbox faults --replay > again.json && clp sandbox faults again.json
";

pub(crate) async fn run(args: &FaultsArgs, session: &Session) -> Result<Outcome, Error> {
    // A script that is none fails before anybody is asked.
    let script = match (&args.script, args.clear) {
        (Some(path), _) => Some(read(path)?),
        (None, true) => Some(FaultScript::default()),
        (None, false) => None,
    };
    let control = Control::from_env(args.control.as_ref(), session)?;
    let tenant = match &args.tenant {
        Some(tenant) => tenant.clone(),
        None => Opened::last(session)?.tenant_id,
    };
    let state = match script {
        Some(script) => control.put_faults(&tenant, &script).await?,
        None => control.faults(&tenant).await?,
    };
    if args.replay {
        if !state.complete {
            session.say("clp: the issuer kept only the beginning of what happened\n");
        }
        let value = serde_json::to_value(&state.replay).map_err(|_| unwritable())?;
        return Ok(Outcome::Plain(json_text(&value).into_bytes()));
    }
    let text = shown(&tenant, &state)?;
    Outcome::new(&state, text)
}

fn unwritable() -> LocalFault {
    LocalFault::System("the result cannot be written as JSON")
}

/// A script as it is written. Its bounds are the issuer's to check.
fn read(path: &Path) -> Result<FaultScript, Error> {
    let limits = Limits::default();
    let bytes = match path.to_str() {
        Some("-") => from_stdin(limits.bytes)?,
        _ => read_file(path)?,
    };
    let value = json::parse(&bytes, limits)
        .map_err(|fault| Error::usage(format!("no script of faults: {fault}")))?;
    serde_json::from_value(value).map_err(|_| {
        Error::usage("no script of faults: see `clp sandbox faults --help` for one, and `faults_put` in chapter 80 of the specification for all of them")
    })
}

fn from_stdin(most: usize) -> Result<Vec<u8>, LocalFault> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| LocalFault::System("standard input cannot be read"))?;
    Ok(bytes)
}

fn shown(tenant: &TenantId, state: &FaultState) -> Result<String, Error> {
    let mut facts = Facts::default();
    facts.add("sandbox", tenant.as_str());
    if state.script.is_empty() {
        facts.add("script", "none: nothing goes wrong");
        return Ok(facts.text());
    }
    facts.add("rules", state.script.rules.len().to_string());
    if let Some(chaos) = &state.script.chaos {
        facts.add(
            "chaos",
            format!(
                "{} of 100 calls meet one of {} faults",
                chaos.percent,
                chaos.among.len()
            ),
        );
        facts.add_some("seed", chaos.seed);
    }
    let mut rows = rows("met", &state.replay.rules)?;
    rows.extend(self::rows("left", &state.remaining)?);
    let header = ["", "run", "endpoint", "calls", "what"];
    Ok(facts.text() + &table(&header, rows, "no call was made yet"))
}

/// One row for each step.
fn rows(word: &str, rules: &[FaultRule]) -> Result<Vec<Vec<String>>, Error> {
    let row = |rule: &FaultRule, step: &FaultStep| {
        Ok(vec![
            word.to_owned(),
            rule.run.clone().unwrap_or_default(),
            rule.endpoint.name().to_owned(),
            step.times().to_string(),
            compact(&step.fault())?,
        ])
    };
    rules
        .iter()
        .flat_map(|rule| rule.steps.iter().map(move |step| row(rule, step)))
        .collect()
}

fn compact<T: Serialize>(value: &T) -> Result<String, Error> {
    let text = serde_json::to_string(value).map_err(|_| unwritable())?;
    Ok(text.trim_matches('"').to_owned())
}
