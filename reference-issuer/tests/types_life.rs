//! The whole life of each type: minted, used, rotated, revoked, expired.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_schemas::jose::SigningKey;
use clp_schemas::ops::control::Sandbox;
use edge_support::{World, token};
use serde_json::{Value, json};
use types_support::{Made, assertion, body_of, by_grant, by_post, make, revoke, rotate};

const KINDS: [&str; 4] = [
    "api_key",
    "oauth_client",
    "service_account",
    "webhook_secret",
];

/// Whether a credential does what its type does.
async fn works(world: &World, sandbox: &Sandbox, kind: &str, made: &Made) -> bool {
    let got = match kind {
        "api_key" => return opens(world, sandbox, made.value()).await,
        "webhook_secret" => {
            let path = format!("/{}/test-events", made.id);
            let body = json!({"signed_by": "credential"});
            return world
                .as_role(sandbox, "owner", "POST", &path, Some(body))
                .await
                .status
                == 200;
        }
        "oauth_client" => by_post(sandbox, made).await,
        _ => {
            let key = SigningKey::from_private_jwk(made.value()).unwrap();
            let now = now(world, sandbox).await;
            let changes = json!({"iat": now, "exp": now + 60});
            by_grant(sandbox, &assertion(sandbox, &key, &made.id, &changes)).await
        }
    };
    match got.body["access_token"].as_str() {
        Some(token) => opens(world, sandbox, token).await,
        None => false,
    }
}

async fn opens(world: &World, sandbox: &Sandbox, key: &str) -> bool {
    world
        .probe(sandbox, &sandbox.probe.read, Some(key))
        .await
        .status
        == 200
}

/// The time by the tenant's clock, which a test has moved.
async fn now(world: &World, sandbox: &Sandbox) -> i64 {
    let moved = world.advance(sandbox, 1).await;
    let now: clp_schemas::time::Timestamp =
        serde_json::from_value(moved.body["now"].clone()).unwrap();
    now.unix()
}

async fn state(world: &World, sandbox: &Sandbox, id: &str) -> Value {
    world
        .as_role(sandbox, "owner", "GET", &format!("/{id}"), None)
        .await
        .body["state"]
        .clone()
}

fn body(sandbox: &Sandbox, kind: &str) -> Value {
    let mut body = body_of(sandbox, kind, false);
    if kind == "webhook_secret" {
        // Nobody listens there; that it was tried is enough.
        body["webhook"]["url"] = json!("http://127.0.0.1:9/");
    }
    body["expires_at"] = json!(sandbox.now.plus(7200).to_string());
    body
}

#[tokio::test]
async fn each_type_is_minted_used_rotated_and_revoked() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for kind in KINDS {
        let old = make(&world, &sandbox, body(&sandbox, kind)).await;
        assert_eq!(
            (&old.record["type"], &old.record["state"]),
            (&json!(kind), &json!("provisioned"))
        );
        assert_eq!(old.secret["kind"], kind);
        assert_eq!(state(&world, &sandbox, &old.id).await, "active", "{kind}");
        assert!(!old.record.to_string().contains(old.value()), "{kind}");
        assert!(works(&world, &sandbox, kind, &old).await, "{kind}");

        let (rotation, new) = rotate(&world, &sandbox, &old.id, json!({})).await;
        assert_ne!(old.record["key_id"], new.record["key_id"]);
        assert_eq!(
            rotation["probe_value"].is_string(),
            kind != "service_account",
            "{kind}"
        );
        if kind == "api_key" {
            assert!(!opens(&world, &sandbox, rotation["probe_value"].as_str().unwrap()).await);
        }
        assert!(works(&world, &sandbox, kind, &old).await, "{kind}");
        assert!(works(&world, &sandbox, kind, &new).await, "{kind}");
        revoke(&world, &sandbox, &old.id).await;
        assert!(!works(&world, &sandbox, kind, &old).await, "{kind}");
        assert!(works(&world, &sandbox, kind, &new).await, "{kind}");
    }
}

#[tokio::test]
async fn each_type_expires() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let mut made = Vec::new();
    for kind in KINDS {
        made.push((kind, make(&world, &sandbox, body(&sandbox, kind)).await));
    }
    world.advance(&sandbox, 7201).await;
    for (kind, made) in &made {
        assert_eq!(state(&world, &sandbox, &made.id).await, "expired", "{kind}");
        assert!(!works(&world, &sandbox, kind, made).await, "{kind}");
    }
}

