//! Permission sets of the small world, at random.

use std::sync::LazyLock;

use clp_schemas::permissions::{Atoms, PermissionDocument, Verdict, normalise};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::oracle::WORLD;
use super::read;

/// The document of the small world.
pub static DOCUMENT: LazyLock<PermissionDocument> = LazyLock::new(|| read(&WORLD));

/// The normal form of a set of the small world.
pub fn atoms(set: &Value) -> Atoms {
    normalise(&DOCUMENT, &read(set)).unwrap()
}

/// The atoms as they are written.
pub fn written(atoms: &Atoms) -> Value {
    atoms
        .statements()
        .map(|statement| serde_json::to_value(statement).unwrap())
        .collect()
}

/// A verdict as the specification spells it.
pub fn name_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equal => "equal",
        Verdict::Narrower => "narrower",
        Verdict::Broader => "broader",
        Verdict::Incomparable => "incomparable",
    }
}

/// Whether a comparison proves that the first stays within the second.
pub fn is_within(first: &Atoms, second: &Atoms) -> bool {
    matches!(
        first.compare(second).verdict,
        Verdict::Equal | Verdict::Narrower
    )
}

fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(values, 1..=values.len()).prop_map(|chosen| json!(chosen))
}

/// A value, or none, for each of the three constraints of a type.
type Chosen = (Option<Value>, Option<Value>, Option<Value>);

pub fn statement() -> impl Strategy<Value = Value> {
    let selector = || prop::sample::select(vec!["*", "a/*", "a/b/*", "a", "a/b", "a/bc", "c"]);
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

pub fn set(most: usize) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..=most).prop_map(Value::from)
}

/// Narrows a set a little more often than chance would, so that verdicts vary.
pub fn pair() -> impl Strategy<Value = (Value, Value)> {
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
