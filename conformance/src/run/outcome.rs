//! From what was chosen and what was seen to what is recorded.

use std::collections::HashMap;

use clp_schemas::ops::discover::Manifest;

use super::Seen;
use crate::oracle::canary::Channel;
use crate::parser::{Loaded, ScenarioInfo};
use crate::record::{
    Failure, LookedThrough, ScenarioRecord, SecretsRecord, SubjectRecord, Verdict,
};
use crate::requirements::Registry;
use crate::selection::Choice;
use crate::subject::Subject;
use crate::writer::Observed;

pub(super) fn describe(subject: &Subject, manifest: &Result<Manifest, String>) -> SubjectRecord {
    let read = manifest.as_ref().ok();
    let name = if subject.is_embedded() {
        "reference issuer".to_owned()
    } else {
        read.and_then(|manifest| manifest.issuer.clone())
            .unwrap_or_else(|| subject.url.host_str().unwrap_or("issuer").to_owned())
    };
    SubjectRecord {
        name,
        url: subject.url.to_string(),
        embedded: subject.is_embedded(),
        environment: read.map(|manifest| {
            manifest
                .environment
                .map_or("production".to_owned(), |found| found.to_string())
        }),
        profiles: read
            .and_then(|manifest| manifest.profiles_supported.clone())
            .unwrap_or_default(),
        test_control: subject.control.is_some(),
        manifest_fault: manifest.as_ref().err().cloned(),
    }
}

/// What was looked through for secrets. An issuer in this process has its arguments and its
/// environment; of one that is elsewhere neither they nor its log can be seen.
pub(super) fn secrets(subject: &Subject, seen: &mut Seen) -> SecretsRecord {
    if subject.is_embedded() {
        let arguments: Vec<String> = std::env::args_os()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let environment: Vec<String> = std::env::vars_os()
            .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
            .collect();
        for (channel, words) in [
            (Channel::Argument, arguments),
            (Channel::Environment, environment),
        ] {
            if let Some(find) = seen.watch.look(channel, words.join("\0").as_bytes()) {
                seen.faults.push(format!(
                    "{find} is in the {} of this program, in which the issuer runs",
                    channel.name()
                ));
            }
        }
    }
    let hidden = [
        Channel::Output,
        Channel::Argument,
        Channel::Environment,
        Channel::File,
    ];
    SecretsRecord {
        known: seen.watch.canary.secrets(),
        looked_through: seen
            .watch
            .seen
            .iter()
            .map(|(channel, (texts, bytes))| LookedThrough {
                channel: *channel,
                texts: *texts,
                bytes: *bytes,
            })
            .collect(),
        not_visible: hidden
            .into_iter()
            .filter(|channel| !seen.watch.seen.contains_key(channel))
            // An embedded issuer keeps everything in memory.
            .filter(|channel| !(subject.is_embedded() && *channel == Channel::File))
            .collect(),
    }
}

/// What came of one scenario. `known` says whether it is known to fail, and `invocation` how
/// the run is begun again.
pub(crate) fn record(
    one: &Loaded,
    choice: &Choice,
    observed: &HashMap<String, Observed>,
    registry: &Registry,
    (known, invocation): (bool, &str),
) -> ScenarioRecord {
    let info: &ScenarioInfo = &one.info;
    let mut scenario = ScenarioRecord {
        id: info.id.clone(),
        operation: info.operation.clone(),
        name: info.name.clone(),
        class: info.class.clone(),
        requirements: info
            .requirements
            .iter()
            .map(|id| registry.quote(id))
            .collect(),
        triples: info.triples.clone(),
        verdict: Verdict::Error,
        reason: None,
        known_failure: known,
        steps: Vec::new(),
        exchanges: Vec::new(),
        failure: None,
        duration_millis: 0,
        command: format!("{invocation} --name {}", info.id),
    };
    match (choice, observed.get(&info.name)) {
        (Choice::Skip(reason), _) => {
            scenario.verdict = Verdict::Skip;
            scenario.reason = Some(reason.clone());
        }
        (Choice::Disabled(reason), _) => {
            scenario.verdict = Verdict::Disabled;
            scenario.reason = Some(reason.clone());
        }
        (Choice::Run, Some(seen)) => {
            scenario.verdict = seen.verdict;
            scenario.reason.clone_from(&seen.reason);
            scenario.steps.clone_from(&seen.steps);
            scenario.exchanges.clone_from(&seen.exchanges);
            scenario.failure = seen
                .failure
                .clone()
                .map(|failure| cite(failure, info, registry));
            scenario.duration_millis = seen.millis;
        }
        (Choice::Run, None) => {
            scenario.failure = Some(Failure::new("the scenario to run", "no sign of it"));
        }
    }
    scenario
}

/// Adds the requirement and its sentence, where the step left them open.
fn cite(mut failure: Failure, info: &ScenarioInfo, registry: &Registry) -> Failure {
    if failure.requirement.is_none() {
        failure.requirement = info.requirements.first().cloned();
    }
    let found = failure
        .requirement
        .as_ref()
        .and_then(|id| registry.find(id));
    if let Some(one) = found {
        failure.sentence.get_or_insert_with(|| one.text.clone());
        failure
            .chapter
            .get_or_insert_with(|| registry.quote(&one.id).chapter);
    }
    failure
}

/// The known failures that did not fail. One that was left out by a filter is not judged.
pub(crate) fn stale(known: &[String], scenarios: &[ScenarioRecord]) -> Vec<String> {
    known
        .iter()
        .filter(|id| {
            scenarios
                .iter()
                .any(|one| one.id == **id && one.verdict != Verdict::Fail)
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(id: &str, verdict: Verdict) -> ScenarioRecord {
        ScenarioRecord {
            id: id.to_owned(),
            operation: String::new(),
            name: String::new(),
            class: String::new(),
            requirements: Vec::new(),
            triples: Vec::new(),
            verdict,
            reason: None,
            known_failure: true,
            steps: Vec::new(),
            exchanges: Vec::new(),
            failure: None,
            duration_millis: 0,
            command: String::new(),
        }
    }

    #[test]
    fn a_known_failure_that_did_not_fail_is_stale() {
        let scenarios = [
            ended("a/fails", Verdict::Fail),
            ended("a/holds", Verdict::Pass),
            ended("a/skipped", Verdict::Skip),
            ended("a/broken", Verdict::Error),
        ];
        let known =
            ["a/fails", "a/holds", "a/skipped", "a/broken", "a/filtered"].map(str::to_owned);
        assert_eq!(
            stale(&known, &scenarios),
            ["a/holds", "a/skipped", "a/broken"]
        );
    }

    #[test]
    fn what_a_step_leaves_open_is_filled_from_the_scenario() {
        let registry = Registry::embedded().unwrap();
        let info = ScenarioInfo {
            id: String::new(),
            operation: String::new(),
            name: String::new(),
            class: String::new(),
            requirements: vec!["CLP-CRE-001".to_owned()],
            tags: Vec::new(),
            needs_clock: false,
            triples: Vec::new(),
        };
        let cited = cite(Failure::new("a", "b"), &info, &registry);
        assert_eq!(cited.requirement.as_deref(), Some("CLP-CRE-001"));
        assert!(cited.sentence.unwrap().contains("201"));
    }
}
