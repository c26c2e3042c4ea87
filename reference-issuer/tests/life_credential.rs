//! Amend, suspend, resume, and find credentials by more than their state.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod life_support;

use life_support::{Life, With};
use serde_json::json;

#[tokio::test]
async fn an_amendment_needs_the_tag_that_was_seen() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({"labels": {"team": "a"}})).await;
    let path = format!("/{}", minted.id);
    let before = life.get(&path).await;
    let tag = before.header("etag").to_owned();
    assert_eq!(life.get(&path).await.header("etag"), tag);

    let body = json!({"owner": "team-b", "labels": {"since": "today"}});
    let bare = With {
        body: Some(json!({})),
        fields: &[],
    };
    assert_eq!(
        life.with("owner", "PATCH", &path, bare).await.problem(),
        "invalid-request"
    );
    let none = With {
        body: Some(body.clone()),
        fields: &[],
    };
    assert_eq!(
        life.with("owner", "PATCH", &path, none.clone())
            .await
            .problem(),
        "precondition-required"
    );
    let past = With {
        body: Some(json!({"expires_at": "2020-01-01T00:00:00Z"})),
        fields: &[],
    };
    assert_eq!(
        life.with("owner", "PATCH", &path, past).await.problem(),
        "precondition-required"
    );
    assert_eq!(
        life.with("bystander", "PATCH", &path, none.clone())
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        life.with("outsider", "PATCH", &path, none).await.problem(),
        "not-found"
    );
    let weak = format!("W/{tag}");
    assert_eq!(
        life.if_match("PATCH", &path, &weak, Some(body.clone()))
            .await
            .problem(),
        "precondition-failed"
    );

    let amended = life
        .if_match("PATCH", &path, &tag, Some(body.clone()))
        .await;
    assert_eq!(amended.status, 200, "{amended:?}");
    let mut wanted = before.body.clone();
    wanted["owner"] = json!("team-b");
    wanted["labels"] = json!({"since": "today"});
    assert_eq!(amended.body, wanted);
    assert_ne!(amended.header("etag"), tag);
    assert_eq!(life.get(&path).await.header("etag"), amended.header("etag"));
    assert_eq!(
        life.if_match("PATCH", &path, &tag, Some(body))
            .await
            .problem(),
        "precondition-failed"
    );
    let mine = life.get("?owner=team-b").await;
    assert_eq!(mine.body["items"][0]["id"], json!(minted.id));
}

#[tokio::test]
async fn an_end_moves_forward_only() {
    let life = Life::at("exampleapi").await;
    let now = life.world.advance(&life.sandbox, 1).await.text("now");
    let at = |seconds: i64| {
        let now: clp_schemas::time::Timestamp = now.parse().unwrap();
        now.plus(seconds).to_string()
    };
    let minted = life.mint(&json!({"expires_at": at(10_000)})).await;
    let path = format!("/{}", minted.id);
    for refused in [at(10_000), at(20_000), at(-10)] {
        let answer = life
            .change("PATCH", &path, "", json!({"expires_at": refused}))
            .await;
        assert_eq!(answer.problem(), "expiry-out-of-range");
    }
    let answer = life
        .change("PATCH", &path, "", json!({"expires_at": at(5_000)}))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    life.advance_clock(5_001).await;
    assert_eq!(life.get(&path).await.body["state"], "expired");
    let answer = life.change("PATCH", &path, "", json!({"owner": "x"})).await;
    assert_eq!(answer.problem(), "credential-not-active");
}

