//! The normal form of a permission set: its atoms, closed over what actions imply, with
//! constraints in canonical form and without what another atom covers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::bound::{Bound, quoted};
use super::reserved::is_reserved;
use super::{Access, PermissionDocument, PermissionSet, Selector, Statement, limits};
use crate::problem::ProblemType;

/// A part of a permission set has no meaning in the permission document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permissions are refused at `{pointer}`: {reason}")]
pub struct Unknown {
    /// JSON Pointer (RFC 6901) to the place. It holds positions and names that the
    /// document defines, never text that only the input has.
    pub pointer: String,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong with a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// The document has no such resource type.
    #[error("the resource type is not in the permission document")]
    ResourceType,
    /// The resource type has no such action.
    #[error("the resource type does not have the action")]
    Action,
    /// The resource type has no such constraint.
    #[error("the resource type does not have the constraint")]
    Constraint,
    /// The value is one of no kind of constraint.
    #[error("the value is malformed")]
    Form,
    /// The value does not fit the constraint's kind.
    #[error("the value does not fit the kind of the constraint")]
    Value,
    /// The document has no such environment.
    #[error("the environment is not in the permission document")]
    Environment,
    /// The resource type is reserved and is never granted to a credential.
    #[error("the resource type is reserved")]
    Reserved,
    /// Nothing where something is needed, or more than the bound (see [`limits`]).
    #[error("too few or too many entries")]
    Size,
    /// An action stands twice.
    #[error("the action is repeated")]
    Repeated,
}

impl Reason {
    /// The problem with which an issuer refuses a body for this reason.
    #[must_use]
    pub const fn problem(self) -> ProblemType {
        match self {
            Self::ResourceType | Self::Action | Self::Constraint | Self::Value | Self::Reserved => {
                ProblemType::UnknownPermission
            }
            Self::Environment => ProblemType::UnknownEnvironment,
            Self::Form | Self::Size | Self::Repeated => ProblemType::InvalidRequest,
        }
    }
}

/// Where actions are granted: resources of one type, under constraints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region {
    pub(super) resource_type: String,
    pub(super) selector: Selector,
    pub(super) constraints: BTreeMap<String, Bound>,
}

impl Region {
    /// Whether every access in this region is in `other` too.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.resource_type == other.resource_type
            && other.selector.contains(&self.selector)
            && other.constraints.iter().all(|(name, outer)| {
                self.constraints
                    .get(name)
                    .is_some_and(|inner| inner.is_within(outer))
            })
    }

    /// The constraints in brackets, after a space; empty where there is none.
    pub(super) fn constraints_text(&self) -> String {
        let parts: Vec<_> = self
            .constraints
            .iter()
            .map(|(name, bound)| format!("{name}{bound}"))
            .collect();
        if parts.is_empty() {
            return String::new();
        }
        format!(" [{}]", parts.join("; "))
    }
}

/// The normal form of a permission set.
///
/// Two sets have equal normal forms exactly if [`compare`](super::compare) says `equal`.
/// What an atom grants no longer depends on a document, so atoms that are kept when a
/// credential is issued are what it opens for as long as it lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Atoms {
    /// Atoms that differ only in their action, together: comparing costs by regions, of
    /// which there are at most [`limits::STATEMENTS`], and not by atoms.
    pub(super) regions: BTreeMap<Region, BTreeSet<String>>,
}

/// One action in one place: the least part of a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atom<'a> {
    pub(super) region: &'a Region,
    pub(super) action: &'a str,
}

impl<'a> Atom<'a> {
    /// The type of the resources concerned.
    #[must_use]
    pub fn resource_type(self) -> &'a str {
        &self.region.resource_type
    }

    /// Which resources of that type.
    #[must_use]
    pub fn selector(self) -> &'a Selector {
        &self.region.selector
    }

    /// What may be done with them.
    #[must_use]
    pub fn action(self) -> &'a str {
        self.action
    }
}

impl fmt::Display for Atom<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selector = quoted(self.region.selector.as_str());
        write!(
            formatter,
            "`{}` on `{}` {selector}{}",
            self.action,
            self.region.resource_type,
            self.region.constraints_text()
        )
    }
}

