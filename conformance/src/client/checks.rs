//! What the suite sees of a client besides how a task ended: the requests it made, the files
//! it left, and everything it said.

use std::path::Path;

use cucumber::gherkin::Step;
use cucumber::then;
use serde_json::{Value, json};

use super::played::Exchanged;
use super::task::{Ending, Seen};
use super::world::{ClientWorld, is_below};
use crate::oracle::canary::{Canary, Channel};
use crate::steps::{expect, rows};
use crate::world::Fault;
use crate::world::names::at;

/// Most files that are looked at in a home.
const MOST_FILES: usize = 2000;

/// What the other origin saw of the last task.
#[then(regex = r"^the other origin saw (nothing|a connection)$")]
async fn elsewhere(world: &mut ClientWorld, what: String) -> Result<(), Fault> {
    let outcome = world.wire().and_then(|wire| {
        let before = world.asked.as_ref().map_or(0, |asked| asked.elsewhere);
        let seen = wire.elsewhere.seen();
        let seen = seen.get(before..).unwrap_or_default();
        match (seen.first(), what.as_str()) {
            (None, "nothing") | (Some(_), "a connection") => Ok(()),
            (Some(first), _) => {
                let first = first.lines().next().unwrap_or_default();
                Err(Fault::missing("nothing at the other origin", first))
            }
            (None, _) => Err(Fault::missing("a connection to the other origin", "none")),
        }
    });
    world.note(outcome)
}

/// How often an endpoint was called in the last task, with what the table says of the body.
#[then(regex = r"^the issuer saw (no|some|\d+) (\w+)(?: with:)?$")]
async fn saw(
    world: &mut ClientWorld,
    count: String,
    endpoint: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = world.since().and_then(|all| {
        let wanted = rows(step)?;
        let mut found = 0_usize;
        for one in all.iter().filter(|one| one.endpoint == endpoint) {
            let body = one.json();
            let fits = wanted.iter().all(|(member, cell)| {
                expect::holds(member, cell, at(&body, member), &world.names).is_ok()
            });
            found += usize::from(fits);
        }
        let good = match count.as_str() {
            "no" => found == 0,
            "some" => found > 0,
            number => number.parse() == Ok(found),
        };
        if good {
            return Ok(());
        }
        Err(Fault::missing(
            format!("{count} {endpoint}"),
            format!("{found}, in {}", calls(&all)),
        ))
    });
    world.note(outcome)
}

/// The calls of a task in a line.
fn calls(all: &[Exchanged]) -> String {
    let names: Vec<&str> = all.iter().map(|one| one.endpoint).collect();
    match names.as_slice() {
        [] => "no call at all".to_owned(),
        names => names.join(", "),
    }
}

#[then(regex = r"^every request below E has (\S+): (.+)$")]
async fn header(world: &mut ClientWorld, name: String, value: String) -> Result<(), Fault> {
    let outcome = world.since().and_then(|all| {
        let below: Vec<&Exchanged> = all.iter().filter(|one| is_below(one)).collect();
        if below.is_empty() {
            return Err(Fault::missing("a request below E", calls(&all)));
        }
        let name = name.to_lowercase();
        match below.iter().find(|one| one.header(&name) != Some(&value)) {
            None => Ok(()),
            Some(one) => Err(Fault::missing(
                format!("`{name}: {value}` with every request below E"),
                format!(
                    "{} with {} {}",
                    one.header(&name).unwrap_or("none"),
                    one.method,
                    one.target
                ),
            )),
        }
    });
    world.note(outcome)
}

