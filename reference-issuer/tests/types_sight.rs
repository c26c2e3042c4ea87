//! Who learns what a key opens: whoever sees its credential.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with tests that need more")]
mod edge_support;
mod types_support;

use clp_issuer::Issuer;
use clp_issuer::config::{Config, PrincipalConfig};
use clp_schemas::approval::PrincipalKind;
use clp_schemas::ops::store::SecretText;
use reqwest::Client;
use serde_json::{Value, json};
use types_support::{encoded, raw_form};

const ANA: &str = "demo-exampleapi-ana-not-a-secret";
const EVE: &str = "demo-exampleapi-eve-not-a-secret";

#[tokio::test]
async fn a_principal_without_read_is_told_nothing() {
    let mut config = Config::built_in().unwrap().with_ports(0).unwrap();
    config.personas[0].tenants[0]
        .principals
        .push(PrincipalConfig {
            name: "eve".to_owned(),
            token: SecretText::new(EVE.to_owned()),
            permissions: serde_json::from_value(json!([
                {"resource_type": "clp.credential", "selector": "zeus/*", "actions": ["read"]},
            ]))
            .unwrap(),
            kind: PrincipalKind::Person,
            acts_for: None,
        });
    let running = Issuer::builder().config(config).spawn().await.unwrap();
    let endpoint = format!("{}/credentials", running.personas[0].url);
    let body = json!({
        "type": "api_key", "purpose": "a test", "owner": "team", "project": "atlas", "environment": "staging",
        "permissions": [{"resource_type": "record", "selector": "atlas/*", "actions": ["read"]}],
    });
    let made = Client::new()
        .post(&endpoint)
        .bearer_auth(ANA)
        .header("Idempotency-Key", "one")
        .json(&body)
        .send()
        .await
        .unwrap();
    let made: Value = made.json().await.unwrap();
    let uri = made["delivery"]["uri"].as_str().unwrap();
    let read = Client::new()
        .get(uri)
        .bearer_auth(ANA)
        .send()
        .await
        .unwrap();
    let read: Value = read.json().await.unwrap();
    let form = encoded(&[("token", read["secret"]["value"].as_str().unwrap())]);
    let ask = async |token: &str| {
        let bearer = ("authorization", format!("Bearer {token}"));
        raw_form(&format!("{endpoint}/oauth/introspect"), &[bearer], &form)
            .await
            .body
    };
    assert_eq!(ask(ANA).await["client_id"], made["id"]);
    assert_eq!(ask(EVE).await, json!({"active": false}));
}
