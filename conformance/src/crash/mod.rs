//! Real processes that are killed at any step, and what holds afterwards.
//!
//! The issuer is a process with its state in a file; the client is one too, and rotates, rolls
//! back, revokes and creates, with keys that are in real files. Both are killed: at each request
//! that a proxy sees between them, at each change of a file, and at instants that a seed draws.
//! Whoever died is started again, and what was begun is gone on with. Meanwhile users call with
//! what the files hold, and after each kill a judge asks the issuer for everything that it had
//! acknowledged. Nothing in either of the two knows of it.

mod episode;
mod issuer;
mod judge;
mod ledger;
mod plan;
mod proxy;
mod report;
mod rest;
mod stage;
mod trap;
mod user;
mod watch;
mod wire;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::episode::Came;
use self::plan::{Models, Shape};
pub use self::report::Report;
pub use self::stage::Broken;
use self::stage::Stage;
use self::trap::Kill;
use crate::draw::Draw;

/// Why a campaign, or an episode of it, could not be played to its end.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(String);

impl Stopped {
    fn new(why: String) -> Self {
        Self(why)
    }

    fn system(fault: std::io::Error) -> Self {
        Self(fault.to_string())
    }

    fn silent(fault: reqwest::Error) -> Self {
        Self(format!("the issuer does not answer: {fault}"))
    }

    fn fell(fault: impl std::fmt::Display) -> Self {
        Self(fault.to_string())
    }
}

/// What a campaign is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many kills have to fall.
    pub kills: usize,
    /// Decides which.
    pub seed: u64,
    /// How many issuers, each with its clients, side by side.
    pub jobs: usize,
    /// No episode begins after so long, counted from the first kill that is planned.
    pub limit: Option<Duration>,
    /// Only kills at steps, or while doing things, with this in their name.
    pub only: Option<String>,
    /// Nothing begins after something did not hold.
    pub first: bool,
    /// What is broken.
    pub broken: Broken,
}

/// What several jobs share.
struct Campaign {
    waiting: Mutex<VecDeque<(u64, Shape, Kill)>>,
    models: Models,
    fallen: AtomicUsize,
    report: Mutex<Report>,
}

/// Kills until enough kills have fallen. `heard` is told of each episode.
///
/// # Errors
/// Where an undisturbed run does not come to its end, or nothing can be started.
pub async fn run(
    options: &Options,
    heard: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Report, Stopped> {
    let begun = Instant::now();
    let root = tempfile::tempdir().map_err(Stopped::system)?;
    let mut draw = Draw::new(options.seed);
    // Ports are no part of what the seed decides: another run may have them.
    let mut ports = Draw::new(options.seed ^ u64::from(std::process::id()));
    let sound = Broken::default();
    let first = Stage::open(&root.path().join("sound"), &sound, &mut ports).await?;
    let mut models = Models::new();
    for (number, shape) in (0..).zip(Shape::ALL) {
        let none = Models::new();
        let came = episode::play(&first, number, shape, None, &none, &mut draw).await?;
        if let Some(wrong) = came.wrong.first() {
            let name = shape.name();
            return Err(Stopped::new(format!("`{name}`, undisturbed: {wrong}")));
        }
        models.insert(shape, came.seen);
    }
    drop(first);
    let every = plan::every(&models, options.only.as_deref(), &mut draw);
    let mut report = Report::new(options, &models, every.len());
    report.models_took = begun.elapsed();
    // Where all of them are not enough, they are gone through again.
    let planned = every.iter().cycle().take(options.kills.max(1) * 3);
    let planning = Instant::now();
    let campaign = Arc::new(Campaign {
        waiting: Mutex::new(
            (100..)
                .zip(planned)
                .map(|(n, (s, k))| (n, *s, *k))
                .collect(),
        ),
        models,
        fallen: AtomicUsize::new(0),
        report: Mutex::new(report),
    });
    let heard = Arc::new(heard);
    let mut jobs = tokio::task::JoinSet::new();
    for job in 0..options.jobs.max(1) {
        let folder = root.path().join(format!("job-{job}"));
        let stage = Stage::open(&folder, &options.broken, &mut ports).await?;
        let (campaign, options) = (Arc::clone(&campaign), options.clone());
        let heard = Arc::clone(&heard);
        jobs.spawn(async move { campaign.work(&stage, &options, planning, &*heard).await });
    }
    while let Some(ended) = jobs.join_next().await {
        ended.map_err(Stopped::fell)?;
    }
    let mut report = campaign.locked().clone();
    report.took = begun.elapsed();
    if !report.failures.is_empty() {
        // What failed can be looked at.
        report.kept = Some(root.keep());
    }
    Ok(report)
}

impl Campaign {
    fn locked(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<(u64, Shape, Kill)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    }

    async fn work(
        &self,
        stage: &Stage,
        options: &Options,
        begun: Instant,
        heard: &(impl Fn(&str) + Sync),
    ) {
        while self.fallen.load(Ordering::SeqCst) < options.kills
            && options.limit.is_none_or(|limit| begun.elapsed() < limit)
            && (!options.first || self.locked().failures.is_empty())
            && let Some((number, shape, kill)) = self.next()
        {
            let mut draw = Draw::part(options.seed, number);
            let played =
                episode::play(stage, number, shape, Some(kill), &self.models, &mut draw).await;
            let came = played.unwrap_or_else(|stopped| Came {
                wrong: vec![stopped.to_string()],
                ..Came::default()
            });
            let fallen = self.fallen.fetch_add(came.kills.len(), Ordering::SeqCst);
            for wrong in &came.wrong {
                heard(&format!("episode {number} ({}): {wrong}", shape.name()));
            }
            heard(&format!("{} kills", fallen + came.kills.len()));
            self.locked().add(number, shape, came);
        }
        // Whoever answers 500 or falls over writes it down.
        let log = std::fs::read_to_string(stage.issuer.log()).unwrap_or_default();
        let complaints = log
            .lines()
            .filter(|line| line.contains("ERROR") || line.contains("panicked"));
        let mut report = self.locked();
        for line in complaints.take(3) {
            report.failures.push(format!("the issuer logged: {line}"));
        }
    }
}
