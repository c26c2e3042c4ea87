//! When a request is sent again (CLP-TRN-026, CLP-TRN-033).

use std::time::Duration;

use clp_schemas::problem::ProblemType;

use super::{Incoming, answer};
use crate::error::{Error, LocalFault, Unreachable};
use crate::sabotage::Sabotage;

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// Pause after the first failure; it doubles with each.
    pub pause: Duration,
    /// Longest `Retry-After` that is waited for. A longer one is reported instead.
    pub longest_wait: Duration,
}

impl Default for Repeat {
    /// Four attempts, from 250 milliseconds on, and at most a minute on request.
    fn default() -> Self {
        Self {
            attempts: 4,
            pause: Duration::from_millis(250),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl Repeat {
    pub(super) fn begin(self, repeatable: bool, sabotage: Sabotage) -> Turn {
        Turn {
            patience: self,
            repeatable,
            made: 0,
            sabotage,
        }
    }
}

/// The attempts at one request.
#[derive(Debug)]
pub(super) struct Turn {
    patience: Repeat,
    repeatable: bool,
    made: u32,
    sabotage: Sabotage,
}

impl Turn {
    /// How long to wait before the next attempt; `None` if this result is the last.
    pub(super) fn wait_after(
        &mut self,
        result: &Result<Incoming, Error>,
    ) -> Result<Option<Duration>, Error> {
        self.made += 1;
        if self.made >= self.patience.attempts {
            return Ok(None);
        }
        let doubled = self.patience.pause * 2_u32.saturating_pow(self.made - 1);
        let wait = match result {
            Err(Error::Unreachable(fault)) if self.repeatable => match fault {
                Unreachable::Connection | Unreachable::Timeout | Unreachable::Broken => doubled,
                Unreachable::Gateway(_) => return Ok(None),
            },
            Ok(answer) => match self.asked_to_wait(answer, doubled) {
                Some(wait) => wait,
                None => return Ok(None),
            },
            Err(_) => return Ok(None),
        };
        Ok(Some(wait + jitter(self.patience.pause)?))
    }

    fn asked_to_wait(&self, incoming: &Incoming, doubled: Duration) -> Option<Duration> {
        let mut named = incoming.retry_after.map(Duration::from_secs);
        if self.sabotage.breaks("CLP-TRN-033") {
            named = named.map(|_| doubled);
        }
        if self.sabotage.breaks("CLP-ERR-006")
            && String::from_utf8_lossy(&incoming.body).contains("too many requests")
        {
            return named;
        }
        let wait = match (answer::problem_kind(incoming)?, named) {
            // Nothing was done, whatever the method. Without the header field, which the
            // issuer owes, nobody knows how long.
            (ProblemType::RateLimited, Some(named)) => named,
            (ProblemType::Unavailable, named) if self.repeatable => named.unwrap_or(doubled),
            (ProblemType::IdempotencyInFlight, named) => named.unwrap_or(doubled),
            _ => return None,
        };
        (wait <= self.patience.longest_wait).then_some(wait)
    }
}

/// Up to half a pause more, so that many clients that were refused together do not come
/// back together.
fn jitter(pause: Duration) -> Result<Duration, LocalFault> {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte)
        .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
    let [byte] = byte;
    Ok(pause * u32::from(byte) / 512)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::problem::{MEDIA_TYPE, Problem};
    use zeroize::Zeroizing;

    fn refusal(kind: ProblemType, retry_after: Option<u64>) -> Result<Incoming, Error> {
        Ok(Incoming {
            status: kind.status(),
            media_type: Some(MEDIA_TYPE.to_owned()),
            version: None,
            retry_after,
            etag: None,
            challenge: None,
            body: Zeroizing::new(serde_json::to_vec(&Problem::new(kind)).unwrap()),
            sabotage: Sabotage::default(),
        })
    }

    fn first(repeatable: bool, result: &Result<Incoming, Error>) -> Option<Duration> {
        Repeat::default()
            .begin(repeatable, Sabotage::default())
            .wait_after(result)
            .unwrap()
    }

    #[test]
    fn rate_limits_are_waited_out_if_they_are_short() {
        let wait = first(false, &refusal(ProblemType::RateLimited, Some(7))).unwrap();
        assert!(wait >= Duration::from_secs(7) && wait < Duration::from_secs(8));
        assert_eq!(
            first(true, &refusal(ProblemType::RateLimited, Some(61))),
            None
        );
        assert_eq!(first(true, &refusal(ProblemType::RateLimited, None)), None);
    }

    #[test]
    fn lost_answers_are_asked_for_again_where_it_is_safe() {
        let lost = || Err(Unreachable::Broken.into());
        assert!(first(true, &lost()).is_some());
        assert_eq!(first(false, &lost()), None);
        let mut turn = Repeat::default().begin(true, Sabotage::default());
        let waits: Vec<_> = (0..4).map(|_| turn.wait_after(&lost()).unwrap()).collect();
        assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
        assert_eq!(waits[3], None);
    }

    #[test]
    fn refusals_are_final() {
        assert_eq!(first(true, &refusal(ProblemType::Forbidden, Some(1))), None);
        assert!(first(true, &refusal(ProblemType::IdempotencyInFlight, None)).is_some());
    }
}
