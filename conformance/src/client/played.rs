//! The issuer that a client under test meets: the reference issuer, honest, behind a wire that
//! takes everything down and misbehaves as a scenario says. No second issuer is written for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::middleware::{self, Next};
use clp_schemas::endpoint::{self, Base, Endpoint};
use clp_schemas::json;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::elsewhere::Elsewhere;
use super::misbehaviour::{How, Misbehaviour, Refusal, Scene};

/// Largest body that is taken in either direction, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How a call with a minted key is named, which is no endpoint of the protocol.
pub const RESOURCE: &str = "resource";

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// When it came in.
    pub at: Instant,
    /// The name of the endpoint; `resource` for the issuer's own API, `unknown` for the rest.
    pub endpoint: &'static str,
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub target: String,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What the honest issuer answered, where it was asked.
    pub honest: Option<Answered>,
    /// What was sent in the end; `None` where nothing was.
    pub sent: Option<Answered>,
    /// What the watched files held when it came in.
    pub files: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl Exchanged {
    /// The first header field of that name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The request's body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answered {
    /// The first header field of that name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the wire knows.
#[derive(Debug, Default)]
struct Memory {
    exchanged: Vec<Exchanged>,
    active: Vec<(&'static Misbehaviour, usize)>,
    watched: Vec<PathBuf>,
    /// The path of E.
    endpoint: String,
    write_permissions: Value,
}

/// The wire in front of the honest issuer.
#[derive(Debug)]
pub struct Wire {
    memory: Mutex<Memory>,
    /// Where a client has no reason to go.
    pub elsewhere: Elsewhere,
    /// Told when the issuer has gone silent for good.
    pub silent: Notify,
}

impl Wire {
    /// One that is honest.
    ///
    /// # Errors
    /// Where no port is free for the other origin.
    pub async fn new() -> Result<Arc<Self>, std::io::Error> {
        Ok(Arc::new(Self {
            memory: Mutex::default(),
            elsewhere: Elsewhere::start().await?,
            silent: Notify::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // What was taken down is true, whatever happened since.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns where the credentials are, and what writing needs.
    pub fn learn(&self, endpoint: &str, write_permissions: &Value) {
        let mut memory = self.lock();
        endpoint.clone_into(&mut memory.endpoint);
        memory.write_permissions = write_permissions.clone();
    }

    /// Misbehaves like this from now on, besides what it does already.
    pub fn misbehave(&self, misbehaviour: &'static Misbehaviour) {
        self.lock().active.push((misbehaviour, 0));
    }

    /// Is honest from now on.
    pub fn reform(&self) {
        self.lock().active.clear();
    }

    /// Looks at a file whenever a request comes in.
    pub fn watch(&self, file: PathBuf) {
        self.lock().watched.push(file);
    }

    /// Everything so far, oldest first.
    #[must_use]
    pub fn exchanged(&self) -> Vec<Exchanged> {
        self.lock().exchanged.clone()
    }

    /// How much there is so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().exchanged.len()
    }

    /// Puts itself in front of what answers.
    pub fn wrap(self: Arc<Self>, honest: Router) -> Router {
        let front = middleware::from_fn(move |request: Request, next: Next| {
            let wire = Arc::clone(&self);
            async move { wire.pass(request, next).await }
        });
        Router::new().fallback_service(honest).layer(front)
    }

    async fn pass(&self, request: Request, next: Next) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let method = parts.method.as_str().to_owned();
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |both| both.as_str())
            .to_owned();
        let (index, active) = self.arrive(&method, &target, &parts.headers, &body);
        if let Some(How::Refuse(refusal)) = active.map(|one| one.how) {
            return self.send(index, refuse(&refusal), false);
        }
        if matches!(active.map(|one| one.how), Some(How::Unserved)) {
            return self.send(index, unserved(), false);
        }
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        let (head, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return empty(StatusCode::BAD_GATEWAY);
        };
        let answer = Response::from_parts(head, body.to_vec());
        self.remember(index, &answer);
        match active.map(|one| one.how) {
            Some(How::Silent) => {
                self.silent.notify_one();
                std::future::pending().await
            }
            Some(How::Lose) => self.send(index, answer, true),
            Some(how) => self.send(index, self.change(index, how, answer, &target), false),
            None => self.send(index, answer, false),
        }
    }

    /// Takes a request down, and says what is to be done with it.
    fn arrive(
        &self,
        method: &str,
        target: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> (usize, Option<&'static Misbehaviour>) {
        let mut memory = self.lock();
        let path = target.split('?').next().unwrap_or(target);
        let endpoint = name(method, path, &memory.endpoint);
        let files = memory
            .watched
            .iter()
            .map(|path| (path.clone(), std::fs::read(path).ok()))
            .collect();
        memory.exchanged.push(Exchanged {
            at: Instant::now(),
            endpoint,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: fields(headers),
            body: body.to_vec(),
            honest: None,
            sent: None,
            files,
        });
        let index = memory.exchanged.len() - 1;
        // The newest that concerns this request counts.
        let active = memory.active.iter_mut().rev().find_map(|(one, done)| {
            let here =
                one.at == endpoint || (one.at == "every" && endpoint != "permission_document_read");
            let most = match one.how {
                How::Lose | How::Silent => 1,
                How::Refuse(refusal) => refusal.times,
                _ => usize::MAX,
            };
            if !here || *done >= most {
                return None;
            }
            *done += 1;
            Some(*one)
        });
        (index, active)
    }

    fn remember(&self, index: usize, answer: &Response<Vec<u8>>) {
        if let Some(one) = self.lock().exchanged.get_mut(index) {
            one.honest = Some(answered(answer));
        }
    }

    /// The answer as it is to go out.
    fn change(
        &self,
        index: usize,
        how: How,
        answer: Response<Vec<u8>>,
        target: &str,
    ) -> Response<Vec<u8>> {
        let memory = self.lock();
        let scene = Scene {
            elsewhere: self.elsewhere.origin("http"),
            query: target.split_once('?').map(|(_, query)| query),
            write_permissions: &memory.write_permissions,
            before: memory.exchanged.get(..index).unwrap_or_default(),
        };
        let (mut head, body) = answer.into_parts();
        let body = match how {
            How::Edit(edit) if head.status.is_success() => {
                let limits = json::Limits {
                    bytes: MAX_BODY,
                    depth: 64,
                };
                match json::parse(&body, limits) {
                    Ok(mut value) if value.is_object() => {
                        edit(&mut value, &scene);
                        value.to_string().into_bytes()
                    }
                    _ => body,
                }
            }
            How::Raw(other) if head.status.is_success() => other(&body, &scene),
            How::Redirect => {
                head.status = StatusCode::TEMPORARY_REDIRECT;
                let there = format!("{}{target}", scene.elsewhere);
                if let Ok(value) = HeaderValue::from_str(&there) {
                    head.headers.insert(LOCATION, value);
                }
                Vec::new()
            }
            _ => body,
        };
        head.headers.remove(CONTENT_LENGTH);
        Response::from_parts(head, body)
    }

    /// Sends an answer off, or its head and then nothing.
    fn send(&self, index: usize, answer: Response<Vec<u8>>, lost: bool) -> Response<Body> {
        if let (Some(one), false) = (self.lock().exchanged.get_mut(index), lost) {
            one.sent = Some(answered(&answer));
        }
        let (mut head, body) = answer.into_parts();
        if !lost {
            return Response::from_parts(head, Body::from(body));
        }
        head.headers.remove(CONTENT_LENGTH);
        let broken = std::io::Error::other("the connection is lost here");
        let stream = futures::stream::once(async move { Err::<Bytes, _>(broken) });
        Response::from_parts(head, Body::from_stream(stream))
    }
}

fn answered(answer: &Response<Vec<u8>>) -> Answered {
    Answered {
        status: answer.status().as_u16(),
        headers: fields(answer.headers()),
        body: answer.body().clone(),
    }
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn refuse(refusal: &Refusal) -> Response<Vec<u8>> {
    let body = json!({
        "type": format!("tag:clp.example,2026:problem/{}", refusal.problem),
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.title,
    });
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() =
        StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert("clp-version", HeaderValue::from_static("1.0"));
    if let Some(seconds) = refusal.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn unserved() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(
        axum::http::header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer error=\"invalid_token\""),
    );
    response
}

/// The name of the endpoint that a request is for.
fn name(method: &str, path: &str, credentials: &str) -> &'static str {
    let fits = |row: &&&Endpoint| {
        let here = match row.base {
            Base::Origin => Some(path),
            Base::Credentials => path.strip_prefix(credentials),
            Base::Control => None,
        };
        row.method.name() == method && here.is_some_and(|here| is_at(row.path, here))
    };
    let literal =
        |row: &&&Endpoint| row.path.matches('/').count() * 8 - row.path.matches('{').count();
    let found = endpoint::ALL.iter().filter(fits).max_by_key(literal);
    let below = path
        .strip_prefix(credentials)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match found {
        Some(row) => row.name,
        None if below || path.starts_with("/.well-known/") => "unknown",
        None => RESOURCE,
    }
}

/// Whether a path is one of a template's.
fn is_at(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let fits = template.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| (wanted.starts_with('{') && !part.is_empty()) || wanted == part)
    });
    fits && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_by_the_table_of_endpoints() {
        for (method, path, expected) in [
            ("GET", "/.well-known/credential-issuer", "manifest_read"),
            ("POST", "/c", "credential_create"),
            ("GET", "/c", "credential_list"),
            ("GET", "/c/cred_1", "credential_read"),
            ("GET", "/c/deliveries/dlv_1", "delivery_read"),
            ("GET", "/c/rotations/rot_1", "rotation_read"),
            ("GET", "/c/audit/entries", "audit_entries"),
            ("PUT", "/c/cred_1/installations/ins_1", "installation_put"),
            ("GET", "/events", "resource"),
            ("GET", "/c/cred_1/nothing/there", "unknown"),
        ] {
            assert_eq!(name(method, path, "/c"), expected, "{method} {path}");
        }
    }
}
