//! Whether every place works with the successor, and what follows if one does not.

use clp_schemas::endpoint::Class;
use clp_schemas::ops::inject::{Health as Seen, Installation};
use clp_schemas::ops::rotate::Rotation;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::installation;

use super::health::{self, Checked, From, How};
use super::record::Step;
use super::sabotage;
use super::steps::Drive;
use crate::error::Error;
use crate::ops::call::Caller;
use crate::ops::inject::LOOKS;
use crate::places::Place;
use crate::store::Entry;

/// The variable for a command where no place has one.
const VARIABLE: &str = "CLP_SECRET";

impl Drive<'_> {
    /// Sees that every place filled from here works. After a failure the places get the
    /// predecessor back, and the rotation goes no further (CLP-ROT-034).
    pub(super) async fn check(&mut self, rotation: &Rotation) -> Result<(), Error> {
        let entry = self.entry(&self.record.successor)?;
        let by_event = health::is_by_event(entry.kind)
            && rotation.state.is_open()
            && self.client.issuer().await?.manifest.claims(Class::Webhooks);
        let places = self.filled().await?;
        let any = places.iter().any(|(_, here)| here.about.health.is_some());
        if !by_event && !any && self.record.health.is_none() {
            if self.record.unhealthy {
                return Err(self.unhealthy("its last health check failed"));
            }
            self.say("no health check: give --health or --health-cmd to see that it works");
            return Ok(());
        }
        self.note(Step::Check)?;
        if places.is_empty() {
            let checked = self.check_one(rotation, &entry, None, by_event).await?;
            self.judge(None, checked).await?;
        }
        for (declared, here) in places {
            if !by_event && self.record.health.is_none() && here.about.health.is_none() {
                self.say(&format!("{} has no health check", here.path.display()));
                continue;
            }
            let known = Some((declared.as_ref(), &here));
            let checked = self.check_one(rotation, &entry, known, by_event).await?;
            self.judge(declared.as_ref(), checked).await?;
        }
        // Only now: a run that dies between two places has not checked the second.
        self.record.unhealthy = false;
        self.note(Step::Check)?;
        Ok(())
    }

    /// The places that were filled from here, and how they are declared, if they are.
    async fn filled(&self) -> Result<Vec<(Option<Installation>, Place)>, Error> {
        let successor = &self.record.successor;
        if !self.has_inventory().await? {
            let here = self.session.home.places().of(&self.record.issuer)?;
            let here = here.into_values();
            return Ok(here
                .filter(|place| place.credential_id == *successor)
                .map(|place| (None, place))
                .collect());
        }
        let mut places = Vec::new();
        for place in self.client.installations(successor).await? {
            if let Some(here) = self.local(&place.id)?
                && matches!(
                    place.declared.state,
                    installation::State::Installed | installation::State::Verified
                )
            {
                places.push((Some(place), here));
            }
        }
        Ok(places)
    }

    async fn check_one(
        &self,
        rotation: &Rotation,
        entry: &Entry,
        place: Option<(Option<&Installation>, &Place)>,
        by_event: bool,
    ) -> Result<Checked, Error> {
        if by_event {
            return health::by_event(self.client, rotation).await;
        }
        let remembered = place.and_then(|(_, here)| here.about.health.as_ref());
        let Some(by) = self.record.health.as_ref().or(remembered) else {
            return Ok(Err("there is no health check"));
        };
        if let Some((_, here)) = place {
            sabotage::before_checking(self.client, rotation, here, entry)?;
        }
        let caller = Caller::new(entry, &self.session.home.store())?;
        let declared = place.and_then(|(declared, _)| declared);
        let known_by = declared.and_then(|place| place.declared.matcher.as_ref());
        let from = From {
            user_agent: match known_by {
                Some(matcher) => matcher.user_agent.as_deref(),
                None => place.and_then(|(_, here)| here.about.user_agent.as_deref()),
            },
            variable: place.map_or(VARIABLE, |(_, here)| &here.variable),
        };
        let how = How {
            by,
            limit: self.options.health_limit,
        };
        health::check(self.client, how, &caller, rotation, from).await
    }

    /// Reports what a check gave, or stops at it.
    async fn judge(&mut self, place: Option<&Installation>, checked: Checked) -> Result<(), Error> {
        let seen = match checked {
            Ok(seen) => seen,
            Err(_) if self.client.sabotage.breaks("CLP-ROT-034") => return Ok(()),
            Err(what) => {
                if let (Some(place), true) = (place, self.client.sabotage.breaks("CLP-INJ-007")) {
                    self.report(place, sabotage::as_if_it_worked()).await?;
                }
                self.record.unhealthy = true;
                self.note(Step::Check)?;
                self.say(what);
                if !self.record.compromised
                    && let Err(fault) = self.put_back().await
                {
                    self.say(&format!("the places could not be put back: {fault}"));
                }
                return Err(self.unhealthy(what));
            }
        };
        match place {
            Some(place) if self.report(place, seen).await? => {
                self.say(&format!("{} works with the successor", place.id));
            }
            _ => self.say("the successor works"),
        }
        Ok(())
    }

    /// Reports a place as verified. False where the issuer does not have it any more.
    async fn report(&self, place: &Installation, seen: Seen) -> Result<bool, Error> {
        let successor = &self.record.successor;
        let mut looks = LOOKS;
        loop {
            let Some(found) = self.client.installation(successor, &place.id).await? else {
                return Ok(false);
            };
            looks -= 1;
            match self.client.report_verified(&found, seen.clone()).await {
                Err(fault)
                    if looks > 0 && fault.problem() == Some(ProblemType::PreconditionFailed) => {}
                reported => return reported.map(|_| true),
            }
        }
    }

    pub(super) fn unhealthy(&self, what: &'static str) -> Error {
        Error::Unhealthy {
            rotation: self.record.rotation_id.clone(),
            what,
        }
    }
}
