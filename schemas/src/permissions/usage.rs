//! Which parts of a permission set were used: the set taken apart into statements of one
//! action.

use super::{
    Access, PermissionDocument, PermissionSet, Statement, Unknown, allows, network, normalise,
};

/// Each action of each statement, implied ones included, as a statement of its own. In the
/// order of the set, then by name.
///
/// # Errors
/// [`Unknown`] where the set has a part that the document does not define.
pub fn expand(
    document: &PermissionDocument,
    set: &PermissionSet,
) -> Result<Vec<Statement>, Unknown> {
    normalise(document, set)?;
    let mut parts = Vec::new();
    for statement in &set.0 {
        let actions = document
            .resource_type(&statement.resource_type)
            .and_then(|definition| definition.closure(&statement.actions))
            .unwrap_or_default();
        parts.extend(actions.into_iter().map(|action| Statement {
            actions: vec![action.to_owned()],
            ..statement.clone()
        }));
    }
    Ok(parts)
}

/// Whether an accepted access used this part of an expanded set: it names the action
/// itself, and admits the access. Several parts can have admitted it; all of them count.
#[must_use]
pub fn was_used(document: &PermissionDocument, part: &Statement, access: Access<'_>) -> bool {
    matches!(part.actions.as_slice(), [action] if action == access.action)
        && allows(document, &PermissionSet(vec![part.clone()]), access)
}

/// Whether an address lies in a network in CIDR notation; `None` where either cannot be
/// read.
#[must_use]
pub fn in_network(cidr: &str, address: &str) -> Option<bool> {
    let network = network::Network::parse(cidr)?;
    Some(network.contains(network::address(address)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn document() -> PermissionDocument {
        serde_json::from_value(json!({
            "version": "1",
            "environments": ["staging"],
            "resource_types": {"record": {
                "title": {"en": "Records"},
                "actions": {
                    "read": {"risk": "low", "consent": {"en": "Read {selector}"}},
                    "write": {"risk": "medium", "consent": {"en": "Write {selector}"}, "implies": ["read"]},
                },
            }},
        }))
        .unwrap()
    }

    fn set(actions: &[&str]) -> PermissionSet {
        serde_json::from_value(json!([
            {"resource_type": "record", "selector": "atlas/*", "actions": actions},
        ]))
        .unwrap()
    }

    #[test]
    fn what_was_only_read_with_needs_no_write() {
        let document = document();
        let held = set(&["write"]);
        let parts = expand(&document, &held).unwrap();
        assert_eq!(parts.len(), 2);
        let facts = BTreeMap::new();
        let access = Access {
            resource_type: "record",
            path: "atlas/a",
            action: "read",
            facts: &facts,
        };
        let used: Vec<Statement> = parts
            .iter()
            .filter(|part| was_used(&document, part, access))
            .cloned()
            .collect();
        let actions: Vec<_> = used.iter().map(|part| part.actions.clone()).collect();
        assert_eq!(actions, [["read"]]);
    }

    #[test]
    fn an_address_is_in_a_network_or_cannot_be_read() {
        assert_eq!(in_network("192.0.2.0/24", "192.0.2.7"), Some(true));
        assert_eq!(in_network("192.0.2.0/24", "::ffff:192.0.2.7"), Some(true));
        assert_eq!(in_network("192.0.2.0/24", "192.0.3.7"), Some(false));
        assert_eq!(in_network("192.0.2.1/24", "192.0.2.7"), None);
    }
}
