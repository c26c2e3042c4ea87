//! Webhook secrets: where events go, what signs them, and what a test of one says.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_schemas::ops::control::Sandbox;
use clp_schemas::webhook::{WebhookSecret, verify};
use edge_support::{Answer, World, create_body};
use serde_json::{Value, json};
use types_support::{Got, Made, Receiver, body_of, make, revoke, rotate, suspend};

async fn hook(world: &World, sandbox: &Sandbox, url: &str) -> Made {
    let mut body = body_of(sandbox, "webhook_secret", false);
    body["webhook"]["url"] = json!(url);
    make(world, sandbox, body).await
}

async fn test_event(world: &World, sandbox: &Sandbox, id: &str, signed_by: &str) -> Answer {
    let path = format!("/{id}/test-events");
    let body = json!({"signed_by": signed_by});
    world
        .as_role(sandbox, "owner", "POST", &path, Some(body))
        .await
}

/// An answered test event, as its receiver would have it.
fn as_got(answer: &Answer) -> Got {
    assert_eq!(answer.status, 200, "{answer:?}");
    Got {
        id: answer.text("id"),
        timestamp: answer.body["timestamp"].as_i64().unwrap(),
        signature: answer.text("signature"),
        body: answer.text("body"),
    }
}

#[tokio::test]
async fn an_event_says_what_was_changed_to_whom_could_read_it() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let (receiver, other) = (Receiver::start(204).await, Receiver::start(204).await);
    let made = hook(&world, &sandbox, &receiver.url).await;
    assert!(made.value().starts_with("whsec_"));
    assert_eq!(made.record["key_id"].as_str().unwrap().len(), 16);
    assert_eq!(made.record["webhook"]["url"], receiver.url.as_str());
    // Of settings alone; the probe writes a record.
    let mut elsewhere = body_of(&sandbox, "webhook_secret", false);
    elsewhere["webhook"]["url"] = json!(other.url);
    elsewhere["permissions"] =
        json!([{"resource_type": "settings", "selector": "atlas", "actions": ["read"]}]);
    make(&world, &sandbox, elsewhere).await;

    let writer = world.mint(&sandbox, create_body(&sandbox, true)).await;
    let write = &sandbox.probe.write;
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.read, Some(&writer.key))
            .await
            .status,
        200
    );
    assert_eq!(
        world.probe(&sandbox, write, Some(&writer.key)).await.status,
        200
    );
    let got = receiver.wait_for(1).await;
    assert_eq!(got.len(), 1);
    let event: Value = serde_json::from_str(&got[0].body).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["path"]),
        (&json!("record.write"), &json!(write.path))
    );
    assert!(got[0].id.starts_with("evt_"));
    let secret = WebhookSecret::parse(made.value()).unwrap();
    let body = got[0].body.as_bytes();
    verify(
        &secret,
        &got[0].id,
        got[0].timestamp,
        &got[0].signature,
        body,
        sandbox.now,
    )
    .unwrap();
    assert!(other.wait_for(0).await.is_empty());
}

#[tokio::test]
async fn in_a_rotation_both_secrets_sign_and_then_the_one_that_is_left() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let receiver = Receiver::start(204).await;
    let old = hook(&world, &sandbox, &receiver.url).await;
    let writer = world.mint(&sandbox, create_body(&sandbox, true)).await;
    let write = async || {
        world
            .probe(&sandbox, &sandbox.probe.write, Some(&writer.key))
            .await
            .status
    };

    // A successor that nobody has read signs nothing.
    let path = format!("/{}/rotations", old.id);
    let opened = world
        .as_role(
            &sandbox,
            "owner",
            "POST",
            &path,
            Some(json!({"reason": "scheduled"})),
        )
        .await;
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(write().await, 200);
    let got = receiver.wait_for(1).await;
    assert_eq!(
        (got[0].signatures(), got[0].is_signed_by(old.value())),
        (1, true)
    );

    let new = types_support::read(&world, &sandbox, opened.body["credential"].clone()).await;
    assert_ne!(new.value(), old.value());
    assert_eq!(new.record["webhook"], old.record["webhook"]);
    assert_eq!(write().await, 200);
    let got = receiver.wait_for(2).await;
    assert_eq!((got.len(), got[1].signatures()), (2, 2));
    assert!(got[1].is_signed_by(old.value()) && got[1].is_signed_by(new.value()));

    for id in [&old.id, &new.id] {
        let all = as_got(&test_event(&world, &sandbox, id, "all").await);
        assert!(all.is_signed_by(old.value()) && all.is_signed_by(new.value()));
        assert_eq!(
            serde_json::from_str::<Value>(&all.body).unwrap()["type"],
            "clp.test"
        );
    }
    let alone = as_got(&test_event(&world, &sandbox, &new.id, "credential").await);
    assert!(alone.is_signed_by(new.value()) && !alone.is_signed_by(old.value()));
    let probe = opened.body["probe_value"].as_str().unwrap();
    let probed = as_got(&test_event(&world, &sandbox, &old.id, "probe").await);
    assert!(probed.is_signed_by(probe) && probed.signatures() == 1);

    suspend(&world, &sandbox, &old.id).await;
    let all = as_got(&test_event(&world, &sandbox, &new.id, "all").await);
    assert!(!all.is_signed_by(old.value()) && all.is_signed_by(new.value()));
    revoke(&world, &sandbox, &old.id).await;
    let all = as_got(&test_event(&world, &sandbox, &new.id, "all").await);
    assert_eq!((all.signatures(), all.is_signed_by(new.value())), (1, true));
    let probe = test_event(&world, &sandbox, &new.id, "probe").await;
    assert_eq!(probe.problem(), "credential-not-active");
    assert_eq!(
        test_event(&world, &sandbox, &old.id, "all").await.problem(),
        "credential-not-active"
    );
}

