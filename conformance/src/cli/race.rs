//! The command `race`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::{COULD_NOT_RUN, FAILED, Outcome, USAGE, runtime, say, with};
use crate::config::Target;
use crate::race;

/// Arguments of `clp-conformance race`.
#[derive(Debug, Args)]
pub(super) struct RaceArgs {
    /// The issuer identifier; without it, the reference issuer, which is started.
    url: Option<Url>,
    /// How the issuer is reached, in TOML, as for `issuer`. It needs test control.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Let the reference issuer break the protocol in this way; `mutants --list` shows the ways.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "url"])]
    violate: Option<String>,
    /// How many histories, of fifty callers each.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    histories: u32,
    /// Decides who calls what; by default another one each time, which is printed.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Lets fifty call at once, and says what cannot have come about one call after the other.
pub(super) fn run(args: &RaceArgs) -> Outcome {
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let target = match &args.violate {
        Some(name) => Target::Saboteur(name.clone()),
        None => {
            Target::load(args.url.clone(), args.config.as_deref(), &env).map_err(with(USAGE))?
        }
    };
    let drawn = || jiff::Timestamp::now().as_microsecond().unsigned_abs();
    let seed = args.seed.unwrap_or_else(drawn);
    let histories = usize::try_from(args.histories).unwrap_or(usize::MAX);
    let report = runtime()?
        .block_on(race::run(&target, histories, seed))
        .map_err(with(COULD_NOT_RUN))?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&report).map_err(with(COULD_NOT_RUN))? + "\n",
        false => report.text(),
    };
    say(&text);
    Ok(if report.out_of_order.is_empty() {
        0
    } else {
        FAILED
    })
}
