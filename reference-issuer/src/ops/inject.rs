//! Say where a credential is used (specification chapter 16).

use clp_schemas::ids::CredentialId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::inject::{Installation, InstallationDelete, InstallationPut};
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::Value;

use super::inventory::{Sightings, below};
use super::stores::{NAMED_RULES, Named};
use super::{Incoming, Operation, Outcome, as_seen, guard};
use crate::auth::Action;
use crate::lifecycle::inventory;
use crate::rules::Rule;
use crate::store::{Fault, InstallationRow, Tx};

/// Where a credential and an installation stand, and what is reported.
struct Standing {
    credential_has_ended: bool,
    is_admitted: bool,
    is_talked_away: bool,
}

const RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-INJ-005",
        refuses: |standing| {
            standing
                .credential_has_ended
                .then(|| ProblemType::CredentialNotActive.into())
        },
    },
    Rule {
        id: "CLP-INJ-002",
        refuses: |standing| {
            (!standing.is_admitted)
                .then(|| Problem::new(ProblemType::InstallationState).pointer("/state"))
        },
    },
    Rule {
        id: "CLP-INJ-004",
        refuses: |standing| {
            standing
                .is_talked_away
                .then(|| ProblemType::RotationInProgress.into())
        },
    },
];

/// Whether an open rotation replaces one of these credentials, or made it.
fn is_in_rotation(tx: &Tx<'_>, credentials: &[&CredentialId]) -> Result<bool, Fault> {
    for id in credentials {
        let neighbours = tx.neighbours(id)?;
        if neighbours.replaced_by.is_some() || neighbours.replaces.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a put is about: the credential of the path, its line, and the installation of that line
/// if there is one.
pub(crate) struct Place {
    credential: Credential,
    line: CredentialId,
    present: Option<Installation>,
}

impl Operation for InstallationPut {
    type Subject = Place;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Place, Problem> {
        let path = call.path()?;
        let credential =
            guard::credential(tx, &call.caller, &path.credential_id, Action::Inventory)?;
        let line = tx.first_of_line(&credential.id)?;
        let present = tx.installation(&line, &path.installation_id)?;
        Ok(Place {
            credential,
            line,
            present,
        })
    }

    /// The installation as it is read, also where it is below another credential of the line.
    fn current(tx: &Tx<'_>, place: &Place, _: &Incoming<Self>) -> Result<Option<Value>, Problem> {
        place
            .present
            .clone()
            .map(|present| as_seen(&Sightings::of(tx, &present.credential_id)?.shown(present)))
            .transpose()
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        place: Place,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Installation>, Problem> {
        let Place {
            credential,
            line,
            present,
        } = place;
        let mut declared = call.body()?.typed.clone();
        declared.required.get_or_insert(true);
        tx.check(
            NAMED_RULES,
            &Named::new(tx, declared.store_id.as_ref(), &credential)?,
        )?;
        let installation = Installation {
            id: call.path()?.installation_id.clone(),
            credential_id: credential.id.clone(),
            declared,
            reported_by: call.caller.principal()?.clone(),
            reported_at: tx.now(),
            last_seen_at: None,
        };
        let is_talked_away = match &present {
            Some(present)
                if inventory::is_awaited(present) && !inventory::is_awaited(&installation) =>
            {
                is_in_rotation(tx, &[&present.credential_id, &credential.id])?
            }
            _ => false,
        };
        let standing = Standing {
            credential_has_ended: !credential.state.is_live(),
            is_admitted: inventory::admits(
                present.as_ref().map(|present| present.declared.state),
                present
                    .as_ref()
                    .is_some_and(|present| present.credential_id != credential.id),
                installation.declared.state,
            ),
            is_talked_away,
        };
        tx.check(RULES, &standing)?;
        let row = InstallationRow {
            line,
            installation: installation.clone(),
        };
        tx.apply(inventory::put(row, &credential, present.is_none()))?;
        let uri = call
            .service
            .installation_uri(&credential.id, &installation.id);
        let answer = Sightings::of(tx, &credential.id)?.shown(installation);
        Ok(match present {
            None => Outcome::Made(answer, uri),
            Some(_) => Outcome::Done(answer),
        })
    }
}

impl Operation for InstallationDelete {
    type Subject = (Credential, InstallationRow);

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Self::Subject, Problem> {
        let path = call.path()?;
        let credential =
            guard::credential(tx, &call.caller, &path.credential_id, Action::Inventory)?;
        let row = below(tx, &credential, &path.installation_id)?;
        Ok((credential, row))
    }

    fn current(
        tx: &Tx<'_>,
        (_, row): &Self::Subject,
        _: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        let installation = row.installation.clone();
        as_seen(&Sightings::of(tx, &installation.credential_id)?.shown(installation)).map(Some)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (credential, row): Self::Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Nothing>, Problem> {
        let standing = Standing {
            credential_has_ended: false,
            is_admitted: true,
            is_talked_away: inventory::is_awaited(&row.installation)
                && is_in_rotation(tx, &[&credential.id])?,
        };
        tx.check(RULES, &standing)?;
        tx.apply(inventory::remove(row, &credential, call.caller.id()))?;
        Ok(Outcome::Done(Nothing {}))
    }
}
