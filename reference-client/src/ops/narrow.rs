//! Agree to less than was asked for (spec chapter 12): the document that is signed then.

use std::path::PathBuf;

use clap::Args;
use clp_schemas::approval::{self, Agreed, Decision};
use clp_schemas::permissions::{PermissionSet, Verdict, check_against, compare, consent, risk};
use clp_schemas::time::Timestamp;
use serde_json::json;

use super::approve::Question;
use super::scope::LANGUAGE;
use crate::error::{Error, LocalFault};
use crate::render::clean;
use crate::wanted::{Span, permission_file};

/// What an approver agrees to, where it is less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Less {
    pub(super) permissions: Option<PermissionSet>,
    pub(super) lifetime_seconds: Option<u64>,
    pub(super) renewable_until: Option<Timestamp>,
}

/// How much of a request is agreed to.
#[derive(Args, Debug)]
pub(super) struct NarrowArgs {
    /// Agree to the permission set in this JSON file only, which is within the one asked for
    #[arg(long, value_name = "FILE", conflicts_with = "deny")]
    narrow: Option<PathBuf>,
    /// Agree to a life of this length only [example: 30m]
    #[arg(long, value_name = "SPAN", conflicts_with = "deny")]
    shorten: Option<Span>,
    /// Agree to rotations until this time only
    #[arg(long, value_name = "TIME", conflicts_with = "deny")]
    renewable_until: Option<Timestamp>,
}

impl NarrowArgs {
    /// The question whether to agree to so much of the request.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file holds no permission set; otherwise as
    /// [`Question::narrowed`].
    pub(super) fn apply(&self, question: Question, decision: Decision) -> Result<Question, Error> {
        let less = Less {
            permissions: self.narrow.as_deref().map(permission_file).transpose()?,
            lifetime_seconds: self.shorten.map(|span| span.seconds),
            renewable_until: self.renewable_until,
        };
        match less == Less::default() || decision == Decision::Deny {
            true => Ok(question),
            false => question.narrowed(less),
        }
    }
}

impl Question {
    /// The question whether to agree to less: the next version of the document, computed
    /// here and never taken from the issuer (CLP-APP-027).
    ///
    /// # Errors
    /// [`Error::Unverified`] if it is not shown to be less; [`Error::Usage`] for a longer
    /// life.
    fn narrowed(mut self, less: Less) -> Result<Self, Error> {
        let system = || LocalFault::System("the request cannot be written as JSON");
        if let Some(set) = &less.permissions {
            check_against(&self.meaning, set, &self.body.environment)
                .map_err(|fault| Error::Unverified(fault.to_string()))?;
            let comparison = compare(&self.meaning, set, &self.body.permissions);
            if !matches!(comparison.verdict, Verdict::Equal | Verdict::Narrower) {
                let why = comparison.counterexample.unwrap_or_default();
                return Err(Error::Unverified(format!(
                    "the file opens more than was asked for: {}",
                    clean(&why)
                )));
            }
            self.body.permissions = set.clone();
        }
        if let Some(seconds) = less.lifetime_seconds {
            if seconds == 0 || seconds > self.body.lifetime_seconds {
                return Err(Error::usage(format!(
                    "a life of {} seconds was asked for: agree to at most that",
                    self.body.lifetime_seconds
                )));
            }
            self.body.lifetime_seconds = seconds;
        }
        if let Some(until) = less.renewable_until {
            let policy = self.body.rotation_policy.get_or_insert_default();
            if policy.renewable_until.is_some_and(|asked| until > asked) {
                return Err(Error::usage(
                    "rotations until an earlier time were asked for: agree to at most that",
                ));
            }
            policy.renewable_until = Some(until);
        }
        let agreed = Agreed {
            permissions: less.permissions.as_ref().map(|set| json!(set)),
            lifetime_seconds: less.lifetime_seconds.map(|seconds| json!(seconds)),
            renewable_until: less.renewable_until.map(|until| json!(until)),
        };
        self.document = approval::narrowed(self.document, agreed).map_err(|_| system())?;
        self.digest = approval::digest(&self.document).map_err(|_| system())?;
        self.consent = consent(&self.meaning, &self.body.permissions, LANGUAGE)
            .map_err(|fault| Error::Unverified(fault.to_string()))?;
        self.risk = risk(&self.meaning, &self.body.permissions);
        self.less = Some(less);
        Ok(self)
    }
}
