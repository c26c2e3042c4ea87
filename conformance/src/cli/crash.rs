//! The command `crash`.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Args;

use super::{COULD_NOT_RUN, FAILED, Outcome, runtime, say, with};
use crate::crash::{self, Broken, Options};

/// Arguments of `clp-conformance crash`.
#[derive(Debug, Args)]
pub(super) struct CrashArgs {
    /// How many kills have to fall.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Decides where they fall; by default another one each time, which is printed.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many issuers, each with its clients, side by side.
    #[arg(long, value_name = "J", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Begin nothing new after so many seconds of killing, whatever has fallen by then.
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u64>,
    /// Only kills at steps, or while doing things, with this in their name, such as `during rotation_open`.
    #[arg(long, value_name = "TEXT")]
    at: Option<String>,
    /// Begin nothing new after something did not hold.
    #[arg(long)]
    first: bool,
    /// Let the issuer break the protocol in this way; `clp-issuer saboteurs` lists the ways.
    #[arg(long, value_name = "NAME")]
    violate: Option<String>,
    /// Let the client break this requirement; `mutants --client --list` lists those there are.
    #[arg(long, value_name = "NAME")]
    violate_client: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Kills issuers and clients, and says what did not hold.
pub(super) fn run(args: &CrashArgs) -> Outcome {
    let drawn = || jiff::Timestamp::now().as_microsecond().unsigned_abs();
    let options = Options {
        kills: usize::try_from(args.kills).unwrap_or(usize::MAX),
        seed: args.seed.unwrap_or_else(drawn),
        jobs: usize::from(args.jobs),
        limit: args.limit.map(Duration::from_secs),
        only: args.at.clone(),
        first: args.first,
        broken: Broken {
            issuer: args.violate.clone(),
            client: args.violate_client.clone(),
        },
    };
    let watched = std::io::stderr().is_terminal();
    let heard = move |line: &str| {
        // What fails is told at once, since a campaign can be long.
        if watched || line.starts_with("episode") {
            // Nobody is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    };
    let report = runtime()?
        .block_on(crash::run(&options, heard))
        .map_err(with(COULD_NOT_RUN))?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&report).map_err(with(COULD_NOT_RUN))? + "\n",
        false => report.text(),
    };
    say(&text);
    Ok(if report.holds() { 0 } else { FAILED })
}
