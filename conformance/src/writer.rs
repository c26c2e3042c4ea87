//! Cucumber's events, taken down scenario by scenario. Whatever is not seen to hold does not
//! count as holding.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cucumber::event::{
    Cucumber, Feature, Hook, HookType, RetryableScenario, Rule, Scenario, Step, StepError,
};
use cucumber::{Event, cli, parser, writer};
use indicatif::{ProgressBar, ProgressStyle};

use crate::record::{Exchange, Failure, StepRecord, StepVerdict, Verdict};
use crate::world::watch::Watch;

/// Longest message that is kept of a panic, in characters.
const MAX_MESSAGE: usize = 2000;

/// What a scenario's world held at its end, by the scenario's name.
#[derive(Clone, Debug, Default)]
pub struct Traces(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    traces: HashMap<String, Trace>,
    watch: Watch,
}

/// What one world held.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What went over the wire.
    pub exchanges: Vec<Exchange>,
    /// Where the scenario broke.
    pub failure: Option<Failure>,
    /// Why it cannot be tried on this subject, where it cannot.
    pub unfit: Option<String>,
}

/// A world that tells what happened in it.
pub trait Traced: cucumber::World {
    /// Learns the name of its scenario and its tags, the feature's first, before anything else
    /// happens.
    fn open(&mut self, name: &str, tags: &[String]);

    /// Gives away what it holds, at the end of its scenario.
    fn trace(&mut self) -> Trace;

    /// Its secrets, and where they were looked for.
    fn watch(&self) -> &Watch;
}

impl Traces {
    /// Takes what a world holds at the end of its scenario.
    pub fn keep(&self, scenario: &str, world: &mut impl Traced) {
        let trace = world.trace();
        let mut kept = self.lock();
        kept.watch.add(world.watch());
        kept.traces.insert(scenario.to_owned(), trace);
    }

    fn take(&self, scenario: &str) -> Trace {
        self.lock().traces.remove(scenario).unwrap_or_default()
    }

    /// The secrets of every scenario, and where they were looked for.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.lock().watch.clone()
    }

    /// A panic elsewhere does not make what was recorded any less true.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was seen of one scenario.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What came of it.
    pub verdict: Verdict,
    /// Why it was given up, where the subject has nothing to try it on.
    pub reason: Option<String>,
    /// Its steps.
    pub steps: Vec<StepRecord>,
    /// What went over the wire.
    pub exchanges: Vec<Exchange>,
    /// Where it broke.
    pub failure: Option<Failure>,
    /// How long it took.
    pub millis: u64,
}

/// Takes the events down.
#[derive(Debug)]
pub struct Recorder {
    traces: Traces,
    running: HashMap<String, Running>,
    /// By the scenario's name.
    pub observed: HashMap<String, Observed>,
    /// What went wrong outside of every scenario.
    pub faults: Vec<String>,
    bar: ProgressBar,
    failed: usize,
}

#[derive(Debug)]
struct Running {
    since: Instant,
    steps: Vec<StepRecord>,
    /// The next step that has no verdict yet.
    at: usize,
    trouble: Option<Trouble>,
}

/// Why a scenario did not get through.
#[derive(Debug)]
enum Trouble {
    /// A step has no definition.
    Undefined,
    /// A step or a hook gave up; the world may say over what.
    GaveUp(String),
    /// The suite's own fault.
    Suite(String),
}

impl Recorder {
    /// Nothing seen yet. `progress` is how many scenarios will come, where it is to be shown.
    #[must_use]
    pub fn new(traces: Traces, progress: Option<usize>) -> Self {
        let bar = progress.map_or_else(ProgressBar::hidden, |scenarios| {
            ProgressBar::new(u64::try_from(scenarios).unwrap_or(u64::MAX)).with_style(style())
        });
        Self {
            traces,
            running: HashMap::new(),
            observed: HashMap::new(),
            faults: Vec::new(),
            bar,
            failed: 0,
        }
    }

    fn scenario<W>(
        &mut self,
        feature: &gherkin::Feature,
        scenario: &gherkin::Scenario,
        event: Scenario<W>,
    ) {
        let name = scenario.name.as_str();
        match event {
            Scenario::Started => {
                self.running
                    .insert(name.to_owned(), Running::new(feature, scenario));
                self.bar.set_message(name.to_owned());
            }
            Scenario::Hook(which, Hook::Failed(_, info)) => {
                let message = message(&StepError::Panic(info));
                self.trouble(
                    name,
                    match which {
                        HookType::Before => Trouble::GaveUp(message),
                        HookType::After => Trouble::Suite(message),
                    },
                );
            }
            Scenario::Background(_, event) | Scenario::Step(_, event) => self.step(name, event),
            Scenario::Finished => self.finish(name),
            Scenario::Hook(..) | Scenario::Log(_) => {}
        }
    }