impl Atoms {
    /// The atoms in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Atom<'_>> {
        self.regions
            .iter()
            .flat_map(|(region, actions)| actions.iter().map(move |action| Atom { region, action }))
    }

    /// Whether the access is one that an atom grants.
    #[must_use]
    pub fn allows(&self, access: Access<'_>) -> bool {
        self.regions.iter().any(|(region, actions)| {
            actions.contains(access.action)
                && region.resource_type == access.resource_type
                && region.selector.admits(access.path)
                && region.constraints.iter().all(|(name, bound)| {
                    access
                        .facts
                        .get(name)
                        .is_some_and(|fact| bound.admits(fact))
                })
        })
    }

    /// The first atom that is not within an atom of `other`.
    pub(super) fn first_outside<'a>(&'a self, other: &Self) -> Option<Atom<'a>> {
        self.regions.iter().find_map(|(region, actions)| {
            let wider: Vec<_> = other
                .regions
                .iter()
                .filter(|(wide, _)| region.is_within(wide))
                .map(|(_, granted)| granted)
                .collect();
            actions
                .iter()
                .find(|action| !wider.iter().any(|granted| granted.contains(*action)))
                .map(|action| Atom { region, action })
        })
    }

    /// Takes away every atom that another one covers.
    fn without_covered(self) -> Self {
        let all: Vec<_> = self.regions.iter().collect();
        let regions = self
            .regions
            .iter()
            .map(|(region, actions)| {
                // No two regions are equal, so of two different ones at most one is within
                // the other, and the widest atoms are never lost.
                let wider: Vec<_> = all
                    .iter()
                    .filter(|(wide, _)| *wide != region && region.is_within(wide))
                    .collect();
                let left: BTreeSet<_> = actions
                    .iter()
                    .filter(|action| !wider.iter().any(|(_, granted)| granted.contains(*action)))
                    .cloned()
                    .collect();
                (region.clone(), left)
            })
            .filter(|(_, actions)| !actions.is_empty())
            .collect();
        Self { regions }
    }
}

/// Brings a permission set into its normal form.
///
/// # Errors
/// The first [`Unknown`] part, with a pointer into the set.
pub fn normalise(document: &PermissionDocument, set: &PermissionSet) -> Result<Atoms, Unknown> {
    if set.0.len() > limits::STATEMENTS {
        return Err(unknown(String::new(), Reason::Size));
    }
    let mut atoms = Atoms::default();
    for (position, statement) in set.0.iter().enumerate() {
        let (region, actions) = read(document, statement).map_err(|fault| Unknown {
            pointer: format!("/{position}{}", fault.pointer),
            reason: fault.reason,
        })?;
        atoms.regions.entry(region).or_default().extend(actions);
    }
    Ok(atoms.without_covered())
}

fn read(
    document: &PermissionDocument,
    statement: &Statement,
) -> Result<(Region, BTreeSet<String>), Unknown> {
    let definition = document
        .resource_type(&statement.resource_type)
        .ok_or_else(|| unknown("/resource_type".to_owned(), Reason::ResourceType))?;
    if !(1..=limits::ACTIONS_NAMED).contains(&statement.actions.len()) {
        return Err(unknown("/actions".to_owned(), Reason::Size));
    }
    let mut named = BTreeSet::new();
    for (position, action) in statement.actions.iter().enumerate() {
        let reason = if !definition.actions.contains_key(action) {
            Reason::Action
        } else if !named.insert(action) {
            Reason::Repeated
        } else {
            continue;
        };
        return Err(unknown(format!("/actions/{position}"), reason));
    }
    if statement.constraints.len() > limits::CONSTRAINTS {
        return Err(unknown("/constraints".to_owned(), Reason::Size));
    }
    let mut constraints = BTreeMap::new();
    for (name, value) in &statement.constraints {
        let kind = definition
            .constraint_kind(name)
            .ok_or_else(|| unknown("/constraints".to_owned(), Reason::Constraint))?;
        let bound = Bound::new(kind, value)
            .map_err(|reason| unknown(format!("/constraints/{name}"), reason))?;
        constraints.insert(name.clone(), bound);
    }
    let actions = definition
        .closure(named)
        .ok_or_else(|| unknown("/actions".to_owned(), Reason::Action))?
        .into_iter()
        .map(str::to_owned)
        .collect();
    let region = Region {
        resource_type: statement.resource_type.clone(),
        selector: statement.selector.clone(),
        constraints,
    };
    Ok((region, actions))
}

/// Checks that a credential can be given `set` in `environment`: that everything named is
/// in the document, and that no reserved resource type is among it.
///
/// # Errors
/// The first fault, with a pointer into a body whose members are `permissions` and
/// `environment`.
pub fn check_against(
    document: &PermissionDocument,
    set: &PermissionSet,
    environment: &str,
) -> Result<(), Unknown> {
    if !document
        .environments
        .iter()
        .any(|known| known == environment)
    {
        return Err(unknown("/environment".to_owned(), Reason::Environment));
    }
    if set.0.is_empty() {
        return Err(unknown("/permissions".to_owned(), Reason::Size));
    }
    let reserved = set
        .0
        .iter()
        .position(|statement| is_reserved(&statement.resource_type));
    if let Some(position) = reserved {
        let pointer = format!("/permissions/{position}/resource_type");
        return Err(unknown(pointer, Reason::Reserved));
    }
    normalise(document, set)
        .map(|_| ())
        .map_err(|fault| Unknown {
            pointer: format!("/permissions{}", fault.pointer),
            reason: fault.reason,
        })
}

fn unknown(pointer: String, reason: Reason) -> Unknown {
    Unknown { pointer, reason }
}
