//! The probe value of a rotation: refused wherever its type is checked, and seen to be.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_schemas::ops::control::{ProbeCall, Sandbox};
use edge_support::{Answer, World, token};
use serde_json::{Value, json};
use types_support::{assert_error, body_of, call, make, rotate, token_form};

async fn put(
    sandbox: &Sandbox,
    path: &str,
    condition: (&'static str, String),
    body: Value,
) -> Answer {
    let probe = ProbeCall {
        method: "PUT".to_owned(),
        path: path.to_owned(),
        body: Some(body),
    };
    let bearer = (
        "authorization",
        format!("Bearer {}", token(sandbox, "owner")),
    );
    call(sandbox, &probe, &[bearer, condition]).await
}

/// Declares the one place where a successor is, checked with it and not with the probe value.
async fn declare(sandbox: &Sandbox, successor: &str) {
    let path = format!("/credentials/{successor}/installations/ins_00000000000000000000");
    let mut body = json!({"target": {"kind": "cron", "name": "nightly"}, "state": "installed"});
    let new = put(
        sandbox,
        &path,
        ("if-none-match", "*".to_owned()),
        body.clone(),
    )
    .await;
    assert_eq!(new.status, 201, "{new:?}");
    body["state"] = json!("verified");
    body["health"] = json!({"credential": "accepted", "checked_at": sandbox.now});
    let tag = ("if-match", new.header("etag").to_owned());
    let verified = put(sandbox, &path, tag, body).await;
    assert_eq!(verified.status, 200, "{verified:?}");
}

async fn health(world: &World, sandbox: &Sandbox, rotation: &Value) -> Value {
    let path = format!("/rotations/{}/gates", rotation["id"].as_str().unwrap());
    let report = world.as_role(sandbox, "owner", "GET", &path, None).await;
    let gates = report.body["gates"].as_array().unwrap().clone();
    let health = gates.into_iter().find(|gate| gate["id"] == "health");
    health.unwrap()["state"].clone()
}

#[tokio::test]
async fn a_refused_probe_is_seen_where_its_type_is_checked_and_nowhere_else() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for kind in ["api_key", "oauth_client"] {
        let old = make(&world, &sandbox, body_of(&sandbox, kind, false)).await;
        let (rotation, new) = rotate(&world, &sandbox, &old.id, json!({})).await;
        declare(&sandbox, &new.id).await;
        let probe = rotation["probe_value"].as_str().unwrap();
        let at_resource = async || {
            let refused = world
                .probe(&sandbox, &sandbox.probe.read, Some(probe))
                .await;
            assert_eq!(
                refused.header("www-authenticate"),
                r#"Bearer error="invalid_token""#
            );
        };
        let at_token_endpoint = async || {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", new.id.as_str()),
                ("client_secret", probe),
            ];
            let refused = token_form(&sandbox, &[], &fields).await;
            assert_error(&refused, 401, "invalid_client");
        };
        assert_ne!(health(&world, &sandbox, &rotation).await, "met", "{kind}");
        match kind {
            "api_key" => at_token_endpoint().await,
            _ => at_resource().await,
        }
        assert_ne!(health(&world, &sandbox, &rotation).await, "met", "{kind}");
        match kind {
            "api_key" => at_resource().await,
            _ => at_token_endpoint().await,
        }
        assert_eq!(health(&world, &sandbox, &rotation).await, "met", "{kind}");
    }
}