#[tokio::test]
async fn what_is_suspended_opens_nothing_until_it_is_resumed() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    let path = format!("/{}", minted.id);
    let suspend = format!("{path}/suspend");
    assert_eq!(life.use_key(&minted.key, "nightly/1").await, 200);

    let fresh = life.post("", life.wanted(&json!({}))).await;
    let early = life
        .post(
            &format!("/{}/suspend", fresh.text("id")),
            json!({"reason": "other"}),
        )
        .await;
    assert_eq!(early.problem(), "credential-not-active");

    let stopped = life.post(&suspend, json!({"reason": "policy"})).await;
    assert_eq!(stopped.body["state"], "suspended");
    assert_eq!(stopped.body["suspension"]["reason"], "policy");
    assert_eq!(life.use_key(&minted.key, "nightly/1").await, 401);
    let again = life.post(&suspend, json!({"reason": "other"})).await;
    assert_eq!(again.body, stopped.body);

    let resume = format!("{path}/resume");
    assert_eq!(
        life.post(&resume, json!({})).await.problem(),
        "precondition-required"
    );
    let resumed = life.change("POST", &path, "/resume", json!({})).await;
    assert_eq!(resumed.body["state"], "active");
    assert!(resumed.body.get("suspension").is_none());
    assert_eq!(life.use_key(&minted.key, "nightly/1").await, 200);

    let rotation = life
        .post(&format!("{path}/rotations"), json!({"reason": "scheduled"}))
        .await;
    assert_eq!(rotation.status, 201, "{rotation:?}");
    life.post(&suspend, json!({"reason": "policy"})).await;
    let resumed = life.change("POST", &path, "/resume", json!({})).await;
    assert_eq!(resumed.body["state"], "retiring");
    life.post(&suspend, json!({"reason": "policy"})).await;
    let ended = life
        .post(
            &format!("{path}/revoke"),
            json!({"mode": "immediate", "reason": "other"}),
        )
        .await;
    assert_eq!(ended.body["state"], "revoked");
    assert!(ended.body.get("suspension").is_none());
    let late = life.change("POST", &path, "/resume", json!({})).await;
    assert_eq!(late.problem(), "credential-not-active");
}

#[tokio::test]
async fn a_tag_does_not_change_by_use() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    let path = format!("/{}", minted.id);
    // The first use ends the delivery, which the creator sees.
    assert_eq!(life.use_key(&minted.key, "a/1").await, 200);
    let tag = life.get(&path).await.header("etag").to_owned();
    assert_eq!(life.use_key(&minted.key, "a/1").await, 200);
    assert_eq!(life.get(&path).await.header("etag"), tag);
}

#[tokio::test]
async fn credentials_are_found_by_subject_purpose_label_and_age() {
    let life = Life::at("exampleapi").await;
    let wanted = life
        .mint(&json!({
            "subject": {"kind": "agent", "id": "bot 7"},
            "purpose": "Nightly 100% import",
            "labels": {"team.x": "a=b"},
            "rotation_policy": {"rotate_every_seconds": 1000},
        }))
        .await;
    life.mint(&json!({"labels": {"team.x": "other"}})).await;
    let soon = life.world.advance(&life.sandbox, 2_000).await.text("now");
    for query in [
        "subject_kind=agent",
        "subject_id=bot%207",
        "purpose=100%25%20imp",
        "label=team.x%3Da%3Db",
        &format!("rotate_before={soon}"),
    ] {
        let found = life.get(&format!("?{query}")).await;
        let items = found.body["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 1, "{query}");
        assert_eq!(items[0]["id"], json!(wanted.id), "{query}");
    }
    for query in [
        "subject_kind=user",
        "purpose=nightly",
        "label=team.x%3Da",
        "rotate_before=2020-01-01T00:00:00Z",
    ] {
        assert_eq!(
            life.get(&format!("?{query}")).await.body["items"],
            json!([]),
            "{query}"
        );
    }
    for query in ["label=team", "subject_kind=nobody"] {
        let refused = life
            .with("owner", "GET", &format!("?{query}"), With::default())
            .await;
        assert_eq!(refused.problem(), "invalid-query", "{query}");
    }
}

#[tokio::test]
async fn without_the_profile_nothing_of_it_is_there() {
    let life = Life::at("analytics").await;
    let minted = life.mint(&json!({})).await;
    let path = format!("/{}", minted.id);
    let read = life.get(&path).await;
    assert!(read.headers.get("etag").is_none());
    let patched = life
        .with(
            "owner",
            "PATCH",
            &path,
            With {
                body: Some(json!({"owner": "x"})),
                fields: &[("If-Match", "*")],
            },
        )
        .await;
    assert_eq!(patched.problem(), "method-not-allowed");
    assert_eq!(patched.header("allow"), "GET, HEAD");
    assert_eq!(
        life.post(&format!("{path}/suspend"), json!({"reason": "other"}))
            .await
            .problem(),
        "not-found"
    );
    let body = json!({"mode": "after_migration", "reason": "superseded"});
    assert_eq!(
        life.post(&format!("{path}/revoke"), body).await.problem(),
        "mode-not-supported"
    );
    let rotation = life
        .post(&format!("{path}/rotations"), json!({"reason": "scheduled"}))
        .await;
    assert_eq!(rotation.status, 201, "{rotation:?}");
    assert!(rotation.body.get("plan").is_none() && rotation.body.get("probe_value").is_none());
    let planned = json!({"reason": "scheduled", "plan": {}});
    assert_eq!(
        life.post(&format!("{path}/rotations"), planned)
            .await
            .problem(),
        "invalid-request"
    );
}
