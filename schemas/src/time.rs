//! Points in time as they stand on the wire: RFC 3339, UTC, whole seconds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in time to the second, from 0000-01-01T00:00:00Z to 9999-12-30T22:00:00Z.
///
/// On the wire it has exactly one spelling, `2026-11-24T19:39:13Z`, so that two documents
/// that mean the same time hash alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))]
pub struct Timestamp(i64);

/// Text that is not a time in the one spelling CLP admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2026-11-24T19:39:13Z")]
pub struct NotATime;

/// 9999-12-30T22:00:00Z: the last second that has a four-digit year in every time zone.
const LAST: i64 = 253_402_207_200;
/// The first second of the year 0000.
const FIRST: i64 = -62_167_219_200;

impl Timestamp {
    /// The time so many seconds after 1970-01-01T00:00:00Z, kept within the bounds.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(FIRST, LAST))
    }

    /// Seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0
    }

    /// The system's clock, without any tenant's offset.
    #[must_use]
    pub fn system_now() -> Self {
        Self::from_unix(jiff::Timestamp::now().as_second())
    }

    /// This time and so many seconds more (or fewer), kept within the bounds.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let time: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        let time = Self::from_unix(time.as_second());
        // One spelling only: whatever is read must be written back alike.
        if time.to_string() == text {
            Ok(time)
        } else {
            Err(NotATime)
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_second(self.0).map_err(|_| fmt::Error)?;
        write!(formatter, "{time:.0}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_is_read_and_written() {
        let text = "2026-11-24T19:39:13Z";
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        for other in [
            "2026-11-24T19:39:13.0Z",
            "2026-11-24T19:39:13+00:00",
            "2026-11-24t19:39:13z",
            "2026-11-24 19:39:13Z",
            "2026-02-30T00:00:00Z",
            "",
        ] {
            assert_eq!(other.parse::<Timestamp>(), Err(NotATime), "{other}");
        }
    }

    #[test]
    fn arithmetic_stays_within_what_can_be_written() {
        let last = Timestamp::from_unix(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(last.plus(1), last);
        assert_eq!(Timestamp::from_unix(0).plus(60).unix(), 60);
    }
}
