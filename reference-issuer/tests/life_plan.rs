//! What a rotation can be planned to do, and what an issuer judges without an inventory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod life_support;

use life_support::{Life, With, states};
use serde_json::json;

#[tokio::test]
async fn what_a_rotation_cannot_be_is_refused() {
    let life = Life::at("exampleapi").await;
    let minted = life
        .mint(&json!({"rotation_policy": {"max_overlap_seconds": 100}}))
        .await;
    let path = format!("/{}/rotations", minted.id);
    let wider = json!({"reason": "policy", "permissions": life.sandbox.probe.write_permissions});
    let refused = life.post(&path, wider).await;
    assert_eq!(refused.problem(), "scope-broader");
    assert_eq!(refused.body["counterexample"]["pointer"], "/permissions/0");
    let mut nothing = json!(life.sandbox.probe.read_permissions);
    nothing[0]["actions"] = json!(["fly"]);
    let unknown = life
        .post(&path, json!({"reason": "policy", "permissions": nothing}))
        .await;
    assert_eq!(unknown.problem(), "unknown-permission");
    for member in ["quiet_period_seconds", "min_overlap_seconds"] {
        let body = json!({"reason": "policy", "plan": {member: 101}});
        assert_eq!(life.post(&path, body).await.problem(), "plan-impossible");
    }
    let body = json!({"reason": "policy", "plan": {"quiet_period_seconds": 100}});
    assert_eq!(life.post(&path, body).await.status, 201);
}

#[tokio::test]
async fn without_an_inventory_the_issuer_judges_what_it_can() {
    let life = Life::at("hosting").await;
    let minted = life.mint(&json!({})).await;
    let body = json!({"reason": "scheduled", "plan": {"quiet_period_seconds": 60}});
    let opened = life.post(&format!("/{}/rotations", minted.id), body).await;
    let rotation = format!("/rotations/{}", opened.text("id"));
    life.fetch(&opened.body["credential"]).await;
    let report = life.get(&format!("{rotation}/gates")).await;
    let names: Vec<String> = states(&report.body["issuer_gates"])
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(names, ["successor", "quiet", "overlap"]);
    assert!(report.body.get("gates").is_none() && report.body.get("safe_to_revoke").is_none());
    let drained = life.change("POST", &rotation, "/advance", json!({})).await;
    assert_eq!(drained.body["state"], "draining", "{drained:?}");
    let refused = life.change("POST", &rotation, "/advance", json!({})).await;
    assert_eq!(refused.body["gates"], json!(["quiet"]));
    life.advance_clock(61).await;
    let completed = life.change("POST", &rotation, "/advance", json!({})).await;
    assert_eq!(completed.body["state"], "completed", "{completed:?}");
    let migration = json!({"mode": "after_migration", "reason": "superseded"});
    assert_eq!(
        life.post(&format!("/{}/revoke", opened.text("successor")), migration)
            .await
            .problem(),
        "mode-not-supported"
    );
    let stores = life.with("owner", "GET", "/stores", With::default()).await;
    assert_eq!(stores.problem(), "not-found");
}
