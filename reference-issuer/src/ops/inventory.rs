//! Know where a credential is used: what was declared, and what was seen (specification
//! chapter 17).

use clp_schemas::ids::{CredentialId, InstallationId};
use clp_schemas::ops::Call as _;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::inject::{Installation, Match};
use clp_schemas::ops::inventory::{
    Consumer, InstallationList, InstallationPage, InstallationQuery, InstallationRead, Usage,
    UsageRead,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;

use super::page::{self, Listing};
use super::{Incoming, Operation, Outcome, guard};
use crate::auth::Action;
use crate::lifecycle::inventory::fits;
use crate::rules::Rule;
use crate::store::{Fault, InstallationRow, Tx, UseRow};

/// The most consumers that are answered.
const MOST_CONSUMERS: usize = 200;

/// Who was seen using a credential, the last seen first.
pub(super) struct Sightings(pub(super) Vec<UseRow>);

impl Sightings {
    /// The sightings of a credential.
    pub(super) fn of(tx: &Tx<'_>, credential: &CredentialId) -> Result<Self, Fault> {
        Ok(Self(tx.consumers(credential)?))
    }

    /// When a use that fits was last seen.
    pub(super) fn last(&self, matcher: Option<&Match>) -> Option<Timestamp> {
        self.0
            .iter()
            .filter(|seen| fits(matcher, seen.user_agent.as_deref(), &seen.address))
            .map(|seen| seen.last_seen_at)
            .max()
    }

    /// An installation of the credential as it is read.
    pub(super) fn shown(&self, mut installation: Installation) -> Installation {
        installation.last_seen_at = self.last(installation.declared.matcher.as_ref());
        installation
    }
}

impl Operation for InstallationList {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(tx, &call.caller, &call.path()?.credential_id, Action::Read)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<InstallationPage>, Problem> {
        let query = call.query()?;
        let filter = (
            credential.id.clone(),
            InstallationQuery {
                limit: None,
                cursor: None,
                ..query.clone()
            },
        );
        let listing = Listing {
            caller: call.caller.id(),
            endpoint: Self::ID.row().name,
        };
        let cipher = tx.keys().cursors();
        let after: Option<i64> =
            listing.open(tx.seams(), cipher, &filter, query.cursor.as_deref())?;
        let limit = page::limit(query.limit);
        let mut found = tx.installations(&credential.id, query.state, after, limit + 1)?;
        let more = page::cut(&mut found, limit);
        let next_cursor = match found.last() {
            Some((last, _)) if more => Some(listing.seal(cipher, &filter, last)?),
            _ => None,
        };
        let sightings = Sightings::of(tx, &credential.id)?;
        let items = found
            .into_iter()
            .map(|(_, installation)| sightings.shown(installation))
            .collect();
        Ok(Outcome::Done(InstallationPage { items, next_cursor }))
    }
}

const SIGHT_RULES: &[Rule<Option<Installation>>] = &[Rule {
    id: "CLP-INJ-003",
    refuses: |found| found.is_none().then(|| ProblemType::NotFound.into()),
}];

/// The installation of an id that is below a credential. One that is below another credential
/// of the line is not there.
pub(super) fn below(
    tx: &Tx<'_>,
    credential: &Credential,
    id: &InstallationId,
) -> Result<InstallationRow, Problem> {
    let line = tx.first_of_line(&credential.id)?;
    let found = tx
        .installation(&line, id)?
        .filter(|found| found.credential_id == credential.id);
    tx.check(SIGHT_RULES, &found)?;
    let installation = found.ok_or(ProblemType::Internal)?;
    Ok(InstallationRow { line, installation })
}

impl Operation for InstallationRead {
    type Subject = Installation;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Installation, Problem> {
        let path = call.path()?;
        let credential = guard::credential(tx, &call.caller, &path.credential_id, Action::Read)?;
        Ok(below(tx, &credential, &path.installation_id)?.installation)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        installation: Installation,
        _: &Incoming<Self>,
    ) -> Result<Outcome<Installation>, Problem> {
        let sightings = Sightings::of(tx, &installation.credential_id)?;
        Ok(Outcome::Done(sightings.shown(installation)))
    }
}

impl Operation for UsageRead {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(tx, &call.caller, &call.path()?.credential_id, Action::Read)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        _: &Incoming<Self>,
    ) -> Result<Outcome<Usage>, Problem> {
        let declared = tx.installations_of_line(&tx.first_of_line(&credential.id)?)?;
        let seen = tx.consumers(&credential.id)?;
        let uses = seen.iter().map(|seen| seen.uses).sum();
        let last_used_at = seen.iter().map(|seen| seen.last_seen_at).max();
        let consumers = seen
            .into_iter()
            .take(MOST_CONSUMERS)
            .map(|seen| Consumer {
                installations: declared
                    .iter()
                    .filter(|place| {
                        fits(
                            place.declared.matcher.as_ref(),
                            seen.user_agent.as_deref(),
                            &seen.address,
                        )
                    })
                    .map(|place| place.id.clone())
                    .collect(),
                user_agent: seen.user_agent,
                address: seen.address,
                uses: seen.uses,
                first_seen_at: seen.first_seen_at,
                last_seen_at: seen.last_seen_at,
            })
            .collect();
        Ok(Outcome::Done(Usage {
            credential_id: credential.id,
            // Uses are recorded in the call that they are, so nothing lags.
            as_of: tx.now(),
            uses,
            last_used_at,
            consumers,
        }))
    }
}
