//! What a key opens, in the API of each persona.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod edge_support;

use clp_schemas::ops::control::ProbeCall;
use edge_support::{World, create_body, token};
use serde_json::{Value, json};

const PERSONAS: [&str; 3] = ["exampleapi", "analytics", "hosting"];

fn get(path: &str) -> ProbeCall {
    ProbeCall {
        method: "GET".to_owned(),
        path: path.to_owned(),
        body: None,
    }
}

#[tokio::test]
async fn a_key_opens_what_it_was_granted_and_nothing_else() {
    let world = World::start().await;
    for persona in PERSONAS {
        let sandbox = world.sandbox(persona).await;
        let (read, write) = (&sandbox.probe.read, &sandbox.probe.write);
        let reader = world.mint(&sandbox, create_body(&sandbox, false)).await;
        let writer = world.mint(&sandbox, create_body(&sandbox, true)).await;

        assert_eq!(
            world.probe(&sandbox, read, Some(&reader.key)).await.status,
            200,
            "{persona}"
        );
        let refused = world.probe(&sandbox, write, Some(&reader.key)).await;
        assert_eq!(refused.problem(), "forbidden");
        assert_eq!(refused.status, 403);
        assert_eq!(
            refused.header("www-authenticate"),
            r#"Bearer error="insufficient_scope""#
        );
        assert_eq!(refused.header("content-type"), "application/problem+json");

        assert_eq!(
            world.probe(&sandbox, write, Some(&writer.key)).await.status,
            200,
            "{persona}"
        );
        let seen = world
            .probe(&sandbox, &get(&write.path), Some(&writer.key))
            .await;
        assert_eq!(Some(seen.body), write.body, "{persona}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let minted = world.mint(&sandbox, create_body(&sandbox, false)).await;
    let read = &sandbox.probe.read;
    assert_eq!(
        world.probe(&sandbox, read, Some(&minted.key)).await.status,
        200
    );

    let mut altered = minted.key.clone();
    let last = if altered.pop() == Some('0') { '1' } else { '0' };
    altered.push(last);
    let other = world.sandbox("hosting").await;
    let foreign = world.mint(&other, create_body(&other, false)).await;
    let never = "exapi_test_0000000000000000_000000000000000000000000000000001uJ5nP";
    for key in [
        altered.as_str(),
        "x",
        never,
        &foreign.key,
        token(&sandbox, "owner"),
    ] {
        let refused = world.probe(&sandbox, read, Some(key)).await;
        assert_eq!(refused.problem(), "unauthenticated");
        assert_eq!(
            refused.header("www-authenticate"),
            r#"Bearer error="invalid_token""#
        );
        assert!(!refused.body.to_string().contains(key) || key == "x");
    }
    let in_query = get(&format!("{}?access_token={}", read.path, minted.key));
    assert_eq!(world.probe(&sandbox, &in_query, None).await.status, 401);
    let none = world.probe(&sandbox, read, None).await;
    assert_eq!(none.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_key_ends_with_its_credential() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let read = &sandbox.probe.read;

    let revoked = world.mint(&sandbox, create_body(&sandbox, false)).await;
    assert_eq!(
        world.probe(&sandbox, read, Some(&revoked.key)).await.status,
        200
    );
    let body = json!({"mode": "immediate", "reason": "compromise"});
    let path = format!("/{}/revoke", revoked.id);
    let done = world
        .as_role(&sandbox, "owner", "POST", &path, Some(body))
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    let refused = world.probe(&sandbox, read, Some(&revoked.key)).await;
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer error="invalid_token""#
    );

    let mut body = create_body(&sandbox, false);
    body["expires_at"] = json!(sandbox.now.plus(600).to_string());
    let expiring = world.mint(&sandbox, body).await;
    assert_eq!(
        world
            .probe(&sandbox, read, Some(&expiring.key))
            .await
            .status,
        200
    );
    assert_eq!(world.advance(&sandbox, 601).await.status, 200);
    let refused = world.probe(&sandbox, read, Some(&expiring.key)).await;
    assert_eq!(refused.problem(), "unauthenticated");
}

#[tokio::test]
async fn the_first_use_ends_the_delivery() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let minted = world.mint(&sandbox, create_body(&sandbox, false)).await;
    let owner = token(&sandbox, "owner");
    assert_eq!(
        world
            .send("GET", &minted.delivery, Some(owner), None)
            .await
            .status,
        200
    );
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.read, Some(&minted.key))
            .await
            .status,
        200
    );
    let gone = world.send("GET", &minted.delivery, Some(owner), None).await;
    assert_eq!(gone.problem(), "delivery-gone");
}

