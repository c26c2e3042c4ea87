//! The approval page as anybody reaches it who has not signed in, without a browser. What a
//! person does there is tried in one: `page_browser.rs`.

mod core_support;

use core_support::{ANA, World};
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use serde_json::{Value, json};

async fn pending(world: &World) -> Value {
    let body = json!({
        "type": "api_key",
        "permissions": [{"resource_type": "record", "selector": "atlas/*", "actions": ["read"]}],
        "purpose": "a purpose like no other",
        "owner": "team-data",
        "project": "atlas",
        "environment": "production",
        "subject": {"kind": "workload", "id": "report"},
        "lifetime_seconds": 3600,
    });
    let opened = world.post(ANA, "/requests", &body).await;
    assert!(opened.status == 201 || opened.status == 202, "{opened:?}");
    opened.json()
}

#[tokio::test]
async fn nobody_learns_which_requests_there_are() {
    let world = World::start().await;
    let request = pending(&world).await;
    let uri = request["approval_uri"].as_str().unwrap();
    let there = world.send(world.request("GET", uri)).await.ok(200);
    let text = String::from_utf8(there.bytes.clone()).unwrap();
    assert!(
        !text.contains("no other") && !text.contains("atlas"),
        "{text}"
    );
    for path in ["req_0000000000000000000000", "nonsense", "", "a/b/c"] {
        let url = format!("{}/approve/{path}", world.origin);
        let other = world.send(world.request("GET", &url)).await.ok(200);
        assert_eq!(other.bytes, there.bytes, "{path}");
    }
    // A token is for the protocol, and a cookie that nobody was given is none.
    let with = |name, value: &str| world.request("GET", uri).header(name, value.to_owned());
    let port = world.origin.rsplit(':').next().unwrap();
    for asked in [
        with("authorization", &format!("Bearer {ANA}")),
        with("cookie", &format!("clp-approval-{port}=abc")),
    ] {
        assert_eq!(world.send(asked).await.ok(200).bytes, there.bytes);
    }
}

#[tokio::test]
async fn everything_below_is_kept_to_this_origin_and_nowhere() {
    let world = World::start().await;
    for path in [
        "req_x",
        "enrol",
        "callback",
        "session",
        "page.css",
        "canonical.js",
        "passkey.js",
        "sign-in.js",
        "enrol.js",
        "callback.js",
        "decide.js",
        "icon.svg",
    ] {
        let url = format!("{}/approve/{path}", world.origin);
        let answer = world.send(world.request("GET", &url)).await.ok(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{path}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let text = String::from_utf8(answer.bytes.clone()).unwrap();
        // But for the name of a format, there is no address of another origin in it.
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !text.contains("http:") && !text.contains("https:"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn only_the_page_itself_sends_something() {
    let world = World::start().await;
    let post = |path: &str| {
        let url = format!("{}/approve/{path}", world.origin);
        world
            .request("POST", &url)
            .header(CONTENT_TYPE, "application/json")
            .body("{}")
    };
    let ours = world.origin.clone();
    let opened = world
        .send(post("sign-in/challenge").header(ORIGIN, &ours))
        .await
        .ok(201);
    assert_eq!(opened.text("/issuer"), ours);
    for refused in [
        post("sign-in/challenge"),
        post("sign-in/challenge").header(ORIGIN, "null"),
        post("sign-in/challenge").header(ORIGIN, "http://localhost:1"),
        post("sign-in/challenge").header(ORIGIN, format!("{ours}/")),
        post("sign-in/challenge")
            .header(ORIGIN, &ours)
            .header("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(world.send(refused).await.problem(), "forbidden");
    }
    // Whoever is nobody decides nothing, and hears nothing about the request.
    let request = pending(&world).await;
    let id = request["id"].as_str().unwrap();
    for path in [
        format!("{id}/challenge"),
        format!("{id}/decision"),
        "req_0000000000000000000000/challenge".to_owned(),
        "leave".to_owned(),
        "callback".to_owned(),
    ] {
        let sent = post(&path)
            .header(ORIGIN, &ours)
            .header(COOKIE, "clp-approval=abc");
        assert_eq!(
            world.send(sent).await.problem(),
            "unauthenticated",
            "{path}"
        );
    }
    let put = world.request("PUT", &format!("{ours}/approve/{id}"));
    assert_eq!(world.send(put).await.problem(), "method-not-allowed");
}

#[tokio::test]
async fn a_challenge_to_sign_in_is_good_once_and_for_a_signature() {
    let world = World::start().await;
    let post = |path: &str, body: &Value| {
        let url = format!("{}/approve/{path}", world.origin);
        world
            .request("POST", &url)
            .header(ORIGIN, &world.origin)
            .json(body)
    };
    let open = async || {
        let opened = world
            .send(post("sign-in/challenge", &json!({})))
            .await
            .ok(201);
        opened.text("/nonce")
    };
    let evidence = json!({
        "id": "AAAA", "rawId": "AAAA", "type": "public-key",
        "response": {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA"},
    });
    let (first, second) = (open().await, open().await);
    assert_ne!(first, second);
    for nonce in [first.as_str(), first.as_str(), "made-up"] {
        let sent = post("sign-in", &json!({"nonce": nonce, "evidence": evidence}));
        assert_eq!(world.send(sent).await.problem(), "unauthenticated");
    }
    let more = json!({"nonce": second, "evidence": evidence, "principal": "prin_x"});
    assert_eq!(
        world.send(post("sign-in", &more)).await.problem(),
        "invalid-request"
    );
    // And no passkey is made for a token that nobody has.
    let token = json!({"token": "nobody has this"});
    let refused = world.send(post("enrol/challenge", &token)).await;
    assert_eq!(refused.problem(), "unauthenticated");
}