/// The calls of an endpoint in the last task, and which of them are the same.
#[then(regex = r"^each (\w+) had (the same key and body|a key of its own)$")]
async fn repeated(world: &mut ClientWorld, endpoint: String, how: String) -> Result<(), Fault> {
    let outcome = world.since().and_then(|all| {
        let calls: Vec<(Option<&str>, Value)> = all
            .iter()
            .filter(|one| one.endpoint == endpoint)
            .map(|one| (one.header("idempotency-key"), one.json()))
            .collect();
        let first = calls
            .first()
            .ok_or_else(|| Fault::missing(format!("some {endpoint}"), "none"))?;
        let same = calls.iter().all(|one| one == first) && first.0.is_some();
        match (how.as_str(), same && calls.len() > 1) {
            ("the same key and body", true) => Ok(()),
            ("the same key and body", false) => Err(Fault::missing(
                format!("{endpoint} at least twice, with one `Idempotency-Key` and one body"),
                keyed(&calls),
            )),
            (_, same) if !same && first.0.is_some() => Ok(()),
            _ => Err(Fault::missing("a key of its own", keyed(&calls))),
        }
    });
    world.note(outcome)
}

/// Calls by their keys and bodies, a line each.
fn keyed(calls: &[(Option<&str>, Value)]) -> String {
    let lines: Vec<String> = calls
        .iter()
        .map(|(key, body)| match key {
            Some(key) => format!("Idempotency-Key: {key}, with {body}"),
            None => format!("no Idempotency-Key, with {body}"),
        })
        .collect();
    lines.join("\n")
}

#[then(regex = r"^between two (\w+) lay at least (\d+) seconds?$")]
async fn between(world: &mut ClientWorld, endpoint: String, seconds: u64) -> Result<(), Fault> {
    let outcome = world.since().and_then(|all| {
        let times: Vec<_> = all
            .iter()
            .filter(|one| one.endpoint == endpoint)
            .map(|one| one.at)
            .collect();
        if times.is_empty() {
            return Err(Fault::missing(format!("some {endpoint}"), calls(&all)));
        }
        // Who gives up after the first has not been hasty.
        let least = times
            .windows(2)
            .filter_map(|pair| match pair {
                [earlier, later] => Some(later.duration_since(*earlier)),
                _ => None,
            })
            .min();
        let Some(least) = least else {
            return Ok(());
        };
        // Times are taken where the requests come in, and the wire is no clock.
        if least.as_millis() + 50 >= u128::from(seconds) * 1000 {
            return Ok(());
        }
        Err(Fault::missing(
            format!("at least {seconds} seconds between two {endpoint}"),
            format!("{} milliseconds", least.as_millis()),
        ))
    });
    world.note(outcome)
}

#[then("its result has:")]
async fn result(world: &mut ClientWorld, step: &Step) -> Result<(), Fault> {
    let outcome = rows(step).and_then(|wanted| {
        let Some(Ending::Done(result)) = world.seen.as_ref().map(|seen| &seen.ending) else {
            return Err(Fault::missing("a result", "none"));
        };
        wanted.iter().try_for_each(|(member, cell)| {
            expect::holds(member, cell, at(result, member), &world.names)
        })
    });
    world.note(outcome)
}

/// Looks for something that has to stay where it is, in a place where it must not be, or for
/// it to have arrived where it has to.
#[then(
    regex = r"^the (secret|token|probe value) is (not )?in (its output|its arguments|any file|the file (\S+))$"
)]
async fn needle(
    world: &mut ClientWorld,
    what: String,
    not: String,
    place: String,
    name: String,
) -> Result<(), Fault> {
    let outcome =
        look(world, &what, &place, &name).and_then(|found| match (found, not.is_empty()) {
            (Some(_), true) | (None, false) => Ok(()),
            (None, true) => Err(Fault::missing(
                format!("the {what} in {place}"),
                "it is not",
            )),
            (Some(where_), false) => Err(Fault::missing(
                format!("the {what} nowhere in {place}"),
                format!("it stands in {where_}"),
            )),
        });
    world.note(outcome)
}

