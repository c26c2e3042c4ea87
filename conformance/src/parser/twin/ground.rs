//! What `Given` steps leave behind: objects, and what was done to each before the twin.

use std::collections::HashMap;

use gherkin::Step;

use super::rows;

/// The nouns of what a `Given` can make. One of them made after the twin is a fresh object,
/// and what it is made as counts where a call is made on it.
const NOUNS: [&str; 8] = [
    "credential",
    "credentials",
    "request",
    "installation",
    "passkey",
    "receiver",
    "key",
    "pair",
];

/// Sentences that change nothing for a call, or give back what an accepted one used up: those
/// that only look or wait, and the end of a successor, which takes a rotation back.
const REBUILD: [(&str, &str); 3] = [
    ("the entries of ", " are counted"),
    ("the longest propagation ", "has passed"),
    ("Ana ", "revokes successor"),
];

/// What a `Given` is to the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// It is there for the twin too, or only makes again what a call used up.
    Arranged,
    /// It is something that the twin did not have.
    Changed,
}

/// What was given so far.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// How each object came about, by its name; the unnamed ones by `""` too.
    objects: HashMap<String, Vec<String>>,
    /// The sentences that were given before the twin.
    before: Vec<String>,
}

impl Ground {
    /// Takes down what a step gives; `first` where nothing was accepted yet.
    pub(super) fn take(&mut self, step: &Step, first: bool) -> Given {
        let text = step.value.trim().trim_end_matches(" with:");
        if let Some((name, made)) = fresh(text) {
            let table = rows(step).map(|(part, value)| format!("; {part}: {}", self.form(&value)));
            let history = vec![made + &table.collect::<String>()];
            if name.is_none() {
                self.objects.insert(String::new(), history.clone());
            }
            let noun = || text.split(' ').rfind(|word| NOUNS.contains(word));
            if let Some(name) = name.as_deref().or_else(noun) {
                self.objects.insert(name.to_owned(), history);
            }
            return Given::Arranged;
        }
        if let Some((signed, on)) = signature(text) {
            for name in self.names(&on) {
                let history = self.objects.entry(name).or_default();
                history.retain(|line| !line.contains(" signs "));
                history.push(signed.clone());
            }
            return Given::Arranged;
        }
        if first {
            for name in self.names(text) {
                let line = anonymous(text, &name);
                self.objects.entry(name).or_default().push(line);
            }
            self.before.push(text.to_owned());
            return Given::Arranged;
        }
        let rebuilt = REBUILD
            .iter()
            .any(|(begin, end)| text.starts_with(begin) && text.ends_with(end));
        // Said again word for word, it gives back what the twin had.
        if rebuilt || self.before.iter().any(|before| before == text) {
            Given::Arranged
        } else {
            Given::Changed
        }
    }

    /// How what a call is made on came about, from the last part of its path to the first.
    pub(super) fn history(&self, object: &str) -> Vec<Origin> {
        object
            .rsplit('/')
            .map(|name| match self.objects.get(name) {
                Some(history) => Origin::Given(history.clone()),
                // Who declares a place chooses its id, so any id is a fresh place.
                None if name.starts_with("\"ins_") => Origin::Unknown,
                None if name.starts_with('"') => Origin::Literal(name.to_owned()),
                None => Origin::Unknown,
            })
            .collect()
    }

    /// A value in which each reference, such as `{first.id}`, names the making of its object
    /// instead of the object.
    pub(super) fn form(&self, value: &str) -> String {
        let mut form = String::new();
        for (at, part) in value.split('{').enumerate() {
            let end = part.find(['.', '}', '_']).unwrap_or(0);
            let (name, rest) = part.split_at(end);
            match self.objects.get(name) {
                Some(history) if at > 0 => form = form + "{" + &history.join("; ") + rest,
                _ => form = form + if at > 0 { "{" } else { "" } + part,
            }
        }
        form
    }

    /// The objects that a sentence names, references such as `{first.id}` aside. One whose
    /// name is its noun is the unnamed one as well.
    fn names(&self, text: &str) -> Vec<String> {
        let mut found: Vec<String> = text
            .split(' ')
            .filter(|word| self.objects.contains_key(*word))
            .map(str::to_owned)
            .collect();
        if found.iter().any(|name| NOUNS.contains(&name.as_str())) {
            found.push(String::new());
        }
        found
    }
}

/// How an object came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was made, and this was done to it.
    Given(Vec<String>),
    /// It is an id that nobody gave out.
    Literal(String),
    /// The text does not say.
    Unknown,
}

/// In how many lines two histories differ. Where one path is longer, only what both have counts.
pub(super) fn differences(left: &[Origin], right: &[Origin]) -> usize {
    std::iter::zip(left, right)
        .map(|(left, right)| match (left, right) {
            (Origin::Given(left), Origin::Given(right)) => only(left, right).max(only(right, left)),
            _ => usize::from(left != right),
        })
        .sum()
}

/// How many lines stand in `these` and not in `those`.
fn only(these: &[String], those: &[String]) -> usize {
    let mut rest = those.to_vec();
    these
        .iter()
        .filter(|line| match rest.iter().position(|one| one == *line) {
            Some(at) => {
                rest.swap_remove(at);
                false
            }
            None => true,
        })
        .count()
}

/// The name and the making of a fresh object, as in `an active credential called first`.
fn fresh(text: &str) -> Option<(Option<String>, String)> {
    let made = text
        .strip_prefix("an ")
        .or_else(|| text.strip_prefix("a "))?;
    let (kind, called) = made.split_once(" called ").unwrap_or((made, ""));
    if !kind.split(' ').any(|word| NOUNS.contains(&word)) {
        return None;
    }
    let (name, rest) = called.split_once(' ').unwrap_or((called, ""));
    let name = (!name.is_empty()).then(|| name.to_owned());
    Some((name, format!("{kind} {rest}").trim_end().to_owned()))
}

/// A signature over a challenge for an object, and that object.
fn signature(text: &str) -> Option<(String, String)> {
    let (signer, rest) = text.split_once(" signs ")?;
    let (what, on) = rest.split_once(" for ")?;
    let (object, how) = on.split_once(' ').unwrap_or((on, ""));
    Some((format!("{signer} signs {what} {how}"), object.to_owned()))
}

/// A sentence without the name, so that the histories of two objects compare.
fn anonymous(text: &str, name: &str) -> String {
    let words: Vec<&str> = text
        .split(' ')
        .map(|word| if word == name { "it" } else { word })
        .collect();
    words.join(" ")
}
