//! Constraint values in canonical form, and which of two is tighter.

use std::collections::BTreeSet;
use std::fmt;

use super::network::{Network, address, aggregate};
use super::text::is_member;
use super::{ConstraintKind, ConstraintValue, Fact, limits};
use crate::json::MAX_INTEGER;

/// A constraint's value together with its kind. Two bounds admit the same accesses exactly
/// if they are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    Set(BTreeSet<String>),
    Max(i64),
    Min(i64),
    CidrSet(BTreeSet<Network>),
    Interval(i64, i64),
    Flag,
}

impl Bound {
    /// `None` where the value does not fit the kind.
    pub(super) fn new(kind: ConstraintKind, value: &ConstraintValue) -> Option<Self> {
        match (kind, value) {
            (ConstraintKind::Set, ConstraintValue::Members(members)) => {
                let fine = is_sized(members) && members.iter().all(|member| is_member(member));
                let distinct: BTreeSet<_> = members.iter().cloned().collect();
                (fine && distinct.len() == members.len()).then_some(Self::Set(distinct))
            }
            (ConstraintKind::CidrSet, ConstraintValue::Members(members)) if is_sized(members) => {
                let networks: Option<Vec<_>> =
                    members.iter().map(|text| Network::parse(text)).collect();
                networks.map(|networks| Self::CidrSet(aggregate(networks)))
            }
            (ConstraintKind::Max, ConstraintValue::Bound(most)) => {
                is_exact(*most).then_some(Self::Max(*most))
            }
            (ConstraintKind::Min, ConstraintValue::Bound(least)) => {
                is_exact(*least).then_some(Self::Min(*least))
            }
            (ConstraintKind::Interval, ConstraintValue::Interval(span)) => {
                let fine = span.from <= span.to && is_exact(span.from) && is_exact(span.to);
                fine.then_some(Self::Interval(span.from, span.to))
            }
            (ConstraintKind::Flag, ConstraintValue::Flag(true)) => Some(Self::Flag),
            _ => None,
        }
    }

    /// Whether this bound is at least as tight as `other`. Bounds of two kinds never are.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Set(inner), Self::Set(outer)) => inner.is_subset(outer),
            (Self::Max(inner), Self::Max(outer)) => inner <= outer,
            (Self::Min(inner), Self::Min(outer)) => inner >= outer,
            (Self::CidrSet(inner), Self::CidrSet(outer)) => inner
                .iter()
                .all(|network| outer.iter().any(|wide| wide.contains(*network))),
            (Self::Interval(from, to), Self::Interval(least, most)) => least <= from && to <= most,
            (Self::Flag, Self::Flag) => true,
            _ => false,
        }
    }

    /// Whether an access of which `fact` is known keeps to this bound.
    pub(super) fn admits(&self, fact: &Fact) -> bool {
        match (self, fact) {
            (Self::Set(members), Fact::Text(member)) => members.contains(member),
            (Self::Max(most), Fact::Number(number)) => number <= most,
            (Self::Min(least), Fact::Number(number)) => number >= least,
            (Self::CidrSet(networks), Fact::Text(text)) => address(text)
                .is_some_and(|host| networks.iter().any(|network| network.contains(host))),
            (Self::Interval(from, to), Fact::Number(number)) => (from..=to).contains(&number),
            (Self::Flag, Fact::Flag(kept)) => *kept,
            _ => false,
        }
    }
}

fn is_sized(members: &[String]) -> bool {
    (1..=limits::MEMBERS).contains(&members.len())
}

/// Whether every JSON reader keeps the integer.
fn is_exact(number: i64) -> bool {
    number.unsigned_abs() <= MAX_INTEGER
}

/// The bound as people are shown it, after the constraint's name: ` <= 10`, `: "a", "b"`.
impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(members) => list(formatter, members.iter().map(|member| quoted(member))),
            Self::CidrSet(networks) => list(formatter, networks.iter().map(ToString::to_string)),
            Self::Max(most) => write!(formatter, " <= {most}"),
            Self::Min(least) => write!(formatter, " >= {least}"),
            Self::Interval(from, to) => write!(formatter, " {from}..{to}"),
            Self::Flag => Ok(()),
        }
    }
}

fn list(formatter: &mut fmt::Formatter<'_>, items: impl Iterator<Item = String>) -> fmt::Result {
    let items: Vec<_> = items.collect();
    write!(formatter, ": {}", items.join(", "))
}

/// A value chosen by a requester, in quotes and with its own quotes escaped as in JSON, so
/// that it cannot pass for the words around it.
pub(super) fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
