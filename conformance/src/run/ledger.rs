//! What holds for every answer of an issuer, or every task of a client, and did not hold
//! somewhere.
//!
//! Every one of a run is looked at for what holds for all of them. Where that is broken, one
//! mistake would fail hundreds of scenarios that are about something else. So a
//! scenario goes on, what was seen is entered here, and after the run those scenarios answer for
//! it that are about the requirement: with where it was seen first, and how often. Where none of
//! them runs, or each is known to fail, a scenario that sees it fails itself.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::oracle::canary::Canary;
use crate::parser::ScenarioInfo;
use crate::record::{Failure, ScenarioRecord, Verdict};
use crate::requirements::Registry;

/// How many scenarios in which it was seen are named.
const NAMED: usize = 5;

/// Who answers for what, and what was seen so far.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the scenario's name, the requirements that it is about.
    about: HashMap<String, Vec<String>>,
    answered: HashSet<String>,
    /// By requirement and scenario.
    seen: Mutex<BTreeMap<(String, String), Sighting>>,
}

/// What a scenario saw.
#[derive(Clone, Debug)]
struct Sighting {
    /// Where in the scenario: `in an answer to credential_read`.
    at: String,
    failure: Failure,
    /// Which exchange of the scenario it was.
    place: usize,
    times: usize,
}

