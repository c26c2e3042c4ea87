//! Issuers that do nothing. Against each of them every core scenario has to fail: a suite that
//! passes where there is nothing has not looked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clp_schemas::ops::control::Probe;
use clp_schemas::ops::store::SecretText;
use cucumber::World as _;
use futures::FutureExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use super::{Subject, SubjectFault};
use crate::config::{Cast, Member, ROLES};
use crate::parser::ScenarioInfo;
use crate::record::Verdict;
use crate::requirements::Registry;
use crate::run::{self, Begin, RunFault};
use crate::world::World;
use crate::world::wire::Limits;

/// Longest request head that is read before the answer goes out, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// How much of a null issuer's answer is waited for and read: none of them gets any better.
const LIMITS: Limits = Limits {
    time: Duration::from_millis(500),
    bytes: 256 * 1024,
};

/// How an endless answer goes on.
const MORE: &[u8] = b"{\"id\":\"cred_00000000000000000000\",\"state\":\"active\"},";

/// A way to do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    /// Knows no path.
    NotFound,
    /// Knows nobody.
    Unauthorized,
    /// Is broken.
    Internal,
    /// Says yes to everything, with an empty object.
    EmptyObject,
    /// Shows a page.
    Html,
    /// Speaks, but not HTTP.
    Garbage,
    /// Begins an answer that looks right and never ends.
    Endless,
    /// Hangs up.
    Nothing,
    /// Takes the request and never answers.
    Silent,
}

impl Null {
    /// Every way.
    pub const ALL: [Self; 9] = [
        Self::NotFound,
        Self::Unauthorized,
        Self::Internal,
        Self::EmptyObject,
        Self::Html,
        Self::Garbage,
        Self::Endless,
        Self::Nothing,
        Self::Silent,
    ];

    /// The name in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "404",
            Self::Unauthorized => "401",
            Self::Internal => "500",
            Self::EmptyObject => "200 {}",
            Self::Html => "html",
            Self::Garbage => "garbage",
            Self::Endless => "endless",
            Self::Nothing => "hangs up",
            Self::Silent => "never answers",
        }
    }

    fn answer(self) -> String {
        let (line, media, body) = match self {
            Self::NotFound => ("404 Not Found", "text/plain", "not found"),
            Self::Unauthorized => ("401 Unauthorized", "text/plain", "unauthorized"),
            Self::Internal => ("500 Internal Server Error", "text/plain", "oops"),
            Self::EmptyObject => ("200 OK", "application/json", "{}"),
            Self::Html => (
                "200 OK",
                "text/html",
                "<!doctype html><title>Welcome</title>",
            ),
            Self::Garbage => return "\u{0}\u{1}\u{2} this is not HTTP\r\n\r\n".to_owned(),
            Self::Endless => {
                return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nclp-version: 1.0\r\n\
                        cache-control: no-store\r\nconnection: close\r\n\r\n{\"items\":["
                    .to_owned();
            }
            Self::Nothing | Self::Silent => return String::new(),
        };
        reply(line, media, body)
    }
}

fn reply(line: &str, media: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {line}\r\ncontent-type: {media}\r\ncontent-length: {}\r\nclp-version: 1.0\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A running null issuer; it ends when this is dropped.
#[derive(Debug)]
pub struct NullIssuer {
    /// Where it listens.
    pub url: Url,
    task: JoinHandle<()>,
}

impl Drop for NullIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NullIssuer {
    /// Starts one. With `manifest` it serves a sound manifest, and is null behind it.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(null: Null, manifest: bool) -> Result<Self, std::io::Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let url: Url = format!("http://127.0.0.1:{port}")
            .parse()
            .map_err(|_| std::io::Error::other("a loopback address is a URL"))?;
        let document = manifest.then(|| {
            let body = json!({
                "credential_issuer_endpoint": format!("http://127.0.0.1:{port}/credentials"),
                // What is declared is tried, so that no scenario is let off.
                "supports_expiring_credentials": true,
                "max_lifetime_seconds": 86400,
            });
            reply("200 OK", "application/json", &body.to_string())
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, null, document.clone()));
            }
        });
        Ok(Self { url, task })
    }

    /// It as a subject, with a cast that nobody set up.
    ///
    /// # Errors
    /// Where no client can be made.
    pub fn subject(&self) -> Result<Arc<Subject>, SubjectFault> {
        let call = |path: &str| json!({"method": "GET", "path": path});
        let permissions =
            json!([{"resource_type": "record", "selector": "*", "actions": ["read"]}]);
        let probe: Probe = serde_json::from_value(json!({
            "project": "atlas",
            "environment": "staging",
            "approval_environment": "production",
            "read": call("/read"),
            "write": call("/write"),
            "read_permissions": permissions,
            "write_permissions": permissions,
        }))
        .map_err(|error| SubjectFault::Reference(error.to_string()))?;
        let members: BTreeMap<String, Member> = ROLES
            .into_iter()
            .map(|role| {
                let token = SecretText::new(format!("token-of-nobody-{role}"));
                let id = format!("prin_{:0<20}", role).parse().ok();
                let from = "the suite".to_owned();
                (role.to_owned(), Member { id, token, from })
            })
            .collect();
        let cast = Cast {
            tenant_id: "ten_00000000000000000000".parse().ok(),
            members,
            probe,
        };
        Subject::start(
            self.url.clone(),
            BTreeMap::new(),
            None,
            Some(cast),
            None,
            LIMITS,
        )
    }
}

