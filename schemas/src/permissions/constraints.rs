//! The constraints of one place in canonical form, by name.

use std::collections::BTreeMap;

use super::bound::Bound;
use super::{ConstraintValue, Facts};

/// All of them have to be met. A name that is absent constrains nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Constraints(BTreeMap<String, Bound>);

impl Constraints {
    pub(super) fn insert(&mut self, name: String, bound: Bound) {
        self.0.insert(name, bound);
    }

    /// Whether each bound of `outer` stands here too, at least as tight.
    pub(super) fn is_within(&self, outer: &Self) -> bool {
        outer
            .0
            .iter()
            .all(|(name, outer)| self.0.get(name).is_some_and(|inner| inner.is_within(outer)))
    }

    /// What meets both; `None` where nothing does.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        let mut both = self.0.clone();
        for (name, bound) in &other.0 {
            let tighter = match both.get(name) {
                None => bound.clone(),
                Some(known) => known.meet(bound)?,
            };
            both.insert(name.clone(), tighter);
        }
        Some(Self(both))
    }

    /// Whether an access of which these facts are known meets all of them.
    pub(super) fn admit(&self, facts: &Facts) -> bool {
        self.0
            .iter()
            .all(|(name, bound)| facts.get(name).is_some_and(|fact| bound.admits(fact)))
    }

    /// As a statement writes them.
    pub(super) fn values(&self) -> BTreeMap<String, ConstraintValue> {
        self.0
            .iter()
            .map(|(name, bound)| (name.clone(), bound.value()))
            .collect()
    }

    /// In brackets, after a space; empty where there is none.
    pub(super) fn text(&self) -> String {
        let parts: Vec<_> = self
            .0
            .iter()
            .map(|(name, bound)| format!("{name}{bound}"))
            .collect();
        if parts.is_empty() {
            return String::new();
        }
        format!(" [{}]", parts.join("; "))
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, bound)| name.len() + bound.bytes())
            .sum()
    }
}
