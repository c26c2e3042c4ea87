//! One HTTP exchange under limits: where it may go, how long it may take, how much may come
//! back, and how often it is repeated.

mod answer;
mod policy;
mod repeat;
mod resolver;

use std::sync::Arc;
use std::time::Duration;

use clp_schemas::endpoint::Method;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use secrecy::ExposeSecret as _;
use url::Url;
use zeroize::Zeroizing;

pub use policy::Policy;

pub(crate) use answer::decode;
pub use repeat::Repeat;

use crate::error::{Error, LocalFault, NotAllowed, ProtocolFault, Unreachable};
use crate::token::Token;

/// The version of the protocol that every request names.
pub const VERSION: &str = "1.0";
/// Largest document read in discovery, in bytes.
pub(crate) const DISCOVERY_LIMIT: usize = 262_144;
/// Largest other answer read, in bytes: a page of 200 credentials with every member at its
/// bound, with room to spare.
pub(crate) const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// Redirects followed within one origin.
const MAX_REDIRECTS: usize = 3;

const CLP_VERSION: HeaderName = HeaderName::from_static("clp-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long an exchange may take. Both are bounds for one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the whole answer is there.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 10 and 30 seconds.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(30),
        }
    }
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) token: Option<&'a Token>,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) limit: usize,
}

/// What came back, whole and within the limits, but not yet understood.
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) media_type: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Sends requests as the policy allows.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    policy: Policy,
    repeat: Repeat,
}

impl Transport {
    pub(crate) fn new(policy: Policy, timeouts: Timeouts, repeat: Repeat) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("clp-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            // Followed by hand, so that each target is judged before anything is sent to it.
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would resolve names by itself, past the check of addresses.
            .no_proxy()
            .referer(false)
            // `repeat` decides what is sent again; the library does not know what is safe.
            .retry(reqwest::retry::never())
            .dns_resolver(Arc::new(resolver::CheckedResolver { policy }))
            .build()
            .map_err(|_| LocalFault::System("the TLS library cannot be set up"))?;
        Ok(Self {
            http,
            policy,
            repeat,
        })
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// Sends a request, follows redirects within its origin, and repeats it where the answer
    /// got lost or asks for patience. `repeatable` says that a repetition does nothing twice.
    pub(crate) async fn exchange(
        &self,
        outgoing: &Outgoing<'_>,
        repeatable: bool,
    ) -> Result<Incoming, Error> {
        let mut turn = self.repeat.begin(repeatable);
        loop {
            let result = self.follow(outgoing).await;
            match turn.wait_after(&result)? {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return result,
            }
        }
    }

    async fn follow(&self, outgoing: &Outgoing<'_>) -> Result<Incoming, Error> {
        let mut url = outgoing.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(outgoing, &url).await?;
            let status = response.status();
            if !status.is_redirection() || status.as_u16() == 304 {
                return read(response, outgoing.limit).await;
            }
            let target = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|text| url.join(text).ok())
                .ok_or(ProtocolFault::Redirects)?;
            if target.origin() != outgoing.url.origin() {
                return Err(ProtocolFault::RedirectElsewhere.into());
            }
            // What a redirected POST means depends on the status and on who reads it.
            if outgoing.method != Method::Get {
                return Err(ProtocolFault::Redirects.into());
            }
            url = target;
        }
        Err(ProtocolFault::Redirects.into())
    }

    async fn send(&self, outgoing: &Outgoing<'_>, url: &Url) -> Result<reqwest::Response, Error> {
        self.policy.check_url(url)?;
        let method = match outgoing.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut request = self
            .http
            .request(method, url.clone())
            .headers(headers(outgoing)?);
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|fault| failure(&fault))
    }
}

fn headers(outgoing: &Outgoing<'_>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(CLP_VERSION, HeaderValue::from_static(VERSION));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, application/problem+json, text/plain"),
    );
    if outgoing.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(key) = outgoing.idempotency_key {
        let value = HeaderValue::from_str(key)
            .map_err(|_| LocalFault::System("the idempotency key is malformed"))?;
        headers.insert(IDEMPOTENCY_KEY, value);
    }
    if let Some(token) = outgoing.token {
        let text = Zeroizing::new(format!("Bearer {}", token.secret().expose_secret()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Error::usage("the bearer token has characters that no token has"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

async fn read(mut response: reqwest::Response, limit: usize) -> Result<Incoming, Error> {
    let header = |name: &HeaderName| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.trim().to_owned())
    };
    let media_type = header(&CONTENT_TYPE).map(|text| {
        let essence = text.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    });
    let version = header(&CLP_VERSION);
    let retry_after = header(&RETRY_AFTER).and_then(|text| text.parse().ok());
    let too_large = || Error::from(ProtocolFault::TooLarge { limit });
    let announced = response.content_length().unwrap_or_default();
    if announced > limit as u64 {
        return Err(too_large());
    }
    // The announced length is within the limit here, so it may be trusted for the room.
    let room = usize::try_from(announced).unwrap_or_default();
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    while let Some(chunk) = response.chunk().await.map_err(|fault| failure(&fault))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Incoming {
        status: response.status().as_u16(),
        media_type,
        version,
        retry_after,
        body,
    })
}

/// Finds out why the library failed. Its own text is dropped: it names the URL.
fn failure(fault: &reqwest::Error) -> Error {
    let mut cause = std::error::Error::source(fault);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<NotAllowed>() {
            return (*refused).into();
        }
        cause = inner.source();
    }
    if fault.is_timeout() {
        Unreachable::Timeout.into()
    } else if fault.is_connect() {
        Unreachable::Connection.into()
    } else {
        Unreachable::Broken.into()
    }
}
