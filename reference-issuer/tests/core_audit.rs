//! The log over HTTP, judged with nothing but its documents and the public key.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod core_support;

use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::audit::note::PublicKey;
use clp_schemas::audit::{AuditEntry, ConsistencyProof, InclusionProof, merkle};
use clp_schemas::canonical;
use core_support::{ANA, DOV, World};
use serde_json::json;

async fn checkpoint(world: &World) -> Checkpoint {
    let manifest = world
        .send(world.request(
            "GET",
            &format!("{}/.well-known/credential-issuer", world.origin),
        ))
        .await;
    let key = PublicKey::from_base64(&manifest.text("/audit_log/public_key")).unwrap();
    let note = world.get(ANA, "/audit/checkpoint").await.ok(200);
    assert_eq!(note.header("content-type"), "text/plain; charset=utf-8");
    let checkpoint = Checkpoint::open(std::str::from_utf8(&note.bytes).unwrap(), &key).unwrap();
    assert!(
        checkpoint
            .origin
            .starts_with(&manifest.text("/audit_log/origin_prefix"))
    );
    checkpoint
}

#[tokio::test]
async fn every_entry_is_in_the_tree_and_the_tree_only_grows() {
    let world = World::start().await;
    let mut heads: Vec<Checkpoint> = Vec::new();
    for _ in 0..4 {
        world.mint(json!({})).await;
        heads.push(checkpoint(&world).await);
    }
    let newest = heads.last().unwrap();
    let page = world.get(ANA, "/audit/entries?limit=200").await.ok(200);
    assert_eq!(page.text("/log_origin"), newest.origin);
    let entries: Vec<AuditEntry> = serde_json::from_value(page.json()["entries"].clone()).unwrap();
    assert_eq!(entries.len() as u64, newest.tree_size);
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry.index, index as u64);
        let leaf = canonical::from_base64(&entry.leaf).unwrap();
        for head in heads.iter().filter(|head| entry.index < head.tree_size) {
            let path = format!(
                "/audit/proofs/inclusion?index={index}&tree_size={}",
                head.tree_size
            );
            let proof: InclusionProof =
                serde_json::from_slice(&world.get(ANA, &path).await.ok(200).bytes).unwrap();
            merkle::verify_inclusion(
                merkle::leaf_hash(&leaf),
                proof.index,
                proof.tree_size,
                &proof.hashes,
                head.root,
            )
            .unwrap();
        }
    }
    for pair in heads.windows(2) {
        let path = format!(
            "/audit/proofs/consistency?from={}&to={}",
            pair[0].tree_size, pair[1].tree_size
        );
        let proof: ConsistencyProof =
            serde_json::from_slice(&world.get(ANA, &path).await.ok(200).bytes).unwrap();
        merkle::verify_consistency(
            proof.from,
            proof.to,
            &proof.hashes,
            pair[0].root,
            pair[1].root,
        )
        .unwrap();
    }
    let beyond = newest.tree_size + 1;
    for path in [
        format!("inclusion?index=0&tree_size={beyond}"),
        format!("inclusion?index={0}&tree_size={0}", newest.tree_size),
        format!("consistency?from=1&to={beyond}"),
        "consistency?from=2&to=1".to_owned(),
    ] {
        let refused = world.get(ANA, &format!("/audit/proofs/{path}")).await;
        assert_eq!(refused.problem(), "invalid-proof-range", "{path}");
    }
    assert_eq!(
        world
            .get(ANA, "/audit/proofs/inclusion?index=0")
            .await
            .problem(),
        "invalid-query"
    );
}

#[tokio::test]
async fn the_log_is_read_in_pages_and_by_its_own_tenant() {
    let world = World::start().await;
    for _ in 0..3 {
        world.mint(json!({})).await;
    }
    let mut indices = Vec::new();
    let mut path = "/audit/entries?limit=2".to_owned();
    loop {
        let page = world.get(ANA, &path).await.ok(200).json();
        let entries = page["entries"].as_array().unwrap().clone();
        indices.extend(entries.iter().map(|entry| entry["index"].as_u64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/audit/entries?limit=2&cursor={cursor}");
    }
    assert_eq!(indices, [0, 1, 2, 3, 4, 5]);
    let foreign = world.get(DOV, "/audit/entries").await.ok(200).json();
    assert_eq!(foreign["entries"], json!([]));
}
