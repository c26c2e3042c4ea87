//! Waiting for people: what is said meanwhile, how often the issuer is asked, and how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clp_schemas::approval;
use common::issuer::{
    CREDENTIAL, PRINCIPAL, REQUEST, TOKEN, clp, credential, issuer, key, request, wanted,
};
use common::{Reply, Server, json, problem};
use serde_json::{Value, json};

const ASK: &[&str] = &[
    "request",
    "--purpose",
    "fix ticket",
    "--owner",
    "data-team",
    "--project",
    "atlas",
    "--environment",
    "staging",
    "--allow",
    "event:read:atlas/*",
    "--subject",
    "agent:fixer",
    "--lifetime",
    "30m",
];

type Twist = fn(&mut Value);

/// An issuer whose request is one step further at each reading; the last step stays.
fn steps(all: &'static [Twist]) -> Server {
    let reads = AtomicUsize::new(0);
    issuer(move |url, seen| {
        let mut answer = request(url, &wanted());
        if seen.is("POST", "/credentials") {
            let mut made = credential(url);
            made["created_via"] = json!({"kind": "request", "request_id": REQUEST});
            made["expires_at"] = json!("2026-11-24T20:09:13Z");
            return json(201, &made);
        }
        if seen.method == "POST" {
            return json(202, &answer);
        }
        let at = reads.fetch_add(1, Ordering::SeqCst).min(all.len() - 1);
        all[at](&mut answer);
        json(200, &answer)
    })
}

/// The document as an approver has narrowed it, or as the requester has amended it.
fn again(answer: &mut Value, seconds: u64, amended: bool) {
    answer["version"] = json!(2);
    answer["approval_document"]["version"] = json!(2);
    answer["approval_document"]["request"]["lifetime_seconds"] = json!(seconds);
    if amended {
        answer["submitted"]["lifetime_seconds"] = json!(seconds);
    }
    let document = serde_json::from_value(answer["approval_document"].clone()).unwrap();
    answer["digest"] = json!(approval::digest(&document).unwrap());
}

fn decision(version: u64, how: &str, reason: &str) -> Value {
    json!({"id": "apr_0123456789abcdefghij", "request_id": REQUEST, "version": version, "decision": how,
           "approver": PRINCIPAL, "method": "passkey", "approved_at": "2026-11-24T19:40:13Z",
           "expires_at": "2026-11-24T20:40:13Z", "reason": reason})
}

fn two_needed(answer: &mut Value) {
    answer["approval_policy"] =
        json!({"approvals_required": 2, "separation_of_duty": "person", "methods": ["passkey"]});
}

