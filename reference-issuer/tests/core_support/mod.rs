//! An issuer in this process with the demo tenants, and the calls that the tests make.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses a part of it, and a test stops at the first surprise"
)]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use clp_issuer::config::Config;
use clp_issuer::{Issuer, Running};
use clp_schemas::ops::store::SecretText;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

pub const ANA: &str = "demo-exampleapi-ana-not-a-secret";
pub const BEN: &str = "demo-exampleapi-ben-not-a-secret";
pub const CLEO: &str = "demo-exampleapi-cleo-not-a-secret";
pub const DOV: &str = "demo-exampleapi-dov-not-a-secret";

/// The token of test control.
pub const CONTROL: &str = "core-control-token-of-the-tests";

pub struct World {
    pub running: Running,
    pub origin: String,
    http: Client,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub fn text(&self, pointer: &str) -> String {
        let value = self.json();
        match value.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            other => panic!("{pointer} is {other:?} in {value}"),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The name of the problem.
    pub fn problem(&self) -> String {
        assert!(self.status >= 400, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["status"], self.status);
        let kind = self.text("/type");
        kind.strip_prefix("tag:clp.example,2026:problem/")
            .unwrap()
            .to_owned()
    }

    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self
    }
}

pub fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What a create asks for, with some members changed; a null takes one away.
pub fn create_body(changes: Value) -> Value {
    let mut body = json!({
        "type": "api_key",
        "permissions": [{"resource_type": "record", "selector": "atlas/*", "actions": ["read"]}],
        "purpose": "nightly report",
        "owner": "team-data",
        "project": "atlas",
        "environment": "staging",
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => body.as_object_mut().unwrap().remove(name),
            _ => body
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    body
}

impl World {
    pub async fn start() -> Self {
        Self::spawn(Issuer::builder()).await
    }

    pub async fn start_in(directory: &Path) -> Self {
        Self::spawn(Issuer::builder().data_dir(directory)).await
    }

    async fn spawn(issuer: Issuer) -> Self {
        let mut config = Config::built_in().unwrap().with_ports(0).unwrap();
        let token = SecretText::new(CONTROL.to_owned());
        config.control.as_mut().unwrap().token = Some(token);
        let running = issuer.config(config).spawn().await.unwrap();
        let origin = running.personas[0].url.clone();
        Self {
            running,
            origin,
            http: Client::new(),
        }
    }

    pub fn e(&self, path: &str) -> String {
        format!("{}/credentials{path}", self.origin)
    }

    pub fn request(&self, method: &str, url: &str) -> RequestBuilder {
        self.http.request(method.parse().unwrap(), url)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        assert_eq!(headers["clp-version"], "1.0");
        let bytes = answer.bytes().await.unwrap().to_vec();
        Answer {
            status,
            headers,
            bytes,
        }
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.e(path)
        };
        self.send(self.request("GET", &url).bearer_auth(token))
            .await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.post_with_key(token, path, body, &unique()).await
    }

    pub async fn post_with_key(&self, token: &str, path: &str, body: &Value, key: &str) -> Answer {
        let request = self
            .request("POST", &self.e(path))
            .bearer_auth(token)
            .header("Idempotency-Key", key)
            .json(body);
        self.send(request).await
    }

    /// Mints a credential as Ana; answers its id and key.
    pub async fn mint(&self, changes: Value) -> (String, String) {
        let made = self.post(ANA, "", &create_body(changes)).await.ok(201);
        let id = made.text("/id");
        let delivery = self.get(ANA, &made.text("/delivery/uri")).await.ok(200);
        (id, delivery.text("/secret/value"))
    }

    /// The status of a call of the persona's API that reads.
    pub async fn read_probe(&self, key: &str) -> u16 {
        let url = format!("{}/v1/projects/atlas/records/1", self.origin);
        self.get(key, &url).await.status
    }

    /// Every entry of the log that Ana sees, as `event` and disclosed values.
    pub async fn log(&self, query: &str) -> Vec<(String, Value)> {
        let page = self
            .get(ANA, &format!("/audit/entries?limit=200{query}"))
            .await
            .ok(200)
            .json();
        let entries: Vec<clp_schemas::audit::AuditEntry> =
            serde_json::from_value(page["entries"].clone()).unwrap();
        entries
            .iter()
            .map(|entry| {
                let leaf = clp_schemas::canonical::from_base64(&entry.leaf).unwrap();
                let read = clp_schemas::audit::leaf::check(&leaf, &entry.disclosed).unwrap();
                assert_eq!(read.index, entry.index);
                (read.event, serde_json::to_value(read.values).unwrap())
            })
            .collect()
    }

    /// A call of test control; a null body is none.
    pub async fn control(&self, path: &str, body: Value) -> Answer {
        let base = self.running.control_url.as_deref().unwrap();
        let request = self
            .request("POST", &format!("{base}/sandboxes{path}"))
            .bearer_auth(CONTROL);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        self.send(request).await
    }
}

/// A fresh tenant with a clock of its own.
pub struct Tenant<'w> {
    pub world: &'w World,
    id: String,
    cast: Value,
}

impl<'w> Tenant<'w> {
    pub async fn open(world: &'w World) -> Self {
        let made = world.control("", json!({})).await.ok(201);
        Self {
            world,
            id: made.text("/tenant_id"),
            cast: made.json()["principals"].clone(),
        }
    }

    pub fn token(&self, role: &str) -> String {
        self.cast[role]["token"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, role: &str, path: &str) -> Answer {
        self.world.get(&self.token(role), path).await
    }

    pub async fn post(&self, role: &str, path: &str, body: Value) -> Answer {
        self.world.post(&self.token(role), path, &body).await
    }

    pub async fn advance(&self, seconds: u64) {
        let path = format!("/{}/clock", self.id);
        let body = json!({"advance_seconds": seconds});
        self.world.control(&path, body).await.ok(200);
    }

    pub async fn decide(&self, request: &str, decision: &str) -> Answer {
        let path = format!("/{}/approvals", self.id);
        let body = json!({"request_id": request, "decision": decision});
        self.world.control(&path, body).await
    }

    /// Mints a credential as the owner; answers its id and key.
    pub async fn mint(&self, changes: Value) -> (String, String) {
        let made = self.post("owner", "", create_body(changes)).await.ok(201);
        let delivery = self.get("owner", &made.text("/delivery/uri")).await.ok(200);
        (made.text("/id"), delivery.text("/secret/value"))
    }

    pub async fn state(&self, id: &str) -> String {
        self.get("owner", &format!("/{id}"))
            .await
            .ok(200)
            .text("/state")
    }

    /// The names of the events in the log, oldest first.
    pub async fn events(&self) -> Vec<String> {
        let page = self
            .get("owner", "/audit/entries?limit=200")
            .await
            .ok(200)
            .json();
        let leaf = |entry: &Value| {
            let bytes =
                clp_schemas::canonical::from_base64(entry["leaf"].as_str().unwrap()).unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        };
        let entries = page["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| leaf(entry)["event"].as_str().unwrap().to_owned())
            .collect()
    }
}
