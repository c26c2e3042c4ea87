//! The laws of the normal form, of what two sets have in common, and of what they do not.

use clp_schemas::permissions::{
    Atoms, CombineFault, NotASet, PermissionSet, TooLarge, Verdict, limits, meet, normalise,
    subtract,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::oracle::{fault_of_meet, fault_of_rest, judge, judge_atoms};
use super::read;
use super::small::{DOCUMENT, atoms, is_within, pair, set, statement, written};

fn both(first: &Atoms, second: &Atoms) -> Atoms {
    first.meet(second).unwrap()
}

fn either(first: &Atoms, second: &Atoms) -> Atoms {
    first.join(second).unwrap()
}

proptest! {
    /// Written as a set and read again, a normal form is what it was; and neither order
    /// nor repetition of statements shows.
    #[test]
    fn a_normal_form_stays_as_it_is(set in set(4)) {
        let once = atoms(&set);
        let mut again = once.to_set().unwrap();
        prop_assert_eq!(&normalise(&DOCUMENT, &again).unwrap(), &once);
        again.0.extend(read::<PermissionSet>(&set).0);
        again.0.reverse();
        prop_assert_eq!(&normalise(&DOCUMENT, &again).unwrap(), &once);
    }

    /// No atom of a normal form is within another, and no action is missing.
    #[test]
    fn a_normal_form_is_small_and_whole(set in set(4)) {
        let form = atoms(&set);
        let single: Vec<Atoms> = form
            .iter()
            .map(|atom| {
                let mut statement = json!({
                    "resource_type": atom.resource_type(), "selector": atom.selector(),
                    "actions": [atom.action()],
                });
                if !atom.constraints().is_empty() {
                    statement["constraints"] = serde_json::to_value(atom.constraints()).unwrap();
                }
                atoms(&json!([statement]))
            })
            .collect();
        prop_assert_eq!(single.len(), form.len());
        for (at, one) in single.iter().enumerate() {
            prop_assert!(is_within(one, &form));
            for (_, other) in single.iter().enumerate().filter(|(it, _)| *it != at) {
                prop_assert_ne!(one, other);
            }
        }
        prop_assert_eq!(judge_atoms(&written(&form)), judge(&set));
    }

    #[test]
    fn a_meet_opens_what_both_open((first, second) in pair()) {
        let common = both(&atoms(&first), &atoms(&second));
        let fault = fault_of_meet(&judge(&first), &judge(&second), &judge_atoms(&written(&common)));
        prop_assert_eq!(fault, None);
        // It is closed over what actions imply, so it can be asked for as it is.
        match common.to_set() {
            Ok(set) => prop_assert_eq!(normalise(&DOCUMENT, &set).unwrap(), common),
            Err(fault) => {
                prop_assert_eq!(fault, NotASet::Empty);
                prop_assert!(common.is_empty());
            }
        }
    }

    /// The greatest lower bound: whatever is within both is within it, and it is one.
    #[test]
    fn a_meet_is_the_greatest_lower_bound((first, second) in pair(), third in statement(), which in any::<usize>()) {
        let (a, b) = (atoms(&first), atoms(&second));
        let common = both(&a, &b);
        prop_assert!(is_within(&common, &a) && is_within(&common, &b));
        let part = |set: &Value| {
            let all = set.as_array().unwrap();
            json!([all.get(which % all.len().max(1))])
        };
        let mut below = vec![json!([third])];
        below.extend([&first, &second].into_iter().filter(|set| **set != json!([])).map(part));
        for x in below.iter().map(atoms) {
            prop_assert_eq!(is_within(&x, &a) && is_within(&x, &b), is_within(&x, &common));
            let lower = both(&x, &a);
            prop_assert!(!is_within(&lower, &b) || is_within(&lower, &common));
        }
    }

    #[test]
    fn meet_and_join_make_a_distributive_lattice((first, second) in pair(), third in set(3)) {
        let (a, b, c) = (atoms(&first), atoms(&second), atoms(&third));
        prop_assert_eq!(both(&a, &a), a.clone());
        prop_assert_eq!(both(&a, &b), both(&b, &a));
        prop_assert_eq!(both(&a, &both(&b, &c)), both(&both(&a, &b), &c));
        prop_assert_eq!(either(&a, &a), a.clone());
        prop_assert_eq!(either(&a, &b), either(&b, &a));
        prop_assert_eq!(either(&a, &either(&b, &c)), either(&either(&a, &b), &c));
        prop_assert_eq!(both(&a, &either(&a, &b)), a.clone());
        prop_assert_eq!(either(&a, &both(&a, &b)), a.clone());
        prop_assert_eq!(both(&a, &either(&b, &c)), either(&both(&a, &b), &both(&a, &c)));
        prop_assert_eq!(is_within(&a, &b), both(&a, &b) == a);
        prop_assert_eq!(is_within(&a, &b), either(&a, &b) == b);
        prop_assert!(both(&a, &Atoms::default()).is_empty());
        prop_assert_eq!(either(&a, &Atoms::default()), a);
    }

    #[test]
    fn a_join_opens_what_either_opens((first, second) in pair()) {
        let union = either(&atoms(&first), &atoms(&second));
        prop_assert_eq!(judge_atoms(&written(&union)), judge(&first).or(&judge(&second)));
    }

    #[test]
    fn subtracting_hides_nothing((first, second) in pair()) {
        let (a, b) = (atoms(&first), atoms(&second));
        let rest = a.subtract(&b);
        let fault = fault_of_rest(&judge(&first), &judge(&second), &judge_atoms(&written(&rest)));
        prop_assert_eq!(fault, None);
        prop_assert_eq!(rest.is_empty(), is_within(&a, &b));
        prop_assert!(a.subtract(&a).is_empty());
        prop_assert_eq!(a.subtract(&Atoms::default()), a);
    }

    /// Of all normal forms that, joined with the second, the first stays within, what is
    /// left by subtracting is the least.
    #[test]
    fn no_smaller_difference_would_do((first, second) in pair(), third in set(3)) {
        let (a, b) = (atoms(&first), atoms(&second));
        let rest = a.subtract(&b);
        prop_assert_eq!(either(&rest, &b), either(&a, &b));
        for x in [atoms(&third), either(&atoms(&third), &rest)] {
            prop_assert_eq!(is_within(&rest, &x), is_within(&a, &either(&b, &x)));
        }
    }
}

#[test]
fn an_unknown_part_is_named_with_its_set() {
    let good: PermissionSet =
        read(&json!([{"resource_type": "rows", "selector": "*", "actions": ["r"]}]));
    let bad: PermissionSet =
        read(&json!([{"resource_type": "rows", "selector": "*", "actions": ["drop"]}]));
    for combine in [meet, subtract] {
        let Err(CombineFault::First(fault)) = combine(&DOCUMENT, &bad, &good) else {
            unreachable!("the first set is unknown");
        };
        assert_eq!(fault.pointer, "/0/actions/0");
        let Err(CombineFault::Second(fault)) = combine(&DOCUMENT, &good, &bad) else {
            unreachable!("the second set is unknown");
        };
        assert_eq!(fault.pointer, "/0/actions/0");
    }
}

/// Statements about one place, each with constraints of its own: as many places in common
/// as there are pairs, which is the most.
#[test]
fn the_worst_meet_is_worked_out_or_refused() {
    let set = |count: usize, own: &str, shared: &str| -> PermissionSet {
        let statement = |number: usize| {
            json!({
                "resource_type": "rows", "selector": "a/*", "actions": ["r"],
                "constraints": {own: number, shared: [format!("m{number}"), "p"]},
            })
        };
        read(&(0..count).map(statement).collect::<Value>())
    };
    let mut world = super::oracle::WORLD.clone();
    let constraints = &mut world["resource_types"]["rows"]["constraints"];
    constraints["k"] = json!({"kind": "max"});
    constraints["t"] = json!({"kind": "set"});
    let document = read(&world);
    let (first, second) = (set(40, "h", "s"), set(50, "k", "t"));
    let common = meet(&document, &first, &second).unwrap();
    assert_eq!(common.len(), limits::REGIONS);
    assert_eq!(common.to_set(), Err(NotASet::TooLarge));
    let one_more = normalise(&document, &set(1, "k", "s")).unwrap();
    assert_eq!(common.join(&one_more), Err(TooLarge));

    let (first, second) = (set(100, "h", "s"), set(100, "k", "t"));
    assert_eq!(
        meet(&document, &first, &second),
        Err(CombineFault::TooLarge(TooLarge))
    );
    let form = normalise(&document, &first).unwrap();
    assert_eq!(meet(&document, &first, &first), Ok(form));
    assert_eq!(Atoms::default().to_set(), Err(NotASet::Empty));
    assert_eq!(
        Atoms::default().compare(&Atoms::default()).verdict,
        Verdict::Equal
    );
}

/// Long values in many places are refused before they fill the memory.
#[test]
fn a_meet_is_bounded_in_bytes_too() {
    let mut world = super::oracle::WORLD.clone();
    let constraints = &mut world["resource_types"]["rows"]["constraints"];
    constraints["k"] = json!({"kind": "max"});
    constraints["t"] = json!({"kind": "set"});
    let document = read(&world);
    // Of each 64 members, 63 are long and shared, and one tells the statements apart.
    let set = |count: usize, own: &str, shared: &str| -> PermissionSet {
        let statement = |number: usize| {
            let mut members: Vec<_> = (1..limits::MEMBERS)
                .map(|at| format!("{at:02}{}", "x".repeat(250)))
                .collect();
            members.push(format!("m{number}"));
            json!({
                "resource_type": "rows", "selector": "a/*", "actions": ["r"],
                "constraints": {own: number, shared: members},
            })
        };
        read(&(0..count).map(statement).collect::<Value>())
    };
    let sets = |count| (set(count, "h", "s"), set(count, "k", "t"));
    let (first, second) = sets(20);
    assert_eq!(meet(&document, &first, &second).unwrap().len(), 400);
    let (first, second) = sets(40);
    const { assert!(40 * 40 < limits::REGIONS) };
    assert_eq!(
        meet(&document, &first, &second),
        Err(CombineFault::TooLarge(TooLarge))
    );
}
