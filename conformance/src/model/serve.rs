//! What the issuer of the model does with each call, in the order in which it is checked.

use super::issuer::{ABSENT, Delivery, End, Issuer, Record, Rotation, Slot};
use super::plan::{Plan, Rule};
use super::request::{Answer, Gate, Problem, Request, Seen, View, refused};
use super::table::{Life, Moves, Push, Report, Stage, Turn};

impl Issuer {
    fn gates(&self, plan: &Plan, rotation: u8, needed: &[Gate]) -> Result<(), Answer> {
        let mut unmet = self.unmet(plan, rotation);
        unmet.retain(|gate| needed.contains(gate));
        match unmet.is_empty() {
            true => Ok(()),
            false => Err(Answer::Refused(Problem::GateUnmet, unmet)),
        }
    }

    /// Answers a call.
    pub fn serve(&mut self, plan: &Plan, request: Request, moves: &mut Moves) -> Answer {
        let done = match request {
            Request::Open { of, key } => self.open_rotation(plan, of, key, moves),
            Request::Read { of } => self.read(of, moves),
            Request::Acknowledge { of } => self.acknowledge(of),
            Request::Put {
                place,
                record,
                seen,
            } => self.put(plan, place, record, seen, moves),
            Request::Advance { rotation, seen } => self.advance(plan, rotation, seen, moves),
            Request::RollBack { rotation, seen } => self.roll_back(plan, rotation, seen, moves),
            Request::Revoke { of } => {
                self.end(of, Turn::Revoke, End::Person, moves);
                Ok(())
            }
            Request::Migrate { of, believed } => self.migrate(plan, of, believed, moves),
            Request::Suspend { of } => self.suspend(of, moves),
            Request::Resume { of, seen } => self.resume(of, seen, moves),
            Request::Use { place, with } => self.use_from(place, with),
        };
        done.err().unwrap_or(Answer::Done)
    }

    fn open_rotation(
        &mut self,
        plan: &Plan,
        of: u8,
        key: u8,
        moves: &mut Moves,
    ) -> Result<(), Answer> {
        if self.keys[usize::from(key)].is_some() {
            return Ok(());
        }
        if self.replaced_by(of).is_some() {
            return Err(refused(Problem::RotationInProgress));
        }
        if self.slot(of).life != Life::Active {
            return Err(refused(Problem::CredentialNotActive));
        }
        // Where the bound leaves no room, nobody asks.
        let Some(number) = self.room(plan) else {
            return Ok(());
        };
        if let Some(next) = moves.credential(Life::Active, Turn::Retire) {
            self.slot_mut(of).life = next;
        }
        self.slot_mut(of).successor = Some(number);
        self.slot_mut(of).recent = true;
        *self.slot_mut(number) = Slot {
            life: Life::Provisioned,
            delivery: Delivery::Unread,
            left: plan.left,
            rotation: Some(Rotation {
                stage: Stage::Created,
                predecessor: of,
            }),
            ..ABSENT
        };
        if plan.own_key {
            self.slot_mut(number).life = Life::Active;
            self.slot_mut(number).delivery = Delivery::None;
            self.push(number, Push::Deliver, moves);
        }
        self.keys[usize::from(key)] = Some(number);
        Ok(())
    }

    fn read(&mut self, of: u8, moves: &mut Moves) -> Result<(), Answer> {
        let slot = self.slot_mut(of);
        if !slot.delivery.is_open() {
            return Err(refused(Problem::DeliveryGone));
        }
        slot.delivery = Delivery::Read;
        if let Some(next) = moves.credential(slot.life, Turn::Deliver) {
            slot.life = next;
            self.push(of, Push::Deliver, moves);
        }
        Ok(())
    }

    fn acknowledge(&mut self, of: u8) -> Result<(), Answer> {
        let slot = self.slot_mut(of);
        match slot.delivery {
            Delivery::Acknowledged => Ok(()),
            Delivery::Read => {
                slot.delivery = Delivery::Acknowledged;
                Ok(())
            }
            Delivery::Unread => Err(refused(Problem::DeliveryNotRead)),
            Delivery::None | Delivery::Gone => Err(refused(Problem::DeliveryGone)),
        }
    }

    fn put(
        &mut self,
        plan: &Plan,
        place: u8,
        asked: Record,
        seen: Seen,
        moves: &mut Moves,
    ) -> Result<(), Answer> {
        let present = self.places[usize::from(place)];
        let holds = match seen {
            Seen::Fresh => present.is_some(),
            Seen::Stale => present.is_some() && !plan.follows(Rule::IfMatch),
            Seen::Nothing => present.is_none(),
        };
        if !holds {
            return Err(refused(Problem::PreconditionFailed));
        }
        if !self.slot(asked.below).life.is_live() {
            return Err(refused(Problem::CredentialNotActive));
        }
        let mut made = Moves::default();
        let is_admitted = match present {
            None => matches!(
                asked.state,
                Report::Declared | Report::Updating | Report::Installed
            ),
            Some(present) => {
                let may = present.below == asked.below
                    || matches!(asked.state, Report::Updating | Report::Installed);
                may && made.installation(present.state, asked.state)
            }
        };
        if !is_admitted {
            return Err(refused(Problem::InstallationState));
        }
        let is_in_rotation = |of: u8| self.replaced_by(of).is_some() || self.open(of).is_some();
        if let Some(present) = present
            && present.is_awaited()
            && !asked.is_awaited()
            && (is_in_rotation(present.below) || is_in_rotation(asked.below))
            && plan.follows(Rule::NotTalkedAway)
        {
            return Err(refused(Problem::RotationInProgress));
        }
        moves.add(made);
        self.places[usize::from(place)] = Some(asked);
        Ok(())
    }

