//! The command line of `clp-issuer`.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ConfigFault};
use crate::control::token;
use crate::sabotage::{self, Saboteur};
use crate::{Issuer, Running};

const BANNER: &str = "\
================================================================================
  clp-issuer is a mock for tests. NOT FOR PRODUCTION. It listens on the loopback
  interface alone, its demo tokens are public, and its clocks can be moved.
================================================================================";

const AFTER_HELP: &str = "\
What it prints:
  stdout  one line of JSON once every port is open:
          {\"personas\":[{\"name\":\"exampleapi\",\"url\":\"http://localhost:8801\"},...],
           \"control_url\":\"http://localhost:8810\"}, and \"fault_seed\" where faults are drawn
  stderr  a banner and the log. No secret stands in either.

Begin with:
  clp-issuer                                  three personas on 8801 to 8803, in memory
  curl localhost:8801/.well-known/credential-issuer
  clp-issuer --data ./state                   the same, kept between runs
  clp-issuer --port 0 --control-token-file t  for a test: free ports, test control with
                                              the token that is written to `t`

Exit codes: 0 after SIGINT or SIGTERM; 1 where it cannot go on; 2 where the command line or
the configuration has to be mended.";

/// Reference issuer of the Credential Lifecycle Protocol. A mock for tests, not for
/// production.
///
/// Serves several personas, each an issuer with a small API of its own that its keys open,
/// and a listener for test control: fresh tenants, a clock that can be moved, simulated
/// approvals.
#[derive(Debug, Parser)]
#[command(name = "clp-issuer", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Serve what this TOML file says instead of the built-in personas
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Keep the state in this directory; without it, in memory, and gone at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Count ports up from here: personas first, test control at BASE + 9. With 0 take free ones
    #[arg(long, value_name = "BASE")]
    port: Option<u16>,

    /// Read the token of test control from this file, or make one and write it there (0600).
    /// The environment variable CLP_CONTROL_TOKEN goes first
    #[arg(long, value_name = "FILE")]
    control_token_file: Option<PathBuf>,

    /// Let things go wrong at every persona as this script (JSON) says; see `clp sandbox faults`
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// Draw the chaos of that script by this seed; it is printed where it was not given
    #[arg(long, value_name = "N")]
    fault_seed: Option<u64>,

    /// Show what would be served, without tokens, and stop
    #[arg(long)]
    print_config: bool,

    /// Break this requirement, to see whether somebody notices; `saboteurs` lists what can be broken
    #[arg(long, value_name = "NAME", value_parser = saboteur)]
    violate: Option<&'static Saboteur>,

    /// How the log on stderr looks. What it holds is set with CLP_LOG, as in `CLP_LOG=debug`
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Write a completion script for a shell to stdout
    Completions {
        /// The shell
        shell: Shell,
    },
    /// List the ways in which this issuer can be told to break the protocol
    Saboteurs {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Why the program ends other than by a signal.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Config(#[from] ConfigFault),
    #[error("cannot start: {0}")]
    Start(#[from] crate::StartFault),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

/// Runs the program to its end.
#[must_use]
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// The same with these words, the first of them the name of the program: for a program that can
/// be this one too.
#[must_use]
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    // A fault of the command line ends here, with code 2.
    let arguments = Arguments::parse_from(words);
    if let Some(Command::Completions { shell }) = arguments.command {
        let mut command = Arguments::command();
        clap_complete::generate(shell, &mut command, "clp-issuer", &mut io::stdout());
        return ExitCode::SUCCESS;
    }
    let outcome = match arguments.command {
        Some(Command::Saboteurs { json }) => list_saboteurs(json).map_err(Failure::from),
        _ => start(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing else can be done where stderr is closed.
            let _ = writeln!(io::stderr(), "clp-issuer: {failure}");
            match failure {
                Failure::Config(_) => ExitCode::from(2),
                Failure::Start(_) | Failure::Output(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn saboteur(name: &str) -> Result<&'static Saboteur, String> {
    sabotage::find(name).ok_or_else(|| "`clp-issuer saboteurs` lists those there are".to_owned())
}

fn saboteurs() -> impl Iterator<Item = &'static Saboteur> {
    sabotage::all().chain(sabotage::unseen())
}

fn list_saboteurs(as_json: bool) -> io::Result<()> {
    let mut stdout = io::stdout();
    if as_json {
        let all: Vec<_> = saboteurs()
            .map(
                |one| json!({"name": one.name, "requirement": one.requirement(), "does": one.does}),
            )
            .collect();
        return writeln!(stdout, "{:#}", json!(all));
    }
    saboteurs().try_for_each(|one| writeln!(stdout, "{:<28} {}", one.name, one.does))
}

fn start(arguments: &Arguments) -> Result<(), Failure> {
    let config = configuration(arguments)?;
    if arguments.print_config {
        writeln!(io::stdout(), "{:#}", config.describe())?;
        return Ok(());
    }
    start_log(arguments.log_format);
    writeln!(io::stderr(), "{BANNER}")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Some(saboteur) = arguments.violate {
        tracing::warn!(violates = saboteur.name, "this issuer {}", saboteur.does);
    }
    runtime.block_on(serve(config, arguments))
}

fn configuration(arguments: &Arguments) -> Result<Config, ConfigFault> {
    let mut config = match &arguments.config {
        Some(file) => Config::read(file)?,
        None => Config::built_in()?,
    };
    if let Some(base) = arguments.port {
        config = config.with_ports(base)?;
    }
    if let Some(file) = &arguments.faults {
        config = config.with_faults(file)?;
    }
    if let Some(seed) = arguments.fault_seed {
        config = config.with_fault_seed(seed)?;
    }
    if !arguments.print_config
        && let Some(control) = &mut config.control
    {
        control.token = token::find(arguments.control_token_file.as_deref())?;
    }
    Ok(config)
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("CLP_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // Another log is there already only where a test has set one up.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

async fn serve(config: Config, arguments: &Arguments) -> Result<(), Failure> {
    // Before the ports are open, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let nobody_knows = config
        .control
        .as_ref()
        .is_some_and(|control| control.token.is_none());
    let mut builder = Issuer::builder().config(config);
    if let Some(data) = &arguments.data {
        builder = builder.data_dir(data);
    }
    if let Some(saboteur) = arguments.violate {
        builder = builder.violate(saboteur);
    }
    let running = builder.spawn().await?;
    announce(&running)?;
    for persona in &running.personas {
        tracing::info!(persona = persona.name, url = persona.url, "serving");
    }
    if let Some(seed) = running.fault_seed {
        tracing::info!(
            seed,
            "faults are drawn; the same seed draws the same: --fault-seed"
        );
    }
    if nobody_knows {
        tracing::info!(
            "test control has a token that nobody knows; choose one with --control-token-file"
        );
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.shutdown().await;
    Ok(())
}

/// One line, so that whoever started the program knows where to call and that it can.
fn announce(running: &Running) -> io::Result<()> {
    let personas: Vec<_> = running
        .personas
        .iter()
        .map(|persona| json!({"name": persona.name, "url": persona.url}))
        .collect();
    let mut line = json!({"personas": personas});
    if let (Some(object), Some(url)) = (line.as_object_mut(), &running.control_url) {
        object.insert("control_url".to_owned(), json!(url));
    }
    if let (Some(object), Some(seed)) = (line.as_object_mut(), running.fault_seed) {
        object.insert("fault_seed".to_owned(), json!(seed));
    }
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
