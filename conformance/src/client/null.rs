//! Clients that do nothing. Against each of them every scenario has to fail; against one that
//! says of every task that it does no such thing, every core scenario.

use std::sync::Arc;
use std::time::Duration;

use super::run::{self, ClientOptions};
use super::task::Launch;
use super::world::Starter;
use crate::record::Verdict;
use crate::run::RunFault;
use crate::selection::Filters;
use crate::subject::null::{Blind, Floor};

/// How long a client is waited for that never ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says of every task that it does no such thing.
const UNSUPPORTED: &str = "exit 4";

/// Ways to do nothing, as lines for the shell.
pub const NULLS: [(&str, &str); 7] = [
    ("a client that exits 0", "exit 0"),
    ("a client that exits 1", "exit 1"),
    ("a client that refuses everything", "exit 3"),
    ("a client that supports nothing", UNSUPPORTED),
    ("a client that hangs", "sleep 600"),
    ("a client that says yes", "echo '{}'"),
    (
        "a client that says yes, then no",
        "cat >/dev/null; [ -e seen ] && exit 3; touch seen; echo '{\"authenticated\":true}'",
    ),
];

/// Runs the scenarios against each.
///
/// # Errors
/// Where the features do not load.
pub async fn floor(concurrency: usize) -> Result<Vec<Floor>, RunFault> {
    let mut floors = Vec::new();
    for (name, line) in NULLS {
        // What is not of the core class is then not declared.
        let core = (line == UNSUPPORTED).then(|| "@core".to_owned());
        let options = ClientOptions {
            starter: Arc::new(Starter {
                launch: Launch::Shell(line.to_owned()),
                limit: PATIENCE,
            }),
            name: name.to_owned(),
            embedded: false,
            filters: Filters {
                tags: core.as_ref().and_then(|tags| tags.parse().ok()),
                tags_text: core,
                ..Filters::default()
            },
            known_failures: Vec::new(),
            seed: 0,
            concurrency,
            progress: false,
            invocation: String::new(),
        };
        let (record, _) = run::run(&options).await?;
        floors.push(Floor {
            name: name.to_owned(),
            scenarios: record.scenarios.len(),
            blind: record
                .scenarios
                .iter()
                .filter(|one| one.verdict != Verdict::Fail)
                .map(|one| Blind {
                    name: one.name.clone(),
                    verdict: Some(one.verdict),
                })
                .collect(),
        });
    }
    Ok(floors)
}
