//! The command `coverage`.

use super::{COULD_NOT_RUN, FAILED, Outcome, complain, say, with};
use crate::requirements::Registry;
use crate::subject::reference::saboteurs;
use crate::{client, coverage, run};

/// Prints the table, and complains about what is missing.
pub(super) fn run(as_json: bool, strict: bool) -> Outcome {
    let registry = Registry::embedded().map_err(with(COULD_NOT_RUN))?;
    let mut suite = run::suite(&registry).map_err(with(COULD_NOT_RUN))?;
    let clients = client::run::suite(&registry).map_err(with(COULD_NOT_RUN))?;
    suite.features.extend(clients.features);
    let mut saboteurs = saboteurs();
    saboteurs.extend(client::mutants::all());
    let coverage = coverage::measure(&suite, &registry, &saboteurs);
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
    if !coverage.unproven.is_empty() {
        complain(&format!(
            "with a scenario, and without a saboteur or a reason: {}",
            coverage.unproven.join(", ")
        ));
        if strict {
            code = FAILED;
        }
    }
    Ok(code)
}
