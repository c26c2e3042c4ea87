//! Failures to authenticate, counted by address. Tokens cannot be guessed; attempts are slowed
//! down all the same. It goes by the real clock, since it is about real traffic.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clp_schemas::problem::{Problem, ProblemType};

use crate::rules::Rule;
use crate::seams::Seams;

/// For how long failures are counted together.
const WINDOW: Duration = Duration::from_secs(60);
/// How many failures of one address are answered in that time.
const ADMITTED: u32 = 600;
/// How many addresses are counted at once. Beyond that, counting begins anew: what is kept for
/// strangers is bounded.
const ADDRESSES: usize = 10_000;

/// How often each address has failed to authenticate lately.
#[derive(Debug, Default)]
pub struct Failures {
    seams: Seams,
    counted: Mutex<HashMap<IpAddr, Counted>>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    since: Instant,
    count: u32,
}

/// What is known about an address that has just failed.
#[derive(Clone, Copy, Debug)]
struct Repeated {
    count: u32,
}

/// A valid token is never slowed down, whatever else comes from its address.
const RULES: &[Rule<Repeated>] = &[Rule {
    id: "CLP-SEC-008",
    refuses: |repeated| (repeated.count > ADMITTED).then(|| ProblemType::RateLimited.into()),
}];

impl Failures {
    /// Nobody has failed yet.
    pub(crate) fn new(seams: Seams) -> Self {
        Self {
            seams,
            counted: Mutex::default(),
        }
    }

    /// Counts a failure to authenticate, of which there can be too many.
    ///
    /// # Errors
    /// `rate-limited`.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), Problem> {
        self.seams
            .check(RULES, &self.count(address, Instant::now()))
    }

    fn count(&self, address: IpAddr, now: Instant) -> Repeated {
        let mut all = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            all.clear();
        }
        let counted = all.entry(address).or_insert(Counted {
            since: now,
            count: 0,
        });
        if now.duration_since(counted.since) >= WINDOW {
            *counted = Counted {
                since: now,
                count: 0,
            };
        }
        counted.count = counted.count.saturating_add(1);
        Repeated {
            count: counted.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fails_too_often_waits_and_no_other() {
        let failures = Failures::default();
        let (first, second) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let start = Instant::now();
        for _ in 0..ADMITTED {
            Seams::default()
                .check(RULES, &failures.count(first, start))
                .unwrap();
        }
        let refused = Seams::default()
            .check(RULES, &failures.count(first, start))
            .unwrap_err();
        assert_eq!(refused.kind(), Some(ProblemType::RateLimited));
        Seams::default()
            .check(RULES, &failures.count(second, start))
            .unwrap();
        Seams::default()
            .check(RULES, &failures.count(first, start + WINDOW))
            .unwrap();
    }
}
