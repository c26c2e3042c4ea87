//! Faults on purpose: each kind on the wire and in the state, whose script it is, and that a run
//! can be had again.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod edge_support;

use std::time::{Duration, Instant};

use clp_issuer::Issuer;
use clp_issuer::config::Config;
use clp_schemas::ops::control::Sandbox;
use clp_schemas::ops::discover::MANIFEST_PATH;
use edge_support::{Answer, World, create_body, token, unique};
use reqwest::{Client, Response};
use serde_json::{Value, json};

fn path(sandbox: &Sandbox) -> String {
    format!("/sandboxes/{}/faults", sandbox.tenant_id)
}

async fn put(world: &World, sandbox: &Sandbox, script: Value) -> Answer {
    let answer = world.control("PUT", &path(sandbox), Some(script)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// A create with these header fields.
async fn create(
    sandbox: &Sandbox,
    key: &str,
    headers: &[(&str, &str)],
) -> Result<Response, reqwest::Error> {
    let mut request = Client::new()
        .post(&sandbox.credential_issuer_endpoint)
        .bearer_auth(token(sandbox, "owner"))
        .header("Idempotency-Key", key)
        .json(&create_body(sandbox, false));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await
}

async fn status(sandbox: &Sandbox, headers: &[(&str, &str)]) -> u16 {
    match create(sandbox, &unique(), headers).await {
        Ok(answer) => answer.status().as_u16(),
        Err(_) => 0,
    }
}

async fn minted(world: &World, sandbox: &Sandbox) -> usize {
    let state = format!("/sandboxes/{}/state", sandbox.tenant_id);
    let answer = world.control("GET", &state, None).await;
    answer.body["credentials"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_status_answers_in_place_of_the_call_so_many_times() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let steps = json!([
        {"times": 2, "fault": {"status": 429, "retry_after": 7}},
        {"status": 503}, {"status": 502, "retry_after": 1}
    ]);
    let script = json!({"rules": [{"endpoint": "credential_create", "steps": steps}]});
    put(&world, &sandbox, script).await;
    for _ in 0..2 {
        let answer = create(&sandbox, &unique(), &[]).await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "7");
        assert_eq!(answer.headers()["clp-version"], "1.0");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let answer = create(&sandbox, &unique(), &[]).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(!answer.headers().contains_key("retry-after"));
    let answer = create(&sandbox, &unique(), &[]).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(!answer.headers().contains_key("clp-version"));
    assert_eq!(minted(&world, &sandbox).await, 0);
    assert_eq!(status(&sandbox, &[]).await, 201);
    assert_eq!(minted(&world, &sandbox).await, 1);
    // What a suite sees of a tenant tells of them too.
    let log = format!("/sandboxes/{}/requests", sandbox.tenant_id);
    let seen = world.control("GET", &log, None).await.body;
    let seen: Vec<&Value> = seen["items"].as_array().unwrap().iter().collect();
    let of = |member: &str| -> Vec<Value> { seen.iter().map(|one| one[member].clone()).collect() };
    assert_eq!(of("status"), [429, 429, 503, 502, 201]);
    assert_eq!(of("problem")[..2], ["rate-limited", "rate-limited"]);
}

#[tokio::test]
async fn a_connection_ends_before_or_after_everything_is_done() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let steps = json!([{"drop": "before_commit"}, {"drop": "after_commit"}]);
    let script = json!({"rules": [{"endpoint": "credential_create", "steps": steps}]});
    put(&world, &sandbox, script).await;
    let key = unique();
    assert!(create(&sandbox, &key, &[]).await.is_err());
    assert_eq!(minted(&world, &sandbox).await, 0);
    assert!(create(&sandbox, &key, &[]).await.is_err());
    assert_eq!(minted(&world, &sandbox).await, 1);
    let answer = create(&sandbox, &key, &[]).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(minted(&world, &sandbox).await, 1);
}

#[tokio::test]
async fn an_answer_breaks_off_where_the_script_says() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for (at, arrives) in [(0, Some(0)), (20, Some(20)), (1_000_000, None)] {
        let step = json!({ "truncate_at": at }).to_string();
        let answer = create(&sandbox, &unique(), &[("clp-fault", &step)]).await;
        let mut answer = answer.unwrap();
        assert_eq!(answer.status(), 201);
        let announced = usize::try_from(answer.content_length().unwrap()).unwrap();
        let mut read = 0;
        let end = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => read += chunk.len(),
                other => break other,
            }
        };
        assert!(end.is_err(), "{at}");
        assert_eq!(read, arrives.unwrap_or(announced - 1), "{at}");
    }
    assert_eq!(minted(&world, &sandbox).await, 3);
}

