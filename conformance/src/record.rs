//! What a run was and what came of it. The writer fills one [`RunRecord`]; every report is a
//! pure function of it, and none looks anywhere else.
//!
//! Nothing in here is a secret: exchanges are redacted before they are recorded.

use serde::{Deserialize, Serialize};

use crate::oracle::canary::Channel;

/// The whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the suite, as in its package.
    pub suite_version: String,
    /// Version of the protocol.
    pub protocol_version: String,
    /// Which frozen list of requirements the claim would be about.
    pub requirements_revision: String,
    /// What was tested.
    pub subject: SubjectRecord,
    /// When it began, RFC 3339 UTC.
    pub started_at: String,
    /// How long it took.
    pub duration_millis: u64,
    /// The seed that makes every choice of the run repeatable.
    pub seed: u64,
    /// How many scenarios ran side by side at most.
    pub concurrency: usize,
    /// Set where scenarios were left out by a filter; such a run is no claim.
    pub subset: Option<Subset>,
    /// Every scenario that was looked at, in the order of the features.
    pub scenarios: Vec<ScenarioRecord>,
    /// Known failures that did not fail, or were not run.
    pub stale_known_failures: Vec<String>,
    /// What went wrong outside of every scenario.
    pub faults: Vec<String>,
    /// Where secrets were looked for, and where they could not be.
    pub secrets: SecretsRecord,
}

/// Where the secrets of a run were looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretsRecord {
    /// How many: keys, tokens, private keys.
    pub known: usize,
    /// What was looked through.
    pub looked_through: Vec<LookedThrough>,
    /// What the subject has and the suite cannot see from where it is.
    pub not_visible: Vec<Channel>,
}

/// How much was looked through for secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedThrough {
    /// Where.
    pub channel: Channel,
    /// How many texts.
    pub texts: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

/// What was tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// Name for people: the manifest's `issuer`, or `reference issuer`.
    pub name: String,
    /// Where its manifest was looked for.
    pub url: String,
    /// Whether it is the embedded reference issuer.
    pub embedded: bool,
    /// The manifest's `environment`, where it could be read.
    pub environment: Option<String>,
    /// The profiles that the manifest claims.
    pub profiles: Vec<String>,
    /// Whether the suite was given test control.
    pub test_control: bool,
    /// Why the manifest could not be read. Every core scenario runs all the same, and fails.
    pub manifest_fault: Option<String>,
}

/// How a run was narrowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subset {
    /// The filters as they were given.
    pub filters: Vec<String>,
    /// How many scenarios they left out.
    pub left_out: usize,
}

/// What came of a scenario.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It ran, and every step held.
    Pass,
    /// It ran, and a step did not hold.
    Fail,
    /// It could not run here, though it is declared. Never green.
    Skip,
    /// The subject does not declare what it tests.
    Disabled,
    /// The suite itself failed; so it is as long as nothing better is known.
    #[default]
    Error,
}

impl Verdict {
    /// The name in every report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Disabled => "disabled",
            Self::Error => "error",
        }
    }
}

/// One scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRecord {
    /// Stable from run to run and release to release: feature and name, as a path.
    pub id: String,
    /// The operation, which is the feature's file name.
    pub operation: String,
    /// Name in the feature.
    pub name: String,
    /// `core`, or the profile that it belongs to.
    pub class: String,
    /// What it tests, in the order of its tags.
    pub requirements: Vec<RequirementRef>,
    /// What it counts as: one for each requirement.
    pub triples: Vec<Triple>,
    /// What came of it.
    pub verdict: Verdict,
    /// Why it did not run.
    pub reason: Option<String>,
    /// Whether it is listed as a known failure.
    pub known_failure: bool,
    /// What was done, in order.
    pub steps: Vec<StepRecord>,
    /// What went over the wire, in order, redacted.
    pub exchanges: Vec<Exchange>,
    /// Where it broke.
    pub failure: Option<Failure>,
    /// How long it took.
    pub duration_millis: u64,
    /// The command that runs it alone.
    pub command: String,
}

/// A requirement as the spec has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementRef {
    /// Such as `CLP-CRE-004`.
    pub id: String,
    /// The sentence.
    pub sentence: String,
    /// The chapter's file, such as `13-create.md`.
    pub chapter: String,
}

/// The unit that is counted: what was called, why, and how it ended. Two scenarios with the
/// same triple count once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Triple {
    /// Name out of the endpoint table, or `resource` for a call with a minted key.
    pub endpoint: String,
    /// The requirement.
    pub requirement: String,
    /// A problem name, or `accepted`.
    pub outcome: String,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepVerdict {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// An earlier one failed.
    NotRun,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// `Given`, `When`, `Then`, `And` or `But`.
    pub keyword: String,
    /// The sentence.
    pub text: String,
    /// Its table, by rows.
    pub table: Vec<Vec<String>>,
    /// What came of it.
    pub verdict: StepVerdict,
}

