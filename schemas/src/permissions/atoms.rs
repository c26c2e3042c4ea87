//! The normal form of a permission set, laid out so that what covers a place is looked up
//! and not searched for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::bound::quoted;
use super::constraints::Constraints;
use super::{Access, ConstraintValue, PermissionSet, Selector, Statement, limits};

/// Actions by the constraints under which they are granted.
type Grants = BTreeMap<Constraints, BTreeSet<String>>;

/// The normal form of a permission set.
///
/// Two sets have equal normal forms exactly if [`compare`](super::compare) says `equal`.
/// What an atom grants no longer depends on a document, so atoms that are kept when a
/// credential is issued are what it opens for as long as it lives. The empty normal form,
/// which is the default, grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Atoms {
    /// By resource type, selector and constraints. Atoms that differ only in their action
    /// stand together, and no map in here is empty, so that equal forms are equal values.
    types: BTreeMap<String, BTreeMap<Selector, Grants>>,
}

/// Where actions are granted, and which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region<'a> {
    pub(super) resource_type: &'a str,
    pub(super) selector: &'a Selector,
    pub(super) constraints: &'a Constraints,
    pub(super) actions: &'a BTreeSet<String>,
}

impl Region<'_> {
    fn is_at(self, selector: &Selector, constraints: &Constraints) -> bool {
        self.selector == selector && self.constraints == constraints
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(self) -> usize {
        self.resource_type.len()
            + self.selector.as_str().len()
            + self.constraints.bytes()
            + self.actions.iter().map(String::len).sum::<usize>()
    }
}

/// One action in one place: the least part of a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atom<'a> {
    resource_type: &'a str,
    selector: &'a Selector,
    constraints: &'a Constraints,
    action: &'a str,
}

impl<'a> Atom<'a> {
    /// The type of the resources concerned.
    #[must_use]
    pub fn resource_type(self) -> &'a str {
        self.resource_type
    }

    /// Which resources of that type.
    #[must_use]
    pub fn selector(self) -> &'a Selector {
        self.selector
    }

    /// What may be done with them.
    #[must_use]
    pub fn action(self) -> &'a str {
        self.action
    }

    /// Under which constraints, by name and in canonical form.
    #[must_use]
    pub fn constraints(self) -> BTreeMap<String, ConstraintValue> {
        self.constraints.values()
    }
}

impl fmt::Display for Atom<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selector = quoted(self.selector.as_str());
        write!(
            formatter,
            "`{}` on `{}` {selector}{}",
            self.action,
            self.resource_type,
            self.constraints.text()
        )
    }
}

/// A normal form cannot be written as a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotASet {
    /// It grants nothing, and a permission set has at least one statement.
    #[error("nothing is granted, and a permission set has at least one statement")]
    Empty,
    /// It keeps to the bounds of normal forms, but not to those of statements.
    #[error("more is needed than a permission set can hold; take smaller sets")]
    TooLarge,
}

