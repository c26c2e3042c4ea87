//! What a rotation asks before it begins, what it leaves behind when it stops, and how it is
//! given up.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::io::Write as _;

use common::issuer::{CREDENTIAL, SUCCESSOR};
use common::living::{ROTATION, lock};
use common::scene::Scene;
use serde_json::{Value, json};

const MANAGED: &[&str] = &["lifecycle", "inventory"];

#[test]
fn what_nobody_knows_a_place_of_is_not_rotated_silently() {
    for profiles in [MANAGED, &["lifecycle"], &[]] {
        let scene = Scene::bare(profiles);
        let run = scene.rotate(&["--health", &scene.health]);
        assert_eq!(run.status, 7, "{profiles:?}: {}", run.stderr);
        assert!(run.stderr.contains("--no-places"), "{}", run.stderr);
        assert_eq!(scene.opened(), 0);
        let said = ["--no-places", "--i-have-moved-everything"];
        let run = scene.rotate(&said);
        assert_eq!(run.status, 0, "{profiles:?}: {}", run.stderr);
        assert_eq!(scene.opened(), 1);
    }
}

#[test]
fn on_a_terminal_it_is_asked_and_a_yes_is_enough() {
    let lacks = std::process::Command::new("script")
        .arg("--version")
        .output();
    if lacks.is_err() {
        assert!(std::env::var_os("CI").is_none(), "the gate needs script(1)");
        eprintln!("skipped: there is no script(1) to make a terminal with");
        return;
    }
    for (answer, status, opened) in [("no", 7, 0), ("yes", 0, 1)] {
        let scene = Scene::bare(MANAGED);
        let line = format!(
            "{} --allow-loopback-http --allow-test-issuer rotate {CREDENTIAL}",
            env!("CARGO_BIN_EXE_clp")
        );
        let mut child = std::process::Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("CLP_ISSUER", scene.server.url())
            .env("CLP_TOKEN", common::issuer::TOKEN)
            .env("CLP_HOME", scene.home.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{answer}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains("go on all the same?"), "{said}");
        assert_eq!(scene.opened(), opened, "{said}");
        drop(stdin);
    }
}

