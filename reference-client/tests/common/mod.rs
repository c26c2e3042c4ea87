//! A small HTTP server whose every byte a test chooses, and an issuer made of it.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]
#![allow(dead_code, reason = "no test file uses all of it")]

pub mod issuer;
pub mod living;
pub mod scene;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.target.split('?').next() == Some(path)
    }
}

/// What the server does with a request.
pub enum Reply {
    /// Status, further header lines, body.
    Answer(u16, String, Vec<u8>),
    /// Closes the connection without a word.
    HangUp,
    /// Sends a header and one byte of the body, then nothing.
    Stall,
}

pub fn json(status: u16, value: &Value) -> Reply {
    let headers = "Content-Type: application/json\r\nCLP-Version: 1.0\r\n".to_owned();
    Reply::Answer(status, headers, value.to_string().into_bytes())
}

pub fn raw_json(text: impl Into<Vec<u8>>) -> Reply {
    Reply::Answer(
        200,
        "Content-Type: application/json\r\n".to_owned(),
        text.into(),
    )
}

pub fn problem(status: u16, name: &str, more: &str) -> Reply {
    let value = json!({"type": format!("tag:clp.example,2026:problem/{name}"), "title": "x", "status": status});
    let headers = format!("Content-Type: application/problem+json\r\n{more}");
    Reply::Answer(status, headers, value.to_string().into_bytes())
}

pub fn redirect(location: &str) -> Reply {
    Reply::Answer(302, format!("Location: {location}\r\n"), Vec::new())
}

pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// A server that was started elsewhere.
    pub fn at(url: &str) -> Self {
        Self {
            port: url.rsplit(':').next().unwrap().parse().unwrap(),
            seen: Arc::default(),
        }
    }

    /// Answers every request with what `handler` says, given the server's own URL.
    pub fn start(handler: impl Fn(&str, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let handler = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (Arc::clone(&log), Arc::clone(&handler));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    let url = format!("http://localhost:{port}");
                    let _ = write(stream, handler(&url, &request));
                });
            }
        });
        Self { port, seen }
    }

    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self, method: &str, path: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.is(method, path))
            .count()
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let mut seen = Seen {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        ..Seen::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => seen.headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let length = seen
        .header("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).ok()?;
    Some(seen)
}

fn write(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::HangUp => Ok(()),
        Reply::Stall => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")?;
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
        Reply::Answer(status, headers, body) => {
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            )?;
            stream.write_all(&body)
        }
    }
}

/// The smallest manifest of a test issuer at this URL.
pub fn manifest(url: &str) -> Value {
    json!({"credential_issuer_endpoint": format!("{url}/credentials"), "issuer_identifier": url, "environment": "test",
           "supported_operations": ["discover", "request", "approve", "create", "scope", "rotate", "revoke", "audit"]})
}

pub const MANIFEST: &str = "/.well-known/credential-issuer";
