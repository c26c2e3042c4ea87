//! A rotation from its first step to its last, and what happens when it stops in between.

mod common;

use common::issuer::{CREDENTIAL, SUCCESSOR};
use common::living::{PROBE, ROTATION, key_of, lock};
use common::scene::Scene;
use common::{Seen, Server};
use serde_json::{Value, json};

fn calls(server: &Server) -> Vec<Seen> {
    let seen = server.seen().into_iter();
    seen.filter(|seen| seen.is("GET", "/resource")).collect()
}

#[test]
fn every_step_is_taken_and_the_old_one_goes_last() {
    let scene = Scene::new(None);
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.holds(SUCCESSOR));
    assert_eq!(
        lock(&scene.shared).credentials[CREDENTIAL]["state"],
        json!("revoked")
    );
    let place = scene.place();
    assert_eq!(place["credential_id"], json!(SUCCESSOR));
    assert_eq!(place["state"], json!("verified"));
    assert_eq!(place["health"]["credential"], json!("accepted"));
    assert_eq!(place["health"]["probe"], json!("refused"));
    // The checks were made under the name that the place is known by.
    let calls = calls(&scene.server);
    assert_eq!(calls.len(), 2);
    assert!(
        calls
            .iter()
            .all(|call| call.header("user-agent") == Some("billing/"))
    );
    assert!(
        calls
            .last()
            .unwrap()
            .header("authorization")
            .unwrap()
            .ends_with(PROBE)
    );
    // What opens nothing is nowhere (CLP-ROT-035).
    let sent = scene.server.seen();
    assert!(!sent.iter().any(|seen| seen.body.contains(PROBE)));
    let issuers = std::fs::read_dir(scene.home.path().join("rotations")).unwrap();
    let kept = issuers.flat_map(|found| std::fs::read_dir(found.unwrap().path()).unwrap());
    assert_eq!(kept.count(), 0);
    assert_eq!(scene.revocations(), 0);
    assert_eq!(scene.advances(), 2);
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(key_of(SUCCESSOR).expose()) && !text.contains(PROBE));
    }
}

#[test]
fn after_a_failed_check_the_places_go_back_and_nothing_is_advanced() {
    let scene = Scene::new(None);
    lock(&scene.shared).works = false;
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("--rollback"), "{}", run.stderr);
    assert!(scene.holds(CREDENTIAL));
    assert_eq!(scene.place()["credential_id"], json!(CREDENTIAL));
    assert_eq!(scene.advances(), 0);
    // Nor is it by going on without a check, or by revoking behind its back.
    let run = scene.clp(&["revoke", CREDENTIAL, "--reason", "superseded"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert_eq!(scene.resume(&[]).status, 3);
    assert_eq!((scene.advances(), scene.revocations()), (0, 0));
    // Once it works, it goes on where it stopped.
    lock(&scene.shared).works = true;
    let run = scene.resume(&[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.holds(SUCCESSOR));
    assert_eq!(scene.advances(), 2);
}

#[test]
fn a_place_that_checks_nothing_is_found_out() {
    let scene = Scene::new(None);
    let run = scene.rotate(&["--health-cmd", "test -n \"$KEY\""]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("never valid"), "{}", run.stderr);
    assert_eq!(scene.advances(), 0);
    let command = format!("test \"$KEY\" = {}", key_of(SUCCESSOR).expose());
    let run = scene.resume(&["--health-cmd", &command]);
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_rotation_that_is_given_up_leaves_everything_as_it_was() {
    let scene = Scene::new(None);
    lock(&scene.shared).safe = false;
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(scene.holds(SUCCESSOR));
    let run = scene.clp(&["rotate", "--rollback", ROTATION]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.holds(CREDENTIAL));
    assert_eq!(scene.place()["credential_id"], json!(CREDENTIAL));
    let memory = lock(&scene.shared);
    assert_eq!(
        memory.rotation.as_ref().unwrap()["state"],
        json!("rolled_back")
    );
}

#[test]
fn what_has_ended_or_is_compromised_is_not_put_back() {
    let scene = Scene::new(None);
    assert_eq!(scene.rotate(&["--health", &scene.health]).status, 0);
    assert_eq!(scene.clp(&["rotate", "--rollback", ROTATION]).status, 0);
    assert!(scene.holds(SUCCESSOR));

    let scene = Scene::new(None);
    lock(&scene.shared).safe = false;
    let arguments = [
        "--reason",
        "compromise",
        "--keep-until-moved",
        "--health",
        &scene.health,
    ];
    assert_eq!(scene.rotate(&arguments).status, 7);
    let run = scene.clp(&["rotate", "--rollback", ROTATION]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(scene.holds(SUCCESSOR));
}

#[test]
fn a_probe_that_is_answered_by_a_failure_shows_nothing() {
    let scene = Scene::new(None);
    lock(&scene.shared).broken = true;
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert_eq!(scene.advances(), 0);
}

#[test]
fn a_run_that_dies_is_gone_on_with_where_it_was() {
    for (lost, there) in [("updating", CREDENTIAL), ("installed", SUCCESSOR)] {
        let scene = Scene::new(None);
        lock(&scene.shared).lost = Some(lost);
        let run = scene.rotate(&["--health", &scene.health]);
        assert_eq!(run.status, 4, "{lost}: {}", run.stderr);
        assert!(scene.holds(there), "{lost}");
        assert_eq!(scene.advances(), 0);
        let run = scene.resume(&[]);
        assert_eq!(run.status, 0, "{lost}: {}", run.stderr);
        assert!(scene.holds(SUCCESSOR));
        assert_eq!(scene.place()["state"], json!("verified"));
        assert_eq!(
            scene
                .server
                .count("POST", &format!("/credentials/{CREDENTIAL}/rotations")),
            1
        );
    }
}

#[test]
fn gates_are_waited_for_and_named() {
    let scene = Scene::new(None);
    lock(&scene.shared).safe = false;
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        run.stderr.contains("quiet") && run.stderr.contains("--resume"),
        "{}",
        run.stderr
    );
    assert_eq!(
        lock(&scene.shared).credentials[CREDENTIAL]["state"],
        json!("retiring")
    );
    let run = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(1));
            lock(&scene.shared).safe = true;
        });
        scene.resume(&["--wait", "10s"])
    });
    assert_eq!(run.status, 0, "{}", run.stderr);
    // What was checked is not checked again.
    assert_eq!(calls(&scene.server).len(), 2);
}

