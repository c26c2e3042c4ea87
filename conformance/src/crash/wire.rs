//! HTTP/1.1 as far as a proxy has to understand it: one request and one answer a connection.

use clp_schemas::endpoint::{ALL, Base};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest head of a message, in bytes.
const HEAD: usize = 64 * 1024;
/// Longest message, in bytes.
const MOST: usize = 8 * 1024 * 1024;

/// A message as it was read.
#[derive(Clone, Debug)]
pub struct Message {
    /// The first line.
    pub line: String,
    /// The header fields as they were sent.
    pub fields: Vec<(String, String)>,
    /// The body, without the form it was transferred in.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one from its first byte to its last; `None` where it is cut off, or none.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > HEAD || from.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let rest = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).ok()?;
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let fields: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut message = Self {
            line,
            fields,
            body: rest,
        };
        let length: usize = match message.field("content-length") {
            Some(text) => text.parse().ok()?,
            // What is sent here has a length, or no body.
            None if message.field("transfer-encoding").is_none() => 0,
            None => return None,
        };
        if length > MOST {
            return None;
        }
        while message.body.len() < length {
            if from.read_buf(&mut message.body).await.ok()? == 0 {
                return None;
            }
        }
        Some(message)
    }

    /// A header field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A word of the first line.
    #[must_use]
    pub fn word(&self, number: usize) -> &str {
        self.line.split(' ').nth(number).unwrap_or_default()
    }

    /// The status, where it is an answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or_default()
    }

    /// The path of a request, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.word(1).split('?').next().unwrap_or_default()
    }

    /// The bytes of a message that is alone on its connection, with one text for another.
    #[must_use]
    pub fn bytes(&self, from: &str, to: &str) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.line);
        for (name, value) in &self.fields {
            if name != "connection" {
                head.push_str(&format!("{name}: {}\r\n", value.replace(from, to)));
            }
        }
        head.push_str("connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        // Both texts are as long as each other, so that the length stays what it was.
        match std::str::from_utf8(&self.body) {
            Ok(text) => bytes.extend_from_slice(text.replace(from, to).as_bytes()),
            Err(_) => bytes.extend_from_slice(&self.body),
        }
        bytes
    }

    /// The name of the endpoint that a request is for.
    #[must_use]
    pub fn endpoint(&self) -> &'static str {
        let (method, path) = (self.word(0), self.path());
        let Some(below) = path.strip_prefix("/credentials") else {
            return match path.starts_with("/.well-known/") {
                true => "discovery",
                false => "resource",
            };
        };
        let found = ALL.iter().find(|row| {
            row.base == Base::Credentials && row.method.name() == method && fits(row.path, below)
        });
        found.map_or("nothing", |row| row.name)
    }
}

/// Whether a path is one of a template; words that are reserved are no ids.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(have)) if want.starts_with('{') => {
                if !have.contains('_') {
                    return false;
                }
            }
            (Some(want), Some(have)) if want == have => {}
            _ => return false,
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Option<Message> {
        Message::read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn a_message_is_read_whole_or_not_at_all() {
        let text = "POST /credentials/cred_1/rotations HTTP/1.1\r\nHost: localhost:10001\r\n\
                    Content-Length: 21\r\n\r\nhttp://localhost:10001";
        assert!(read(&text[..text.len() - 2]).await.is_none());
        let message = read(text).await.unwrap();
        assert_eq!(message.endpoint(), "rotation_open");
        let sent = message.bytes("localhost:10001", "localhost:20002");
        let sent = String::from_utf8(sent).unwrap();
        assert!(sent.contains("host: localhost:20002\r\n"));
        assert!(sent.ends_with("connection: close\r\n\r\nhttp://localhost:20002"));
    }

    #[tokio::test]
    async fn endpoints_are_told_apart() {
        for (line, name) in [
            ("GET /credentials/deliveries/dlv_1", "delivery_read"),
            ("GET /credentials/cred_1", "credential_read"),
            (
                "POST /credentials/rotations/rot_1/advance",
                "rotation_advance",
            ),
            (
                "PUT /credentials/cred_1/installations/ins_1",
                "installation_put",
            ),
            ("GET /.well-known/credential-issuer", "discovery"),
            ("GET /v1/projects/atlas/records/1", "resource"),
        ] {
            let message = read(&format!("{line} HTTP/1.1\r\n\r\n")).await.unwrap();
            assert_eq!(message.endpoint(), name);
        }
    }
}
