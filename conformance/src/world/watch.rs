//! Looking for secrets in everything that comes out while a scenario runs.

use std::collections::BTreeMap;

use clp_schemas::endpoint::EndpointId;
use clp_schemas::problem::MEDIA_TYPE;
use serde_json::Value;
use url::Url;

use super::call::Call;
use super::wire::{self, Got};
use super::{Fault, World};
use crate::oracle::canary::{Canary, Channel, Find};
use crate::oracle::key;
use crate::record::Failure;

/// Header fields that hold URLs.
const URLS: [&str; 4] = ["location", "content-location", "link", "refresh"];

/// An answer that was looked through, and is so again once more secrets are known.
#[derive(Debug)]
pub(super) struct Answered {
    place: String,
    exchange: Option<usize>,
    texts: [(Channel, String); 3],
    known: usize,
}

/// The secrets of a scenario or a run, and how much was gone through for them.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// The secrets.
    pub canary: Canary,
    /// How many texts, and how many bytes of them, by channel.
    pub seen: BTreeMap<Channel, (u64, u64)>,
}

impl Watch {
    /// Looks for a secret in a text, and counts the text.
    pub fn look(&mut self, channel: Channel, text: &[u8]) -> Option<Find> {
        if text.is_empty() {
            return None;
        }
        let (texts, bytes) = self.seen.entry(channel).or_default();
        *texts += 1;
        *bytes += text.len() as u64;
        self.canary.search(channel, text)
    }

    /// Adds the secrets and the counts of another.
    pub fn add(&mut self, other: &Self) {
        self.canary.learn(&other.canary);
        for (channel, (texts, bytes)) in &other.seen {
            let mine = self.seen.entry(*channel).or_default();
            mine.0 += texts;
            mine.1 += bytes;
        }
    }
}

impl World {
    /// Looks for secrets in an answer, but for the ones that it is there to hold.
    ///
    /// # Errors
    /// Where there is one.
    pub fn watch_answer(&mut self, call: &Call, got: &Got, meant: &[String]) -> Result<(), Fault> {
        let of = |urls: bool| -> String {
            got.headers
                .iter()
                .filter(|(name, _)| URLS.contains(&name.as_str()) == urls)
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect()
        };
        let mut body = got.text();
        for secret in meant {
            body = body.replacen(secret.as_str(), "", 1);
        }
        if call.row().is_some() {
            self.taint_keys_in(&body);
        }
        let answered = Answered {
            place: format!("the answer to {}", call.name()),
            exchange: self.wire.len().checked_sub(1),
            texts: [
                (Channel::ResponseHeader, of(false)),
                (Channel::Url, of(true)),
                (channel(call, got), body),
            ],
            known: self.watch.canary.secrets(),
        };
        let found = self.leak_in(&answered);
        self.answered.push(answered);
        found.map_or(Ok(()), |leak| Err(Fault::Broken(Box::new(leak))))
    }

    /// What has the form of a key, with a checksum that fits, is one, though nobody fetched it.
    /// Only the probe value of a rotation has it too, and is none.
    fn taint_keys_in(&mut self, text: &str) {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for word in words.filter(|word| key::key_id(word).is_ok()) {
            let mut probes = Vec::new();
            find_probes(&serde_json::from_str(text).unwrap_or_default(), &mut probes);
            if probes.iter().any(|probe| probe == word) {
                continue;
            }
            self.watch.canary.taint_key("a key", word);
        }
    }

    fn leak_in(&mut self, answered: &Answered) -> Option<Failure> {
        let find = answered.texts.iter().find_map(|(channel, text)| {
            let mut find = self.watch.look(*channel, text.as_bytes())?;
            let value = || serde_json::from_str(text).unwrap_or_default();
            if *channel == Channel::ResponseBody && self.in_url(&value()) {
                find.channel = Channel::Url;
            }
            Some(find)
        })?;
        Some(Failure {
            exchange: answered.exchange,
            ..leak(&find, &answered.place)
        })
    }

    /// Whether a secret stands in a member that is a URL.
    fn in_url(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                Url::parse(text).is_ok()
                    && self
                        .watch
                        .canary
                        .search(Channel::Url, text.as_bytes())
                        .is_some()
            }
            Value::Array(items) => items.iter().any(|item| self.in_url(item)),
            Value::Object(members) => members.values().any(|member| self.in_url(member)),
            _ => false,
        }
    }

    /// Looks once more through the answers that came before every secret was known, and through
    /// what came out beside them: events, and the log of an issuer that runs in this process. A
    /// scenario that held up to here breaks on what is found.
    pub fn close(&mut self) {
        let known = self.watch.canary.secrets();
        let early = std::mem::take(&mut self.answered)
            .into_iter()
            .filter(|answered| answered.known != known)
            .find_map(|answered| self.leak_in(&answered));
        let events: Vec<Vec<u8>> = self
            .receivers
            .values()
            .flat_map(super::receiver::Receiver::arrived)
            .collect();
        let mut found = events
            .iter()
            .find_map(|event| self.watch.look(Channel::Event, event))
            .map(|find| leak(&find, "an event that was sent"));
        if let Some(log) = self.subject.as_ref().and_then(|subject| subject.log()) {
            let find = self
                .watch
                .look(Channel::Output, &log.since(self.log_begins));
            let logged = find.map(|find| leak(&find, "what the issuer logged meanwhile"));
            found = found.or(logged);
            self.log_begins = log.end();
        }
        let canary = &self.watch.canary;
        self.exchanges.extend(
            self.wire
                .drain(..)
                .map(|(sent, outcome)| wire::record(&sent, &outcome, canary)),
        );
        self.failure = match self.failure.take() {
            Some(failure) => Some(Failure {
                expected: canary.redact(&failure.expected),
                got: canary.redact(&failure.got),
                ..failure
            }),
            None => early.or(found),
        };
    }
}

/// The probe values of rotations, wherever in a value they stand.
fn find_probes(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| find_probes(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "probe_value" => found.push(text.clone()),
                    member => find_probes(member, found),
                }
            }
        }
        _ => {}
    }
}

/// What a find breaks.
fn leak(find: &Find, place: &str) -> Failure {
    let failure = Failure::new(
        format!("no secret in {place}"),
        format!("{find} in the {}", find.channel.name()),
    );
    Failure {
        requirement: Some(find.channel.requirement().to_owned()),
        ..failure
    }
}

/// What the body of an answer is.
fn channel(call: &Call, got: &Got) -> Channel {
    let media = got.header("content-type").unwrap_or_default();
    if got.status >= 400 || media.starts_with(MEDIA_TYPE) {
        return Channel::Problem;
    }
    match call.row().map(|row| row.id) {
        Some(EndpointId::AuditEntries) => Channel::AuditEntry,
        Some(EndpointId::RequestLog) => Channel::RequestLog,
        Some(EndpointId::StateDump) => Channel::StateDump,
        _ => Channel::ResponseBody,
    }
}