    /// Whether a rotation is as it was seen.
    fn was_seen(&self, plan: &Plan, rotation: u8, seen: Option<View>) -> Result<(), Answer> {
        match seen != Some(self.view(rotation)) && plan.follows(Rule::IfMatch) {
            true => Err(refused(Problem::PreconditionFailed)),
            false => Ok(()),
        }
    }

    fn advance(
        &mut self,
        plan: &Plan,
        rotation: u8,
        seen: Option<View>,
        moves: &mut Moves,
    ) -> Result<(), Answer> {
        self.was_seen(plan, rotation, seen)?;
        let stage = self.slot(rotation).rotation;
        let first = [Gate::Successor, Gate::Installations, Gate::Health];
        match stage {
            Some(at) if at.stage == Stage::Distributing => {
                self.gates(plan, rotation, &first)?;
                self.push(rotation, Push::Advance, moves);
            }
            Some(at) if at.stage == Stage::Draining => {
                let all = Gate::ALL.iter().copied();
                let needed: Vec<Gate> = match plan.follows(Rule::JudgedAgain) {
                    true => all.collect(),
                    false => all.filter(|gate| !first.contains(gate)).collect(),
                };
                self.gates(plan, rotation, &needed)?;
                self.push(rotation, Push::Advance, moves);
                self.end(at.predecessor, Turn::Revoke, End::Completion, moves);
            }
            _ => return Err(refused(Problem::RotationNotOpen)),
        }
        Ok(())
    }

    fn roll_back(
        &mut self,
        plan: &Plan,
        rotation: u8,
        seen: Option<View>,
        moves: &mut Moves,
    ) -> Result<(), Answer> {
        self.was_seen(plan, rotation, seen)?;
        if self.open(rotation).is_none() {
            return Err(refused(Problem::RotationNotOpen));
        }
        if plan.compromise {
            return Err(refused(Problem::NoRollbackAfterCompromise));
        }
        let has_it = |place: &Record| match place.state {
            Report::Retired => false,
            // Nobody knows what is there now.
            Report::Updating if plan.follows(Rule::UpdatingHoldsBack) => true,
            _ => place.below == rotation && plan.follows(Rule::PlacesFirst),
        };
        if self.places.iter().flatten().any(has_it) {
            return Err(Answer::Refused(
                Problem::GateUnmet,
                vec![Gate::Installations],
            ));
        }
        self.push(rotation, Push::Rollback, moves);
        self.end(rotation, Turn::Revoke, End::Rollback, moves);
        Ok(())
    }

    fn migrate(
        &mut self,
        plan: &Plan,
        of: u8,
        believed: bool,
        moves: &mut Moves,
    ) -> Result<(), Answer> {
        if !self.slot(of).life.is_live() {
            return Ok(());
        }
        let Some(rotation) = self.replaced_by(of) else {
            return Err(refused(Problem::RotationNotOpen));
        };
        if !believed || plan.follows(Rule::JudgedInPlace) {
            self.gates(plan, rotation, Gate::ALL)?;
        }
        self.end(of, Turn::Revoke, End::Completion, moves);
        Ok(())
    }

    fn suspend(&mut self, of: u8, moves: &mut Moves) -> Result<(), Answer> {
        let life = self.slot(of).life;
        if !(life.opens() || life == Life::Suspended) {
            return Err(refused(Problem::CredentialNotActive));
        }
        if let Some(next) = moves.credential(life, Turn::Suspend) {
            self.slot_mut(of).life = next;
        }
        Ok(())
    }

    fn resume(&mut self, of: u8, seen: Seen, moves: &mut Moves) -> Result<(), Answer> {
        if seen != Seen::Fresh {
            return Err(refused(Problem::PreconditionFailed));
        }
        let life = self.slot(of).life;
        if !(life.opens() || life == Life::Suspended) {
            return Err(refused(Problem::CredentialNotActive));
        }
        let turn = match self.replaced_by(of) {
            Some(_) => Turn::ResumeRetiring,
            None => Turn::Resume,
        };
        if let Some(next) = moves.credential(life, turn) {
            self.slot_mut(of).life = next;
        }
        Ok(())
    }

    fn use_from(&mut self, place: u8, with: u8) -> Result<(), Answer> {
        let slot = self.slot_mut(with);
        if !slot.life.opens() {
            return Err(refused(Problem::Unauthenticated));
        }
        slot.recent = true;
        if slot.delivery.is_open() {
            slot.delivery = Delivery::Gone;
        }
        self.seen[usize::from(place)] |= 1 << with;
        Ok(())
    }
}
