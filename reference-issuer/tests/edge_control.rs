//! Test control: fresh tenants, clocks, simulated decisions, registered passkeys.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use clp_schemas::canonical::{sha256, to_base64url};
use clp_schemas::ops::control::Sandbox;
use edge_support::{Answer, World, create_body, token, unique};
use serde_json::{Value, json};

const NOBODY: &str = "ten_000000000000000000000";

fn path(sandbox: &Sandbox, rest: &str) -> String {
    format!("/sandboxes/{}/{rest}", sandbox.tenant_id)
}

fn request_body(sandbox: &Sandbox) -> Value {
    let probe = &sandbox.probe;
    json!({
        "type": "api_key",
        "permissions": probe.read_permissions,
        "purpose": "an edge test",
        "owner": "team-edge",
        "project": probe.project,
        "environment": probe.approval_environment,
        "subject": {"kind": "agent", "id": "edge"},
        "lifetime_seconds": 1800,
    })
}

async fn open_request(world: &World, sandbox: &Sandbox) -> String {
    let opened = world.as_role(sandbox, "owner", "POST", "/requests", Some(request_body(sandbox))).await;
    assert_eq!(opened.status, 202, "{opened:?}");
    opened.text("id")
}

async fn decide(world: &World, sandbox: &Sandbox, body: Value) -> Answer {
    world.control("POST", &path(sandbox, "approvals"), Some(body)).await
}

#[tokio::test]
async fn only_the_control_token_opens_it() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let url = format!("{}{}", world.control_url(), path(&sandbox, "state"));
    assert_eq!(world.control("GET", &path(&sandbox, "state"), None).await.status, 200);
    for other in [Some("wrong-control-token-of-the-tests"), Some(token(&sandbox, "owner")), None] {
        let refused = world.send("GET", &url, other, None).await;
        assert_eq!(refused.problem(), "unauthenticated");
        assert_eq!(refused.header("clp-version"), "1.0");
    }
    let below = format!("{}/audit/entries", sandbox.credential_issuer_endpoint);
    let refused = world.send("GET", &below, Some(edge_support::CONTROL_TOKEN), None).await;
    assert_eq!(refused.problem(), "unauthenticated");
}

#[tokio::test]
async fn a_sandbox_is_fresh_and_has_its_cast() {
    let world = World::start().await;
    let first = world.sandbox("analytics").await;
    let second = world.sandbox("analytics").await;
    assert_ne!(first.tenant_id, second.tenant_id);
    assert_eq!(first.principals.keys().collect::<Vec<_>>(), ["approver", "bystander", "outsider", "owner"]);
    assert_eq!(first.issuer_identifier, world.url_of("analytics"));
    let minted = world.mint(&first, create_body(&first, false)).await;
    for (role, status) in [("owner", 200), ("approver", 200), ("bystander", 200), ("outsider", 404)] {
        let read = world.as_role(&first, role, "GET", &format!("/{}", minted.id), None).await;
        assert_eq!(read.status, status, "{role}");
        let body = Some(create_body(&first, false));
        let made = world.as_role(&first, role, "POST", "", body).await;
        let wanted = if matches!(role, "owner" | "outsider") { 201 } else { 403 };
        assert_eq!(made.status, wanted, "{role}");
    }
    let by_default = world.control("POST", "/sandboxes", Some(json!({}))).await;
    assert_eq!(by_default.text("issuer_identifier"), world.url_of("exampleapi"));
}

#[tokio::test]
async fn what_is_no_sandbox_is_not_found() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    for (method, rest, body) in [
        ("POST", "reset", None),
        ("POST", "clock", Some(json!({"advance_seconds": 1}))),
        ("POST", "approvals", Some(json!({"request_id": "req_000000000000000000000", "decision": "deny"}))),
        ("GET", "requests", None),
        ("GET", "state", None),
    ] {
        let real = world.control(method, &path(&sandbox, rest), body.clone()).await;
        assert!(real.status < 300 || rest == "approvals", "{rest}: {real:?}");
        let none = world.control(method, &format!("/sandboxes/{NOBODY}/{rest}"), body).await;
        assert_eq!(none.problem(), "not-found", "{rest}");
    }
    let elsewhere = json!({"issuer_identifier": "https://issuer.example"});
    let none = world.control("POST", "/sandboxes", Some(elsewhere)).await;
    assert_eq!(none.problem(), "not-found");
}

