//! A brute-force oracle. It reads the JSON of a document and of a set for itself and
//! answers one question, whether an access is allowed, straight from the definition. It
//! shares nothing with the code that it judges, and planted mistakes show that it sees
//! them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use clp_schemas::permissions::{PermissionDocument, PermissionSet, Verdict, compare};
use serde_json::{Value, json};

use super::read;

/// What can be granted in the small world: five kinds of implication, six of constraint.
pub static WORLD: LazyLock<Value> = LazyLock::new(|| {
    let action =
        |implies: &[&str]| json!({"risk": "low", "consent": {"en": "x"}, "implies": implies});
    json!({
        "version": "1",
        "environments": ["production"],
        "resource_types": {
            "rows": {
                "title": {"en": "Rows"},
                "actions": {"r": action(&[]), "w": action(&["r"]), "x": action(&["r"]), "a": action(&["w", "x"])},
                "constraints": {"s": {"kind": "set"}, "h": {"kind": "max"}, "f": {"kind": "flag"}},
            },
            "hosts": {
                "title": {"en": "Hosts"},
                "actions": {"r": action(&[]), "w": action(&["r"])},
                "constraints": {"n": {"kind": "cidr_set"}, "i": {"kind": "interval"}, "l": {"kind": "min"}},
            },
        },
    })
});

/// One access of the small world: type, path, action, facts.
pub type Point = (
    &'static str,
    &'static str,
    &'static str,
    BTreeMap<&'static str, Value>,
);

/// Every access of the small world. It is rich enough to tell any two values apart that
/// the strategies below choose from, so what no access tells apart is equal.
pub static UNIVERSE: LazyLock<Vec<Point>> = LazyLock::new(|| {
    let numbers = || vec![Value::Null, json!(1), json!(2), json!(3)];
    let addresses = [
        "10.0.0.1",
        "10.0.0.2",
        "10.128.0.1",
        "11.0.0.1",
        "2001:db8::1",
        "2002::1",
        "::ffff:10.0.0.1",
    ];
    let with_none = |values: &[&str]| -> Vec<Value> {
        let values = values.iter().map(|value| json!(value));
        std::iter::once(Value::Null).chain(values).collect()
    };
    let types: [(_, &[&str], _); 2] = [
        (
            "rows",
            &["r", "w", "x", "a"],
            [
                ("s", with_none(&["p", "q"])),
                ("h", numbers()),
                ("f", vec![Value::Null, json!(true), json!(false)]),
            ],
        ),
        (
            "hosts",
            &["r", "w"],
            [
                ("n", with_none(&addresses)),
                ("i", numbers()),
                ("l", numbers()),
            ],
        ),
    ];
    let mut points = Vec::new();
    for (resource_type, actions, [one, two, three]) in &types {
        for path in ["a", "a/b", "a/b/c", "a/bc", "c"] {
            for action in *actions {
                for (x, y, z) in one.1.iter().flat_map(|x| {
                    two.1
                        .iter()
                        .flat_map(move |y| three.1.iter().map(move |z| (x, y, z)))
                }) {
                    let facts = [(one.0, x), (two.0, y), (three.0, z)]
                        .into_iter()
                        .filter(|(_, value)| !value.is_null())
                        .map(|(name, value)| (name, value.clone()))
                        .collect();
                    points.push((*resource_type, path, *action, facts));
                }
            }
        }
    }
    points
});

/// What a set allows of the small world, point by point.
pub fn judge(set: &Value) -> Vec<bool> {
    UNIVERSE
        .iter()
        .map(|point| is_allowed(set, point))
        .collect()
}

fn is_allowed(set: &Value, point: &Point) -> bool {
    let (resource_type, path, action, facts) = point;
    set.as_array().unwrap().iter().any(|statement| {
        let definition = &WORLD["resource_types"][resource_type];
        let none = serde_json::Map::new();
        let constraints = statement["constraints"].as_object().unwrap_or(&none);
        statement["resource_type"] == *resource_type
            && is_covered(statement["selector"].as_str().unwrap(), path)
            && statement["actions"]
                .as_array()
                .unwrap()
                .iter()
                .any(|named| is_reached(definition, named.as_str().unwrap(), action))
            && constraints.iter().all(|(name, value)| {
                facts.get(name.as_str()).is_some_and(|fact| {
                    is_met(
                        definition["constraints"][name]["kind"].as_str().unwrap(),
                        value,
                        fact,
                    )
                })
            })
    })
}

