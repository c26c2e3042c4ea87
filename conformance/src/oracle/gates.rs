//! The gates of a rotation, judged a second time: whether an answer is one, and whether what it
//! concludes follows from what it says (spec chapter 18).

use serde_json::{Value, json};

use super::Unsound;

/// The gates, in their order.
pub const ALL: [&str; 6] = [
    "successor",
    "installations",
    "health",
    "quiet",
    "consumers",
    "overlap",
];
/// Those that an issuer can judge without an inventory.
pub const OF_ISSUER: [&str; 3] = ["successor", "quiet", "overlap"];

/// Checks that an answer of `rotation_gates` does not contradict itself.
///
/// # Errors
/// Where it does.
pub fn sound(report: &Value) -> Result<(), Unsound> {
    let list = |name: &str| report.get(name).and_then(Value::as_array);
    match (
        list("gates"),
        list("issuer_gates"),
        report.get("safe_to_revoke"),
    ) {
        (Some(gates), None, Some(safe)) => {
            each(gates, &ALL)?;
            concludes(gates, safe)
        }
        (None, Some(gates), None) => each(gates, &OF_ISSUER),
        _ => Err(Unsound::new(
            "neither `gates` with `safe_to_revoke` nor `issuer_gates` alone",
        )),
    }
}

fn each(gates: &[Value], wanted: &[&str]) -> Result<(), Unsound> {
    let names: Vec<&str> = gates
        .iter()
        .filter_map(|gate| gate["id"].as_str())
        .collect();
    if names != wanted {
        return Err(Unsound::new(format!("the gates {}", names.join(", "))));
    }
    for gate in gates {
        let rests = gate.get("basis").is_some();
        if rests == (gate["state"] == "unknown") {
            return Err(Unsound::new(format!(
                "`{}` is {} and {} on something",
                gate["id"],
                gate["state"],
                if rests { "rests" } else { "does not rest" }
            )));
        }
    }
    Ok(())
}

fn concludes(gates: &[Value], safe: &Value) -> Result<(), Unsound> {
    let missing: Value = gates
        .iter()
        .filter(|gate| gate["state"] != "met")
        .filter_map(|gate| Some((gate["id"].as_str()?.to_owned(), gate["state"].clone())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    if safe["missing"] != missing {
        return Err(Unsound::new(format!(
            "`missing` is {}, and {missing} is not met",
            safe["missing"]
        )));
    }
    if safe["safe"] == json!(missing == json!({})) {
        Ok(())
    } else {
        Err(Unsound::new("`safe` says the contrary of the gates"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Value {
        let gates: Vec<Value> = ALL
            .iter()
            .map(|id| json!({"id": id, "state": "met", "basis": "observed", "detail": ""}))
            .collect();
        json!({"gates": gates, "safe_to_revoke": {"safe": true, "missing": {}}})
    }

    #[test]
    fn planted_faults_are_seen() {
        assert_eq!(sound(&report()), Ok(()));
        let with = |change: &dyn Fn(&mut Value)| {
            let mut report = report();
            change(&mut report);
            sound(&report)
        };
        let faults: [&dyn Fn(&mut Value); 7] = [
            // Safe, though a gate is not met.
            &|report| report["gates"][2]["state"] = json!("unmet"),
            // Safe, because nothing is missing where there are no gates.
            &|report| report["gates"] = json!([]),
            // What cannot be told, taken for something.
            &|report| report["gates"][4]["state"] = json!("unknown"),
            &|report| report["safe_to_revoke"]["safe"] = json!(false),
            &|report| report["gates"].as_array_mut().unwrap().swap(0, 1),
            &|report| report["issuer_gates"] = json!([]),
            &|report| {
                report["gates"][3]["state"] = json!("unmet");
                report["safe_to_revoke"] = json!({"safe": true, "missing": {"quiet": "unmet"}});
            },
        ];
        for fault in faults {
            assert!(with(fault).is_err());
        }
        let alone: Vec<Value> = OF_ISSUER
            .iter()
            .map(|id| json!({"id": id, "state": "unmet", "basis": "observed"}))
            .collect();
        assert_eq!(sound(&json!({ "issuer_gates": alone })), Ok(()));
    }
}
