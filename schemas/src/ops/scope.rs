//! Scope: what a credential opens, and what of it was used (spec chapter 14).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::CredentialPath;
use super::{Nothing, call};
use crate::ids::CredentialId;
use crate::permissions::{PermissionSet, Recorded, Statement};
use crate::time::Timestamp;

/// Most distinct accesses that an issuer keeps of one credential, and answers.
pub const MAX_RECORDED: usize = 100;
/// Longest access that is kept, in bytes of its JSON.
pub const MAX_ACCESS_BYTES: usize = 1024;

/// A day, in seconds.
const DAY: u64 = 86_400;

/// Over how long to look back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisQuery {
    /// Uses from this second on count; by default, and at the earliest, all since the credential
    /// was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// What of a credential's permissions was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// The credential.
    pub credential_id: CredentialId,
    /// From when on uses were counted.
    pub since: Timestamp,
    /// Up to when the issuer has seen uses.
    pub as_of: Timestamp,
    /// Each action of each statement, implied ones included.
    pub atoms: Vec<AtomUse>,
    /// The distinct accesses since then, the last used first.
    #[schemars(length(max = MAX_RECORDED))]
    pub recorded: Vec<RecordedUse>,
    /// Whether `recorded` is all of them: what was forgotten is older than `since`.
    pub complete: bool,
    /// How many calls there were at least.
    pub uses: u64,
    /// How far what was used tells what is needed.
    pub confidence: Confidence,
    /// Permissions that would have been enough, and are narrower; absent where none was used,
    /// or where nothing narrower is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<PermissionSet>,
    /// What of `recorded` they would have refused.
    #[schemars(length(max = MAX_RECORDED))]
    pub would_refuse: Vec<Recorded>,
}

/// One action, and whether it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtomUse {
    /// The statement, with this action alone.
    pub statement: Statement,
    /// Whether an accepted call needed it.
    pub used: bool,
    /// When last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// One access, and how often there was one like it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedUse {
    /// What was done to what.
    pub access: Recorded,
    /// How many such calls were accepted since then, at least.
    #[schemars(range(min = 1))]
    pub uses: u64,
    /// When the last was.
    pub last_used_at: Timestamp,
}

/// How far what was used tells what is needed. A closed set, with a rule that anybody can
/// check.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Little was seen, for a short time, or with gaps.
    Low,
    /// A day and ten calls, and as long as any place says that it can be silent.
    Medium,
    /// Thirty days and a hundred calls, and twice as long as any place says.
    High,
}

/// What [`Confidence`] goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Whether every distinct access is known.
    pub complete: bool,
    /// From the beginning of the window to its end, in seconds.
    pub window_seconds: u64,
    /// How many calls there were at least.
    pub uses: u64,
    /// The longest `use_interval_seconds` that an installation declares; 0 where none does.
    pub longest_interval_seconds: u64,
}

impl Observed {
    /// The confidence that this gives (spec chapter 14).
    #[must_use]
    pub fn confidence(self) -> Confidence {
        let reaches = |days: u64, calls: u64, intervals: u64| {
            self.complete
                && self.uses >= calls
                && self.window_seconds >= days * DAY
                && self.window_seconds >= self.longest_interval_seconds.saturating_mul(intervals)
        };
        if reaches(30, 100, 2) {
            Confidence::High
        } else if reaches(1, 10, 1) {
            Confidence::Medium
        } else {
            Confidence::Low
        }
    }
}

call!(
    /// Reads what was used.
    ScopeAnalysis, CredentialPath, AnalysisQuery, Nothing => Analysis
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_rule_counts() {
        let high = Observed {
            complete: true,
            window_seconds: 30 * DAY,
            uses: 100,
            longest_interval_seconds: 15 * DAY,
        };
        assert_eq!(high.confidence(), Confidence::High);
        for less in [
            Observed {
                window_seconds: 30 * DAY - 1,
                ..high
            },
            Observed { uses: 99, ..high },
            Observed {
                longest_interval_seconds: 15 * DAY + 1,
                ..high
            },
        ] {
            assert_eq!(less.confidence(), Confidence::Medium, "{less:?}");
        }
        let medium = Observed {
            complete: true,
            window_seconds: DAY,
            uses: 10,
            longest_interval_seconds: DAY,
        };
        assert_eq!(medium.confidence(), Confidence::Medium);
        for less in [
            Observed {
                complete: false,
                ..high
            },
            Observed {
                window_seconds: DAY - 1,
                longest_interval_seconds: 0,
                ..medium
            },
            Observed { uses: 9, ..medium },
            Observed {
                longest_interval_seconds: DAY + 1,
                ..medium
            },
            Observed {
                longest_interval_seconds: u64::MAX,
                ..medium
            },
        ] {
            assert_eq!(less.confidence(), Confidence::Low, "{less:?}");
        }
    }
}
