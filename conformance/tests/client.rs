//! The features about clients: the reference client passes, and clients that do nothing fail.

use std::sync::Arc;
use std::time::Duration;

use clp_conformance::client::null::floor;
use clp_conformance::client::run::{ClientOptions, run};
use clp_conformance::client::task::Launch;
use clp_conformance::client::world::Starter;
use clp_conformance::record::Verdict;
use clp_conformance::selection::Filters;

fn options(launch: Launch, name: &str) -> ClientOptions {
    ClientOptions {
        starter: Arc::new(Starter {
            launch,
            limit: Duration::from_secs(60),
        }),
        name: "the client of this test".to_owned(),
        embedded: false,
        filters: Filters {
            names: vec![name.to_owned()],
            ..Filters::default()
        },
        known_failures: Vec::new(),
        seed: 0,
        concurrency: 2,
        progress: false,
        invocation: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_floor_is_zero_for_clients_too() {
    let floors = floor(8).await.unwrap_or_default();
    assert_eq!(floors.len(), 7);
    for floor in floors {
        assert!(floor.scenarios > 20, "{}: {}", floor.name, floor.scenarios);
        assert!(floor.blind.is_empty(), "{}: {:#?}", floor.name, floor.blind);
    }
}

/// The example of `SUBJECT.md`, as it is printed there.
fn example() -> String {
    let text = include_str!("../SUBJECT.md");
    text.split_once("```python\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(script, _)| script.to_owned())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_adapter_passes_where_it_claims_to() {
    let found = std::process::Command::new("python3")
        .arg("--version")
        .output();
    if found.is_err() {
        assert!(std::env::var_os("CI").is_none(), "the gate needs python3");
        return;
    }
    let script = example();
    assert!(script.lines().count() > 20, "the example is lost");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapter.py");
    std::fs::write(&path, script).expect("a file");
    let launch = Launch::Shell(format!("python3 '{}'", path.display()));
    for (name, expected) in [
        (
            "client/discover/a-manifest-of-another-issuer-is-not-believed",
            Verdict::Pass,
        ),
        (
            "client/create/every-request-names-the-version",
            Verdict::Pass,
        ),
        // It does no such tasks: what every client has to do is a failure, the rest is not.
        (
            "client/create/a-refusal-means-what-its-type-says-whatever-its-title",
            Verdict::Pass,
        ),
        (
            "client/permissions/a-set-stays-within-another-only-where-that-is-shown",
            Verdict::Fail,
        ),
        (
            "client/audit/a-log-that-shrank-is-noticed",
            Verdict::Disabled,
        ),
    ] {
        let (record, _) = run(&options(launch.clone(), name)).await.expect("a run");
        let one = record.scenarios.first().expect("a scenario");
        assert_eq!(one.verdict, expected, "{name}: {:?}", one.failure);
    }
}
