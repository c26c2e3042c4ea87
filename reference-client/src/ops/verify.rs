//! Verify: check offline what somebody handed over (spec chapters 12, 18 and 20). Nothing is
//! sent.

mod statement;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use clp_schemas::audit::bundle::{self, Bundle, BundleFault, Report, Verdict};
use clp_schemas::audit::note::PublicKey;
use clp_schemas::json;
use clp_schemas::ops::discover::{AuditLog, Manifest};

use super::audit::require_origin;
use super::verify_approval::{self, ApprovalFileArgs};
use crate::error::Error;
use crate::render::{Facts, Outcome, clean};
use crate::sabotage::Sabotage;
use crate::wanted::read_file;

/// Check offline what somebody handed over
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(subcommand)]
    command: VerifyCommand,
}

#[derive(Subcommand, Debug)]
enum VerifyCommand {
    /// Check a file that proves an entry of an audit log
    Audit(AuditFileArgs),
    /// Check a file that proves a decision on a request
    Approval(ApprovalFileArgs),
    /// Check an issuer's signed statement that a credential is safe to revoke
    Statement(statement::StatementArgs),
}

#[derive(Args, Debug)]
struct AuditFileArgs {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    trust: Trust,
    /// Require this log, by its origin
    #[arg(long)]
    origin: Option<String>,
}

/// Where the reader's trust comes from. Never from the file itself.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Trust {
    /// The log's public key, base64
    #[arg(long, value_name = "BASE64")]
    key: Option<String>,
    /// The issuer's manifest, for instance from `clp discover --json`
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Check no signature: whether the file fits together, not who made it
    #[arg(long)]
    unauthenticated: bool,
}

impl Trust {
    fn resolve(&self) -> Result<(Option<PublicKey>, Option<AuditLog>), Error> {
        let parse = |text: &str| {
            PublicKey::from_base64(text)
                .map_err(|_| Error::usage("the key is not 32 bytes in base64"))
        };
        if let Some(text) = &self.key {
            return Ok((Some(parse(text)?), None));
        }
        let Some(path) = &self.manifest else {
            return Ok((None, None));
        };
        let manifest = manifest_in(path)?;
        let log = manifest
            .audit_log
            .ok_or_else(|| Error::usage("the manifest names no audit log"))?;
        Ok((Some(parse(&log.public_key)?), Some(log)))
    }
}

/// The manifest in a file.
fn manifest_in(path: &Path) -> Result<Manifest, Error> {
    json::parse(&read_file(path)?, json::Limits::default())
        .ok()
        .and_then(|value| serde_json::from_value(value).ok())
        .ok_or_else(|| Error::usage("the manifest file does not hold a manifest"))
}

pub(crate) fn run(args: &VerifyArgs, sabotage: Sabotage) -> Result<Outcome, Error> {
    match &args.command {
        VerifyCommand::Audit(args) => audit(args, sabotage),
        VerifyCommand::Approval(args) => verify_approval::run(args, sabotage),
        VerifyCommand::Statement(args) => statement::run(args, sabotage),
    }
}

fn audit(args: &AuditFileArgs, sabotage: Sabotage) -> Result<Outcome, Error> {
    let (key, log) = args.trust.resolve()?;
    let bundle = Bundle::from_bytes(&read_file(&args.file)?)?;
    let mut report = match bundle::verify(&bundle, key.as_ref()) {
        Err(fault) if sabotage.breaks(requirement(&fault)) => {
            return Outcome::new(
                &serde_json::json!({"verdict": "authenticated"}),
                String::new(),
            );
        }
        other => other?,
    };
    if sabotage.breaks("CLP-AUD-022") {
        report.redacted.clear();
        report.vouched_by_issuer.clear();
    }
    if args
        .origin
        .as_ref()
        .is_some_and(|origin| *origin != report.origin)
    {
        return Err(Error::Unverified(
            "the file is of another log than the one required".to_owned(),
        ));
    }
    if let Some(log) = log {
        require_origin(&report.origin, &log.origin_prefix)?;
    }
    Outcome::new(&report, text(&report))
}

/// The requirement by which a fault is one.
fn requirement(fault: &BundleFault) -> &'static str {
    match fault {
        BundleFault::LeafEncoding | BundleFault::Leaf(_) => "CLP-AUD-012",
        BundleFault::Checkpoint(_) => "CLP-AUD-019",
        BundleFault::Inclusion | BundleFault::Consistency => "CLP-AUD-020",
        BundleFault::Mismatch => "CLP-AUD-021",
        BundleFault::Unreadable(_) | BundleFault::Form => "",
    }
}

fn text(report: &Report) -> String {
    let verdict = match report.verdict {
        Verdict::Authenticated => "authenticated",
        Verdict::ConsistentUnauthenticated => "consistent, unauthenticated",
    };
    let mut facts = Facts::default();
    facts
        .add("verdict", verdict)
        .add("log", &report.origin)
        .add("index", report.index.to_string())
        .add("time", report.time.to_string())
        .add("event", &report.event);
    let mut text = facts.text();
    for (name, value) in &report.values {
        text.push_str(&format!("  {name}: {}\n", clean(&value.to_string())));
    }
    for name in &report.redacted {
        text.push_str(&format!("  {name}: redacted\n"));
    }
    text.push_str("checked:\n");
    for sentence in &report.checked {
        text.push_str(&format!("  - {sentence}\n"));
    }
    text.push_str("only the issuer vouches for this:\n");
    for sentence in &report.vouched_by_issuer {
        text.push_str(&format!("  - {sentence}\n"));
    }
    text
}
