//! The walk-through of the README, run as it is printed.

use std::path::Path;
use std::process::{Command, Stdio};

const HEADING: &str = "## One credential, from discover to audit";

/// The shell blocks below the heading, in order, as one script.
fn walk_through(readme: &str) -> String {
    let section = readme
        .split_once(HEADING)
        .map(|(_, rest)| rest.split("\n## ").next().unwrap_or(rest))
        .unwrap_or_default();
    section
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
        eprintln!("skipped: the walk-through needs curl");
        return;
    }
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
        "pending_approval",
        "state           revoked",
        "credential.revoked",
        "verdict  authenticated",
    ] {
        assert!(
            said.contains(promised),
            "no `{promised}` in:\n{said}\n{complained}"
        );
    }
}
