//! A sandbox of a test issuer: a fresh tenant, and its cast's tokens in private files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::control::{Probe, Sandbox, SandboxBody, SandboxOpen};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Session;
use super::sandbox_faults::{self, FaultsArgs};
use super::sandbox_people::{self, AddArgs, ClockArgs};
use crate::control::Control;
use crate::error::{Error, LocalFault};
use crate::private;
use crate::render::{Facts, Outcome};
use crate::token::Token;

impl Control {
    /// Makes a fresh tenant with a cast of its own.
    ///
    /// # Errors
    /// As every call.
    pub async fn open_sandbox(&self, issuer_identifier: Option<String>) -> Result<Sandbox, Error> {
        let body = SandboxBody { issuer_identifier };
        self.call::<SandboxOpen>(&Nothing {}, &body).await
    }

    /// Test control at `base`, with the token that the environment names.
    pub(crate) fn from_env(base: Option<&Url>, session: &Session) -> Result<Self, Error> {
        let base = base.ok_or_else(|| {
            Error::usage("no test control: give --control URL, or set CLP_CONTROL")
        })?;
        let token = Token::from_env("CLP_CONTROL_TOKEN")?.ok_or_else(|| {
            Error::usage(
                "no token for test control: set CLP_CONTROL_TOKEN or CLP_CONTROL_TOKEN_FILE",
            )
        })?;
        Self::new(base.clone(), token, &session.settings)
    }
}

/// Make a fresh tenant at a test issuer; needs CLP_CONTROL_TOKEN or CLP_CONTROL_TOKEN_FILE
///
/// The tokens of its cast are written to CLP_HOME/sandbox, one file each, for CLP_TOKEN_FILE.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SandboxArgs {
    /// Where test control listens
    #[arg(long, value_name = "URL", env = "CLP_CONTROL")]
    control: Option<Url>,
    #[command(subcommand)]
    command: Option<SandboxCommand>,
}

#[derive(Subcommand, Debug)]
enum SandboxCommand {
    Faults(FaultsArgs),
    Add(AddArgs),
    Clock(ClockArgs),
}

/// What the command tells, and keeps beside the tokens: no token, but where each one is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) tenant_id: TenantId,
    issuer_identifier: String,
    pub(crate) cast: BTreeMap<String, Member>,
    probe: Probe,
}

/// Somebody in the cast.
#[derive(Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: PrincipalId,
    pub(super) token_file: PathBuf,
}

/// The largest description of a sandbox that is read back, in bytes.
const LIMIT: u64 = 256 * 1024;

impl Opened {
    /// Writes down that this is the sandbox that was made last.
    pub(super) fn keep(&self, session: &Session) -> Result<(), Error> {
        let description = serde_json::to_vec_pretty(self)
            .map_err(|_| LocalFault::System("the sandbox cannot be described as JSON"))?;
        let path = session.home.sandbox().join("sandbox.json");
        Ok(private::replace(&path, &description)?)
    }

    /// The sandbox that was made last.
    pub(crate) fn last(session: &Session) -> Result<Self, Error> {
        let path = session.home.sandbox().join("sandbox.json");
        let bytes = private::read_if_there(&path, LIMIT)?.ok_or_else(|| {
            Error::usage(
                "no sandbox was made here: run `clp sandbox`, or give --tenant and --principal",
            )
        })?;
        serde_json::from_slice(&bytes).map_err(|_| {
            LocalFault::Content {
                path,
                what: "is not the description of a sandbox",
            }
            .into()
        })
    }
}

pub(crate) async fn run(args: &SandboxArgs, session: &Session) -> Result<Outcome, Error> {
    match &args.command {
        Some(SandboxCommand::Faults(args)) => return sandbox_faults::run(args, session).await,
        Some(SandboxCommand::Add(args)) => return sandbox_people::add(args, session).await,
        Some(SandboxCommand::Clock(args)) => return sandbox_people::clock(args, session).await,
        None => {}
    }
    let control = Control::from_env(args.control.as_ref(), session)?;
    let sandbox = control.open_sandbox(session.issuer.clone()).await?;
    let directory = session.home.sandbox();
    private::create_dir(&directory)?;
    let mut facts = Facts::default();
    facts.add("tenant", sandbox.tenant_id.as_str());
    let mut cast = BTreeMap::new();
    for (role, member) in sandbox.principals {
        // The role becomes a file name, so it has to be a plain word.
        if role.is_empty() || !role.bytes().all(|byte| byte.is_ascii_lowercase()) {
            continue;
        }
        let token_file = directory.join(format!("{role}.token"));
        private::replace(&token_file, member.token.expose().as_bytes())?;
        let id = member.id;
        cast.insert(role, Member { id, token_file });
    }
    for (role, member) in &cast {
        facts.add(
            "token file",
            format!("{} ({role}, {})", member.token_file.display(), member.id),
        );
    }
    facts
        .add("project", &sandbox.probe.project)
        .add("needs no approval", &sandbox.probe.environment)
        .add("needs approval", &sandbox.probe.approval_environment);
    let opened = Opened {
        tenant_id: sandbox.tenant_id,
        issuer_identifier: sandbox.issuer_identifier,
        cast,
        probe: sandbox.probe,
    };
    opened.keep(session)?;
    Outcome::new(&opened, facts.text())
}
