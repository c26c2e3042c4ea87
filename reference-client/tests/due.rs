//! What is due, at every issuer that was named.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use common::issuer::{CREDENTIAL, Run, TOKEN, clp, clp_with};
use common::living::lock;
use common::scene::Scene;
use serde_json::{Value, json};

/// A credential that ended long ago by its policy.
fn overdue() -> Scene {
    let scene = Scene::new(None);
    let mut memory = lock(&scene.shared);
    let credential = memory.credentials.get_mut(CREDENTIAL).unwrap();
    credential["state"] = json!("active");
    credential["created_at"] = json!("2020-01-01T00:00:00Z");
    credential["rotation_policy"] = json!({"rotate_every_seconds": 7_776_000});
    drop(memory);
    scene
}

/// The command without an issuer in its environment.
fn anywhere(scene: &Scene, arguments: &[&str]) -> Run {
    clp_with(&scene.home, &[], arguments)
}

fn add(scene: &Scene, issuer: &str, mode: u32) -> Run {
    let token = scene.home.path().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    anywhere(scene, &["issuers", "add", issuer, token.to_str().unwrap()])
}

#[test]
fn what_is_due_is_told_by_the_exit_status_and_with_its_reason() {
    let scene = overdue();
    let run = scene.clp(&["due"]);
    assert_eq!(run.status, 8, "{}", run.stderr);
    assert!(
        run.stdout.contains(CREDENTIAL) && run.stdout.contains("every 90d"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("clp rotate --due"), "{}", run.stdout);
    let run = scene.clp(&["due", "--json"]);
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(said["items"][0]["why"][0]["why"], json!("rotate_every"));
    // An issuer that answers with another project than was asked for is not believed.
    for arguments in [
        &["due", "--project", "other"][..],
        &["rotate", "--project", "other"],
    ] {
        let run = scene.clp(arguments);
        assert_eq!(run.status, 5, "{}", run.stderr);
        assert_eq!(scene.opened(), 0);
    }
    lock(&scene.shared).credentials.get_mut(CREDENTIAL).unwrap()["rotation_policy"] = json!({});
    let run = scene.clp(&["due"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "nothing is due\n"));
}

#[test]
fn every_issuer_that_was_named_is_asked_and_one_that_is_away_is_told() {
    let scene = overdue();
    let run = anywhere(&scene, &["due"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("clp issuers add"), "{}", run.stderr);
    // A token that others can read is refused, and never kept.
    assert_eq!(add(&scene, &scene.server.url(), 0o644).status, 1);
    assert_eq!(add(&scene, &scene.server.url(), 0o600).status, 0);
    let kept = std::fs::read_to_string(scene.home.path().join("issuers.json")).unwrap();
    assert!(!kept.contains(TOKEN));
    let run = anywhere(&scene, &["due"]);
    assert_eq!(run.status, 8, "{}", run.stderr);
    // Nobody listens there: the rest is told all the same.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://localhost:{}", free.local_addr().unwrap().port());
    drop(free);
    assert_eq!(add(&scene, &away, 0o600).status, 0);
    let run = anywhere(&scene, &["due"]);
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert!(
        run.stdout.contains(CREDENTIAL) && run.stdout.contains(&away),
        "{}",
        run.stdout
    );
    // So is it where something is done, and what could be done is.
    // A key of one issuer is not shown to the other.
    let run = anywhere(&scene, &["rotate", "--due", "--health", &scene.health]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert_eq!(scene.opened(), 0);
    let path = scene.file.to_str().unwrap();
    let place = ["inject", CREDENTIAL, "--env-file", path, "--name", "KEY"];
    let run = scene.clp(&[&place[..], &["--health", &scene.health]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let run = anywhere(&scene, &["rotate", "--due"]);
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert!(run.stdout.contains("1 done"), "{}", run.stdout);
    assert_eq!(anywhere(&scene, &["issuers", "remove", &away]).status, 0);
    assert_eq!(anywhere(&scene, &["issuers", "remove", &away]).status, 2);
}

#[test]
fn what_a_person_has_to_see_to_is_not_begun_by_night() {
    let scene = overdue();
    for (more, needs) in [(&[][..], "--health"), (&["--health", "x"], "nightly/2")] {
        let health: Vec<&str> = more
            .iter()
            .map(|word| if *word == "x" { &scene.health } else { *word })
            .collect();
        if needs == "nightly/2" {
            lock(&scene.shared).usage = Some(
                json!({"credential_id": CREDENTIAL, "as_of": "2026-11-24T19:39:13Z", "uses": 3,
                "consumers": [{"user_agent": "nightly/2", "address": "192.0.2.9", "uses": 3,
                               "first_seen_at": "2026-11-20T19:39:13Z", "last_seen_at": "2026-11-23T19:39:13Z",
                               "installations": []}]}),
            );
        }
        let run = clp(
            &scene.home,
            &scene.server,
            &[&["rotate", "--due"], &health[..]].concat(),
        );
        assert_eq!(run.status, 7, "{}", run.stderr);
        assert!(
            run.stdout.contains("needs a person") && run.stdout.contains(needs),
            "{}",
            run.stdout
        );
        assert_eq!(scene.opened(), 0);
    }
    // Nothing in it waits for an answer: --open-anyway begins it all the same.
    let anyway = [
        "rotate",
        "--due",
        "--open-anyway",
        "--health",
        &scene.health,
    ];
    let run = scene.clp(&anyway);
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn two_jobs_of_one_night_do_not_meet() {
    let scene = overdue();
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
        let first = scope.spawn(|| scene.clp(&["rotate", "--due", "--health-cmd", &line]));
        std::fs::read(&began).unwrap();
        let run = scene.clp(&["rotate", "--due", "--health", &scene.health]);
        assert_eq!(run.status, 1, "{}", run.stderr);
        assert!(
            run.stderr.contains("another run of clp is at what is due"),
            "{}",
            run.stderr
        );
        std::fs::write(&goes_on, "").unwrap();
        // The check said no: it failed, is told in the summary, and the places went back.
        let run = first.join().unwrap();
        assert_eq!(run.status, 3, "{}", run.stderr);
        assert!(run.stdout.contains("1 failed"), "{}", run.stdout);
    });
    assert!(scene.holds(CREDENTIAL));
    // The next night goes on with it, and it is done.
    let run = scene.clp(&["rotate", "--due", "--health", &scene.health]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(scene.opened(), 1);
}
