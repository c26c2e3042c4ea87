//! Bound keys: a key that opens nothing without a proof (RFC 9449).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_schemas::dpop::{prove, token_hash};
use clp_schemas::jose::SigningKey;
use clp_schemas::ops::control::{ProbeCall, Sandbox};
use clp_schemas::time::Timestamp;
use edge_support::{Answer, World, token, unique};
use serde_json::{Map, Value, json};
use types_support::{Made, body_of, call, encoded, make, raw_form, rotate, suspend};

const NO_PROOF: &str = r#"DPoP error="invalid_token", algs="EdDSA ES256""#;
const BAD_PROOF: &str = r#"DPoP error="invalid_dpop_proof", algs="EdDSA ES256""#;

fn pair() -> SigningKey {
    SigningKey::from_seed(&[1; 32]).unwrap()
}

fn bound_body(sandbox: &Sandbox, key: &SigningKey) -> Value {
    let mut body = body_of(sandbox, "api_key", false);
    body["cnf"] = json!({"jkt": key.public().thumbprint().unwrap()});
    body
}

fn url(sandbox: &Sandbox, probe: &ProbeCall) -> String {
    format!("{}{}", sandbox.issuer_identifier, probe.path)
}

fn proof(sandbox: &Sandbox, key: &SigningKey, secret: &str, now: Timestamp) -> String {
    let url = url(sandbox, &sandbox.probe.read);
    prove(key, &unique(), "GET", &url, secret, now).unwrap()
}

async fn with_proof(sandbox: &Sandbox, probe: &ProbeCall, secret: &str, proof: &str) -> Answer {
    let headers = [
        ("authorization", format!("DPoP {secret}")),
        ("dpop", proof.to_owned()),
    ];
    call(sandbox, probe, &headers).await
}

fn assert_refused(answer: &Answer, challenge: &str) {
    assert_eq!(
        (answer.status, answer.problem()),
        (401, "unauthenticated"),
        "{answer:?}"
    );
    assert_eq!(answer.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn a_bound_key_opens_with_a_proof_what_it_would_open_without() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let key = pair();
    let made = make(&world, &sandbox, bound_body(&sandbox, &key)).await;
    assert_eq!(
        made.record["cnf"]["jkt"],
        key.public().thumbprint().unwrap()
    );
    let read = &sandbox.probe.read;
    let good = proof(&sandbox, &key, made.value(), sandbox.now);
    assert_eq!(
        with_proof(&sandbox, read, made.value(), &good).await.status,
        200
    );
    let asked = ProbeCall {
        path: format!("{}?limit=1", read.path),
        ..read.clone()
    };
    let good = proof(&sandbox, &key, made.value(), sandbox.now);
    assert_eq!(
        with_proof(&sandbox, &asked, made.value(), &good)
            .await
            .status,
        200
    );

    let write = &sandbox.probe.write;
    let for_write = prove(
        &key,
        &unique(),
        &write.method,
        &url(&sandbox, write),
        made.value(),
        sandbox.now,
    )
    .unwrap();
    let refused = with_proof(&sandbox, write, made.value(), &for_write).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .header("www-authenticate")
            .contains(r#"error="insufficient_scope""#)
    );
}

#[tokio::test]
async fn a_bound_key_by_itself_opens_nothing() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let made = make(&world, &sandbox, bound_body(&sandbox, &pair())).await;
    let read = &sandbox.probe.read;
    let good = proof(&sandbox, &pair(), made.value(), sandbox.now);
    for headers in [
        vec![("authorization", format!("Bearer {}", made.value()))],
        vec![("authorization", format!("DPoP {}", made.value()))],
        vec![
            ("authorization", format!("Bearer {}", made.value())),
            ("dpop", good.clone()),
        ],
    ] {
        assert_refused(&call(&sandbox, read, &headers).await, NO_PROOF);
    }
    assert_eq!(
        with_proof(&sandbox, read, made.value(), &good).await.status,
        200
    );
    let another = proof(&sandbox, &pair(), made.value(), sandbox.now);
    let twice = [
        ("authorization", format!("DPoP {}", made.value())),
        ("dpop", another.clone()),
        ("dpop", another),
    ];
    assert_refused(&call(&sandbox, read, &twice).await, BAD_PROOF);
    // A key that is bound to nothing does not pretend to be.
    let plain = make(&world, &sandbox, body_of(&sandbox, "api_key", false)).await;
    let proof = proof(&sandbox, &pair(), plain.value(), sandbox.now);
    let refused = with_proof(&sandbox, read, plain.value(), &proof).await;
    assert_refused(&refused, r#"Bearer error="invalid_token""#);
}

#[tokio::test]
async fn each_part_of_a_proof_has_to_hold() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let (key, now) = (pair(), sandbox.now);
    let made = make(&world, &sandbox, bound_body(&sandbox, &key)).await;
    let (read, secret) = (&sandbox.probe.read, made.value());
    let here = url(&sandbox, read);
    let other = SigningKey::from_seed(&[2; 32]).unwrap();
    let of = |key: &SigningKey, id: &str, method: &str, url: &str, token: &str, at: Timestamp| {
        prove(key, id, method, url, token, at).unwrap()
    };
    let whole = of(&key, &unique(), "GET", &here, secret, now);
    let (rest, _) = whole.rsplit_once('.').unwrap();
    for refused in [
        of(&other, &unique(), "GET", &here, secret, now),
        of(&key, &unique(), "POST", &here, secret, now),
        of(&key, &unique(), "GET", &format!("{here}/2"), secret, now),
        of(&key, &unique(), "GET", "https://api.example/", secret, now),
        of(&key, &unique(), "GET", &here, "another", now),
        of(&key, &unique(), "GET", &here, secret, now.plus(-120)),
        of(&key, &unique(), "GET", &here, secret, now.plus(120)),
        of(&key, "", "GET", &here, secret, now),
        of(&key, &"x".repeat(257), "GET", &here, secret, now),
        untyped(&key, &here, secret, now),
        format!("{rest}."),
        "x".to_owned(),
    ] {
        assert_refused(
            &with_proof(&sandbox, read, secret, &refused).await,
            BAD_PROOF,
        );
    }
    assert_eq!(with_proof(&sandbox, read, secret, &whole).await.status, 200);
    assert_refused(&with_proof(&sandbox, read, secret, &whole).await, BAD_PROOF);
}

