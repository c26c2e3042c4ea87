//! A request as it arrived: bounded in size and time, nothing in it believed yet.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, IF_NONE_MATCH};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use clp_schemas::json::Limits;
use clp_schemas::problem::{Problem, ProblemType};
use futures::StreamExt as _;

use crate::rules::Rule;
use crate::seams::Seams;

/// How long a body may take to arrive.
const READ_TIME: Duration = Duration::from_secs(10);

/// A body that is too large is read on and thrown away up to so many times the limit: a peer
/// that is cut off while it sends does not see the answer.
const DRAINED: usize = 4;

/// The version of the protocol, in the header field `CLP-Version`.
pub(super) const VERSION: &str = "1.0";
/// The header field that names the version.
pub(crate) const VERSION_HEADER: &str = "clp-version";

/// Where a connection comes from, as its requests carry it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A request as it arrived.
pub struct Inbound {
    /// The method.
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent; empty where there is none.
    pub query: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The address that it came from.
    pub peer: IpAddr,
}

impl fmt::Debug for Inbound {
    /// Header fields, query and body can hold what is secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Inbound")
            .field("method", &self.method)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Whether the host that a request names is this machine. It is another one where a page of
/// a browser has had its own name resolved to the loopback interface, which would then answer
/// to the page. A request that names none comes from no browser.
fn names_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    let is_local = |authority: &Authority| {
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let address = match bare {
            Some(bare) => bare.parse::<Ipv6Addr>().map(IpAddr::V6),
            None => host.parse::<Ipv4Addr>().map(IpAddr::V4),
        };
        match address {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        }
    };
    uri.authority().is_none_or(is_local)
        && headers.get_all(HOST).iter().all(|value| {
            Authority::try_from(value.as_bytes()).is_ok_and(|authority| is_local(&authority))
        })
}

/// Step 1: the version.
const VERSION_RULES: &[Rule<HeaderMap>] = &[Rule {
    id: "CLP-TRN-002",
    refuses: |headers| {
        headers
            .get_all(VERSION_HEADER)
            .iter()
            .any(|version| version != VERSION)
            .then(|| ProblemType::VersionNotSupported.into())
    },
}];

/// Step 2: the size of the body, as far as it was read.
const SIZE_RULES: &[Rule<ReadOutcome>] = &[Rule {
    id: "CLP-TRN-004",
    refuses: |outcome| {
        matches!(outcome, ReadOutcome::TooLarge).then(|| ProblemType::BodyTooLarge.into())
    },
}];

enum ReadOutcome {
    Whole(Vec<u8>),
    TooLarge,
    CutOff,
}

impl Inbound {
    /// Reads a request, and makes the first two checks.
    ///
    /// # Errors
    /// `not-found` for the name of another machine, `version-not-supported`, `body-too-large`, or `invalid-json` for a body that breaks
    /// off or does not arrive in time.
    pub async fn read(seams: Seams, request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let peer = parts
            .extensions
            .get::<Peer>()
            .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Peer(peer)| *peer);
        if !names_this_machine(&parts.uri, &parts.headers) {
            return Err(ProblemType::NotFound.into());
        }
        seams.check(VERSION_RULES, &parts.headers)?;
        let body = read_whole(seams, body).await?;
        Ok(Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
            peer,
        })
    }

    /// The bearer token of the `Authorization` header field (RFC 6750 section 2.1), and of no
    /// other place. Two such header fields are none.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.authorization()?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// Scheme and value of the one `Authorization` header field.
    #[must_use]
    pub fn authorization(&self) -> Option<(&str, &str)> {
        let (scheme, value) = self.only(AUTHORIZATION.as_str())?.split_once(' ')?;
        let value = value.trim_start_matches(' ');
        (!value.is_empty()).then_some((scheme, value))
    }

    /// Whether any `Authorization` header field was sent.
    #[must_use]
    pub fn has_authorization(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// Whether the peer has the document with this entity tag already (RFC 9110 section
    /// 13.1.2).
    #[must_use]
    pub fn has_etag(&self, tag: &str) -> bool {
        let quoted = format!("\"{tag}\"");
        self.headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == quoted)
    }

    /// Whether the body says that it is JSON; a `charset` is ignored (RFC 8259 section 11).
    pub(crate) fn is_json(&self) -> bool {
        self.is_of("application/json")
    }

    /// Whether the body says that it is a form.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.is_of("application/x-www-form-urlencoded")
    }

    fn is_of(&self, media: &str) -> bool {
        self.only(CONTENT_TYPE.as_str()).is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(media)
        })
    }

    /// The value of a header field that was sent once, as text.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }
}

