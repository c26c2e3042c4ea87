//! A run, from configuration to record.

pub mod ledger;
mod order;
mod outcome;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use clp_schemas::endpoint::Class;
use clp_schemas::json;
use clp_schemas::ops::discover::{MANIFEST_PATH, Manifest};
use clp_schemas::time::Timestamp;
use cucumber::{Cucumber, World as _, cli, runner, step};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use gherkin::Feature;
use url::Url;

use self::ledger::Ledger;
pub(crate) use self::order::shuffled;
use self::outcome::{describe, secrets};
pub(crate) use self::outcome::{record, stale};
use crate::config::Target;
use crate::oracle::canary::Canary;
use crate::parser::{self, LoadFault, Parser, ScenarioInfo, Suite};
use crate::record::{RunRecord, ScenarioRecord, Subset};
use crate::requirements::{REVISION, Registry, RegistryFault};
use crate::selection::{Choice, Filters, choose};
use crate::subject::{Subject, SubjectFault, Which};
use crate::world::World;
use crate::world::watch::Watch;
use crate::writer::{Observed, Recorder, Traced, Traces};

/// What a run is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is tested.
    pub target: Target,
    /// What it is narrowed to.
    pub filters: Filters,
    /// Ids of scenarios that are known to fail. They run, and must still fail.
    pub known_failures: Vec<String>,
    /// Decides the order of scenarios; 0 leaves it as it is written.
    pub seed: u64,
    /// How many scenarios run side by side at most.
    pub concurrency: usize,
    /// Whether progress is shown on standard error.
    pub progress: bool,
    /// How the command line names the target, for the commands that reports show.
    pub invocation: String,
}

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// The requirements cannot be read.
    #[error(transparent)]
    Registry(#[from] RegistryFault),
    /// Features break a rule of the suite.
    #[error("{} faults in the features:\n{}", .0.len(), lines(.0))]
    Load(Vec<LoadFault>),
    /// A known failure is listed that does not exist.
    #[error("no scenario is called `{0}`; `clp-conformance list` shows them")]
    UnknownFailure(String),
    /// No scenario is within the filters.
    #[error("no scenario is within {0}")]
    NothingChosen(String),
    /// The configuration leads to test control, and the manifest does not have it.
    #[error(
        "the manifest does not list `test-control`, and the configuration has a `control`: take it out and give a `cast`, or let the manifest list the profile"
    )]
    NoTestControl,
    /// The subject cannot be reached or started at all.
    #[error(transparent)]
    Subject(#[from] SubjectFault),
}