async fn serve(mut stream: TcpStream, null: Null, manifest: Option<String>) {
    let mut head = Vec::new();
    let mut chunk = [0; 2048];
    while head.len() < MAX_HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
    let discovery = head.starts_with(b"GET /.well-known/credential-issuer ");
    let discovered = discovery && manifest.is_some();
    let answer = match manifest {
        Some(document) if discovery => document,
        _ => null.answer(),
    };
    if answer.is_empty() && null == Null::Silent {
        // Until the other end gives up.
        let _ = stream.read(&mut chunk).await;
        return;
    }
    // Whoever hangs up first has no use for the rest.
    let mut sent = stream.write_all(answer.as_bytes()).await;
    while sent.is_ok() && null == Null::Endless && !discovered {
        sent = stream.write_all(&MORE.repeat(64)).await;
    }
    let _ = stream.shutdown().await;
}

/// What the suite said of one null issuer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Floor {
    /// The null issuer.
    pub name: String,
    /// How many core scenarios were run.
    pub scenarios: usize,
    /// The scenarios that did not fail, though nothing was there: one that passed, was skipped,
    /// or broke by the suite's own fault has not looked.
    pub blind: Vec<Blind>,
}

/// A scenario that did not fail where it had to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Blind {
    /// Its name.
    pub name: String,
    /// What came of it instead; nothing where it was not run at all.
    pub verdict: Option<Verdict>,
}

/// Why the floor could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum FloorFault {
    /// The features do not load.
    #[error(transparent)]
    Run(#[from] RunFault),
    /// A null issuer is no subject.
    #[error(transparent)]
    Subject(#[from] SubjectFault),
    /// No port is free.
    #[error("a null issuer does not start: {0}")]
    Port(#[from] std::io::Error),
}

/// Runs the core scenarios against every null issuer, bare and behind a sound manifest. What
/// only reads the manifest is left out where there is one.
///
/// # Errors
/// Where a null issuer does not start, or the features do not load.
pub async fn null_floor(concurrency: usize) -> Result<Vec<Floor>, FloorFault> {
    let registry = Registry::embedded().map_err(RunFault::from)?;
    let suite = run::suite(&registry)?;
    let mut floors = Vec::new();
    for manifest in [false, true] {
        let features =
            suite.only(&|info| info.class == "core" && !(manifest && only_manifest(info)));
        let names: Vec<String> = features
            .iter()
            .flat_map(|feature| &feature.scenarios)
            .map(|scenario| scenario.name.clone())
            .collect();
        for null in Null::ALL {
            let issuer = NullIssuer::start(null, manifest).await?;
            let subject = issuer.subject()?;
            let begin: Begin = Arc::new(move |world: &mut World| {
                let subject = Arc::clone(&subject);
                async move {
                    world
                        .begin(subject)
                        .await
                        .map_err(|fault| fault.to_string())
                }
                .boxed_local()
            });
            let seen = run::execute(
                features.clone(),
                World::collection(),
                begin,
                concurrency,
                false,
            )
            .await;
            let blind = |name: &String| {
                let verdict = seen.observed.get(name).map(|seen| seen.verdict);
                (verdict != Some(Verdict::Fail)).then(|| Blind {
                    name: name.clone(),
                    verdict,
                })
            };
            floors.push(Floor {
                name: if manifest {
                    format!("{} behind a manifest", null.name())
                } else {
                    null.name().to_owned()
                },
                scenarios: names.len(),
                blind: names.iter().filter_map(blind).collect(),
            });
        }
    }
    Ok(floors)
}

fn only_manifest(info: &ScenarioInfo) -> bool {
    info.triples
        .iter()
        .all(|triple| triple.endpoint == "manifest_read")
}
