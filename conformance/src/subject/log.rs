//! What an issuer logs that runs in this process, kept in memory to be looked through.

use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_subscriber::EnvFilter;

/// Most that is kept, in bytes. Beyond it, the oldest half goes.
const MOST: usize = 64 * 1024 * 1024;

/// The log.
#[derive(Debug, Default)]
pub struct Log(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How much is gone from the front.
    gone: usize,
    text: Vec<u8>,
}

impl Log {
    /// Begins to keep what the part of this program called `who` logs, down to the least of it;
    /// every caller has to mean the same part. `None` where the program
    /// keeps a log of its own already.
    #[must_use]
    pub fn capture(who: &str) -> Option<&'static Self> {
        static LOG: Log = Log(Mutex::new(Kept {
            gone: 0,
            text: Vec::new(),
        }));
        static STARTED: OnceLock<bool> = OnceLock::new();
        let started = STARTED.get_or_init(|| {
            let log = tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new(format!("{who}=trace")))
                .with_ansi(false)
                .with_writer(|| &LOG)
                .finish();
            tracing::subscriber::set_global_default(log).is_ok()
        });
        started.then_some(&LOG)
    }

    /// Where the log ends now.
    #[must_use]
    pub fn end(&self) -> usize {
        let kept = self.locked();
        kept.gone + kept.text.len()
    }

    /// What was logged since the log ended there.
    #[must_use]
    pub fn since(&self, end: usize) -> Vec<u8> {
        let kept = self.locked();
        let from = end.saturating_sub(kept.gone);
        kept.text.get(from..).unwrap_or_default().to_vec()
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for &Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut kept = self.locked();
        if kept.text.len() + line.len() > MOST {
            let half = kept.text.len() / 2;
            kept.text.drain(..half);
            kept.gone += half;
        }
        kept.text.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Log;
    use std::io::Write as _;

    #[test]
    fn a_reader_gets_what_came_after_a_point() {
        let log = Log::default();
        (&log).write_all(b"before").unwrap();
        let end = log.end();
        (&log).write_all(b"after").unwrap();
        assert_eq!(log.since(end), b"after");
        assert_eq!(log.since(log.end()), b"");
    }
}
