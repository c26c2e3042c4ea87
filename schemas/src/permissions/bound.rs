//! Constraint values in canonical form, and which of two is tighter.

use std::collections::BTreeSet;
use std::fmt;

use super::network::{Network, address, aggregate, common};
use super::text::is_member;
use super::{ConstraintKind, ConstraintValue, Fact, Interval, Reason, limits};
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
    /// Reads a value as one of `kind`.
    ///
    /// # Errors
    /// [`Reason::Form`] where the value is one of no kind at all, [`Reason::Value`] where it
    /// is none of this kind.
    pub(super) fn new(kind: ConstraintKind, value: &ConstraintValue) -> Result<Self, Reason> {
        if !is_well_formed(value) {
            return Err(Reason::Form);
        }
        let bound = match (kind, value) {
            (ConstraintKind::Set, ConstraintValue::Members(members)) => members
                .iter()
                .all(|member| is_member(member))
                .then(|| Self::Set(members.iter().cloned().collect())),
            (ConstraintKind::CidrSet, ConstraintValue::Members(members)) => {
                let networks: Option<Vec<_>> =
                    members.iter().map(|text| Network::parse(text)).collect();
                networks.map(|networks| Self::CidrSet(aggregate(networks)))
            }
            (ConstraintKind::Max, ConstraintValue::Bound(most)) => Some(Self::Max(*most)),
            (ConstraintKind::Min, ConstraintValue::Bound(least)) => Some(Self::Min(*least)),
            (ConstraintKind::Interval, ConstraintValue::Interval(span)) => {
                (span.from <= span.to).then_some(Self::Interval(span.from, span.to))
            }
            (ConstraintKind::Flag, ConstraintValue::Flag(_)) => Some(Self::Flag),
            _ => None,
        };
        bound.ok_or(Reason::Value)
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

    /// What keeps to both; `None` where nothing does, as with bounds of two kinds.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Set(one), Self::Set(two)) => {
                let both: BTreeSet<_> = one.intersection(two).cloned().collect();
                (!both.is_empty()).then_some(Self::Set(both))
            }
            (Self::Max(one), Self::Max(two)) => Some(Self::Max(*one.min(two))),
            (Self::Min(one), Self::Min(two)) => Some(Self::Min(*one.max(two))),
            (Self::CidrSet(one), Self::CidrSet(two)) => {
                let both = common(one, two);
                (!both.is_empty()).then_some(Self::CidrSet(both))
            }
            (Self::Interval(from, to), Self::Interval(least, most)) => {
                let (from, to) = (*from.max(least), *to.min(most));
                (from <= to).then_some(Self::Interval(from, to))
            }
            (Self::Flag, Self::Flag) => Some(Self::Flag),
            _ => None,
        }
    }

    /// The bound as a statement writes it: members in order and each once, networks
    /// joined.
    pub(super) fn value(&self) -> ConstraintValue {
        match self {
            Self::Set(members) => ConstraintValue::Members(members.iter().cloned().collect()),
            Self::CidrSet(networks) => {
                ConstraintValue::Members(networks.iter().map(ToString::to_string).collect())
            }
            Self::Max(number) | Self::Min(number) => ConstraintValue::Bound(*number),
            Self::Interval(from, to) => ConstraintValue::Interval(Interval {
                from: *from,
                to: *to,
            }),
            Self::Flag => ConstraintValue::Flag(true),
        }
    }

    /// About how many bytes the bound takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Set(members) => members.iter().map(|member| member.len() + 24).sum(),
            Self::CidrSet(networks) => networks.len() * 32,
            Self::Max(_) | Self::Min(_) | Self::Interval(..) | Self::Flag => 16,
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

/// Whether the value keeps to the published schema, which does not know kinds.
fn is_well_formed(value: &ConstraintValue) -> bool {
    match value {
        ConstraintValue::Flag(set) => *set,
        ConstraintValue::Bound(number) => is_exact(*number),
        ConstraintValue::Interval(span) => is_exact(span.from) && is_exact(span.to),
        ConstraintValue::Members(members) => {
            (1..=limits::MEMBERS).contains(&members.len())
                && members.iter().collect::<BTreeSet<_>>().len() == members.len()
                && members
                    .iter()
                    .all(|member| (1..=limits::MEMBER_LENGTH).contains(&member.chars().count()))
        }
    }
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
