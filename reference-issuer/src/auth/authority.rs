//! What a principal may do, in the permission language: actions on the reserved type
//! `clp.credential`, whose resources are `<project>/<environment>`.

use clp_schemas::permissions::{
    Access, Atom, Atoms, CREDENTIAL_TYPE, Facts, PermissionDocument, PermissionSet, normalise,
};

/// What can be permitted to a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See credentials and requests.
    Read,
    /// Ask for a credential.
    Request,
    /// Decide on a request.
    Approve,
    /// Mint a credential.
    Create,
    /// Replace a credential.
    Rotate,
    /// End a credential.
    Revoke,
    /// Change owner, labels or an earlier end.
    Amend,
    /// Say where credentials are kept and used.
    Inventory,
    /// Read the log.
    Audit,
}

impl Action {
    /// The name in the permission language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Create => "create",
            Self::Rotate => "rotate",
            Self::Revoke => "revoke",
            Self::Amend => "amend",
            Self::Inventory => "inventory",
            Self::Audit => "audit",
        }
    }
}

/// What a principal may do.
#[derive(Clone, Debug)]
pub struct Authority(Atoms);

impl Authority {
    /// The authority that a permission set gives. A set with a part that means nothing gives
    /// none at all.
    #[must_use]
    pub fn new(document: &PermissionDocument, permissions: &PermissionSet) -> Self {
        Self(normalise(document, permissions).unwrap_or_default())
    }

    /// Whether it covers an action on a place, `<project>/<environment>`.
    #[must_use]
    pub fn allows(&self, action: Action, place: &str) -> bool {
        self.0.allows(Access {
            resource_type: CREDENTIAL_TYPE,
            path: place,
            action: action.name(),
            facts: &Facts::new(),
        })
    }

    /// Whether it covers an action on any place at all.
    #[must_use]
    pub fn allows_somewhere(&self, action: Action) -> bool {
        self.atoms(action).next().is_some()
    }

    /// Whether it covers an action on every place.
    #[must_use]
    pub fn allows_everywhere(&self, action: Action) -> bool {
        self.atoms(action)
            .any(|atom| atom.selector().as_str() == "*")
    }

    fn atoms(&self, action: Action) -> impl Iterator<Item = Atom<'_>> {
        self.0.iter().filter(move |atom| {
            atom.resource_type() == CREDENTIAL_TYPE && atom.action() == action.name()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_allowed_where_a_statement_says_so_and_nowhere_else() {
        let document: PermissionDocument = serde_json::from_value(serde_json::json!({
            "version": "1", "environments": ["production"],
            "resource_types": {"x": {"title": {"en": "X"}, "actions": {"read": {"risk": "low", "consent": {"en": "Read"}}}}},
        }))
        .unwrap();
        let set = |text: &str| serde_json::from_str::<PermissionSet>(text).unwrap();
        let authority = Authority::new(
            &document,
            &set(r#"[{"resource_type":"clp.credential","selector":"atlas/*","actions":["read"]}]"#),
        );
        assert!(authority.allows(Action::Read, "atlas/production"));
        assert!(!authority.allows(Action::Read, "atlasx/production"));
        assert!(!authority.allows(Action::Revoke, "atlas/production"));
        assert!(authority.allows_somewhere(Action::Read));
        assert!(!authority.allows_somewhere(Action::Audit));

        let broken =
            set(r#"[{"resource_type":"clp.credential","selector":"*","actions":["read","fly"]}]"#);
        assert!(!Authority::new(&document, &broken).allows(Action::Read, "atlas/production"));
    }
}
