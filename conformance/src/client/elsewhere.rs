//! Another origin, to which a client has no reason to go. It takes down what reaches it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Longest part of a request that is taken down, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// What a record of a TLS handshake begins with.
const HANDSHAKE: u8 = 22;

/// A listener on a port of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Elsewhere {
    /// Starts one.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start() -> Result<Self, std::io::Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let at = {
                        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                        kept.push("a connection".to_owned());
                        kept.len() - 1
                    };
                    let mut head = Vec::new();
                    let mut chunk = [0; 2048];
                    while head.len() < MAX_HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read(&mut chunk).await {
                            Ok(0) | Err(_) => return,
                            Ok(count) => {
                                head.extend_from_slice(chunk.get(..count).unwrap_or_default());
                                // Nobody here speaks TLS (RFC 8446 section 5.1); who begins to is
                                // not left waiting for an end of a head that will not come.
                                if head.first() == Some(&HANDSHAKE) {
                                    return;
                                }
                            }
                        }
                    }
                    let text = String::from_utf8_lossy(&head).into_owned();
                    if let Some(one) = kept
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_mut(at)
                    {
                        *one = text;
                    }
                    // Whoever hangs up first has no use for the rest.
                    let _ = stream
                        .write_all(
                            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                              content-length: 2\r\nconnection: close\r\n\r\n{}",
                        )
                        .await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Ok(Self { port, seen, task })
    }

    /// Its origin, with this scheme.
    #[must_use]
    pub fn origin(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.port)
    }

    /// The connections that were made to it: the head of each request, where one was sent.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
