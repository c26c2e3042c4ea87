//! What the commands that run scenarios have in common: which of them, and where the report
//! goes.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use gherkin::tagexpr::TagOperation;
use tokio::runtime::Runtime;

use crate::oracle::canary::{Canary, Channel};
use crate::record::RunRecord;
use crate::report;
use crate::run::RunFault;
use crate::selection::Filters;
use crate::subject::SubjectFault;

/// The command line or the configuration makes no sense.
pub(crate) const USAGE: u8 = 2;
/// Nothing could be run.
pub(crate) const COULD_NOT_RUN: u8 = 3;

/// The exit status, or one with the fault in words.
pub(crate) type Outcome = Result<u8, (u8, String)>;

/// For `map_err`: a code and the fault in words.
pub(crate) fn with<E: std::fmt::Display>(code: u8) -> impl Fn(E) -> (u8, String) {
    move |fault| (code, fault.to_string())
}

/// A pipe that is closed early is no fault of this program's.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "clp-conformance: {text}");
}

/// What runs everything that waits.
pub(crate) fn runtime() -> Result<Runtime, (u8, String)> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(with(COULD_NOT_RUN))
}

/// Writes the reports of a run, and says what came of it.
pub(crate) fn finish(args: &ReportArgs, run: Result<(RunRecord, Canary), RunFault>) -> Outcome {
    let (record, canary) = run.map_err(|fault| {
        let code = match &fault {
            RunFault::UnknownFailure(_)
            | RunFault::NothingChosen(_)
            | RunFault::Subject(SubjectFault::Saboteur(_)) => USAGE,
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
    Ok(super::code(&record))
}

/// Which scenarios, in what order, and where the report goes.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    filters: FilterArgs,
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

impl ReportArgs {
    /// Which scenarios.
    pub(crate) fn filters(&self) -> Result<Filters, String> {
        self.filters.read()
    }

    /// Those that are known to fail.
    pub(crate) fn known_failures(&self) -> Result<Vec<String>, String> {
        self.known_failures.as_deref().map_or(Ok(Vec::new()), known)
    }

    /// What decides their order.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// How many run side by side.
    pub(crate) fn concurrency(&self) -> usize {
        usize::from(self.concurrency)
    }
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

#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// A tag expression, such as "@core and not @needs-clock".
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Only scenarios of this requirement; can be repeated.
    #[arg(long, value_name = "ID")]
    requirement: Vec<String>,
    /// Only scenarios of this part of the spec: 13, 13-create.md, or 13-create.md#from-a-request.
    #[arg(long, value_name = "SECTION")]
    section: Vec<String>,
    /// Only the scenario with this id, or those with this in their name or, without a slash, in their id.
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
}

impl FilterArgs {
    pub(super) fn read(&self) -> Result<Filters, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_no_known_failures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        std::fs::write(&path, "# why\n\ncreate/a # because\ncreate/b\n").unwrap();
        assert_eq!(known(&path).unwrap(), ["create/a", "create/b"]);
    }
}