#[test]
fn what_happens_meanwhile_is_said() {
    let home = tempfile::tempdir().unwrap();
    let server = steps(&[
        |answer| two_needed(answer),
        |answer| {
            two_needed(answer);
            answer["approvals"] = json!([decision(1, "approve", "fine")]);
        },
        |answer| {
            two_needed(answer);
            again(answer, 900, true);
            answer["approvals"] = json!([decision(1, "approve", "fine")]);
        },
        |answer| {
            two_needed(answer);
            again(answer, 900, true);
            answer["state"] = json!("approved");
            answer["approvals"] = json!([
                decision(2, "approve", "fine"),
                decision(2, "approve", "yes")
            ]);
        },
    ]);
    let run = clp(&home, &server, &[ASK, &["--wait"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let page = format!("approve at  {}/approve", server.url());
    let mut rest = run.stderr.as_str();
    for said in [
        page.as_str(),
        "clp approve req_",
        "WDJB-MJHT",
        "1 of 2 approved",
        "the request was amended: it is version 2",
        "0 of 2 approved",
        "the request is approved",
    ] {
        let found = rest.split_once(said);
        assert!(found.is_some(), "no `{said}` in its place: {}", run.stderr);
        rest = found.unwrap().1;
    }
    assert!(run.stdout.contains("because"), "{}", run.stdout);
    assert!(run.stdout.contains("900 seconds (15m)"), "{}", run.stdout);
}

#[test]
fn agreeing_to_less_is_said_and_is_what_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let server = steps(&[|answer| {
        again(answer, 600, false);
        answer["state"] = json!("approved");
    }]);
    let run = clp(&home, &server, &[ASK, &["--wait"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("agreed to less"), "{}", run.stderr);
    let agreed = run
        .stdout
        .lines()
        .find(|line| line.starts_with("agreed lifetime"));
    assert!(agreed.unwrap().contains("600 seconds (10m)"));
}

#[test]
fn each_end_is_said_with_its_reason() {
    let ends: [(&'static [Twist], &str, &str); 3] = [
        (
            &[|answer| {
                answer["state"] = json!("denied");
                answer["approvals"] = json!([decision(1, "deny", "ask\u{1b}[2J for less")]);
            }],
            "denied",
            "the approver says: ask[2J for less",
        ),
        (
            &[|answer| answer["state"] = json!("expired")],
            "expired",
            "expired before",
        ),
        (
            &[|answer| answer["state"] = json!("cancelled")],
            "cancelled",
            "taken back",
        ),
    ];
    for (all, state, words) in ends {
        let home = tempfile::tempdir().unwrap();
        let run = clp(&home, &steps(all), &[ASK, &["--wait"]].concat());
        assert_eq!(run.status, 3, "{}", run.stderr);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
        assert!(!run.stderr.contains('\u{1b}'));
        let run = clp(&home, &steps(all), &[ASK, &["--wait", "--json"]].concat());
        assert_eq!((run.status, run.stdout.as_str()), (3, ""), "{}", run.stderr);
        // One object, and nothing else.
        let said: Value = serde_json::from_str(&run.stderr).unwrap();
        assert_eq!(said["request"]["state"], json!(state));
        assert_eq!(said["request"]["id"], json!(REQUEST));
        let reason = json!("ask\u{1b}[2J for less");
        assert_eq!(said["request"]["reason"] == reason, state == "denied");
    }
}

#[test]
fn an_issuer_that_is_asked_too_often_is_given_the_time_it_wants() {
    let home = tempfile::tempdir().unwrap();
    let times = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&times);
    let server = issuer(move |url, seen| {
        let mut answer = request(url, &wanted());
        let mut times = kept.lock().unwrap();
        times.push(Instant::now());
        match (seen.method.as_str(), times.len()) {
            ("POST", _) => json(202, &answer),
            (_, 2) => problem(429, "rate-limited", "Retry-After: 2\r\n"),
            _ => {
                answer["state"] = json!("approved");
                json(200, &answer)
            }
        }
    });
    let run = clp(&home, &server, &[ASK, &["--wait=1m"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 3);
    // Not at once after the answer that it was opened with, either.
    assert!(times[1] - times[0] >= Duration::from_secs(1));
    assert!(times[2] - times[1] >= Duration::from_secs(2));
}

#[test]
fn a_request_that_was_just_read_is_not_read_at_once_again() {
    let home = tempfile::tempdir().unwrap();
    let server = steps(&[|_| ()]);
    let began = Instant::now();
    let run = clp(&home, &server, &["show", REQUEST, "--wait=1s"]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(began.elapsed() >= Duration::from_secs(1));
    let path = format!("/credentials/requests/{REQUEST}");
    assert_eq!(server.count("GET", &path), 2);
    let next = format!("clp show {REQUEST} --wait");
    assert!(run.stderr.contains(&next), "{}", run.stderr);
}

#[test]
fn a_refusal_ends_the_waiting() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|url, seen| match seen.method.as_str() {
        "POST" => json(202, &request(url, &wanted())),
        _ => problem(404, "not-found", ""),
    });
    let run = clp(&home, &server, &[ASK, &["--wait=1m"]].concat());
    assert_eq!(run.status, 3, "{}", run.stderr);
    let path = format!("/credentials/requests/{REQUEST}");
    assert_eq!(server.count("GET", &path), 1);
}

#[test]
fn once_approved_the_credential_is_made_and_its_secret_stored() {
    let home = tempfile::tempdir().unwrap();
    let server = steps(&[|answer| answer["state"] = json!("approved")]);
    let run = clp(&home, &server, &[ASK, &["--create"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains("stored"), "{}", run.stdout);
    assert!(!run.stdout.contains(key().expose()));
    let read = clp(&home, &server, &["store", "read", CREDENTIAL]);
    assert_eq!(read.stdout, key().expose());
    // Where nothing was decided, nothing is made.
    let home = tempfile::tempdir().unwrap();
    let server = steps(&[|answer| answer["state"] = json!("denied")]);
    let run = clp(&home, &server, &[ASK, &["--create"]].concat());
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert_eq!(server.count("POST", "/credentials"), 0);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_waiting_and_not_the_request() {
    let home = tempfile::tempdir().unwrap();
    let server: Server = issuer(|url, seen| match seen.method.as_str() {
        "POST" | "GET" => json(202, &request(url, &wanted())),
        _ => Reply::HangUp,
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_clp"))
        .args(["--allow-loopback-http", "--allow-test-issuer"])
        .args([ASK, &["--wait=10m"]].concat())
        .env_clear()
        .env("CLP_ISSUER", server.url())
        .env("CLP_TOKEN", TOKEN)
        .env("CLP_HOME", home.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("code ") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended");
    }
    // What it says comes before it listens for the signal, by less than it takes to read once.
    let path = format!("/credentials/requests/{REQUEST}");
    while server.count("GET", &path) == 0 {
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7), "{rest}");
    assert!(
        rest.contains(&format!("clp show {REQUEST} --wait")),
        "{rest}"
    );
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|one| one.method == "DELETE")
            .count(),
        0
    );
}
