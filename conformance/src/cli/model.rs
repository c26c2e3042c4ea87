//! The command `model`.

use clap::{Args, ValueEnum};

use super::{COULD_NOT_RUN, FAILED, Outcome, say, with};
use crate::model::check::{self, Bounds};
use crate::model::plan::Rule;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Size {
    Small,
    Full,
}

#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// How much is explored: seconds, or minutes and some gigabytes.
    #[arg(long, value_enum, default_value = "small")]
    bounds: Size,
    /// Leave out one rule after the other instead, and show the shortest way to what goes wrong.
    #[arg(long, conflicts_with = "bounds")]
    planted: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Explores the model, and says what came of it.
pub(super) fn run(args: &ModelArgs) -> Outcome {
    if args.planted {
        let all = Rule::ALL
            .iter()
            .map(|rule| Ok((*rule, check::planted(*rule)?)));
        let all: Vec<_> = all
            .collect::<Result<_, String>>()
            .map_err(with(COULD_NOT_RUN))?;
        say(&match args.json {
            true => format!("{:#}\n", check::planted_json(&all)),
            false => check::planted_text(&all),
        });
        let found = all.iter().all(|(_, trace)| trace.is_some());
        return Ok(if found { 0 } else { FAILED });
    }
    let bounds = match args.bounds {
        Size::Small => Bounds::Small,
        Size::Full => Bounds::Full,
    };
    let worlds = check::worlds(bounds);
    let all = worlds.iter().map(check::check);
    let all: Vec<_> = all
        .collect::<Result<_, String>>()
        .map_err(with(COULD_NOT_RUN))?;
    say(&match args.json {
        true => format!("{:#}\n", check::json(&all)),
        false => check::text(&all),
    });
    Ok(if check::holds(&all) { 0 } else { FAILED })
}
