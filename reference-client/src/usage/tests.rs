//! What is put together from answers, and what stops.

use clp_schemas::state::Named as _;
use serde_json::{Value, json};

use super::*;
use crate::render::usage as shown;
use crate::usage::breaks::{breaks, named};

const ISSUER: &str = "https://api.example.com";
const AT: &str = "2026-11-24T19:39:13Z";

fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}_{number:020}")
}

fn credential(number: usize, more: Value) -> Credential {
    let mut value = json!({
        "id": id("cred", number), "type": "api_key", "state": "active", "purpose": format!("purpose {number}"),
        "owner": "data team", "project": "atlas", "environment": "staging", "permissions": [],
        "permission_schema_digest": "sha256:0", "key_id": "0123456789abcdef", "created_at": AT,
        "created_by": id("prin", 1), "created_via": {"kind": "direct"},
        "disclosed_to": [{"principal": id("prin", 1), "at": AT}],
    });
    value
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

/// A place below a credential, by name.
fn place(number: usize, of: usize, name: &str, more: Value) -> Installation {
    let mut value = json!({
        "id": id("ins", number), "credential_id": id("cred", of), "state": "installed",
        "target": {"kind": "docker", "name": name}, "match": {"user_agent": name},
        "reported_by": id("prin", 1), "reported_at": AT, "last_seen_at": AT,
    });
    value
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn consumer(agent: &str, places: &[usize]) -> Value {
    let places: Vec<String> = places.iter().map(|place| id("ins", *place)).collect();
    json!({"user_agent": agent, "address": "192.0.2.1", "uses": 3, "first_seen_at": AT, "last_seen_at": AT,
           "installations": places})
}

fn known(number: usize, more: Value, places: Vec<Installation>, consumers: &[Value]) -> Known {
    let usage = json!({"credential_id": id("cred", number), "as_of": AT, "uses": 3, "consumers": consumers});
    Known {
        issuer: ISSUER.to_owned(),
        credential: credential(number, more),
        places: Some(places),
        more_places: false,
        usage: Some(serde_json::from_value(usage).unwrap()),
        filled: Vec::new(),
    }
}

fn put_together(known: Vec<Known>) -> UsageGraph {
    let answers = Answers {
        issuers: vec![AskedIssuer {
            issuer: ISSUER.to_owned(),
            answered: true,
            inventory: known.iter().all(|one| one.places.is_some()),
        }],
        known,
        ..Answers::default()
    };
    graph(&answers, AT.parse().unwrap())
}

fn of<'a>(graph: &'a UsageGraph, label: &str) -> &'a Node {
    graph.nodes.iter().find(|node| node.label == label).unwrap()
}

fn reasons(graph: &UsageGraph, about: Option<&str>) -> Vec<Reason> {
    let all = graph
        .unknown
        .iter()
        .filter(|one| one.about.as_deref() == about);
    all.map(|one| one.reason).collect()
}

