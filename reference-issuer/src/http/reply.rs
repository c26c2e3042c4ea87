//! Answers, before they become header fields and bytes.

use std::fmt;

use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use clp_schemas::problem::{self, Problem, ProblemType};
use serde::Serialize;

use super::inbound::{VERSION, VERSION_HEADER};

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    media: Option<&'static str>,
    fields: Vec<(HeaderName, String)>,
    body: Vec<u8>,
    problem: Option<&'static str>,
}

impl fmt::Debug for Reply {
    /// The body can be a delivery.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("status", &self.status)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

impl Reply {
    /// An answer that is JSON.
    ///
    /// # Errors
    /// `internal`, if the value cannot be written.
    pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(|fault| {
            tracing::error!(%fault, "an answer cannot be written");
            Problem::from(ProblemType::Internal)
        })?;
        Ok(Self::new(status, Some("application/json"), body))
    }

    /// An answer of another media type.
    #[must_use]
    pub fn text(status: u16, media: &'static str, body: String) -> Self {
        Self::new(status, Some(media), body.into_bytes())
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self::new(status, None, Vec::new())
    }

    /// A refusal.
    #[must_use]
    pub fn refusal(problem: &Problem) -> Self {
        // A problem has text members only, so writing it cannot fail.
        let body = serde_json::to_vec(problem).unwrap_or_default();
        let mut reply = Self::new(problem.status, Some(problem::MEDIA_TYPE), body);
        reply.problem = problem.kind().map(ProblemType::name);
        match problem.kind() {
            Some(ProblemType::RateLimited) => reply.with(RETRY_AFTER, "60"),
            Some(ProblemType::Unavailable) => reply.with(RETRY_AFTER, "1"),
            _ => reply,
        }
    }

    /// A recorded answer, given again byte for byte.
    #[must_use]
    pub fn again(status: u16, location: Option<String>, body: Vec<u8>) -> Self {
        let read: Option<Problem> = match status {
            200..300 => None,
            _ => serde_json::from_slice(&body).ok(),
        };
        let media = if read.is_some() {
            problem::MEDIA_TYPE
        } else {
            "application/json"
        };
        let mut reply = Self::new(status, Some(media), body);
        reply.problem = read
            .and_then(|problem| problem.kind())
            .map(ProblemType::name);
        match location {
            Some(location) => reply.location(&location),
            None => reply,
        }
    }

    fn new(status: u16, media: Option<&'static str>, body: Vec<u8>) -> Self {
        Self {
            status,
            media,
            fields: Vec::new(),
            body,
            problem: None,
        }
    }

    /// The same with one more header field.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// The same naming what was made.
    #[must_use]
    pub fn location(self, uri: &str) -> Self {
        self.with(LOCATION, uri)
    }

    /// The same with a challenge (RFC 9110 section 11.6.1).
    #[must_use]
    pub fn challenge(self, challenge: &str) -> Self {
        self.with(WWW_AUTHENTICATE, challenge)
    }

    /// The same naming the methods that there are.
    #[must_use]
    pub fn allow(self, methods: &str) -> Self {
        self.with(ALLOW, methods)
    }

    /// The same saying how it may be cached (RFC 9111 section 5.2.2).
    #[must_use]
    pub fn caching(self, directive: &str) -> Self {
        self.with(CACHE_CONTROL, directive)
    }

    /// The same with a strong entity tag.
    #[must_use]
    pub fn etag(self, tag: &str) -> Self {
        self.with(ETAG, &format!("\"{tag}\""))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The name of the problem, if it is one.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        self.problem
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The answer as it goes out.
    #[must_use]
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
        if let Some(media) = self.media {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        }
        for (name, value) in self.fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
