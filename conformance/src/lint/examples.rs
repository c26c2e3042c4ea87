//! A document with exactly one finding for each code, and its twin without.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Code, Finding, Severity, lint, lint_value};

/// A document in which nothing is found.
fn clean() -> Value {
    json!({
        "version": "1",
        "environments": ["test", "production"],
        "resource_types": {"page": {
            "title": {"en": "Pages", "de": "Seiten"},
            "actions": {
                "read": {
                    "risk": "low",
                    "consent": {"en": "Read {selector}", "de": "{selector} lesen"},
                },
                "write": {
                    "implies": ["read"],
                    "risk": "medium",
                    "consent": {"en": "Change {selector}", "de": "{selector} ändern"},
                },
                "publish": {
                    "implies": ["write"],
                    "risk": "high",
                    "consent": {"en": "Publish {selector}", "de": "{selector} veröffentlichen"},
                },
            },
            "constraints": {"max_pages": {"kind": "max"}},
        }},
    })
}

/// The clean document with `value` at `pointer`; where the last step does not exist yet, it is
/// added.
fn with(pointer: &str, value: &Value) -> Value {
    let mut document = clean();
    let (holder, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(holder).unwrap()[name] = value.clone();
    document
}

fn without(pointer: &str) -> Value {
    let mut document = clean();
    let (holder, name) = pointer.rsplit_once('/').unwrap();
    let holder = document.pointer_mut(holder).unwrap();
    holder.as_object_mut().unwrap().remove(name).unwrap();
    document
}

fn action(implies: &[&str], text: &str, deprecated: bool) -> Value {
    json!({
        "implies": implies, "risk": "high", "deprecated": deprecated,
        "consent": {"en": format!("{text} {{selector}}"), "de": format!("{{selector}}: {text}")},
    })
}

const TYPES: &str = "/resource_types";
const PAGE: &str = "/resource_types/page";
const WRITE: &str = "/resource_types/page/actions/write";

/// A code, what makes for exactly one finding of it, and the same place with what does not.
fn examples() -> Vec<(Code, Value, Value)> {
    let at = |code, place: String, bad: Value, good: Value| {
        (code, with(&place, &bad), with(&place, &good))
    };
    let write = |rest: &str| format!("{WRITE}/{rest}");
    let page = |rest: &str| format!("{PAGE}/{rest}");
    let actions = page("actions");
    let long = "x".repeat(501);
    vec![
        at(
            Code::WrongType,
            write("deprecated"),
            json!(null),
            json!(false),
        ),
        at(Code::WrongType, page("constraints"), json!([]), json!({})),
        (Code::MissingMember, without(&write("risk")), clean()),
        (Code::MissingMember, without("/version"), clean()),
        at(
            Code::UnknownMember,
            write("scope"),
            json!("all"),
            json!(null),
        ),
        at(
            Code::UnknownValue,
            write("risk"),
            json!("severe"),
            json!("high"),
        ),
        at(
            Code::UnknownValue,
            page("constraints/max_pages"),
            json!({"kind": "most"}),
            json!({"kind": "min"}),
        ),
        at(
            Code::Size,
            "/environments".to_owned(),
            json!([]),
            json!(["test"]),
        ),
        at(
            Code::Name,
            "/environments".to_owned(),
            json!(["Test"]),
            json!(["test"]),
        ),
        at(
            Code::Name,
            page("constraints/2nd"),
            json!({"kind": "max"}),
            json!(null),
        ),
        at(
            Code::Repeated,
            "/environments".to_owned(),
            json!(["test", "test"]),
            json!(["test", "live"]),
        ),
        at(
            Code::Repeated,
            write("implies"),
            json!(["read", "read"]),
            json!(["read"]),
        ),
        at(
            Code::Reserved,
            format!("{TYPES}/CLP.key"),
            other_type(),
            json!(null),
        ),
        at(
            Code::UnknownImplied,
            write("implies"),
            json!(["read", "erase"]),
            json!(["read"]),
        ),
        at(
            Code::Cycle,
            write("implies"),
            json!(["publish"]),
            json!(["read"]),
        ),
        at(Code::Cycle, write("implies"), json!(["write"]), json!([])),
        at(Code::Text, "/version".to_owned(), json!(""), json!("2")),
        at(
            Code::Text,
            write("consent/en"),
            json!("Change\u{202e} {selector}"),
            json!("Alter {selector}"),
        ),
        at(Code::Text, page("title/en"), json!(long), json!("x")),
        at(
            Code::Language,
            page("title/de_DE"),
            json!("Seiten"),
            json!(null),
        ),
        at(
            Code::Placeholder,
            write("consent/en"),
            json!("Change {page} of {selector}"),
            json!("Change pages of {selector}"),
        ),
        at(
            Code::Placeholder,
            write("consent/en"),
            json!("{selector} and {selector}"),
            json!("This and {selector}"),
        ),
        at(
            Code::LessRisky,
            write("risk"),
            json!("critical"),
            json!("high"),
        ),
        at(
            Code::DeprecatedImplied,
            write("deprecated"),
            json!(true),
            json!(false),
        ),
        at(Code::NeverApproved, actions.clone(), many(150), many(120)),
        at(
            Code::NoSelector,
            write("consent/de"),
            json!("Ändern"),
            json!("{selector} anpassen"),
        ),
        at(
            Code::LanguageMissing,
            write("consent"),
            json!({"en": "Change {selector}"}),
            json!({"en": "Change {selector}", "de": "{selector} ändern"}),
        ),
        at(
            Code::LanguageMissing,
            page("title/fr"),
            json!("Pages"),
            json!(null),
        ),
        at(
            Code::SameConsent,
            write("consent/en"),
            json!("Read {selector}"),
            json!("Edit {selector}"),
        ),
        at(
            Code::Confusable,
            page("actions/Read"),
            action(&[], "Look at", false),
            json!(null),
        ),
        at(
            Code::Confusable,
            page("title/EN"),
            json!("Pages"),
            json!(null),
        ),
        at(
            Code::DeadAction,
            page("actions/dump"),
            action(&["read"], "Dump", true),
            action(&["read"], "Dump", false),
        ),
        at(
            Code::Redundant,
            page("actions/publish/implies"),
            json!(["read", "write"]),
            json!(["write"]),
        ),
    ]
}

fn other_type() -> Value {
    json!({
        "title": {"en": "Keys", "de": "Schlüssel"},
        "actions": {"use": {"risk": "low", "consent": {"en": "Use {selector}", "de": "{selector} nutzen"}}},
    })
}

/// So many actions in a row, the first of which implies them all.
fn many(count: usize) -> Value {
    let name = |number: usize| format!("a{number:03}");
    let all = (0..count).map(|number| {
        let next = name(number + 1);
        let implies: Vec<&str> = (number + 1 < count)
            .then_some(next.as_str())
            .into_iter()
            .collect();
        let text = format!("{number:03} {}", "x".repeat(470));
        (name(number), action(&implies, &text, false))
    });
    Value::Object(all.collect())
}

fn codes(found: &[Finding]) -> BTreeSet<Code> {
    found.iter().map(|one| one.code).collect()
}

#[test]
fn nothing_is_found_in_a_clean_document() {
    assert_eq!(lint_value(&clean()), []);
}

#[test]
fn each_code_is_found_alone_and_not_in_its_twin() {
    let mut covered = BTreeSet::from([Code::NotJson]);
    for (code, bad, good) in examples() {
        let found = lint_value(&bad);
        assert_eq!(codes(&found), BTreeSet::from([code]), "{found:#?}");
        assert_eq!(found[0].severity, code.severity());
        assert_eq!(
            found[0].requirement.is_some(),
            code.severity() == Severity::Error
        );
        // `null` stands for an entry that is not there.
        let good = dropped(good);
        assert_eq!(lint_value(&good), [], "the twin of {code:?}");
        covered.insert(code);
    }
    assert_eq!(covered, BTreeSet::from(Code::ALL), "a code has no example");
}

/// Without members that are `null`.
fn dropped(value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, dropped(member)))
                .collect(),
        ),
        other => other,
    }
}

