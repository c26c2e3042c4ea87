//! Answers that are changed on the wire. Nothing of it is there unless somebody asks for it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use serde_json::{Value, json};

use crate::seams::Tamper;

/// More than any body that a test sends or gets, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A call, as what changes its answer sees it.
pub struct Asked {
    /// The name of the endpoint; `elsewhere` at the persona's own API, `nothing` where nothing is.
    pub endpoint: &'static str,
    /// The method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer, as what changes it sees it.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Changes the body where it is JSON.
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut value = self.json();
        if !value.is_null() {
            change(&mut value);
            self.body = value.to_string().into_bytes();
        }
    }

    /// Sets a header field.
    pub fn set(&mut self, name: &'static str, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }

    /// Makes it a refusal of this type.
    pub fn refuse(&mut self, status: u16, name: &str) {
        self.status = status;
        self.set("content-type", "application/problem+json");
        let kind = format!("tag:clp.example,2026:problem/{name}");
        let body = json!({"type": kind, "title": "no", "status": status});
        self.body = body.to_string().into_bytes();
        self.headers.remove("content-length");
    }

    /// Whether it is a refusal of this type.
    pub fn is_problem(&self, name: &str) -> bool {
        self.json()
            .get("type")
            .and_then(Value::as_str)
            .and_then(|text| text.rsplit('/').next())
            == Some(name)
    }
}

/// The same with its answers changed, where somebody changes them. `name` says which endpoint
/// a method and a path lead to.
pub(crate) fn tampered(
    router: Router,
    tamper: Option<Tamper>,
    name: impl Fn(&str, &str) -> &'static str + Send + Sync + 'static,
) -> Router {
    let Some(tamper) = tamper else {
        return router;
    };
    let name = Arc::new(name);
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let name = Arc::clone(&name);
        async move { pass(tamper, &*name, request, next).await }
    }))
}

async fn pass(
    tamper: Tamper,
    name: &(impl Fn(&str, &str) -> &'static str + Sync),
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // What is too long even for a tampering issuer is refused by the issuer behind it.
    let body = to_bytes(body, MAX_BYTES).await.unwrap_or_default();
    let asked = Asked {
        endpoint: name(parts.method.as_str(), parts.uri.path()),
        method: parts.method.as_str().to_owned(),
        target: parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        headers: parts.headers.clone(),
        body: body.to_vec(),
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (mut parts, body) = response.into_parts();
    let mut answer = Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: to_bytes(body, MAX_BYTES).await.unwrap_or_default().to_vec(),
    };
    tamper(&asked, &mut answer);
    parts.status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    parts.headers = answer.headers;
    Response::from_parts(parts, Body::from(answer.body))
}
