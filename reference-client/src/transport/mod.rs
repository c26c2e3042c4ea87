//! One HTTP exchange under limits: where it may go, how long it may take, how much may come
//! back, and how often it is repeated.

mod answer;
mod policy;
mod repeat;
mod resolver;
mod run;

use std::sync::Arc;
use std::time::Duration;

use clp_schemas::endpoint::Method;
use clp_schemas::ops::faults::RUN_HEADER;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH, LOCATION, RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE,
};
use secrecy::ExposeSecret as _;
use url::Url;
use zeroize::Zeroizing;

pub use policy::Policy;

pub(crate) use answer::decode;
pub use repeat::Repeat;
pub use run::TestRun;

use crate::client::Settings;
use crate::error::{Error, LocalFault, NotAllowed, ProtocolFault, Unreachable};
use crate::sabotage::Sabotage;
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
const TEST_RUN: HeaderName = HeaderName::from_static(RUN_HEADER);
const DPOP: HeaderName = HeaderName::from_static("dpop");

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

/// Who calls, and how that is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Authorization<'a> {
    /// Nobody says who calls.
    #[default]
    None,
    /// With a bearer token (RFC 6750).
    Bearer(&'a Token),
    /// With a client's id and secret, as they go into the header field (RFC 7617).
    Basic(&'a Token),
    /// With a bound key and the proof for this one call (RFC 9449).
    Dpop(&'a Token, &'a str),
}

/// The state that the caller saw (RFC 9110 section 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// The one with this entity tag.
    Match(&'a str),
    /// None: there is no such object yet.
    New,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) authorization: Authorization<'a>,
    pub(crate) condition: Option<Condition<'a>>,
    pub(crate) idempotency_key: Option<&'a str>,
    /// Its media type, and the body.
    pub(crate) body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    /// Instead of the client's own name.
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) limit: usize,
}

impl Outgoing<'_> {
    /// A GET of something, by nobody.
    pub(crate) fn get(url: Url, limit: usize) -> Self {
        Self {
            method: Method::Get,
            url,
            authorization: Authorization::None,
            condition: None,
            idempotency_key: None,
            body: None,
            user_agent: None,
            limit,
        }
    }
}

/// What came back, whole and within the limits, but not yet understood.
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) media_type: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) etag: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// What whoever reads it breaks.
    pub(crate) sabotage: Sabotage,
}

/// Sends requests as the policy allows.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    policy: Policy,
    repeat: Repeat,
    sabotage: Sabotage,
}