#[test]
fn an_issuer_that_contradicts_its_own_gates_is_not_believed() {
    let scene = Scene::new(None);
    {
        let mut memory = lock(&scene.shared);
        (memory.safe, memory.lies) = (false, true);
    }
    let run = scene.rotate(&["--health", &scene.health, "--json"]);
    assert_eq!(run.status, 5, "{}", run.stderr);
    let said: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(said.get("exit"), Some(&json!(5)));
    // It got as far as waiting, and the predecessor still works.
    assert_eq!(scene.advances(), 1);
    let memory = lock(&scene.shared);
    assert_eq!(memory.credentials[CREDENTIAL]["state"], json!("retiring"));
}

#[test]
fn places_of_others_are_left_to_them() {
    let scene = Scene::new(None);
    let id = "ins_0123456789abcdefghij";
    let place = json!({"id": id, "credential_id": CREDENTIAL, "target": {"kind": "hosting", "name": "shop",
        "locator": scene.home.path().join("other.env")}, "state": "installed", "depends_on": ["checkout"],
        "reported_by": common::issuer::PRINCIPAL, "reported_at": "2026-11-24T19:39:13Z"});
    lock(&scene.shared)
        .installations
        .insert(id.to_owned(), place);
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("shop") && run.stderr.contains("checkout"),
        "{}",
        run.stderr
    );
    // What an issuer says of a place is no reason to write there.
    assert!(!scene.home.path().join("other.env").exists());
}

#[test]
fn without_an_inventory_a_person_has_to_say_that_everything_is_moved() {
    let scene = Scene::new(Some(&["lifecycle"]));
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        run.stderr.contains("--i-have-moved-everything"),
        "{}",
        run.stderr
    );
    assert!(scene.holds(SUCCESSOR));
    assert_eq!(scene.advances(), 1);
    let run = scene.resume(&["--i-have-moved-everything"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(scene.advances(), 2);
}

#[test]
fn after_a_compromise_the_order_is_asked_for() {
    let scene = Scene::new(None);
    let run = scene.rotate(&["--reason", "compromise"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(lock(&scene.shared).rotation.is_none());
    let run = scene.rotate(&[
        "--reason",
        "compromise",
        "--revoke-first",
        "--health",
        &scene.health,
    ]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(scene.holds(SUCCESSOR));
    let seen = scene.server.seen();
    let at = |method: &str, path: &str| seen.iter().position(|seen| seen.is(method, path)).unwrap();
    let revoked = at("POST", &format!("/credentials/{CREDENTIAL}/revoke"));
    let fetched = at(
        "GET",
        &format!(
            "/credentials/deliveries/{}",
            SUCCESSOR.replace("cred_", "dlv_")
        ),
    );
    assert!(revoked < fetched);
    // The end of the predecessor was the end of the rotation.
    assert_eq!(scene.advances(), 0);
    assert_eq!(scene.place()["state"], json!("verified"));
}

#[test]
fn where_the_issuer_keeps_no_record_the_client_goes_the_whole_way() {
    let scene = Scene::new(Some(&[]));
    let run = scene.rotate(&["--health", &scene.health]);
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        run.stderr.contains("--i-have-moved-everything"),
        "{}",
        run.stderr
    );
    assert!(scene.holds(SUCCESSOR));
    assert_eq!((scene.advances(), scene.revocations()), (0, 0));
    // The same command goes on with it, and opens no other.
    let run = scene.rotate(&["--i-have-moved-everything"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let opened = format!("/credentials/{CREDENTIAL}/rotations");
    assert_eq!(scene.server.count("POST", &opened), 1);
    assert_eq!((scene.advances(), scene.revocations()), (0, 1));
    let memory = lock(&scene.shared);
    assert_eq!(memory.credentials[CREDENTIAL]["state"], json!("revoked"));
}