#[tokio::test]
async fn a_call_is_carried_out_twice_or_late() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let twice = [("clp-fault", "\"duplicate\"")];
    assert_eq!(status(&sandbox, &twice).await, 201);
    // The key makes the second one a repetition.
    assert_eq!(minted(&world, &sandbox).await, 1);
    let log = format!("/sandboxes/{}/requests", sandbox.tenant_id);
    let seen = world.control("GET", &log, None).await.body;
    assert_eq!(seen["items"].as_array().unwrap().len(), 2);
    let begun = Instant::now();
    let late = [("clp-fault", r#"{"delay_ms": 300}"#)];
    assert_eq!(status(&sandbox, &late).await, 201);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    // Where no key tells a repetition, the second one finds what the first has done.
    let made = world.mint(&sandbox, create_body(&sandbox, false)).await;
    let own = format!("/{}", made.id);
    let read = world.as_role(&sandbox, "owner", "GET", &own, None);
    let tag = read.await.header("etag").to_owned();
    let amended = Client::new()
        .patch(format!(
            "{}/{}",
            sandbox.credential_issuer_endpoint, made.id
        ))
        .bearer_auth(token(&sandbox, "owner"))
        .header("If-Match", tag)
        .header("CLP-Fault", "\"duplicate\"")
        .json(&json!({"labels": {"team": "edge"}}))
        .send()
        .await;
    assert_eq!(amended.unwrap().status(), 412);
    let read = world.as_role(&sandbox, "owner", "GET", &own, None);
    assert_eq!(read.await.body["labels"]["team"], "edge");
}

#[tokio::test]
async fn runs_and_sandboxes_are_apart() {
    let world = World::start().await;
    let (one, other) = (
        world.sandbox("exampleapi").await,
        world.sandbox("exampleapi").await,
    );
    let script = json!({"rules": [{"endpoint": "credential_create", "steps": [{"status": 503}]}]});
    put(&world, &one, script).await;
    assert_eq!(status(&other, &[]).await, 201);
    for run in ["a", "b"] {
        assert_eq!(status(&one, &[("clp-test-run", run)]).await, 503);
        assert_eq!(status(&one, &[("clp-test-run", run)]).await, 201);
    }
    assert_eq!(status(&one, &[]).await, 503);
    // A single request meets what it names, and takes no step.
    let script = json!({"rules": [{"endpoint": "credential_create", "steps": [{"status": 503}]}]});
    put(&world, &one, script).await;
    assert_eq!(
        status(&one, &[("clp-fault", r#"{"status": 500}"#)]).await,
        500
    );
    assert_eq!(status(&one, &[("clp-fault", "\"ok\"")]).await, 201);
    assert_eq!(status(&one, &[]).await, 503);
    for (name, value) in [("clp-fault", "503"), ("clp-test-run", "a b")] {
        assert_eq!(status(&one, &[(name, value)]).await, 400);
    }
}

#[tokio::test]
async fn the_issuers_own_api_and_keys_meet_faults_too() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let made = world.mint(&sandbox, create_body(&sandbox, false)).await;
    let script = json!({"rules": [{"endpoint": "resource", "steps": [{"status": 503}]}]});
    put(&world, &sandbox, script).await;
    let call = &sandbox.probe.read;
    assert_eq!(world.probe(&sandbox, call, None).await.status, 401);
    let key = Some(made.key.as_str());
    assert_eq!(world.probe(&sandbox, call, key).await.status, 503);
    assert_eq!(world.probe(&sandbox, call, key).await.status, 200);
}

#[tokio::test]
async fn what_happened_can_be_had_again() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let calls = async |sandbox: &Sandbox| {
        let mut met = Vec::new();
        for number in 0..24 {
            let run = ["a", "b", "c"][number % 3];
            met.push(status(sandbox, &[("clp-test-run", run)]).await);
        }
        met
    };
    let script = json!({"chaos": {"percent": 50, "among": [
        {"status": 503}, {"status": 500}, {"drop": "after_commit"}
    ]}});
    let seed = put(&world, &sandbox, script).await.body["script"]["chaos"]["seed"].clone();
    assert!(seed.is_u64());
    let met = calls(&sandbox).await;
    let state = world.control("GET", &path(&sandbox), None).await;
    assert_eq!(state.status, 200);
    assert_eq!(state.body["complete"], true);
    // By its steps, elsewhere, and by its seed.
    let again = world.sandbox("exampleapi").await;
    put(&world, &again, state.body["replay"].clone()).await;
    assert_eq!(calls(&again).await, met);
    put(&world, &again, state.body["script"].clone()).await;
    assert_eq!(calls(&again).await, met);
    // A reset leaves nothing of it, and nor does an empty script.
    put(&world, &again, state.body["script"].clone()).await;
    let reset = format!("/sandboxes/{}/reset", again.tenant_id);
    assert_eq!(world.control("POST", &reset, None).await.status, 204);
    let empty = json!({"script": {"rules": []}, "remaining": [], "replay": {"rules": []}, "complete": true});
    assert_eq!(world.control("GET", &path(&again), None).await.body, empty);
    assert_eq!(put(&world, &sandbox, json!({})).await.body, empty);
    assert_eq!(calls(&sandbox).await, [201; 24]);
}

#[tokio::test]
async fn a_persona_that_does_not_claim_faults_has_none() {
    let world = World::start().await;
    let sandbox = world.sandbox("analytics").await;
    for method in ["GET", "PUT"] {
        let body = (method == "PUT").then(|| json!({"rules": []}));
        let refused = world.control(method, &path(&sandbox), body).await;
        assert_eq!(refused.problem(), "not-found");
    }
    for value in [r#"{"status": 503}"#, "nonsense"] {
        assert_eq!(status(&sandbox, &[("clp-fault", value)]).await, 201);
    }
}

#[tokio::test]
async fn a_whole_issuer_plays_one_script_at_each_persona() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faults.json");
    let script = json!({
        "rules": [{"endpoint": "manifest_read", "steps": [{"status": 503, "retry_after": 1}]}],
        "chaos": {"percent": 1, "among": ["ok"]},
    });
    std::fs::write(&file, script.to_string()).unwrap();
    let config = Config::built_in().unwrap().with_ports(0).unwrap();
    let config = config.with_faults(&file).unwrap();
    let running = Issuer::builder()
        .config(config.clone())
        .spawn()
        .await
        .unwrap();
    assert!(running.fault_seed.is_some());
    for persona in &running.personas {
        let url = format!("{}{MANIFEST_PATH}", persona.url);
        for wanted in [503, 200] {
            let answer = reqwest::get(&url).await.unwrap();
            assert_eq!(answer.status(), wanted, "{}", persona.name);
        }
    }
    let sown = config.clone().with_fault_seed(7).unwrap();
    let running = Issuer::builder().config(sown).spawn().await.unwrap();
    assert_eq!(running.fault_seed, Some(7));
    assert!(config.clone().with_fault_seed(1 << 53).is_err());
    let fault = Config::built_in().unwrap().with_fault_seed(1).unwrap_err();
    assert!(fault.to_string().contains("--faults"), "{fault}");
    std::fs::write(
        &file,
        r#"{"rules": [{"endpoint": "nosuch", "steps": ["ok"]}]}"#,
    )
    .unwrap();
    let fault = config.with_faults(&file).unwrap_err();
    assert!(fault.to_string().contains("/rules/0/endpoint"), "{fault}");
}
