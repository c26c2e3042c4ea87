//! Looking for every secret of a scenario in all that a client says, sends and leaves, whatever
//! the scenario is about. What is found goes into the ledger of the run.

use std::path::Path;

use super::checks::{files, is_private};
use super::played::Exchanged;
use super::task::Seen;
use crate::oracle::canary::Channel;
use crate::record::Failure;
use crate::world::watch::Watch;

const PRINTED: &str = "CLP-DLV-013";
const READABLE: &str = "CLP-DLV-014";
const ARGUMENT: &str = "CLP-SEC-007";

/// What the suite's own program writes, which the task `run` starts.
const HANDED: &str = "handed";

/// Looks through what came of a task, and answers what was found, by the requirement that it
/// breaks. What a program printed that the client was told to start
/// is that program's.
pub(super) fn look(
    watch: &mut Watch,
    task: &str,
    seen: &Seen,
    sent: &[Exchanged],
    home: &Path,
) -> Vec<(&'static str, Failure)> {
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
    found
        .into_iter()
        .map(|(requirement, what)| {
            let failure = Failure::new("no secret where others can read it", what);
            (requirement, failure)
        })
        .collect()
}