#[tokio::test]
async fn bodies_are_held_against_the_published_schema() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let clock = path(&sandbox, "clock");
    assert_eq!(world.control("POST", &clock, Some(json!({"advance_seconds": 1}))).await.status, 200);
    for body in [json!({"advance_seconds": 0}), json!({"advance_seconds": 1, "more": 1}), json!({})] {
        let refused = world.control("POST", &clock, Some(body)).await;
        assert_eq!(refused.problem(), "invalid-request");
        assert!(refused.body["pointer"].is_string());
    }
}

#[tokio::test]
async fn each_tenant_has_a_clock_of_its_own() {
    let world = World::start().await;
    let (here, there) = (world.sandbox("exampleapi").await, world.sandbox("exampleapi").await);
    let unread = world.as_role(&here, "owner", "POST", "", Some(create_body(&here, false))).await;
    let other = world.as_role(&there, "owner", "POST", "", Some(create_body(&there, false))).await;
    let moved = world.advance(&here, 901).await;
    assert_eq!(moved.status, 200);
    let now: clp_schemas::time::Timestamp = moved.text("now").parse().unwrap();
    assert!(now >= here.now.plus(901));
    let state = async |sandbox: &Sandbox, made: &Answer| {
        let read = world.as_role(sandbox, "owner", "GET", &format!("/{}", made.text("id")), None).await;
        read.text("state")
    };
    assert_eq!(state(&here, &unread).await, "expired");
    assert_eq!(state(&there, &other).await, "provisioned");
}

#[tokio::test]
async fn a_reset_leaves_the_cast_and_nothing_else() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let writer = world.mint(&sandbox, create_body(&sandbox, true)).await;
    world.probe(&sandbox, &sandbox.probe.write, Some(&writer.key)).await;
    open_request(&world, &sandbox).await;
    world.advance(&sandbox, 86_400).await;
    let state = async || world.control("GET", &path(&sandbox, "state"), None).await.body;
    let before = state().await;
    assert_eq!(before["credentials"].as_array().unwrap().len(), 1);
    assert_eq!(before["requests"].as_array().unwrap().len(), 1);
    assert!(before["audit_size"].as_u64().unwrap() > 0);
    assert!(!before.to_string().contains(&writer.key));

    let reset = world.control("POST", &path(&sandbox, "reset"), None).await;
    assert_eq!((reset.status, reset.body), (204, Value::Null));
    let empty = json!({"credentials": [], "requests": [], "rotations": [], "audit_size": 0});
    assert_eq!(state().await, empty);
    let log = world.control("GET", &path(&sandbox, "requests"), None).await;
    assert_eq!(log.body, json!({"items": []}));
    assert_eq!(world.probe(&sandbox, &sandbox.probe.read, Some(&writer.key)).await.status, 401);
    let again = world.as_role(&sandbox, "owner", "POST", "", Some(create_body(&sandbox, false))).await;
    assert_eq!(again.status, 201);
    let created: clp_schemas::time::Timestamp = again.text("created_at").parse().unwrap();
    assert!(created < sandbox.now.plus(3600));
}

#[tokio::test]
async fn a_decision_is_simulated_in_the_approvers_name() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let request = open_request(&world, &sandbox).await;
    let body = json!({"request_id": request, "decision": "approve"});
    let approval = decide(&world, &sandbox, body.clone()).await;
    assert_eq!((approval.status, approval.text("method")), (201, "test".to_owned()));
    assert_eq!(approval.text("approver"), sandbox.principals["approver"].id.to_string());
    assert_eq!(decide(&world, &sandbox, body).await.problem(), "request-not-pending");
    let made = world.as_role(&sandbox, "owner", "POST", "", Some(json!({"request_id": request}))).await;
    assert_eq!(made.status, 201, "{made:?}");

    let request = open_request(&world, &sandbox).await;
    let owner = &sandbox.principals["owner"].id;
    let own = json!({"request_id": request, "decision": "approve", "approver": owner});
    let refused = decide(&world, &sandbox, own).await;
    assert!(matches!(refused.problem(), "separation-of-duty" | "forbidden"));
    let denial = decide(&world, &sandbox, json!({"request_id": request, "decision": "deny"})).await;
    assert_eq!(denial.status, 201);
    let read = world.as_role(&sandbox, "owner", "GET", &format!("/requests/{request}"), None).await;
    assert_eq!(read.text("state"), "denied");
    let unknown = json!({"request_id": "req_000000000000000000000", "decision": "deny"});
    assert_eq!(decide(&world, &sandbox, unknown).await.problem(), "not-found");
}