fn untyped(key: &SigningKey, url: &str, secret: &str, now: Timestamp) -> String {
    let claims: Map<String, Value> = serde_json::from_value(json!({
        "jti": unique(), "htm": "GET", "htu": url, "iat": now.unix(), "ath": token_hash(secret),
    }))
    .unwrap();
    let mut header = Map::new();
    header.insert(
        "jwk".to_owned(),
        serde_json::to_value(key.public()).unwrap(),
    );
    key.sign(header, &claims).unwrap()
}

#[tokio::test]
async fn a_proof_goes_by_the_clock_of_the_tenant() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let made = make(&world, &sandbox, bound_body(&sandbox, &pair())).await;
    let old = proof(&sandbox, &pair(), made.value(), sandbox.now);
    world.advance(&sandbox, 3600).await;
    let read = &sandbox.probe.read;
    assert_refused(
        &with_proof(&sandbox, read, made.value(), &old).await,
        BAD_PROOF,
    );
    let now = proof(&sandbox, &pair(), made.value(), sandbox.now.plus(3600));
    assert_eq!(
        with_proof(&sandbox, read, made.value(), &now).await.status,
        200
    );
}

#[tokio::test]
async fn a_rotation_keeps_the_binding_and_a_bound_key_ends_itself_without_proof() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let key = pair();
    let made = make(&world, &sandbox, bound_body(&sandbox, &key)).await;
    let (_, next) = rotate(&world, &sandbox, &made.id, json!({})).await;
    assert_eq!(next.record["cnf"], made.record["cnf"]);
    for one in [&made, &next] {
        let good = proof(&sandbox, &key, one.value(), sandbox.now);
        assert_eq!(
            with_proof(&sandbox, &sandbox.probe.read, one.value(), &good)
                .await
                .status,
            200
        );
    }
    let body = json!({"mode": "immediate", "reason": "compromise"});
    let end = format!("{}/{}/revoke", sandbox.credential_issuer_endpoint, made.id);
    let done = world
        .send("POST", &end, Some(made.value()), Some(body))
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    let good = proof(&sandbox, &key, made.value(), sandbox.now);
    assert_refused(
        &with_proof(&sandbox, &sandbox.probe.read, made.value(), &good).await,
        NO_PROOF,
    );
    suspend(&world, &sandbox, &next.id).await;
    let good = proof(&sandbox, &key, next.value(), sandbox.now);
    assert_refused(
        &with_proof(&sandbox, &sandbox.probe.read, next.value(), &good).await,
        NO_PROOF,
    );
}

#[tokio::test]
async fn a_binding_is_said_and_is_for_keys_alone() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let made: Made = make(&world, &sandbox, bound_body(&sandbox, &pair())).await;
    let form = encoded(&[("token", made.value())]);
    let bearer = (
        "authorization",
        format!("Bearer {}", token(&sandbox, "owner")),
    );
    let asked = format!("{}/oauth/introspect", sandbox.credential_issuer_endpoint);
    let said = raw_form(&asked, &[bearer], &form).await;
    assert_eq!(
        (&said.body["token_type"], &said.body["cnf"]),
        (&json!("DPoP"), &made.record["cnf"]),
        "{said:?}"
    );
    for kind in ["oauth_client", "service_account", "webhook_secret"] {
        let mut body = body_of(&sandbox, kind, false);
        body["cnf"] = made.record["cnf"].clone();
        let refused = world
            .as_role(&sandbox, "owner", "POST", "", Some(body))
            .await;
        assert_eq!(refused.problem(), "type-mismatch", "{kind}");
    }
    for (persona, supported) in [
        ("exampleapi", true),
        ("hosting", false),
        ("analytics", false),
    ] {
        let url = format!("{}/.well-known/credential-issuer", world.url_of(persona));
        let manifest = world.send("GET", &url, None, None).await.body;
        assert_eq!(
            manifest["supports_workload_bound_credentials"], supported,
            "{persona}"
        );
    }
}
