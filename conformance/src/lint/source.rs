//! Where a document comes from: a file, an address, or standard input.

use std::fs::File;
use std::io::Read;

use clp_schemas::json::{self, Limits};
use clp_schemas::permissions::PermissionDocument;
use serde_json::Value;
use url::{Host, Url};

use crate::world::wire::{self, Sent, client, exchange};

/// Largest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 1024 * 1024;
/// Deepest nesting that is read; a sound document has five levels.
const MAX_DEPTH: usize = 32;

/// Why there is no document to look at.
#[derive(Debug, thiserror::Error)]
pub enum SourceFault {
    /// A file, or standard input.
    #[error("`{0}` cannot be read: {1}")]
    File(String, std::io::Error),
    /// More than [`MAX_DOCUMENT`].
    #[error("`{0}` has more than {MAX_DOCUMENT} bytes; a permission document is smaller")]
    TooLarge(String),
    /// An address that is not asked.
    #[error("give an https URL without user and fragment; http is for loopback addresses")]
    Url,
    /// An address that did not answer with a document.
    #[error("`{0}` did not answer with a document: {1}")]
    Answer(Url, String),
    /// This machine cannot make calls.
    #[error("no call can be made: {0}")]
    Client(String),
}

/// A document as it came.
#[derive(Clone, Debug)]
pub struct Document {
    /// What was named.
    pub source: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Document {
    /// The digest by which grants name the document; none where it is refused.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        let read: PermissionDocument = serde_json::from_value(parse(&self.bytes).ok()?).ok()?;
        read.check().ok()?;
        Some(read.digest())
    }
}

/// Reads `source`: a file, an address, or with `-` standard input.
///
/// # Errors
/// [`SourceFault`].
pub fn read(source: &str) -> Result<Document, SourceFault> {
    let bytes = match Url::parse(source) {
        _ if source == "-" => whole("standard input", std::io::stdin().lock())?,
        Ok(url) if ["http", "https"].contains(&url.scheme()) => fetch(url)?,
        _ => {
            let file =
                File::open(source).map_err(|error| SourceFault::File(source.to_owned(), error))?;
            whole(source, file)?
        }
    };
    Ok(Document {
        source: source.to_owned(),
        bytes,
    })
}

/// As strictly as every reader of a permission document has to.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, json::Fault> {
    let limits = Limits {
        bytes: MAX_DOCUMENT,
        depth: MAX_DEPTH,
    };
    json::parse(bytes, limits)
}

fn whole(name: &str, input: impl Read) -> Result<Vec<u8>, SourceFault> {
    let mut bytes = Vec::new();
    input
        .take(MAX_DOCUMENT as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| SourceFault::File(name.to_owned(), error))?;
    if bytes.len() > MAX_DOCUMENT {
        return Err(SourceFault::TooLarge(name.to_owned()));
    }
    Ok(bytes)
}

fn fetch(url: Url) -> Result<Vec<u8>, SourceFault> {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !bare || (url.scheme() != "https" && !loopback) {
        return Err(SourceFault::Url);
    }
    let no_client = |error: &dyn std::fmt::Display| SourceFault::Client(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| no_client(&error))?;
    let client = client(wire::Limits::default()).map_err(|error| no_client(&error))?;
    let sent = Sent {
        method: "GET".to_owned(),
        url: url.clone(),
        headers: vec![("Accept".to_owned(), "application/json".to_owned())],
        body: None,
    };
    let got = runtime
        .block_on(exchange(&client, &sent, wire::Limits::default()))
        .got;
    let got = got.map_err(|words| SourceFault::Answer(url.clone(), words))?;
    if got.status != 200 {
        return Err(SourceFault::Answer(url, format!("status {}", got.status)));
    }
    if got.body.len() > MAX_DOCUMENT {
        return Err(SourceFault::TooLarge(url.to_string()));
    }
    Ok(got.body)
}
