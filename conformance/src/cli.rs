//! The command line. Everything it does can be done by a test through the modules it calls.

mod args;
mod canary;
mod cover;
mod crash;
mod floor;
mod lint;
mod model;
mod mutants;
mod race;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use serde_json::json;
use url::Url;

pub(crate) use self::args::{
    COULD_NOT_RUN, Outcome, ReportArgs, USAGE, finish, runtime, say, with,
};
use self::args::{FilterArgs, complain};
use crate::client::command::{self as clients, AdapterArgs, ClientArgs};
use crate::config::{EXAMPLE, Target};
use crate::r#gen::{self, Mode};
use crate::record::{Conclusion, RunRecord};
use crate::requirements::Registry;
use crate::run::{self, Options};

/// Something does not hold.
const FAILED: u8 = 1;

/// Conformance suite of the Credential Lifecycle Protocol.
///
/// Without a command it tests the reference issuer, which it brings along.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all that ran holds, 1 something does not, 2 usage or configuration, 3 could not run.

Variables that begin with CLP_CONFORMANCE__ reach into the configuration and win over the file, as in
CLP_CONFORMANCE__CONTROL__TOKEN. Tokens are taken from variables and files alone.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Test an issuer; without a URL, the reference issuer.
    Issuer {
        /// The issuer identifier: the prefix of its manifest.
        url: Option<Url>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Test a client; without a command, the reference client.
    Client(ClientArgs),
    /// The reference client's adapter, which does one task.
    #[command(hide = true)]
    SubjectClient(AdapterArgs),
    /// The reference issuer as a program of its own, for a campaign that kills it.
    #[command(hide = true)]
    SubjectIssuer {
        /// What `clp-issuer` is told.
        #[arg(num_args = 0.., allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<OsString>,
    },
    /// Kill the reference issuer and the reference client at any step, and see that nothing is lost.
    ///
    /// Both are processes with real files. The client rotates, rolls back, revokes and creates; a kill falls
    /// before, during and after each request, at each change of a file, and at any instant. What was begun is
    /// then gone on with to its end. All the while the keys in the files are used, and everything that was
    /// acknowledged is asked for again.
    Crash(crash::CrashArgs),
    /// Let fifty callers call at once, and see that it can have come about one call after the other.
    ///
    /// They rotate and revoke one credential, create under the same and under other keys, report one place by
    /// the same picture, decide on one request and create from it, and end one rotation. Each history is held
    /// against a model of what one caller after the other would be answered.
    Race(race::RaceArgs),
    /// Show which requirement has which scenario, and which saboteur breaks it.
    Coverage {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Fail where a requirement has neither a scenario nor an exclusion, or one with a scenario
        /// neither a saboteur nor a reason.
        #[arg(long)]
        strict: bool,
    },
    /// Write the files that are made from others.
    Gen {
        /// Write nothing, and fail where a file is stale.
        #[arg(long)]
        check: bool,
        /// The repository; by default at or above the current folder.
        #[arg(long, value_name = "PATH")]
        root: Option<PathBuf>,
    },
    /// List the scenarios.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        filters: FilterArgs,
    },
    /// Say what is refused in a permission document, and what misleads those who approve.
    ///
    /// Exit codes: 0 nothing is refused, 1 something is, 2 a document cannot be read.
    LintPermissions(lint::LintArgs),
    /// Test issuers and clients that do nothing: every core scenario has to fail.
    ///
    /// The issuers answer 404, 401, 500, an empty object, a page, garbage, a body without end or
    /// nothing at all, by hanging up and by silence, bare and behind a sound manifest. The clients
    /// exit 0 or 1, refuse everything, support nothing, hang, or say yes. A scenario that does not
    /// fail there tests nothing.
    NullFloor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check rotations by a model: in every state that can be reached, what the chapters promise.
    ///
    /// The model has one issuer, clients that die and lose answers, places that use what they have,
    /// people and time. It is written from the chapters, and shares nothing with the reference issuer.
    /// Exit codes: 0 everything holds, 1 something does not, 3 it could not be explored.
    Model(model::ModelArgs),
    /// Test issuers that break one requirement each: a scenario of it has to fail, and few others.
    Mutants(mutants::MutantArgs),
    /// Plant a secret in every place that is searched for secrets, and see whether it is found.
    CanaryProof {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// How the issuer is reached, in TOML; `--help` shows one.
    #[arg(long, value_name = "FILE", long_help = format!("How the issuer is reached, in TOML:\n{EXAMPLE}"))]
    config: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
    /// Let the reference issuer break the protocol in this way; `mutants --list` shows the ways.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    violate: Option<String>,
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => issuer(None, &cli.run),
        Some(Command::Issuer { url, run }) => issuer(url, &run),
        Some(Command::Client(args)) => clients::client(&args),
        Some(Command::SubjectClient(args)) => return args.run(),
        Some(Command::SubjectIssuer { words }) => {
            return crate::subject::reference::main(&words);
        }
        Some(Command::Crash(args)) => crash::run(&args),
        Some(Command::Race(args)) => race::run(&args),
        Some(Command::Coverage { json, strict }) => cover::run(json, strict),
        Some(Command::Gen { check, root }) => generate(check, root),
        Some(Command::List { json, filters }) => list(json, &filters),
        Some(Command::NullFloor { json }) => floor::run(json),
        Some(Command::LintPermissions(args)) => lint::run(&args),
        Some(Command::Model(args)) => model::run(&args),
        Some(Command::Mutants(args)) => mutants::run(&args),
        Some(Command::CanaryProof { json }) => canary::run(json),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "clp-conformance",
                &mut std::io::stdout(),
            );
            Ok(0)
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err((code, words)) => {
            complain(&words);
            ExitCode::from(code)
        }
    }
}