#[tokio::test]
async fn constraints_are_held_against_what_the_call_asks_for() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let mut body = create_body(&sandbox, false);
    let constraints = json!({"max_records": 1, "from_networks": ["127.0.0.0/8", "::1/128"]});
    body["permissions"][0]["constraints"] = constraints;
    let minted = world.mint(&sandbox, body.clone()).await;
    let list = |query: &str| get(&format!("/v1/projects/atlas/records{query}"));
    let key = Some(minted.key.as_str());
    let page = world.probe(&sandbox, &list("?limit=1"), key).await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 1);
    for query in ["?limit=2", ""] {
        assert_eq!(
            world.probe(&sandbox, &list(query), key).await.status,
            403,
            "{query}"
        );
    }
    for query in ["?limit=1&limit=2", "?limit=one"] {
        let refused = world.probe(&sandbox, &list(query), key).await;
        assert_eq!(refused.problem(), "invalid-query");
    }
    body["permissions"][0]["constraints"]["from_networks"] = json!(["192.0.2.0/24"]);
    let elsewhere = world.mint(&sandbox, body).await;
    assert_eq!(
        world
            .probe(&sandbox, &list("?limit=1"), Some(&elsewhere.key))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn every_use_and_every_refusal_is_counted_in_the_log() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let minted = world.mint(&sandbox, create_body(&sandbox, false)).await;
    for _ in 0..3 {
        world
            .probe(&sandbox, &sandbox.probe.read, Some(&minted.key))
            .await;
        world
            .probe(&sandbox, &sandbox.probe.write, Some(&minted.key))
            .await;
    }
    world
        .probe(&sandbox, &sandbox.probe.write, Some(&minted.key))
        .await;
    // Accesses of five minutes may be counted together, and are written down by then.
    world.advance(&sandbox, 301).await;
    let counted = async |event: &str| {
        let path = format!("/audit/entries?event={event}&credential_id={}", minted.id);
        let page = world.as_role(&sandbox, "owner", "GET", &path, None).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(!page.body.to_string().contains(&minted.key));
        let entries = page.body["entries"].as_array().unwrap().clone();
        let counts = entries
            .iter()
            .map(|entry| entry["disclosed"]["count"]["value"].as_u64().unwrap());
        counts.sum::<u64>()
    };
    assert_eq!(counted("credential.used").await, 3);
    assert_eq!(counted("credential.use_refused").await, 4);
}

#[tokio::test]
async fn what_one_tenant_writes_no_other_sees() {
    let world = World::start().await;
    let (here, there) = (
        world.sandbox("exampleapi").await,
        world.sandbox("exampleapi").await,
    );
    let write = &here.probe.write;
    let writer = world.mint(&here, create_body(&here, true)).await;
    let reader = world.mint(&there, create_body(&there, false)).await;
    assert_eq!(
        world.probe(&here, write, Some(&writer.key)).await.status,
        200
    );
    let unseen = world
        .probe(&there, &get(&write.path), Some(&reader.key))
        .await;
    assert_eq!(unseen.problem(), "not-found");

    let add = ProbeCall {
        method: "POST".to_owned(),
        path: "/v1/projects/atlas/records".to_owned(),
        body: Some(json!({"title": "New"})),
    };
    let added = world.probe(&here, &add, Some(&writer.key)).await;
    assert_eq!((added.status, added.body["id"].as_str()), (201, Some("4")));
    let page = world.probe(&here, &get(&add.path), Some(&writer.key)).await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn paths_and_methods_that_are_none_are_refused() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let writer = world.mint(&sandbox, create_body(&sandbox, true)).await;
    let key = Some(writer.key.as_str());
    let call = |method: &str, path: &str, body: Option<Value>| ProbeCall {
        method: method.to_owned(),
        path: path.to_owned(),
        body,
    };
    let unknown = world.probe(&sandbox, &get("/v1/moon"), key).await;
    assert_eq!(unknown.problem(), "not-found");
    let encoded = world
        .probe(&sandbox, &get("/v1/projects/atlas/records/%31"), key)
        .await;
    assert_eq!(encoded.problem(), "not-found");
    let refused = world
        .probe(
            &sandbox,
            &call("PATCH", "/v1/projects/atlas/records/1", None),
            key,
        )
        .await;
    assert_eq!(refused.problem(), "method-not-allowed");
    assert_eq!(refused.header("allow"), "GET, PUT, DELETE");
    let large = call(
        "PUT",
        "/v1/projects/atlas/records/9",
        Some(json!("x".repeat(20_000))),
    );
    assert_eq!(
        world.probe(&sandbox, &large, key).await.problem(),
        "body-too-large"
    );
}
