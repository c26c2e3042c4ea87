//! What came of a campaign.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::Options;
use super::episode::Came;
use super::plan::{Models, Shape};
use super::trap::Victim;

/// Kills at one step, by victim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fallen {
    /// Of the client.
    pub client: usize,
    /// Of the issuer.
    pub issuer: usize,
    /// Of both at once.
    pub both: usize,
}

impl Fallen {
    fn add(&mut self, victim: Victim) {
        match victim {
            Victim::Client => self.client += 1,
            Victim::Issuer => self.issuer += 1,
            Victim::Both => self.both += 1,
        }
    }

    fn all(self) -> usize {
        self.client + self.issuer + self.both
    }
}

/// Everything about a campaign.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Kills that fell.
    pub kills: usize,
    /// Kills there can be, by step and victim, and at some instant.
    pub planned: usize,
    /// Episodes that were played.
    pub episodes: usize,
    /// Episodes, by what was killed.
    pub shapes: BTreeMap<&'static str, usize>,
    /// Kills, by step.
    pub steps: BTreeMap<String, Fallen>,
    /// How rotations ended.
    pub ended: BTreeMap<&'static str, usize>,
    /// Calls of users that were answered.
    pub calls: u64,
    /// Calls of users that were made again, because the issuer was down or the key moved.
    pub again: u64,
    /// Changes that were acknowledged.
    pub acknowledgements: u64,
    /// Facts that were looked at after kills and in the end.
    pub facts: u64,
    /// What does not hold.
    pub failures: Vec<String>,
    /// How long the undisturbed runs took.
    pub models_took: Duration,
    /// How long it took.
    pub took: Duration,
    /// Where everything is, if something failed.
    pub kept: Option<PathBuf>,
}

impl Report {
    pub(super) fn new(options: &Options, models: &Models, planned: usize) -> Self {
        Self {
            seed: options.seed,
            kills: 0,
            planned,
            episodes: 0,
            shapes: models.keys().map(|shape| (shape.name(), 0)).collect(),
            steps: BTreeMap::new(),
            ended: BTreeMap::new(),
            calls: 0,
            again: 0,
            acknowledgements: 0,
            facts: 0,
            failures: Vec::new(),
            models_took: Duration::ZERO,
            took: Duration::ZERO,
            kept: None,
        }
    }

    pub(super) fn add(&mut self, number: u64, shape: Shape, came: Came) {
        self.episodes += 1;
        *self.shapes.entry(shape.name()).or_default() += 1;
        for (place, victim) in &came.kills {
            self.kills += 1;
            self.steps.entry(place.clone()).or_default().add(*victim);
        }
        if let Some(ended) = came.ended {
            *self.ended.entry(ended).or_default() += 1;
        }
        self.calls += came.calls.0;
        self.again += came.calls.1;
        self.acknowledgements += came.acknowledgements;
        self.facts += came.facts;
        let kills: Vec<String> = came
            .kills
            .iter()
            .map(|(place, victim)| format!("{} killed: {place}", victim.name()))
            .collect();
        for wrong in came.wrong {
            self.failures.push(format!(
                "episode {number} ({}; {}): {wrong}",
                shape.name(),
                kills.join("; ")
            ));
        }
    }

    /// Whether kills fell, and everything held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty() && self.kills > 0
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{:<58} client issuer   both", "kills by step");
        for (place, fallen) in &self.steps {
            let _ = writeln!(
                text,
                "{place:<58} {:>6} {:>6} {:>6}",
                fallen.client, fallen.issuer, fallen.both
            );
        }
        let total = self
            .steps
            .values()
            .fold(Fallen::default(), |sum, one| Fallen {
                client: sum.client + one.client,
                issuer: sum.issuer + one.issuer,
                both: sum.both + one.both,
            });
        let _ = writeln!(
            text,
            "{:<58} {:>6} {:>6} {:>6}  ({})\n",
            format!("in all, at {} steps", self.steps.len()),
            total.client,
            total.issuer,
            total.both,
            total.all()
        );
        for (name, episodes) in &self.shapes {
            let _ = writeln!(text, "{name:<24} {episodes:>6} episodes");
        }
        for (state, rotations) in &self.ended {
            let _ = writeln!(text, "{state:<24} {rotations:>6} rotations");
        }
        let _ = writeln!(
            text,
            "\nseed {}: {} kills in {} episodes, {} s; {} changes acknowledged, {} facts looked at; \
             users called {} times, and {} times again",
            self.seed,
            self.kills,
            self.episodes,
            self.took.as_secs(),
            self.acknowledgements,
            self.facts,
            self.calls,
            self.again
        );
        for failure in &self.failures {
            let _ = writeln!(text, "FAILED: {failure}");
        }
        if let Some(kept) = &self.kept {
            let _ = writeln!(text, "what was left is in {}", kept.display());
        }
        let _ = writeln!(text, "failures: {}", self.failures.len());
        text
    }
}
