//! Refusals over HTTP: visibility, authority, the order of checks, and idempotency.

mod core_support;

use std::collections::BTreeSet;

use core_support::{ANA, Answer, BEN, CLEO, DOV, World, create_body, unique};
use serde_json::{Value, json};

fn comparable(answer: &Answer) -> (u16, String, Vec<u8>) {
    (
        answer.status,
        answer.header("content-type").to_owned(),
        answer.bytes.clone(),
    )
}

#[tokio::test]
async fn a_foreign_id_is_answered_like_one_that_never_existed() {
    let world = World::start().await;
    let made = world.post(ANA, "", &create_body(json!({}))).await.ok(201);
    let (id, delivery) = (made.text("/id"), made.text("/delivery/id"));
    let asked = world
        .post(ANA, "", &create_body(json!({"environment": "production"})))
        .await
        .ok(403);
    let request = asked.text("/request/id");
    let decision = json!({"decision": "approve"});
    let revocation = json!({"mode": "immediate", "reason": "other"});
    let rotation = json!({"reason": "scheduled"});
    let never = "0".repeat(22);

    for (path, never, body) in [
        (format!("/{id}"), format!("/cred_{never}"), None),
        (
            format!("/deliveries/{delivery}"),
            format!("/deliveries/dlv_{never}"),
            None,
        ),
        (
            format!("/requests/{request}"),
            format!("/requests/req_{never}"),
            None,
        ),
        (
            format!("/{id}/revoke"),
            format!("/cred_{never}/revoke"),
            Some(&revocation),
        ),
        (
            format!("/{id}/rotations"),
            format!("/cred_{never}/rotations"),
            Some(&rotation),
        ),
        (
            format!("/requests/{request}/approval-challenges"),
            format!("/requests/req_{never}/approval-challenges"),
            Some(&decision),
        ),
    ] {
        let ask = async |token: &str, path: &str| match body {
            None => world.get(token, path).await,
            Some(body) => world.post(token, path, body).await,
        };
        let foreign = ask(DOV, &path).await;
        assert_eq!(foreign.problem(), "not-found", "{path}");
        assert_eq!(
            comparable(&foreign),
            comparable(&ask(DOV, &never).await),
            "{path}"
        );
        assert_eq!(
            comparable(&foreign),
            comparable(&ask(ANA, &never).await),
            "{path}"
        );
        let malformed = ask(DOV, &path.replace(['_', '0'], "-")).await;
        assert_eq!(comparable(&foreign), comparable(&malformed), "{path}");
    }
    let from = world.post(DOV, "", &json!({"request_id": request})).await;
    let from_none = world
        .post(DOV, "", &json!({"request_id": format!("req_{never}")}))
        .await;
    assert_eq!(from.problem(), "not-found");
    assert_eq!(comparable(&from), comparable(&from_none));
}

#[tokio::test]
async fn who_sees_and_may_not_is_forbidden() {
    let world = World::start().await;
    let (id, _) = world.mint(json!({})).await;
    let revocation = json!({"mode": "immediate", "reason": "other"});
    assert_eq!(
        world
            .post(CLEO, &format!("/{id}/revoke"), &revocation)
            .await
            .problem(),
        "forbidden"
    );
    let rotation = json!({"reason": "scheduled"});
    assert_eq!(
        world
            .post(CLEO, &format!("/{id}/rotations"), &rotation)
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        world
            .post(CLEO, "", &create_body(json!({})))
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        world.get(CLEO, "/audit/entries").await.problem(),
        "forbidden"
    );
    assert_eq!(
        world.get(CLEO, "/audit/checkpoint").await.problem(),
        "forbidden"
    );
    let elsewhere = create_body(json!({"project": "borealis"}));
    assert_eq!(world.post(ANA, "", &elsewhere).await.problem(), "forbidden");
}

