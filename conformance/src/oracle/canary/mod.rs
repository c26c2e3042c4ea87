//! Every secret of a run is a canary: once known, it is looked for in all that comes out
//! afterwards, as it is and in the spellings in which secrets usually leak. However many
//! secrets there are, a text is gone through once for each way of reading it.

mod channel;
mod process;
mod spelling;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub use self::channel::Channel;
pub use self::process::of_process;
pub use self::spelling::Spelling;
use self::spelling::{Form, forms, without_escapes, without_percent};

/// Shorter secrets would be found by chance.
const SHORTEST: usize = 12;

/// How much of the end of a form leads to it, in bytes. The rest is compared where that stands.
const TAIL: usize = 16;

/// The secrets that are known.
#[derive(Clone, Default)]
pub struct Canary {
    needles: Vec<Arc<Needle>>,
    known: HashSet<Vec<u8>>,
    finder: OnceLock<Arc<Finder>>,
}

struct Needle {
    label: String,
    raw: Vec<u8>,
    forms: Vec<Form>,
    /// It is hidden where it stands as a word, and not looked for.
    short: bool,
}

/// A secret where it should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// What secret: its label, never its text.
    pub secret: String,
    /// Where.
    pub channel: Channel,
    /// As what.
    pub spelling: Spelling,
}

impl std::fmt::Display for Find {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.secret, self.spelling.name())
    }
}

impl std::fmt::Debug for Canary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_list()
            .entries(self.needles.iter().map(|needle| &needle.label))
            .finish()
    }
}

impl Canary {
    /// Looks for this secret from now on. One that is too short for that is only hidden from
    /// what is shown, and only where it is a word of its own.
    pub fn taint(&mut self, label: impl Into<String>, secret: &str) {
        self.taint_bytes(label, secret.as_bytes());
    }

    /// Looks for a secret that is no text, such as a private key, from now on.
    pub fn taint_bytes(&mut self, label: impl Into<String>, secret: &[u8]) {
        if secret.is_empty() || !self.known.insert(secret.to_vec()) {
            return;
        }
        self.finder = OnceLock::new();
        self.needles.push(Arc::new(Needle {
            label: label.into(),
            raw: secret.to_vec(),
            forms: forms(secret),
            short: secret.len() < SHORTEST,
        }));
    }

    /// Looks for an API key from now on: as a whole, and by the part that is secret. Prefix
    /// and key id are public.
    pub fn taint_key(&mut self, label: impl Into<String>, key: &str) {
        let label = label.into();
        if let Some((_, tail)) = key.rsplit_once('_') {
            self.taint(format!("the secret part of {label}"), tail);
        }
        self.taint(label, key);
    }

    /// Looks for everything that the other looks for, from now on.
    pub fn learn(&mut self, other: &Self) {
        for needle in &other.needles {
            if self.known.insert(needle.raw.clone()) {
                self.finder = OnceLock::new();
                self.needles.push(Arc::clone(needle));
            }
        }
    }

    /// How many secrets are looked for.
    #[must_use]
    pub fn secrets(&self) -> usize {
        self.needles.iter().filter(|needle| !needle.short).count()
    }

    /// What secret stands in a text, if one does, whatever it is written as. In an audit entry
    /// the leaf is decoded too.
    #[must_use]
    pub fn search(&self, channel: Channel, text: &[u8]) -> Option<Find> {
        let found = self.first(channel, text);
        if found.is_some() || channel != Channel::AuditEntry {
            return found;
        }
        let mut leaves = Vec::new();
        find_leaves(
            &serde_json::from_slice(text).unwrap_or_default(),
            &mut leaves,
        );
        leaves.iter().find_map(|leaf| self.first(channel, leaf))
    }

    fn first(&self, channel: Channel, text: &[u8]) -> Option<Find> {
        let hit = self.hits(text, true).into_iter().next()?;
        Some(Find {
            secret: self.needles.get(hit.needle)?.label.clone(),
            channel,
            spelling: hit.spelling,
        })
    }

