//! What of a document could be understood, errors or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use clp_schemas::permissions::Risk;

use super::harmless;

/// A document, as far as it has the right form.
#[derive(Debug, Default)]
pub(super) struct Model<'a> {
    pub(super) types: BTreeMap<&'a str, Type<'a>>,
    /// Titles and consent texts, with their places.
    pub(super) texts: Vec<(String, BTreeMap<&'a str, &'a str>)>,
}

/// A resource type.
#[derive(Debug, Default)]
pub(super) struct Type<'a> {
    pub(super) pointer: String,
    pub(super) actions: BTreeMap<&'a str, Action<'a>>,
    pub(super) constraints: Vec<&'a str>,
}

/// An action.
#[derive(Debug, Default)]
pub(super) struct Action<'a> {
    pub(super) pointer: String,
    /// Known ones alone, each once.
    pub(super) implies: Vec<&'a str>,
    pub(super) risk: Option<Risk>,
    pub(super) consent: BTreeMap<&'a str, &'a str>,
    pub(super) deprecated: bool,
}

impl<'a> Type<'a> {
    /// Every action that `from` implies, directly or through others, with the one through
    /// which it is reached first: the shortest way there. `from` itself is among them where it
    /// implies itself.
    pub(super) fn reached(&self, from: &str) -> BTreeMap<&'a str, Option<&'a str>> {
        let mut came_from = BTreeMap::new();
        let mut waiting = VecDeque::new();
        for next in self.implied(from) {
            came_from.insert(next, None);
            waiting.push_back(next);
        }
        while let Some(at) = waiting.pop_front() {
            for next in self.implied(at) {
                if !came_from.contains_key(next) {
                    came_from.insert(next, Some(at));
                    waiting.push_back(next);
                }
            }
        }
        came_from
    }

    fn implied(&self, from: &str) -> impl Iterator<Item = &'a str> {
        let implies = self.actions.get(from).map(|action| action.implies.clone());
        implies.unwrap_or_default().into_iter()
    }
}

/// The way from an action to one that it reaches, as `write → publish → read`.
pub(super) fn way<'a>(
    from: &'a str,
    to: &'a str,
    came_from: &BTreeMap<&'a str, Option<&'a str>>,
) -> Vec<&'a str> {
    let mut way = vec![to];
    let mut at = to;
    while let Some(Some(before)) = came_from.get(at) {
        way.push(before);
        at = before;
    }
    way.push(from);
    way.reverse();
    way
}

/// Those that stand on a way, for people.
pub(super) fn arrows(way: &[&str]) -> String {
    let steps: Vec<_> = way.iter().map(|step| harmless(step)).collect();
    format!("`{}`", steps.join(" → "))
}

/// Names of a document in one order, each once.
pub(super) type Names<'a> = BTreeSet<&'a str>;
