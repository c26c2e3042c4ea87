//! How `clp rotate` is asked.

use std::time::Duration;

use clap::{Args, ValueEnum};
use clp_schemas::gates::Basis;
use clp_schemas::ids::{CredentialId, RotationId};
use clp_schemas::ops::rotate::{PlanBody, RotationReason};
use clp_schemas::time::Timestamp;
use url::Url;

use super::foresight::Word;
use super::health;
use super::record::Health;
use super::steps::Options;
use crate::error::Error;
use crate::wanted::Span;

/// Why a credential is rotated.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// It is time
    Scheduled,
    /// It may be known to somebody who should not know it
    Compromise,
    /// A policy asks for it
    Policy,
    /// Somebody else answers for it from now on
    Handover,
}

impl From<Reason> for RotationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Scheduled => Self::Scheduled,
            Reason::Compromise => Self::Compromise,
            Reason::Policy => Self::Policy,
            Reason::Handover => Self::Handover,
        }
    }
}

/// Replace credentials: mint a successor, bring it to its places, and let the old one go
#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// The credential to replace
    #[arg(required_unless_present_any = ["resume", "rollback", "project", "due"])]
    pub(super) id: Option<CredentialId>,
    /// Every credential of this project, at every issuer of `clp issuers`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["id", "resume", "rollback"])]
    pub(super) project: Option<String>,
    /// Only what `clp due` names
    #[arg(long, conflicts_with_all = ["id", "resume", "rollback"])]
    pub(super) due: bool,
    /// With --due: what will be due within this time too [default: 7d]
    #[arg(long, value_name = "SPAN", requires = "due")]
    pub(super) within: Option<Span>,
    /// With --project or --due: so many at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(super) jobs: u8,
    /// With --project or --due: begin also what would have to wait for somebody
    #[arg(long)]
    pub(super) open_anyway: bool,
    /// With --project: begin with all of it anew, though an earlier run was not finished
    #[arg(long, requires = "project")]
    pub(super) anew: bool,
    /// Say what would happen, and what would break; change nothing
    #[arg(long, conflicts_with_all = ["resume", "rollback"])]
    pub(super) dry_run: bool,
    /// Why
    #[arg(long, value_enum, default_value = "scheduled")]
    pub(super) reason: Reason,
    /// When the successor is to end by itself [example: 2027-01-31T00:00:00Z]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["project", "due"])]
    pub(super) expires_at: Option<Timestamp>,
    /// The successor opens what was used and nothing else; see `clp scope analyse`
    #[arg(long, conflicts_with_all = ["project", "due"])]
    pub(super) narrow: bool,
    /// The old one has to be unused for so long before it goes [default: the longest time
    /// between two uses of a place, where the issuer does not see to that]
    #[arg(long, value_name = "SPAN")]
    pub(super) quiet: Option<Span>,
    /// Both live side by side for at least so long
    #[arg(long, value_name = "SPAN")]
    pub(super) min_overlap: Option<Span>,
    /// Least that a gate may rest on: reported, attested or observed
    #[arg(long, value_name = "BASIS", value_parser = basis)]
    pub(super) least_basis: Option<Basis>,
    /// See that each place works by a GET of this URL, which gets the key [default: as
    /// `clp inject` was told]
    #[arg(long, value_name = "URL")]
    pub(super) health: Option<Url>,
    /// See it by this command, which finds the secret in the variable of the place
    #[arg(long, value_name = "COMMAND", conflicts_with = "health")]
    pub(super) health_cmd: Option<String>,
    /// Give that command up after so long [default: 60s]
    #[arg(long, value_name = "SPAN")]
    pub(super) health_timeout: Option<Span>,
    /// Wait for the gates for so long
    #[arg(long, value_name = "SPAN")]
    pub(super) wait: Option<Span>,
    /// Where the issuer keeps no inventory: clp fills every place that uses it, or you have
    /// brought the successor to the others
    #[arg(long)]
    pub(super) i_have_moved_everything: bool,
    /// No place is declared, and you know that none uses it: the old one may go at once
    #[arg(long)]
    pub(super) no_places: bool,
    /// The issuer has room for one key only, and you accept that nothing works in between
    #[arg(long)]
    pub(super) accept_gap: bool,
    /// After a compromise: revoke the old one first, and break what depends on it
    #[arg(long, conflicts_with = "keep_until_moved")]
    pub(super) revoke_first: bool,
    /// After a compromise: keep the old one until every place has the successor
    #[arg(long)]
    pub(super) keep_until_moved: bool,
    /// Mint the successor and do nothing more; fetch its secret with `clp store get`
    #[arg(long, conflicts_with_all = ["project", "due"])]
    pub(super) no_store: bool,
    /// Go on with this rotation
    #[arg(long, value_name = "ID", conflicts_with_all = ["id", "rollback"])]
    pub(super) resume: Option<RotationId>,
    /// Give this rotation up: the places get the old one back
    #[arg(long, value_name = "ID", conflicts_with_all = ["id"])]
    pub(super) rollback: Option<RotationId>,
}

