//! OAuth clients: access tokens by a secret, what they open, and what is said of them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_schemas::canonical::to_base64;
use edge_support::{Answer, World, token};
use serde_json::{Value, json};
use types_support::{
    Made, access_token, assert_error, body_of, by_post, call, encoded, make, raw_form, revoke,
    suspend, token_form,
};

use clp_schemas::ops::control::Sandbox;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn client(world: &World, sandbox: &Sandbox, writes: bool) -> Made {
    make(world, sandbox, body_of(sandbox, "oauth_client", writes)).await
}

fn basic(id: &str, secret: &str) -> (&'static str, String) {
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    (
        "authorization",
        format!("Basic {}", to_base64(pair.as_bytes())),
    )
}

async fn introspect(sandbox: &Sandbox, role: &str, token_of: &str) -> Answer {
    let url = format!("{}/oauth/introspect", sandbox.credential_issuer_endpoint);
    let bearer = ("authorization", format!("Bearer {}", token(sandbox, role)));
    raw_form(&url, &[bearer], &encoded(&[("token", token_of)])).await
}

#[tokio::test]
async fn a_secret_gets_a_token_in_two_ways_and_the_token_opens_what_it_says() {
    let world = World::start().await;
    for persona in ["exampleapi", "hosting"] {
        let sandbox = world.sandbox(persona).await;
        let client = client(&world, &sandbox, false).await;
        assert_eq!(client.record["state"], "provisioned");
        assert_eq!(client.secret["client_id"], client.id.as_str());
        let endpoint = format!("{}/oauth/token", sandbox.credential_issuer_endpoint);
        assert_eq!(client.secret["token_endpoint"], endpoint.as_str());

        let posted = access_token(&by_post(&sandbox, &client).await);
        let answer = token_form(&sandbox, &[basic(&client.id, client.value())], &[GRANT]).await;
        let given = access_token(&answer);
        assert_eq!(
            (answer.header("pragma"), answer.header("cache-control")),
            ("no-cache", "no-store")
        );
        assert_eq!(answer.body["expires_in"], 600);
        assert_ne!(posted, given);
        for token in [&posted, &given] {
            assert_eq!(
                world
                    .probe(&sandbox, &sandbox.probe.read, Some(token))
                    .await
                    .status,
                200,
                "{persona}"
            );
            let refused = world
                .probe(&sandbox, &sandbox.probe.write, Some(token))
                .await;
            assert_eq!(
                refused.header("www-authenticate"),
                r#"Bearer error="insufficient_scope""#
            );
        }
        // The secret itself is no key, and the first token ended the delivery.
        let refused = world
            .probe(&sandbox, &sandbox.probe.read, Some(client.value()))
            .await;
        assert_eq!(
            refused.header("www-authenticate"),
            r#"Bearer error="invalid_token""#
        );
        let uri = client.record["delivery"]["uri"].as_str().unwrap();
        let gone = world
            .send("GET", uri, Some(token(&sandbox, "owner")), None)
            .await;
        assert_eq!(gone.problem(), "delivery-gone");
    }
}

#[tokio::test]
async fn a_scope_is_a_part_of_what_the_credential_has() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let writer = client(&world, &sandbox, true).await;
    let all = by_post(&sandbox, &writer).await;
    assert_eq!(all.body["scope"], "record:read record:write");
    let ask = async |scope: &str| {
        let fields = [GRANT, ("scope", scope)];
        token_form(&sandbox, &[basic(&writer.id, writer.value())], &fields).await
    };
    let reader = ask("record:read").await;
    assert_eq!(reader.body["scope"], "record:read");
    let token = access_token(&reader);
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.read, Some(&token))
            .await
            .status,
        200
    );
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.write, Some(&token))
            .await
            .status,
        403
    );
    let token = access_token(&ask("record:write").await);
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.write, Some(&token))
            .await
            .status,
        200
    );
    for refused in ["record:delete", "record:read record:delete", "nothing"] {
        assert_error(&ask(refused).await, 400, "invalid_scope");
    }
}

