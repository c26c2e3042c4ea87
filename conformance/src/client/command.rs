//! The commands about clients: testing one, and being the reference client's adapter.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::run::{self, ClientOptions};
use super::task::Launch;
use super::world::Starter;
use super::{mutants, null};
use crate::cli::{COULD_NOT_RUN, Outcome, ReportArgs, USAGE, finish, runtime, with};

/// Arguments of `clp-conformance client`.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// How the client is started, as a line for the shell; by default the reference client.
    ///
    /// It is started once for each task, which it reads from standard input. `SUBJECT.md` has
    /// the protocol, with an example.
    #[arg(long, value_name = "LINE")]
    command: Option<String>,
    /// The reference client with this requirement broken, to see the suite notice; `mutants --client --list` shows those there are.
    #[arg(long, value_name = "ID", conflicts_with = "command")]
    violate: Option<String>,
    /// How long one task may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    task_time: u64,
    #[command(flatten)]
    report: ReportArgs,
}

/// Arguments of the reference client's adapter.
#[derive(Debug, Args)]
pub struct AdapterArgs {
    /// Break this requirement.
    #[arg(long, value_name = "ID")]
    violate: Option<String>,
    /// Be `clp`, with these arguments, instead of doing a task.
    #[arg(long, num_args = 0.., allow_hyphen_values = true, trailing_var_arg = true)]
    clp: Option<Vec<OsString>>,
}

impl AdapterArgs {
    /// Does what it says.
    #[must_use]
    pub fn run(&self) -> std::process::ExitCode {
        crate::subject::client::main(self.violate.as_deref(), self.clp.as_deref())
    }
}

/// The reference client, whole or broken, as a subject.
///
/// # Errors
/// Where this program cannot be found again.
pub fn reference(violate: Option<&str>) -> std::io::Result<Launch> {
    let mut words = vec![
        std::env::current_exe()?.into_os_string(),
        "subject-client".into(),
    ];
    if let Some(id) = violate {
        words.extend([OsString::from("--violate"), id.into()]);
    }
    Ok(Launch::Program(words))
}

/// Tests a client.
///
/// # Errors
/// The exit status and the fault in words, where nothing could be run.
pub fn client(args: &ClientArgs) -> Outcome {
    if let Some(id) = &args.violate
        && !mutants::all().iter().any(|one| one.name == id)
    {
        let words = format!(
            "there is no saboteur of `{id}`; `mutants --client --list` shows those there are"
        );
        return Err((USAGE, words));
    }
    let (launch, name) = match &args.command {
        Some(line) => (Launch::Shell(line.clone()), line.clone()),
        None => (
            reference(args.violate.as_deref()).map_err(with(COULD_NOT_RUN))?,
            "reference client".to_owned(),
        ),
    };
    let mut invocation = "clp-conformance client".to_owned();
    if let Some(line) = &args.command {
        invocation.push_str(&format!(" --command '{}'", line.replace('\'', "'\\''")));
    }
    if let Some(id) = &args.violate {
        invocation.push_str(&format!(" --violate {id}"));
    }
    let options = ClientOptions {
        starter: Arc::new(Starter {
            launch,
            limit: Duration::from_secs(args.task_time),
        }),
        name,
        embedded: args.command.is_none(),
        filters: args.report.filters().map_err(with(USAGE))?,
        known_failures: args.report.known_failures().map_err(with(USAGE))?,
        seed: args.report.seed(),
        concurrency: args.report.concurrency(),
        progress: std::io::stderr().is_terminal(),
        invocation,
    };
    finish(&args.report, runtime()?.block_on(run::run(&options)))
}

/// Tests clients that do nothing, and says how many core scenarios did not fail.
///
/// # Errors
/// Where they cannot be tested.
pub fn null_clients() -> Result<Vec<crate::subject::null::Floor>, (u8, String)> {
    runtime()?
        .block_on(null::floor(8))
        .map_err(with(COULD_NOT_RUN))
}
