//! What is kept in a directory is there again after a restart, and only what should be.

mod core_support;

use core_support::{ANA, World, create_body};
use serde_json::json;

#[tokio::test]
async fn a_restart_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::start_in(directory.path()).await;
    let (id, key) = world.mint(json!({})).await;
    let body = create_body(json!({"purpose": "second"}));
    let made = world.post_with_key(ANA, "", &body, "kept").await.ok(201);
    let listed = world.get(ANA, "").await.json()["items"]
        .as_array()
        .unwrap()
        .len();
    let log = world.log("").await;
    let tenant = world.get(ANA, "/audit/entries").await.text("/log_origin");
    let digest = made.text("/permission_schema_digest");
    world.running.shutdown().await;

    let world = World::start_in(directory.path()).await;
    assert_eq!(world.read_probe(&key).await, 200);
    assert_eq!(
        world
            .get(ANA, &format!("/{id}"))
            .await
            .ok(200)
            .text("/state"),
        "active"
    );
    assert_eq!(
        world.get(ANA, "").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        listed
    );
    assert_eq!(
        world.post_with_key(ANA, "", &body, "kept").await.bytes,
        made.bytes
    );
    assert_eq!(world.log("").await[..log.len()], log);
    let after = world.get(ANA, "/audit/entries").await.text("/log_origin");
    assert_eq!(after.rsplit('/').next(), tenant.rsplit('/').next());
    // A delivery that was not read before is still there.
    let delivery = format!("/deliveries/{}", made.text("/delivery/id"));
    let second = world
        .get(ANA, &delivery)
        .await
        .ok(200)
        .text("/secret/value");
    let url = format!(
        "{}/.well-known/credential-permissions?digest={digest}",
        world.origin
    );
    let document = world.send(world.request("GET", &url)).await.ok(200);
    assert_eq!(document.header("etag"), format!("\"{digest}\""));
    let cached = world
        .send(
            world
                .request("GET", &url)
                .header("If-None-Match", format!("\"{digest}\"")),
        )
        .await;
    assert_eq!((cached.status, cached.bytes.len()), (304, 0));
    world.running.shutdown().await;

    // No key and no token stands in any file. The search is first seen to find what does.
    let holds = |needle: &str| {
        let mut files = std::fs::read_dir(directory.path()).unwrap();
        files.any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
        })
    };
    let parsed = clp_schemas::key::Key::parse(&key).unwrap();
    assert!(holds(parsed.key_id));
    for secret in [&key[30..], &second[30..], ANA] {
        assert!(!holds(secret));
    }
}
