//! The table of attempts against approvals in the README: each row names a scenario that there
//! is, and a saboteur of one of its requirements.

#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use clp_conformance::parser::{self, Suite};
use clp_conformance::requirements::Registry;
use clp_conformance::subject::reference::saboteurs;

const HEADING: &str = "## What an approval does not open\n";

/// The cells of the rows below the heading of the table, without backquotes.
fn rows() -> Vec<Vec<String>> {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once(HEADING).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.skip(1)
        .map(|row| {
            let cells = row.trim_matches('|').split('|');
            cells
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

fn suite() -> Suite {
    let registry = Registry::embedded().unwrap();
    parser::load(&parser::embedded(), &registry, &|_| Ok(())).unwrap()
}

#[test]
fn every_attempt_has_a_scenario_and_a_saboteur() {
    let suite = suite();
    let rows = rows();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows {
        let [attempt, scenario, saboteur] = row.as_slice() else {
            panic!("{row:?} has not three cells");
        };
        let scenario = suite
            .scenarios()
            .find(|one| one.info.id == *scenario)
            .unwrap_or_else(|| panic!("{attempt}: there is no scenario `{scenario}`"));
        let saboteur = saboteurs()
            .into_iter()
            .find(|one| one.name == saboteur)
            .unwrap_or_else(|| panic!("{attempt}: there is no saboteur `{saboteur}`"));
        let requirement = saboteur.requirement.to_owned();
        assert!(
            scenario.info.requirements.contains(&requirement),
            "{attempt}: the scenario is not about {requirement}"
        );
    }
}
