//! OAuth scopes: `<resource type>:<action>` names, ascending, implied ones included.

use std::collections::{BTreeMap, BTreeSet};

use clp_schemas::permissions::{Access, PermissionDocument, PermissionSet, Statement, expand};

/// The names of all that a permission set holds.
pub(crate) fn names(document: &PermissionDocument, permissions: &PermissionSet) -> Vec<String> {
    // Permissions that were granted under their document expand under it.
    let parts = expand(document, permissions).unwrap_or_default();
    let names: BTreeSet<String> = parts
        .iter()
        .flat_map(|part| {
            part.actions
                .iter()
                .map(|action| format!("{}:{action}", part.resource_type))
        })
        .collect();
    names.into_iter().collect()
}

/// What a client gets that asks for these names, with what they imply; `None` where it has
/// not all of them, or asks for nothing.
pub(crate) fn narrow(
    document: &PermissionDocument,
    held: &[String],
    wanted: &str,
) -> Option<Vec<String>> {
    let mut given = BTreeSet::new();
    for name in wanted.split(' ') {
        if !held.iter().any(|held| held == name) {
            return None;
        }
        let (resource_type, action) = name.split_once(':')?;
        let alone = PermissionSet(vec![Statement {
            resource_type: resource_type.to_owned(),
            selector: "*".parse().ok()?,
            actions: vec![action.to_owned()],
            constraints: BTreeMap::new(),
        }]);
        given.extend(names(document, &alone));
    }
    Some(given.into_iter().collect())
}

/// Whether a scope has the name of an access.
pub(crate) fn covers(scope: &[String], access: Access<'_>) -> bool {
    let name = format!("{}:{}", access.resource_type, access.action);
    scope.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scope_is_all_or_a_part_with_what_it_implies() {
        let document: PermissionDocument = serde_json::from_value(json!({
            "version": "1", "environments": ["test"],
            "resource_types": {"record": {"title": {"en": "R"}, "actions": {
                "read": {"risk": "low", "consent": {"en": "Read {selector}"}},
                "write": {"risk": "low", "consent": {"en": "Write {selector}"}, "implies": ["read"]},
                "drop": {"risk": "low", "consent": {"en": "Drop {selector}"}},
            }}},
        }))
        .unwrap();
        let set: PermissionSet = serde_json::from_value(json!([
            {"resource_type": "record", "selector": "a/*", "actions": ["write"]},
        ]))
        .unwrap();
        let held = names(&document, &set);
        assert_eq!(held, ["record:read", "record:write"]);
        assert_eq!(narrow(&document, &held, "record:write"), Some(held.clone()));
        assert_eq!(
            narrow(&document, &held, "record:read"),
            Some(vec!["record:read".to_owned()])
        );
        for refused in [
            "record:drop",
            "record:read record:drop",
            "record",
            "",
            "record:read  record:write",
        ] {
            assert_eq!(narrow(&document, &held, refused), None, "{refused:?}");
        }
    }
}
