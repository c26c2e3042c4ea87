//! What the new operations leave in the log, and how it is found there.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod life_support;

use life_support::{Life, installation_id, nightly};
use serde_json::{Value, json};

/// The events of a listing, each with what it discloses.
async fn entries(life: &Life, query: &str) -> Vec<(String, Value)> {
    let page = life.get(&format!("/audit/entries?limit=200&{query}")).await;
    let entries = page.body["entries"].as_array().unwrap().clone();
    entries
        .into_iter()
        .map(|entry| {
            let leaf =
                clp_schemas::canonical::from_base64(entry["leaf"].as_str().unwrap()).unwrap();
            let leaf: Value = serde_json::from_slice(&leaf).unwrap();
            (
                leaf["event"].as_str().unwrap().to_owned(),
                entry["disclosed"].clone(),
            )
        })
        .collect()
}

fn events(entries: &[(String, Value)]) -> Vec<&str> {
    entries.iter().map(|(event, _)| event.as_str()).collect()
}

#[tokio::test]
async fn every_change_leaves_an_entry() {
    let life = Life::at("exampleapi").await;
    let place = json!({"name": "v", "kind": "vault", "owner": "o", "project": life.sandbox.probe.project, "environment": life.sandbox.probe.environment});
    let store = life.post("/stores", place).await;
    let made = life.post("", life.wanted(&json!({}))).await;
    let path = format!("/{}", made.text("id"));
    life.fetch(&made.body).await;
    let ack = format!(
        "/deliveries/{}/ack",
        made.body["delivery"]["id"].as_str().unwrap()
    );
    life.post(&ack, json!({"store_id": store.text("id")})).await;
    life.change("PATCH", &path, "", json!({"owner": "x", "labels": {}}))
        .await;
    life.post(
        &format!("{path}/suspend"),
        json!({"reason": "policy", "note": "drill"}),
    )
    .await;
    life.change("POST", &path, "/resume", json!({})).await;
    let id = installation_id();
    life.declare(&made.text("id"), &id, nightly("declared"))
        .await;
    let below = format!("{path}/installations/{id}");
    let updated = life.change("PUT", &below, "", nightly("installed")).await;
    life.if_match("DELETE", &below, updated.header("etag"), None)
        .await;

    let found = entries(&life, &format!("credential_id={}", made.text("id"))).await;
    let wanted = [
        "credential.created",
        "credential.delivered",
        "delivery.acknowledged",
        "credential.amended",
        "credential.suspended",
        "credential.resumed",
        "installation.declared",
        "installation.updated",
        "installation.removed",
    ];
    assert_eq!(events(&found), wanted);
    assert_eq!(found[2].1["store_id"]["value"], store.body["id"]);
    assert_eq!(found[3].1["changed"]["value"], json!(["owner", "labels"]));
    assert_eq!(found[4].1["note"]["value"], "drill");
    assert_eq!(found[7].1["state"]["value"], "installed");
    assert_eq!(found[8].1["installation_id"]["value"], json!(id));
    assert_eq!(
        events(&entries(&life, "event=store.registered").await),
        ["store.registered"]
    );
}

#[tokio::test]
async fn a_rotation_is_found_by_its_id_and_by_time() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    life.advance_clock(100).await;
    let opened = life
        .post(
            &format!("/{}/rotations", minted.id),
            json!({"reason": "scheduled"}),
        )
        .await;
    let rotation = format!("/rotations/{}", opened.text("id"));
    life.fetch(&opened.body["credential"]).await;
    life.change("POST", &rotation, "/advance", json!({})).await;
    life.advance_clock(100).await;
    let completed = life.change("POST", &rotation, "/advance", json!({})).await;
    assert_eq!(completed.body["state"], "completed", "{completed:?}");

    let query = format!("rotation_id={}", opened.text("id"));
    let found = entries(&life, &query).await;
    let wanted = [
        "credential.created",
        "credential.rotated",
        "rotation.advanced",
        "rotation.completed",
    ];
    assert_eq!(events(&found), wanted);
    assert_eq!(found[2].1["credential_id"]["value"], json!(minted.id));
    assert_eq!(found[2].1["state"]["value"], "draining");
    assert!(found[3].1["actor"]["value"].is_string());
    let (from, to) = (opened.text("created_at"), completed.text("ended_at"));
    let between = entries(&life, &format!("{query}&since={from}&until={to}")).await;
    assert_eq!(events(&between), wanted[..3]);
    let before = entries(&life, &format!("until={from}")).await;
    assert_eq!(
        events(&before),
        ["credential.created", "credential.delivered"]
    );
}
