//! A signed statement that a credential is safe to revoke (spec chapter 18).

use std::path::PathBuf;

use clap::Args;
use clp_schemas::jose::PublicJwk;
use clp_schemas::json::{self, Limits};
use clp_schemas::ops::discover::JwkSet;
use clp_schemas::statement::{Statement, StatementFault};
use clp_schemas::time::Timestamp;
use serde_json::Value;

use super::manifest_in;
use crate::error::Error;
use crate::render::{Facts, Outcome};
use crate::sabotage::Sabotage;
use crate::wanted::read_file;

#[derive(Args, Debug)]
pub(super) struct StatementArgs {
    /// The file: a statement, or the JSON of `clp rotate status --json` that holds one
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Require that this issuer made it, by its identifier
    #[arg(long, value_name = "URL")]
    signed_by: Option<String>,
    /// Read it as at this time, to see what was so then; now by default
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Where the reader's trust comes from. Never from the file itself.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Trust {
    /// The issuer's keys, a JWK Set
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The issuer's manifest, for instance from `clp discover --json`
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

impl Trust {
    /// The keys, and whose they are where that is told.
    fn resolve(&self) -> Result<(Vec<PublicJwk>, Option<String>), Error> {
        if let Some(path) = &self.manifest {
            let manifest = manifest_in(path)?;
            let keys = manifest
                .jwks
                .ok_or_else(|| Error::usage("the manifest names no keys for statements"))?;
            return Ok((keys.known(), manifest.issuer_identifier));
        }
        let Some(path) = &self.jwks else {
            return Err(Error::usage("give the keys, as --jwks or --manifest"));
        };
        let keys: JwkSet = json::parse(&read_file(path)?, Limits::default())
            .ok()
            .and_then(|value| serde_json::from_value(value).ok())
            .ok_or_else(|| Error::usage("the file of keys does not hold a JWK Set"))?;
        Ok((keys.known(), None))
    }
}

pub(super) fn run(args: &StatementArgs, sabotage: Sabotage) -> Result<Outcome, Error> {
    let (keys, whose) = args.trust.resolve()?;
    let bytes = read_file(&args.file)?;
    let compact =
        compact(&bytes).ok_or_else(|| Error::usage("the file does not hold a statement"))?;
    let at = args.at.unwrap_or_else(Timestamp::system_now);
    let statement = match Statement::read(&compact, &keys, at) {
        Err(_) if sabotage.breaks("CLP-ROT-053") => {
            return Outcome::new(&serde_json::json!({"safe": true}), String::new());
        }
        other => other?,
    };
    for wanted in [&whose, &args.signed_by].into_iter().flatten() {
        if *wanted != statement.iss {
            return Err(Error::Unverified(
                "the statement is of another issuer than the one required".to_owned(),
            ));
        }
    }
    let mut facts = Facts::default();
    facts
        .add("safe", if statement.safe { "yes" } else { "no" })
        .add("issuer", &statement.iss)
        .add("credential", statement.sub.as_str())
        .add("successor", statement.successor.as_str())
        .add("rotation", statement.rotation_id.as_str())
        .add("stage", statement.state.to_string())
        .add("judged at", Timestamp::from_unix(statement.iat).to_string())
        .add("lapses at", Timestamp::from_unix(statement.exp).to_string())
        .add("uses seen up to", statement.usage_as_of.to_string());
    let mut text = facts.text();
    for gate in &statement.gates {
        let basis = gate.basis.map(|basis| format!(", {basis}"));
        text.push_str(&format!(
            "  {}: {}{}\n",
            gate.id,
            gate.state,
            basis.unwrap_or_default()
        ));
    }
    text.push_str("It says what was so at that time. Whoever revokes is judged again.\n");
    Outcome::new(&statement, text)
}

/// The statement in a file that holds it alone, or as `statement` in JSON.
fn compact(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if !text.starts_with('{') {
        return Some(text.to_owned());
    }
    let report = json::parse(bytes, Limits::default()).ok()?;
    report
        .get("statement")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

impl From<StatementFault> for Error {
    fn from(fault: StatementFault) -> Self {
        Self::Unverified(fault.to_string())
    }
}
