//! The run that a client is in, where it is tested (spec chapter 80, "Faults").

use std::str::FromStr;

use reqwest::header::HeaderValue;

use crate::error::Error;

/// What a run is called at a test issuer, which plays its script of faults for each run from
/// the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRun(String);

impl TestRun {
    /// As it stands in the header field.
    pub(super) fn field(&self) -> Result<HeaderValue, Error> {
        HeaderValue::from_str(&self.0).map_err(|_| Error::usage(WANTED))
    }
}

const WANTED: &str = "want 1 to 64 letters, digits, `.`, `_`, `~` and `-` as the name of a run";

impl FromStr for TestRun {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_name = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
        match is_name {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::usage(WANTED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_held_to_the_specification() {
        for name in ["a", "A.b_c~1-2", &"a".repeat(64)] {
            assert_eq!(name.parse::<TestRun>().unwrap().field().unwrap(), name);
        }
        for refused in ["", "a b", "a\n", "é", "a/b", &"a".repeat(65)] {
            assert!(refused.parse::<TestRun>().is_err(), "{refused:?}");
        }
    }
}