#[tokio::test]
async fn whoever_is_not_the_client_gets_nothing() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let (client, other) = (
        client(&world, &sandbox, false).await,
        client(&world, &sandbox, false).await,
    );
    let key = make(&world, &sandbox, body_of(&sandbox, "api_key", false)).await;
    access_token(&by_post(&sandbox, &client).await);
    let unknown = "cred_00000000000000000000";
    for (id, secret) in [
        (client.id.as_str(), other.value()),
        (client.id.as_str(), "x"),
        (unknown, client.value()),
        ("x", client.value()),
        (key.id.as_str(), key.value()),
    ] {
        let fields = [GRANT, ("client_id", id), ("client_secret", secret)];
        let posted = token_form(&sandbox, &[], &fields).await;
        assert_error(&posted, 401, "invalid_client");
        assert!(!posted.headers.contains_key("www-authenticate"));
        let refused = token_form(&sandbox, &[basic(id, secret)], &[GRANT]).await;
        assert_error(&refused, 401, "invalid_client");
        assert!(refused.header("www-authenticate").starts_with("Basic"));
    }
    assert_error(
        &token_form(&sandbox, &[], &[GRANT]).await,
        401,
        "invalid_client",
    );
    let broken = ("authorization", "Basic !".to_owned());
    assert_error(
        &token_form(&sandbox, &[broken], &[GRANT]).await,
        401,
        "invalid_client",
    );
}

#[tokio::test]
async fn a_form_is_whole_and_says_everything_once() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let client = client(&world, &sandbox, false).await;
    let (id, secret) = (
        ("client_id", client.id.as_str()),
        ("client_secret", client.value()),
    );
    let also = [GRANT, id, secret, ("resource", "ignored"), ("scope", "")];
    access_token(&token_form(&sandbox, &[], &also).await);

    let jwt = (
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    );
    let faults: [&[(&str, &str)]; 8] = [
        &[id, secret],
        &[("grant_type", ""), id, secret],
        &[GRANT, GRANT, id, secret],
        &[GRANT, id, id, secret],
        &[GRANT, secret],
        &[GRANT, id, secret, jwt, ("client_assertion", "a.b.c")],
        &[GRANT, id, ("client_assertion", "a.b.c")],
        &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")],
    ];
    for fields in faults {
        assert_error(
            &token_form(&sandbox, &[], fields).await,
            400,
            "invalid_request",
        );
    }
    let both = token_form(
        &sandbox,
        &[basic(&client.id, client.value())],
        &[GRANT, id, secret],
    )
    .await;
    assert_error(&both, 400, "invalid_request");
    let url = format!("{}/oauth/token", sandbox.credential_issuer_endpoint);
    let broken = raw_form(&url, &[], "grant_type=client_credentials&client_id=%ff").await;
    assert_error(&broken, 400, "invalid_request");
    let json = world
        .send(
            "POST",
            &url,
            None,
            Some(json!({"grant_type": "client_credentials"})),
        )
        .await;
    assert_error(&json, 400, "invalid_request");
    for grant in ["password", "authorization_code", "refresh_token"] {
        let refused = token_form(&sandbox, &[], &[("grant_type", grant), id, secret]).await;
        assert_error(&refused, 400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn a_token_ends_by_time_and_with_its_credential() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let read = &sandbox.probe.read;
    let client = client(&world, &sandbox, false).await;
    let token = access_token(&by_post(&sandbox, &client).await);
    let opens = async |token: &str| world.probe(&sandbox, read, Some(token)).await.status;
    assert_eq!(opens(&token).await, 200);
    // The clock goes on while the test does, so it is not taken to the last second.
    assert_eq!(world.advance(&sandbox, 570).await.status, 200);
    assert_eq!(opens(&token).await, 200);
    world.advance(&sandbox, 31).await;
    assert_eq!(opens(&token).await, 401);

    let token = access_token(&by_post(&sandbox, &client).await);
    suspend(&world, &sandbox, &client.id).await;
    let refused = world.probe(&sandbox, read, Some(&token)).await;
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer error="invalid_token""#
    );
    assert_error(&by_post(&sandbox, &client).await, 401, "invalid_client");
    revoke(&world, &sandbox, &client.id).await;
    assert_eq!(opens(&token).await, 401);
    assert_error(&by_post(&sandbox, &client).await, 401, "invalid_client");
}

#[tokio::test]
async fn a_token_ends_no_later_than_its_credential() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let mut body = body_of(&sandbox, "oauth_client", false);
    body["expires_at"] = json!(sandbox.now.plus(120).to_string());
    let client = make(&world, &sandbox, body).await;
    let answer = by_post(&sandbox, &client).await;
    let token = access_token(&answer);
    assert!(answer.body["expires_in"].as_i64().unwrap() <= 120);
    world.advance(&sandbox, 121).await;
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.read, Some(&token))
            .await
            .status,
        401
    );
    assert_error(&by_post(&sandbox, &client).await, 401, "invalid_client");
}

