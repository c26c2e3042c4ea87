//! Which requirement has which scenario and which saboteur, and which has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::parser::Suite;
use crate::record::Triple;
use crate::requirements::{REVISION, Registry};
use crate::subject::reference::Saboteur;

/// One requirement and what tests it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Such as `CLP-CRE-004`.
    pub id: String,
    /// `MUST` and its like.
    pub keyword: String,
    /// Who is bound.
    pub actor: String,
    /// The class or profile.
    pub class: String,
    /// Where it stands.
    pub section: String,
    /// Whether the frozen list counts it.
    pub counted: bool,
    /// Why it has no scenario, where it cannot have one.
    pub excluded: Option<String>,
    /// Ids of the scenarios that test it.
    pub scenarios: Vec<String>,
    /// What they show, such as `credential_create: forbidden`.
    pub outcomes: BTreeSet<String>,
    /// Names of the saboteurs that break it.
    pub saboteurs: Vec<String>,
    /// Why none breaks it, though a scenario is about it.
    pub unbroken: Option<String>,
}

impl Row {
    fn binds_issuer(&self) -> bool {
        self.is_must() && matches!(self.actor.as_str(), "issuer" | "resource")
    }

    fn binds_client(&self) -> bool {
        self.is_must() && matches!(self.actor.as_str(), "client" | "verifier")
    }

    /// Whether something has to break it: a scenario says that it can be seen.
    fn is_testable(&self) -> bool {
        (self.binds_issuer() || self.binds_client()) && !self.scenarios.is_empty()
    }

    fn is_must(&self) -> bool {
        self.counted && self.keyword.starts_with("MUST")
    }
}

/// The whole table, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Which frozen list.
    pub revision: &'static str,
    /// By id.
    pub rows: Vec<Row>,
    /// Scenarios in all.
    pub scenarios: usize,
    /// Distinct (endpoint, requirement, outcome); rows of an Examples table add none.
    pub triples: usize,
    /// Scenarios that test something of their own: distinct (endpoint, first requirement,
    /// outcome), so that further requirements of a scenario add none.
    pub own: usize,
    /// MUST and MUST NOT that bind an issuer or a resource.
    pub issuer_musts: usize,
    /// Those of them with a scenario.
    pub covered: usize,
    /// Those of them that are excluded.
    pub excluded: usize,
    /// MUST and MUST NOT that bind a client or a verifier.
    pub client_musts: usize,
    /// Those of them with a scenario.
    pub client_covered: usize,
    /// Those of them that are excluded.
    pub client_excluded: usize,
    /// Those of both kinds with neither.
    pub missing: Vec<String>,
    /// Excluded ones that have a scenario after all.
    pub stale_exclusions: Vec<String>,
    /// Saboteurs in all.
    pub saboteurs: usize,
    /// MUST and MUST NOT of both kinds that have a scenario.
    pub testable: usize,
    /// Those of them that a saboteur breaks.
    pub broken: usize,
    /// Those of them that none breaks, and that say why.
    pub unbroken: usize,
    /// Those of them with neither.
    pub unproven: Vec<String>,
}

