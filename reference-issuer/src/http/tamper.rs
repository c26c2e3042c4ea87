//! Calls and answers that are changed on the wire. Nothing of it is there unless somebody asks
//! for it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use clp_schemas::problem::{MEDIA_TYPE, Problem, ProblemType};
use serde_json::Value;
use url::form_urlencoded;

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

    /// Whether a header field of this name was sent.
    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The first value of a header field; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// Sets a header field, if it can have that value.
    pub fn set(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// Changes the body where it is JSON.
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut value = self.json();
        if !value.is_null() {
            change(&mut value);
            self.body = value.to_string().into_bytes();
        }
    }

    /// Replaces the first occurrence of a text in the body.
    pub fn replace(&mut self, from: &str, to: &str) {
        if let Ok(text) = std::str::from_utf8(&self.body)
            && text.contains(from)
        {
            self.body = text.replacen(from, to, 1).into_bytes();
        }
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The parameters of the query, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect()
    }

    /// Whether the query has a parameter.
    pub fn has_query(&self, name: &str) -> bool {
        self.query().iter().any(|(given, _)| given == name)
    }

    /// Takes a parameter out of the query.
    pub fn drop_query(&mut self, name: &str) {
        let mut kept = self.query();
        kept.retain(|(given, _)| given != name);
        self.set_query(&kept);
    }

    /// The value of a parameter of a form.
    pub fn form(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body)
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Gives it another query.
    pub fn set_query(&mut self, parameters: &[(String, String)]) {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        self.target = match query.is_empty() {
            true => self.path().to_owned(),
            false => format!("{}?{query}", self.path()),
        };
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

    /// Makes a refusal of it.
    pub fn refuse(&mut self, kind: ProblemType) {
        self.status = kind.status();
        self.set("content-type", MEDIA_TYPE);
        self.body = serde_json::to_vec(&Problem::new(kind)).unwrap_or_default();
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

/// The same with calls and answers changed, where somebody changes them. `name` says which
/// endpoint a method and a path lead to.
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
        headers: parts.headers,
        body: body.to_vec(),
    };
    if let Some(mishear) = seams.mishear {
        mishear(&mut asked);
        if asked.has("content-length") {
            let length = asked.body.len().to_string();
            asked.set("content-length", &length);
        }
    }
    parts.method = Method::from_bytes(asked.method.as_bytes()).unwrap_or(parts.method);
    if asked.target != parts.uri.to_string() {
        parts.uri = Uri::try_from(&asked.target).unwrap_or(parts.uri);
    }
    parts.headers = asked.headers.clone();
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
