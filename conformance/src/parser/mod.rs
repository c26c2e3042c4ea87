//! The features: embedded in the binary, checked before anything runs, and handed to
//! cucumber by a parser of our own.
//!
//! A feature that breaks a rule does not load. What a suite claims to see must be seen by
//! construction: every refusal beside its accepted twin, every requirement by a known id.

mod twin;

use std::collections::HashMap;
use std::path::PathBuf;

use clp_schemas::endpoint::Operation;
use cucumber::feature::Ext as _;
use futures::stream;
use gherkin::{Feature, GherkinEnv, Scenario, Step};
use include_dir::{Dir, include_dir};

use crate::record::Triple;
use crate::requirements::Registry;
use crate::selection::METHOD_TAGS;
use crate::subject::Which;

static FEATURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/features");

/// The classes and profiles that a scenario can be tagged with.
pub const CLASSES: [&str; 11] = [
    "core",
    "approval",
    "approval-policy",
    "audit-proofs",
    "lifecycle",
    "inventory",
    "oauth",
    "webhooks",
    "bound-keys",
    "faults",
    "test-control",
];
/// The tag of a scenario that moves the clock.
pub const NEEDS_CLOCK: &str = "needs-clock";

/// The tag of a scenario to which the issuer sends events, at this machine.
pub const RECEIVER: &str = "receiver";

/// What is known of a scenario before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioInfo {
    /// Stable from run to run and release to release: feature and name, as a path.
    pub id: String,
    /// The feature's file name without its extension.
    pub operation: String,
    /// The name in the feature.
    pub name: String,
    /// `core`, or a profile.
    pub class: String,
    /// Ids, in the order of the tags.
    pub requirements: Vec<String>,
    /// Every tag, without `@`, the feature's first.
    pub tags: Vec<String>,
    /// Whether it moves the clock.
    pub needs_clock: bool,
    /// What it counts as, one for each requirement.
    pub triples: Vec<Triple>,
}

/// A scenario as loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is known of it.
    pub info: ScenarioInfo,
    /// Its text, outline rows expanded.
    pub scenario: Scenario,
}

/// A feature as loaded.
#[derive(Clone, Debug)]
pub struct LoadedFeature {
    /// Its text, without scenarios.
    pub feature: Feature,
    /// Its scenarios, in order.
    pub scenarios: Vec<Loaded>,
}

/// Every feature.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// In the order of their file names.
    pub features: Vec<LoadedFeature>,
}

/// Why a feature does not load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {reason}")]
pub struct LoadFault {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// The features that this binary was built with: the operations in the order of a
/// credential's life, then what concerns all of them.
#[must_use]
pub fn embedded() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = FEATURES
        .files()
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|extension| extension == "feature")
        })
        .filter_map(|file| {
            Some((
                file.path().display().to_string(),
                file.contents_utf8()?.to_owned(),
            ))
        })
        .collect();
    let place = |path: &str| {
        let name = path.trim_end_matches(".feature");
        Operation::ALL
            .iter()
            .position(|operation| operation.name() == name)
            .unwrap_or(usize::MAX)
    };
    found.sort_by(|(left, _), (right, _)| (place(left), left).cmp(&(place(right), right)));
    found
}

/// The features about clients, in the order of their names.
#[must_use]
pub fn embedded_for_clients() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = FEATURES
        .get_dir("client")
        .into_iter()
        .flat_map(Dir::files)
        .filter_map(|file| {
            let text = file.contents_utf8()?.to_owned();
            Some((file.path().display().to_string(), text))
        })
        .collect();
    found.sort();
    found
}

/// Says what a scenario is about, its endpoint and its outcome; or where it breaks a rule.
pub type Judge = dyn Fn(&[&Step]) -> Result<(String, String), (usize, String)>;

/// Parses and checks features, given by file name and text. `defined` says whether a step
/// has exactly one definition, and why not.
///
/// # Errors
/// Every fault found.
pub fn load(
    sources: &[(String, String)],
    registry: &Registry,
    defined: &dyn Fn(&Step) -> Result<(), String>,
) -> Result<Suite, Vec<LoadFault>> {
    load_by(sources, registry, defined, &twin::judge)
}

