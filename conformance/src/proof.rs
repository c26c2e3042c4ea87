//! That the canary is believed for a reason: a secret is planted in every channel, in every
//! spelling, on the way that it would take in a run, and is found; without it, nothing is.

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::{Command, Stdio};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::config::Target;
use crate::oracle::canary::{Channel, of_process};
use crate::oracle::digest::hex;
use crate::record::{Failure, RunRecord, ScenarioRecord, Verdict};
use crate::report::{self, ReportFault};
use crate::subject::reference::LOGS_AS;
use crate::subject::{Subject, SubjectFault};
use crate::world::call::{Actor, Call, Payload, row};
use crate::world::receiver::Receiver;
use crate::world::watch::Watch;
use crate::world::wire::Got;
use crate::world::{Fault, World};

/// What a way to write something is called, and how it goes.
type Writing = (&'static str, fn(&str) -> String);

/// The ways in which a secret is planted.
const WRITINGS: [Writing; 14] = [
    ("raw", str::to_owned),
    ("base64", |text| STANDARD.encode(text)),
    ("base64, 1 on", |text| STANDARD.encode(format!("a{text}b"))),
    ("base64, 2 on", |text| {
        STANDARD_NO_PAD.encode(format!("ab{text}"))
    }),
    ("base64url", |text| URL_SAFE_NO_PAD.encode(text)),
    ("base64url, 1 on", |text| {
        URL_SAFE.encode(format!("a{text}"))
    }),
    ("base64url, 2 on", |text| {
        URL_SAFE_NO_PAD.encode(format!("ab{text}c"))
    }),
    ("hex", |text| hex(text.as_bytes())),
    ("HEX", |text| hex(text.as_bytes()).to_uppercase()),
    ("percent", |text| every(text, |byte| format!("%{byte:02x}"))),
    ("PERCENT", |text| every(text, |byte| format!("%{byte:02X}"))),
    ("percent, some", |text| {
        every(text, |byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
    }),
    ("JSON", |text| every(text, |byte| format!("\\u{byte:04x}"))),
    ("JSON, some", |text| text.replace('/', "\\/")),
];

fn every(text: &str, spell: impl Fn(u8) -> String) -> String {
    text.bytes().map(spell).collect()
}

/// What became of the plants in one channel.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The channel.
    pub channel: Channel,
    /// By how it was written, whether it was found. `None` where the channel cannot be seen
    /// on this system.
    pub found: Vec<(&'static str, Option<bool>)>,
    /// Whether something was found where nothing, or another secret, had been planted.
    pub false_alarm: bool,
}

/// Why nothing could be proved.
#[derive(Debug, thiserror::Error)]
pub enum ProofFault {
    /// The embedded issuer does not start, or does not answer.
    #[error(transparent)]
    Subject(#[from] SubjectFault),
    /// The suite cannot go on.
    #[error(transparent)]
    Suite(#[from] Fault),
    /// Something could not be planted.
    #[error("nothing can be planted: {0}")]
    Plant(String),
}

fn plant_fault(fault: impl std::fmt::Display) -> ProofFault {
    ProofFault::Plant(fault.to_string())
}

/// Plants a secret everywhere, in every spelling.
///
/// # Errors
/// Where it cannot be planted.
pub async fn prove() -> Result<Vec<Row>, ProofFault> {
    let mut world = World::default();
    world
        .begin(Subject::open(&Target::Reference).await?)
        .await?;
    // A slash and a plus are written differently in most spellings.
    let secret = format!("acme_0123456789abcdef_+/{}", random()?);
    let other = format!("acme_0123456789abcdef_+/{}", random()?);
    world.watch.canary.taint("the planted secret", &secret);
    let mut rows = Vec::new();
    for channel in Channel::ALL {
        let mut found = Vec::new();
        let mut false_alarm = alarm(plant(&mut world, channel, "nothing at all").await?);
        for (name, write) in WRITINGS {
            let seen = plant(&mut world, channel, &write(&secret)).await?;
            found.push((name, seen.map(|seen| seen.into_iter().all(|found| found))));
            false_alarm |= alarm(plant(&mut world, channel, &write(&other)).await?);
        }
        rows.push(Row {
            channel,
            found,
            false_alarm,
        });
    }
    Ok(rows)
}

fn alarm(seen: Option<Vec<bool>>) -> bool {
    seen.into_iter().flatten().any(|found| found)
}

fn random() -> Result<String, ProofFault> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| plant_fault("the system has no randomness"))?;
    Ok(STANDARD_NO_PAD.encode(bytes))
}

/// Whether a text is taken for a secret in each place of a channel; `None` where that channel
/// cannot be seen.
async fn plant(
    world: &mut World,
    channel: Channel,
    text: &str,
) -> Result<Option<Vec<bool>>, ProofFault> {
    let note = format!("{{\"note\":\"{text}\"}}");
    let found = match channel {
        Channel::ResponseHeader => {
            vec![answered(
                world,
                "credential_read",
                200,
                ("x-note", text),
                "{}",
            )?]
        }
        Channel::Url => {
            let link = format!("https://issuer.example/?key={text}");
            let member = format!("{{\"uri\":\"{link}\"}}");
            vec![
                answered(world, "credential_read", 200, ("location", &link), "{}")?,
                answered(world, "credential_read", 200, NO_HEADER, &member)?,
            ]
        }
        Channel::ResponseBody => vec![answered(world, "credential_read", 200, NO_HEADER, &note)?],
        Channel::Problem => vec![answered(world, "credential_read", 404, NO_HEADER, &note)?],
        Channel::AuditEntry => {
            let leaf = STANDARD.encode(&note);
            let decoded = format!("{{\"items\":[{{\"leaf\":\"{leaf}\"}}]}}");
            let disclosed = format!("{{\"items\":[{{\"disclosed\":{{\"purpose\":{note}}}}}]}}");
            vec![
                answered(world, "audit_entries", 200, NO_HEADER, &decoded)?,
                answered(world, "audit_entries", 200, NO_HEADER, &disclosed)?,
            ]
        }
        Channel::RequestLog => vec![answered(world, "request_log", 200, NO_HEADER, &note)?],
        Channel::StateDump => vec![answered(world, "state_dump", 200, NO_HEADER, &note)?],
        Channel::Event => {
            let receiver = Receiver::start(204).await.map_err(plant_fault)?;
            reqwest::Client::new()
                .post(&receiver.url)
                .body(note)
                .send()
                .await
                .map_err(plant_fault)?;
            world.receivers.insert("planted".to_owned(), receiver);
            vec![closed(world)]
        }
        Channel::Output => {
            if world.subject()?.log().is_none() {
                return Ok(None);
            }
            tracing::info!(target: LOGS_AS, "{text}");
            vec![closed(world)]
        }
        Channel::Argument | Channel::Environment => {
            return process(&mut world.watch, channel, text);
        }
        Channel::File => {
            let file = tempfile::NamedTempFile::new().map_err(plant_fault)?;
            std::fs::write(file.path(), text).map_err(plant_fault)?;
            let read = std::fs::read(file.path()).map_err(plant_fault)?;
            vec![world.watch.look(channel, &read).is_some()]
        }
        Channel::Report => {
            let folder = tempfile::tempdir().map_err(plant_fault)?;
            let written = report::write(&failed(text), folder.path(), &world.watch.canary);
            vec![is_secret(written.map(|_| ()))?]
        }
        Channel::Screen => {
            let shown = report::console::render(&failed(text), false);
            let canary = &world.watch.canary;
            vec![is_secret(
                report::clean(shown, channel, "the output", canary).map(|_| ()),
            )?]
        }
    };
    Ok(Some(found))
}

const NO_HEADER: (&str, &str) = ("x-note", "none");

fn answered(
    world: &mut World,
    endpoint: &str,
    status: u16,
    (name, value): (&str, &str),
    body: &str,
) -> Result<bool, ProofFault> {
    let call = Call::of(row(endpoint)?, Actor::Nobody, Payload::Nothing);
    let got = Got {
        status,
        headers: vec![(name.to_owned(), value.to_owned())],
        body: body.as_bytes().to_vec(),
    };
    Ok(world.watch_answer(&call, &got, &[]).is_err())
}

/// Whether a scenario breaks at its end.
fn closed(world: &mut World) -> bool {
    world.close();
    world.receivers.clear();
    world.failure.take().is_some()
}

fn is_secret(outcome: Result<(), ReportFault>) -> Result<bool, ProofFault> {
    match outcome {
        Ok(()) => Ok(false),
        Err(ReportFault::Secret(..)) => Ok(true),
        Err(fault) => Err(plant_fault(fault)),
    }
}

/// Runs a program that has the text as an argument or in a variable.
fn process(
    watch: &mut Watch,
    channel: Channel,
    text: &str,
) -> Result<Option<Vec<bool>>, ProofFault> {
    let mut command = Command::new("sh");
    // It says that it runs, waits for a line that never comes, and ends with its input.
    command
        .args(["-c", "echo; read -r line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if channel == Channel::Argument {
        command.arg(text);
    } else {
        command.env("PLANTED", text);
    }
    let mut child = command.spawn().map_err(plant_fault)?;
    if let Some(output) = &mut child.stdout {
        output.read_exact(&mut [0]).map_err(plant_fault)?;
    }
    let found = of_process(child.id()).map(|seen| {
        seen.into_iter()
            .filter(|(which, _)| *which == channel)
            .map(|(_, text)| watch.look(channel, &text).is_some())
            .collect()
    });
    drop(child.stdin.take());
    child.wait().map_err(plant_fault)?;
    Ok(found)
}

/// The record of a run in which something failed with this text.
fn failed(text: &str) -> RunRecord {
    RunRecord {
        scenarios: vec![ScenarioRecord {
            verdict: Verdict::Fail,
            failure: Some(Failure::new("something else", text)),
            ..ScenarioRecord::default()
        }],
        ..RunRecord::default()
    }
}

/// How many plants were missed, and how many false alarms there were.
#[must_use]
pub fn faults(rows: &[Row]) -> usize {
    let missed = rows
        .iter()
        .flat_map(|row| &row.found)
        .filter(|(_, found)| *found == Some(false))
        .count();
    missed + rows.iter().filter(|row| row.false_alarm).count()
}

/// As a table: a line a channel.
#[must_use]
pub fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let tried = row.found.len();
        let found = row.found.iter().filter(|(_, found)| *found == Some(true));
        let hidden = row.found.iter().any(|(_, found)| found.is_none());
        // Writing to a string cannot fail, here and below.
        let _ = if hidden {
            writeln!(text, "{:<16} cannot be seen here", row.channel.name())
        } else {
            writeln!(
                text,
                "{:<16} {} of {tried} spellings found, {}",
                row.channel.name(),
                found.count(),
                if row.false_alarm {
                    "FALSE ALARM"
                } else {
                    "no false alarm"
                }
            )
        };
        for (name, _) in row.found.iter().filter(|(_, found)| *found == Some(false)) {
            let _ = writeln!(text, "  MISSED: {name}");
        }
    }
    let names: Vec<&str> = WRITINGS.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "spellings: {}", names.join("; "));
    let _ = writeln!(text, "missed or false: {}", faults(rows));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_planted_secret_is_found_in_every_channel_and_spelling() {
        let rows = prove().await.unwrap();
        assert_eq!(rows.len(), Channel::ALL.len());
        assert_eq!(faults(&rows), 0, "{}", render(&rows));
        let seen = rows.iter().flat_map(|row| &row.found);
        let hidden = seen.filter(|(_, found)| found.is_none()).count();
        assert!(
            !cfg!(target_os = "linux") || hidden == 0,
            "{}",
            render(&rows)
        );
    }

    #[test]
    fn a_secret_is_found_that_came_out_before_it_was_known() {
        let mut world = World::default();
        let secret = random().unwrap();
        let note = format!("{{\"note\":\"{secret}\"}}");
        let at_once = answered(&mut world, "credential_read", 200, NO_HEADER, &note).unwrap();
        assert!(!at_once);
        world.watch.canary.taint("a secret", &secret);
        assert!(closed(&mut world));
        assert!(!closed(&mut world));
    }

    #[test]
    fn a_key_that_nobody_fetched_is_found_and_a_probe_value_is_none() {
        let mut world = World::default();
        let key = "exampleapi_test_0123456789abcdef_00000000000000000000000000000000";
        let key = format!("{key}{}", crate::oracle::key::checksum(key.as_bytes()));
        for (member, leaks) in [("probe_value", false), ("note", true)] {
            let body = format!("{{\"{member}\":\"{key}\"}}");
            let found = answered(&mut world, "rotation_read", 200, NO_HEADER, &body).unwrap();
            assert_eq!(found, leaks, "{member}");
        }
    }

    #[test]
    fn a_miss_and_a_false_alarm_count() {
        let row = |found, false_alarm| Row {
            channel: Channel::Event,
            found: vec![("raw", found)],
            false_alarm,
        };
        assert_eq!(faults(&[row(Some(true), false)]), 0);
        assert_eq!(faults(&[row(Some(false), true), row(None, false)]), 2);
    }
}