#[test]
fn what_was_declared_is_held_against_what_was_seen() {
    let graph = put_together(vec![known(
        1,
        json!({}),
        vec![
            place(1, 1, "seen", json!({})),
            place(2, 1, "shared a", json!({})),
            place(3, 1, "shared b", json!({})),
            place(
                4,
                1,
                "quiet",
                json!({"last_seen_at": "0000-01-01T00:00:00Z", "state": "declared"}),
            ),
            place(5, 1, "gone", json!({"state": "retired"})),
        ],
        &[
            consumer("seen/1", &[1]),
            consumer("shared/1", &[2, 3]),
            consumer("stranger", &[]),
            consumer("elsewhere", &[9]),
        ],
    )]);
    let matched = |label| of(&graph, label).consumer.as_ref().unwrap().matched;
    assert_eq!(matched("seen/1"), Match::Declared);
    assert_eq!(matched("shared/1"), Match::Ambiguous);
    assert_eq!(matched("stranger"), Match::Undeclared);
    let sight = |label| of(&graph, label).place.as_ref().unwrap().sight;
    assert_eq!(sight("seen"), Sight::Seen);
    // Seen, but by a use that could as well be the other's.
    assert_eq!(sight("shared a"), Sight::Unknown);
    assert!(graph.nodes.iter().all(|node| node.label != "gone"));
    let credential = of(&graph, "purpose 1");
    assert_eq!(credential.credential.as_ref().unwrap().retired_places, 1);
    let kinds = |from: &str| -> Vec<EdgeKind> {
        let from = &of(&graph, from).id;
        graph
            .edges
            .iter()
            .filter(|edge| edge.from == *from)
            .map(|edge| edge.kind)
            .collect()
    };
    assert_eq!(
        kinds("shared/1"),
        [EdgeKind::Observed, EdgeKind::MayFit, EdgeKind::MayFit]
    );
    assert_eq!(kinds("stranger"), [EdgeKind::Observed]);
    assert_eq!(kinds("seen"), [EdgeKind::Holds]);
    assert_eq!(kinds("quiet"), [EdgeKind::Declared]);
    assert_eq!(
        reasons(&graph, Some(&of(&graph, "shared/1").id)),
        [Reason::Ambiguous]
    );
    assert_eq!(
        reasons(&graph, Some(&of(&graph, "elsewhere").id)),
        [Reason::PlaceElsewhere]
    );
    assert_eq!(reasons(&graph, None), [Reason::SeenUpTo]);
}

#[test]
fn what_nobody_saw_is_not_known_or_never_seen() {
    let mut never = place(1, 1, "never", json!({}));
    never.last_seen_at = None;
    let mut silent = place(2, 1, "silent", json!({}));
    silent.declared.matcher = None;
    let graph = put_together(vec![known(1, json!({}), vec![never, silent], &[])]);
    let sight = |label| of(&graph, label).place.as_ref().unwrap().sight;
    assert_eq!(
        (sight("never"), sight("silent")),
        (Sight::Never, Sight::Unknown)
    );
    assert_eq!(
        reasons(&graph, Some(&of(&graph, "silent").id)),
        [Reason::NoMatch]
    );
    let webhook = known(1, json!({"type": "webhook_secret"}), Vec::new(), &[]);
    let graph = put_together(vec![webhook]);
    let about = &of(&graph, "purpose 1").id;
    assert_eq!(reasons(&graph, Some(about)), [Reason::NotObserved]);
    let many: Vec<Value> = (0..200)
        .map(|number| consumer(&format!("{number}"), &[]))
        .collect();
    let graph = put_together(vec![known(1, json!({}), Vec::new(), &many)]);
    let about = &of(&graph, "purpose 1").id;
    assert_eq!(reasons(&graph, Some(about)), [Reason::ConsumerLimit]);
}

#[test]
fn where_there_is_no_inventory_this_machine_says_what_it_filled() {
    let mut bare = known(1, json!({}), Vec::new(), &[]);
    (bare.places, bare.usage) = (None, None);
    let filled = Place {
        issuer: ISSUER.to_owned(),
        credential_id: bare.credential.id.clone(),
        path: "/srv/app/.env".into(),
        variable: "KEY".to_owned(),
        about: crate::places::About::default(),
    };
    bare.filled.push((id("ins", 1).parse().unwrap(), filled));
    let graph = put_together(vec![bare]);
    assert_eq!(reasons(&graph, None), [Reason::NoInventory]);
    let facts = of(&graph, ".env KEY").place.as_ref().unwrap();
    assert_eq!(
        (facts.known_from, facts.sight),
        (KnownFrom::Here, Sight::Unknown)
    );
    let text = shown::text(&graph);
    assert!(text.contains("who uses it is not known"), "{text}");
    assert!(text.contains("keeps no inventory"), "{text}");
}

