//! Permissions: the document in which an issuer says what can be granted, the allow-only
//! statements that grant it, the order between two sets of statements, and what two sets have
//! in common and do not (specification chapter 04-permissions).
//!
//! Everything here is pure and total. Whatever the document does not define is never
//! allowed and compares as incomparable, so that a mistake ends with a person being asked.

mod atoms;
mod bound;
mod compare;
mod consent;
mod constraints;
mod document;
mod excess;
mod form;
mod meet;
mod network;
mod normalise;
mod recommend;
mod reserved;
mod selector;
mod set;
mod subtract;
mod text;
mod usage;

pub use atoms::{Atom, Atoms, NotASet};
pub use compare::{Comparison, Verdict, allows, compare};
pub use consent::{ConsentFault, consent, consent_part, risk};
pub use document::{
    Action, Constraint, ConstraintKind, DocumentFault, DocumentFaultKind, Localised,
    PermissionDocument, ResourceType, Risk,
};
pub use excess::{Excess, first_excess};
pub use meet::{CombineFault, TooLarge, meet};
pub use normalise::{Reason, Unknown, check_against, normalise};
pub use recommend::{Recorded, recommend, refused};
pub use reserved::{CREDENTIAL_TYPE, RESERVED_PREFIX, credential_type};
pub use selector::{NotASelector, Selector};
pub use set::{Access, ConstraintValue, Fact, Facts, Interval, PermissionSet, Statement};
pub use subtract::subtract;
pub use usage::{expand, in_network, was_used};

/// Bounds of documents and sets. They keep every computation here short, whoever wrote the
/// input (specification chapter 04-permissions, "Bounds").
pub mod limits {
    /// Statements of one permission set.
    pub const STATEMENTS: usize = 100;
    /// Actions named by one statement.
    pub const ACTIONS_NAMED: usize = 64;
    /// Constraints of one statement.
    pub const CONSTRAINTS: usize = 16;
    /// Members of one `set` or `cidr_set` value.
    pub const MEMBERS: usize = 64;
    /// Longest member of a `set` value, in code points.
    pub const MEMBER_LENGTH: usize = 256;
    /// Longest selector, in code points.
    pub const SELECTOR_LENGTH: usize = 256;
    /// Longest path of a concrete access, in code points.
    pub const PATH_LENGTH: usize = 2048;
    /// Longest name of a resource type, an action or a constraint, in characters.
    pub const NAME_LENGTH: usize = 64;
    /// Resource types of one document.
    pub const RESOURCE_TYPES: usize = 256;
    /// Actions of one resource type, and actions that one action implies directly.
    pub const ACTIONS: usize = 256;
    /// Constraints that one resource type defines.
    pub const CONSTRAINT_DEFINITIONS: usize = 64;
    /// Environments of one document.
    pub const ENVIRONMENTS: usize = 32;
    /// Longest name of an environment, in characters.
    pub const ENVIRONMENT_LENGTH: usize = 63;
    /// Languages in which one text is given.
    pub const LANGUAGES: usize = 64;
    /// Longest text in one language, and longest `version`, in code points.
    pub const TEXT_LENGTH: usize = 500;
    /// Places of a normal form that is worked out of two others. Places are compared with
    /// one another, so time goes by the square of this.
    pub const REGIONS: usize = 2_000;
    /// Bytes of such a normal form, about: names, selectors, actions and values.
    pub const FORM_BYTES: usize = 16 * 1024 * 1024;
    /// Longest consent text of one set, in bytes, all lines together. Nobody can agree to
    /// more than can be read.
    pub const CONSENT_BYTES: usize = 64 * 1024;
}
