//! The resource type by which operations on credentials are themselves permitted.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Action, ResourceType, Risk};

/// The reserved resource type: credentials themselves. Its selectors are
/// `<project>/<environment>`, and its actions follow the protocol's operations.
pub const CREDENTIAL_TYPE: &str = "clp.credential";

/// What the names of reserved resource types start with. No permission document defines a
/// type of such a name, in whatever case.
pub const RESERVED_PREFIX: &str = "clp.";

const ACTIONS: [(&str, Risk, &str); 9] = [
    (
        "read",
        Risk::Low,
        "See the credentials of {selector}, never their secrets",
    ),
    ("request", Risk::Low, "Ask for credentials of {selector}"),
    (
        "approve",
        Risk::High,
        "Approve or refuse requests for credentials of {selector}",
    ),
    ("create", Risk::High, "Create credentials of {selector}"),
    ("rotate", Risk::High, "Replace credentials of {selector}"),
    ("revoke", Risk::High, "Revoke credentials of {selector}"),
    (
        "amend",
        Risk::Medium,
        "Change owner, labels and end of credentials of {selector}",
    ),
    (
        "inventory",
        Risk::Medium,
        "Say where credentials of {selector} are kept and used",
    ),
    ("audit", Risk::Medium, "Read the audit trail of {selector}"),
];

static DEFINITION: LazyLock<ResourceType> = LazyLock::new(|| {
    let english = |text: &str| BTreeMap::from([("en".to_owned(), text.to_owned())]);
    ResourceType {
        title: english("Credentials"),
        actions: ACTIONS
            .iter()
            .map(|(name, risk, consent)| {
                let action = Action {
                    implies: None,
                    risk: *risk,
                    consent: english(consent),
                    deprecated: None,
                };
                ((*name).to_owned(), action)
            })
            .collect(),
        constraints: None,
    }
});

/// The definition of [`CREDENTIAL_TYPE`], the same for every issuer. No action implies
/// another: whoever may create is not thereby shown what exists.
#[must_use]
pub fn credential_type() -> &'static ResourceType {
    &DEFINITION
}

/// Whether `name` is reserved.
pub(super) fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}