#[tokio::test]
async fn a_secret_that_nobody_read_ends_whatever_its_type() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for kind in KINDS {
        let made = world
            .as_role(&sandbox, "owner", "POST", "", Some(body(&sandbox, kind)))
            .await;
        world.advance(&sandbox, 901).await;
        assert_eq!(
            state(&world, &sandbox, &made.text("id")).await,
            "expired",
            "{kind}"
        );
        let uri = made.body["delivery"]["uri"].as_str().unwrap();
        let gone = world
            .send("GET", uri, Some(token(&sandbox, "owner")), None)
            .await;
        assert_eq!(gone.problem(), "delivery-gone", "{kind}");
    }
}

#[tokio::test]
async fn an_approved_request_brings_its_parts_along() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let key = SigningKey::from_seed(&[11; 32]).unwrap();
    for (kind, member, part) in [
        (
            "api_key",
            "cnf",
            json!({"jkt": key.public().thumbprint().unwrap()}),
        ),
        (
            "service_account",
            "public_jwk",
            serde_json::to_value(key.public()).unwrap(),
        ),
        (
            "webhook_secret",
            "webhook",
            json!({"url": "http://127.0.0.1:9/"}),
        ),
    ] {
        let mut asked = body_of(&sandbox, kind, false);
        asked[member] = part.clone();
        asked["environment"] = json!(sandbox.probe.approval_environment);
        let refused = world
            .as_role(&sandbox, "owner", "POST", "", Some(asked))
            .await;
        assert_eq!(refused.problem(), "approval-required", "{kind}");
        let id = refused.body["request"]["id"].clone();
        let path = format!("/requests/{}", id.as_str().unwrap());
        let request = world.as_role(&sandbox, "owner", "GET", &path, None).await;
        assert_eq!(request.body["submitted"][member], part, "{kind}");
        let decision = json!({"request_id": id, "decision": "approve"});
        let path = format!("/sandboxes/{}/approvals", sandbox.tenant_id);
        assert_eq!(
            world.control("POST", &path, Some(decision)).await.status,
            201
        );
        let made = world
            .as_role(
                &sandbox,
                "owner",
                "POST",
                "",
                Some(json!({"request_id": id})),
            )
            .await;
        assert_eq!((made.status, &made.body[member]), (201, &part), "{made:?}");
    }
}

#[tokio::test]
async fn a_persona_takes_what_its_profiles_have_and_nothing_else() {
    let world = World::start().await;
    let cases = [
        ("analytics", "cnf", json!({"jkt": "A".repeat(43)})),
        ("hosting", "cnf", json!({"jkt": "A".repeat(43)})),
        (
            "analytics",
            "public_jwk",
            json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)}),
        ),
        ("hosting", "webhook", json!({"url": "https://192.0.2.1/"})),
    ];
    for (persona, member, value) in cases {
        let sandbox = world.sandbox(persona).await;
        let mut body = body_of(&sandbox, "api_key", false);
        body[member] = value;
        let refused = world
            .as_role(&sandbox, "owner", "POST", "", Some(body))
            .await;
        assert_eq!(refused.problem(), "invalid-request", "{persona} {member}");
    }
    for (persona, status) in [("exampleapi", 200), ("hosting", 200), ("analytics", 400)] {
        let sandbox = world.sandbox(persona).await;
        let listed = world
            .as_role(&sandbox, "owner", "GET", "?subject_kind=agent", None)
            .await;
        assert_eq!(listed.status, status, "{persona}");
    }
    for (persona, kind) in [("analytics", "oauth_client"), ("hosting", "webhook_secret")] {
        let sandbox = world.sandbox(persona).await;
        let mut body = body_of(&sandbox, kind, false);
        body.as_object_mut().unwrap().remove("webhook");
        let refused = world
            .as_role(&sandbox, "owner", "POST", "", Some(body))
            .await;
        assert_eq!(refused.problem(), "type-not-supported", "{persona}");
    }
    let manifest = async |persona: &str| {
        let url = format!("{}/.well-known/credential-issuer", world.url_of(persona));
        world.send("GET", &url, None, None).await.body
    };
    assert_eq!(
        manifest("exampleapi").await["usage_observation"],
        "per_consumer"
    );
    assert_eq!(manifest("hosting").await["usage_observation"], "last_used");
    assert!(
        manifest("analytics")
            .await
            .get("usage_observation")
            .is_none()
    );
}
