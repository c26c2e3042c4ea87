//! An issuer in this process, and the few calls that the tests make.

use std::sync::atomic::{AtomicU64, Ordering};

use clp_issuer::config::Config;
use clp_issuer::{Issuer, Running};
use clp_schemas::ops::control::{ProbeCall, Sandbox};
use clp_schemas::ops::store::SecretText;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The token of test control.
pub const CONTROL_TOKEN: &str = "edge-control-token-of-the-tests";

/// An issuer with the built-in personas.
pub struct World {
    pub running: Running,
    http: Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The name of the problem, after the status was seen to be no success.
    pub fn problem(&self) -> &str {
        assert!(self.status >= 400, "{self:?}");
        assert_eq!(self.body["status"], self.status);
        let name = self.body["type"].as_str().unwrap();
        name.strip_prefix("tag:clp.example,2026:problem/").unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    pub fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap().to_owned()
    }
}

/// A minted credential and its key.
#[derive(Debug)]
pub struct Minted {
    pub id: String,
    pub delivery: String,
    pub key: String,
}

impl World {
    pub async fn start() -> Self {
        let mut config = Config::built_in().unwrap().with_ports(0).unwrap();
        let token = SecretText::new(CONTROL_TOKEN.to_owned());
        config.control.as_mut().unwrap().token = Some(token);
        Self {
            running: Issuer::builder().config(config).spawn().await.unwrap(),
            http: Client::new(),
        }
    }

    pub fn url_of(&self, persona: &str) -> &str {
        let mut personas = self.running.personas.iter();
        &personas.find(|served| served.name == persona).unwrap().url
    }

    pub fn control_url(&self) -> &str {
        self.running.control_url.as_deref().unwrap()
    }

    pub async fn send(
        &self,
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let method: Method = method.parse().unwrap();
        let mut request = self.http.request(method, url).header("CLP-Version", "1.0");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("Idempotency-Key", unique()).json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    /// A call of test control.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.control_url());
        self.send(method, &url, Some(CONTROL_TOKEN), body).await
    }

    pub async fn sandbox(&self, persona: &str) -> Sandbox {
        let body = json!({"issuer_identifier": self.url_of(persona)});
        let answer = self.control("POST", "/sandboxes", Some(body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        serde_json::from_value(answer.body).unwrap()
    }

    pub async fn advance(&self, sandbox: &Sandbox, seconds: u64) -> Answer {
        let path = format!("/sandboxes/{}/clock", sandbox.tenant_id);
        self.control("POST", &path, Some(json!({"advance_seconds": seconds})))
            .await
    }

    /// A call below E.
    pub async fn as_role(
        &self,
        sandbox: &Sandbox,
        role: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let url = format!("{}{path}", sandbox.credential_issuer_endpoint);
        self.send(method, &url, Some(token(sandbox, role)), body)
            .await
    }

    /// Mints a credential and reads its key.
    pub async fn mint(&self, sandbox: &Sandbox, body: Value) -> Minted {
        let made = self.as_role(sandbox, "owner", "POST", "", Some(body)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let delivery = made.body["delivery"]["uri"].as_str().unwrap().to_owned();
        let read = self
            .send("GET", &delivery, Some(token(sandbox, "owner")), None)
            .await;
        assert_eq!(read.status, 200, "{read:?}");
        Minted {
            id: made.text("id"),
            delivery,
            key: read.body["secret"]["value"].as_str().unwrap().to_owned(),
        }
    }

    /// A call of the persona's own API.
    pub async fn probe(&self, sandbox: &Sandbox, call: &ProbeCall, key: Option<&str>) -> Answer {
        let url = format!("{}{}", sandbox.issuer_identifier, call.path);
        self.send(&call.method, &url, key, call.body.clone()).await
    }
}

pub fn token<'a>(sandbox: &'a Sandbox, role: &str) -> &'a str {
    sandbox.principals[role].token.expose()
}

/// What a create says, with the probe's permissions to read or to write.
pub fn create_body(sandbox: &Sandbox, writes: bool) -> Value {
    let probe = &sandbox.probe;
    let permissions = if writes {
        &probe.write_permissions
    } else {
        &probe.read_permissions
    };
    json!({
        "type": "api_key",
        "permissions": permissions,
        "purpose": "an edge test",
        "owner": "team-edge",
        "project": probe.project,
        "environment": probe.environment,
    })
}

/// A text that no other call uses.
pub fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "edge-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
