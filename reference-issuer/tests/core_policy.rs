//! Policy out of a persona's file: what it approves by itself, and what it never does.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use clp_issuer::Issuer;
use clp_issuer::config::{Config, PrincipalConfig};
use clp_schemas::approval::PrincipalKind;
use clp_schemas::ops::store::SecretText;
use reqwest::Client;
use serde_json::{Value, json};

const BEN: &str = "demo-exampleapi-ben-not-a-secret";
const BOT: &str = "demo-exampleapi-bot-not-a-secret";

/// The built-in persona with an agent that acts for Ben, and a policy that approves whatever it
/// may.
fn config() -> Config {
    let mut config = Config::built_in().unwrap().with_ports(0).unwrap();
    let tenant = &mut config.personas[0].tenants[0];
    tenant.principals.push(PrincipalConfig {
        name: "bot".to_owned(),
        token: SecretText::new(BOT.to_owned()),
        permissions: serde_json::from_value(json!([
            {"resource_type": "clp.credential", "selector": "atlas/*", "actions": ["read", "request"]},
        ]))
        .unwrap(),
        kind: PrincipalKind::Agent,
        acts_for: Some("ben".to_owned()),
    });
    let policy = json!({"automatic": {
        "max_lifetime_seconds": 600, "max_risk": "high", "environments": ["staging", "production"],
    }});
    tenant.approval_policy = Some(serde_json::from_value(policy).unwrap());
    config
}

async fn post(url: &str, token: &str, key: &str, body: &Value) -> (u16, Value) {
    let answer = Client::new()
        .post(url)
        .bearer_auth(token)
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn body(environment: &str, resource_type: &str, action: &str, lifetime_seconds: u64) -> Value {
    json!({
        "type": "api_key", "purpose": "a test", "owner": "team", "project": "atlas", "environment": environment,
        "subject": {"kind": "agent", "id": "bot"}, "lifetime_seconds": lifetime_seconds,
        "permissions": [{"resource_type": resource_type, "selector": "atlas", "actions": [action]}],
    })
}

#[tokio::test]
async fn policy_approves_neither_in_production_nor_what_is_of_high_risk() {
    let running = Issuer::builder().config(config()).spawn().await.unwrap();
    let requests = format!("{}/credentials/requests", running.personas[0].url);
    let cases = [
        (body("staging", "record", "read", 600), "approved", "client"),
        (
            body("staging", "record", "read", 601),
            "pending_approval",
            "client",
        ),
        (
            body("production", "record", "read", 600),
            "pending_approval",
            "person",
        ),
        (
            body("staging", "settings", "admin", 600),
            "pending_approval",
            "person",
        ),
    ];
    for (at, (body, state, duty)) in cases.iter().enumerate() {
        let (status, request) = post(&requests, BOT, &format!("key-{at}"), body).await;
        assert_eq!(
            (status, &request["state"]),
            (202, &json!(state)),
            "{request}"
        );
        assert_eq!(request["approval_policy"]["separation_of_duty"], *duty);
        let actors = request["approval_document"]["actors"].as_array().unwrap();
        let kinds: Vec<&Value> = actors.iter().map(|actor| &actor["kind"]).collect();
        assert_eq!(kinds, ["agent", "person"]);

        // Whom the agent acts for decides where no other person has to, and nothing is decided.
        let id = request["id"].as_str().unwrap();
        let challenges = format!("{requests}/{id}/approval-challenges");
        let (status, _) = post(&challenges, BEN, "", &json!({"decision": "approve"})).await;
        let wanted = match (*state, *duty) {
            ("approved", _) => 409,
            (_, "person") => 403,
            _ => 201,
        };
        assert_eq!(status, wanted, "{request}");
    }
}