impl Ledger {
    /// An empty one for a run of these scenarios.
    pub fn over<'a>(scenarios: impl IntoIterator<Item = &'a ScenarioInfo>) -> Self {
        let about: HashMap<_, _> = scenarios
            .into_iter()
            .map(|info| (info.name.clone(), info.requirements.clone()))
            .collect();
        Self {
            answered: about.values().flatten().cloned().collect(),
            about,
            seen: Mutex::default(),
        }
    }

    /// Whether others answer for this requirement than the scenario of that name.
    #[must_use]
    pub fn keeps(&self, scenario: &str, requirement: &str) -> bool {
        let own = self.about.get(scenario);
        self.answered.contains(requirement)
            && own.is_some_and(|own| !own.iter().any(|id| id == requirement))
    }

    /// Enters what was seen `at` some point of a scenario, in its exchange at `place`. Of what one scenario sees of a requirement, the first is kept and the rest is
    /// counted.
    pub fn enter(
        &self,
        scenario: &str,
        requirement: &str,
        at: String,
        failure: &Failure,
        place: usize,
    ) {
        let key = (requirement.to_owned(), scenario.to_owned());
        let mut seen = self.seen();
        let sighting = seen.entry(key).or_insert_with(|| Sighting {
            at,
            failure: failure.clone(),
            place,
            times: 0,
        });
        sighting.times += 1;
    }

    /// Lets the scenarios answer for what was seen. `canary` knows every secret of the run.
    pub fn settle(&self, scenarios: &mut [ScenarioRecord], registry: &Registry, canary: &Canary) {
        for (requirement, seen) in self.by_requirement(canary) {
            let ran = |one: &ScenarioRecord| matches!(one.verdict, Verdict::Pass | Verdict::Fail);
            let answers = |one: &ScenarioRecord| {
                ran(one) && one.requirements.iter().any(|quote| quote.id == requirement)
            };
            let met: Vec<(String, Sighting)> = scenarios
                .iter()
                .filter_map(|one| Some((one.id.clone(), seen.get(&one.name)?.clone())))
                .collect();
            let Some((id, first)) = met.first() else {
                continue;
            };
            let exchange = scenarios
                .iter()
                .find(|one| one.id == *id)
                .and_then(|one| one.exchanges.get(first.place))
                .cloned();
            let sentence = registry.find(&requirement).map(|one| one.text.clone());
            // One that is known to fail fails for this as well, and does not speak for the others:
            // what they saw would come to nothing.
            let nobody = !scenarios
                .iter()
                .any(|one| answers(one) && !one.known_failure);
            for one in scenarios.iter_mut() {
                let own = seen.get(&one.name);
                if answers(one) {
                    charge(one, first, &requirement, sentence.clone(), &places(&met));
                    // Reports show what a scenario sent and got: the answer in question is part
                    // of it.
                    one.exchanges.extend(exchange.clone());
                } else if let Some(own) = own.filter(|_| nobody && ran(one)) {
                    charge(one, own, &requirement, sentence.clone(), "");
                } else if let (Some(own), Some(failure)) = (own, &mut one.failure) {
                    add(failure, &beside(&requirement, own));
                }
            }
        }
    }

    fn by_requirement(&self, canary: &Canary) -> BTreeMap<String, HashMap<String, Sighting>> {
        let mut all: BTreeMap<String, HashMap<String, Sighting>> = BTreeMap::new();
        for ((requirement, scenario), sighting) in self.seen().iter() {
            let of = all.entry(requirement.clone()).or_default();
            let mut sighting = sighting.clone();
            sighting.failure.expected = canary.redact(&sighting.failure.expected);
            sighting.failure.got = canary.redact(&sighting.failure.got);
            of.insert(scenario.clone(), sighting);
        }
        all
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<(String, String), Sighting>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails a scenario for what was seen, perhaps elsewhere. One that failed already keeps its
/// failure, and says what else there is.
fn charge(
    one: &mut ScenarioRecord,
    first: &Sighting,
    requirement: &str,
    sentence: Option<String>,
    places: &str,
) {
    if let Some(failure) = &mut one.failure {
        add(failure, &beside(requirement, first));
        add(failure, places);
        return;
    }
    let mut failure = first.failure.clone();
    failure.requirement = Some(requirement.to_owned());
    failure.sentence = sentence;
    add(&mut failure, &first.at);
    add(&mut failure, places);
    one.failure = Some(failure);
    one.verdict = Verdict::Fail;
}

fn beside(requirement: &str, seen: &Sighting) -> String {
    let Sighting { at, failure, .. } = seen;
    format!("besides, {at}, {requirement}: {failure}")
}

/// How often, and in which scenarios.
fn places(met: &[(String, Sighting)]) -> String {
    let times: usize = met.iter().map(|(_, one)| one.times).sum();
    let named: Vec<&str> = met.iter().take(NAMED).map(|(id, _)| id.as_str()).collect();
    let more = match met.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (times, scenarios) = (plural(times, "time"), plural(met.len(), "scenario"));
    format!("seen {times} in {scenarios}: {}{more}", named.join(", "))
}

fn plural(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}

fn add(failure: &mut Failure, words: &str) {
    if words.is_empty() {
        return;
    }
    match &mut failure.hint {
        None => failure.hint = Some(words.to_owned()),
        Some(hint) => {
            hint.push_str("; ");
            hint.push_str(words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RequirementRef;

    const VERSION: &str = "CLP-TRN-001";

    fn info(name: &str, requirement: &str) -> ScenarioInfo {
        ScenarioInfo {
            id: format!("x/{name}"),
            operation: String::new(),
            name: name.to_owned(),
            class: String::new(),
            requirements: vec![requirement.to_owned()],
            tags: Vec::new(),
            needs_clock: false,
            triples: Vec::new(),
        }
    }

    fn ended(info: &ScenarioInfo, verdict: Verdict) -> ScenarioRecord {
        let quote = |id: &String| RequirementRef {
            id: id.clone(),
            sentence: String::new(),
            chapter: String::new(),
        };
        ScenarioRecord {
            id: info.id.clone(),
            operation: String::new(),
            name: info.name.clone(),
            class: String::new(),
            requirements: info.requirements.iter().map(quote).collect(),
            triples: Vec::new(),
            verdict,
            reason: None,
            known_failure: false,
            steps: Vec::new(),
            exchanges: Vec::new(),
            failure: (verdict == Verdict::Fail).then(|| Failure::new("a", "b")),
            duration_millis: 0,
            command: String::new(),
        }
    }

    /// Two scenarios see it, and one that is about it does not.
    fn settled(about: Verdict, seen: Verdict) -> Vec<ScenarioRecord> {
        settled_with(about, seen, false)
    }

    /// The same; `known` says whether the one that is about it is known to fail.
    fn settled_with(about: Verdict, seen: Verdict, known: bool) -> Vec<ScenarioRecord> {
        let infos = [
            info("about", VERSION),
            info("one", "CLP-CRE-001"),
            info("two", "CLP-CRE-001"),
        ];
        let ledger = Ledger::over(&infos);
        for (name, call) in [("two", "c"), ("one", "a"), ("one", "b")] {
            let failure = Failure::new("the field", format!("none in {call}"));
            ledger.enter(name, VERSION, format!("at {call}"), &failure, 0);
        }
        let mut records = [about, seen, Verdict::Pass];
        let mut records: Vec<_> = infos
            .iter()
            .zip(records.iter_mut())
            .map(|(info, verdict)| ended(info, *verdict))
            .collect();
        records[0].known_failure = known;
        let registry = Registry::embedded().unwrap();
        ledger.settle(&mut records, &registry, &Canary::default());
        records
    }

    #[test]
    fn what_others_answer_for_is_kept_and_what_is_its_own_is_not() {
        let infos = [info("about", VERSION), info("one", "CLP-CRE-001")];
        let ledger = Ledger::over(&infos);
        assert!(ledger.keeps("one", VERSION));
        assert!(!ledger.keeps("about", VERSION));
        assert!(!ledger.keeps("one", "CLP-TRN-031"));
        assert!(!ledger.keeps("unheard of", VERSION));
    }

    #[test]
    fn the_scenario_about_it_fails_for_what_others_saw() {
        let records = settled(Verdict::Pass, Verdict::Pass);
        assert_eq!(records[0].verdict, Verdict::Fail);
        let failure = records[0].failure.clone().unwrap();
        assert_eq!(failure.requirement.as_deref(), Some(VERSION));
        assert_eq!(failure.got, "none in a");
        assert!(failure.sentence.unwrap().contains("CLP-Version"));
        assert_eq!(
            failure.hint.unwrap(),
            "at a; seen 3 times in 2 scenarios: x/one, x/two"
        );
        assert_eq!(records[1].verdict, Verdict::Pass);
        assert_eq!(records[2].verdict, Verdict::Pass);
    }

    #[test]
    fn where_nobody_could_answer_for_it_those_fail_that_saw_it() {
        let records = settled(Verdict::Skip, Verdict::Pass);
        assert_eq!(records[0].verdict, Verdict::Skip);
        for record in &records[1..] {
            assert_eq!(record.verdict, Verdict::Fail);
            let failure = record.failure.clone().unwrap();
            assert_eq!(failure.requirement.as_deref(), Some(VERSION));
        }
    }

    #[test]
    fn one_that_is_known_to_fail_does_not_silence_those_that_saw_it() {
        let records = settled_with(Verdict::Pass, Verdict::Pass, true);
        for record in &records {
            assert_eq!(record.verdict, Verdict::Fail);
            let failure = record.failure.clone().unwrap();
            assert_eq!(failure.requirement.as_deref(), Some(VERSION));
        }
    }

    #[test]
    fn a_scenario_that_failed_keeps_its_failure_and_tells_of_the_rest() {
        let records = settled(Verdict::Fail, Verdict::Fail);
        for record in &records[..2] {
            let failure = record.failure.clone().unwrap();
            assert_eq!(failure.got, "b");
            assert!(failure.hint.unwrap().contains(VERSION));
        }
        assert_eq!(records[2].verdict, Verdict::Pass);
    }
}