/// An authenticator in software, with its public key as a `COSE_Key`.
struct Authenticator {
    pair: EcdsaKeyPair,
    id: String,
}

impl Authenticator {
    fn new() -> Self {
        let id = to_base64url(format!("{:0>32}", unique()).as_bytes());
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { pair, id }
    }

    fn public_key(&self) -> String {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        to_base64url(&[&head, x, &[0x22, 0x58, 0x20], y].concat())
    }

    fn assert(&self, challenge: &str, origin: &str) -> Value {
        let client_data = json!({"type": "webauthn.get", "challenge": challenge, "origin": origin});
        let client_data = client_data.to_string().into_bytes();
        let data = [sha256(b"localhost").as_slice(), &[0x05, 0, 0, 0, 1]].concat();
        let signed = [data.as_slice(), &sha256(&client_data)].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": self.id, "rawId": self.id, "type": "public-key",
            "response": {
                "clientDataJSON": to_base64url(&client_data),
                "authenticatorData": to_base64url(&data),
                "signature": to_base64url(signature.as_ref()),
            },
        })
    }
}

#[tokio::test]
async fn a_registered_passkey_approves() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let authenticator = Authenticator::new();
    let approver = &sandbox.principals["approver"].id;
    let register = async |key: &str, principal: &str| {
        let body = json!({"principal": principal, "credential_id": authenticator.id, "public_key": key});
        world.control("POST", &path(&sandbox, "authenticators"), Some(body)).await
    };
    let key = authenticator.public_key();
    assert_eq!(register(&key, approver.as_str()).await.status, 204);
    let broken = register(&key[..40], approver.as_str()).await;
    assert_eq!(broken.problem(), "evidence-invalid");
    let outsider = sandbox.principals["outsider"].id.as_str();
    assert_eq!(register(&key, outsider).await.problem(), "not-found");

    let request = open_request(&world, &sandbox).await;
    let challenge = async || {
        let at = format!("/requests/{request}/approval-challenges");
        let opened = world.as_role(&sandbox, "approver", "POST", &at, Some(json!({"decision": "approve"}))).await;
        assert_eq!(opened.status, 201, "{opened:?}");
        opened.body
    };
    let submit = async |challenge: &Value, evidence: Value| {
        let body = json!({"challenge_id": challenge["id"], "method": "passkey", "evidence": evidence});
        let at = format!("/requests/{request}/approvals");
        world.as_role(&sandbox, "approver", "POST", &at, Some(body)).await
    };
    let origin = &sandbox.issuer_identifier;
    let first = challenge().await;
    assert_eq!(first["allow_credentials"], json!([authenticator.id]));
    let stranger = Authenticator { pair: Authenticator::new().pair, id: authenticator.id.clone() };
    let forged = stranger.assert(first["challenge"].as_str().unwrap(), origin);
    assert_eq!(submit(&first, forged).await.problem(), "evidence-invalid");
    let second = challenge().await;
    let evidence = authenticator.assert(second["challenge"].as_str().unwrap(), origin);
    let approval = submit(&second, evidence).await;
    assert_eq!((approval.status, approval.text("method")), (201, "passkey".to_owned()), "{approval:?}");
}

#[tokio::test]
async fn the_log_tells_what_reached_a_tenant() {
    let world = World::start().await;
    let sandbox = world.sandbox("exampleapi").await;
    let minted = world.mint(&sandbox, create_body(&sandbox, false)).await;
    world.as_role(&sandbox, "bystander", "POST", "?limit=1", Some(create_body(&sandbox, false))).await;
    world.probe(&sandbox, &sandbox.probe.write, Some(&minted.key)).await;
    world.as_role(&sandbox, "outsider", "GET", "", None).await;

    let log = world.control("GET", &path(&sandbox, "requests"), None).await;
    let items = log.body["items"].as_array().unwrap().clone();
    let told: Vec<_> = items
        .iter()
        .map(|item| (item["method"].as_str().unwrap(), item["status"].as_u64().unwrap(), item["problem"].as_str()))
        .collect();
    assert_eq!(told[0], ("POST", 201, None));
    assert_eq!(told[1], ("GET", 200, None));
    assert_eq!(told[2].0, "POST");
    assert!(told[2].2.is_some());
    assert_eq!(told[3], ("PUT", 403, Some("forbidden")));
    assert_eq!(told.len(), 4);
    let text = log.body.to_string();
    for secret in [minted.key.as_str(), token(&sandbox, "owner"), "limit=1", "an edge test"] {
        assert!(!text.contains(secret));
    }
}