fn is_covered(selector: &str, path: &str) -> bool {
    let selector: Vec<_> = selector.split('/').collect();
    let path: Vec<_> = path.split('/').collect();
    match selector.split_last().unwrap() {
        (&"*", parent) => path.len() > parent.len() && path[..parent.len()] == *parent,
        _ => selector == path,
    }
}

fn is_reached(definition: &Value, from: &str, to: &str) -> bool {
    let implied = definition["actions"][from]["implies"].as_array().unwrap();
    from == to
        || implied
            .iter()
            .any(|next| is_reached(definition, next.as_str().unwrap(), to))
}

fn is_met(kind: &str, value: &Value, fact: &Value) -> bool {
    let number = |value: &Value| value.as_i64().unwrap();
    match kind {
        "set" => value.as_array().unwrap().contains(fact),
        "max" => number(fact) <= number(value),
        "min" => number(fact) >= number(value),
        "interval" => (number(&value["from"])..=number(&value["to"])).contains(&number(fact)),
        "flag" => fact == true,
        "cidr_set" => value.as_array().unwrap().iter().any(|network| {
            let (base, length) = network.as_str().unwrap().split_once('/').unwrap();
            let (base, address) = (bits(base), bits(fact.as_str().unwrap()));
            let length: usize = length.parse().unwrap();
            base.len() == address.len() && base[..length] == address[..length]
        }),
        other => unreachable!("{other}"),
    }
}

/// The bits of an address as text, an IPv4-mapped one as IPv4.
fn bits(address: &str) -> String {
    let octets = match address.trim_start_matches("::ffff:").parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets.iter().map(|octet| format!("{octet:08b}")).collect()
}

/// Whether a verdict claims something that an access contradicts.
pub fn is_contradicted(verdict: Verdict, first: &[bool], second: &[bool]) -> bool {
    let within = |inner: &[bool], outer: &[bool]| {
        inner
            .iter()
            .zip(outer)
            .all(|(inner, outer)| *outer || !*inner)
    };
    match verdict {
        Verdict::Equal => first != second,
        Verdict::Narrower => !within(first, second),
        Verdict::Broader => !within(second, first),
        Verdict::Incomparable => false,
    }
}

/// The oracle is believed because it sees mistakes. Each of these makes sets look alike
/// that are not.
#[test]
fn planted_mistakes_are_seen() {
    type Mistake = fn(&mut Value);
    let mistakes: [(&str, Mistake); 4] = [
        ("constraints are dropped", |statement| {
            statement.as_object_mut().unwrap().remove("constraints");
        }),
        ("a prefix covers its own root", |statement| {
            if statement["selector"] == "a" {
                statement["selector"] = json!("a/*");
            }
        }),
        ("implied actions imply what implies them", |statement| {
            if statement["resource_type"] == "rows" {
                statement["actions"] = json!(["a"]);
            }
        }),
        ("an upper bound is taken for its successor", |statement| {
            if let Some(bound) = statement.pointer_mut("/constraints/h") {
                *bound = json!(3);
            }
        }),
    ];
    let document: PermissionDocument = read(&WORLD);
    let mut samples = Vec::new();
    for selector in ["*", "a/*", "a"] {
        for action in ["r", "w"] {
            for constraints in [
                None,
                Some(json!({"h": 1})),
                Some(json!({"h": 3, "f": true})),
            ] {
                let mut statement =
                    json!({"resource_type": "rows", "selector": selector, "actions": [action]});
                if let Some(constraints) = constraints {
                    statement["constraints"] = constraints;
                }
                samples.push(json!([statement]));
            }
        }
    }
    let judged: Vec<_> = samples.iter().map(|set| (set, judge(set))).collect();
    let seen = |mistake: Mistake| {
        let spoilt = |set: &Value| -> PermissionSet {
            let mut set = set.clone();
            mistake(&mut set[0]);
            read(&set)
        };
        judged.iter().any(|(first, allowed_first)| {
            judged.iter().any(|(second, allowed_second)| {
                let verdict = compare(&document, &spoilt(first), &spoilt(second)).verdict;
                is_contradicted(verdict, allowed_first, allowed_second)
            })
        })
    };
    assert!(!seen(|_| ()), "no mistake, no contradiction");
    for (name, mistake) in mistakes {
        assert!(seen(mistake), "{name}");
    }
}
