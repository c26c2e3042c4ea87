//! Sends events. Never from the thread that writes, and never twice.

use std::net::SocketAddr;
use std::time::Duration;

use clp_schemas::ops::discover::Deployment;
use clp_schemas::ops::inject::Outcome;
use futures::StreamExt as _;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::mpsc;

use super::Event;
use super::target;

/// How long a receiver may take for everything.
const TIME: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Most events that wait. Who writes faster than receivers take it loses events.
const WAITING: usize = 256;
/// Most events under way at once, so that one slow receiver holds up nobody.
const UNDER_WAY: usize = 16;

/// Takes events to their receivers, one attempt each. Ends with its last clone.
#[derive(Clone, Debug)]
pub(crate) struct Courier {
    queue: mpsc::Sender<(Deployment, Event)>,
}

impl Courier {
    /// One that works from now on.
    pub(crate) fn start() -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let waiting = futures::stream::unfold(waiting, |mut waiting| async {
            waiting.recv().await.map(|event| (event, waiting))
        });
        tokio::spawn(
            waiting.for_each_concurrent(UNDER_WAY, |(environment, event)| async move {
                let (outcome, status) = send(environment, &event).await;
                tracing::debug!(?outcome, status, "an event was sent");
            }),
        );
        Self { queue }
    }

    /// Sends an event some time.
    pub(crate) fn take(&self, environment: Deployment, event: Event) {
        if self.queue.try_send((environment, event)).is_err() {
            tracing::warn!("too many events are waiting; one is lost");
        }
    }
}

/// Sends an event now, and says what came of it.
pub(crate) async fn send(environment: Deployment, event: &Event) -> (Outcome, Option<u16>) {
    match tokio::time::timeout(TIME, post(environment, event)).await {
        Ok(Some(status)) if (200..300).contains(&status) => (Outcome::Accepted, Some(status)),
        Ok(Some(status)) if is_refusal(status) => (Outcome::Refused, Some(status)),
        Ok(status) => (Outcome::Unreachable, status),
        Err(_) => (Outcome::Unreachable, None),
    }
}

/// Whether a receiver that answers so has looked at the signature, as far as that shows: one
/// that is broken, overloaded or not there refuses nothing.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 404 | 408 | 429)
}

/// The status of the answer; `None` where there is none.
async fn post(environment: Deployment, event: &Event) -> Option<u16> {
    let url = target::parse(&event.url)?;
    let addresses = target::addresses(&url).await;
    if addresses.is_empty() || !target::is_allowed(&url, &addresses, environment) {
        return None;
    }
    let places: Vec<SocketAddr> = addresses
        .into_iter()
        .map(|address| (address, 0).into())
        .collect();
    // A client of its own, so that it goes to the addresses that were looked at and no others.
    let client = Client::builder()
        .resolve_to_addrs(url.host_str()?, &places)
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .ok()?;
    let mut answer = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", event.id.as_str())
        .header("webhook-timestamp", event.timestamp)
        .header("webhook-signature", &event.signature)
        .body(event.body.clone())
        .send()
        .await
        .ok()?;
    let status = answer.status().as_u16();
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER_BYTES {
            break;
        }
    }
    Some(status)
}
