//! The command line. Everything it does can be done by a test through the modules it calls.

mod canary;
mod floor;
mod lint;
mod mutants;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use gherkin::tagexpr::TagOperation;
use serde_json::json;
use url::Url;

use crate::config::{EXAMPLE, Target};
use crate::coverage;
use crate::r#gen::{self, Mode};
use crate::oracle::canary::Channel;
use crate::record::{Conclusion, RunRecord};
use crate::report;
use crate::requirements::Registry;
use crate::run::{self, Options};
use crate::selection::Filters;
use crate::subject::SubjectFault;

/// Something does not hold.
const FAILED: u8 = 1;
/// The command line or the configuration makes no sense.
const USAGE: u8 = 2;
/// Nothing could be run.
const COULD_NOT_RUN: u8 = 3;

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
    /// Show which requirement has which scenario.
    Coverage {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Fail where a requirement has neither a scenario nor an exclusion.
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
    /// Test issuers that do nothing: every core scenario has to fail.
    ///
    /// They answer 404, 401, 500, an empty object, a page, garbage or nothing at all, bare and
    /// behind a sound manifest. A scenario that does not fail there tests nothing.
    NullFloor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
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
    filters: FilterArgs,
    /// Let the reference issuer break the protocol in this way; `mutants --list` shows the ways.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    violate: Option<String>,
    /// Ids of scenarios that are known to fail, one a line. One that does not fail any more fails the run.
    #[arg(long, value_name = "FILE")]
    known_failures: Option<PathBuf>,
    /// Print the report as JSON instead of text.
    #[arg(long)]
    json: bool,
    /// Where report.html, report.json and junit.xml go.
    #[arg(long, value_name = "PATH", default_value = "target/conformance")]
    report_dir: PathBuf,
    /// Decides the order of the scenarios; 0 leaves it as it is written.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many scenarios run side by side at most.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

#[derive(Debug, Args)]
struct FilterArgs {
    /// A tag expression, such as "@core and not @needs-clock".
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Only scenarios of this requirement; can be repeated.
    #[arg(long, value_name = "ID")]
    requirement: Vec<String>,
    /// Only scenarios of this part of the spec: 13, 13-create.md, or 13-create.md#from-a-request.
    #[arg(long, value_name = "SECTION")]
    section: Vec<String>,
    /// Only scenarios with this id, or with this in their name.
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
}

impl FilterArgs {
    fn read(&self) -> Result<Filters, String> {
        let tags = match &self.tags {
            None => None,
            Some(text) => Some(text.parse::<TagOperation>().map_err(|_| {
                "the tag expression is malformed; write such as \"@core and not @needs-clock\""
                    .to_owned()
            })?),
        };
        Ok(Filters {
            tags,
            tags_text: self.tags.clone(),
            requirements: self.requirement.clone(),
            sections: self.section.clone(),
            names: self.name.clone(),
        })
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => issuer(None, &cli.run),
        Some(Command::Issuer { url, run }) => issuer(url, &run),
        Some(Command::Coverage { json, strict }) => cover(json, strict),
        Some(Command::Gen { check, root }) => generate(check, root),
        Some(Command::List { json, filters }) => list(json, &filters),
        Some(Command::NullFloor { json }) => floor::run(json),
        Some(Command::LintPermissions(args)) => lint::run(&args),
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

type Outcome = Result<u8, (u8, String)>;

/// For `map_err`: a code and the fault in words.
fn with<E: std::fmt::Display>(code: u8) -> impl Fn(E) -> (u8, String) {
    move |fault| (code, fault.to_string())
}

/// A pipe that is closed early is no fault of this program's.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "clp-conformance: {text}");
}

fn issuer(url: Option<Url>, args: &RunArgs) -> Outcome {
    let filters = args.filters.read().map_err(with(USAGE))?;
    let env: BTreeMap<String, String> = std::env::vars().collect();
    if url.is_some() && args.violate.is_some() {
        let words = "`--violate` is for the reference issuer: leave the URL out";
        return Err((USAGE, words.to_owned()));
    }
    let target = match &args.violate {
        Some(name) => Target::Saboteur(name.clone()),
        None => Target::load(url.clone(), args.config.as_deref(), &env).map_err(with(USAGE))?,
    };
    let known_failures = match &args.known_failures {
        None => Vec::new(),
        Some(path) => known(path).map_err(with(USAGE))?,
    };
    let options = Options {
        target,
        filters,
        known_failures,
        seed: args.seed,
        concurrency: usize::from(args.concurrency),
        progress: std::io::stderr().is_terminal(),
        invocation: invocation(url.as_ref(), args),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(with(COULD_NOT_RUN))?;
    let run = runtime.block_on(run::watched(&options));
    let (record, canary) = run.map_err(|fault| {
        let code = match &fault {
            run::RunFault::UnknownFailure(_)
            | run::RunFault::NothingChosen(_)
            | run::RunFault::Subject(SubjectFault::Saboteur(_)) => USAGE,
            _ => COULD_NOT_RUN,
        };
        (code, fault.to_string())
    })?;
    let page = report::write(&record, &args.report_dir, &canary).map_err(with(COULD_NOT_RUN))?;
    let text = if args.json {
        report::json::render(&record).map_err(with(COULD_NOT_RUN))?
    } else {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let text = report::console::render(&record, colours);
        format!("{text}report: {}\n", page.display())
    };
    say(&report::clean(text, Channel::Screen, "the output", &canary)
        .map_err(with(COULD_NOT_RUN))?);
    Ok(code(&record))
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

fn known(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|fault| format!("`{}` cannot be read: {fault}", path.display()))?;
    Ok(text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect())
}

fn cover(as_json: bool, strict: bool) -> Outcome {
    let registry = Registry::embedded().map_err(with(COULD_NOT_RUN))?;
    let suite = run::suite(&registry).map_err(with(COULD_NOT_RUN))?;
    let coverage = coverage::measure(&suite, &registry);
    if as_json {
        let text = serde_json::to_string_pretty(&coverage).map_err(with(COULD_NOT_RUN))?;
        say(&(text + "\n"));
    } else {
        say(&coverage::render(&coverage));
    }
    let mut code = 0;
    let unlisted: Vec<&str> = coverage
        .rows
        .iter()
        .filter(|row| !row.counted)
        .map(|row| row.id.as_str())
        .collect();
    if !unlisted.is_empty() {
        complain(&format!(
            "in the spec and not in `conformance/requirements/1.0.toml`: {}",
            unlisted.join(", ")
        ));
        if strict {
            code = FAILED;
        }
    }
    for id in &coverage.stale_exclusions {
        complain(&format!(
            "`{id}` is excluded and has a scenario; take it out of the exclusions"
        ));
        code = FAILED;
    }
    if !coverage.missing.is_empty() {
        complain(&format!(
            "without a scenario or an exclusion: {}",
            coverage.missing.join(", ")
        ));
        if strict {
            code = FAILED;
        }
    }
    Ok(code)
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
        if let Err(fault) = run::suite(&registry) {
            complain(&fault.to_string());
            sound = false;
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
    let suite = run::suite(&registry).map_err(with(COULD_NOT_RUN))?;
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
        assert_eq!(cli.run.filters.name, ["a", "b"]);
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

    #[test]
    fn comments_and_blank_lines_are_no_known_failures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        std::fs::write(&path, "# why\n\ncreate/a # because\ncreate/b\n").unwrap();
        assert_eq!(known(&path).unwrap(), ["create/a", "create/b"]);
    }
}