fn lines(faults: &[LoadFault]) -> String {
    faults
        .iter()
        .map(|fault| format!("  {fault}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is to be done before the first step of each scenario.
pub type Begin<W = World> =
    Arc<dyn for<'a> Fn(&'a mut W) -> LocalBoxFuture<'a, Result<(), String>>>;

/// What was seen of the scenarios that were handed over.
#[derive(Clone, Debug)]
pub struct Seen {
    /// By the scenario's name.
    pub observed: HashMap<String, Observed>,
    /// What went wrong outside of every scenario.
    pub faults: Vec<String>,
    /// The secrets of every scenario, and where they were looked for.
    pub watch: Watch,
}

/// Loads the embedded features.
///
/// # Errors
/// Where one breaks a rule.
pub fn suite(registry: &Registry) -> Result<Suite, RunFault> {
    let steps = World::collection();
    parser::load(&parser::embedded(), registry, &|step| defined(&steps, step))
        .map_err(RunFault::Load)
}

/// Whether a step has exactly one definition.
///
/// # Errors
/// Why not.
pub fn defined<W>(steps: &step::Collection<W>, step: &gherkin::Step) -> Result<(), String> {
    match steps.find(step) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("no step definition matches".to_owned()),
        Err(fault) => Err(format!("more than one step definition matches: {fault}")),
    }
}

/// Runs the suite.
///
/// # Errors
/// Where nothing could be run. What runs and fails is in the record.
pub async fn run(options: &Options) -> Result<RunRecord, RunFault> {
    watched(options).await.map(|(record, _)| record)
}

/// Runs the suite, and hands out the secrets of the run as well, so that nothing is shown
/// in which one of them stands.
///
/// # Errors
/// As [`run`].
pub async fn watched(options: &Options) -> Result<(RunRecord, Canary), RunFault> {
    let registry = Registry::embedded()?;
    let suite = suite(&registry)?;
    run_chosen(options, &registry, &suite, &|_| true).await
}

/// Runs those scenarios of the suite that `wanted` and the filters admit.
///
/// # Errors
/// Where nothing could be run. What runs and fails is in the record.
pub async fn run_some(
    options: &Options,
    registry: &Registry,
    suite: &Suite,
    wanted: &(dyn Fn(&ScenarioInfo) -> bool + Sync),
) -> Result<RunRecord, RunFault> {
    run_chosen(options, registry, suite, wanted)
        .await
        .map(|(record, _)| record)
}

async fn run_chosen(
    options: &Options,
    registry: &Registry,
    suite: &Suite,
    wanted: &(dyn Fn(&ScenarioInfo) -> bool + Sync),
) -> Result<(RunRecord, Canary), RunFault> {
    let ids: HashSet<&str> = suite.scenarios().map(|one| one.info.id.as_str()).collect();
    if let Some(unknown) = options
        .known_failures
        .iter()
        .find(|id| !ids.contains(id.as_str()))
    {
        return Err(RunFault::UnknownFailure(unknown.clone()));
    }
    let section_of = |id: &str| registry.find(id).map(|one| one.section.clone());
    let within: HashSet<String> = suite
        .scenarios()
        .filter(|one| wanted(&one.info) && options.filters.admit(&one.info, &section_of))
        .map(|one| one.info.id.clone())
        .collect();
    if within.is_empty() {
        return Err(RunFault::NothingChosen(options.filters.words().join(" ")));
    }
    let began = Instant::now();
    let started_at = Timestamp::system_now().to_string();
    let subject = Subject::open(&options.target).await?;
    let manifest = read_manifest(&subject, &subject.url).await;
    if !subject.is_embedded() {
        subject.preflight(manifest.as_ref().ok()).await?;
    }
    let controlled = |manifest: &Manifest| manifest.claims(Class::TestControl);
    if subject.control.is_some() && !manifest.as_ref().map_or(true, controlled) {
        return Err(RunFault::NoTestControl);
    }
    let mut others = HashMap::new();
    for (which, url) in &subject.elsewhere {
        others.insert(*which, read_manifest(&subject, url).await);
    }
    let choices: HashMap<String, Choice> = suite
        .scenarios()
        .filter(|one| within.contains(&one.info.id))
        .map(|one| {
            let read = others.get(&Which::of(&one.info.tags)).unwrap_or(&manifest);
            let mut choice = choose(read.as_ref().ok(), subject.control.is_some(), &one.info);
            let receives = one.info.tags.iter().any(|tag| tag == parser::RECEIVER);
            if choice == Choice::Run && receives && !subject.is_near() {
                let reason = "the issuer cannot send events to this machine";
                choice = Choice::Skip(reason.to_owned());
            }
            (one.info.id.clone(), choice)
        })
        .collect();
    let features = suite.only(&|info| choices.get(&info.id) == Some(&Choice::Run));
    let running = suite.scenarios().map(|one| &one.info);
    let running = running.filter(|info| choices.get(&info.id) == Some(&Choice::Run));
    let ledger = Arc::new(Ledger::over(running));
    let begin = begin_at(Arc::clone(&subject), Arc::clone(&ledger));
    let mut seen = execute(
        shuffled(features, options.seed),
        World::collection(),
        begin,
        options.concurrency,
        options.progress,
    )
    .await;
    let mut scenarios: Vec<ScenarioRecord> = suite
        .scenarios()
        .filter_map(|one| Some((one, choices.get(&one.info.id)?)))
        .map(|(one, choice)| {
            let known = options.known_failures.contains(&one.info.id);
            let how = (known, options.invocation.as_str());
            record(one, choice, &seen.observed, registry, how)
        })
        .collect();
    ledger.settle(&mut scenarios, registry, &seen.watch.canary);
    let stale_known_failures = stale(&options.known_failures, &scenarios);
    let left_out = ids.len() - within.len();
    let secrets = secrets(&subject, &mut seen);
    let record = RunRecord {
        suite_version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol_version: "1.0".to_owned(),
        requirements_revision: REVISION.to_owned(),
        subject: describe(&subject, &manifest),
        started_at,
        duration_millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        seed: options.seed,
        concurrency: options.concurrency,
        subset: (!options.filters.is_empty()).then(|| Subset {
            filters: options.filters.words(),
            left_out,
        }),
        scenarios,
        stale_known_failures,
        faults: seen.faults,
        secrets,
    };
    Ok((record, seen.watch.canary))
}

fn begin_at(subject: Arc<Subject>, ledger: Arc<Ledger>) -> Begin {
    Arc::new(move |world: &mut World| {
        let subject = Arc::clone(&subject);
        world.ledger = Some(Arc::clone(&ledger));
        async move {
            world
                .begin(subject)
                .await
                .map_err(|fault| fault.to_string())
        }
        .boxed_local()
    })
}

/// Runs features with the given definitions, and takes down what happens. It judges nothing
/// that it did not see.
pub async fn execute<W: Traced + std::fmt::Debug>(
    features: Vec<Feature>,
    steps: step::Collection<W>,
    begin: Begin<W>,
    concurrency: usize,
    progress: bool,
) -> Seen {
    let traces = Traces::default();
    let count = features.iter().map(|feature| feature.scenarios.len()).sum();
    let recorder = Recorder::new(traces.clone(), progress.then_some(count));
    let kept = traces.clone();
    let runner = runner::Basic::default()
        .steps(steps)
        .max_concurrent_scenarios(concurrency.max(1))
        .retry_options(|_, _, _, _| None)
        .before(move |feature, _, scenario, world| {
            let begin = Arc::clone(&begin);
            let tags: Vec<String> = feature.tags.iter().chain(&scenario.tags).cloned().collect();
            world.open(&scenario.name, &tags);
            async move {
                if let Err(words) = begin(world).await {
                    give_up(&words);
                }
            }
            .boxed_local()
        })
        .after(move |_, _, scenario, _, world| {
            if let Some(world) = world {
                traces.keep(&scenario.name, world);
            }
            async {}.boxed_local()
        });
    // Cucumber would read this process's arguments as its own, unless it is given some.
    let options: cli::Opts<cli::Empty, runner::basic::Cli, cli::Empty, cli::Empty> =
        cli::Opts::default();
    let written = Cucumber::<_, _, _, _, _, cli::Empty>::custom(Parser, runner, recorder)
        .fail_on_skipped_with(|_, _, _| true)
        .with_cli(options)
        .run(features)
        .await;
    Seen {
        observed: written.observed.clone(),
        faults: written.faults.clone(),
        watch: kept.watch(),
    }
}

#[expect(
    clippy::panic,
    reason = "cucumber knows no other way for a hook to fail; it catches the panic"
)]
fn give_up(words: &str) {
    panic!("{words}");
}

/// Reads the manifest, strictly.
async fn read_manifest(subject: &Subject, issuer: &Url) -> Result<Manifest, String> {
    let mut url = issuer.clone();
    let tenant = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{MANIFEST_PATH}{tenant}"));
    let answer = subject
        .http
        .get(url)
        .send()
        .await
        .map_err(|fault| format!("there is no answer: {}", fault.without_url()))?;
    if answer.status() != 200 {
        return Err(format!("it is answered with {}", answer.status().as_u16()));
    }
    let limits = json::Limits::default();
    let mut body = Vec::new();
    let mut answer = answer;
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|fault| fault.without_url().to_string())?
    {
        body.extend_from_slice(&chunk);
        if body.len() > limits.bytes {
            return Err("it is too large".to_owned());
        }
    }
    let value = json::parse(&body, limits).map_err(|fault| fault.to_string())?;
    let manifest: Manifest = serde_json::from_value(value).map_err(|fault| fault.to_string())?;
    manifest.check().map_err(|fault| fault.to_string())?;
    Ok(manifest)
}
