//! Whoever uses the places: calls with what a place holds, again and again, for as long as
//! places are being changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinHandle;

use super::Stopped;
use super::issuer::IssuerProcess;
use crate::world::wire;

/// The variable in every file.
pub const VARIABLE: &str = "EXAMPLE_API_KEY";
/// Between two calls.
const PAUSE: Duration = Duration::from_millis(20);

/// One that is at it.
pub struct User {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    again: Arc<AtomicU64>,
    task: JoinHandle<Vec<String>>,
}

/// What came of one.
pub struct Used {
    /// Calls that were answered.
    pub calls: u64,
    /// Calls that were made again, because the issuer was down or the place had changed.
    pub again: u64,
    /// Calls that failed.
    pub failures: Vec<String>,
}

/// What a place holds.
#[must_use]
pub fn held(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let begin = format!("{VARIABLE}=");
    let value = text.lines().find_map(|line| line.strip_prefix(&begin))?;
    Some(value.to_owned())
}

impl User {
    /// Begins to use a place.
    #[must_use]
    pub fn start(
        http: Client,
        url: String,
        agent: String,
        file: PathBuf,
        issuer: Arc<IssuerProcess>,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (calls, again) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let seen = (Arc::clone(&stop), Arc::clone(&calls), Arc::clone(&again));
        let task = tokio::spawn(async move {
            let (stop, calls, again) = seen;
            let mut failures = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                let epoch = issuer.epoch();
                let before = held(&file);
                let Some(secret) = &before else {
                    failures.push(format!("{} holds no key", file.display()));
                    break;
                };
                let request = http.get(&url).bearer_auth(secret);
                let answer = request.header("user-agent", &agent).send().await;
                let status = answer.map(|answer| answer.status().as_u16());
                // Whoever was answered while nothing else happened has to have been served.
                let disturbed =
                    !epoch.is_multiple_of(2) || issuer.epoch() != epoch || held(&file) != before;
                match status {
                    Ok(200) => _ = calls.fetch_add(1, Ordering::SeqCst),
                    _ if disturbed => _ = again.fetch_add(1, Ordering::SeqCst),
                    Ok(status) => failures.push(format!(
                        "a call with what {} holds was answered {status}",
                        file.display()
                    )),
                    Err(fault) => {
                        failures.push(format!("a call got no answer: {}", wire::words(&fault)));
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
            failures
        });
        Self {
            stop,
            calls,
            again,
            task,
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// Where it fell over.
    pub async fn stop(self) -> Result<Used, Stopped> {
        self.stop.store(true, Ordering::SeqCst);
        let failures = self.task.await.map_err(Stopped::fell)?;
        Ok(Used {
            calls: self.calls.load(Ordering::SeqCst),
            again: self.again.load(Ordering::SeqCst),
            failures,
        })
    }
}
