//! Answers fit the published schema of their endpoint, and the discovery documents say what is
//! so.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod core_support;

use clp_schemas::endpoint::EndpointId;
use clp_schemas::generate::{Direction, contract_of, schema_of};
use clp_schemas::ops::discover::Manifest;
use clp_schemas::problem::Problem;
use core_support::{ANA, Answer, BEN, World, create_body};
use serde_json::{Value, json};

#[track_caller]
fn fits(id: EndpointId, answer: &Answer) {
    let schema = match answer.status {
        200..300 => {
            assert_eq!(answer.status, id.row().success, "{}", id.row().name);
            contract_of(id).answer.unwrap().1
        }
        _ => schema_of::<Problem>(Direction::Answer),
    };
    let validator = jsonschema::validator_for(&schema).unwrap();
    let body = answer.json();
    let fault = validator.validate(&body).err();
    assert!(
        fault.is_none(),
        "{}: {fault:?} in {}",
        id.row().name,
        answer.json()
    );
    assert!(!has_null(&body));
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

#[tokio::test]
async fn answers_fit_their_schemas() {
    use EndpointId as Id;
    let world = World::start().await;
    let made = world.post(ANA, "", &create_body(json!({}))).await.ok(201);
    fits(Id::CredentialCreate, &made);
    let id = made.text("/id");
    fits(
        Id::DeliveryRead,
        &world.get(ANA, &made.text("/delivery/uri")).await,
    );
    fits(Id::CredentialRead, &world.get(ANA, &format!("/{id}")).await);
    fits(Id::CredentialList, &world.get(ANA, "").await);
    let rotation = json!({"reason": "policy"});
    fits(
        Id::RotationOpen,
        &world
            .post(ANA, &format!("/{id}/rotations"), &rotation)
            .await,
    );
    let revocation = json!({"mode": "immediate", "reason": "policy"});
    fits(
        Id::CredentialRevoke,
        &world.post(ANA, &format!("/{id}/revoke"), &revocation).await,
    );
    fits(Id::AuditEntries, &world.get(ANA, "/audit/entries").await);
    fits(
        Id::AuditInclusion,
        &world
            .get(ANA, "/audit/proofs/inclusion?index=0&tree_size=2")
            .await,
    );
    fits(
        Id::AuditConsistency,
        &world
            .get(ANA, "/audit/proofs/consistency?from=1&to=2")
            .await,
    );

    let ask = json!({
        "environment": "production", "lifetime_seconds": 60, "justification": "words",
        "subject": {"kind": "task", "id": "t"}, "rotation_policy": {},
    });
    let body = create_body(ask);
    let request = world.post(ANA, "/requests", &body).await.ok(202);
    fits(Id::RequestOpen, &request);
    assert_eq!(request.json().pointer("/submitted"), Some(&body));
    assert_eq!(
        request.json().pointer("/approval_document/request"),
        Some(&body)
    );
    let path = format!("/requests/{}", request.text("/id"));
    fits(Id::RequestRead, &world.get(BEN, &path).await);
    let decision = json!({"decision": "deny"});
    let challenge = world
        .post(BEN, &format!("{path}/approval-challenges"), &decision)
        .await
        .ok(201);
    fits(Id::ChallengeOpen, &challenge);
    // A refusal whose evidence was looked at uses the challenge up.
    let evidence = json!({
        "challenge_id": challenge.text("/id"), "method": "passkey",
        "evidence": {"id": "AAAA", "rawId": "AAAA", "type": "public-key",
                     "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"}},
    });
    let path = format!("{path}/approvals");
    let refused = world.post(BEN, &path, &evidence).await;
    assert_eq!(refused.problem(), "evidence-invalid");
    fits(Id::ApprovalSubmit, &refused);
    assert_eq!(
        world.post(BEN, &path, &evidence).await.problem(),
        "challenge-not-usable"
    );
    let missing = format!("{path}/apr_00000000000000000000");
    fits(Id::ApprovalRead, &world.get(BEN, &missing).await);
    fits(
        Id::CredentialCreate,
        &world
            .post(ANA, "", &create_body(json!({"environment": "production"})))
            .await,
    );
}

#[tokio::test]
async fn discovery_says_what_is_so() {
    let world = World::start().await;
    let read = async |path: &str| {
        let url = format!("{}/.well-known/{path}", world.origin);
        world.send(world.request("GET", &url)).await
    };
    let manifest = read("credential-issuer").await.ok(200);
    fits(EndpointId::ManifestRead, &manifest);
    let typed: Manifest = serde_json::from_slice(&manifest.bytes).unwrap();
    typed.check().unwrap();
    assert_eq!(
        typed.issuer_identifier.as_deref(),
        Some(world.origin.as_str())
    );
    assert_eq!(typed.credential_issuer_endpoint.as_str(), world.e(""));
    let metadata = read("oauth-protected-resource/credentials").await.ok(200);
    fits(EndpointId::ResourceMetadataRead, &metadata);
    assert_eq!(metadata.text("/resource"), world.e(""));
    let document = read("credential-permissions").await.ok(200);
    fits(EndpointId::PermissionDocumentRead, &document);
    let digest = manifest.text("/permission_schema_digest");
    assert_eq!(document.header("etag"), format!("\"{digest}\""));
    let unknown = format!("credential-permissions?digest=sha256:{}", "0".repeat(64));
    assert_eq!(read(&unknown).await.problem(), "not-found");
    assert_eq!(
        read("credential-permissions?digest=x").await.problem(),
        "invalid-query"
    );
    assert_eq!(
        read("credential-issuer?x=1").await.problem(),
        "invalid-query"
    );
}