fn look(world: &ClientWorld, what: &str, place: &str, name: &str) -> Result<Option<String>, Fault> {
    let mut canary = Canary::default();
    match what {
        "secret" => {
            for secret in world.secrets() {
                canary.taint("the secret", secret);
            }
            if world.secrets().is_empty() {
                return Err(Fault::missing("a secret that was delivered", "none"));
            }
        }
        "token" => canary.taint("the token", world.token()?),
        _ => {
            let value = probe_value(world)?;
            canary.taint("the probe value", &value);
        }
    }
    let seen = world
        .seen
        .as_ref()
        .ok_or_else(|| Fault::suite("no task was given yet"))?;
    let in_text = |text: &str| canary.search(Channel::File, text.as_bytes()).is_some();
    Ok(match place {
        "its output" => in_output(seen, &in_text),
        "its arguments" => {
            if seen.arguments.is_empty() {
                return Err(Fault::unfit("this system does not show arguments"));
            }
            let found = seen.arguments.iter().find(|line| in_text(line));
            found.map(|_| "the arguments of a process".to_owned())
        }
        "any file" => in_files(world.home()?, &in_text),
        _ => {
            let path = world.path(name)?;
            // Also as it was at any time that a request came in.
            let earlier = world.wire()?.exchanged().into_iter().any(|one| {
                let held = one.files.get(&path).cloned().flatten().unwrap_or_default();
                in_text(&String::from_utf8_lossy(&held))
            });
            let now = std::fs::read(&path).unwrap_or_default();
            let now = in_text(&String::from_utf8_lossy(&now));
            (earlier || now).then(|| format!("`{name}`"))
        }
    })
}

fn in_output(seen: &Seen, in_text: &dyn Fn(&str) -> bool) -> Option<String> {
    let places = [
        ("standard output", &seen.stdout),
        ("standard error", &seen.stderr),
    ];
    places
        .into_iter()
        .find(|(_, bytes)| in_text(&String::from_utf8_lossy(bytes)))
        .map(|(name, _)| name.to_owned())
}

fn in_files(home: &Path, in_text: &dyn Fn(&str) -> bool) -> Option<String> {
    files(home).into_iter().find_map(|path| {
        let bytes = std::fs::read(&path).ok()?;
        in_text(&String::from_utf8_lossy(&bytes)).then(|| {
            let within = path.strip_prefix(home).unwrap_or(&path);
            format!("`{}`", within.display())
        })
    })
}

/// Every file below a folder, links not followed.
pub(super) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && found.len() < MOST_FILES => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// The probe value of the last rotation that the issuer spoke of.
fn probe_value(world: &ClientWorld) -> Result<String, Fault> {
    let all = world.wire()?.exchanged();
    all.iter()
        .rev()
        .filter(|one| one.endpoint.starts_with("rotation_"))
        .filter_map(|one| one.honest.as_ref())
        .find_map(|answer| {
            let body = answer.json();
            body.get("probe_value")?.as_str().map(str::to_owned)
        })
        .ok_or_else(|| Fault::unfit("the issuer gave no probe value"))
}

#[then(regex = r"^the file (\S+) is private$")]
async fn private(world: &mut ClientWorld, name: String) -> Result<(), Fault> {
    let outcome = world.path(&name).and_then(|path| mode(&path));
    world.note(outcome)
}

/// Whether a file is for its user alone; true where there are no modes.
pub(super) fn is_private(path: &Path) -> bool {
    !cfg!(unix) || mode(path).is_ok()
}

#[cfg(unix)]
fn mode(path: &Path) -> Result<(), Fault> {
    use std::os::unix::fs::PermissionsExt as _;
    let found =
        std::fs::metadata(path).map_err(|fault| Fault::missing("the file", fault.to_string()))?;
    let mode = found.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(Fault::missing(
            "a mode that lets nobody else read or write, such as 600",
            format!("{mode:o}"),
        )),
    }
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Result<(), Fault> {
    Err(Fault::unfit("this system has no file modes"))
}

