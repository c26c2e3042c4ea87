//! Reports: each a pure function of a run's record.

pub mod console;
mod difference;
pub mod html;
pub mod json;
pub mod junit;
mod story;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::oracle::canary::{Canary, Channel, Find};
use crate::record::{Conclusion, RunRecord, ScenarioRecord, Verdict};

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportFault {
    /// The folder or a file cannot be written.
    #[error("`{path}` cannot be written: {reason}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// Nothing is written and nothing is shown that holds a secret.
    #[error("{0} is in {1}, which is therefore not written: this is a fault of the suite")]
    Secret(Find, &'static str),
    /// A report cannot be rendered.
    #[error("the report cannot be rendered: {0}")]
    Render(String),
}

/// Hands on what is to be shown, once it is seen that no secret of the run stands in it.
///
/// # Errors
/// Where one does.
pub fn clean(
    text: String,
    channel: Channel,
    name: &'static str,
    canary: &Canary,
) -> Result<String, ReportFault> {
    match canary.search(channel, text.as_bytes()) {
        None => Ok(text),
        Some(find) => Err(ReportFault::Secret(find, name)),
    }
}

/// Writes `report.html`, `report.json` and `junit.xml`, and returns the path of the first.
/// None is written where a secret of the run stands in one of them.
///
/// # Errors
/// Where one cannot be rendered or written, or holds a secret.
pub fn write(record: &RunRecord, folder: &Path, canary: &Canary) -> Result<PathBuf, ReportFault> {
    let clean = |name, text| clean(text, Channel::Report, name, canary);
    let json = clean("report.json", json::render(record)?)?;
    let junit = clean("junit.xml", junit::render(record)?)?;
    let html = clean("report.html", html::render(record)?)?;
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .map(|()| path.clone())
            .map_err(|reason| ReportFault::Write { path, reason })
    };
    std::fs::create_dir_all(folder).map_err(|reason| ReportFault::Write {
        path: folder.to_owned(),
        reason,
    })?;
    put("report.json", &json)?;
    put("junit.xml", &junit)?;
    put("report.html", &html)
}

/// The run in a sentence. Only a run without a footnote is called a pass.
#[must_use]
pub fn headline(record: &RunRecord) -> String {
    let counts = record.counts();
    let subject = &record.subject.name;
    match record.conclusion() {
        Conclusion::Full => format!(
            "{subject} passes: every scenario of core{} was run and holds",
            profiles(record)
        ),
        Conclusion::Partial => format!(
            "what was run holds, but this is no full pass of {subject}: {}",
            footnotes(record).join("; ")
        ),
        Conclusion::Empty => format!("nothing was run against {subject}, so nothing is known"),
        Conclusion::Failed if counts.fail > 0 => format!(
            "{subject} fails {} of the {} scenarios that were run",
            counts.fail,
            counts.pass + counts.fail + counts.known
        ),
        Conclusion::Failed => format!(
            "{} known failures did not fail; take them off the list",
            record.stale_known_failures.len()
        ),
        Conclusion::Broken => "the suite itself failed, so the rest cannot be relied on".to_owned(),
    }
}

fn profiles(record: &RunRecord) -> String {
    if record.subject.profiles.is_empty() {
        String::new()
    } else {
        format!(" and of {}", record.subject.profiles.join(", "))
    }
}

/// What keeps a run from being a full one.
#[must_use]
pub fn footnotes(record: &RunRecord) -> Vec<String> {
    let counts = record.counts();
    let mut notes = Vec::new();
    if let Some(subset) = &record.subset {
        notes.push(format!(
            "a subset ({}), which left {} scenarios out",
            subset.filters.join(" "),
            subset.left_out
        ));
    }
    if counts.skip > 0 {
        notes.push(format!("{} scenarios could not be run here", counts.skip));
    }
    if counts.known > 0 {
        notes.push(format!("{} failures are known", counts.known));
    }
    notes
}

/// What secrets were looked for, and in what; and what could not be seen.
fn secrets(record: &RunRecord) -> Vec<String> {
    let secrets = &record.secrets;
    let bytes: u64 = secrets.looked_through.iter().map(|one| one.bytes).sum();
    let names = |channels: &mut dyn Iterator<Item = Channel>| {
        channels.map(Channel::name).collect::<Vec<_>>().join(", ")
    };
    let seen = names(&mut secrets.looked_through.iter().map(|one| one.channel));
    let mut lines = vec![format!(
        "{} looked for in {} kB: {}",
        secrets.known,
        bytes.div_ceil(1000),
        if seen.is_empty() { "nothing" } else { &seen }
    )];
    if !secrets.not_visible.is_empty() {
        let hidden = names(&mut secrets.not_visible.iter().copied());
        lines.push(format!("not visible from here: {hidden} of the issuer"));
    }
    lines
}

/// Why scenarios were skipped, and how many for each reason.
fn skipped(record: &RunRecord) -> Vec<(&str, usize)> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in &record.scenarios {
        if scenario.verdict == Verdict::Skip {
            *reasons
                .entry(scenario.reason.as_deref().unwrap_or_default())
                .or_default() += 1;
        }
    }
    reasons.into_iter().collect()
}

/// What failed and was not known to, with failures that read alike together: an absent
/// issuer fails everything for one reason.
fn alike(record: &RunRecord) -> Vec<Vec<&ScenarioRecord>> {
    let mut groups: Vec<Vec<&ScenarioRecord>> = Vec::new();
    for scenario in &record.scenarios {
        if !matches!(scenario.verdict, Verdict::Fail | Verdict::Error) || scenario.known_failure {
            continue;
        }
        let group = groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|first| match (&first.failure, &scenario.failure) {
                    (Some(one), Some(other)) => {
                        one.requirement == other.requirement
                            && one.expected == other.expected
                            && one.got == other.got
                    }
                    _ => false,
                })
        });
        match group {
            Some(group) => group.push(scenario),
            None => groups.push(vec![scenario]),
        }
    }
    groups
}
