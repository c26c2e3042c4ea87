//! The laws of the order, and its agreement with the oracle.

use std::sync::LazyLock;

use clp_schemas::permissions::{
    Access, Atoms, Fact, Facts, PermissionSet, Risk, Verdict, allows, compare, consent, normalise,
    risk,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::naive::{spell_out, verdict};
use super::oracle::{Points, UNIVERSE, WORLD, is_contradicted, judge};
use super::read;
use super::small::{DOCUMENT, name_of, pair, set};

/// The facts of every point, as a resource would state them.
static FACTS: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    let read = |(name, value): (&String, &Value)| (name.clone(), read::<Fact>(value));
    UNIVERSE
        .iter()
        .map(|(_, _, _, facts)| facts.iter().map(read).collect())
        .collect()
});

/// What the code under test allows of the small world.
fn allowed(atoms: &Atoms) -> Points {
    Points::from_fn(UNIVERSE.len(), |at| {
        let (resource_type, path, action, _) = &UNIVERSE[at];
        atoms.allows(Access {
            resource_type,
            path,
            action,
            facts: &FACTS[at],
        })
    })
}

proptest! {
    #[test]
    fn no_access_contradicts_a_verdict((first, second) in pair()) {
        let verdict = compare(&DOCUMENT, &read(&first), &read(&second)).verdict;
        let (first, second) = (judge(&first), judge(&second));
        prop_assert!(!is_contradicted(name_of(verdict), &first, &second), "{verdict:?}");
    }

    #[test]
    fn every_access_is_decided_as_the_oracle_does(set in set(4)) {
        prop_assert_eq!(allowed(&normalise(&DOCUMENT, &read(&set)).unwrap()), judge(&set));
    }

    /// Neither more nor less is seen than by looking at every pair of atoms.
    #[test]
    fn the_naive_comparison_says_the_same((first, second) in pair()) {
        let found = compare(&DOCUMENT, &read(&first), &read(&second)).verdict;
        let spell = |set| spell_out(&WORLD, set, None);
        prop_assert_eq!(name_of(found), verdict(&spell(&first), &spell(&second), None));
    }

    /// Between single statements the order is exact: what holds of every access is seen.
    #[test]
    fn single_statements_compare_exactly(first in set(1), second in set(1)) {
        let verdict = compare(&DOCUMENT, &read(&first), &read(&second)).verdict;
        let (first, second) = (judge(&first), judge(&second));
        let expected = [Verdict::Equal, Verdict::Narrower, Verdict::Broader]
            .into_iter()
            .find(|verdict| !is_contradicted(name_of(*verdict), &first, &second))
            .unwrap_or(Verdict::Incomparable);
        prop_assert_eq!(verdict, expected);
    }
}

proptest! {
    #[test]
    fn the_order_is_reflexive_and_antisymmetric_on_normal_forms((first, second) in pair()) {
        let (first, second): (PermissionSet, PermissionSet) = (read(&first), read(&second));
        let atoms = |set| normalise(&DOCUMENT, set).unwrap();
        prop_assert_eq!(compare(&DOCUMENT, &first, &first).verdict, Verdict::Equal);
        let forth = compare(&DOCUMENT, &first, &second).verdict;
        let back = compare(&DOCUMENT, &second, &first).verdict;
        prop_assert_eq!(forth == Verdict::Equal, atoms(&first) == atoms(&second));
        prop_assert_eq!(forth == Verdict::Narrower, back == Verdict::Broader);

        let mut doubled = first.clone();
        doubled.0.extend(first.0.iter().rev().cloned());
        prop_assert_eq!(atoms(&doubled), atoms(&first));
    }

    #[test]
    fn the_order_is_transitive((first, second) in pair(), third in set(4)) {
        let join = |one: &Value, other: &Value| -> PermissionSet {
            let both = [one, other].map(|set| set.as_array().unwrap().clone());
            read(&both.concat().into())
        };
        // The second is widened to keep the case frequent in which both steps hold.
        let wide = join(&second, &third);
        let wider = join(&join_value(&wide), &first);
        let is_within = |inner, outer| {
            matches!(compare(&DOCUMENT, inner, outer).verdict, Verdict::Equal | Verdict::Narrower)
        };
        for (a, b, c) in [(&read(&first), &wide, &wider), (&read(&second), &wide, &wider), (&wide, &read(&first), &wider)] {
            prop_assert!(!is_within(a, b) || !is_within(b, c) || is_within(a, c));
        }
    }

    #[test]
    fn an_unknown_part_is_incomparable_and_allows_nothing(good in set(3), which in 0..4_usize) {
        let mut set = good.clone();
        let statement = &mut set[0];
        let (member, value) = [
            ("resource_type", json!("other")),
            ("actions", json!(["r", "drop"])),
            ("constraints", json!({"colour": ["red"]})),
            ("constraints", json!({"h": ["ten"], "l": ["ten"]})),
        ][which].clone();
        statement[member] = value;
        let set: PermissionSet = read(&set);
        for (first, second) in [(&set, &set), (&set, &read(&good)), (&read(&good), &set)] {
            prop_assert_eq!(compare(&DOCUMENT, first, second).verdict, Verdict::Incomparable);
        }
        prop_assert_eq!(risk(&DOCUMENT, &set), Risk::Critical);
        prop_assert!(consent(&DOCUMENT, &set, "en").is_err());
        let facts = Facts::new();
        for action in ["r", "w", "drop"] {
            let access = Access { resource_type: "rows", path: "a/b", action, facts: &facts };
            prop_assert!(!allows(&DOCUMENT, &set, access));
        }
    }
}

fn join_value(set: &PermissionSet) -> Value {
    serde_json::to_value(set).unwrap()
}

#[test]
fn atoms_kept_at_issue_do_not_follow_a_later_document() {
    let set: PermissionSet =
        read(&json!([{"resource_type": "rows", "selector": "*", "actions": ["r"]}]));
    let issued = normalise(&read(&WORLD), &set).unwrap();
    let mut later = WORLD.clone();
    later["resource_types"]["rows"]["actions"]["r"]["implies"] = json!(["d"]);
    later["resource_types"]["rows"]["actions"]["d"] =
        json!({"risk": "high", "consent": {"en": "x"}});
    let facts = Facts::new();
    let access = Access {
        resource_type: "rows",
        path: "a",
        action: "d",
        facts: &facts,
    };
    assert!(allows(&read(&later), &set, access));
    assert!(!issued.allows(access));
    let now = normalise(&read(&later), &set).unwrap();
    assert_eq!(issued.compare(&now).verdict, Verdict::Narrower);
}
