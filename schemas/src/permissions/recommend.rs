//! The permissions that would have been enough for what was recorded, and what others would
//! have refused of it (specification chapter 14).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Access, Facts, PermissionDocument, PermissionSet, Selector, Statement, Verdict, allows,
    compare, limits, was_used,
};

/// Up to how many selectors are told apart in place of one; beyond it, what they have in
/// common is.
const FEW: usize = 4;

/// One access as it is recorded: equal ones are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// The type of the resource.
    #[schemars(length(min = 1, max = limits::NAME_LENGTH))]
    pub resource_type: String,
    /// Its path.
    #[schemars(length(min = 1, max = limits::SELECTOR_LENGTH))]
    pub path: String,
    /// What was done.
    #[schemars(length(min = 1, max = limits::NAME_LENGTH))]
    pub action: String,
    /// What the resource knew about it, by the name of the constraint it bears on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: Facts,
}

impl Recorded {
    /// The access, to be asked about again.
    #[must_use]
    pub fn access(&self) -> Access<'_> {
        Access {
            resource_type: &self.resource_type,
            path: &self.path,
            action: &self.action,
            facts: &self.facts,
        }
    }
}

/// Which of the recorded accesses a set would have refused, in their order. Under a set that
/// the document does not define, all of them.
pub fn refused<'a>(
    document: &PermissionDocument,
    set: &PermissionSet,
    recorded: impl IntoIterator<Item = &'a Recorded>,
) -> Vec<Recorded> {
    recorded
        .into_iter()
        .filter(|one| !allows(document, set, one.access()))
        .cloned()
        .collect()
}

/// Permissions that are narrower than `held` and enough for what was used; `None` where nothing
/// was used, or nothing narrower is found.
///
/// `used` are the used parts of `held` (see [`expand`](super::expand)). `recorded` are the accesses; `None` where
/// some of them are not known any more. Then selectors stay as they are held, since nothing
/// shows that less would do. Constraints always stay as they are held.
#[must_use]
pub fn recommend(
    document: &PermissionDocument,
    held: &PermissionSet,
    used: &[Statement],
    recorded: Option<&[Recorded]>,
) -> Option<PermissionSet> {
    let fits = |set: &PermissionSet| {
        !set.0.is_empty()
            && compare(document, set, held).verdict == Verdict::Narrower
            && refused(document, set, recorded.unwrap_or_default()).is_empty()
    };
    recorded
        .and_then(|recorded| selected(document, used, recorded))
        .into_iter()
        .chain([used.to_vec()])
        .map(merged)
        .find(fits)
}

/// The used parts with selectors that cover what was recorded; `None` where they do not admit
/// all of it.
fn selected(
    document: &PermissionDocument,
    used: &[Statement],
    recorded: &[Recorded],
) -> Option<Vec<Statement>> {
    let mut paths: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for one in recorded {
        let part = used
            .iter()
            .position(|part| was_used(document, part, one.access()))?;
        paths.entry(part).or_default().insert(&one.path);
    }
    let statements = paths.into_iter().filter_map(|(number, paths)| {
        let part = used.get(number)?;
        let cover = cover(&part.selector, &paths);
        Some(cover.into_iter().map(|selector| Statement {
            selector,
            ..part.clone()
        }))
    });
    Some(statements.flatten().collect())
}

/// The paths themselves where they are few; otherwise, at most as many prefixes of theirs;
/// otherwise the longest prefix that they share. Never more than `held`.
fn cover(held: &Selector, paths: &BTreeSet<&str>) -> Vec<Selector> {
    let paths: Vec<Vec<&str>> = paths.iter().map(|path| path.split('/').collect()).collect();
    let texts: Vec<String> = if paths.len() <= FEW {
        paths.iter().map(|path| path.join("/")).collect()
    } else {
        let shared = shared(&paths);
        let mut groups: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
        for path in &paths {
            let next = path.get(shared.len()).copied().unwrap_or_default();
            groups.entry(next).or_default().push(path.clone());
        }
        match groups.len() <= FEW {
            true => groups.values().map(|group| around(group)).collect(),
            false => vec![below(&shared)],
        }
    };
    let selectors: Option<BTreeSet<Selector>> = texts
        .iter()
        .map(|text| text.parse().ok().filter(|one| held.contains(one)))
        .collect();
    selectors.map_or_else(|| vec![held.clone()], |found| found.into_iter().collect())
}

/// The segments that all paths begin with, each path having at least one more.
fn shared<'a>(paths: &[Vec<&'a str>]) -> Vec<&'a str> {
    let Some(((_, first), rest)) = paths
        .split_first()
        .and_then(|(first, rest)| Some((first.split_last()?, rest)))
    else {
        return Vec::new();
    };
    let length = rest.iter().fold(first.len(), |length, path| {
        let same = first
            .iter()
            .zip(path)
            .take_while(|(one, other)| one == other);
        length.min(same.count()).min(path.len().saturating_sub(1))
    });
    first.iter().take(length).copied().collect()
}

fn around(paths: &[Vec<&str>]) -> String {
    match paths {
        [one] => one.join("/"),
        several => below(&shared(several)),
    }
}

fn below(prefix: &[&str]) -> String {
    match prefix {
        [] => "*".to_owned(),
        some => format!("{}/*", some.join("/")),
    }
}