#[test]
fn a_rotation_of_others_without_a_place_does_not_end_the_old_one_either() {
    // It was opened elsewhere, where nobody had to say a word.
    let scene = Scene::bare(MANAGED);
    assert_eq!(scene.rotate(&["--no-store"]).status, 0);
    let run = scene.resume(&[]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(run.stderr.contains("--no-places"), "{}", run.stderr);
    assert_eq!(
        lock(&scene.shared).credentials[CREDENTIAL]["state"],
        json!("retiring")
    );
    let run = scene.resume(&["--no-places"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn where_there_is_one_slot_the_gap_is_said() {
    let scene = Scene::new(None);
    lock(&scene.shared).one_slot = true;
    for more in [&[][..], &["--no-store"]] {
        let run = scene.rotate(more);
        assert_eq!(run.status, 7, "{}", run.stderr);
        assert!(run.stderr.contains("--accept-gap"), "{}", run.stderr);
    }
    assert_eq!(scene.opened(), 0);
    let run = scene.rotate(&["--accept-gap", "--health", &scene.health]);
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_dry_run_says_what_would_break_and_changes_nothing() {
    let scene = Scene::new(None);
    let other = json!({"id": "ins_0123456789abcdefghij", "credential_id": CREDENTIAL,
        "target": {"kind": "hosting", "name": "shop\u{1b}[2J"}, "state": "installed", "depends_on": ["checkout"],
        "reported_by": common::issuer::PRINCIPAL, "reported_at": "2026-11-24T19:39:13Z"});
    {
        let mut memory = lock(&scene.shared);
        memory
            .installations
            .insert("ins_0123456789abcdefghij".to_owned(), other);
        memory.usage = Some(
            json!({"credential_id": CREDENTIAL, "as_of": "2026-11-24T19:39:13Z", "uses": 3,
            "consumers": [{"user_agent": "nightly/2", "address": "192.0.2.9", "uses": 3,
                           "first_seen_at": "2026-11-20T19:39:13Z", "last_seen_at": "2026-11-23T19:39:13Z",
                           "installations": []},
                          {"user_agent": "of-last-year/1", "address": "192.0.2.7", "uses": 3,
                           "first_seen_at": "2025-10-20T19:39:13Z", "last_seen_at": "2025-11-23T19:39:13Z",
                           "installations": []}]}),
        );
    }
    let before = scene.server.seen().len();
    let run = scene.rotate(&["--dry-run"]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    for told in [
        "KEY",
        "shop",
        "checkout",
        "nightly/2",
        "192.0.2.9",
        "--health",
    ] {
        assert!(run.stdout.contains(told), "{told}: {}", run.stdout);
    }
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains("of-last-year"));
    let sent = scene.server.seen();
    assert!(sent.iter().skip(before).all(|seen| seen.method == "GET"));
    assert!(scene.holds(CREDENTIAL));
    let run = scene.rotate(&["--dry-run", "--json"]);
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    let needs = said["items"][0]["needs"].as_array().unwrap();
    let named: Vec<&str> = needs
        .iter()
        .map(|need| need["need"].as_str().unwrap())
        .collect();
    assert!(
        named.contains(&"elsewhere") && named.contains(&"consumer"),
        "{named:?}"
    );
}

#[test]
fn the_old_one_is_named_on_disk_before_anything_is_asked_for() {
    let scene = Scene::new(None);
    lock(&scene.shared).hangs = Some("/rotations");
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 4, "{}", run.stderr);
    let notes = std::fs::read_dir(scene.home.path().join("journal")).unwrap();
    let named = notes
        .map(|note| std::fs::read_to_string(note.unwrap().path()).unwrap())
        .any(|text| text.contains(CREDENTIAL));
    assert!(named);
    // The same command finds what was minted, and mints nothing more.
    lock(&scene.shared).hangs = None;
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let keys: std::collections::BTreeSet<String> = scene
        .server
        .seen()
        .iter()
        .filter(|seen| seen.is("POST", &format!("/credentials/{CREDENTIAL}/rotations")))
        .map(|seen| seen.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 1);
}

#[test]
fn at_every_point_before_the_revoke_it_can_be_given_up() {
    let installation = "PUT /credentials/cred_0123456789abcdefghik/installations";
    for stop in [
        "POST /credentials/cred_0123456789abcdefghij/rotations",
        "GET /credentials/rotations/rot_0123456789abcdefghij",
        "GET /credentials/deliveries",
        "POST /credentials/deliveries",
        installation,
        "GET /resource",
        "POST /credentials/rotations/rot_0123456789abcdefghij/advance",
        "GET /credentials/rotations/rot_0123456789abcdefghij/gates",
    ] {
        let scene = Scene::new(Some(MANAGED));
        {
            let mut memory = lock(&scene.shared);
            memory.hangs = Some(stop);
            memory.safe = false;
        }
        let run = scene.rotate(&["--health", &scene.health]);
        assert!([3, 4].contains(&run.status), "{stop}: {}", run.stderr);
        assert_eq!(scene.opened().min(1), 1, "{stop}");
        lock(&scene.shared).hangs = None;
        let run = scene.clp(&["rotate", "--rollback", ROTATION]);
        assert_eq!(run.status, 0, "{stop}: {}", run.stderr);
        given_back(&scene, stop);
        assert_eq!(scene.place()["credential_id"], json!(CREDENTIAL), "{stop}");
        let memory = lock(&scene.shared);
        assert_eq!(
            memory.rotation.as_ref().unwrap()["state"],
            json!("rolled_back"),
            "{stop}"
        );
    }
}

#[test]
fn where_the_issuer_keeps_no_record_it_can_be_given_up_too() {
    for stop in ["GET /credentials/deliveries", "GET /resource", "nowhere"] {
        let scene = Scene::new(Some(&[]));
        lock(&scene.shared).hangs = Some(stop);
        let run = scene.rotate(&["--health", &scene.health]);
        assert!([3, 4, 7].contains(&run.status), "{stop}: {}", run.stderr);
        lock(&scene.shared).hangs = None;
        let run = scene.clp(&["rotate", "--rollback", ROTATION]);
        assert_eq!(run.status, 0, "{stop}: {}", run.stderr);
        given_back(&scene, stop);
        let memory = lock(&scene.shared);
        assert_eq!(
            memory.credentials[SUCCESSOR]["state"],
            json!("revoked"),
            "{stop}"
        );
        assert_eq!(
            memory.credentials[CREDENTIAL]["state"],
            json!("active"),
            "{stop}"
        );
    }
}

fn given_back(scene: &Scene, stop: &str) {
    assert!(scene.holds(CREDENTIAL), "{stop}");
    assert_eq!(scene.revocations(), 0, "{stop}");
    let issuers = std::fs::read_dir(scene.home.path().join("rotations"));
    let kept = issuers
        .into_iter()
        .flatten()
        .flat_map(|found| std::fs::read_dir(found.unwrap().path()).unwrap());
    assert_eq!(kept.count(), 0, "{stop}");
}

#[test]
fn whoever_ends_a_credential_in_between_leaves_no_place_with_a_dead_key() {
    // The old one, before the places had the new one.
    let scene = Scene::new(None);
    lock(&scene.shared).hangs = Some("GET /credentials/deliveries");
    assert_eq!(scene.rotate(&["--health", &scene.health]).status, 4);
    {
        let mut memory = lock(&scene.shared);
        memory.hangs = None;
        memory.credentials.get_mut(CREDENTIAL).unwrap()["state"] = json!("revoked");
        memory.rotation.as_mut().unwrap()["state"] = json!("completed");
    }
    assert!(scene.holds(CREDENTIAL));
    let run = scene.resume(&[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.holds(SUCCESSOR));
    // The new one, after they had it.
    let scene = Scene::new(None);
    lock(&scene.shared).safe = false;
    assert_eq!(scene.rotate(&["--health", &scene.health]).status, 7);
    assert!(scene.holds(SUCCESSOR));
    {
        let mut memory = lock(&scene.shared);
        memory.credentials.get_mut(SUCCESSOR).unwrap()["state"] = json!("revoked");
        memory.credentials.get_mut(CREDENTIAL).unwrap()["state"] = json!("active");
        memory.rotation.as_mut().unwrap()["state"] = json!("rolled_back");
    }
    let run = scene.resume(&[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.holds(CREDENTIAL));
}

#[test]
fn a_check_that_shows_nothing_is_found_out_where_there_is_no_probe_value_too() {
    let scene = Scene::new(Some(&[]));
    let run = scene.rotate(&["--health-cmd", "test -n \"$KEY\""]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("never valid"), "{}", run.stderr);
    assert!(scene.holds(CREDENTIAL));
    assert_eq!(scene.revocations(), 0);
}

#[test]
fn a_check_that_never_ends_is_given_up() {
    let scene = Scene::new(None);
    let run = scene.rotate(&["--health-cmd", "sleep 60", "--health-timeout", "1s"]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("--health-timeout"), "{}", run.stderr);
    assert!(scene.holds(CREDENTIAL));
    assert_eq!(scene.advances(), 0);
}

#[test]
fn a_check_can_be_said_with_the_place() {
    let scene = Scene::new(Some(&[]));
    let path = scene.file.to_str().unwrap();
    let place = ["inject", CREDENTIAL, "--env-file", path, "--name", "KEY"];
    let run = scene.clp(&[&place[..], &["--health", &scene.health]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    lock(&scene.shared).works = false;
    let run = scene.rotate(&["--i-have-moved-everything"]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(scene.holds(CREDENTIAL));
}

#[test]
fn the_old_one_is_kept_for_the_longest_time_between_two_uses() {
    // An issuer with gates is told.
    let scene = Scene::new(Some(&["lifecycle"]));
    interval(&scene);
    assert_eq!(scene.rotate(&["--i-have-moved-everything"]).status, 0);
    let opened = format!("/credentials/{CREDENTIAL}/rotations");
    let sent = scene.server.seen();
    let sent = sent.iter().find(|seen| seen.is("POST", &opened)).unwrap();
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body["plan"]["quiet_period_seconds"], json!(2_678_400));
    // One that has the places sees to it by itself.
    let scene = Scene::new(Some(MANAGED));
    interval(&scene);
    assert_eq!(scene.rotate(&["--health", &scene.health]).status, 0);
    let sent = scene.server.seen();
    let sent = sent.iter().find(|seen| seen.is("POST", &opened)).unwrap();
    assert!(!sent.body.contains("quiet"), "{}", sent.body);
    // Where there are no gates, the client waits.
    let scene = Scene::new(Some(&[]));
    interval(&scene);
    let run = scene.rotate(&["--i-have-moved-everything"]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(run.stderr.contains("kept until"), "{}", run.stderr);
    assert_eq!(scene.revocations(), 0);
}

fn interval(scene: &Scene) {
    let path = scene.file.to_str().unwrap();
    let place = ["inject", CREDENTIAL, "--env-file", path, "--name", "KEY"];
    let run = scene.clp(&[&place[..], &["--interval", "31d"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn two_runs_do_not_rotate_the_same_credential() {
    let scene = Scene::new(None);
    let began = scene.home.path().join("began");
    let goes_on = scene.home.path().join("goes-on");
    // Each is a pipe: who opens one waits for the other side.
    for pipe in [&began, &goes_on] {
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.unwrap().success());
    }
    let line = format!(
        "echo > '{}'; cat '{}'; false",
        began.display(),
        goes_on.display()
    );
    std::thread::scope(|scope| {
        let first = scope.spawn(|| scene.rotate(&["--health-cmd", &line]));
        std::fs::read(&began).unwrap();
        for more in [
            &["rotate", CREDENTIAL][..],
            &["rotate", "--rollback", ROTATION],
        ] {
            let run = scene.clp(more);
            assert_eq!(run.status, 1, "{}", run.stderr);
            assert!(run.stderr.contains("another run"), "{}", run.stderr);
        }
        std::fs::write(&goes_on, "").unwrap();
        assert_eq!(first.join().unwrap().status, 3);
    });
    assert_eq!(scene.opened(), 1);
}