#[tokio::test]
async fn what_opens_nothing_is_not_spoken_of() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let client = client(&world, &sandbox, false).await;
    let key = make(&world, &sandbox, body_of(&sandbox, "api_key", false)).await;
    let access = access_token(&by_post(&sandbox, &client).await);

    let known = introspect(&sandbox, "bystander", &access).await;
    assert_eq!(
        (known.status, &known.body["active"]),
        (200, &json!(true)),
        "{known:?}"
    );
    assert_eq!(
        (&known.body["client_id"], &known.body["token_type"]),
        (&json!(client.id), &json!("Bearer"))
    );
    assert_eq!(known.body["scope"], "record:read");
    assert_eq!(
        known.body["exp"].as_i64().unwrap() - known.body["iat"].as_i64().unwrap(),
        600
    );
    let of_key = introspect(&sandbox, "owner", key.value()).await;
    assert_eq!(of_key.body["client_id"], key.id.as_str());

    let nothing = json!({"active": false});
    for (role, text) in [
        ("outsider", access.as_str()),
        ("owner", client.value()),
        ("owner", "never-issued"),
        ("owner", token(&sandbox, "owner")),
        ("outsider", key.value()),
    ] {
        let answer = introspect(&sandbox, role, text).await;
        assert_eq!((answer.status, &answer.body), (200, &nothing), "{role}");
    }
    suspend(&world, &sandbox, &client.id).await;
    assert_eq!(introspect(&sandbox, "owner", &access).await.body, nothing);

    let url = format!("{}/oauth/introspect", sandbox.credential_issuer_endpoint);
    let nobody = raw_form(&url, &[], &encoded(&[("token", &access)])).await;
    assert_eq!(nobody.problem(), "unauthenticated");
    assert!(
        nobody
            .header("www-authenticate")
            .contains("resource_metadata=")
    );
    let by_key = ("authorization", format!("Bearer {}", key.value()));
    let refused = raw_form(&url, &[by_key], &encoded(&[("token", &access)])).await;
    assert_eq!(refused.problem(), "unauthenticated");
    let bearer = (
        "authorization",
        format!("Bearer {}", token(&sandbox, "owner")),
    );
    assert_error(&raw_form(&url, &[bearer], "").await, 400, "invalid_request");
}

#[tokio::test]
async fn the_metadata_leads_to_the_token_endpoint() {
    let world = World::start().await;
    for persona in ["exampleapi", "hosting"] {
        let issuer = world.url_of(persona).to_owned();
        let url = format!("{issuer}/.well-known/oauth-authorization-server");
        let found = world.send("GET", &url, None, None).await;
        assert_eq!((found.status, found.text("issuer")), (200, issuer.clone()));
        assert_eq!(
            found.text("token_endpoint"),
            format!("{issuer}/credentials/oauth/token")
        );
        assert_eq!(found.body["response_types_supported"], json!([]));
    }
    let issuer = world.url_of("analytics").to_owned();
    for path in [
        "/.well-known/oauth-authorization-server",
        "/credentials/oauth/token",
    ] {
        let gone = world
            .send("GET", &format!("{issuer}{path}"), None, None)
            .await;
        assert!(matches!(gone.status, 404 | 405), "{path} {gone:?}");
    }
}

#[tokio::test]
async fn the_log_has_tokens_and_never_their_text() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let client = client(&world, &sandbox, false).await;
    let access = access_token(&by_post(&sandbox, &client).await);
    let headers = [("authorization", format!("Bearer {access}"))];
    assert_eq!(
        call(&sandbox, &sandbox.probe.read, &headers).await.status,
        200
    );
    let path = format!("/audit/entries?credential_id={}", client.id);
    let page = world.as_role(&sandbox, "owner", "GET", &path, None).await;
    let text = page.body.to_string();
    assert!(!text.contains(&access) && !text.contains(client.value()));
    let disclosed: Vec<&Value> = page.body["entries"].as_array().unwrap().iter().collect();
    assert!(disclosed.iter().any(|entry| {
        let leaf = entry["leaf"].as_str().unwrap();
        let bytes = clp_schemas::canonical::from_base64(leaf).unwrap();
        String::from_utf8(bytes).unwrap().contains("token.issued")
    }));
}
