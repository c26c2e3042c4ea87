//! A brute-force oracle. It reads the JSON of a document and of a set for itself and
//! answers one question, whether an access is allowed, straight from the definition. It
//! shares nothing with the code that it judges (a test looks at what it imports), and
//! planted mistakes show that it sees them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use serde_json::{Value, json};

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
    serde_json::Map<String, Value>,
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
                        .map(|(name, value)| (name.to_owned(), value.clone()))
                        .collect();
                    points.push((*resource_type, path, *action, facts));
                }
            }
        }
    }
    points
});

/// Which points of a universe: one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Points(Vec<u64>);

impl Points {
    pub fn from_fn(count: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut words = vec![0; count.div_ceil(64)];
        for at in (0..count).filter(|at| holds(*at)) {
            words[at / 64] |= 1 << (at % 64);
        }
        Self(words)
    }

    fn zip(&self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.0.iter().zip(&other.0);
        Self(words.map(|(one, two)| join(*one, *two)).collect())
    }

    pub fn and(&self, other: &Self) -> Self {
        self.zip(other, |one, two| one & two)
    }

    pub fn or(&self, other: &Self) -> Self {
        self.zip(other, |one, two| one | two)
    }

    pub fn without(&self, other: &Self) -> Self {
        self.zip(other, |one, two| one & !two)
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn is_within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }
}

/// What a set allows of the small world.
pub fn judge(set: &Value) -> Points {
    union_of(set, true)
}

/// What atoms, written as statements, allow of the small world: no action implies another.
pub fn judge_atoms(statements: &Value) -> Points {
    union_of(statements, false)
}

/// Campaigns meet the same statement over and over.
type Known = HashMap<(bool, String), Points>;

fn union_of(set: &Value, implies: bool) -> Points {
    thread_local! { static KNOWN: RefCell<Known> = RefCell::default(); }
    let statements = set.as_array().unwrap().iter();
    statements.fold(
        Points::from_fn(UNIVERSE.len(), |_| false),
        |union, statement| {
            KNOWN.with_borrow_mut(|known| {
                let points = known
                    .entry((implies, statement.to_string()))
                    .or_insert_with(|| {
                        Points::from_fn(UNIVERSE.len(), |at| {
                            let (resource_type, path, action, facts) = &UNIVERSE[at];
                            is_granted(
                                &WORLD,
                                statement,
                                (resource_type, path, action, facts),
                                implies,
                            )
                        })
                    });
                union.or(points)
            })
        },
    )
}

/// The definition: whether one statement grants an access under a document.
pub fn is_granted(
    document: &Value,
    statement: &Value,
    (resource_type, path, action, facts): (&str, &str, &str, &serde_json::Map<String, Value>),
    implies: bool,
) -> bool {
    let definition = &document["resource_types"][resource_type];
    let none = serde_json::Map::new();
    let constraints = statement["constraints"].as_object().unwrap_or(&none);
    let mut named = statement["actions"].as_array().unwrap().iter();
    statement["resource_type"] == *resource_type
        && is_covered(statement["selector"].as_str().unwrap(), path)
        && named.any(|named| {
            *named == *action || implies && is_reached(definition, named.as_str().unwrap(), action)
        })
        && constraints.iter().all(|(name, value)| {
            let kind = definition["constraints"][name]["kind"].as_str().unwrap();
            facts
                .get(name)
                .is_some_and(|fact| is_met(kind, value, fact))
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
    let implied = definition["actions"][from]["implies"].as_array();
    from == to
        || implied
            .into_iter()
            .flatten()
            .any(|next| is_reached(definition, next.as_str().unwrap(), to))
}

fn is_met(kind: &str, value: &Value, fact: &Value) -> bool {
    let number = |value: &Value| value.as_i64().unwrap();
    match kind {
        "set" | "cidr_set" if !fact.is_string() => false,
        "max" | "min" | "interval" if !fact.is_i64() => false,
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
    let octets = match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => match address.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, mapped @ ..] => mapped.to_vec(),
            octets => octets.to_vec(),
        },
    };
    octets.iter().map(|octet| format!("{octet:08b}")).collect()
}

/// Whether a verdict claims something that an access contradicts.
pub fn is_contradicted(verdict: &str, first: &Points, second: &Points) -> bool {
    match verdict {
        "equal" => first != second,
        "narrower" => !first.is_within(second),
        "broader" => !second.is_within(first),
        "incomparable" => false,
        other => unreachable!("{other}"),
    }
}

/// What is wrong with the points of a meet, if anything: they are those of both.
pub fn fault_of_meet(first: &Points, second: &Points, meet: &Points) -> Option<&'static str> {
    let both = first.and(second);
    if !meet.is_within(&both) {
        return Some("it opens what one of the two does not");
    }
    (!both.is_within(meet)).then_some("it misses what both open")
}

/// What is wrong with the points of a difference, if anything: it holds all that the first
/// opens and the second does not, and nothing that the first does not open.
pub fn fault_of_rest(first: &Points, second: &Points, rest: &Points) -> Option<&'static str> {
    if !rest.is_within(first) {
        return Some("it opens what the first does not");
    }
    (!first.without(second).is_within(rest)).then_some("it hides what only the first opens")
}
