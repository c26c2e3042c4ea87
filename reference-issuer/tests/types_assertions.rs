//! Service accounts: assertions (RFC 7523) and keys of one's own.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_schemas::assertion::assert;
use clp_schemas::jose::SigningKey;
use clp_schemas::ops::control::Sandbox;
use edge_support::{World, unique};
use serde_json::{Map, Value, json};
use types_support::{
    Made, access_token, assert_error, assertion, body_of, by_grant, make, revoke, rotate, suspend,
    token_form,
};

/// RFC 7517 appendix A.2.
const P256: &str = r#"{"kty":"EC","crv":"P-256",
    "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

async fn account(world: &World, sandbox: &Sandbox) -> (Made, SigningKey) {
    let made = make(world, sandbox, body_of(sandbox, "service_account", false)).await;
    let key = SigningKey::from_private_jwk(made.value()).unwrap();
    (made, key)
}

fn with_key(sandbox: &Sandbox, key: &SigningKey) -> Value {
    let mut body = body_of(sandbox, "service_account", false);
    body["public_jwk"] = serde_json::to_value(key.public()).unwrap();
    body
}

#[tokio::test]
async fn an_assertion_gets_a_token_as_a_grant_and_as_authentication() {
    let world = World::start().await;
    let sandbox = world.sandbox("hosting").await;
    let (made, key) = account(&world, &sandbox).await;
    assert_eq!(
        made.record["public_jwk"],
        serde_json::to_value(key.public()).unwrap()
    );
    assert_eq!(made.record["key_id"], key.public().thumbprint().unwrap());
    assert_eq!(made.secret["client_id"], made.id.as_str());

    let granted =
        access_token(&by_grant(&sandbox, &assertion(&sandbox, &key, &made.id, &json!({}))).await);
    let shown = assertion(
        &sandbox,
        &key,
        &made.id,
        &json!({"aud": [sandbox.issuer_identifier, "https://other.example"]}),
    );
    let fields = [
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", shown.as_str()),
        ("client_id", made.id.as_str()),
    ];
    let answer = token_form(&sandbox, &[], &fields).await;
    let authenticated = access_token(&answer);
    for token in [granted, authenticated] {
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
    }
    // What it authenticated with once, it does not again.
    assert_error(
        &token_form(&sandbox, &[], &fields).await,
        401,
        "invalid_client",
    );
}

#[tokio::test]
async fn each_part_of_an_assertion_has_to_hold() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let (made, key) = account(&world, &sandbox).await;
    let now = sandbox.now.unix();
    let grant = async |changes: Value| {
        by_grant(&sandbox, &assertion(&sandbox, &key, &made.id, &changes)).await
    };
    access_token(&grant(json!({})).await);
    access_token(&grant(json!({"aud": sandbox.issuer_identifier, "iat": null})).await);
    for changes in [
        json!({"iss": "cred_00000000000000000000"}),
        json!({"iss": null}),
        json!({"sub": "cred_00000000000000000000"}),
        json!({"sub": null}),
        json!({"aud": "https://other.example"}),
        json!({"aud": ["https://other.example"]}),
        json!({"aud": null}),
        json!({"exp": now - 1}),
        json!({"exp": now + 400}),
        json!({"exp": null}),
        json!({"nbf": now + 200}),
        json!({"iat": now + 200}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"jti": "x".repeat(257)}),
    ] {
        let refused = grant(changes.clone()).await;
        assert_error(&refused, 400, "invalid_grant");
        assert!(!refused.body.to_string().contains("cred_"), "{changes}");
    }
    let stranger = SigningKey::from_seed(&[9; 32]).unwrap();
    let forged = assertion(&sandbox, &stranger, &made.id, &json!({}));
    assert_error(&by_grant(&sandbox, &forged).await, 400, "invalid_grant");
    let whole = assertion(&sandbox, &key, &made.id, &json!({}));
    let (rest, _) = whole.rsplit_once('.').unwrap();
    for broken in [
        format!("{rest}."),
        rest.to_owned(),
        "x".to_owned(),
        none_signed(&whole),
    ] {
        assert_error(&by_grant(&sandbox, &broken).await, 400, "invalid_grant");
    }
    // None of the refusals used it up; one token does.
    access_token(&by_grant(&sandbox, &whole).await);
    assert_error(&by_grant(&sandbox, &whole).await, 400, "invalid_grant");
}

/// The same claims under `alg` `none`.
fn none_signed(whole: &str) -> String {
    let claims = whole.split('.').nth(1).unwrap();
    let header = clp_schemas::canonical::to_base64url(br#"{"alg":"none"}"#);
    format!("{header}.{claims}.")
}

#[tokio::test]
async fn an_account_that_does_not_stand_gets_nothing() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let fresh = async |id: &str, key: &SigningKey| {
        by_grant(&sandbox, &assertion(&sandbox, key, id, &json!({}))).await
    };
    let (one, key) = account(&world, &sandbox).await;
    let token = access_token(&fresh(&one.id, &key).await);
    suspend(&world, &sandbox, &one.id).await;
    assert_error(&fresh(&one.id, &key).await, 400, "invalid_grant");
    assert_eq!(
        world
            .probe(&sandbox, &sandbox.probe.read, Some(&token))
            .await
            .status,
        401
    );
    let (two, key) = account(&world, &sandbox).await;
    access_token(&fresh(&two.id, &key).await);
    revoke(&world, &sandbox, &two.id).await;
    assert_error(&fresh(&two.id, &key).await, 400, "invalid_grant");
}

