//! The walk-through of the README, run as it is printed.

use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Command, Stdio};

/// The sections that are run, one after the other in one shell.
const HEADINGS: [&str; 4] = [
    "## One credential, from discover to audit",
    "## A whole project, with nothing failing",
    "## Where is this key used?",
    "## Test your tool: faults",
];

/// What the issuer listens on in the walk-through, test control last.
const PORTS: RangeInclusive<u16> = 8801..=8810;

/// The shell blocks below the headings, in order, as one script.
fn walk_through(readme: &str) -> String {
    let sections: String = HEADINGS
        .iter()
        .map(|heading| {
            let (_, rest) = readme.split_once(heading).unwrap_or_default();
            rest.split("\n## ").next().unwrap_or(rest)
        })
        .collect();
    sections
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split_once("```"))
        .map(|(script, _)| script)
        .collect()
}

#[test]
fn the_walk_through_runs_as_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("a README");
    let script = walk_through(&readme);
    assert!(
        script.lines().count() > 20,
        "the README has lost its walk-through"
    );

    if Command::new("curl").arg("--version").output().is_err() {
        // A developer without curl can still pass the tests; the gate installs it, so there it
        // has to be.
        assert!(
            std::env::var_os("CI").is_none(),
            "the walk-through needs curl, which is not installed"
        );
        eprintln!("skipped: the walk-through needs curl, which is not installed");
        return;
    }
    let taken: Vec<u16> = PORTS
        .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_err())
        .collect();
    assert!(
        taken.is_empty(),
        "the walk-through needs the ports {PORTS:?}, and something listens on {taken:?} already"
    );
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");

    // What a reader is promised between the blocks, seen in the output.
    for promised in [
        "risk: low",
        "Invoice",
        "state         installed",
        "pending_approval",
        "a narrower one may, with risk low",
        "UNDECLARED",
        "depends on www.example.com, which holds web shop",
        "flowchart LR",
        "# Handoff of atlas",
        "none of the calls on record would have been refused",
        "the predecessor is revoked",
        "state           revoked",
        "credential.revoked",
        "verdict  authenticated",
        // A project: what was due and could be done is done, the rest is left to a person.
        "to be rotated every 7d",
        "which keeps the sales meeting going",
        "1 done, 1 needs a person",
        // A rate limit and a lost answer, and one credential all the same.
        "{\"status\":429,\"retry_after\":1}",
        "{\"drop\":\"after_commit\"}",
        "30 of 100 calls meet one of 3 faults",
        "none: nothing goes wrong",
    ] {
        assert!(
            said.contains(promised),
            "no `{promised}` in:\n{said}\n{complained}"
        );
    }
}