/// The same, with another judge of what stands beside a refusal.
///
/// # Errors
/// Every fault found.
pub fn load_by(
    sources: &[(String, String)],
    registry: &Registry,
    defined: &dyn Fn(&Step) -> Result<(), String>,
    judge: &Judge,
) -> Result<Suite, Vec<LoadFault>> {
    let mut loader = Loader {
        registry,
        defined,
        judge,
        faults: Vec::new(),
        names: HashMap::new(),
        ids: HashMap::new(),
    };
    let features = sources
        .iter()
        .filter_map(|(path, text)| loader.feature(path, text))
        .collect();
    if loader.faults.is_empty() {
        Ok(Suite { features })
    } else {
        Err(loader.faults)
    }
}

struct Loader<'a> {
    registry: &'a Registry,
    defined: &'a dyn Fn(&Step) -> Result<(), String>,
    judge: &'a Judge,
    faults: Vec<LoadFault>,
    names: HashMap<String, String>,
    ids: HashMap<String, String>,
}

impl Loader<'_> {
    fn fault(&mut self, path: &str, line: usize, reason: impl Into<String>) {
        self.faults.push(LoadFault {
            path: path.to_owned(),
            line,
            reason: reason.into(),
        });
    }

    fn feature(&mut self, path: &str, text: &str) -> Option<LoadedFeature> {
        let mut feature = match Feature::parse(text, GherkinEnv::default()) {
            Ok(feature) => feature,
            Err(fault) => {
                let words = fault.to_string();
                self.fault(path, line_in(&words), format!("not Gherkin: {words}"));
                return None;
            }
        };
        feature.path = Some(PathBuf::from(path));
        let mut feature = match feature.expand_examples() {
            Ok(feature) => feature,
            Err(fault) => {
                self.fault(
                    path,
                    fault.pos.line,
                    format!("the examples have no column `{}`", fault.name),
                );
                return None;
            }
        };
        if let Some(rule) = feature.rules.first() {
            self.fault(
                path,
                rule.position.line,
                "`Rule:` is not in use; tag the scenarios instead",
            );
        }
        let name = path.trim_end_matches(".feature");
        let operation = match name.rsplit_once('/') {
            Some((folder, last)) if folder.ends_with("client") => format!("client/{last}"),
            Some((_, last)) => last.to_owned(),
            None => name.to_owned(),
        };
        let scenarios = std::mem::take(&mut feature.scenarios);
        if scenarios.is_empty() {
            self.fault(path, feature.position.line, "the feature has no scenario");
        }
        let scenarios = scenarios
            .into_iter()
            .filter_map(|scenario| self.scenario(path, &operation, &feature, scenario))
            .collect();
        Some(LoadedFeature { feature, scenarios })
    }

    fn scenario(
        &mut self,
        path: &str,
        operation: &str,
        feature: &Feature,
        scenario: Scenario,
    ) -> Option<Loaded> {
        let line = scenario.position.line;
        let before = self.faults.len();
        let tags: Vec<String> = feature.tags.iter().chain(&scenario.tags).cloned().collect();
        let requirements: Vec<String> = tags
            .iter()
            .filter(|tag| tag.starts_with("CLP-"))
            .cloned()
            .collect();
        if requirements.is_empty() {
            self.fault(
                path,
                line,
                "no requirement: tag the scenario with what it tests, such as @CLP-CRE-004",
            );
        }
        for id in &requirements {
            if self.registry.find(id).is_none() {
                self.fault(path, line, format!("`{id}` is not in the spec"));
            }
        }
        let classes: Vec<&String> = tags
            .iter()
            .filter(|tag| CLASSES.contains(&tag.as_str()))
            .collect();
        let class = match classes.as_slice() {
            [class] => (*class).clone(),
            [] => {
                self.fault(
                    path,
                    line,
                    format!(
                        "no class: tag the scenario with one of @{}",
                        CLASSES.join(", @")
                    ),
                );
                String::new()
            }
            _ => {
                self.fault(path, line, "two classes; a scenario belongs to one");
                String::new()
            }
        };
        let unknown = |tag: &&String| {
            !tag.starts_with("CLP-")
                && !CLASSES.contains(&tag.as_str())
                && tag.as_str() != NEEDS_CLOCK
                && tag.as_str() != RECEIVER
                && tag.as_str() != "serial"
                && !METHOD_TAGS.iter().any(|begin| tag.starts_with(begin))
                && !Which::ELSEWHERE.iter().any(|(_, name)| name == tag)
        };
        if let Some(tag) = tags.iter().find(unknown) {
            self.fault(path, line, format!("`@{tag}` has no meaning here"));
        }
        let steps: Vec<&Step> = feature
            .background
            .iter()
            .flat_map(|background| &background.steps)
            .chain(&scenario.steps)
            .collect();
        for step in &steps {
            if let Err(reason) = (self.defined)(step) {
                self.fault(
                    path,
                    step.position.line,
                    format!("`{}`: {reason}", step.value),
                );
            }
        }
        let outcome = match (self.judge)(&steps) {
            Ok(outcome) => Some(outcome),
            Err((line, reason)) => {
                self.fault(path, line, reason);
                None
            }
        };
        let id = format!("{operation}/{}", slug(&scenario.name));
        let at = format!("{path}:{line}");
        if let Some(first) = self.names.insert(scenario.name.clone(), at.clone()) {
            self.fault(
                path,
                line,
                format!("the name `{}` is also at {first}", scenario.name),
            );
        } else if let Some(first) = self.ids.insert(id.clone(), at) {
            self.fault(
                path,
                line,
                format!("the id `{id}` is also at {first}; choose another name"),
            );
        }
        if self.faults.len() > before {
            return None;
        }
        let (endpoint, outcome) = outcome?;
        let triples = requirements
            .iter()
            .map(|requirement| Triple {
                endpoint: endpoint.clone(),
                requirement: requirement.clone(),
                outcome: outcome.clone(),
            })
            .collect();
        let needs_clock = tags.iter().any(|tag| tag == NEEDS_CLOCK);
        let info = ScenarioInfo {
            id,
            operation: operation.to_owned(),
            name: scenario.name.clone(),
            class,
            requirements,
            tags,
            needs_clock,
            triples,
        };
        Some(Loaded { info, scenario })
    }
}