#[then(regex = r"^the file (\S+) is as it was but for (\w+)$")]
async fn otherwise_unchanged(
    world: &mut ClientWorld,
    name: String,
    variable: String,
) -> Result<(), Fault> {
    let outcome = world.path(&name).and_then(|path| {
        let before = world.names.text("{before}")?;
        let now = std::fs::read_to_string(&path)
            .map_err(|fault| Fault::missing("the file", fault.to_string()))?;
        let others = |text: &str| -> Vec<String> {
            let is_it = |line: &str| {
                let line = line.trim_start();
                let line = line.strip_prefix("export ").unwrap_or(line);
                line.split('=').next().map(str::trim) == Some(variable.as_str())
            };
            text.split_inclusive('\n')
                .filter(|line| !is_it(line))
                .map(str::to_owned)
                .collect()
        };
        match others(&before) == others(&now) {
            true => Ok(()),
            false => Err(Fault::missing(
                format!("every other line: {:?}", others(&before)),
                format!("{:?}", others(&now)),
            )),
        }
    });
    world.note(outcome)
}

/// The file was still as before when the first such call came in.
#[then(regex = r"^the file (\S+) was unchanged when (\w+) came in with:$")]
async fn unchanged_when(
    world: &mut ClientWorld,
    name: String,
    endpoint: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = world.path(&name).and_then(|path| {
        let wanted = rows(step)?;
        let before = world.names.text("{before}")?;
        let all = world.since()?;
        let changed = |one: &Exchanged| {
            let held = one.files.get(&path).cloned().flatten().unwrap_or_default();
            String::from_utf8_lossy(&held) != before
        };
        let fits = |one: &&Exchanged| {
            let body = one.json();
            one.endpoint == endpoint
                && wanted.iter().all(|(member, cell)| {
                    expect::holds(member, cell, at(&body, member), &world.names).is_ok()
                })
        };
        let first = all
            .iter()
            .find(fits)
            .ok_or_else(|| Fault::missing(format!("such a {endpoint}"), calls(&all)))?;
        match changed(first) {
            false => Ok(()),
            true => Err(Fault::missing(
                format!("the file unchanged when {endpoint} came in"),
                "it was changed already",
            )),
        }
    });
    world.note(outcome)
}

/// Every change named the tag of the last answer about its object.
#[then(regex = r"^each (\w+) named the tag that (\w+) had answered$")]
async fn tags(world: &mut ClientWorld, change: String, read: String) -> Result<(), Fault> {
    let outcome = world.since().and_then(|all| {
        let mut last: Option<String> = None;
        let mut changes = 0;
        for one in &all {
            if one.endpoint == change {
                changes += 1;
                let named = one.header("if-match");
                if named.is_none() || named != last.as_deref() {
                    return Err(Fault::missing(
                        format!(
                            "`If-Match: {}`",
                            last.as_deref().unwrap_or("none was answered")
                        ),
                        format!("`If-Match: {}`", named.unwrap_or("none was sent")),
                    ));
                }
            }
            if one.endpoint == read || one.endpoint == change {
                let tag = one.sent.as_ref().and_then(|answer| answer.header("etag"));
                last = tag.map(str::to_owned);
            }
        }
        match changes {
            0 => Err(Fault::missing(format!("some {change}"), calls(&all))),
            _ => Ok(()),
        }
    });
    world.note(outcome)
}

/// Nothing that could steer a terminal, in what a person is shown.
#[then("nothing that it said has control characters")]
async fn control_characters(world: &mut ClientWorld) -> Result<(), Fault> {
    let outcome = match &world.seen {
        None => Err(Fault::suite("no task was given yet")),
        Some(seen) => {
            let mut texts = vec![json!(String::from_utf8_lossy(&seen.stderr))];
            if let Ending::Done(result) = &seen.ending {
                texts.extend(
                    result
                        .as_object()
                        .into_iter()
                        .flat_map(|all| all.values().cloned()),
                );
            }
            let bad = |letter: &char| {
                (letter.is_control() && *letter != '\n')
                    || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            let found = texts
                .iter()
                .filter_map(Value::as_str)
                .find_map(|text| text.chars().find(bad));
            match found {
                None => Ok(()),
                Some(letter) => Err(Fault::missing(
                    "no control character in what a person is shown",
                    format!("U+{:04X}", u32::from(letter)),
                )),
            }
        }
    };
    world.note(outcome)
}
