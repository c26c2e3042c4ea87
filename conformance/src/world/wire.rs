//! The suite's own HTTP client. It follows nothing, trusts nothing and reads no more than it
//! has to: the subject is judged from outside.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, redirect};
use url::Url;

use crate::oracle::canary::Canary;
use crate::record::{Exchange, GotResponse, SentRequest};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest text that is recorded of one body, in characters.
const MAX_RECORDED: usize = 16 * 1024;

/// How much is asked of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a whole answer.
    pub time: Duration,
    /// Largest answer that is read, in bytes.
    pub bytes: usize,
}

impl Default for Limits {
    /// Slow issuers are borne with, and a page of 200 credentials fits.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            bytes: 8 * 1024 * 1024,
        }
    }
}

/// A request as it goes out.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// The header fields, in order; a name can stand twice.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// An answer as it came in.
#[derive(Clone, Debug)]
pub struct Got {
    /// The status.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Got {
    /// The first header field of that name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text, for looking at.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Everything that a secret could stand in.
    #[must_use]
    pub fn everything(&self) -> String {
        let mut all = self.text();
        for (name, value) in &self.headers {
            all.push('\n');
            all.push_str(name);
            all.push_str(": ");
            all.push_str(value);
        }
        all
    }
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer, or why there is none.
    pub got: Result<Got, String>,
    /// What came of an answer that broke off.
    pub part: Option<Got>,
    /// From the first byte sent to the last byte read.
    pub millis: u64,
}

/// A client that waits no longer than that.
///
/// # Errors
/// Where the system cannot do TLS.
pub fn client(limits: Limits) -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(CONNECT)
        .timeout(limits.time)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("clp-conformance/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Sends a request and reads the answer.
pub async fn exchange(client: &Client, sent: &Sent, limits: Limits) -> Outcome {
    let begun = Instant::now();
    let mut part = None;
    let got = attempt(client, sent, limits, &mut part).await;
    Outcome {
        part: part.filter(|_| got.is_err()),
        got,
        millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// Leaves in `part` what has arrived so far.
async fn attempt(
    client: &Client,
    sent: &Sent,
    limits: Limits,
    part: &mut Option<Got>,
) -> Result<Got, String> {
    let method = Method::from_bytes(sent.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = client.request(method, sent.url.clone());
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    if let Some(body) = &sent.body {
        request = request.body(body.clone());
    }
    let mut response = request.send().await.map_err(|error| words(&error))?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let got = part.insert(Got {
        status: response.status().as_u16(),
        headers,
        body: Vec::new(),
    });
    while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
        if got.body.len() + chunk.len() > limits.bytes {
            return Err(format!("an answer of more than {} bytes", limits.bytes));
        }
        got.body.extend_from_slice(&chunk);
    }
    Ok(got.clone())
}

/// An error with its causes. The URL stands in the record already.
pub fn words(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "a broken answer".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The exchange as it may be shown.
#[must_use]
pub fn record(sent: &Sent, outcome: &Outcome, canary: &Canary) -> Exchange {
    let headers = |all: &[(String, String)]| {
        all.iter()
            .map(|(name, value)| {
                let clean = canary.redact(value);
                let clean = if name.eq_ignore_ascii_case("authorization") {
                    without_credentials(&clean)
                } else {
                    clean
                };
                (name.clone(), clean)
            })
            .collect()
    };
    let body = |bytes: &[u8]| {
        if bytes.is_empty() {
            return None;
        }
        let text = canary.redact(&String::from_utf8_lossy(bytes));
        let length = text.chars().count();
        if length <= MAX_RECORDED {
            return Some(text);
        }
        let head: String = text.chars().take(MAX_RECORDED).collect();
        Some(format!(
            "{head} [{} characters more]",
            length - MAX_RECORDED
        ))
    };
    let (response, fault) = match &outcome.got {
        Ok(got) => (
            Some(GotResponse {
                status: got.status,
                headers: headers(&got.headers),
                body: body(&got.body),
            }),
            None,
        ),
        Err(fault) => (None, Some(canary.redact(fault))),
    };
    Exchange {
        request: SentRequest {
            method: sent.method.clone(),
            url: canary.redact(sent.url.as_str()),
            headers: headers(&sent.headers),
            body: sent.body.as_deref().and_then(body),
        },
        response,
        fault,
        millis: outcome.millis,
    }
}

/// The scheme alone, unless the rest is a label already: what stands there is a credential,
/// however short and whoever made it up.
fn without_credentials(value: &str) -> String {
    match value.split_once(' ') {
        Some((_, rest)) if rest.starts_with('[') && rest.ends_with(']') => value.to_owned(),
        Some((scheme, _)) => format!("{scheme} [credentials]"),
        None => "[credentials]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_by_their_place() {
        for (sent, shown) in [
            ("Bearer c", "Bearer [credentials]"),
            ("Basic Yzpk", "Basic [credentials]"),
            ("c", "[credentials]"),
            ("Bearer [Ana's token]", "Bearer [Ana's token]"),
        ] {
            let sent = Sent {
                method: "GET".to_owned(),
                url: Url::parse("http://localhost/").unwrap(),
                headers: vec![("Authorization".to_owned(), sent.to_owned())],
                body: None,
            };
            let outcome = Outcome {
                got: Err("no answer".to_owned()),
                part: None,
                millis: 0,
            };
            let shown_there = record(&sent, &outcome, &Canary::default());
            assert_eq!(shown_there.request.headers[0].1, shown);
        }
    }
}
