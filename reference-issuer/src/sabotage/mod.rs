//! Issuers that break one requirement each, so that the suite can show that it notices. A table
//! and nothing else: what it uses are the three seams of [`crate::seams`], and no handler knows
//! of it.
//!
//! A saboteur does as little as it can: it breaks its requirement, and what a caller sees
//! otherwise stays as it was.
#![expect(
    clippy::indexing_slicing,
    reason = "reading a member of JSON that is not there gives null, and only what has it is changed"
)]

mod analysis;
mod approve;
mod audit;
mod bodies;
mod control;
mod create;
mod discover;
mod errors;
mod evidence;
mod faults;
mod identity;
mod inventory;
mod log;
mod model;
mod oauth;
mod overlap;
mod page;
mod policy;
mod records;
mod repeat;
mod request;
mod request_change;
mod revoke;
mod rotate;
mod scope;
mod statement;
mod store;
mod transport;
mod ways;
mod webhook;
mod within;

use crate::http::Asked;
use crate::seams::{Alter, Mishear, Seams, Tamper};

/// Seams at which nothing is broken.
const NONE: Seams = Seams {
    skip: &[],
    alter: None,
    mishear: None,
    tamper: None,
    hasty: false,
};

/// An issuer that breaks one requirement.
#[derive(Clone, Copy, Debug)]
pub struct Saboteur {
    /// The requirement, such as `CLP-ROT-004`, and where it has several saboteurs, a word for
    /// this one: `CLP-TRN-016/second-time`.
    pub name: &'static str,
    /// What it does, as a sentence without its subject: `takes a call without a key`.
    pub does: &'static str,
    seams: Seams,
}

impl Saboteur {
    /// One that does not check the rules of its requirement.
    const fn skip(name: &'static str, does: &'static str, rules: &'static [&'static str]) -> Self {
        Self::new(
            name,
            does,
            Seams {
                skip: rules,
                ..NONE
            },
        )
    }

    /// One that does something else than was decided.
    const fn alter(name: &'static str, does: &'static str, alter: Alter) -> Self {
        let alter = Some(alter);
        Self::new(name, does, Seams { alter, ..NONE })
    }

    /// One that takes what is asked for something else.
    const fn mishear(name: &'static str, does: &'static str, mishear: Mishear) -> Self {
        let mishear = Some(mishear);
        Self::new(name, does, Seams { mishear, ..NONE })
    }

    /// One that answers something else.
    const fn tamper(name: &'static str, does: &'static str, tamper: Tamper) -> Self {
        let tamper = Some(tamper);
        Self::new(name, does, Seams { tamper, ..NONE })
    }

    /// The same, and it does not check these rules, which stand behind what it breaks.
    const fn without(mut self, rules: &'static [&'static str]) -> Self {
        self.seams.skip = rules;
        self
    }

    const fn new(name: &'static str, does: &'static str, seams: Seams) -> Self {
        Self { name, does, seams }
    }

    /// The requirement that it breaks.
    #[must_use]
    pub fn requirement(&self) -> &'static str {
        self.name.split('/').next().unwrap_or(self.name)
    }

    /// Where it breaks it.
    pub(crate) fn seams(&self) -> Seams {
        self.seams
    }
}

/// All of them, by area.
const AREAS: &[&[Saboteur]] = &[
    transport::ALL,
    bodies::ALL,
    repeat::ALL,
    overlap::ALL,
    faults::ALL,
    discover::ALL,
    errors::ALL,
    model::ALL,
    create::ALL,
    records::ALL,
    request::ALL,
    request_change::ALL,
    approve::ALL,
    evidence::ALL,
    page::ALL,
    identity::ALL,
    store::ALL,
    inventory::ALL,
    rotate::ALL,
    statement::ALL,
    revoke::ALL,
    scope::ALL,
    analysis::ALL,
    audit::ALL,
    log::ALL,
    oauth::ALL,
    webhook::ALL,
    control::ALL,
    within::ALL,
    policy::ALL,
];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Saboteur> {
    AREAS.iter().copied().flatten()
}

/// Those that break what a suite cannot see, since it starts and kills no issuer; `clp-conformance
/// crash` does.
pub fn unseen() -> impl Iterator<Item = &'static Saboteur> {
    overlap::UNSEEN.iter()
}

/// The one of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Saboteur> {
    all().chain(unseen()).find(|one| one.name == name)
}

/// Takes what stands in the query as a token for what stands in the header field.
fn take_token_from_query(asked: &mut Asked) {
    let mut query = asked.query();
    let Some(at) = query.iter().position(|(name, _)| name == "access_token") else {
        return;
    };
    let (_, token) = query.remove(at);
    asked.set("authorization", &format!("Bearer {token}"));
    asked.set_query(&query);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_requirements_and_each_stands_once() {
        let mut seen = HashSet::new();
        for one in all() {
            assert!(seen.insert(one.name), "{} stands twice", one.name);
            let parts: Vec<&str> = one.requirement().split('-').collect();
            assert!(
                matches!(parts.as_slice(), ["CLP", area, number] if area.len() == 3 && number.len() == 3),
                "{}",
                one.name
            );
            let seams = one.seams();
            assert!(
                !seams.skip.is_empty()
                    || seams.alter.is_some()
                    || seams.mishear.is_some()
                    || seams.tamper.is_some(),
                "{} does nothing",
                one.name
            );
        }
    }
}