impl Atoms {
    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// How many atoms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.regions().map(|region| region.actions.len()).sum()
    }

    /// The atoms in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Atom<'_>> {
        self.regions().flat_map(|region| {
            region.actions.iter().map(move |action| Atom {
                resource_type: region.resource_type,
                selector: region.selector,
                constraints: region.constraints,
                action,
            })
        })
    }

    /// The normal form as it is written: a statement for each place, with every action
    /// that is granted there. It is not bounded as a permission set is.
    pub fn statements(&self) -> impl Iterator<Item = Statement> {
        self.regions().map(|region| Statement {
            resource_type: region.resource_type.to_owned(),
            selector: region.selector.clone(),
            actions: region.actions.iter().cloned().collect(),
            constraints: region.constraints.values(),
        })
    }

    /// A permission set that grants what these atoms grant, and what their actions imply.
    ///
    /// The second part adds nothing to what [`normalise`](super::normalise),
    /// [`Atoms::meet`] and [`Atoms::join`] answer under one document, as that is closed
    /// already. It can add to what [`Atoms::subtract`] leaves.
    ///
    /// # Errors
    /// [`NotASet`] where there is no statement to write, or where bounds of permission
    /// sets are broken.
    pub fn to_set(&self) -> Result<PermissionSet, NotASet> {
        let mut statements = Vec::new();
        for statement in self.statements() {
            let fits = statement.constraints.len() <= limits::CONSTRAINTS
                && statement.constraints.values().all(|value| match value {
                    ConstraintValue::Members(members) => members.len() <= limits::MEMBERS,
                    _ => true,
                });
            if !fits {
                return Err(NotASet::TooLarge);
            }
            let parts = statement.actions.chunks(limits::ACTIONS_NAMED);
            statements.extend(parts.map(|actions| Statement {
                actions: actions.to_vec(),
                ..statement.clone()
            }));
            if statements.len() > limits::STATEMENTS {
                return Err(NotASet::TooLarge);
            }
        }
        if statements.is_empty() {
            return Err(NotASet::Empty);
        }
        Ok(PermissionSet(statements))
    }

    /// Whether the access is one that an atom grants.
    #[must_use]
    pub fn allows(&self, access: Access<'_>) -> bool {
        Selector::is_resource(access.path)
            && self
                .covering(access.resource_type, access.path)
                .any(|region| {
                    region.actions.contains(access.action) && region.constraints.admit(access.facts)
                })
    }

    pub(super) fn regions(&self) -> impl Iterator<Item = Region<'_>> {
        self.types.iter().flat_map(|(resource_type, places)| {
            places.iter().flat_map(move |(selector, grants)| {
                grants.iter().map(move |(constraints, actions)| Region {
                    resource_type,
                    selector,
                    constraints,
                    actions,
                })
            })
        })
    }

    /// The regions of one type whose selector covers `text`, the text of a selector or a
    /// path. There are at most as many selectors to look up as `text` has segments, and
    /// two, however many regions there are.
    pub(super) fn covering<'a>(
        &'a self,
        resource_type: &str,
        text: &str,
    ) -> impl Iterator<Item = Region<'a>> {
        let found = self.types.get_key_value(resource_type);
        found.into_iter().flat_map(move |(resource_type, places)| {
            Selector::covering(places, text).flat_map(move |(selector, grants)| {
                grants.iter().map(move |(constraints, actions)| Region {
                    resource_type,
                    selector,
                    constraints,
                    actions,
                })
            })
        })
    }

    /// The regions that contain this one.
    pub(super) fn around<'a>(&'a self, region: Region<'a>) -> impl Iterator<Item = Region<'a>> {
        self.covering(region.resource_type, region.selector.as_str())
            .filter(move |wide| region.constraints.is_within(wide.constraints))
    }

    /// Whether one region contains this one and grants all its actions.
    pub(super) fn contains_whole(&self, region: Region<'_>) -> bool {
        self.around(region)
            .any(|wide| region.actions.is_subset(wide.actions))
    }

    /// Adds actions to a place, and says whether the place is new. The result is a normal
    /// form once [`Atoms::settled`].
    pub(super) fn add<'a>(
        &mut self,
        resource_type: &str,
        selector: &Selector,
        constraints: Constraints,
        actions: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        let mut actions = actions.into_iter().map(str::to_owned).peekable();
        if actions.peek().is_none() {
            return false;
        }
        let granted = self
            .types
            .entry(resource_type.to_owned())
            .or_default()
            .entry(selector.clone())
            .or_default()
            .entry(constraints)
            .or_default();
        let is_new = granted.is_empty();
        granted.extend(actions);
        is_new
    }

    /// Without every atom that another one covers.
    pub(super) fn settled(&self) -> Self {
        let mut left = Self::default();
        for region in self.regions() {
            // No two regions are equal, so of two different ones at most one is within the
            // other, and the widest atoms are never lost.
            let wider: Vec<_> = self
                .around(region)
                .filter(|wide| !wide.is_at(region.selector, region.constraints))
                .collect();
            let own = region
                .actions
                .iter()
                .filter(|action| !wider.iter().any(|wide| wide.actions.contains(*action)))
                .map(String::as_str);
            left.add(
                region.resource_type,
                region.selector,
                region.constraints.clone(),
                own,
            );
        }
        left
    }

    /// The atoms that are within no atom of `other`, by region.
    pub(super) fn outside<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (Region<'a>, Vec<&'a str>)> {
        self.regions().filter_map(|region| {
            let wider: Vec<_> = other.around(region).collect();
            let outside: Vec<_> = region
                .actions
                .iter()
                .filter(|action| !wider.iter().any(|wide| wide.actions.contains(*action)))
                .map(String::as_str)
                .collect();
            (!outside.is_empty()).then_some((region, outside))
        })
    }

    /// The first atom that is within no atom of `other`.
    pub(super) fn first_outside<'a>(&'a self, other: &'a Self) -> Option<Atom<'a>> {
        let (region, actions) = self.outside(other).next()?;
        Some(Atom {
            resource_type: region.resource_type,
            selector: region.selector,
            constraints: region.constraints,
            action: actions.first()?,
        })
    }
}