#[test]
fn what_is_no_json_is_one_error() {
    for text in ["{", "{\"a\": 1, \"a\": 2}", "\u{feff}{}"] {
        assert_eq!(
            codes(&lint(text.as_bytes())),
            BTreeSet::from([Code::NotJson]),
            "{text}"
        );
    }
}

#[test]
fn a_cycle_is_told_step_by_step() {
    let found = lint_value(&with(
        &format!("{PAGE}/actions/read/implies"),
        &json!(["publish"]),
    ));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        found[0].pointer,
        "/resource_types/page/actions/publish/implies"
    );
    assert!(
        found[0]
            .message
            .contains("`publish → write → read → publish`"),
        "{}",
        found[0].message
    );
}

#[test]
fn a_lesser_risk_names_the_way_to_the_greater() {
    let mut document = clean();
    document["resource_types"]["page"]["actions"]["read"]["risk"] = json!("critical");
    let found = lint_value(&document);
    assert_eq!(codes(&found), BTreeSet::from([Code::LessRisky]));
    let pointers: Vec<_> = found.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/resource_types/page/actions/publish/risk",
            "/resource_types/page/actions/write/risk"
        ]
    );
    assert!(
        found[0].message.contains("`publish → write → read`"),
        "{}",
        found[0].message
    );
}

#[test]
fn an_unknown_action_that_is_implied_twice_is_both() {
    let found = lint_value(&with(
        &format!("{WRITE}/implies"),
        &json!(["erase", "erase"]),
    ));
    let both = BTreeSet::from([Code::Repeated, Code::UnknownImplied]);
    assert_eq!(codes(&found), both);
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn one_fault_hides_no_other() {
    let mut document = with(&format!("{WRITE}/risk"), &json!(7));
    document["surprise"] = json!(1);
    document["resource_types"]["page"]["title"] = json!([]);
    document["resource_types"]["page"]["actions"]["read"]["implies"] = json!(["read"]);
    let found = codes(&lint_value(&document));
    let all = BTreeSet::from([Code::UnknownMember, Code::WrongType, Code::Cycle]);
    assert!(found.is_superset(&all), "{found:?}");
}

#[test]
fn a_text_of_the_document_moves_no_terminal() {
    let name = "a\u{1b}[2J\u{202e}";
    let document = with(
        &format!("{PAGE}/actions/{name}"),
        &action(&[name], "Do", false),
    );
    for finding in lint_value(&document) {
        assert!(
            !finding.message.contains(['\u{1b}', '\u{202e}']),
            "{finding:?}"
        );
    }
}
