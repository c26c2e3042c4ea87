//! The order on permission sets. It is decidable and cheap, and it errs only towards
//! `incomparable`, which is to say towards asking a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Access, Atoms, PermissionDocument, PermissionSet, Unknown, normalise};

/// How one permission set relates to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Each allows what the other allows. A proof.
    Equal,
    /// The first allows nothing that the second does not allow. A proof.
    Narrower,
    /// The second allows nothing that the first does not allow, and the first is not shown
    /// to stay within the second.
    Broader,
    /// Neither is shown to stay within the other.
    Incomparable,
}

/// The outcome of comparing a first permission set with a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// How the first relates to the second.
    pub verdict: Verdict,
    /// Why the first is not shown to stay within the second, for people to read. Present
    /// with `broader` and `incomparable` only. Values out of the sets stand in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub counterexample: Option<String>,
}

impl Atoms {
    /// Compares two normal forms. They may stem from two documents of one issuer: an atom
    /// needs none any more.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        let outside = self.first_outside(other);
        let verdict = match (&outside, other.first_outside(self)) {
            (None, None) => Verdict::Equal,
            (None, Some(_)) => Verdict::Narrower,
            (Some(_), None) => Verdict::Broader,
            (Some(_), Some(_)) => Verdict::Incomparable,
        };
        Comparison {
            verdict,
            counterexample: outside
                .map(|atom| format!("the second set is not shown to allow {atom}")),
        }
    }
}

/// Compares two permission sets under one document: how `first` relates to `second`. A set
/// with a part that the document does not define is incomparable, even with itself.
#[must_use]
pub fn compare(
    document: &PermissionDocument,
    first: &PermissionSet,
    second: &PermissionSet,
) -> Comparison {
    let refused = |which: &str, fault: &Unknown| Comparison {
        verdict: Verdict::Incomparable,
        counterexample: Some(format!(
            "the {which} set has no meaning at `{}`: {}",
            fault.pointer, fault.reason
        )),
    };
    match (normalise(document, first), normalise(document, second)) {
        (Ok(first), Ok(second)) => first.compare(&second),
        (Err(fault), _) => refused("first", &fault),
        (_, Err(fault)) => refused("second", &fault),
    }
}

/// Whether the set allows a concrete access. A set with a part that the document does not
/// define allows nothing.
#[must_use]
pub fn allows(document: &PermissionDocument, set: &PermissionSet, access: Access<'_>) -> bool {
    normalise(document, set).is_ok_and(|atoms| atoms.allows(access))
}