/// The line that the Gherkin parser names in its message, `... at LINE:COLUMN: ...`; it keeps
/// the number itself to itself.
fn line_in(message: &str) -> usize {
    message
        .split(" at ")
        .nth(1)
        .and_then(|rest| rest.split(':').next()?.parse().ok())
        .unwrap_or(1)
}

/// A name as a part of a path: lower case, words joined by `-`.
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.join("-")
}

impl Suite {
    /// Every scenario, in order.
    pub fn scenarios(&self) -> impl Iterator<Item = &Loaded> {
        self.features.iter().flat_map(|feature| &feature.scenarios)
    }

    /// The scenarios that `chosen` picks, as cucumber takes them.
    #[must_use]
    pub fn only(&self, chosen: &dyn Fn(&ScenarioInfo) -> bool) -> Vec<Feature> {
        self.features
            .iter()
            .map(|loaded| {
                let mut feature = loaded.feature.clone();
                feature.scenarios = loaded
                    .scenarios
                    .iter()
                    .filter(|one| chosen(&one.info))
                    .map(|one| one.scenario.clone())
                    .collect();
                feature
            })
            .filter(|feature| !feature.scenarios.is_empty())
            .collect()
    }
}

/// Hands features that were already parsed to cucumber.
#[derive(Clone, Copy, Debug)]
pub struct Parser;

impl cucumber::Parser<Vec<Feature>> for Parser {
    type Cli = cucumber::cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<cucumber::parser::Result<Feature>>>;

    fn parse(self, input: Vec<Feature>, _: Self::Cli) -> Self::Output {
        let parsed: Vec<cucumber::parser::Result<Feature>> = input.into_iter().map(Ok).collect();
        stream::iter(parsed)
    }
}
