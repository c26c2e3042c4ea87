//! What is left in the data directory of a secret, and what a call that only looks leaves.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod core_support;

use std::path::Path;

use core_support::{ANA, World, create_body};
use rusqlite::Connection;
use serde_json::json;

/// Whether any file of a directory holds these bytes.
fn is_kept(directory: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    })
}

fn sealed(directory: &Path) -> Vec<u8> {
    Connection::open(directory.join("issuer.db"))
        .unwrap()
        .query_row(
            "SELECT sealed FROM deliveries WHERE sealed IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap()
}

#[tokio::test]
async fn a_secret_is_in_no_file_once_its_delivery_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::start_in(directory.path()).await;
    let body = create_body(json!({}));
    let made = world.post_with_key(ANA, "", &body, "one").await.ok(201);
    let delivery = format!("/deliveries/{}", made.text("/delivery/id"));
    let key = world
        .get(ANA, &delivery)
        .await
        .ok(200)
        .text("/secret/value");
    let sealed = sealed(directory.path());
    assert!(is_kept(directory.path(), &sealed));

    assert_eq!(world.read_probe(&key).await, 200);
    assert!(!is_kept(directory.path(), &sealed));
    assert!(!is_kept(directory.path(), key.as_bytes()));
    world.running.shutdown().await;
}

#[tokio::test]
async fn a_head_hands_nothing_over_and_records_nothing() {
    let world = World::start().await;
    let body = create_body(json!({}));
    let made = world.post_with_key(ANA, "", &body, "one").await.ok(201);
    let id = made.text("/id");
    let delivery = format!("/deliveries/{}", made.text("/delivery/id"));
    let url = format!("{}/credentials{delivery}", world.origin);
    let before = world.log("").await.len();

    let head = world.request("HEAD", &url).bearer_auth(ANA);
    let head = world.send(head).await.ok(200);
    assert!(head.bytes.is_empty());
    let seen = world.get(ANA, &format!("/{id}")).await.ok(200).json();
    assert_eq!(seen["state"], "provisioned");
    assert_eq!(seen["disclosed_to"], json!([]));
    assert_eq!(world.log("").await.len(), before);

    world.get(ANA, &delivery).await.ok(200);
    let seen = world.get(ANA, &format!("/{id}")).await.ok(200).json();
    assert_eq!(seen["state"], "active");
}