#[tokio::test]
async fn the_first_check_that_fails_speaks() {
    let world = World::start().await;
    let (id, _) = world.mint(json!({})).await;
    let url = world.e(&format!("/{id}/rotations"));
    let post = || world.request("POST", &url);
    let large = vec![b' '; 262_145];

    // Each request is wrong in every later way too.
    let wrong_version = post().header("CLP-Version", "2.0").body(large.clone());
    assert_eq!(
        world.send(wrong_version).await.problem(),
        "version-not-supported"
    );
    assert_eq!(
        world.send(post().body(large)).await.problem(),
        "body-too-large"
    );
    let no_token = world.send(post().body("{")).await;
    assert_eq!(no_token.problem(), "unauthenticated");
    let challenge = format!(
        r#"Bearer resource_metadata="{}/.well-known/oauth-protected-resource/credentials""#,
        world.origin
    );
    assert_eq!(no_token.header("www-authenticate"), challenge);
    let bad_token = world.send(post().bearer_auth("wrong").body("{")).await;
    assert_eq!(
        bad_token.header("www-authenticate"),
        format!(r#"{challenge}, error="invalid_token""#)
    );
    let in_query = world.request("GET", &world.e(&format!("?access_token={ANA}")));
    assert_eq!(world.send(in_query).await.problem(), "unauthenticated");
    assert_eq!(
        world
            .send(post().bearer_auth(DOV).body("{"))
            .await
            .problem(),
        "not-found"
    );
    assert_eq!(
        world
            .send(post().bearer_auth(CLEO).body("{"))
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        world
            .send(post().bearer_auth(ANA).body("{"))
            .await
            .problem(),
        "unsupported-media-type"
    );
    let json = |body: &'static str| {
        post()
            .bearer_auth(ANA)
            .header("content-type", "application/json")
            .body(body)
    };
    assert_eq!(world.send(json("{")).await.problem(), "invalid-json");
    assert_eq!(
        world
            .send(json(r#"{"reason":1,"reason":2}"#))
            .await
            .problem(),
        "duplicate-member"
    );
    assert_eq!(
        world
            .send(json(r#"{"reason":9007199254740993}"#))
            .await
            .problem(),
        "integer-out-of-range"
    );
    let misfit = world.send(json(r#"{"reason":"boredom"}"#)).await;
    assert_eq!(
        (misfit.problem().as_str(), misfit.text("/pointer").as_str()),
        ("invalid-request", "/reason")
    );
    let fine = r#"{"reason":"scheduled","expires_at":"2001-01-01T00:00:00Z"}"#;
    assert_eq!(
        world.send(json(fine)).await.problem(),
        "idempotency-key-missing"
    );
    let keyed = json(fine).header("Idempotency-Key", "a b");
    assert_eq!(world.send(keyed).await.problem(), "idempotency-key-invalid");
    let keyed = json(fine)
        .header("Idempotency-Key", "a")
        .header("Idempotency-Key", "a");
    assert_eq!(world.send(keyed).await.problem(), "idempotency-key-invalid");
    let keyed = json(fine).header("Idempotency-Key", unique());
    assert_eq!(world.send(keyed).await.problem(), "expiry-out-of-range");

    let delete = world
        .send(
            world
                .request("DELETE", &world.e(&format!("/{id}")))
                .bearer_auth(ANA),
        )
        .await;
    assert_eq!(
        (delete.problem().as_str(), delete.header("allow")),
        ("method-not-allowed", "GET, HEAD, PATCH")
    );
    assert_eq!(
        world.get(ANA, "/nothing/here/at/all").await.problem(),
        "not-found"
    );
}

#[tokio::test]
async fn what_cannot_be_minted_is_refused_by_name_and_place() {
    let world = World::start().await;
    let statement = |changes: Value| {
        let mut statement =
            json!({"resource_type": "record", "selector": "atlas/*", "actions": ["read"]});
        statement
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        json!({"permissions": [statement]})
    };
    for (changes, problem, pointer) in [
        (
            json!({"environment": "mars"}),
            "unknown-environment",
            "/environment",
        ),
        (
            statement(json!({"actions": ["fly"]})),
            "unknown-permission",
            "/permissions/0/actions/0",
        ),
        (
            statement(json!({"resource_type": "clp.credential"})),
            "unknown-permission",
            "/permissions/0/resource_type",
        ),
        (
            json!({"expires_at": "2001-01-01T00:00:00Z"}),
            "expiry-out-of-range",
            "/expires_at",
        ),
        (
            json!({"expires_at": "2999-01-01T00:00:00Z"}),
            "expiry-out-of-range",
            "/expires_at",
        ),
        (json!({"purpose": ""}), "invalid-request", "/purpose"),
        (json!({"my_secret": "x"}), "invalid-request", ""),
        (
            json!({"request_id": "req_00000000000000000000"}),
            "invalid-request",
            "",
        ),
        (
            json!({"labels": {"my_secret": 5}}),
            "invalid-request",
            "/labels",
        ),
    ] {
        let refused = world.post(ANA, "", &create_body(changes.clone())).await;
        assert_eq!(
            (
                refused.problem().as_str(),
                refused.text("/pointer").as_str()
            ),
            (problem, pointer),
            "{changes}"
        );
        assert!(!String::from_utf8_lossy(&refused.bytes).contains("my_secret"));
    }
    assert_eq!(world.get(ANA, "").await.json(), json!({"items": []}));
}

#[tokio::test]
async fn fifty_creates_with_one_key_mint_one_credential() {
    let world = World::start().await;
    let body = create_body(json!({}));
    let answers =
        futures::future::join_all((0..50).map(|_| world.post_with_key(ANA, "", &body, "the-key")))
            .await;
    let bodies: BTreeSet<_> = answers
        .iter()
        .map(|answer| (answer.status, answer.bytes.clone()))
        .collect();
    assert_eq!(bodies.len(), 1);
    let first = &answers[0];
    assert_eq!(
        (first.status, first.header("location")),
        (201, world.e(&format!("/{}", first.text("/id"))).as_str())
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.header("location") == first.header("location"))
    );
    assert_eq!(
        world.get(ANA, "").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(world.log("&event=credential.created").await.len(), 1);

    // The same key in quotes, and the same body in another order, are the same call.
    let mut text = serde_json::to_string(&body).unwrap();
    text = format!(
        "{{\"owner\":\"team-data\",{}",
        &text[1..].replace("\"owner\":\"team-data\",", "")
    );
    let request = world
        .request("POST", &world.e(""))
        .bearer_auth(ANA)
        .header("Idempotency-Key", "\"the-key\"")
        .header("content-type", "application/json")
        .body(text);
    assert_eq!(world.send(request).await.bytes, first.bytes);

    let other = create_body(json!({"purpose": "another"}));
    assert_eq!(
        world
            .post_with_key(ANA, "", &other, "the-key")
            .await
            .problem(),
        "idempotency-key-reused"
    );
    // Refusals are not recorded.
    let wrong = create_body(json!({"environment": "mars"}));
    assert_eq!(
        world
            .post_with_key(ANA, "", &wrong, "second")
            .await
            .problem(),
        "unknown-environment"
    );
    world.post_with_key(ANA, "", &other, "second").await.ok(201);
    // Another principal's key is another key.
    world.post_with_key(DOV, "", &body, "the-key").await.ok(201);
}

#[tokio::test]
async fn a_create_that_needs_an_approval_opens_one_request() {
    let world = World::start().await;
    let body = create_body(json!({"environment": "production"}));
    let asked = world.post_with_key(ANA, "", &body, "k").await.ok(403);
    assert_eq!(asked.problem(), "approval-required");
    assert_eq!(
        world.post_with_key(ANA, "", &body, "k").await.bytes,
        asked.bytes
    );
    let request = world.get(BEN, &asked.text("/request/uri")).await.ok(200);
    assert_eq!(request.text("/state"), "pending_approval");
    assert_eq!(request.text("/submitted/subject/kind"), "project");
    let document: clp_schemas::approval::ApprovalDocument =
        serde_json::from_value(request.json()["approval_document"].clone()).unwrap();
    assert_eq!(
        clp_schemas::approval::digest(&document).unwrap(),
        request.text("/digest")
    );
    assert_eq!(world.get(ANA, "").await.json(), json!({"items": []}));
    assert_eq!(world.log("&event=request.opened").await.len(), 1);
    let early = world
        .post(ANA, "", &json!({"request_id": request.text("/id")}))
        .await;
    assert_eq!(early.problem(), "request-not-approved");
    let other = world
        .post(BEN, "", &json!({"request_id": request.text("/id")}))
        .await;
    assert_eq!(other.problem(), "forbidden");
}