#[tokio::test]
async fn a_test_says_what_was_sent_and_what_came_back() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for (status, outcome) in [
        (200, "accepted"),
        (410, "refused"),
        (307, "unreachable"),
        (503, "unreachable"),
    ] {
        let receiver = Receiver::start(status).await;
        let made = hook(&world, &sandbox, &receiver.url).await;
        let answer = test_event(&world, &sandbox, &made.id, "credential").await;
        assert_eq!(
            (answer.text("outcome").as_str(), &answer.body["status"]),
            (outcome, &json!(status))
        );
        let (sent, got) = (as_got(&answer), receiver.wait_for(1).await);
        assert_eq!(
            (&sent.id, &sent.body, &sent.signature),
            (&got[0].id, &got[0].body, &got[0].signature)
        );
        assert_eq!(
            (answer.text("url"), sent.timestamp),
            (receiver.url.clone(), got[0].timestamp)
        );
        assert!(sent.is_signed_by(made.value()));
    }
    let nobody = hook(&world, &sandbox, "http://127.0.0.1:9/").await;
    let answer = test_event(&world, &sandbox, &nobody.id, "all").await;
    assert_eq!(answer.text("outcome"), "unreachable");
    assert!(answer.body.get("status").is_none());
}

#[tokio::test]
async fn a_test_is_of_a_webhook_by_who_may_rotate_it() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let receiver = Receiver::start(204).await;
    let made = hook(&world, &sandbox, &receiver.url).await;
    let path = format!("/{}/test-events", made.id);
    let body = json!({"signed_by": "all"});
    let by = async |role: &str, path: &str, body: Value| {
        world
            .as_role(&sandbox, role, "POST", path, Some(body))
            .await
    };
    assert_eq!(by("owner", &path, body.clone()).await.status, 200);
    assert_eq!(
        by("bystander", &path, body.clone()).await.problem(),
        "forbidden"
    );
    assert_eq!(
        by("outsider", &path, body.clone()).await.problem(),
        "not-found"
    );
    assert_eq!(
        by("owner", "/x/test-events", body.clone()).await.problem(),
        "not-found"
    );
    assert_eq!(
        by("owner", &path, json!({"signed_by": "me"}))
            .await
            .problem(),
        "invalid-request"
    );
    let url = format!("{}{path}", sandbox.credential_issuer_endpoint);
    let nobody = world.send("POST", &url, None, Some(body.clone())).await;
    assert!(
        nobody
            .header("www-authenticate")
            .contains("resource_metadata=")
    );
    let key = make(&world, &sandbox, body_of(&sandbox, "api_key", false)).await;
    let refused = by("owner", &format!("/{}/test-events", key.id), body.clone()).await;
    assert_eq!(refused.problem(), "type-mismatch");

    let page = world
        .as_role(
            &sandbox,
            "owner",
            "GET",
            "/audit/entries?event=event.tested",
            None,
        )
        .await;
    assert_eq!(
        page.body["entries"].as_array().unwrap().len(),
        1,
        "{page:?}"
    );
}

#[tokio::test]
async fn events_go_to_public_places_or_in_tests_to_this_machine() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let create = async |url: &str| {
        let mut body = body_of(&sandbox, "webhook_secret", false);
        body["webhook"]["url"] = json!(url);
        world
            .as_role(&sandbox, "owner", "POST", "", Some(body))
            .await
    };
    for good in [
        "https://192.0.2.7/hook?x=1",
        "http://127.0.0.1:9999/hook",
        "http://[::1]:9/",
    ] {
        assert_eq!(create(good).await.status, 201, "{good}");
    }
    for bad in [
        "http://192.0.2.7/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest",
        "http://[fe80::1]/",
        "https://user@192.0.2.7/",
        "https://192.0.2.7/#x",
        "ftp://192.0.2.7/",
        "hook",
        "https://0x7f.1@192.0.2.7/",
    ] {
        let refused = create(bad).await;
        assert_eq!(refused.problem(), "target-refused", "{bad}");
        assert_eq!(refused.body["pointer"], "/webhook/url");
    }
    let missing = create_with(&sandbox, "webhook_secret", None);
    let refused = world
        .as_role(&sandbox, "owner", "POST", "", Some(missing))
        .await;
    assert_eq!(refused.problem(), "type-mismatch");
    for kind in ["api_key", "oauth_client", "service_account"] {
        let superfluous = create_with(&sandbox, kind, Some("https://192.0.2.7/"));
        let refused = world
            .as_role(&sandbox, "owner", "POST", "", Some(superfluous))
            .await;
        assert_eq!(refused.problem(), "type-mismatch", "{kind}");
    }
}

fn create_with(sandbox: &Sandbox, kind: &str, url: Option<&str>) -> Value {
    let mut body = create_body(sandbox, false);
    body["type"] = json!(kind);
    if let Some(url) = url {
        body["webhook"] = json!({"url": url});
    }
    body
}

#[tokio::test]
async fn a_rotation_of_a_webhook_is_proved_by_test_events() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let receiver = Receiver::start(204).await;
    let old = hook(&world, &sandbox, &receiver.url).await;
    let (rotation, new) = rotate(&world, &sandbox, &old.id, json!({})).await;
    let path = format!("/rotations/{}/gates", rotation["id"].as_str().unwrap());
    let before = world.as_role(&sandbox, "owner", "GET", &path, None).await;
    assert_eq!(before.status, 200, "{before:?}");
    assert_eq!(
        as_got(&test_event(&world, &sandbox, &new.id, "credential").await).signatures(),
        1
    );
    let after = world.as_role(&sandbox, "owner", "GET", &path, None).await;
    assert_ne!(before.body["gates"], after.body["gates"], "{after:?}");
}