/// One request and what came back. Secrets are replaced before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was sent.
    pub request: SentRequest,
    /// What came back; `None` where nothing did.
    pub response: Option<GotResponse>,
    /// Why nothing came back.
    pub fault: Option<String>,
    /// From the first byte sent to the last byte read.
    pub millis: u64,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Names and values; credentials redacted.
    pub headers: Vec<(String, String)>,
    /// The body, as text; credentials redacted.
    pub body: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GotResponse {
    /// The status.
    pub status: u16,
    /// Names and values; credentials redacted.
    pub headers: Vec<(String, String)>,
    /// The body, as text; credentials redacted.
    pub body: Option<String>,
}

/// Where a scenario broke. Steps put one into the world; the runner adds the requirement
/// where a step leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The requirement that was broken; by default the first of the scenario.
    pub requirement: Option<String>,
    /// Its sentence; filled by the runner.
    pub sentence: Option<String>,
    /// Its chapter's file; filled by the runner.
    pub chapter: Option<String>,
    /// Which exchange it is about, counted from 0; the last one by default.
    pub exchange: Option<usize>,
    /// Where in the answer it lies, as a JSON pointer, where it lies in one place.
    pub pointer: Option<String>,
    /// What should have come back, in words or as JSON.
    pub expected: String,
    /// What did come back.
    pub got: String,
    /// What to look at first.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of what came back.
    #[must_use]
    pub fn new(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            got: got.into(),
            ..Self::default()
        }
    }

    /// The same, with what to look at first.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl ScenarioRecord {
    /// The exchange that the failure is about.
    #[must_use]
    pub fn exchange_at_fault(&self) -> Option<&Exchange> {
        match self.failure.as_ref().and_then(|failure| failure.exchange) {
            Some(at) => self.exchanges.get(at),
            None => self.exchanges.last(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "expected {}, got {}", self.expected, self.got)
    }
}

impl std::error::Error for Failure {}

/// How many scenarios ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Held.
    pub pass: usize,
    /// Did not hold, and is not a known failure.
    pub fail: usize,
    /// Did not hold, as was known.
    pub known: usize,
    /// Could not run here.
    pub skip: usize,
    /// Not declared.
    pub disabled: usize,
    /// The suite failed.
    pub error: usize,
}

impl RunRecord {
    /// How many scenarios ended how.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for scenario in &self.scenarios {
            match scenario.verdict {
                Verdict::Pass => counts.pass += 1,
                Verdict::Fail if scenario.known_failure => counts.known += 1,
                Verdict::Fail => counts.fail += 1,
                Verdict::Skip => counts.skip += 1,
                Verdict::Disabled => counts.disabled += 1,
                Verdict::Error => counts.error += 1,
            }
        }
        counts
    }

    /// How many distinct triples were tried and held.
    #[must_use]
    pub fn triples_passed(&self) -> usize {
        let passed = self
            .scenarios
            .iter()
            .filter(|scenario| scenario.verdict == Verdict::Pass);
        let distinct: std::collections::HashSet<&Triple> =
            passed.flat_map(|scenario| &scenario.triples).collect();
        distinct.len()
    }

    /// How many scenarios held and test something of their own: with an endpoint, first
    /// requirement and outcome that no other has. Further requirements add nothing here.
    #[must_use]
    pub fn own_passed(&self) -> usize {
        let passed = self
            .scenarios
            .iter()
            .filter(|scenario| scenario.verdict == Verdict::Pass);
        let distinct: std::collections::HashSet<&Triple> = passed
            .filter_map(|scenario| scenario.triples.first())
            .collect();
        distinct.len()
    }

    /// What the run says as a whole.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let counts = self.counts();
        if counts.error > 0 || !self.faults.is_empty() {
            Conclusion::Broken
        } else if counts.fail > 0 || !self.stale_known_failures.is_empty() {
            Conclusion::Failed
        } else if counts.pass == 0 {
            Conclusion::Empty
        } else if self.subset.is_some() || counts.skip > 0 || counts.known > 0 {
            Conclusion::Partial
        } else {
            Conclusion::Full
        }
    }
}

/// What a run says as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Everything declared was run and holds. The only one that is a claim without a footnote.
    Full,
    /// What was run holds, but not everything was run, or some failures are known.
    Partial,
    /// Nothing was run, so nothing is known.
    Empty,
    /// Something does not hold.
    Failed,
    /// The suite itself failed, so the rest cannot be relied on.
    Broken,
}