fn basis(text: &str) -> Result<Basis, &'static str> {
    Basis::from_name(text).ok_or("want reported, attested or observed")
}

impl RotateArgs {
    /// The usual way to replace one credential.
    pub(super) fn of(id: CredentialId, reason: Reason) -> Self {
        Self {
            id: Some(id),
            project: None,
            due: false,
            within: None,
            jobs: 1,
            open_anyway: false,
            anew: false,
            dry_run: false,
            reason,
            expires_at: None,
            narrow: false,
            quiet: None,
            min_overlap: None,
            least_basis: None,
            health: None,
            health_cmd: None,
            health_timeout: None,
            wait: None,
            i_have_moved_everything: false,
            no_places: false,
            accept_gap: false,
            revoke_first: false,
            keep_until_moved: false,
            no_store: false,
            resume: None,
            rollback: None,
        }
    }

    pub(super) fn health(&self) -> Option<Health> {
        Health::asked(self.health.as_ref(), self.health_cmd.as_deref())
    }

    pub(super) fn options(&self) -> Options {
        let span = |span: Span| Duration::from_secs(span.seconds);
        Options {
            wait: self.wait.map_or(Duration::ZERO, span),
            moved_everything: self.i_have_moved_everything,
            health_limit: self.health_timeout.map_or(health::LIMIT, span),
        }
    }

    /// What was said in advance.
    pub(super) fn word(&self) -> Word {
        Word {
            no_places: self.no_places,
            gap: self.accept_gap,
            moved: self.i_have_moved_everything,
            health: self.health.is_some() || self.health_cmd.is_some(),
        }
    }

    /// The plan, if there is anything to say. An issuer that knows the places holds to the
    /// longest time between two of their uses by itself; to others it is said.
    pub(super) fn plan(&self, interval: Option<u64>) -> Option<PlanBody> {
        let plan = PlanBody {
            quiet_period_seconds: self.quiet.map(|span| span.seconds).or(interval),
            min_overlap_seconds: self.min_overlap.map(|span| span.seconds),
            least_basis: self.least_basis,
        };
        (plan != PlanBody::default()).then_some(plan)
    }

    /// After a compromise the order is a decision, and not this program's.
    pub(super) fn check_order(&self) -> Result<(), Error> {
        let compromised = matches!(self.reason, Reason::Compromise);
        let said = self.revoke_first || self.keep_until_moved;
        match (compromised, said) {
            (true, false) => Err(Error::usage(
                "after a compromise, say --revoke-first (what depends on it breaks) or \
                 --keep-until-moved (it stays open until every place has the successor)",
            )),
            (false, true) => Err(Error::usage(
                "--revoke-first and --keep-until-moved go with --reason compromise",
            )),
            _ => Ok(()),
        }
    }
}