/// Reads a body to its end.
///
/// # Errors
/// `body-too-large`, or `invalid-json` for one that breaks off or does not arrive in time.
pub(crate) async fn read_whole(seams: Seams, body: Body) -> Result<Vec<u8>, Problem> {
    let outcome = read_body(body).await;
    seams.check(SIZE_RULES, &outcome)?;
    match outcome {
        ReadOutcome::Whole(body) => Ok(body),
        ReadOutcome::TooLarge | ReadOutcome::CutOff => {
            Err(Problem::new(ProblemType::InvalidJson).detail("the body did not arrive whole"))
        }
    }
}

async fn read_body(body: Body) -> ReadOutcome {
    let limit = Limits::default().bytes;
    let read = async {
        let mut stream = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut size = 0_usize;
        while let Some(chunk) = stream.next().await {
            let Ok(chunk) = chunk else {
                return ReadOutcome::CutOff;
            };
            size = size.saturating_add(chunk.len());
            if size > DRAINED * limit {
                break;
            }
            if size <= limit {
                bytes.extend_from_slice(&chunk);
            }
        }
        if size > limit {
            return ReadOutcome::TooLarge;
        }
        ReadOutcome::Whole(bytes)
    };
    tokio::time::timeout(READ_TIME, read)
        .await
        .unwrap_or(ReadOutcome::CutOff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, values: &[&str]) -> Inbound {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        Inbound {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Vec::new(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    #[test]
    fn a_token_is_read_from_one_bearer_field_alone() {
        assert_eq!(
            request("authorization", &["Bearer abc"]).bearer(),
            Some("abc")
        );
        assert_eq!(
            request("authorization", &["bearer  abc"]).bearer(),
            Some("abc")
        );
        for values in [
            &["Basic abc"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a", "Bearer a"],
            &[],
        ] {
            assert_eq!(
                request("authorization", values).bearer(),
                None,
                "{values:?}"
            );
        }
    }

    #[test]
    fn a_charset_is_ignored_and_another_type_is_not() {
        assert!(request("content-type", &["application/json"]).is_json());
        assert!(request("content-type", &["Application/JSON; charset=utf-8"]).is_json());
        for values in [
            &["application/jsonp"][..],
            &["text/plain"],
            &[],
            &["application/json", "text/plain"],
        ] {
            assert!(!request("content-type", values).is_json(), "{values:?}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        let names = |target: &str, host: &str| {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            names_this_machine(&target.parse().unwrap(), &headers)
        };
        for host in [
            "localhost",
            "LOCALHOST:8801",
            "127.0.0.1:8801",
            "127.1.2.3",
            "[::1]:8801",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(names("/", host), "{host}");
        }
        for host in [
            "",
            "rebound.example",
            "rebound.example:8801",
            "localhost.rebound.example",
            "10.0.0.1",
            "[::2]:8801",
            "127.0.0.1.rebound.example",
            "user@rebound.example",
        ] {
            assert!(!names("/", host), "{host}");
        }
        assert!(!names("http://rebound.example/", "localhost"));
        assert!(names_this_machine(
            &Uri::from_static("/"),
            &HeaderMap::new()
        ));
    }

    #[test]
    fn what_is_shown_of_a_request_holds_no_secret() {
        let shown = format!("{:?}", request("authorization", &["Bearer abc"]));
        assert!(!shown.contains("abc"), "{shown}");
    }

    #[tokio::test]
    async fn version_and_size_are_checked_first() {
        let read = |version: &str, size: usize| {
            let request = Request::builder()
                .header(VERSION_HEADER, version)
                .body(Body::from(vec![b' '; size]))
                .unwrap();
            async {
                Inbound::read(Seams::default(), request)
                    .await
                    .map(|_| ())
                    .map_err(|problem| problem.kind().unwrap())
            }
        };
        assert_eq!(read("1.0", 262_144).await, Ok(()));
        assert_eq!(read("1.0", 262_145).await, Err(ProblemType::BodyTooLarge));
        assert_eq!(
            read("1.1", 262_145).await,
            Err(ProblemType::VersionNotSupported)
        );
    }
}
