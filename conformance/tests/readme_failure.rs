//! The failure that the README shows is the one that the suite prints.

#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use std::path::Path;

use clp_conformance::config::Target;
use clp_conformance::record::RunRecord;
use clp_conformance::report::console;
use clp_conformance::run::{Options, run};
use clp_conformance::selection::Filters;
use regex::Regex;

const BEGIN: &str = "<!-- failure: printed by the suite, held by a test -->\n\n```\n";
const END: &str = "```\n\n<!-- /failure -->";

/// An issuer that breaks one thing, and the scenario that notices.
const SABOTEUR: &str = "CLP-TRN-017";
const SCENARIO: &str = "transport/a-create-without-a-key-is-refused";

/// What is different in every run, and what stands for it here.
const FLEETING: [(&str, &str); 8] = [
    (r"http://localhost:\d+", "https://staging.example.com"),
    (
        r"\b(cred|dlv|prin|ten|req|rot)_[A-Za-z0-9]+",
        "${1}_0123456789abcdef",
    ),
    (r"suite-[0-9a-f]{12}", "suite-0123456789ab"),
    (r"\b[0-9a-f]{32}\b", "0123456789abcdef0123456789abcdef"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-01-01T00:00:00Z"),
    (
        r#"(\\?"key_id\\?":\\?")[A-Za-z0-9]+"#,
        "${1}0123456789abcdef",
    ),
    (
        r#"\\"[A-Za-z0-9_-]{43}\\""#,
        r#"\"0123456789abcdefghijABCDEFGHIJ0123456789abc\""#,
    ),
    (r"sha256:[0-9a-f]{64}", "sha256:0123…"),
];

async fn failure() -> String {
    let record = run(&Options {
        target: Target::Saboteur(SABOTEUR.to_owned()),
        filters: Filters {
            names: vec![SCENARIO.to_owned()],
            ..Filters::default()
        },
        known_failures: Vec::new(),
        seed: 0,
        concurrency: 1,
        progress: false,
        invocation: "cargo conform issuer https://staging.example.com --config clp.toml".to_owned(),
    })
    .await
    .unwrap();
    // Before it is rendered, so that every line is as long as it will be.
    let mut text = serde_json::to_string(&record).unwrap();
    for (pattern, stands) in FLEETING {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, stands)
            .into_owned();
    }
    let record: RunRecord = serde_json::from_str(&text).unwrap();
    let shown = console::render(&record, false);
    let (failure, _) = shown.split_once("\n\n  subject").unwrap();
    failure.to_owned() + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failure_in_the_readme_is_what_the_suite_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, _) = rest.split_once(END).unwrap();
    let printed = failure().await;
    assert_eq!(shown, printed, "the README should show:\n{printed}");
    // What a vendor needs to mend it from this alone.
    for needed in [
        "spec", "accepted", "sent", "back", "expected", "got", "alone",
    ] {
        assert!(
            printed.contains(&format!("\n  {needed} ")),
            "{needed}: {printed}"
        );
    }
}
