//! The suite against issuers that break one requirement each: does it notice, and does it leave
//! the rest alone?

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::config::Target;
use crate::parser::{ScenarioInfo, Suite};
use crate::record::{RunRecord, Verdict};
use crate::requirements::Registry;
use crate::run::{self, Options, RunFault};
use crate::selection::Filters;
use crate::subject::reference::Saboteur;

/// The largest share of the scenarios of other requirements that may fail along with one
/// saboteur, in percent.
pub const COLLATERAL_PERCENT: usize = 5;

/// What an issuer breaks that falls over: an answer of 500 is seen wherever it comes, and says
/// nothing about the sentence that a saboteur is for.
const FELL_OVER: &str = "CLP-ERR-004";

/// How many scenarios that failed along with others are shown.
const SHOWN: usize = 5;

/// How much of the suite meets each saboteur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The scenarios of the requirement, and of the others each so many-th, different ones for
    /// each saboteur.
    Sample(u64),
}

impl Extent {
    pub(crate) fn admits(self, saboteur: &str, requirement: &str, info: &ScenarioInfo) -> bool {
        match self {
            Self::Whole => true,
            Self::Sample(every) => {
                let mut hasher = DefaultHasher::new();
                (saboteur, &info.id).hash(&mut hasher);
                is_about(info, requirement) || hasher.finish().is_multiple_of(every.max(1))
            }
        }
    }
}

fn is_about(info: &ScenarioInfo, requirement: &str) -> bool {
    info.requirements.iter().any(|id| id == requirement)
}

/// What came of one saboteur.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Its name.
    pub name: String,
    /// The requirement that it breaks.
    pub requirement: String,
    /// What it does.
    pub does: String,
    /// Scenarios of the requirement that failed: who noticed. One that failed because the issuer
    /// fell over noticed nothing, unless the saboteur is for that.
    pub killed_by: Vec<String>,
    /// Those of them whose failing step names this requirement.
    pub named_by: Vec<String>,
    /// Scenarios of the requirement that ran.
    pub own: usize,
    /// Scenarios of other requirements that failed.
    pub collateral: Vec<String>,
    /// Scenarios of other requirements that ran.
    pub others: usize,
    /// Why nothing could be run.
    pub fault: Option<String>,
}

impl Trial {
    /// Whether a scenario of the requirement failed.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        !self.killed_by.is_empty()
    }

    /// Whether few enough of the other scenarios failed.
    #[must_use]
    pub fn is_specific(&self) -> bool {
        self.collateral.len() * 100 <= self.others * COLLATERAL_PERCENT
    }
}

/// What came of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trials {
    /// In the order of the table.
    pub trials: Vec<Trial>,
    /// How many were noticed.
    pub killed: usize,
    /// Names of those that were not.
    pub survived: Vec<String>,
    /// Names of those that were noticed, and no failure names their requirement.
    pub unnamed: Vec<String>,
    /// Names of those with which too much else failed.
    pub unspecific: Vec<String>,
    /// Failures of scenarios of other requirements, over all saboteurs.
    pub collateral: usize,
    /// Scenarios of other requirements that ran, over all saboteurs.
    pub others: usize,
}

impl Trials {
    fn of(trials: Vec<Trial>, extent: Extent) -> Self {
        let names = |wanted: &dyn Fn(&Trial) -> bool| {
            let found = trials.iter().filter(|trial| wanted(trial));
            found.map(|trial| trial.name.clone()).collect::<Vec<_>>()
        };
        let survived = names(&|trial| !trial.is_killed());
        Self {
            killed: trials.len() - survived.len(),
            survived,
            unnamed: names(&|trial| trial.is_killed() && trial.named_by.is_empty()),
            // Of a sample, the shares of single ones say little.
            unspecific: match extent {
                Extent::Whole => names(&|trial| !trial.is_specific()),
                Extent::Sample(_) => Vec::new(),
            },
            collateral: trials.iter().map(|trial| trial.collateral.len()).sum(),
            others: trials.iter().map(|trial| trial.others).sum(),
            trials,
        }
    }

    /// Whether each was noticed, and none brought down too much else.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.survived.is_empty()
            && self.unspecific.is_empty()
            && self.collateral * 100 <= self.others * COLLATERAL_PERCENT
    }
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
    let attempt = |saboteur: &Saboteur| attempt(saboteur, extent, &registry, &suite);
    Ok(each(saboteurs, extent, side_by_side, done, &attempt))
}

/// Tries saboteurs in some way, so many side by side.
pub(crate) fn each(
    saboteurs: Vec<Saboteur>,
    extent: Extent,
    side_by_side: usize,
    done: &(dyn Fn(&Trial) + Sync),
    attempt: &(dyn Fn(&Saboteur) -> Trial + Sync),
) -> Trials {
    // Cucumber catches the panics of hooks and puts a hook of its own in place for that, one run
    // after the other; where runs overlap, one of them would see the panics of another.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let waiting = Mutex::new(saboteurs.into_iter().enumerate().collect::<VecDeque<_>>());
    let ended = Mutex::new(Vec::new());
    let next = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    };
    std::thread::scope(|scope| {
        for _ in 0..side_by_side.max(1) {
            scope.spawn(|| {
                while let Some((index, saboteur)) = next() {
                    let trial = attempt(&saboteur);
                    done(&trial);
                    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                    ended.push((index, trial));
                }
            });
        }
    });
    std::panic::set_hook(hook);
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(index, _)| *index);
    Trials::of(ended.into_iter().map(|(_, trial)| trial).collect(), extent)
}

