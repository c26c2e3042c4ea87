//! The vectors before the oracle: whatever accesses the sets of a vector mention, and the
//! nearest that they do not, are decided by the definition and held against what the vector
//! expects. So the expectations do not rest on the code that they test.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::oracle::{Points, fault_of_meet, fault_of_rest, is_contradicted, is_granted};

/// Most accesses made of one vector; a vector that could have more is asked about every
/// n-th of them.
const MOST: usize = 20_000;

/// One access: type, path, action, facts.
type Probe = (String, String, String, Map<String, Value>);

/// The accesses that the sets mention, and their neighbours.
fn probes(document: &Value, sets: &[&Value]) -> Vec<Probe> {
    let statements: Vec<&Value> = sets
        .iter()
        .flat_map(|set| set.as_array().unwrap())
        .collect();
    let types: BTreeSet<&str> = statements
        .iter()
        .map(|statement| statement["resource_type"].as_str().unwrap())
        .collect();
    let mut probes = Vec::new();
    for resource_type in types {
        let own = || {
            statements
                .iter()
                .filter(move |statement| statement["resource_type"] == resource_type)
        };
        let paths: BTreeSet<String> = own()
            .flat_map(|statement| paths_about(statement["selector"].as_str().unwrap()))
            .collect();
        let mut actions: BTreeSet<String> = own()
            .flat_map(|statement| statement["actions"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        if let Some(all) = document["resource_types"][resource_type]["actions"].as_object() {
            actions.extend(all.keys().cloned());
        }
        let mut facts: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (name, value) in own()
            .filter_map(|statement| statement["constraints"].as_object())
            .flatten()
        {
            let kind = document["resource_types"][resource_type]["constraints"][name]["kind"]
                .as_str()
                .unwrap();
            let known = facts.entry(name).or_insert_with(|| vec![Value::Null]);
            for fact in facts_about(kind, value) {
                if !known.contains(&fact) {
                    known.push(fact);
                }
            }
        }
        probes.extend(combine(resource_type, &paths, &actions, &facts));
    }
    probes
}

/// Every combination, or every n-th where there are too many.
fn combine(
    resource_type: &str,
    paths: &BTreeSet<String>,
    actions: &BTreeSet<String>,
    facts: &BTreeMap<&str, Vec<Value>>,
) -> Vec<Probe> {
    let combinations: usize = facts.values().map(Vec::len).product();
    let all = paths.len() * actions.len() * combinations;
    // An odd stride meets every value of every fact before long.
    let stride = (all / MOST) | 1;
    (0..all)
        .step_by(stride)
        .map(|number| {
            let mut rest = number;
            let mut digit = |base: usize| {
                let digit = rest % base;
                rest /= base;
                digit
            };
            let path = paths.iter().nth(digit(paths.len())).unwrap();
            let action = actions.iter().nth(digit(actions.len())).unwrap();
            let known = facts
                .iter()
                .map(|(name, values)| ((*name).to_owned(), values[digit(values.len())].clone()))
                .filter(|(_, value)| !value.is_null())
                .collect();
            (
                resource_type.to_owned(),
                path.clone(),
                action.clone(),
                known,
            )
        })
        .collect()
}

/// The resource named or one below, and those that a careless reader takes for one.
fn paths_about(selector: &str) -> Vec<String> {
    let root = selector.strip_suffix("/*").unwrap_or(selector);
    if root == "*" {
        return vec!["elsewhere".to_owned(), "else/where".to_owned()];
    }
    let mut paths = vec![
        root.to_owned(),
        format!("{root}x"),
        format!("{root}/x"),
        format!("{root}/x/y"),
        root.to_lowercase(),
    ];
    paths.extend(root.rsplit_once('/').map(|(parent, _)| parent.to_owned()));
    paths
}

fn facts_about(kind: &str, value: &Value) -> Vec<Value> {
    let number = |value: &Value| value.as_i64().unwrap();
    let around = |at: i64| [at - 1, at, at + 1].map(Value::from).to_vec();
    let texts = || {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
    };
    match kind {
        "max" | "min" => around(number(value)),
        "interval" => [around(number(&value["from"])), around(number(&value["to"]))].concat(),
        "flag" => vec![json!(true), json!(false)],
        "set" => texts()
            .flat_map(|text| [text.to_owned(), text.to_uppercase(), format!("{text}x")])
            .map(Value::from)
            .collect(),
        "cidr_set" => texts().flat_map(addresses_about).map(Value::from).collect(),
        other => unreachable!("{other}"),
    }
}

/// The first and the last address of a network, and those beside.
fn addresses_about(network: &str) -> Vec<String> {
    let (base, length) = network.split_once('/').unwrap();
    let length: u32 = length.parse().unwrap();
    match base.parse().unwrap() {
        IpAddr::V4(base) => {
            let first = base.to_bits();
            let last = first | u32::MAX.checked_shr(length).unwrap_or(0);
            let beside = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
            let mapped = format!("::ffff:{base}");
            let beside = beside.map(|bits| Ipv4Addr::from_bits(bits).to_string());
            beside.into_iter().chain([mapped]).collect()
        }
        IpAddr::V6(base) => {
            let first = base.to_bits();
            let last = first | u128::MAX.checked_shr(length).unwrap_or(0);
            [first.wrapping_sub(1), first, last, last.wrapping_add(1)]
                .map(|bits| Ipv6Addr::from_bits(bits).to_string())
                .to_vec()
        }
    }
}

/// Which of the probes statements grant; `implies` unless they are atoms.
fn granted(document: &Value, statements: &Value, probes: &[Probe], implies: bool) -> Points {
    let statements = statements.as_array().unwrap();
    Points::from_fn(probes.len(), |at| {
        let (resource_type, path, action, facts) = &probes[at];
        let access = (
            resource_type.as_str(),
            path.as_str(),
            action.as_str(),
            facts,
        );
        statements
            .iter()
            .any(|statement| is_granted(document, statement, access, implies))
    })
}

/// How many accesses a vector of the file `name` was held against.
///
/// # Errors
/// What an access says against the expectation. A set with a part that has no meaning is
/// not asked about.
pub fn hold(
    name: &str,
    document: &Value,
    input: &Value,
    expect: &Value,
) -> Result<usize, &'static str> {
    if expect.get("pointer").is_some() || expect["verdict"] == "incomparable" {
        return Ok(0);
    }
    let (first, second) = match name {
        "normalise" => (&input["permissions"], &input["permissions"]),
        _ => (&input["first"], &input["second"]),
    };
    let none = json!([]);
    let form = expect.get("normal_form").unwrap_or(&none);
    let probes = probes(document, &[first, second, form]);
    let first = granted(document, first, &probes, true);
    let second = granted(document, second, &probes, true);
    let form = granted(document, form, &probes, false);
    let fault = match name {
        "normalise" => (form != first).then_some("the atoms open something else"),
        "meet" => fault_of_meet(&first, &second, &form),
        "subtract" => fault_of_rest(&first, &second, &form),
        _ => is_contradicted(expect["verdict"].as_str().unwrap(), &first, &second)
            .then_some("an access contradicts the verdict"),
    };
    fault.map_or(Ok(probes.len()), Err)
}
