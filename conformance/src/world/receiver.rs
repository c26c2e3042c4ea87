//! What listens for events, on this machine: it keeps what arrives, and answers as it is told.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::oracle::webhook::Event;

/// Largest event that is read, in bytes.
const MAX_EVENT: usize = 64 * 1024;
/// Longest wait for the bytes of one event.
const READ: Duration = Duration::from_secs(5);

/// Where events go. It ends when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    /// Its URL.
    pub url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    status: AtomicU16,
    events: Mutex<Vec<Event>>,
    /// Everything that arrived, as it came.
    arrived: Mutex<Vec<Vec<u8>>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Starts one that answers with this status.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(status: u16) -> Result<Self, std::io::Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/events", listener.local_addr()?);
        let state = Arc::new(State {
            status: AtomicU16::new(status),
            events: Mutex::new(Vec::new()),
            arrived: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { url, state, task })
    }

    /// Answers with another status from now on.
    pub fn answer(&self, status: u16) {
        self.state.status.store(status, Ordering::SeqCst);
    }

    /// Everything that arrived up to now, as it came.
    #[must_use]
    pub fn arrived(&self) -> Vec<Vec<u8>> {
        self.state
            .arrived
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the first event of that type that has arrived, or arrives in time.
    pub async fn take(&self, kind: &str, patience: Duration) -> Option<Event> {
        let begun = Instant::now();
        loop {
            if let Some(event) = self.state.take(kind) {
                return Some(event);
            }
            if begun.elapsed() >= patience {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl State {
    fn take(&self, kind: &str) -> Option<Event> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let at = events.iter().position(|event| {
            serde_json::from_slice::<serde_json::Value>(&event.body)
                .is_ok_and(|body| body.get("type").is_some_and(|found| found == kind))
        })?;
        Some(events.remove(at))
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(READ, read(&mut stream, &mut bytes)).await;
    state
        .arrived
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(bytes);
    let Ok(Some(event)) = read else {
        return;
    };
    state
        .events
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(event);
    let status = state.status.load(Ordering::SeqCst);
    let answer =
        format!("HTTP/1.1 {status} As Told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // Whoever hangs up first has no use for the rest.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Reads one request with a `Content-Length`; `None` for anything else.
async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Event> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(event) = parse(bytes) {
            return Some(event);
        }
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 || bytes.len() > MAX_EVENT {
            return None;
        }
        bytes.extend_from_slice(chunk.get(..count)?);
    }
}

fn parse(bytes: &[u8]) -> Option<Event> {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let header = |wanted: &str| {
        head.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length")?.parse().ok()?;
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(Event {
        id: header("webhook-id").unwrap_or_default(),
        timestamp: header("webhook-timestamp").unwrap_or_default(),
        signature: header("webhook-signature").unwrap_or_default(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_event_is_kept_as_it_came_and_answered_as_told() {
        let receiver = Receiver::start(204).await.unwrap();
        receiver.answer(410);
        let answer = reqwest::Client::new()
            .post(&receiver.url)
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", "1")
            .header("webhook-signature", "v1,x")
            .body("{\"type\": \"clp.test\"}")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 410);
        let none = receiver.take("other", Duration::ZERO).await;
        assert_eq!(none, None);
        let event = receiver.take("clp.test", Duration::ZERO).await.unwrap();
        assert_eq!(
            (event.id.as_str(), event.signature.as_str()),
            ("evt_1", "v1,x")
        );
        assert_eq!(event.body, b"{\"type\": \"clp.test\"}");
    }
}