#[test]
fn a_use_of_the_predecessor_leads_to_the_place_that_moved_on() {
    let old = known(
        1,
        json!({"state": "retiring", "successor": id("cred", 2)}),
        Vec::new(),
        &[consumer("worker/1", &[1])],
    );
    let new = known(
        2,
        json!({"predecessor": id("cred", 1)}),
        vec![place(1, 2, "worker", json!({}))],
        &[],
    );
    let graph = put_together(vec![old, new]);
    let fits = graph
        .edges
        .iter()
        .find(|edge| edge.kind == EdgeKind::Fits)
        .unwrap();
    assert_eq!(fits.to, of(&graph, "worker").id);
    let replaces = graph
        .edges
        .iter()
        .find(|edge| edge.kind == EdgeKind::Replaces)
        .unwrap();
    assert_eq!(
        (&replaces.from, &replaces.to),
        (&of(&graph, "purpose 2").id, &of(&graph, "purpose 1").id)
    );
    // Who still uses the old one stops with it; the place itself does not.
    let breaks = breaks(&graph, &[of(&graph, "purpose 1").id.clone()]);
    let hit: Vec<&str> = breaks
        .hit
        .iter()
        .map(|hit| &*graph.node(&hit.node).unwrap().label)
        .collect();
    assert_eq!(hit, ["worker/1"]);
}

/// Two credentials: what stops with the first holds the second, and so on in a circle.
fn circle() -> UsageGraph {
    put_together(vec![
        known(
            1,
            json!({}),
            vec![
                place(1, 1, "deploy", json!({"depends_on": ["billing"]})),
                place(
                    2,
                    1,
                    "quiet",
                    json!({"state": "declared", "depends_on": ["report"]}),
                ),
            ],
            &[],
        ),
        known(
            2,
            json!({}),
            vec![
                place(
                    3,
                    2,
                    "billing",
                    json!({"depends_on": ["invoices", "deploy"]}),
                ),
                place(4, 2, "far", json!({"depends_on": ["archive"]})),
            ],
            &[],
        ),
    ])
}

#[test]
fn what_stops_is_found_over_any_number_of_steps_and_in_circles() {
    let graph = circle();
    let gone = named(&graph, &id("cred", 1));
    assert_eq!(gone.len(), 1);
    let breaks = breaks(&graph, &gone);
    let mut hit: Vec<(&str, String, bool)> = breaks
        .hit
        .iter()
        .map(|hit| {
            let node = graph.node(&hit.node).unwrap();
            (node.kind.name(), node.label.clone(), hit.certain)
        })
        .collect();
    hit.sort();
    let expected = [
        ("dependent", "billing", true),
        ("dependent", "deploy", true),
        ("dependent", "invoices", true),
        ("dependent", "report", false),
        ("place", "billing", true),
        ("place", "deploy", true),
        ("place", "quiet", false),
    ];
    let expected = expected.map(|(kind, label, sure)| (kind, label.to_owned(), sure));
    assert_eq!(hit, expected);
    assert_eq!(breaks.cycles.len(), 1);
    assert_eq!(breaks.cycles[0].len(), 4);
    let far = breaks
        .hit
        .iter()
        .find(|hit| graph.node(&hit.node).unwrap().label == "invoices")
        .unwrap();
    let way: Vec<&str> = far
        .path
        .iter()
        .map(|id| &*graph.node(id).unwrap().label)
        .collect();
    assert_eq!(
        way,
        ["purpose 1", "deploy", "billing", "billing", "invoices"]
    );
    let text = shown::breaks(&breaks);
    for said in [
        "stops",
        "may stop",
        "depend on each other",
        "which holds purpose 1",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("archive"), "{text}");
    // By name: the thing, and the place that is it.
    assert_eq!(named(&graph, "billing").len(), 2);
    assert!(named(&graph, "purpose 1").is_empty() && named(&graph, "nothing").is_empty());
}

