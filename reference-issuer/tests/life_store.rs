//! Acknowledgements, and the stores that they name.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod life_support;

use life_support::edge_support::token;
use life_support::{Life, With};
use serde_json::{Value, json};

fn vault(life: &Life, environment: &str) -> Value {
    json!({"name": "vault", "kind": "vault", "owner": "ops", "project": life.sandbox.probe.project, "environment": environment})
}

#[tokio::test]
async fn an_acknowledged_delivery_is_over() {
    let life = Life::at("exampleapi").await;
    let environment = life.sandbox.probe.environment.clone();
    let store = life.post("/stores", vault(&life, &environment)).await;
    assert_eq!(store.status, 201, "{store:?}");
    let elsewhere = life
        .post(
            "/stores",
            vault(&life, &life.sandbox.probe.approval_environment),
        )
        .await;
    let made = life.post("", life.wanted(&json!({}))).await;
    let id = made.body["delivery"]["id"].as_str().unwrap().to_owned();
    let ack = format!("/deliveries/{id}/ack");

    assert_eq!(
        life.post(&ack, json!({})).await.problem(),
        "delivery-not-read"
    );
    life.fetch(&made.body).await;
    let cleo = With {
        body: Some(json!({})),
        fields: &[],
    };
    assert_eq!(
        life.with("bystander", "POST", &ack, cleo).await.problem(),
        "not-found"
    );
    for unknown in ["sto_00000000000000000000", &elsewhere.text("id")] {
        assert_eq!(
            life.post(&ack, json!({"store_id": unknown}))
                .await
                .problem(),
            "unknown-store"
        );
    }
    let receipt = life.post(&ack, json!({"store_id": store.text("id")})).await;
    assert_eq!(receipt.status, 200, "{receipt:?}");
    assert_eq!(receipt.body["store_id"], store.body["id"]);
    life.advance_clock(10).await;
    assert_eq!(life.post(&ack, json!({})).await.body, receipt.body);

    let owner = token(&life.sandbox, "owner");
    let uri = made.body["delivery"]["uri"].as_str().unwrap();
    assert_eq!(
        life.world
            .send("GET", uri, Some(owner), None)
            .await
            .problem(),
        "delivery-gone"
    );
    let read = life.get(&format!("/{}", made.text("id"))).await;
    assert_eq!(read.body["state"], "active");
    assert_eq!(read.body["stored_in"][0]["store_id"], store.body["id"]);
    assert!(read.body.get("delivery").is_none());
}

#[tokio::test]
async fn what_ended_otherwise_is_not_acknowledged() {
    let life = Life::at("exampleapi").await;
    for read_first in [true, false] {
        let made = life.post("", life.wanted(&json!({}))).await;
        if read_first {
            life.fetch(&made.body).await;
        }
        life.advance_clock(901).await;
        let ack = format!(
            "/deliveries/{}/ack",
            made.body["delivery"]["id"].as_str().unwrap()
        );
        assert_eq!(life.post(&ack, json!({})).await.problem(), "delivery-gone");
    }
}

#[tokio::test]
async fn stores_are_listed_to_those_who_see_their_place() {
    let life = Life::at("exampleapi").await;
    let environment = life.sandbox.probe.environment.clone();
    let other = life.sandbox.probe.approval_environment.clone();
    let mut ids = Vec::new();
    for place in [&environment, &other, &environment] {
        ids.push(life.post("/stores", vault(&life, place)).await.body["id"].clone());
    }
    let cleo = With {
        body: Some(vault(&life, &environment)),
        fields: &[],
    };
    assert_eq!(
        life.with("bystander", "POST", "/stores", cleo)
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        life.post("/stores", vault(&life, "mars")).await.problem(),
        "unknown-environment"
    );

    let page = life.get("/stores?limit=2").await;
    assert_eq!(page.body["items"][0]["id"], ids[2]);
    assert_eq!(page.body["items"][1]["id"], ids[1]);
    let cursor = page.text("next_cursor");
    let last = life.get(&format!("/stores?cursor={cursor}")).await;
    assert_eq!(last.body["items"][0]["id"], ids[0]);
    assert!(last.body.get("next_cursor").is_none());
    let there = life.get(&format!("/stores?environment={other}")).await;
    assert_eq!(there.body["items"].as_array().unwrap().len(), 1);
    let dov = life
        .with("outsider", "GET", "/stores", With::default())
        .await;
    assert_eq!(dov.body["items"], json!([]));
    let foreign = life
        .with(
            "bystander",
            "GET",
            &format!("/stores?cursor={cursor}"),
            With::default(),
        )
        .await;
    assert_eq!(foreign.problem(), "invalid-cursor");
}