impl Transport {
    /// # Errors
    /// [`NotAllowed::TestIssuer`] for a run of a test where no test issuer is allowed.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let Settings {
            policy,
            timeouts,
            repeat,
            sabotage,
            ..
        } = *settings;
        let mut always = HeaderMap::new();
        if let Some(run) = &settings.test_run {
            if !policy.test_issuer {
                return Err(NotAllowed::TestIssuer.into());
            }
            always.insert(TEST_RUN, run.field()?);
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("clp-client/", env!("CARGO_PKG_VERSION")))
            .default_headers(always)
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
            sabotage,
        })
    }

    /// The same transport, which waits out a `Retry-After` of up to `longest`, if it did not.
    pub(crate) fn waiting_at_most(mut self, longest: std::time::Duration) -> Self {
        self.repeat.longest_wait = self.repeat.longest_wait.max(longest);
        self
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
        let mut turn = self.repeat.begin(repeatable, self.sabotage);
        let mut fresh = String::new();
        loop {
            let key = match fresh.as_str() {
                "" => outgoing.idempotency_key,
                fresh => Some(fresh),
            };
            let result = self.follow(outgoing, key).await;
            if self.sabotage.breaks("CLP-TRN-026") && outgoing.idempotency_key.is_some() {
                fresh = crate::client::new_idempotency_key()?;
            }
            match turn.wait_after(&result)? {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return result,
            }
        }
    }

    /// Sends a request to a resource, once, and takes whatever answer comes. A redirect is an
    /// answer too: a proof is for one URL, and a key goes where it was sent and nowhere else.
    pub(crate) async fn once(&self, outgoing: &Outgoing<'_>) -> Result<Incoming, Error> {
        let key = outgoing.idempotency_key;
        let response = self.send(outgoing, &outgoing.url, key).await?;
        self.read(response, outgoing.limit).await
    }

    async fn follow(&self, outgoing: &Outgoing<'_>, key: Option<&str>) -> Result<Incoming, Error> {
        let mut url = outgoing.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(outgoing, &url, key).await?;
            let status = response.status();
            if !status.is_redirection() || status.as_u16() == 304 {
                return self.read(response, outgoing.limit).await;
            }
            let target = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|text| url.join(text).ok())
                .ok_or(ProtocolFault::Redirects)?;
            if target.origin() != outgoing.url.origin() && !self.sabotage.breaks("CLP-DIS-011") {
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

    async fn read(&self, response: reqwest::Response, limit: usize) -> Result<Incoming, Error> {
        let limit = match self.sabotage.breaks("CLP-DIS-010") {
            true => ANSWER_LIMIT,
            false => limit,
        };
        let mut incoming = read(response, limit).await?;
        incoming.sabotage = self.sabotage;
        Ok(incoming)
    }

    async fn send(
        &self,
        outgoing: &Outgoing<'_>,
        url: &Url,
        key: Option<&str>,
    ) -> Result<reqwest::Response, Error> {
        if !self.sabotage.breaks("CLP-SEC-005") {
            self.policy.check_url(url)?;
        }
        let method = match outgoing.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut headers = headers(outgoing, key)?;
        if self.sabotage.breaks("CLP-TRN-003") {
            headers.remove(CLP_VERSION);
        }
        let mut request = self.http.request(method, url.clone()).headers(headers);
        if let Some((_, body)) = &outgoing.body {
            request = request.body(body.to_vec());
        }
        request.send().await.map_err(|fault| failure(&fault))
    }
}

fn headers(outgoing: &Outgoing<'_>, key: Option<&str>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(CLP_VERSION, HeaderValue::from_static(VERSION));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, application/problem+json, text/plain"),
    );
    if let Some((media_type, _)) = &outgoing.body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    match outgoing.condition {
        None => {}
        Some(Condition::New) => {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        Some(Condition::Match(tag)) => {
            let value = HeaderValue::from_str(tag)
                .map_err(|_| ProtocolFault::Mismatch("the entity tag"))?;
            headers.insert(IF_MATCH, value);
        }
    }
    if let Some(name) = outgoing.user_agent {
        let value = HeaderValue::from_str(name)
            .map_err(|_| Error::usage("the user agent has characters that no header field has"))?;
        headers.insert(USER_AGENT, value);
    }
    if let Some(key) = key {
        let value = HeaderValue::from_str(key)
            .map_err(|_| LocalFault::System("the idempotency key is malformed"))?;
        headers.insert(IDEMPOTENCY_KEY, value);
    }
    authorize(&mut headers, outgoing.authorization)?;
    Ok(headers)
}

fn authorize(headers: &mut HeaderMap, who: Authorization<'_>) -> Result<(), Error> {
    let (scheme, token) = match who {
        Authorization::None => return Ok(()),
        Authorization::Bearer(token) => ("Bearer", token),
        Authorization::Basic(pair) => ("Basic", pair),
        Authorization::Dpop(key, proof) => {
            let value = HeaderValue::from_str(proof)
                .map_err(|_| LocalFault::System("the proof is malformed"))?;
            headers.insert(DPOP, value);
            ("DPoP", key)
        }
    };
    let text = Zeroizing::new(format!("{scheme} {}", token.secret().expose_secret()));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Error::usage("the bearer token has characters that no token has"))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
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
    let etag = header(&ETAG);
    let challenge = header(&WWW_AUTHENTICATE);
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
        etag,
        challenge,
        body,
        sabotage: Sabotage::default(),
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