/// The statements with those that differ in their actions only taken together.
fn merged(parts: Vec<Statement>) -> PermissionSet {
    let mut statements: Vec<Statement> = Vec::new();
    for part in parts {
        let same = statements.iter_mut().find(|known| {
            known.resource_type == part.resource_type
                && known.selector == part.selector
                && known.constraints == part.constraints
        });
        match same {
            None => statements.push(part),
            Some(known) => {
                for action in part.actions {
                    if !known.actions.contains(&action) {
                        known.actions.push(action);
                    }
                }
            }
        }
    }
    PermissionSet(statements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::expand;
    use serde_json::json;

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
                "constraints": {"most": {"kind": "max"}},
            }},
        }))
        .unwrap()
    }

    fn set(selector: &str, actions: &[&str]) -> PermissionSet {
        serde_json::from_value(json!([
            {"resource_type": "record", "selector": selector, "actions": actions},
        ]))
        .unwrap()
    }

    fn read(path: &str) -> Recorded {
        Recorded {
            resource_type: "record".to_owned(),
            path: path.to_owned(),
            action: "read".to_owned(),
            facts: Facts::new(),
        }
    }

    /// What is recommended in place of `held` after these paths were read.
    fn after(held: &PermissionSet, paths: &[&str], complete: bool) -> Option<PermissionSet> {
        let document = document();
        let recorded: Vec<Recorded> = paths.iter().map(|path| read(path)).collect();
        let used: Vec<Statement> = expand(&document, held)
            .unwrap()
            .into_iter()
            .filter(|part| {
                recorded
                    .iter()
                    .any(|one| was_used(&document, part, one.access()))
            })
            .collect();
        recommend(&document, held, &used, complete.then_some(&recorded))
    }

    fn selectors(held: &str, paths: &[&str]) -> Vec<String> {
        let set = after(&set(held, &["write"]), paths, true).unwrap();
        assert!(set.0.iter().all(|statement| statement.actions == ["read"]));
        set.0.iter().map(|one| one.selector.to_string()).collect()
    }

    #[test]
    fn selectors_become_as_narrow_as_what_was_used() {
        assert_eq!(selectors("*", &["a/1"]), ["a/1"]);
        assert_eq!(
            selectors("a/*", &["a/1", "a/2", "a/3/x"]),
            ["a/1", "a/2", "a/3/x"]
        );
        let five = ["a/1", "a/2", "a/3", "a/4", "a/5"];
        assert_eq!(selectors("*", &five), ["a/*"]);
        assert_eq!(selectors("a/*", &five), ["a/*"]);
        let two = ["a/b/1", "a/b/2", "a/b/3", "a/c/1", "a/c/2"];
        assert_eq!(selectors("*", &two), ["a/b/*", "a/c/*"]);
        let one_apart = ["a/b/1", "a/b/2", "a/b/3", "a/b/4", "d"];
        assert_eq!(selectors("*", &one_apart), ["a/b/*", "d"]);
        let many = ["a/1", "b/1", "c/1", "d/1", "e/1"];
        assert_eq!(selectors("*", &many), ["*"]);
        let above = ["a", "a/1", "a/2", "a/3", "a/4"];
        assert_eq!(selectors("*", &above), ["*"]);
    }

    #[test]
    fn what_is_not_known_any_more_keeps_its_selector() {
        let held = set("a/*", &["write"]);
        assert_eq!(after(&held, &["a/1"], false), Some(set("a/*", &["read"])));
        assert_eq!(after(&set("a/*", &["read"]), &["a/1"], false), None);
    }

    #[test]
    fn nothing_is_recommended_where_nothing_less_would_do() {
        assert_eq!(after(&set("*", &["write"]), &[], true), None);
        assert_eq!(after(&set("a/1", &["read"]), &["a/1"], true), None);
    }

    #[test]
    fn a_replay_tells_what_would_have_been_refused() {
        let document = document();
        let recorded = [read("a/1"), read("b/1")];
        assert_eq!(
            refused(&document, &set("a/*", &["write"]), &recorded),
            [read("b/1")]
        );
        assert_eq!(
            refused(&document, &set("a/*", &["fly"]), &recorded),
            recorded
        );
        let mut bounded = set("*", &["read"]);
        bounded.0[0].constraints = serde_json::from_value(json!({"most": 5})).unwrap();
        let mut most = read("a/1");
        most.facts = serde_json::from_value(json!({"most": 6})).unwrap();
        assert_eq!(
            refused(&document, &bounded, [&most]),
            std::slice::from_ref(&most)
        );
        most.facts = serde_json::from_value(json!({"most": 5})).unwrap();
        assert!(refused(&document, &bounded, [&most]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn what_is_recommended_is_narrower_and_refuses_nothing(
            held in "(\\*|a/\\*|a/b/\\*)",
            paths in proptest::collection::vec("a/b/[a-c](/[a-c]){0,2}", 1..12),
        ) {
            let held = set(&held, &["write"]);
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let found = after(&held, &paths, true).unwrap();
            let document = document();
            proptest::prop_assert_eq!(compare(&document, &found, &held).verdict, Verdict::Narrower);
            let recorded: Vec<Recorded> = paths.iter().map(|path| read(path)).collect();
            proptest::prop_assert!(refused(&document, &found, &recorded).is_empty());
        }
    }
}
