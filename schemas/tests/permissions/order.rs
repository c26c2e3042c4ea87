//! The laws of the order, and its agreement with the oracle.

use std::sync::LazyLock;

use clp_schemas::permissions::{
    Access, Atoms, Fact, Facts, PermissionDocument, PermissionSet, Risk, Verdict, allows, compare,
    consent, normalise, risk,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::oracle::{UNIVERSE, WORLD, is_contradicted, judge};
use super::read;

/// The facts of every point, as a resource would state them.
static FACTS: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    let read = |(name, value): (&&str, &Value)| ((*name).to_owned(), read::<Fact>(value));
    UNIVERSE
        .iter()
        .map(|(_, _, _, facts)| facts.iter().map(read).collect())
        .collect()
});

/// What the code under test allows of the small world, point by point.
fn allowed(atoms: &Atoms) -> Vec<bool> {
    let points = UNIVERSE.iter().zip(FACTS.iter());
    points
        .map(|((resource_type, path, action, _), facts)| {
            atoms.allows(Access {
                resource_type,
                path,
                action,
                facts,
            })
        })
        .collect()
}

fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(values, 1..=values.len()).prop_map(|chosen| json!(chosen))
}

/// A value, or none, for each of the three constraints of a type.
type Chosen = (Option<Value>, Option<Value>, Option<Value>);

fn statement() -> impl Strategy<Value = Value> {
    let selector = || prop::sample::select(vec!["*", "a/*", "a/b/*", "a", "a/b", "c"]);
    let number = || (1..=3_i64).prop_map(Value::from);
    let span = (1..=3_i64, 0..=2_i64)
        .prop_map(|(from, more)| json!({"from": from, "to": (from + more).min(3)}));
    let networks = &[
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.128.0.0/9",
        "10.0.0.1/32",
        "0.0.0.0/0",
        "2001:db8::/32",
        "::/0",
    ];
    let build = |resource_type: &'static str, names: [&'static str; 3]| {
        move |(selector, actions, values): (&str, Value, Chosen)| {
            let constraints: serde_json::Map<_, _> = names
                .into_iter()
                .zip([values.0, values.1, values.2])
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect();
            let mut statement =
                json!({"resource_type": resource_type, "selector": selector, "actions": actions});
            if !constraints.is_empty() {
                statement["constraints"] = constraints.into();
            }
            statement
        }
    };
    let maybe = |values: BoxedStrategy<Value>| prop::option::weighted(0.3, values);
    let rows = (
        maybe(some_of(&["p", "q"]).boxed()),
        maybe(number().boxed()),
        maybe(Just(json!(true)).boxed()),
    );
    let hosts = (
        maybe(some_of(networks).boxed()),
        maybe(span.boxed()),
        maybe(number().boxed()),
    );
    prop_oneof![
        (selector(), some_of(&["r", "w", "x", "a"]), rows).prop_map(build("rows", ["s", "h", "f"])),
        (selector(), some_of(&["r", "w"]), hosts).prop_map(build("hosts", ["n", "i", "l"])),
    ]
}

fn set(most: usize) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..=most).prop_map(Value::from)
}

/// Narrows a set a little more often than chance would, so that verdicts vary.
fn pair() -> impl Strategy<Value = (Value, Value)> {
    prop_oneof![
        (set(4), set(4)),
        (set(4), prop::collection::vec(any::<bool>(), 4)).prop_map(|(set, keep)| {
            let kept = set
                .as_array()
                .unwrap()
                .iter()
                .zip(keep)
                .filter(|(_, keep)| *keep);
            (kept.map(|(statement, _)| statement.clone()).collect(), set)
        }),
    ]
}

proptest! {
    #[test]
    fn no_access_contradicts_a_verdict((first, second) in pair()) {
        let document: PermissionDocument = read(&WORLD);
        let (a, b) = (read(&first), read(&second));
        let verdict = compare(&document, &a, &b).verdict;
        let (first, second) = (judge(&first), judge(&second));
        prop_assert_eq!(&allowed(&normalise(&document, &a).unwrap()), &first);
        prop_assert_eq!(&allowed(&normalise(&document, &b).unwrap()), &second);
        prop_assert!(!is_contradicted(verdict, &first, &second), "{verdict:?}");
    }

    /// Between single statements the order is exact: what holds of every access is seen.
    #[test]
    fn single_statements_compare_exactly(first in set(1), second in set(1)) {
        let document: PermissionDocument = read(&WORLD);
        let verdict = compare(&document, &read(&first), &read(&second)).verdict;
        let (first, second) = (judge(&first), judge(&second));
        let expected = [Verdict::Equal, Verdict::Narrower, Verdict::Broader]
            .into_iter()
            .find(|verdict| !is_contradicted(*verdict, &first, &second))
            .unwrap_or(Verdict::Incomparable);
        prop_assert_eq!(verdict, expected);
    }
}

proptest! {
    #[test]
    fn the_order_is_reflexive_and_antisymmetric_on_normal_forms((first, second) in pair()) {
        let document: PermissionDocument = read(&WORLD);
        let (first, second): (PermissionSet, PermissionSet) = (read(&first), read(&second));
        let atoms = |set| normalise(&document, set).unwrap();
        prop_assert_eq!(compare(&document, &first, &first).verdict, Verdict::Equal);
        let forth = compare(&document, &first, &second).verdict;
        let back = compare(&document, &second, &first).verdict;
        prop_assert_eq!(forth == Verdict::Equal, atoms(&first) == atoms(&second));
        prop_assert_eq!(forth == Verdict::Narrower, back == Verdict::Broader);

        let mut doubled = first.clone();
        doubled.0.extend(first.0.iter().rev().cloned());
        prop_assert_eq!(atoms(&doubled), atoms(&first));
    }

    #[test]
    fn the_order_is_transitive((first, second) in pair(), third in set(4)) {
        let document: PermissionDocument = read(&WORLD);
        let join = |one: &Value, other: &Value| -> PermissionSet {
            let both = [one, other].map(|set| set.as_array().unwrap().clone());
            read(&both.concat().into())
        };
        // The second is widened to keep the case frequent in which both steps hold.
        let wide = join(&second, &third);
        let wider = join(&join_value(&wide), &first);
        let is_within = |inner, outer| {
            matches!(compare(&document, inner, outer).verdict, Verdict::Equal | Verdict::Narrower)
        };
        for (a, b, c) in [(&read(&first), &wide, &wider), (&read(&second), &wide, &wider), (&wide, &read(&first), &wider)] {
            prop_assert!(!is_within(a, b) || !is_within(b, c) || is_within(a, c));
        }
    }

    #[test]
    fn an_unknown_part_is_incomparable_and_allows_nothing(good in set(3), which in 0..4_usize) {
        let document: PermissionDocument = read(&WORLD);
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
            prop_assert_eq!(compare(&document, first, second).verdict, Verdict::Incomparable);
        }
        prop_assert_eq!(risk(&document, &set), Risk::Critical);
        prop_assert!(consent(&document, &set, "en").is_err());
        let facts = Facts::new();
        for action in ["r", "w", "drop"] {
            let access = Access { resource_type: "rows", path: "a/b", action, facts: &facts };
            prop_assert!(!allows(&document, &set, access));
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
