//! The campaigns that kill and that call at once: they hold, and they can fail.

#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use std::process::Command;

/// Exit status and what was printed.
fn conformance(words: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_clp-conformance"))
        .args(words)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let said = String::from_utf8_lossy(&ran.stderr);
    (ran.status.code().unwrap(), format!("{text}{said}"))
}

/// One campaign that kills, with what is broken.
fn crash(kills: &str, more: &[&str]) -> (i32, String) {
    let words = ["crash", "--seed", "7", "--jobs", "4", "--kills", kills];
    conformance(&[&words, more].concat())
}

#[test]
fn nothing_is_lost_by_a_few_kills() {
    let (code, text) = crash("12", &["--limit", "12"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("failures: 0"), "{text}");
}

#[test]
fn an_issuer_that_answers_before_it_stores_is_found_out() {
    let broken = ["--violate", "CLP-AUD-002", "--first"];
    let (code, text) = crash(
        "40",
        &[&broken[..], &["--at", "answer lost of credential_create"]].concat(),
    );
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("was acknowledged, and is lost"), "{text}");
}

#[test]
fn a_client_that_repeats_with_a_fresh_key_is_found_out() {
    let broken = ["--violate-client", "CLP-TRN-026", "--first"];
    let (code, text) = crash(
        "40",
        &[&broken[..], &["--at", "answer lost of credential_create"]].concat(),
    );
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("in the end there is"), "{text}");
}

#[test]
fn a_client_that_acknowledges_before_it_stores_is_found_out() {
    let broken = ["--violate-client", "CLP-DLV-021", "--first"];
    let (code, text) = crash("40", &[&broken[..], &["--at", "delivery_ack"]].concat());
    assert_eq!(code, 1, "{text}");
}

#[test]
fn a_client_that_revokes_too_early_leaves_its_users_without_a_key() {
    let broken = ["--violate-client", "CLP-ROT-014", "--first"];
    let (code, text) = crash("10", &[&broken[..], &["--at", "rotate, 1 place"]].concat());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("was answered 401"), "{text}");
}

#[test]
fn an_issuer_that_compares_and_changes_apart_is_not_in_order() {
    let words = ["race", "--histories", "24", "--seed", "7"];
    let (code, text) = conformance(&words);
    assert_eq!(code, 0, "{text}");
    let (code, text) = conformance(&[&words[..], &["--violate", "CLP-TRN-043"]].concat());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("NOT IN ORDER"), "{text}");
}
