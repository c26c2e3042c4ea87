//! What time does by itself, by the clock of one tenant.

mod core_support;

use core_support::{Tenant, World, create_body};
use serde_json::json;

#[tokio::test]
async fn an_unread_delivery_ends_its_credential() {
    let world = World::start().await;
    let tenant = Tenant::open(&world).await;
    let made = tenant
        .post("owner", "", create_body(json!({})))
        .await
        .ok(201);
    let (id, uri) = (made.text("/id"), made.text("/delivery/uri"));
    tenant.advance(800).await;
    assert_eq!(tenant.state(&id).await, "provisioned");
    tenant.advance(100).await;
    assert_eq!(tenant.state(&id).await, "expired");
    assert_eq!(tenant.get("owner", &uri).await.problem(), "delivery-gone");
    let revocation = json!({"mode": "immediate", "reason": "other"});
    let after = tenant
        .post("owner", &format!("/{id}/revoke"), revocation)
        .await
        .ok(200);
    assert_eq!(after.text("/state"), "expired");
    assert!(after.json().get("revocation").is_none());
}

#[tokio::test]
async fn a_read_delivery_is_over_in_time_and_its_credential_is_not() {
    let world = World::start().await;
    let tenant = Tenant::open(&world).await;
    let made = tenant
        .post("owner", "", create_body(json!({})))
        .await
        .ok(201);
    let (id, uri) = (made.text("/id"), made.text("/delivery/uri"));
    let key = tenant
        .get("owner", &uri)
        .await
        .ok(200)
        .text("/secret/value");
    tenant.advance(900).await;
    assert_eq!(tenant.get("owner", &uri).await.problem(), "delivery-gone");
    assert_eq!(tenant.state(&id).await, "active");
    assert_eq!(world.read_probe(&key).await, 200);
}

#[tokio::test]
async fn a_credential_ends_at_its_second_everywhere_at_once() {
    let world = World::start().await;
    let tenant = Tenant::open(&world).await;
    let now = tenant
        .post("owner", "", create_body(json!({})))
        .await
        .ok(201)
        .text("/created_at");
    let end = now
        .parse::<clp_schemas::time::Timestamp>()
        .unwrap()
        .plus(5000);
    let (id, key) = tenant.mint(json!({"expires_at": end.to_string()})).await;
    tenant.advance(4990).await;
    assert_eq!(world.read_probe(&key).await, 200);
    tenant.advance(10).await;
    assert_eq!(world.read_probe(&key).await, 401);
    assert_eq!(tenant.state(&id).await, "expired");
    let listed = tenant
        .get("bystander", "?state=active")
        .await
        .ok(200)
        .json();
    assert_eq!(listed["items"], json!([]));
    let rotation = json!({"reason": "scheduled"});
    let refused = tenant
        .post("owner", &format!("/{id}/rotations"), rotation)
        .await;
    assert_eq!(refused.problem(), "credential-not-active");
    assert!(
        tenant
            .events()
            .await
            .contains(&"credential.expired".to_owned())
    );
}

#[tokio::test]
async fn a_successor_that_nobody_fetched_gives_the_predecessor_back() {
    let world = World::start().await;
    let tenant = Tenant::open(&world).await;
    let (id, key) = tenant.mint(json!({})).await;
    let rotation = json!({"reason": "scheduled"});
    let path = format!("/{id}/rotations");
    let opened = tenant.post("owner", &path, rotation.clone()).await.ok(201);
    assert_eq!(tenant.state(&id).await, "retiring");
    tenant.advance(900).await;
    assert_eq!(tenant.state(&opened.text("/successor")).await, "expired");
    assert_eq!(tenant.state(&id).await, "active");
    assert_eq!(world.read_probe(&key).await, 200);
    tenant.post("owner", &path, rotation).await.ok(201);
}

#[tokio::test]
async fn requests_and_approvals_run_out() {
    let world = World::start().await;
    let tenant = Tenant::open(&world).await;
    let ask = async || {
        let body = create_body(json!({"environment": "production"}));
        let asked = tenant.post("owner", "", body).await;
        assert_eq!(asked.problem(), "approval-required");
        asked.text("/request/id")
    };
    let create = async |request: &str| {
        tenant
            .post("owner", "", json!({"request_id": request}))
            .await
    };
    let state = async |request: &str| {
        let path = format!("/requests/{request}");
        tenant.get("approver", &path).await.ok(200).text("/state")
    };

    let undecided = ask().await;
    tenant.advance(604_801).await;
    assert_eq!(state(&undecided).await, "expired");
    assert_eq!(create(&undecided).await.problem(), "request-not-approved");
    assert_eq!(
        tenant.decide(&undecided, "approve").await.problem(),
        "request-not-pending"
    );

    let unused = ask().await;
    tenant.decide(&unused, "approve").await.ok(201);
    tenant.advance(3601).await;
    assert_eq!(state(&unused).await, "expired");
    assert_eq!(create(&unused).await.problem(), "approval-expired");

    let denied = ask().await;
    tenant.decide(&denied, "deny").await.ok(201);
    assert_eq!(create(&denied).await.problem(), "request-not-approved");

    let used = ask().await;
    tenant.decide(&used, "approve").await.ok(201);
    let made = create(&used).await.ok(201);
    assert_eq!(made.text("/created_via/request_id"), used);
    assert_eq!(create(&used).await.ok(201).text("/id"), made.text("/id"));
    let request = tenant
        .get("owner", &format!("/requests/{used}"))
        .await
        .ok(200);
    assert_eq!(request.text("/credential_id"), made.text("/id"));
    let lifetime = request.json()["submitted"]["lifetime_seconds"]
        .as_i64()
        .unwrap();
    let at = |name: &str| {
        made.text(name)
            .parse::<clp_schemas::time::Timestamp>()
            .unwrap()
    };
    assert_eq!(at("/expires_at"), at("/created_at").plus(lifetime));
    tenant.advance(8 * 86_400).await;
    assert_eq!(state(&used).await, "issued");
}

#[tokio::test]
async fn a_record_under_a_key_is_kept_for_a_day_and_then_forgotten() {
    let world = World::start().await;
    let tenant = Tenant::open(&world).await;
    let owner = tenant.token("owner");
    let body = create_body(json!({}));
    let create = async || {
        world
            .post_with_key(&owner, "", &body, "daily")
            .await
            .ok(201)
            .text("/id")
    };
    let first = create().await;
    tenant.advance(86_390).await;
    assert_eq!(create().await, first);
    tenant.advance(10).await;
    assert_ne!(create().await, first);
}