    fn step<W>(&mut self, name: &str, event: Step<W>) {
        let verdict = match &event {
            Step::Started => return,
            Step::Passed(..) => StepVerdict::Passed,
            Step::Skipped | Step::Failed(..) => StepVerdict::Failed,
        };
        if let Some(running) = self.running.get_mut(name) {
            if let Some(step) = running.steps.get_mut(running.at) {
                step.verdict = verdict;
            }
            running.at += 1;
        }
        match event {
            Step::Skipped | Step::Failed(_, _, _, StepError::NotFound) => {
                self.trouble(name, Trouble::Undefined)
            }
            Step::Failed(_, _, _, error @ StepError::AmbiguousMatch(_)) => {
                self.trouble(name, Trouble::Suite(message(&error)));
            }
            Step::Failed(_, _, _, error @ StepError::Panic(_)) => {
                self.trouble(name, Trouble::GaveUp(message(&error)));
            }
            Step::Started | Step::Passed(..) => {}
        }
    }

    /// The first trouble is the one that counts.
    fn trouble(&mut self, name: &str, trouble: Trouble) {
        if let Some(running) = self.running.get_mut(name) {
            running.trouble.get_or_insert(trouble);
        }
    }

    fn finish(&mut self, name: &str) {
        let Some(running) = self.running.remove(name) else {
            self.faults
                .push(format!("the scenario `{name}` ended without having begun"));
            return;
        };
        let trace = self.traces.take(name);
        let millis = u64::try_from(running.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let through = !running.steps.is_empty()
            && running
                .steps
                .iter()
                .all(|step| step.verdict == StepVerdict::Passed);
        let ours = |words: String| {
            (
                Verdict::Error,
                Some(Failure::new("the suite to get through the scenario", words)),
            )
        };
        let unfit = trace.unfit.is_some();
        let (verdict, failure) = match (running.trouble, trace.failure) {
            (Some(Trouble::GaveUp(_)), None) if unfit => (Verdict::Skip, None),
            (Some(Trouble::Suite(words)), _) | (Some(Trouble::GaveUp(words)), None) => ours(words),
            (Some(Trouble::Undefined), _) => {
                let failure = Failure::new("a definition for every step", "a step without one");
                (Verdict::Fail, Some(failure))
            }
            // A failure in the world counts even where the step that found it let it pass.
            (_, Some(failure)) => (Verdict::Fail, Some(failure)),
            (None, None) if through => (Verdict::Pass, None),
            (None, None) => ours("not every step was run".to_owned()),
        };
        if matches!(verdict, Verdict::Fail | Verdict::Error) {
            self.failed += 1;
        }
        self.bar.inc(1);
        if self.failed > 0 {
            self.bar.set_prefix(format!("{} failed", self.failed));
        }
        let observed = Observed {
            verdict,
            reason: trace.unfit,
            steps: running.steps,
            exchanges: trace.exchanges,
            failure,
            millis,
        };
        self.observed.insert(name.to_owned(), observed);
    }
}

impl Running {
    fn new(feature: &gherkin::Feature, scenario: &gherkin::Scenario) -> Self {
        let background = feature
            .background
            .iter()
            .flat_map(|background| &background.steps);
        let steps = background
            .chain(&scenario.steps)
            .map(|step| StepRecord {
                keyword: step.keyword.trim().to_owned(),
                text: step.value.clone(),
                table: step
                    .table
                    .as_ref()
                    .map(|table| table.rows.clone())
                    .unwrap_or_default(),
                verdict: StepVerdict::NotRun,
            })
            .collect();
        Self {
            since: Instant::now(),
            steps,
            at: 0,
            trouble: None,
        }
    }
}

fn message(error: &StepError) -> String {
    error.to_string().chars().take(MAX_MESSAGE).collect()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30.green} {pos}/{len} {prefix:.red} {wide_msg:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl<W: cucumber::World> cucumber::Writer<W> for Recorder {
    type Cli = cli::Empty;

    async fn handle_event(&mut self, event: parser::Result<Event<Cucumber<W>>>, _: &Self::Cli) {
        match event.map(Event::into_inner) {
            Err(fault) => self.faults.push(fault.to_string()),
            Ok(Cucumber::Feature(
                feature,
                Feature::Scenario(scenario, RetryableScenario { event, .. }),
            ))
            | Ok(Cucumber::Feature(
                feature,
                Feature::Rule(_, Rule::Scenario(scenario, RetryableScenario { event, .. })),
            )) => {
                self.scenario(&feature, &scenario, event);
            }
            Ok(Cucumber::Finished) => self.bar.finish_and_clear(),
            Ok(_) => {}
        }
    }
}

// Events are filed by scenario, so their order across scenarios does not matter.
impl writer::Normalized for Recorder {}
