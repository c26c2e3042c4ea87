//! The life of a credential over HTTP: create, deliver, use, rotate, revoke, and what the log
//! says about it.

mod core_support;

use core_support::{ANA, BEN, CLEO, World, create_body};
use serde_json::json;

#[tokio::test]
async fn a_credential_is_created_delivered_used_rotated_and_revoked() {
    let world = World::start().await;
    let body = create_body(json!({
        "expires_at": "2027-01-01T00:00:00Z",
        "subject": {"kind": "workload", "id": "report"},
        "labels": {"team": "data"},
        "rotation_policy": {"rotate_every_seconds": 86400},
    }));
    let made = world.post(ANA, "", &body).await.ok(201);
    let record = made.json();
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(record[name], *value, "{name}");
    }
    let id = made.text("/id");
    assert_eq!(record["state"], "provisioned");
    assert_eq!(made.header("location"), world.e(&format!("/{id}")));
    assert_eq!(made.header("cache-control"), "no-store");

    // Whoever did not make it neither sees the delivery nor gets it.
    assert!(
        world
            .get(CLEO, &format!("/{id}"))
            .await
            .ok(200)
            .json()
            .get("delivery")
            .is_none()
    );
    let uri = made.text("/delivery/uri");
    assert_eq!(world.get(BEN, &uri).await.problem(), "not-found");

    let delivery = world.get(ANA, &uri).await.ok(200);
    let key = delivery.text("/secret/value");
    let parsed = clp_schemas::key::Key::parse(&key).unwrap();
    assert_eq!(record["key_id"], parsed.key_id);
    assert_eq!(
        world.get(ANA, &uri).await.ok(200).text("/secret/value"),
        key
    );
    let active = world.get(ANA, &format!("/{id}")).await.ok(200).json();
    assert_eq!(active["state"], "active");
    assert_eq!(active["disclosed_to"].as_array().unwrap().len(), 1);

    // The first use closes the delivery.
    assert_eq!(world.read_probe(&key).await, 200);
    assert_eq!(world.get(ANA, &uri).await.problem(), "delivery-gone");
    assert!(
        world
            .get(ANA, &format!("/{id}"))
            .await
            .json()
            .get("delivery")
            .is_none()
    );

    let rotated = world
        .post(
            ANA,
            &format!("/{id}/rotations"),
            &json!({"reason": "scheduled"}),
        )
        .await
        .ok(201);
    let successor = rotated.text("/successor");
    assert_eq!(rotated.text("/predecessor"), id);
    assert_eq!(rotated.text("/credential/state"), "provisioned");
    assert_eq!(rotated.json()["credential"]["labels"], record["labels"]);
    let retiring = world.get(ANA, &format!("/{id}")).await.json();
    assert_eq!(
        (retiring["state"].as_str(), retiring["successor"].as_str()),
        (Some("retiring"), Some(successor.as_str()))
    );
    let again = world
        .post(
            ANA,
            &format!("/{id}/rotations"),
            &json!({"reason": "scheduled"}),
        )
        .await;
    assert_eq!(again.problem(), "rotation-in-progress");
    let early = world
        .post(
            ANA,
            &format!("/{successor}/rotations"),
            &json!({"reason": "scheduled"}),
        )
        .await;
    assert_eq!(early.problem(), "credential-not-active");

    let delivery = world
        .get(ANA, &rotated.text("/credential/delivery/uri"))
        .await
        .ok(200);
    let next_key = delivery.text("/secret/value");
    assert_eq!(
        (
            world.read_probe(&key).await,
            world.read_probe(&next_key).await
        ),
        (200, 200)
    );

    let revocation = json!({"mode": "immediate", "reason": "superseded", "note": "moved"});
    let revoked = world
        .post(ANA, &format!("/{id}/revoke"), &revocation)
        .await
        .ok(200);
    assert_eq!(revoked.text("/state"), "revoked");
    let later = json!({"mode": "immediate", "reason": "compromise"});
    let twice = world
        .post(ANA, &format!("/{id}/revoke"), &later)
        .await
        .ok(200);
    assert_eq!(twice.json()["revocation"], revoked.json()["revocation"]);
    assert_eq!(
        (
            world.read_probe(&key).await,
            world.read_probe(&next_key).await
        ),
        (401, 200)
    );

    let log = world.log(&format!("&credential_id={id}")).await;
    let events: Vec<&str> = log.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(
        events,
        [
            "credential.created",
            "credential.delivered",
            "credential.delivered",
            "credential.used",
            "credential.rotated",
            "credential.used",
            "credential.revoked",
            "rotation.completed",
            "credential.use_refused"
        ]
    );
    assert_eq!(log[6].1["note"], "moved");
    assert_eq!(log[8].1["reason"], "revoked");
    let whole = format!("{log:?}");
    assert!(!whole.contains(&key[30..]), "a secret stands in the log");
    world.running.shutdown().await;
}

