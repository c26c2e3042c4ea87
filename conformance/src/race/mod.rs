//! Fifty callers at once, and whether what they were answered can have come about one call after
//! the other (CLP-TRN-043).
//!
//! Each history is recorded with the times of sending and answering, and held against a small
//! model that knows nothing of the issuer: one wins, and each other gets the problem that fits.

pub mod game;
pub mod linear;
pub mod model;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use self::game::{Game, History};
use self::model::Issuer;
use crate::config::Target;
use crate::draw::Draw;
use crate::subject::{Subject, SubjectFault};

/// Why no history came about.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(String);

impl Stopped {
    fn new(why: String) -> Self {
        Self(why)
    }

    fn silent(fault: reqwest::Error) -> Self {
        Self(format!("the issuer does not answer: {fault}"))
    }

    fn fell(fault: impl std::fmt::Display) -> Self {
        Self(fault.to_string())
    }
}

impl From<SubjectFault> for Stopped {
    fn from(fault: SubjectFault) -> Self {
        Self(fault.to_string())
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Histories that were recorded.
    pub histories: usize,
    /// Calls in them.
    pub calls: usize,
    /// How often each answer was given, by game.
    pub answers: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Histories that cannot have come about one call after the other, each with its calls.
    pub out_of_order: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// Records so many histories, game after game, and looks at each.
///
/// # Errors
/// Where the issuer does not answer, or has no test control.
pub async fn run(target: &Target, histories: usize, seed: u64) -> Result<Report, Stopped> {
    let begun = Instant::now();
    let subject: Arc<Subject> = Subject::open(target).await?;
    let mut report = Report {
        seed,
        histories: 0,
        calls: 0,
        answers: BTreeMap::new(),
        out_of_order: Vec::new(),
        took: Duration::ZERO,
    };
    for (number, game) in (0..).zip(Game::ALL.into_iter().cycle()).take(histories) {
        let mut draw = Draw::part(seed, number);
        let history = game::play(&subject, game, number, &mut draw).await?;
        report.add(number, game, &history);
    }
    report.took = begun.elapsed();
    Ok(report)
}

impl Report {
    fn add(&mut self, number: u64, game: Game, (start, events): &History) {
        self.histories += 1;
        self.calls += events.len();
        let answers = self.answers.entry(game.name()).or_default();
        for event in events {
            let said = match event.answer.status {
                status @ 400.. => format!("{status} {}", event.answer.word),
                status => status.to_string(),
            };
            *answers.entry(said).or_default() += 1;
        }
        if linear::order::<Issuer>(start, events).is_some() {
            return;
        }
        let mut text = format!("history {number} ({}), from {start:?}:\n", game.name());
        let mut sorted: Vec<_> = events.iter().collect();
        sorted.sort_by_key(|event| event.sent);
        for event in sorted {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(
                text,
                "  {:>8} to {:>8} µs  {:?}: {} {}",
                event.sent / 1000,
                event.answered / 1000,
                event.call,
                event.answer.status,
                event.answer.word
            );
        }
        self.out_of_order.push(text);
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (game, answers) in &self.answers {
            let _ = writeln!(text, "{game}");
            for (said, times) in answers {
                let _ = writeln!(text, "  {times:>6}  {said}");
            }
        }
        for history in &self.out_of_order {
            let _ = write!(text, "NOT IN ORDER: {history}");
        }
        let _ = writeln!(
            text,
            "seed {}: {} histories of {} calls, {} s; not linearizable: {}",
            self.seed,
            self.histories,
            self.calls,
            self.took.as_secs(),
            self.out_of_order.len()
        );
        text
    }
}