    /// The text without the secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut hits = self.hits(text.as_bytes(), false);
        // The longest of those that begin together gives the label.
        hits.sort_by_key(|hit| (hit.from, std::cmp::Reverse(hit.to)));
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        for hit in hits {
            if hit.from >= at {
                clean.push_str(text.get(at..hit.from).unwrap_or_default());
                let label = self.needles.get(hit.needle).map(|needle| &needle.label);
                clean.push_str(&format!("[{}]", label.map_or("a secret", String::as_str)));
            }
            at = at.max(hit.to);
        }
        clean.push_str(text.get(at..).unwrap_or_default());
        // Short ones last: they could stand in a label, and labels name long ones.
        for needle in self.needles.iter().filter(|needle| needle.short) {
            if let Ok(word) = std::str::from_utf8(&needle.raw) {
                clean = hide_word(&clean, word, &format!("[{}]", needle.label));
            }
        }
        clean
    }

    /// Where secrets stand in a text: as it is, and as it is read back.
    fn hits(&self, text: &[u8], one: bool) -> Vec<Hit> {
        if self.needles.iter().all(|needle| needle.short) {
            return Vec::new();
        }
        let finder = self
            .finder
            .get_or_init(|| Arc::new(Finder::new(&self.needles)));
        let mut hits = finder.hits(&self.needles, text, one);
        for (spelling, read) in [
            (Spelling::Percent, without_percent(text)),
            (Spelling::Json, without_escapes(text)),
        ] {
            let Some(read) = read.filter(|_| !one || hits.is_empty()) else {
                continue;
            };
            hits.extend(
                finder
                    .hits(&self.needles, &read.bytes, one)
                    .into_iter()
                    .map(|hit| {
                        let (from, to) = read.place(hit.from, hit.to);
                        Hit {
                            from,
                            to,
                            spelling,
                            ..hit
                        }
                    }),
            );
        }
        hits
    }
}

/// Where a secret stands.
#[derive(Clone, Copy)]
struct Hit {
    from: usize,
    to: usize,
    needle: usize,
    spelling: Spelling,
}

/// Finds all forms of all secrets in one go, by how they end.
struct Finder {
    automaton: Option<AhoCorasick>,
    /// By the number of an ending, the forms that have it: needle and form.
    forms: Vec<Vec<(usize, usize)>>,
}

impl Finder {
    fn new(needles: &[Arc<Needle>]) -> Self {
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut forms: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut endings: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        let long = needles.iter().enumerate().filter(|(_, one)| !one.short);
        for (at, needle) in long {
            for (which, form) in needle.forms.iter().enumerate() {
                let tail = form.bytes.len().saturating_sub(TAIL);
                let ending = form.bytes.get(tail..).unwrap_or_default().to_vec();
                let number = *numbers
                    .entry(ending.to_ascii_lowercase())
                    .or_insert_with(|| {
                        forms.push(Vec::new());
                        endings.insert(forms.len() - 1, ending);
                        forms.len() - 1
                    });
                if let Some(same) = forms.get_mut(number) {
                    same.push((at, which));
                }
            }
        }
        // Only a set of endings beyond all bounds does not build.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(endings.values())
            .ok();
        Self { automaton, forms }
    }

    fn hits(&self, needles: &[Arc<Needle>], text: &[u8], one: bool) -> Vec<Hit> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        let mut hits = Vec::new();
        for found in automaton.find_overlapping_iter(text) {
            let to = found.end();
            for (at, which) in self
                .forms
                .get(found.pattern().as_usize())
                .into_iter()
                .flatten()
            {
                let form = needles.get(*at).and_then(|needle| needle.forms.get(*which));
                let Some(form) = form else { continue };
                let whole = to
                    .checked_sub(form.bytes.len())
                    .and_then(|from| Some((from, text.get(from..to)?)));
                if let Some((from, _)) = whole.filter(|(_, text)| form.is(text)) {
                    hits.push(Hit {
                        from,
                        to,
                        needle: *at,
                        spelling: form.spelling,
                    });
                    if one {
                        return hits;
                    }
                }
            }
        }
        hits
    }
}

/// The decoded leaves of audit entries, wherever in a value they stand.
fn find_leaves(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| find_leaves(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "leaf" => {
                        found.extend(STANDARD.decode(text).ok());
                    }
                    member => find_leaves(member, found),
                }
            }
        }
        _ => {}
    }
}

/// Puts a label where a word stands between others.
fn hide_word(text: &str, word: &str, label: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some((head, tail)) = rest.split_once(word) {
        let left = head.chars().next_back().or(before);
        let inside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        clean.push_str(head);
        if inside(left) || inside(tail.chars().next()) {
            clean.push_str(word);
        } else {
            clean.push_str(label);
        }
        before = word.chars().next_back();
        rest = tail;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests;
