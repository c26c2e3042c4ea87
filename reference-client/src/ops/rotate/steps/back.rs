//! The way back: the places first, and then the rotation.

use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::installation;

use super::Drive;
use crate::error::{Error, LocalFault};
use crate::ops::rotate::record::Step;
use crate::render::Outcome;

impl Drive<'_> {
    /// Gives the rotation up: the places first, then the rotation.
    pub(in crate::ops::rotate) async fn back(mut self) -> Result<Outcome, Error> {
        let rotation = self.rotation().await?;
        if !rotation.state.is_open() {
            return self.ended(&rotation);
        }
        // The issuer would refuse it, and the places would have been put back by then.
        if self.record.compromised {
            return Err(Problem::new(ProblemType::NoRollbackAfterCompromise).into());
        }
        self.note(Step::RollBack)?;
        if self.has_inventory().await? {
            let successor = self.record.successor.clone();
            let predecessor = self.record.predecessor.clone();
            let there = self.client.installations(&successor).await?;
            let there = there
                .into_iter()
                .filter(|place| place.declared.state != installation::State::Retired);
            // Somebody was about to give these the predecessor back, and perhaps has not
            // (CLP-ROT-036).
            let between = self.client.installations(&predecessor).await?;
            let between = between
                .into_iter()
                .filter(|place| place.declared.state == installation::State::Updating);
            for place in there.chain(between) {
                if !self.record.moved.contains(&place.id) {
                    self.record.moved.push(place.id);
                }
            }
        }
        // Ending the successor while a place has it would be the outage that this is to avoid.
        if !self.put_back().await? {
            return Err(self.unhealthy(
                "places still have the successor, and nobody put the predecessor back",
            ));
        }
        let seen = self.client.rotation(&self.record.rotation_id).await?;
        let rotation = self.client.roll_back(&seen).await?;
        self.say(&format!("{} works again", rotation.predecessor));
        self.ended(&rotation)
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
                Some(place) => self.bring(id, &place, &entry).await?,
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