/// Names that mean something in some language that a graph is written in.
const HOSTILE: [&str; 8] = [
    "\"]; evil [label=\"x\\",
    "</title></svg><script>alert(1)</script>",
    "a\nclick n1 href \"javascript:alert(1)\"",
    "`\"]]-->|x| n1 %%{init: {}}%% #quot;",
    "safe\u{202e}txt.exe\u{2066}",
    "a\u{1b}[2J\u{0}\u{2028}b\u{fffe}",
    "<img src=x onerror=alert(1)> & ![x](javascript:1)",
    "]]> <!-- ' {{ }} \\N \\L {% %}",
];

fn hostile() -> UsageGraph {
    let all = HOSTILE.iter().enumerate().map(|(at, words)| {
        let (words, number) = (*words, at + 1);
        let more =
            json!({"purpose": words, "owner": words, "project": words, "environment": words});
        let place = place(
            number,
            number,
            words,
            json!({
                "target": {"kind": "other", "name": words, "locator": words}, "depends_on": [words],
            }),
        );
        known(
            number,
            more,
            vec![place],
            &[consumer(words, &[]), consumer("x", &[number, 99])],
        )
    });
    put_together(all.collect())
}

/// The text outside of quotes, and each text inside.
fn unquoted(line: &str, escapes: bool) -> (String, Vec<String>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter != '"' {
            outside.push(letter);
            continue;
        }
        let mut word = String::new();
        loop {
            match letters.next().unwrap() {
                '"' => break,
                '\\' if escapes => word.push(letters.next().unwrap()),
                letter => word.push(letter),
            }
        }
        inside.push(word);
    }
    (outside, inside)
}

#[test]
fn names_of_others_mean_nothing_in_any_language() {
    let graph = hostile();
    let picture = shown::Picture::of(&graph, true);
    let dot = shown::dot(&picture);
    let words: Vec<String> = dot
        .lines()
        .flat_map(|line| unquoted(line, true).1)
        .collect();
    for line in dot.lines() {
        let outside = unquoted(line, true).0;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || " _=,;[]{}->".contains(letter);
        assert!(outside.chars().all(plain), "{line}");
    }
    let mermaid = shown::mermaid(&picture);
    for line in mermaid.lines() {
        let (outside, inside) = unquoted(line, false);
        assert!(!outside.contains(['<', '`', '%', '#']), "{line}");
        for word in inside {
            let word = word.replace("<br/>", "");
            let plain = |letter: char| letter.is_alphanumeric() || " .,-_/:#;".contains(letter);
            assert!(word.chars().all(plain), "{word}");
        }
    }
    let svg = shown::svg(&picture).unwrap();
    let mut reader = quick_xml::Reader::from_str(&svg);
    let mut elements = BTreeSet::new();
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(begin) => {
                depth += 1;
                elements.insert(String::from_utf8(begin.name().as_ref().to_vec()).unwrap());
                for attribute in begin.attributes() {
                    let name = attribute.unwrap().key.as_ref().to_vec();
                    assert!(!name.starts_with(b"on") && !name.ends_with(b"href"));
                }
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    let known = ["g", "path", "rect", "style", "svg", "text", "title"];
    assert!(
        elements.iter().all(|name| known.contains(&&**name)),
        "{elements:?}"
    );
    let json = crate::render::json_text(&serde_json::to_value(&graph).unwrap());
    assert_eq!(serde_json::from_str::<UsageGraph>(&json).unwrap(), graph);
    let text = shown::text(&graph);
    for written in [&dot, &mermaid, &svg, &text, &json] {
        let hidden = [
            '\u{202e}', '\u{2066}', '\u{2028}', '\u{1b}', '\u{0}', '\u{7f}',
        ];
        assert!(!written.contains(hidden), "{written}");
        assert!(!written.trim_end().contains(['\r', '\t']));
    }
    // What means nothing anywhere is there all the same.
    assert!(
        words.iter().any(|word| word.contains("safetxt.exe")),
        "{dot}"
    );
    assert!(mermaid.contains("safetxt.exe") && svg.contains("safetxt.exe"));
}
