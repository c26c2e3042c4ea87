//! An issuer in this process with one sandbox, and calls with entity tags.
#![allow(dead_code, reason = "no test file uses all of it")]

#[path = "../edge_support/mod.rs"]
pub mod edge_support;

use std::sync::atomic::{AtomicU64, Ordering};

use clp_schemas::ops::control::Sandbox;
use edge_support::{Answer, World, create_body, token, unique};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// One sandbox of one persona.
pub struct Life {
    pub world: World,
    pub sandbox: Sandbox,
    http: Client,
}

/// What a call sends beside its path.
#[derive(Clone, Debug, Default)]
pub struct With<'a> {
    pub body: Option<Value>,
    pub fields: &'a [(&'a str, &'a str)],
}

impl Life {
    pub async fn at(persona: &str) -> Self {
        let world = World::start().await;
        let sandbox = world.sandbox(persona).await;
        Self {
            world,
            sandbox,
            http: Client::new(),
        }
    }

    pub async fn with(&self, role: &str, method: &str, path: &str, with: With<'_>) -> Answer {
        let url = format!("{}{path}", self.sandbox.credential_issuer_endpoint);
        let method: Method = method.parse().unwrap();
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(token(&self.sandbox, role));
        for (name, value) in with.fields {
            request = request.header(*name, *value);
        }
        if let Some(body) = with.body {
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

    pub async fn get(&self, path: &str) -> Answer {
        let read = self.with("owner", "GET", path, With::default()).await;
        assert_eq!(read.status, 200, "{path}: {read:?}");
        read
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let with = With {
            body: Some(body),
            fields: &[],
        };
        self.with("owner", "POST", path, with).await
    }

    /// A call with a tag as `If-Match`.
    pub async fn if_match(
        &self,
        method: &str,
        path: &str,
        tag: &str,
        body: Option<Value>,
    ) -> Answer {
        let with = With {
            body,
            fields: &[("If-Match", tag)],
        };
        self.with("owner", method, path, with).await
    }

    /// A call with the tag that the object has now.
    pub async fn change(&self, method: &str, object: &str, rest: &str, body: Value) -> Answer {
        let tag = self.get(object).await.header("etag").to_owned();
        self.if_match(method, &format!("{object}{rest}"), &tag, Some(body))
            .await
    }

    /// A create body with more members.
    pub fn wanted(&self, more: &Value) -> Value {
        let mut body = create_body(&self.sandbox, false);
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    pub async fn mint(&self, more: &Value) -> edge_support::Minted {
        self.world.mint(&self.sandbox, self.wanted(more)).await
    }

    /// Reads the secret of a credential that was just made.
    pub async fn fetch(&self, credential: &Value) -> String {
        let uri = credential["delivery"]["uri"].as_str().unwrap();
        let read = self
            .world
            .send("GET", uri, Some(token(&self.sandbox, "owner")), None)
            .await;
        assert_eq!(read.status, 200, "{read:?}");
        read.body["secret"]["value"].as_str().unwrap().to_owned()
    }

    /// Calls the persona's API with a key, as a program of this name.
    pub async fn use_key(&self, key: &str, agent: &str) -> u16 {
        let call = &self.sandbox.probe.read;
        let url = format!("{}{}", self.sandbox.issuer_identifier, call.path);
        let request = self
            .http
            .get(url)
            .bearer_auth(key)
            .header("User-Agent", agent);
        request.send().await.unwrap().status().as_u16()
    }

    /// Reads a record of the project, whether or not there is one.
    pub async fn read_record(&self, key: &str, record: &str) -> u16 {
        let url = format!(
            "{}/v1/projects/atlas/records/{record}",
            self.sandbox.issuer_identifier
        );
        let request = self.http.get(url).bearer_auth(key);
        request.send().await.unwrap().status().as_u16()
    }

    pub async fn advance_clock(&self, seconds: u64) {
        let moved = self.world.advance(&self.sandbox, seconds).await;
        assert_eq!(moved.status, 200, "{moved:?}");
    }

    /// Puts a new installation below a credential.
    pub async fn declare(&self, credential: &str, id: &str, body: Value) -> Answer {
        let with = With {
            body: Some(body),
            fields: &[("If-None-Match", "*")],
        };
        self.with(
            "owner",
            "PUT",
            &format!("/{credential}/installations/{id}"),
            with,
        )
        .await
    }
}

/// An installation of a nightly job.
pub fn nightly(state: &str) -> Value {
    json!({
        "target": {"kind": "cron", "name": "nightly"},
        "state": state,
        "match": {"user_agent": "nightly/"},
    })
}

/// An installation id that no other call uses.
pub fn installation_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("ins_{:020}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// How the gates stand, by name.
pub fn states(gates: &Value) -> Vec<(String, String)> {
    gates
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| {
            let text = |member: &str| gate[member].as_str().unwrap().to_owned();
            (text("id"), text("state"))
        })
        .collect()
}
