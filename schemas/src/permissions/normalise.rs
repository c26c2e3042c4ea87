//! The normal form of a permission set: its atoms, closed over what actions imply, with
//! constraints in canonical form and without what another atom covers.

use std::collections::BTreeSet;

use super::bound::Bound;
use super::constraints::Constraints;
use super::reserved::is_reserved;
use super::{Atoms, PermissionDocument, PermissionSet, Statement, limits};
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
        let (constraints, actions) = read(document, statement).map_err(|fault| Unknown {
            pointer: format!("/{position}{}", fault.pointer),
            reason: fault.reason,
        })?;
        let (resource_type, selector) = (&statement.resource_type, &statement.selector);
        atoms.add(resource_type, selector, constraints, actions);
    }
    Ok(atoms.settled())
}

fn read<'a>(
    document: &'a PermissionDocument,
    statement: &'a Statement,
) -> Result<(Constraints, BTreeSet<&'a str>), Unknown> {
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
    let mut constraints = Constraints::default();
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
        .ok_or_else(|| unknown("/actions".to_owned(), Reason::Action))?;
    Ok((constraints, actions))
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
