//! The model of rotations: that what is promised holds, that it would be seen if it did not, and
//! that nothing of the tables is left out.
#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use std::collections::BTreeSet;

use clp_conformance::model::check::{self, Bounds, Checked};
use clp_conformance::model::plan::Rule;
use clp_conformance::model::table;

fn small() -> Vec<Checked> {
    let worlds = check::worlds(Bounds::Small);
    worlds
        .iter()
        .map(|plan| check::check(plan).unwrap())
        .collect()
}

#[test]
fn what_is_promised_holds_and_every_move_is_made() {
    let all = small();
    println!("{}", check::text(&all));
    for one in &all {
        assert!(one.wrong.is_none(), "{:?}", one.wrong);
        assert!(
            one.unique > 1000,
            "{} is too small to show anything",
            one.plan.name
        );
    }
    let made: BTreeSet<[String; 4]> = check::moves(&all)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(row, _)| row.map(str::to_owned))
        .collect();
    for row in table::normative().unwrap() {
        assert!(made.contains(&row), "the model never makes {row:?}");
    }
    assert!(check::holds(&all));
    let kinds: BTreeSet<&str> = all
        .iter()
        .flat_map(|one| one.kinds.keys().copied())
        .collect();
    let wanted = [
        "acknowledge",
        "advance",
        "call-answer-lost",
        "change",
        "check",
        "crash",
        "day",
        "decide",
        "drop-note",
        "look",
        "note",
        "open",
        "person-reports",
        "person-resumes",
        "person-revokes",
        "person-suspends",
        "put",
        "read",
        "revoke-after-migration",
        "revoke-first",
        "roll-back",
        "store",
        "tick",
        "use",
        "write-down",
    ];
    assert_eq!(kinds, BTreeSet::from(wanted));
}

#[test]
fn a_rule_that_is_left_out_is_missed() {
    assert!(Rule::ALL.len() >= 3);
    for rule in Rule::ALL {
        let Some(trace) = check::planted(*rule).unwrap() else {
            panic!("nothing goes wrong without `{rule}`");
        };
        println!(
            "{rule}\n{}",
            check::planted_text(&[(*rule, Some(trace.clone()))])
        );
        assert!(!trace.way.is_empty());
    }
}