fn issuer(url: Option<Url>, args: &RunArgs) -> Outcome {
    let filters = args.report.filters().map_err(with(USAGE))?;
    let env: BTreeMap<String, String> = std::env::vars().collect();
    if url.is_some() && args.violate.is_some() {
        let words = "`--violate` is for the reference issuer: leave the URL out";
        return Err((USAGE, words.to_owned()));
    }
    let target = match &args.violate {
        Some(name) => Target::Saboteur(name.clone()),
        None => Target::load(url.clone(), args.config.as_deref(), &env).map_err(with(USAGE))?,
    };
    let options = Options {
        target,
        filters,
        known_failures: args.report.known_failures().map_err(with(USAGE))?,
        seed: args.report.seed(),
        concurrency: args.report.concurrency(),
        progress: std::io::stderr().is_terminal(),
        invocation: invocation(url.as_ref(), args),
    };
    finish(&args.report, runtime()?.block_on(run::watched(&options)))
}

/// What a run's record means for the exit code.
#[must_use]
pub fn code(record: &RunRecord) -> u8 {
    match record.conclusion() {
        Conclusion::Full | Conclusion::Partial => 0,
        Conclusion::Failed => FAILED,
        Conclusion::Broken if record.counts().fail > 0 => FAILED,
        Conclusion::Broken | Conclusion::Empty => COULD_NOT_RUN,
    }
}

/// How this run is begun again; `--name` is added for each scenario.
fn invocation(url: Option<&Url>, args: &RunArgs) -> String {
    // Cargo says so when it runs a program, and then the program itself is not at hand.
    let by_cargo = std::env::var_os("CARGO").is_some();
    let mut words = vec![
        if by_cargo {
            "cargo conform"
        } else {
            "clp-conformance"
        }
        .to_owned(),
    ];
    if let Some(url) = url {
        words.extend(["issuer".to_owned(), url.to_string()]);
    }
    if let Some(name) = &args.violate {
        words.extend(["--violate".to_owned(), name.clone()]);
    }
    if let Some(path) = &args.config {
        words.extend(["--config".to_owned(), path.display().to_string()]);
    }
    words.join(" ")
}

fn generate(check: bool, root: Option<PathBuf>) -> Outcome {
    let here = std::env::current_dir().map_err(with(COULD_NOT_RUN))?;
    let root = root.or_else(|| r#gen::root_above(&here)).ok_or_else(|| {
        (
            USAGE,
            "there is no repository at or above the current folder".to_owned(),
        )
    })?;
    let mode = if check { Mode::Check } else { Mode::Write };
    let outcome = r#gen::run(&root, mode).map_err(with(COULD_NOT_RUN))?;
    for fault in &outcome.faults {
        complain(fault);
    }
    let mut sound = outcome.faults.is_empty();
    if check {
        let registry = Registry::embedded().map_err(with(COULD_NOT_RUN))?;
        for suite in [run::suite, crate::client::run::suite] {
            if let Err(fault) = suite(&registry) {
                complain(&fault.to_string());
                sound = false;
            }
        }
    }
    for path in &outcome.stale {
        if check {
            complain(&format!("`{path}` is stale"));
        } else {
            say(&format!("wrote {path}\n"));
        }
    }
    if check && !outcome.stale.is_empty() {
        complain("run `cargo gen` and commit what it writes");
    }
    let stale = check && !outcome.stale.is_empty();
    Ok(if stale || !sound { FAILED } else { 0 })
}

fn list(as_json: bool, filters: &FilterArgs) -> Outcome {
    let filters = filters.read().map_err(with(USAGE))?;
    let registry = Registry::embedded().map_err(with(COULD_NOT_RUN))?;
    let mut suite = run::suite(&registry).map_err(with(COULD_NOT_RUN))?;
    let clients = crate::client::run::suite(&registry).map_err(with(COULD_NOT_RUN))?;
    suite.features.extend(clients.features);
    let section_of = |id: &str| registry.find(id).map(|one| one.section.clone());
    let found = suite
        .scenarios()
        .map(|one| &one.info)
        .filter(|info| filters.admit(info, &section_of));
    if as_json {
        let items: Vec<serde_json::Value> = found
            .map(|info| {
                json!({"id": info.id, "name": info.name, "class": info.class, "requirements": info.requirements,
                       "needs_clock": info.needs_clock, "triples": info.triples})
            })
            .collect();
        let text = serde_json::to_string_pretty(&items).map_err(with(COULD_NOT_RUN))?;
        say(&(text + "\n"));
    } else {
        for info in found {
            say(&format!(
                "{}  {}  {}\n",
                info.id,
                info.class,
                info.requirements.join(" ")
            ));
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_needs_no_command() {
        let cli = Cli::try_parse_from(["clp-conformance", "--name", "a", "--name", "b"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.run.report.filters().unwrap().names, ["a", "b"]);
        assert!(
            Cli::try_parse_from([
                "clp-conformance",
                "issuer",
                "https://issuer.example",
                "--seed",
                "7"
            ])
            .is_ok()
        );
        assert!(Cli::try_parse_from(["clp-conformance", "--token", "x"]).is_err());
    }
}
