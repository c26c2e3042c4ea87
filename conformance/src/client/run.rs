//! A run of the client's features, from the command to the record.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use clp_schemas::time::Timestamp;
use cucumber::World as _;
use futures::FutureExt as _;

use super::twin;
use super::world::{ClientWorld, Starter, UNSUPPORTED};
use crate::oracle::canary::{Canary, Channel};
use crate::parser::{self, Suite};
use crate::record::{
    Failure, LookedThrough, RunRecord, ScenarioRecord, SecretsRecord, SubjectRecord, Subset,
    Verdict,
};
use crate::requirements::{REVISION, Registry};
use crate::run::ledger::Ledger;
use crate::run::{self, Begin, RunFault};
use crate::selection::{Choice, Filters};

/// What a run is to be.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The client.
    pub starter: Arc<Starter>,
    /// What it is called in the reports.
    pub name: String,
    /// Whether it is the reference client.
    pub embedded: bool,
    /// What the run is narrowed to.
    pub filters: Filters,
    /// Ids of scenarios that are known to fail. They run, and must still fail.
    pub known_failures: Vec<String>,
    /// Decides the order of scenarios; 0 leaves it as it is written.
    pub seed: u64,
    /// How many scenarios run side by side at most.
    pub concurrency: usize,
    /// Whether progress is shown on standard error.
    pub progress: bool,
    /// How the run is begun again, for the commands that reports show.
    pub invocation: String,
}

/// Loads the features about clients.
///
/// # Errors
/// Where one breaks a rule.
pub fn suite(registry: &Registry) -> Result<Suite, RunFault> {
    let steps = ClientWorld::collection();
    let defined = |step: &gherkin::Step| run::defined(&steps, step);
    parser::load_by(
        &parser::embedded_for_clients(),
        registry,
        &defined,
        &twin::judge,
    )
    .map_err(RunFault::Load)
}

/// Runs the features against a client.
///
/// # Errors
/// Where nothing could be run. What runs and fails is in the record.
pub async fn run(options: &ClientOptions) -> Result<(RunRecord, Canary), RunFault> {
    let registry = Registry::embedded()?;
    let suite = suite(&registry)?;
    let ids: HashSet<&str> = suite.scenarios().map(|one| one.info.id.as_str()).collect();
    let unknown = |id: &&String| !ids.contains(id.as_str());
    if let Some(unknown) = options.known_failures.iter().find(unknown) {
        return Err(RunFault::UnknownFailure(unknown.clone()));
    }
    let section_of = |id: &str| registry.find(id).map(|one| one.section.clone());
    let within: HashSet<String> = suite
        .scenarios()
        .filter(|one| options.filters.admit(&one.info, &section_of))
        .map(|one| one.info.id.clone())
        .collect();
    if within.is_empty() {
        return Err(RunFault::NothingChosen(options.filters.words().join(" ")));
    }
    let began = Instant::now();
    let started_at = Timestamp::system_now().to_string();
    let starter = Arc::clone(&options.starter);
    let running = suite.scenarios().map(|one| &one.info);
    let running = running.filter(|info| within.contains(&info.id));
    let ledger = Arc::new(Ledger::over(running));
    let entered = Arc::clone(&ledger);
    let begin: Begin<ClientWorld> = Arc::new(move |world: &mut ClientWorld| {
        let starter = Arc::clone(&starter);
        world.ledger = Some(Arc::clone(&entered));
        async move { world.begin(starter).await }.boxed_local()
    });
    let seen = run::execute(
        run::shuffled(suite.only(&|info| within.contains(&info.id)), options.seed),
        ClientWorld::collection(),
        begin,
        options.concurrency,
        options.progress,
    )
    .await;
    let mut scenarios: Vec<ScenarioRecord> = suite
        .scenarios()
        .filter(|one| within.contains(&one.info.id))
        .map(|one| {
            let known = options.known_failures.contains(&one.info.id);
            let choice = Choice::Run;
            let observed: &HashMap<_, _> = &seen.observed;
            let command = &options.invocation;
            settle(run::record(
                one,
                &choice,
                observed,
                &registry,
                (known, command),
            ))
        })
        .collect();
    ledger.settle(&mut scenarios, &registry, &seen.watch.canary);
    let done: BTreeSet<&str> = scenarios
        .iter()
        .filter(|one| one.verdict != Verdict::Disabled && one.class != "core")
        .map(|one| one.class.as_str())
        .collect();
    let looked = |(channel, (texts, bytes)): (&Channel, &(u64, u64))| LookedThrough {
        channel: *channel,
        texts: *texts,
        bytes: *bytes,
    };
    let secrets = SecretsRecord {
        known: seen.watch.canary.secrets(),
        looked_through: seen.watch.seen.iter().map(looked).collect(),
        not_visible: Vec::new(),
    };
    let record = RunRecord {
        suite_version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol_version: "1.0".to_owned(),
        requirements_revision: REVISION.to_owned(),
        subject: SubjectRecord {
            name: options.name.clone(),
            url: "the reference issuer, as the suite plays it".to_owned(),
            embedded: options.embedded,
            environment: None,
            profiles: done.into_iter().map(str::to_owned).collect(),
            test_control: false,
            manifest_fault: None,
        },
        started_at,
        duration_millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        seed: options.seed,
        concurrency: options.concurrency,
        subset: (!options.filters.is_empty()).then(|| Subset {
            filters: options.filters.words(),
            left_out: ids.len() - within.len(),
        }),
        stale_known_failures: run::stale(&options.known_failures, &scenarios),
        scenarios,
        faults: seen.faults,
        secrets,
    };
    Ok((record, seen.watch.canary))
}

/// A task that a client does not do is a failure where every client has to do it, and
/// otherwise nothing that it declares.
fn settle(mut scenario: ScenarioRecord) -> ScenarioRecord {
    let unsupported = scenario
        .reason
        .as_ref()
        .is_some_and(|reason| reason.contains(UNSUPPORTED));
    if scenario.verdict == Verdict::Skip && unsupported {
        if scenario.class == "core" {
            let reason = scenario.reason.take().unwrap_or_default();
            scenario.verdict = Verdict::Fail;
            let requirement = scenario.requirements.first();
            scenario.failure = Some(Failure {
                requirement: requirement.map(|one| one.id.clone()),
                sentence: requirement.map(|one| one.sentence.clone()),
                ..Failure::new("a task that every client does", reason)
            });
        } else {
            scenario.verdict = Verdict::Disabled;
        }
    }
    scenario
}
