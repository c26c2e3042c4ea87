//! The approval page in a real browser. What needs a browser is written for node, which drives
//! one, and checks with axe-core; here it is started where both are there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the tests are, and what they need from npm.
fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

fn chromium() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(named) => Some(named.into()),
        None => [
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome",
        ]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists()),
    }
}

/// What is not there of what the tests need.
fn lacking() -> Option<&'static str> {
    let has_node = Command::new("node")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_node {
        Some("node")
    } else if chromium().is_none() {
        Some("chromium (CHROMIUM names another one)")
    } else if !tests().join("node_modules/playwright-core").exists() {
        Some("`npm ci --prefix reference-issuer/tests/browser`")
    } else {
        None
    }
}

#[test]
fn a_person_decides_in_a_browser() {
    if let Some(what) = lacking() {
        assert!(
            std::env::var_os("CI").is_none(),
            "the browser tests need {what}"
        );
        eprintln!("SKIPPED: the browser tests need {what}");
        return;
    }
    let status = Command::new("node")
        .args([
            "--test",
            "--test-concurrency=1",
            "--test-reporter=spec",
            ".",
        ])
        .current_dir(tests())
        .env("CLP_ISSUER_BIN", env!("CARGO_BIN_EXE_clp-issuer"))
        .env("CHROMIUM", chromium().unwrap())
        .status()
        .unwrap();
    assert!(status.success(), "the browser tests end with {status}");
}