#[tokio::test]
async fn a_key_ends_itself_and_does_nothing_else_below_e() {
    let world = World::start().await;
    let (id, key) = world.mint(json!({})).await;
    let (other, _) = world.mint(json!({})).await;
    let revocation = json!({"mode": "immediate", "reason": "compromise"});
    assert_eq!(
        world.get(&key, "").await.ok(200).json(),
        json!({"items": []})
    );
    assert_eq!(
        world.get(&key, &format!("/{id}")).await.problem(),
        "not-found"
    );
    assert_eq!(
        world
            .post(&key, "", &create_body(json!({})))
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        world.get(&key, "/audit/entries").await.problem(),
        "forbidden"
    );
    assert_eq!(
        world
            .post(&key, &format!("/{other}/revoke"), &revocation)
            .await
            .problem(),
        "not-found"
    );

    let ended = world
        .post(&key, &format!("/{id}/revoke"), &revocation)
        .await
        .ok(200);
    assert_eq!(ended.text("/revocation/by"), id);
    assert_eq!(
        world
            .post(&key, &format!("/{id}/revoke"), &revocation)
            .await
            .problem(),
        "unauthenticated"
    );
}

#[tokio::test]
async fn a_successor_that_is_revoked_gives_the_predecessor_back() {
    let world = World::start().await;
    let (id, _) = world.mint(json!({})).await;
    let rotated = world
        .post(
            ANA,
            &format!("/{id}/rotations"),
            &json!({"reason": "handover"}),
        )
        .await
        .ok(201);
    let successor = rotated.text("/successor");
    let revocation = json!({"mode": "immediate", "reason": "other"});
    world
        .post(ANA, &format!("/{successor}/revoke"), &revocation)
        .await
        .ok(200);
    let back = world.get(ANA, &format!("/{id}")).await.json();
    assert_eq!(back["state"], "active");
    world
        .post(
            ANA,
            &format!("/{id}/rotations"),
            &json!({"reason": "handover"}),
        )
        .await
        .ok(201);
}

#[tokio::test]
async fn listings_are_filtered_paged_and_sealed() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let (id, _) = world
            .mint(json!({"owner": format!("team-{}", number % 2)}))
            .await;
        ids.push(id);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut path = "?limit=2".to_owned();
    loop {
        let page = world.get(CLEO, &path).await.ok(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        assert_eq!(
            world
                .get(BEN, &format!("?limit=2&cursor={cursor}"))
                .await
                .problem(),
            "invalid-cursor"
        );
        let other = world
            .get(CLEO, &format!("?owner=team-0&cursor={cursor}"))
            .await;
        assert_eq!(other.problem(), "invalid-cursor");
        path = format!("?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, ids);

    let count = async |query: &str| {
        world.get(CLEO, query).await.ok(200).json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("?owner=team-0").await, 3);
    assert_eq!(
        count("?owner=team-0&state=active&type=api_key&project=atlas&environment=staging").await,
        3
    );
    assert_eq!(count("?state=revoked").await, 0);
    assert_eq!(count("?project=nosuch").await, 0);
    assert_eq!(count("?expires_before=2026-01-01T00:00:00Z").await, 0);
    assert_eq!(count("?expires_before=9999-01-01T00:00:00Z").await, 5);
    let ana = world
        .get(CLEO, &format!("/{}", ids[0]))
        .await
        .text("/created_by");
    assert_eq!(count(&format!("?disclosed_to={ana}")).await, 5);
    assert_eq!(count("?disclosed_to=prin_00000000000000000000").await, 0);
    assert_eq!(world.get(CLEO, "?onwer=a").await.problem(), "invalid-query");
    assert_eq!(
        world.get(CLEO, "?cursor=AAAA").await.problem(),
        "invalid-cursor"
    );
}
