//! What the page remembers between two requests of a browser. It is in memory: with the process
//! everybody is signed out. It goes by the real clock, since it is about real browsers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clp_schemas::canonical::sha256;
use clp_schemas::ids::{PrincipalId, TenantId};

use super::enrol::Enrolling;
use super::redirect::Away;

/// How long somebody stays signed in, in seconds. Long enough to read a request and ask
/// somebody; what counts is the signature under the decision, not the session.
pub(super) const SESSION_SECONDS: u64 = 900;
/// How long a ceremony with an authenticator may take, in seconds.
const CEREMONY_SECONDS: u64 = 300;
/// How many of each are kept at once. Beyond that the oldest go.
const MOST: usize = 10_000;

/// Somebody who has shown who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(super) tenant: TenantId,
    pub(super) principal: PrincipalId,
}

/// What a page of one persona remembers.
pub(crate) struct Console(Mutex<Kept>);

pub(super) struct Kept {
    /// By the hash of what the cookie holds.
    pub(super) sessions: Brief<Session>,
    /// Nonces of challenges to sign in that nobody has answered yet.
    pub(super) nonces: Brief<()>,
    /// Passkeys that are being made, by the hash of a handle.
    pub(super) enrolling: Brief<Enrolling>,
    /// Who is at an identity provider, by `state`.
    pub(super) away: Brief<Away>,
}

impl fmt::Debug for Console {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Console")
    }
}

impl Default for Console {
    fn default() -> Self {
        let ceremony = Duration::from_secs(CEREMONY_SECONDS);
        Self(Mutex::new(Kept {
            sessions: Brief::new(Duration::from_secs(SESSION_SECONDS), MOST),
            nonces: Brief::new(ceremony, MOST),
            enrolling: Brief::new(ceremony, MOST),
            away: Brief::new(ceremony, MOST),
        }))
    }
}

impl Console {
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values that are kept for a while, each found by a text that only its owner knows.
pub(super) struct Brief<V> {
    life: Duration,
    most: usize,
    held: HashMap<[u8; 32], (Instant, V)>,
}

impl<V> Brief<V> {
    fn new(life: Duration, most: usize) -> Self {
        Self {
            life,
            most,
            held: HashMap::new(),
        }
    }

    pub(super) fn put(&mut self, key: &str, value: V) {
        let life = self.life;
        self.held.retain(|_, (since, _)| since.elapsed() < life);
        if self.held.len() >= self.most
            && let Some(oldest) = self.held.iter().min_by_key(|(_, (since, _))| *since)
        {
            let oldest = *oldest.0;
            self.held.remove(&oldest);
        }
        // The text itself is not kept, and searching by a hash takes no time that tells of it.
        self.held
            .insert(sha256(key.as_bytes()), (Instant::now(), value));
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        let (since, value) = self.held.get(&sha256(key.as_bytes()))?;
        (since.elapsed() < self.life).then_some(value)
    }

    /// Takes a value out, so that it is used once.
    pub(super) fn take(&mut self, key: &str) -> Option<V> {
        let (since, value) = self.held.remove(&sha256(key.as_bytes()))?;
        (since.elapsed() < self.life).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_until_it_is_taken_or_lapses() {
        let mut brief = Brief::new(Duration::from_secs(60), 10);
        brief.put("a", 1);
        assert_eq!(brief.get("a"), Some(&1));
        assert_eq!(brief.get("b"), None);
        assert_eq!(brief.take("a"), Some(1));
        assert_eq!(brief.take("a"), None);

        let mut lapsed = Brief::new(Duration::ZERO, 10);
        lapsed.put("a", 1);
        assert_eq!(lapsed.get("a"), None);
        assert_eq!(lapsed.take("a"), None);
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let mut brief = Brief::new(Duration::from_secs(60), 2);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            brief.put(key, value);
        }
        assert_eq!(brief.get("a"), None);
        assert_eq!(brief.get("b"), Some(&2));
        assert_eq!(brief.get("c"), Some(&3));
    }
}
