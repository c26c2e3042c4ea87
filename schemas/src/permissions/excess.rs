//! Where one permission set goes beyond another, named without repeating what either says.

use super::{PermissionDocument, PermissionSet, Verdict, compare, expand};

/// The first part of a set that another set is not shown to allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// The statement, by its position in the set.
    pub statement: usize,
    /// The resource type of that statement.
    pub resource_type: String,
    /// The action of it, perhaps an implied one, that goes beyond.
    pub action: String,
}

/// The first part of `first` that `second` is not shown to allow, by statement and then by
/// the name of the action. `None` where `first` stays within `second`, and where either has
/// a part that the document does not define.
#[must_use]
pub fn first_excess(
    document: &PermissionDocument,
    first: &PermissionSet,
    second: &PermissionSet,
) -> Option<Excess> {
    first.0.iter().enumerate().find_map(|(statement, whole)| {
        let parts = expand(document, &PermissionSet(vec![whole.clone()])).ok()?;
        let part = parts.into_iter().find(|part| {
            let alone = PermissionSet(vec![part.clone()]);
            let verdict = compare(document, &alone, second).verdict;
            !matches!(verdict, Verdict::Equal | Verdict::Narrower)
        })?;
        Some(Excess {
            statement,
            resource_type: part.resource_type,
            action: part.actions.into_iter().next()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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

    fn set(statements: &[(&str, &str)]) -> PermissionSet {
        let statements: Vec<Value> = statements
            .iter()
            .map(|(selector, action)| {
                json!({"resource_type": "record", "selector": selector, "actions": [action]})
            })
            .collect();
        serde_json::from_value(json!(statements)).unwrap()
    }

    fn excess(first: &[(&str, &str)], second: &[(&str, &str)]) -> Option<(usize, String)> {
        first_excess(&document(), &set(first), &set(second))
            .map(|excess| (excess.statement, excess.action))
    }

    #[test]
    fn the_first_part_that_goes_beyond_is_named() {
        let held = [("a/*", "write"), ("b/*", "read")];
        assert_eq!(excess(&[("a/x", "write"), ("b/x", "read")], &held), None);
        assert_eq!(
            excess(&[("a/x", "read"), ("b/x", "write")], &held),
            Some((1, "write".to_owned()))
        );
        assert_eq!(
            excess(&[("c", "write")], &held),
            Some((0, "read".to_owned()))
        );
    }
}
