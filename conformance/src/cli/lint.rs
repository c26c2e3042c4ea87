//! The command `lint-permissions`.

use clap::Args;

use super::{FAILED, Outcome, USAGE, say, with};
use crate::lint::{self, Report};

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// A file, an https address, or - for standard input.
    #[arg(required = true, value_name = "FILE|URL")]
    documents: Vec<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Take warnings for errors.
    #[arg(long)]
    strict: bool,
}

/// Looks at each document, and says what is found.
pub(super) fn run(args: &LintArgs) -> Outcome {
    let reports = args
        .documents
        .iter()
        .map(|source| lint::read(source).map(Report::of))
        .collect::<Result<Vec<_>, _>>()
        .map_err(with(USAGE))?;
    say(&if args.json {
        format!("{:#}\n", lint::json(&reports))
    } else {
        lint::text(&reports)
    });
    let fine = reports.iter().all(|report| report.is_fine(args.strict));
    Ok(if fine { 0 } else { FAILED })
}
