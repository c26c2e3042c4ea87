//! What the tests of credential types have in common.
#![expect(
    dead_code,
    reason = "each test file is a program of its own and uses some of this"
)]

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use clp_schemas::jose::SigningKey;
use clp_schemas::ops::control::{ProbeCall, Sandbox};
use clp_schemas::webhook::WebhookSecret;
use reqwest::Client;
use serde_json::{Map, Value, json};

use crate::edge_support::{Answer, World, create_body, token, unique};

/// A create of a type, with the probe's permissions.
pub fn body_of(sandbox: &Sandbox, kind: &str, writes: bool) -> Value {
    let mut body = create_body(sandbox, writes);
    body["type"] = json!(kind);
    if kind == "webhook_secret" {
        body["webhook"] = json!({"url": "https://hooks.example/clp"});
    }
    body
}

/// A credential whose secret was read.
#[derive(Debug)]
pub struct Made {
    /// As it was created.
    pub record: Value,
    pub id: String,
    /// The secret with what stands beside it; null where there is none.
    pub secret: Value,
}

impl Made {
    pub fn value(&self) -> &str {
        self.secret["value"].as_str().unwrap()
    }
}

/// Mints a credential and reads its secret, where there is one.
pub async fn make(world: &World, sandbox: &Sandbox, body: Value) -> Made {
    let made = world
        .as_role(sandbox, "owner", "POST", "", Some(body))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    read(world, sandbox, made.body).await
}

/// Reads the secret of what was minted.
pub async fn read(world: &World, sandbox: &Sandbox, record: Value) -> Made {
    let secret = match record["delivery"]["uri"].as_str() {
        Some(uri) => {
            let read = world
                .send("GET", uri, Some(token(sandbox, "owner")), None)
                .await;
            assert_eq!(read.status, 200, "{read:?}");
            read.body["secret"].clone()
        }
        None => Value::Null,
    };
    Made {
        id: record["id"].as_str().unwrap().to_owned(),
        record,
        secret,
    }
}

/// Rotates, and answers the rotation and its successor.
pub async fn rotate(world: &World, sandbox: &Sandbox, id: &str, more: Value) -> (Value, Made) {
    let mut body = json!({"reason": "scheduled"});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let path = format!("/{id}/rotations");
    let opened = world
        .as_role(sandbox, "owner", "POST", &path, Some(body))
        .await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let successor = opened.body["credential"].clone();
    (opened.body, read(world, sandbox, successor).await)
}

pub async fn revoke(world: &World, sandbox: &Sandbox, id: &str) {
    let body = json!({"mode": "immediate", "reason": "superseded"});
    let done = world
        .as_role(
            sandbox,
            "owner",
            "POST",
            &format!("/{id}/revoke"),
            Some(body),
        )
        .await;
    assert_eq!(done.status, 200, "{done:?}");
}

/// Stops a credential for now.
pub async fn suspend(world: &World, sandbox: &Sandbox, id: &str) {
    let body = json!({"reason": "compromise"});
    let done = world
        .as_role(
            sandbox,
            "owner",
            "POST",
            &format!("/{id}/suspend"),
            Some(body),
        )
        .await;
    assert_eq!(done.status, 200, "{done:?}");
}

async fn sent(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.header("CLP-Version", "1.0").send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        body,
    }
}

/// Sends a form as it stands, with further header fields.
pub async fn raw_form(url: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let mut request = Client::new()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    sent(request).await
}

/// Sends a form to the token endpoint.
pub async fn token_form(
    sandbox: &Sandbox,
    headers: &[(&str, String)],
    fields: &[(&str, &str)],
) -> Answer {
    let url = format!("{}/oauth/token", sandbox.credential_issuer_endpoint);
    raw_form(&url, headers, &encoded(fields)).await
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// An access token, after it was seen to be given.
pub fn access_token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["token_type"], "Bearer");
    answer.text("access_token")
}

/// Gets a token by the secret in the body.
pub async fn by_post(sandbox: &Sandbox, client: &Made) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", client.id.as_str()),
        ("client_secret", client.value()),
    ];
    token_form(sandbox, &[], &fields).await
}

/// Gets a token by an assertion as the grant.
pub async fn by_grant(sandbox: &Sandbox, assertion: &str) -> Answer {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion),
    ];
    token_form(sandbox, &[], &fields).await
}

/// An assertion of a client with changed claims; null takes one away.
pub fn assertion(sandbox: &Sandbox, key: &SigningKey, client: &str, changes: &Value) -> String {
    let now = sandbox.now.unix();
    let mut claims: Map<String, Value> = serde_json::from_value(json!({
        "iss": client, "sub": client, "aud": format!("{}/oauth/token", sandbox.credential_issuer_endpoint),
        "iat": now, "exp": now + 120, "jti": unique(),
    }))
    .unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    key.sign(Map::new(), &claims).unwrap()
}

/// Whether an `error` of OAuth was answered.
pub fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status, answer.body["error"].as_str()),
        (status, Some(error)),
        "{answer:?}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("clp-version"), "1.0");
    assert!(answer.body.get("type").is_none(), "{answer:?}");
}

/// A call of the persona's API with header fields of one's choice.
pub async fn call(sandbox: &Sandbox, probe: &ProbeCall, headers: &[(&str, String)]) -> Answer {
    let url = format!("{}{}", sandbox.issuer_identifier, probe.path);
    let mut request = Client::new().request(probe.method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if let Some(body) = &probe.body {
        request = request.json(body);
    }
    sent(request).await
}

/// An event as a receiver got it.
#[derive(Clone, Debug)]
pub struct Got {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub body: String,
}

impl Got {
    /// Whether a signature is of this secret.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let secret = WebhookSecret::parse(secret).unwrap();
        let expected = secret.sign(&self.id, self.timestamp, self.body.as_bytes());
        self.signature.split(' ').any(|one| one == expected)
    }

    pub fn signatures(&self) -> usize {
        self.signature.split(' ').count()
    }
}

/// Somebody who takes events.
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// One that answers with this status.
    pub async fn start(status: u16) -> Self {
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let kept = Arc::clone(&got);
        let handler = async move |State(kept): State<Arc<Mutex<Vec<Got>>>>,
                                  headers: HeaderMap,
                                  body: Bytes| {
            let header = |name: &str| headers[name].to_str().unwrap().to_owned();
            kept.lock().unwrap().push(Got {
                id: header("webhook-id"),
                timestamp: header("webhook-timestamp").parse().unwrap(),
                signature: header("webhook-signature"),
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            StatusCode::from_u16(status).unwrap()
        };
        let router = Router::new().fallback(handler).with_state(kept);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let url = format!(
            "http://localhost:{}/hook",
            listener.local_addr().unwrap().port()
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, got }
    }

    /// What came so far, once there is as much as that, or five seconds are over.
    pub async fn wait_for(&self, count: usize) -> Vec<Got> {
        for _ in 0..100 {
            if self.got.lock().unwrap().len() >= count {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        self.got.lock().unwrap().clone()
    }
}
