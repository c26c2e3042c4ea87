//! The features about clients against clients that break one requirement each.

use std::sync::Arc;
use std::time::Duration;

use super::command;
use super::run::{self, ClientOptions};
use super::world::Starter;
use crate::mutants::{self, Extent, Trial, Trials};
use crate::parser::Suite;
use crate::requirements::Registry;
use crate::run::RunFault;
use crate::selection::Filters;
use crate::subject::client::saboteurs;
use crate::subject::reference::Saboteur;

/// How long one task may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Every saboteur of the reference client.
#[must_use]
pub fn all() -> Vec<Saboteur> {
    saboteurs()
        .map(|one| Saboteur {
            name: one.name,
            requirement: one.name,
            does: one.does,
        })
        .collect()
}

/// Tries saboteurs, so many side by side. `done` hears of each as it ends.
///
/// # Errors
/// Where the features do not load.
pub fn run(
    saboteurs: Vec<Saboteur>,
    extent: Extent,
    side_by_side: usize,
    done: &(dyn Fn(&Trial) + Sync),
) -> Result<Trials, RunFault> {
    let registry = Registry::embedded()?;
    let suite = run::suite(&registry)?;
    let attempt = |saboteur: &Saboteur| attempt(saboteur, extent, &suite);
    Ok(mutants::each(
        saboteurs,
        extent,
        side_by_side,
        done,
        &attempt,
    ))
}

fn attempt(saboteur: &Saboteur, extent: Extent, suite: &Suite) -> Trial {
    let names = suite
        .scenarios()
        .filter(|one| extent.admits(saboteur.name, saboteur.requirement, &one.info))
        .map(|one| one.info.id.clone())
        .collect();
    let record = command::reference(Some(saboteur.name))
        .map_err(|fault| fault.to_string())
        .and_then(|launch| {
            let options = ClientOptions {
                starter: Arc::new(Starter {
                    launch,
                    limit: LIMIT,
                }),
                name: saboteur.name.to_owned(),
                embedded: true,
                filters: Filters {
                    names,
                    ..Filters::default()
                },
                known_failures: Vec::new(),
                seed: 0,
                concurrency: 4,
                progress: false,
                invocation: format!("clp-conformance client --violate {}", saboteur.name),
            };
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .map_err(|fault| fault.to_string())?;
            let record = runtime.block_on(run::run(&options));
            record
                .map(|(record, _)| record)
                .map_err(|fault| fault.to_string())
        });
    mutants::judge(saboteur, record)
}
