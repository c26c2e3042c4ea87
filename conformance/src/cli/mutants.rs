//! The command `mutants`.

use clap::Args;
use serde_json::json;

use super::{COULD_NOT_RUN, FAILED, Outcome, USAGE, say, with};
use crate::client::mutants as clients;
use crate::mutants::{self, Extent, Trial};
use crate::subject::reference::saboteurs;

#[derive(Debug, Args)]
pub(super) struct MutantArgs {
    /// Only saboteurs of this requirement, or of this name; can be repeated.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Those of the reference client instead of the reference issuer's.
    #[arg(long)]
    client: bool,
    /// Show those there are, and try none.
    #[arg(long)]
    list: bool,
    /// Of the scenarios of other requirements, run each so many-th only.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// How many run side by side; by default as many as there are processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Tries those that were chosen, and says what came of them.
pub(super) fn run(args: &MutantArgs) -> Outcome {
    let names = &args.names;
    let mut chosen = match args.client {
        true => clients::all(),
        false => saboteurs(),
    };
    if let Some(unknown) = names.iter().find(|name| {
        !chosen
            .iter()
            .any(|one| one.name == **name || one.requirement == **name)
    }) {
        return Err((
            USAGE,
            format!(
                "there is no saboteur of `{unknown}`; `mutants {}--list` shows those there are",
                if args.client { "--client " } else { "" }
            ),
        ));
    }
    chosen.retain(|one| {
        names.is_empty()
            || names
                .iter()
                .any(|name| one.name == name || one.requirement == name)
    });
    if args.list && args.json {
        let all: Vec<_> = chosen
            .iter()
            .map(|one| json!({"name": one.name, "requirement": one.requirement, "does": one.does}))
            .collect();
        let text = serde_json::to_string_pretty(&all).map_err(with(COULD_NOT_RUN))?;
        say(&(text + "\n"));
        return Ok(0);
    }
    if args.list {
        for one in &chosen {
            say(&format!("{:<26}  {}\n", one.name, one.does));
        }
        return Ok(0);
    }
    let jobs = args.jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let extent = args.sample.map_or(Extent::Whole, Extent::Sample);
    let done = |trial: &Trial| {
        if !args.json {
            say(&mutants::line(trial));
        }
    };
    let trials = match args.client {
        true => clients::run(chosen, extent, jobs, &done),
        false => mutants::run(chosen, extent, jobs, &done),
    };
    let trials = trials.map_err(with(COULD_NOT_RUN))?;
    if args.json {
        let text = serde_json::to_string_pretty(&trials).map_err(with(COULD_NOT_RUN))?;
        say(&(text + "\n"));
    } else {
        say(&mutants::summary(&trials));
    }
    Ok(if trials.holds() { 0 } else { FAILED })
}
