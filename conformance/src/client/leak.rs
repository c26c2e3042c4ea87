//! Looking for every secret of a scenario in all that a client says, sends and leaves, whatever
//! the scenario is about. One mistake would fail every scenario; so what is found is noted, and
//! after the run the scenarios about that requirement fail.

use std::collections::BTreeMap;
use std::path::Path;

use super::checks::{files, is_private};
use super::played::Exchanged;
use super::task::Seen;
use crate::oracle::canary::Channel;
use crate::record::{Failure, ScenarioRecord, Verdict};
use crate::requirements::Registry;
use crate::world::watch::Watch;

/// What was found, by the requirement that it breaks.
pub type Leaks = BTreeMap<&'static str, Vec<String>>;

const PRINTED: &str = "CLP-DLV-013";
const READABLE: &str = "CLP-DLV-014";
const ARGUMENT: &str = "CLP-SEC-007";

/// What the suite's own program writes, which the task `run` starts.
const HANDED: &str = "handed";

/// Looks through what came of a task. What a program printed that the client was told to start
/// is that program's.
pub(super) fn look(watch: &mut Watch, task: &str, seen: &Seen, sent: &[Exchanged], home: &Path) {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    if task != "run" {
        for (name, text) in [("output", &seen.stdout), ("error output", &seen.stderr)] {
            if let Some(find) = watch.look(Channel::Output, text) {
                found.push((PRINTED, format!("{} in its {name}", find.secret)));
            }
        }
    }
    for line in &seen.arguments {
        if let Some(find) = watch.look(Channel::Argument, line.as_bytes()) {
            found.push((
                ARGUMENT,
                format!("{} in the arguments of a process", find.secret),
            ));
        }
    }
    for one in sent {
        if let Some(find) = watch.look(Channel::Url, one.target.as_bytes()) {
            found.push((
                PRINTED,
                format!("{} in the URL of a {} request", find.secret, one.method),
            ));
        }
    }
    for path in files(home) {
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let is_ours = path.file_name().is_some_and(|name| name == HANDED);
        if let Some(find) = watch.look(Channel::File, &bytes)
            && !is_ours
            && !is_private(&path)
        {
            let name = path.strip_prefix(home).unwrap_or(&path).display();
            found.push((
                READABLE,
                format!("{} in `{name}`, which others can read", find.secret),
            ));
        }
    }
    for (requirement, what) in found {
        let all = watch.leaks.entry(requirement).or_default();
        all.push(format!("{what}, after the task `{task}`"));
    }
}

/// Fails the scenarios about a requirement that was broken anywhere in the run. Where none of
/// them ran, it is said in `faults`.
pub(super) fn settle(
    leaks: &Leaks,
    scenarios: &mut [ScenarioRecord],
    registry: &Registry,
    faults: &mut Vec<String>,
) {
    for (requirement, all) in leaks {
        let Some(first) = all.first() else {
            continue;
        };
        let got = match all.len() {
            1 => first.clone(),
            many => format!("{first}; {many} times in this run"),
        };
        let mut is_told = false;
        for one in scenarios.iter_mut() {
            let is_about = one
                .requirements
                .iter()
                .any(|quote| quote.id == *requirement);
            if !is_about || !matches!(one.verdict, Verdict::Pass | Verdict::Fail) {
                continue;
            }
            is_told = true;
            if one.verdict == Verdict::Pass {
                one.verdict = Verdict::Fail;
                one.failure = Some(Failure {
                    requirement: Some((*requirement).to_owned()),
                    sentence: registry.find(requirement).map(|one| one.text.clone()),
                    ..Failure::new("no secret where others can read it", got.clone())
                });
            }
        }
        if !is_told {
            faults.push(format!("{requirement} is broken: {got}"));
        }
    }
}
