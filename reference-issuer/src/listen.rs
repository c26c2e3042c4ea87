//! Connections: so many at once, so much of a header, and so long for it.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use axum::{Extension, Router};
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::faults::NoAnswer;
use crate::http::Peer;

/// The most connections at once. Others wait in the queue of the system.
pub(crate) const CONNECTIONS: usize = 1024;

/// The most bytes of a request line and header fields.
const HEADER_BYTES: usize = 64 * 1024;

/// How long to wait before accepting again where the system has no more to give.
const PAUSE: Duration = Duration::from_millis(200);

/// How long others are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the header of a request, from the end of the last answer on.
    pub(crate) header: Duration,
    /// For calls under way to finish at the end.
    pub(crate) grace: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            grace: Duration::from_secs(5),
        }
    }
}

/// A port, and what answers there.
pub(crate) struct Listen {
    /// The port.
    pub(crate) listener: TcpListener,
    /// What answers.
    pub(crate) router: Router,
    /// One for each connection, with other ports or for this one.
    pub(crate) places: Arc<Semaphore>,
    /// How long peers are waited for.
    pub(crate) patience: Patience,
}

impl Listen {
    /// Serves until the sender of `stopped` is dropped, and then at most the grace longer.
    pub(crate) async fn until(self, mut stopped: watch::Receiver<()>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                // What has ended is forgotten while it goes on.
                Some(_) = connections.join_next() => continue,
                _ = stopped.changed() => break,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    let serving = connection(
                        stream,
                        self.router.clone().layer(Extension(Peer(peer.ip()))),
                        self.patience.header,
                        stopped.clone(),
                    );
                    connections.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(fault) => {
                    tracing::warn!(%fault, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(self.listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.patience.grace, all)
            .await
            .is_err()
        {
            tracing::warn!("some calls did not finish in time");
            connections.shutdown().await;
        }
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr, impl Sized + Send + use<>)> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        Ok((stream, peer, place))
    }
}

/// What answers on a connection, or ends it.
struct Answering(TowerToHyperService<Router>);

impl Service<Request<Incoming>> for Answering {
    type Response = Response;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Response, io::Error>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answering = self.0.call(request);
        Box::pin(async move {
            let Ok(response) = answering.await;
            match response.extensions().get::<NoAnswer>() {
                Some(NoAnswer) => Err(io::ErrorKind::ConnectionAborted.into()),
                None => Ok(response),
            }
        })
    }
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    router: Router,
    header: Duration,
    mut stopped: watch::Receiver<()>,
) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(
            TokioIo::new(stream),
            Answering(TowerToHyperService::new(router)),
        );
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(fault) = ended {
        // Peers hang up as they like.
        tracing::debug!(%fault, "a connection ended");
    }
}