/// Lays scenarios and saboteurs beside requirements.
#[must_use]
pub fn measure(suite: &Suite, registry: &Registry, saboteurs: &[Saboteur]) -> Coverage {
    let unbroken: BTreeMap<&str, &str> = registry.without_saboteur().collect();
    let mut tests: BTreeMap<&str, (Vec<String>, BTreeSet<String>)> = BTreeMap::new();
    let mut triples: BTreeSet<&Triple> = BTreeSet::new();
    let mut own: BTreeSet<&Triple> = BTreeSet::new();
    for one in suite.scenarios() {
        own.extend(one.info.triples.first());
        for triple in &one.info.triples {
            triples.insert(triple);
            let (scenarios, outcomes) = tests.entry(&triple.requirement).or_default();
            scenarios.push(one.info.id.clone());
            outcomes.insert(format!("{}: {}", triple.endpoint, triple.outcome));
        }
    }
    let rows: Vec<Row> = registry
        .iter()
        .map(|one| {
            let (scenarios, outcomes) = tests.get(one.id.as_str()).cloned().unwrap_or_default();
            Row {
                id: one.id.clone(),
                keyword: one.keyword.clone(),
                actor: one.actor.clone(),
                class: one.class.clone(),
                section: one.section.clone(),
                counted: registry.counts(&one.id),
                excluded: registry.exclusion(&one.id).map(str::to_owned),
                scenarios,
                outcomes,
                saboteurs: saboteurs
                    .iter()
                    .filter(|saboteur| saboteur.requirement == one.id)
                    .map(|saboteur| saboteur.name.to_owned())
                    .collect(),
                unbroken: unbroken.get(one.id.as_str()).map(|why| (*why).to_owned()),
            }
        })
        .collect();
    let ids = |wanted: &dyn Fn(&Row) -> bool| -> Vec<String> {
        rows.iter()
            .filter(|row| wanted(row))
            .map(|row| row.id.clone())
            .collect()
    };
    let count = |wanted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| wanted(row)).count();
    let excluded = |row: &Row| row.scenarios.is_empty() && row.excluded.is_some();
    Coverage {
        revision: REVISION,
        scenarios: suite.scenarios().count(),
        triples: triples.len(),
        own: own.len(),
        issuer_musts: count(&Row::binds_issuer),
        covered: count(&|row| row.binds_issuer() && !row.scenarios.is_empty()),
        excluded: count(&|row| row.binds_issuer() && excluded(row)),
        client_musts: count(&Row::binds_client),
        client_covered: count(&|row| row.binds_client() && !row.scenarios.is_empty()),
        client_excluded: count(&|row| row.binds_client() && excluded(row)),
        missing: ids(&|row| {
            (row.binds_issuer() || row.binds_client())
                && row.scenarios.is_empty()
                && row.excluded.is_none()
        }),
        stale_exclusions: ids(&|row| !row.scenarios.is_empty() && row.excluded.is_some()),
        saboteurs: saboteurs.len(),
        testable: count(&Row::is_testable),
        broken: count(&|row| row.is_testable() && !row.saboteurs.is_empty()),
        unbroken: count(&|row| {
            row.is_testable() && row.saboteurs.is_empty() && row.unbroken.is_some()
        }),
        unproven: ids(&|row| {
            row.is_testable() && row.saboteurs.is_empty() && row.unbroken.is_none()
        }),
        rows,
    }
}

/// The table for a terminal.
#[must_use]
pub fn render(coverage: &Coverage) -> String {
    let mut text =
        "requirement  keyword    actor    class    scenarios, saboteurs, what is shown\n\n"
            .to_owned();
    for row in &coverage.rows {
        let what = if row.scenarios.is_empty() {
            match &row.excluded {
                Some(reason) => format!("excluded: {reason}"),
                None if row.binds_issuer() || row.binds_client() => "MISSING".to_owned(),
                None => "—".to_owned(),
            }
        } else {
            let outcomes: Vec<&str> = row.outcomes.iter().map(String::as_str).collect();
            outcomes.join("; ")
        };
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            text,
            "{}  {:<10} {:<8} {:<12} {:>3} {:>3}  {what}",
            row.id,
            row.keyword,
            row.actor,
            row.class,
            row.scenarios.len(),
            row.saboteurs.len()
        );
    }
    let _ = writeln!(
        text,
        "\nrevision {}: {} scenarios, {} of them with an endpoint, first requirement and outcome of their own; {} distinct triples of endpoint, requirement and outcome, where each requirement of a scenario counts",
        coverage.revision, coverage.scenarios, coverage.own, coverage.triples
    );
    let _ = writeln!(
        text,
        "of {} MUSTs that bind an issuer or a resource, {} have a scenario, {} are excluded with a reason, {} have neither",
        coverage.issuer_musts,
        coverage.covered,
        coverage.excluded,
        coverage.issuer_musts - coverage.covered - coverage.excluded
    );
    let _ = writeln!(
        text,
        "of {} MUSTs that bind a client or a verifier, {} have a scenario, {} are excluded with a reason, {} have neither",
        coverage.client_musts,
        coverage.client_covered,
        coverage.client_excluded,
        coverage.client_musts - coverage.client_covered - coverage.client_excluded
    );
    let _ = writeln!(
        text,
        "of {} MUSTs with a scenario, {} are broken by one of {} saboteurs, {} say why none breaks them, {} do neither",
        coverage.testable,
        coverage.broken,
        coverage.saboteurs,
        coverage.unbroken,
        coverage.unproven.len()
    );
    text
}
