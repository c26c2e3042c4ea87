//! The comparison of the specification written down once more, as plainly as it can be:
//! every atom spelled out, every pair looked at, networks as ranges of addresses. It shares
//! nothing with the code that it is compared with, and can be told to make a mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;

/// A mistake that people make in comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// `a/b/*` is taken to cover `a/bc`.
    PrefixWithoutSegment,
    /// A constraint that the narrower one lacks is taken as met.
    MissingConstraintMet,
    /// IPv4 networks are taken as lying in `::/0`, as their mapped addresses do.
    MappedIntoIpv6,
    /// An action is taken to grant what implies it.
    ImplicationReversed,
    /// The actions of one atom and the place of another are taken together.
    AtomsMixed,
    /// Sets of which some members agree are taken as one within the other.
    OverlapIsEnough,
    /// A lower bound is read as an upper one.
    MinReadAsMax,
}

/// One action in one place.
#[derive(Clone, Debug)]
pub struct Atom {
    resource_type: String,
    selector: String,
    action: String,
    bounds: BTreeMap<String, Bound>,
}

#[derive(Clone, Debug)]
enum Bound {
    Set(BTreeSet<String>),
    Max(i64),
    Min(i64),
    Interval(i64, i64),
    Ranges(Vec<(u8, u128, u128)>),
    Flag,
}

/// Every atom of a set, implied actions included.
pub fn spell_out(document: &Value, set: &Value, mistake: Option<Mistake>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for statement in set.as_array().unwrap() {
        let name = statement["resource_type"].as_str().unwrap();
        let definition = &document["resource_types"][name];
        let mut actions: BTreeSet<&str> = BTreeSet::new();
        let mut waiting: Vec<&str> = texts(&statement["actions"]).collect();
        while let Some(action) = waiting.pop() {
            if actions.insert(action) {
                let all = &definition["actions"];
                if mistake == Some(Mistake::ImplicationReversed) {
                    let implying = all
                        .as_object()
                        .into_iter()
                        .flatten()
                        .filter(|(_, other)| texts(&other["implies"]).any(|it| it == action));
                    waiting.extend(implying.map(|(name, _)| name.as_str()));
                } else {
                    waiting.extend(texts(&all[action]["implies"]));
                }
            }
        }
        let none = serde_json::Map::new();
        let bounds: BTreeMap<_, _> = statement["constraints"]
            .as_object()
            .unwrap_or(&none)
            .iter()
            .map(|(name, value)| {
                let kind = definition["constraints"][name]["kind"].as_str().unwrap();
                (name.clone(), bound(kind, value))
            })
            .collect();
        atoms.extend(actions.into_iter().map(|action| Atom {
            resource_type: name.to_owned(),
            selector: statement["selector"].as_str().unwrap().to_owned(),
            action: action.to_owned(),
            bounds: bounds.clone(),
        }));
    }
    atoms
}

/// How the first atoms relate to the second.
pub fn verdict(first: &[Atom], second: &[Atom], mistake: Option<Mistake>) -> &'static str {
    match (
        stays_within(first, second, mistake),
        stays_within(second, first, mistake),
    ) {
        (true, true) => "equal",
        (true, false) => "narrower",
        (false, true) => "broader",
        (false, false) => "incomparable",
    }
}

/// Whether each of the first atoms is within one of the second, pair by pair.
pub fn stays_within(first: &[Atom], second: &[Atom], mistake: Option<Mistake>) -> bool {
    first.iter().all(|narrow| {
        if mistake == Some(Mistake::AtomsMixed) {
            return second.iter().any(|wide| narrow.action == wide.action)
                && second.iter().any(|wide| is_in_place(narrow, wide, mistake));
        }
        second
            .iter()
            .any(|wide| narrow.action == wide.action && is_in_place(narrow, wide, mistake))
    })
}

fn is_in_place(narrow: &Atom, wide: &Atom, mistake: Option<Mistake>) -> bool {
    narrow.resource_type == wide.resource_type
        && covers(&wide.selector, &narrow.selector, mistake)
        && wide
            .bounds
            .iter()
            .all(|(name, outer)| match narrow.bounds.get(name) {
                Some(inner) => is_tighter(inner, outer, mistake),
                None => mistake == Some(Mistake::MissingConstraintMet),
            })
}

fn covers(wide: &str, narrow: &str, mistake: Option<Mistake>) -> bool {
    let start = match mistake {
        Some(Mistake::PrefixWithoutSegment) => wide.strip_suffix("/*"),
        _ => None,
    };
    match start.or_else(|| wide.strip_suffix('*')) {
        Some(start) => narrow.starts_with(start),
        None => narrow == wide,
    }
}

fn is_tighter(inner: &Bound, outer: &Bound, mistake: Option<Mistake>) -> bool {
    match (inner, outer) {
        (Bound::Set(inner), Bound::Set(outer)) if mistake == Some(Mistake::OverlapIsEnough) => {
            !inner.is_disjoint(outer)
        }
        (Bound::Set(inner), Bound::Set(outer)) => inner.is_subset(outer),
        (Bound::Min(inner), Bound::Min(outer)) if mistake == Some(Mistake::MinReadAsMax) => {
            inner <= outer
        }
        (Bound::Max(inner), Bound::Max(outer)) => inner <= outer,
        (Bound::Min(inner), Bound::Min(outer)) => inner >= outer,
        (Bound::Interval(from, to), Bound::Interval(least, most)) => from >= least && to <= most,
        (Bound::Ranges(inner), Bound::Ranges(outer)) => inner.iter().all(|inner| {
            outer.iter().any(|outer| {
                inner.0 == outer.0 && outer.1 <= inner.1 && inner.2 <= outer.2
                    || mistake == Some(Mistake::MappedIntoIpv6)
                        && inner.0 == 4
                        && *outer == (6, 0, u128::MAX)
            })
        }),
        (Bound::Flag, Bound::Flag) => true,
        _ => false,
    }
}

fn bound(kind: &str, value: &Value) -> Bound {
    let number = |value: &Value| value.as_i64().unwrap();
    match kind {
        "set" => Bound::Set(texts(value).map(str::to_owned).collect()),
        "max" => Bound::Max(number(value)),
        "min" => Bound::Min(number(value)),
        "interval" => Bound::Interval(number(&value["from"]), number(&value["to"])),
        "cidr_set" => Bound::Ranges(joined(texts(value).map(range).collect())),
        "flag" => Bound::Flag,
        other => unreachable!("{other}"),
    }
}

/// Family, first and last address.
fn range(network: &str) -> (u8, u128, u128) {
    let (base, length) = network.split_once('/').unwrap();
    let length: u32 = length.parse().unwrap();
    let (family, first, width) = match base.parse().unwrap() {
        IpAddr::V4(address) => (4, u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (6, address.to_bits(), 128),
    };
    let size = 1_u128
        .checked_shl(width - length)
        .map_or(u128::MAX, |size| size - 1);
    (family, first, first + size)
}

/// Ranges that touch or overlap made one.
fn joined(mut ranges: Vec<(u8, u128, u128)>) -> Vec<(u8, u128, u128)> {
    ranges.sort_unstable();
    let mut result: Vec<(u8, u128, u128)> = Vec::new();
    for (family, first, last) in ranges {
        match result.last_mut() {
            Some(before) if before.0 == family && first <= before.2.saturating_add(1) => {
                before.2 = before.2.max(last);
            }
            _ => result.push((family, first, last)),
        }
    }
    result
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap())
}