#[tokio::test]
async fn each_type_of_client_has_its_own_ways() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let (account, key) = account(&world, &sandbox).await;
    let client = make(&world, &sandbox, body_of(&sandbox, "oauth_client", false)).await;
    let secret = [
        ("grant_type", "client_credentials"),
        ("client_id", account.id.as_str()),
        ("client_secret", client.value()),
    ];
    assert_error(
        &token_form(&sandbox, &[], &secret).await,
        400,
        "unauthorized_client",
    );
    let foreign = assertion(&sandbox, &key, &client.id, &json!({}));
    assert_error(
        &by_grant(&sandbox, &foreign).await,
        400,
        "unauthorized_client",
    );
    // The private key is no bearer token either.
    let refused = world
        .probe(
            &sandbox,
            &sandbox.probe.read,
            Some(account.value().get(..40).unwrap()),
        )
        .await;
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn a_key_of_ones_own_is_active_at_once_and_is_brought_again() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for (name, key) in [
        ("Ed25519", SigningKey::from_seed(&[3; 32]).unwrap()),
        ("P-256", SigningKey::from_private_jwk(P256).unwrap()),
    ] {
        let made = make(&world, &sandbox, with_key(&sandbox, &key)).await;
        assert_eq!(made.record["state"], "active", "{name}");
        assert!(made.record.get("delivery").is_none() && made.secret.is_null());
        assert_eq!(made.record["public_jwk"]["crv"], name);
        let compact = assert(
            &key,
            &unique(),
            &made.id,
            &sandbox.issuer_identifier,
            sandbox.now,
        )
        .unwrap();
        let token = access_token(&by_grant(&sandbox, &compact).await);
        assert_eq!(
            world
                .probe(&sandbox, &sandbox.probe.read, Some(&token))
                .await
                .status,
            200
        );

        // The same key again, no key, and then another one.
        let path = format!("/{}/rotations", made.id);
        let open = async |body: Value| {
            world
                .as_role(&sandbox, "owner", "POST", &path, Some(body))
                .await
        };
        let same = open(json!({"reason": "scheduled", "public_jwk": key.public()})).await;
        assert_eq!(same.problem(), "key-not-usable");
        assert_eq!(
            open(json!({"reason": "scheduled"})).await.problem(),
            "key-not-usable"
        );
        let next = SigningKey::from_seed(&[if name == "P-256" { 4 } else { 5 }; 32]).unwrap();
        let (rotation, successor) = rotate(
            &world,
            &sandbox,
            &made.id,
            json!({"public_jwk": next.public()}),
        )
        .await;
        assert_eq!(successor.record["state"], "active", "{rotation}");
        assert!(rotation.get("probe_value").is_none());
        for (id, key) in [(&made.id, &key), (&successor.id, &next)] {
            let compact =
                assert(key, &unique(), id, &sandbox.issuer_identifier, sandbox.now).unwrap();
            access_token(&by_grant(&sandbox, &compact).await);
        }
    }
}

#[tokio::test]
async fn a_key_that_is_none_or_not_here_is_refused() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let create = async |body: Value| {
        world
            .as_role(&sandbox, "owner", "POST", "", Some(body))
            .await
    };
    let mut off_curve = with_key(&sandbox, &key);
    off_curve["public_jwk"] = json!({"kty": "EC", "crv": "P-256", "x": "A".repeat(43)});
    assert_eq!(create(off_curve).await.problem(), "key-not-usable");
    assert_eq!(create(with_key(&sandbox, &key)).await.status, 201);
    assert_eq!(
        create(with_key(&sandbox, &key)).await.problem(),
        "key-not-usable"
    );
    let mut private = with_key(&sandbox, &key);
    private["public_jwk"]["d"] = json!("A".repeat(43));
    assert_eq!(create(private).await.problem(), "invalid-request");
    let mut other = with_key(&sandbox, &SigningKey::from_seed(&[8; 32]).unwrap());
    other["type"] = json!("api_key");
    assert_eq!(create(other).await.problem(), "type-mismatch");

    let (generated, _) = account(&world, &sandbox).await;
    let superfluous = json!({"reason": "scheduled", "public_jwk": SigningKey::from_seed(&[6; 32]).unwrap().public()});
    let path = format!("/{}/rotations", generated.id);
    let refused = world
        .as_role(&sandbox, "owner", "POST", &path, Some(superfluous))
        .await;
    assert_eq!(refused.problem(), "key-not-usable");
    // Another tenant may know the same key.
    let elsewhere = world.sandbox("exampleapi").await;
    let made = world
        .as_role(
            &elsewhere,
            "owner",
            "POST",
            "",
            Some(with_key(&elsewhere, &key)),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let header = key.sign(Map::new(), &Map::new()).unwrap();
    assert!(header.contains('.'));
}