/// One saboteur. One that a sample did not notice meets the whole suite: what holds for every
/// answer can be broken where the sample did not look.
fn attempt(saboteur: &Saboteur, extent: Extent, registry: &Registry, suite: &Suite) -> Trial {
    let trial = meet(saboteur, extent, registry, suite);
    if trial.is_killed() || extent == Extent::Whole {
        return trial;
    }
    meet(saboteur, Extent::Whole, registry, suite)
}

/// A saboteur with an issuer and a runtime of its own.
fn meet(saboteur: &Saboteur, extent: Extent, registry: &Registry, suite: &Suite) -> Trial {
    let options = Options {
        target: Target::Saboteur(saboteur.name.to_owned()),
        filters: Filters::default(),
        known_failures: Vec::new(),
        seed: 0,
        concurrency: 8,
        progress: false,
        invocation: format!("clp-conformance --violate {}", saboteur.name),
    };
    let wanted = |info: &ScenarioInfo| extent.admits(saboteur.name, saboteur.requirement, info);
    let record = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|fault| fault.to_string())
        .and_then(|runtime| {
            runtime
                .block_on(run::run_some(&options, registry, suite, &wanted))
                .map_err(|fault| fault.to_string())
        });
    judge(saboteur, record)
}

/// What a run says about a saboteur.
pub(crate) fn judge(saboteur: &Saboteur, record: Result<RunRecord, String>) -> Trial {
    let mut trial = Trial {
        name: saboteur.name.to_owned(),
        requirement: saboteur.requirement.to_owned(),
        does: saboteur.does.to_owned(),
        killed_by: Vec::new(),
        named_by: Vec::new(),
        own: 0,
        collateral: Vec::new(),
        others: 0,
        fault: None,
    };
    let record = match record {
        Ok(record) => record,
        Err(fault) => {
            trial.fault = Some(fault);
            return trial;
        }
    };
    for one in record.scenarios {
        if !matches!(one.verdict, Verdict::Pass | Verdict::Fail | Verdict::Error) {
            continue;
        }
        let is_own = one
            .requirements
            .iter()
            .any(|quote| quote.id == saboteur.requirement);
        match is_own {
            true => trial.own += 1,
            false => trial.others += 1,
        }
        // A fault of the suite notices nothing, and disturbs all the same.
        match one.verdict {
            Verdict::Fail if is_own => {
                let named = one.failure.and_then(|failure| failure.requirement);
                let is_named = named.as_deref() == Some(saboteur.requirement);
                if is_named {
                    trial.named_by.push(one.id.clone());
                }
                if is_named || named.as_deref() != Some(FELL_OVER) {
                    trial.killed_by.push(one.id);
                }
            }
            Verdict::Fail | Verdict::Error if !is_own => trial.collateral.push(one.id),
            _ => {}
        }
    }
    trial
}

/// One line about a saboteur, and what it brought down.
#[must_use]
pub fn line(trial: &Trial) -> String {
    let word = match (&trial.fault, trial.is_killed()) {
        (Some(_), _) => "no run",
        (None, true) => "killed",
        (None, false) => "SURVIVED",
    };
    let mut text = format!(
        "{word:<8}  {:<26}  {} of {} own, {} of {} others  {}\n",
        trial.name,
        trial.killed_by.len(),
        trial.own,
        trial.collateral.len(),
        trial.others,
        trial.does
    );
    // Writing to a string cannot fail, here and below.
    if let Some(fault) = &trial.fault {
        let _ = writeln!(text, "            {fault}");
    }
    for id in &trial.killed_by {
        let _ = writeln!(text, "            by {id}");
    }
    for id in trial.collateral.iter().take(SHOWN) {
        let _ = writeln!(text, "            along with it {id}");
    }
    if let Some(more @ 1..) = trial.collateral.len().checked_sub(SHOWN) {
        let _ = writeln!(text, "            and {more} more");
    }
    text
}

/// What came of all of them, in a few lines.
#[must_use]
pub fn summary(trials: &Trials) -> String {
    let mut text = String::new();
    let share = |part: usize, whole: usize| match whole {
        0 => "0.0".to_owned(),
        _ => {
            let tenths = (part * 1000 + whole / 2) / whole;
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    };
    let named = trials.trials.iter().filter(|one| !one.named_by.is_empty());
    let _ = writeln!(
        text,
        "killed {} of {} ({} %), {} of them by a failure that names the requirement",
        trials.killed,
        trials.trials.len(),
        share(trials.killed, trials.trials.len()),
        named.count()
    );
    let _ = writeln!(
        text,
        "collateral: {} of {} scenarios of other requirements failed ({} %)",
        trials.collateral,
        trials.others,
        share(trials.collateral, trials.others)
    );
    for name in &trials.survived {
        let _ = writeln!(text, "survived: {name}");
    }
    for name in &trials.unnamed {
        let _ = writeln!(text, "no failure names the requirement of: {name}");
    }
    for name in &trials.unspecific {
        let _ = writeln!(
            text,
            "more than {COLLATERAL_PERCENT} % of the other scenarios fail with: {name}"
        );
    }
    text
}
