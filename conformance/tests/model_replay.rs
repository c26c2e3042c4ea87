//! The model and the reference issuer side by side, both ways; and that it would be seen if they
//! differed.
#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use clp_conformance::model::check;
use clp_conformance::model::graph::Graph;
use clp_conformance::model::plan::{PLAIN, Rule};
use clp_conformance::model::replay::{Dice, Differs, Followed, follow, provoke, wander};
use clp_conformance::model::{Action, Plan, table};
use clp_conformance::subject::reference::Embedded;
use reqwest::Client;

/// Decides the random walks; set `CLP_MODEL_SEED` for others.
const SEED: u64 = 0x0c1b;
/// Random walks through the model, and random series of calls, in each world.
const WALKS: usize = 4;
/// Steps of each.
const STEPS: usize = 40;

/// The worlds that a real issuer is led through: together, each move of the tables is made.
fn worlds() -> [Plan; 4] {
    let named = |name| Plan { name, ..PLAIN };
    [
        Plan {
            rotators: 1,
            people: true,
            late: true,
            left: Some(1),
            ..named("people")
        },
        Plan {
            rotators: 1,
            quiet: true,
            overlap: 1,
            deadline: Some(1),
            people: true,
            ..named("times and people")
        },
        Plan {
            compromise: true,
            ..named("a compromise")
        },
        Plan {
            rotators: 1,
            stray: true,
            quiet: true,
            ..named("messages late and twice")
        },
    ]
}

/// For random walks: larger ones, that nobody explores whole.
fn large() -> [Plan; 3] {
    let named = |name| Plan { name, ..PLAIN };
    let large = Plan {
        line: 3,
        places: 2,
        people: true,
        stray: true,
        late: true,
        ..PLAIN
    };
    [
        Plan {
            quiet: true,
            overlap: 1,
            deadline: Some(3),
            ..large
        },
        Plan {
            name: "large, lives that end",
            left: Some(3),
            deadline: Some(2),
            ..large
        },
        Plan {
            compromise: true,
            line: 3,
            people: true,
            places: 2,
            apart: true,
            ..named("large, a compromise")
        },
    ]
}

/// For each move, the shortest way that makes it; ways that are the beginning of another are left
/// out.
fn ways(plan: &Plan) -> Vec<Vec<Action>> {
    let graph = Graph::explore(plan, 1_000_000).unwrap();
    let mut ways: Vec<Vec<Action>> = graph
        .firsts
        .values()
        .map(|(from, action)| {
            let mut way = graph.way(*from);
            way.push(*action);
            way
        })
        .collect();
    ways.sort_by_key(|way| std::cmp::Reverse(way.len()));
    let mut kept: Vec<Vec<Action>> = Vec::new();
    for way in ways {
        if !kept.iter().any(|longer| longer.starts_with(&way)) {
            kept.push(way);
        }
    }
    kept
}

/// The shortest way to what goes wrong without each rule that an issuer can break, to be gone
/// with the rule.
fn temptations() -> Vec<(Plan, Vec<Action>)> {
    let replayed = Rule::ALL.iter().filter(|rule| !rule.shows_in().own_key);
    replayed
        .map(|rule| {
            let plan = Plan {
                omitted: None,
                ..rule.shows_in()
            };
            (plan, check::planted(*rule).unwrap().unwrap().way)
        })
        .collect()
}

fn seed() -> u64 {
    let said = std::env::var("CLP_MODEL_SEED").ok();
    said.map_or(SEED, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_issuer_goes_where_the_model_goes() {
    let issuer = Embedded::start(None).await.unwrap();
    let http = Client::new();
    let mut all = Followed::default();
    let mut traces = 0;
    for plan in worlds() {
        for way in ways(&plan) {
            traces += 1;
            match follow(&issuer, &http, &plan, &way).await {
                Ok(followed) => all.add(followed),
                Err(differs) => panic!("{differs}"),
            }
        }
    }
    for (plan, way) in temptations() {
        traces += 1;
        match follow(&issuer, &http, &plan, &way).await {
            Ok(followed) => all.add(followed),
            Err(differs) => panic!("{differs}"),
        }
    }
    println!("{traces} traces, {} steps, {} calls", all.steps, all.calls);
    let made: Vec<usize> = all.moves.rows().collect();
    let rows = table::rows();
    for (number, row) in rows.iter().enumerate() {
        assert!(made.contains(&number), "{row:?} was not replayed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_issuer_goes_along_on_random_walks() {
    let issuer = Embedded::start(None).await.unwrap();
    let http = Client::new();
    let seed = seed();
    println!("CLP_MODEL_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut all = Followed::default();
    for plan in large() {
        for _ in 0..WALKS {
            match wander(&issuer, &http, &plan, &mut dice, STEPS).await {
                Ok(followed) => all.add(followed),
                Err(differs) => panic!("CLP_MODEL_SEED={seed}: {differs}"),
            }
        }
    }
    println!("{} steps, {} calls", all.steps, all.calls);
    assert!(all.calls > 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_issuer_is_asked_the_model_can_answer_the_same() {
    let issuer = Embedded::start(None).await.unwrap();
    let http = Client::new();
    let seed = seed();
    println!("CLP_MODEL_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut all = Followed::default();
    for plan in large() {
        for _ in 0..WALKS {
            match provoke(&issuer, &http, &plan, &mut dice, STEPS).await {
                Ok(followed) => all.add(followed),
                Err(differs) => panic!("CLP_MODEL_SEED={seed}: {differs}"),
            }
        }
    }
    println!("{} steps, {} calls", all.steps, all.calls);
    assert!(all.calls > 200);
}

/// Traces against an issuer that is broken in this way, until something differs.
async fn difference(saboteur: &str, traces: &[(Plan, Vec<Action>)]) -> Option<Differs> {
    let issuer = Embedded::start(Some(saboteur)).await.unwrap();
    let http = Client::new();
    for (plan, way) in traces {
        if let Err(differs) = follow(&issuer, &http, plan, way).await {
            return Some(differs);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_goes_elsewhere_is_found_out() {
    const SABOTEURS: [&str; 8] = [
        "CLP-ROT-007", // leaves a predecessor retiring when its successor has ended
        "CLP-ROT-018", // forgets the deadline
        "CLP-ROT-028", // advances whatever the gates say
        "CLP-ROT-031", // does not revoke the successor of what it rolls back
        "CLP-ROT-036", // rolls back while nobody knows what a place has
        "CLP-REV-009", // ends a predecessor whatever the gates say
        "CLP-REV-014", // resumes a predecessor as if nothing replaced it
        "CLP-INJ-004", // lets a required place be talked away
    ];
    let mut traces = temptations();
    for plan in worlds() {
        traces.extend(ways(&plan).into_iter().map(|way| (plan, way)));
    }
    for saboteur in SABOTEURS {
        let differs = difference(saboteur, &traces).await;
        let differs = differs.unwrap_or_else(|| panic!("{saboteur} goes where the model goes"));
        println!("{saboteur}: {differs}\n");
    }
}
