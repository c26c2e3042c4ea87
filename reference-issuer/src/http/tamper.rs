//! Messages that are changed on the wire. Nothing of it is there unless somebody asks for it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use clp_schemas::problem::{MEDIA_TYPE, Problem, ProblemType};
use serde_json::Value;

use crate::seams::Seams;

/// More than any body that a test sends or gets, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A call, as what changes it or its answer sees it.
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

    /// The parameters of the query, as they were sent.
    fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// Whether the query has a parameter.
    pub fn has_query(&self, name: &str) -> bool {
        self.query().any(|(given, _)| given == name)
    }

    /// Takes a parameter out of the query.
    pub fn drop_query(&mut self, name: &str) {
        let kept: Vec<String> = self
            .query()
            .filter(|(given, _)| *given != name)
            .map(|(given, value)| format!("{given}={value}"))
            .collect();
        let path = self.target.split('?').next().unwrap_or_default();
        self.target = match kept.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", kept.join("&")),
        };
    }

    /// The value of a parameter of a form.
    pub fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body)
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.into_owned())
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

    /// Makes it a refusal.
    pub fn refuse(&mut self, kind: ProblemType) {
        let problem = Problem::new(kind);
        self.status = problem.status;
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // A problem has text members only, so writing it cannot fail.
        self.body = serde_json::to_vec(&problem).unwrap_or_default();
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

/// The same with its messages changed, where somebody changes them. `name` says which endpoint
/// a method and a path lead to.
pub(crate) fn tampered(
    router: Router,
    seams: Seams,
    name: impl Fn(&str, &str) -> &'static str + Send + Sync + 'static,
) -> Router {
    if seams.mishear.is_none() && seams.tamper.is_none() {
        return router;
    }
    let name = Arc::new(name);
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let name = Arc::clone(&name);
        async move { pass(seams, &*name, request, next).await }
    }))
}

async fn pass(
    seams: Seams,
    name: &(impl Fn(&str, &str) -> &'static str + Sync),
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    // What is too long even for a tampering issuer is refused by the issuer behind it.
    let body = to_bytes(body, MAX_BYTES).await.unwrap_or_default();
    let mut asked = Asked {
        endpoint: name(parts.method.as_str(), parts.uri.path()),
        method: parts.method.as_str().to_owned(),
        target: parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        headers: parts.headers.clone(),
        body: body.to_vec(),
    };
    if let Some(mishear) = seams.mishear {
        mishear(&mut asked);
        if parts.headers.contains_key(CONTENT_LENGTH) {
            let length = HeaderValue::from(asked.body.len());
            asked.headers.insert(CONTENT_LENGTH, length);
        }
        parts.headers = asked.headers.clone();
        parts.uri = asked.target.parse().unwrap_or(parts.uri);
    }
    let body = Body::from(asked.body.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(tamper) = seams.tamper else {
        return response;
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_taken_out_of_the_query_and_nothing_else() {
        let without = |target: &str| {
            let mut asked = Asked {
                endpoint: "nothing",
                method: "GET".to_owned(),
                target: target.to_owned(),
                headers: HeaderMap::new(),
                body: Vec::new(),
            };
            asked.drop_query("state");
            asked.target
        };
        assert_eq!(without("/a?b=1&state=x&c"), "/a?b=1&c=");
        assert_eq!(without("/a?state=x"), "/a");
        assert_eq!(without("/a"), "/a");
        assert_eq!(without("/a?states=x"), "/a?states=x");
    }
}
