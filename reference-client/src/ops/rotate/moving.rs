//! Where a rotation brings the successor, and gives the predecessor back.

use clp_schemas::ids::InstallationId;
use clp_schemas::ops::inject::Installation;
use clp_schemas::state::installation;
use clp_schemas::time::Timestamp;

use super::record::Step;
use super::steps::Drive;
use crate::error::{Error, LocalFault};
use crate::ops::inject::{Said, bring};
use crate::places::Place;
use crate::store::Entry;

impl Drive<'_> {
    /// The place that an installation is on this machine, if it was filled from here.
    pub(super) fn local(&self, id: &InstallationId) -> Result<Option<Place>, LocalFault> {
        self.session.home.places().get(&self.record.issuer, id)
    }

    /// The places that still have the predecessor, and those that a run died at.
    async fn unmoved(&mut self) -> Result<Vec<InstallationId>, Error> {
        if !self.has_inventory().await? {
            let predecessor = &self.record.predecessor;
            let places = self.session.home.places().of(&self.record.issuer)?;
            let here = places.into_iter().filter(|(id, place)| {
                place.credential_id == *predecessor || self.record.moved.contains(id)
            });
            return Ok(here.map(|(id, _)| id).collect());
        }
        let (old, new) = (&self.record.predecessor, &self.record.successor);
        let mut ids = Vec::new();
        let mut elsewhere = Vec::new();
        let there = self.client.installations(old).await?;
        let begun = self.client.installations(new).await?;
        let begun = begun
            .into_iter()
            .filter(|place| place.declared.state == installation::State::Updating);
        for place in there.into_iter().chain(begun) {
            if !in_use(&place) {
                continue;
            }
            match self.local(&place.id)? {
                Some(_) => ids.push(place.id),
                None => elsewhere.push(place),
            }
        }
        for place in elsewhere {
            self.say(&foreign(&place));
        }
        Ok(ids)
    }

    pub(super) async fn place(&mut self) -> Result<(), Error> {
        let entry = self.entry(&self.record.successor)?;
        for id in self.unmoved().await? {
            let Some(place) = self.local(&id)? else {
                continue;
            };
            if !self.record.moved.contains(&id) {
                self.record.moved.push(id.clone());
            }
            self.note(Step::Place)?;
            self.bring(&id, &place, &entry).await?;
            self.record.placed_at = Some(Timestamp::system_now());
            self.note(Step::Place)?;
        }
        Ok(())
    }

    /// Whether a place that is filled from here still has the predecessor.
    pub(super) fn has_left_behind(&self) -> Result<bool, LocalFault> {
        let here = self.session.home.places().of(&self.record.issuer)?;
        let mut here = here.values();
        Ok(here.any(|place| place.credential_id == self.record.predecessor))
    }

    /// Whether anybody knows a place that is about to lose the predecessor.
    pub(super) async fn has_place(&self) -> Result<bool, Error> {
        if !self.record.moved.is_empty() {
            return Ok(true);
        }
        let (old, new) = (&self.record.predecessor, &self.record.successor);
        let here = self.session.home.places().of(&self.record.issuer)?;
        if here
            .values()
            .any(|place| place.credential_id == *old || place.credential_id == *new)
        {
            return Ok(true);
        }
        if self.has_inventory().await? {
            for id in [old, new] {
                let declared = self.client.installations(id).await?;
                if declared.iter().any(in_use) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn bring(
        &mut self,
        id: &InstallationId,
        place: &Place,
        entry: &Entry,
    ) -> Result<(), Error> {
        let (old, new) = (&self.record.predecessor, &self.record.successor);
        let other = if entry.credential_id == *old {
            new
        } else {
            old
        };
        let said = Said::or_below(other);
        bring(self.client, self.session, id, place, entry, said).await?;
        let (to, path) = (&entry.credential_id, place.path.display());
        self.say(&format!("{to} is in {path} as {}", place.variable));
        Ok(())
    }

    /// The places that have the successor get the predecessor back. False where some place
    /// still has the successor, because it cannot be filled from here.
    pub(super) async fn put_back(&mut self) -> Result<bool, Error> {
        let moved = self.record.moved.clone();
        let entry = match self.entry(&self.record.predecessor) {
            Ok(entry) => entry,
            Err(LocalFault::NotStored) if moved.is_empty() => return Ok(true),
            Err(LocalFault::NotStored) => {
                self.say("the predecessor is not in this store: its places have to be put back by whoever has it");
                return Ok(false);
            }
            Err(fault) => return Err(fault.into()),
        };
        let mut left = Vec::new();
        for id in moved.iter().rev() {
            match self.local(id)? {
                // A run can die before it is written down here that the issuer knows of it.
                Some(mut place) => {
                    place.credential_id = self.record.successor.clone();
                    self.bring(id, &place, &entry).await?;
                }
                None => {
                    self.say(&format!(
                        "{id} is not filled from here: somebody has to put the predecessor back"
                    ));
                    left.push(id.clone());
                }
            }
        }
        self.record.moved = left;
        self.rotations().write(&self.record)?;
        Ok(self.record.moved.is_empty())
    }
}

/// Whether a place still uses the credential.
pub(super) fn in_use(place: &Installation) -> bool {
    place.declared.state != installation::State::Retired
}

/// What has to be done by somebody else.
fn foreign(place: &Installation) -> String {
    let body = &place.declared;
    let depends = match body.depends_on.is_empty() {
        true => String::new(),
        false => format!(" (it keeps {} going)", body.depends_on.join(", ")),
    };
    format!(
        "{} is not filled from here: {} has to bring the successor to {} {}{depends}",
        place.id, place.reported_by, body.target.kind, body.target.name
    )
}
