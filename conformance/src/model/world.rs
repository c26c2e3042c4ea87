//! The world of the model: an issuer, the places as they really are, clients, people, and what
//! is under way between them.

use super::action::{Action, Fate};
use super::issuer::{Issuer, KEYS, PLACES, Record};
use super::plan::{Plan, Rule};
use super::request::{Answer, Request, Seen};
use super::rotator::{self, Home, Note, Stand};
use super::table::{Life, Moves, Report};

/// Most clients.
pub const ROTATORS: usize = 2;

/// A state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// What the issuer keeps.
    pub issuer: Issuer,
    /// The credential that is really at each place.
    pub holds: [Option<u8>; PLACES],
    /// What the clients have on disk.
    pub homes: [Home; ROTATORS],
    /// How far each process has come.
    pub rotators: [Stand; ROTATORS],
    /// A message that is late.
    pub stray: Option<Request>,
    /// The places that are awaited, or were since a rotation was opened that still is: a bit
    /// for each.
    pub owed: u8,
    /// What was wrong about the step that led here.
    pub wrong: Option<super::property::Wrong>,
}

/// What a step came to.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The call that reached the issuer, with its answer.
    pub served: Option<(Request, Answer)>,
    /// The moves of the tables that were made.
    pub moves: Moves,
}

impl World {
    /// One credential in use.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let holds = |place: usize| (place < plan.places).then_some(0);
        let home = Home {
            stored: 1,
            ..Home::default()
        };
        Self {
            issuer: Issuer::new(plan),
            holds: [holds(0), holds(1)],
            homes: [home; ROTATORS],
            rotators: [Stand::Rest; ROTATORS],
            stray: None,
            owed: 0,
            wrong: None,
        }
    }

    /// Everything that can happen next.
    pub fn actions(&self, plan: &Plan, found: &mut Vec<Action>) {
        for rotator in 0..plan.rotators {
            rotator::actions(plan, self, rotator, found);
        }
        if self.stray.is_some() {
            found.push(Action::Arrive);
            found.push(Action::Vanish);
        }
        for (place, held) in self.holds.iter().enumerate() {
            if let (Some(_), Ok(place)) = (held, u8::try_from(place)) {
                found.push(Action::Use(place));
            }
        }
        found.push(Action::Tick);
        found.push(Action::Day);
        if plan.late {
            self.declare(plan, found);
        }
        if plan.people {
            self.people(found);
        }
    }

    fn declare(&self, plan: &Plan, found: &mut Vec<Action>) {
        let place = plan.places - 1;
        if self.issuer.places[place].is_none()
            && let (Some(held), Ok(place)) = (self.holds[place], u8::try_from(place))
        {
            for state in [Report::Declared, Report::Installed] {
                found.push(Action::Person(Request::Put {
                    place,
                    record: Record {
                        below: held,
                        state,
                        required: true,
                    },
                    seen: Seen::Nothing,
                }));
            }
        }
    }

    fn people(&self, found: &mut Vec<Action>) {
        for of in self.issuer.numbers() {
            let life = self.issuer.slot(of).life;
            if life.is_live() {
                found.push(Action::Person(Request::Revoke { of }));
            }
            if life.opens() {
                found.push(Action::Person(Request::Suspend { of }));
            }
            if life == Life::Suspended {
                let seen = Seen::Fresh;
                found.push(Action::Person(Request::Resume { of, seen }));
            }
        }
        for (place, record) in self.issuer.places.iter().enumerate() {
            let (Some(record), Ok(place)) = (record, u8::try_from(place)) else {
                continue;
            };
            let mut put = |record| {
                found.push(Action::Person(Request::Put {
                    place,
                    record,
                    seen: Seen::Fresh,
                }));
            };
            if record.state == Report::Retired {
                continue;
            }
            put(Record {
                state: Report::Retired,
                ..*record
            });
            if record.required {
                put(Record {
                    required: false,
                    ..*record
                });
            }
            // Somebody has looked, and says what is there.
            if record.state != Report::Installed
                && self.holds[usize::from(place)] == Some(record.below)
            {
                put(Record {
                    state: Report::Installed,
                    ..*record
                });
            }
        }
    }

    /// What the world is like after a step.
    #[must_use]
    pub fn after(&self, plan: &Plan, action: Action) -> (Self, Step) {
        let mut next = *self;
        next.wrong = None;
        let mut step = Step::default();
        next.take(plan, action, &mut step);
        next.settle(plan);
        next.wrong = super::property::wrong(plan, self, action, &next);
        (next, step)
    }

    fn take(&mut self, plan: &Plan, action: Action, step: &mut Step) {
        match action {
            Action::Note(r, of) => {
                if let Some(key) = self.free_key() {
                    self.home(plan, r).note = Some(Note { of, key });
                }
            }
            Action::Drop(r) => {
                let note = self.home(plan, r).note.take();
                self.adopt(plan, r, note.map(|note| note.of));
            }
            Action::Call(r, request, fate) => self.call(plan, r, request, fate, step),
            Action::WriteDown(r) => {
                if let Stand::Opened { successor } = self.rotators[usize::from(r)] {
                    let own = plan.own_key;
                    let home = self.home(plan, r);
                    home.note = None;
                    home.records |= 1 << successor;
                    if own {
                        home.stored |= 1 << successor;
                    }
                }
                self.rest(r);
            }
            Action::Store(r) => {
                if let Stand::Fetched { of } = self.rotators[usize::from(r)] {
                    self.home(plan, r).stored |= 1 << of;
                }
                self.rest(r);
            }
            Action::Look(r, place) => {
                self.rotators[usize::from(r)] = Stand::Looked {
                    place,
                    seen: Seen::Fresh,
                };
            }
            Action::Check(r) => self.check(plan, r),
            Action::Change(r) => {
                if let Stand::Changing { place, to, seen } = self.rotators[usize::from(r)] {
                    self.holds[usize::from(place)] = Some(to);
                    self.rotators[usize::from(r)] = Stand::Changed { place, to, seen };
                }
            }
            Action::Haste(r, to) => {
                if let Stand::Looked { place, seen } = self.rotators[usize::from(r)] {
                    self.holds[usize::from(place)] = Some(to);
                    self.rotators[usize::from(r)] = Stand::Changed { place, to, seen };
                }
            }
            Action::Decide(r, rotation) => {
                let safe = !plan.follows(Rule::JudgedInPlace)
                    && self.issuer.unmet(plan, rotation).is_empty();
                self.home(plan, r).records |= 1 << rotation;
                self.rotators[usize::from(r)] = Stand::Decided {
                    rotation,
                    seen: self.issuer.view(rotation),
                    safe,
                };
            }
            Action::Crash(r) => self.rest(r),
            Action::Arrive => {
                if let Some(request) = self.stray.take() {
                    self.serve(plan, request, step);
                }
            }
            Action::Vanish => self.stray = None,
            Action::Person(request) => {
                let done = self.serve(plan, request, step);
                if let (Request::Put { place, record, .. }, true) = (request, done)
                    && record.state == Report::Retired
                {
                    self.holds[usize::from(place)] = None;
                }
            }
            Action::Use(place) => {
                if let Some(with) = self.holds[usize::from(place)] {
                    self.serve(plan, Request::Use { place, with }, step);
                }
            }
            Action::Tick => self.issuer.tick(plan, &mut step.moves),
            Action::Day => self.issuer.day(plan, &mut step.moves),
        }
    }

    fn home(&mut self, plan: &Plan, rotator: u8) -> &mut Home {
        &mut self.homes[plan.home(usize::from(rotator))]
    }

    /// Who begins anew and is told that there is a rotation already goes on with that one.
    fn adopt(&mut self, plan: &Plan, rotator: u8, of: Option<u8>) {
        let open = of.and_then(|of| self.issuer.replaced_by(of));
        self.home(plan, rotator).records |= open.map_or(0, |open| 1 << open);
    }

    fn rest(&mut self, rotator: u8) {
        self.rotators[usize::from(rotator)] = Stand::Rest;
    }

    /// A key under which nothing is known and nothing is under way.
    fn free_key(&self) -> Option<u8> {
        let noted = |key: u8| {
            let notes = self.homes.iter().filter_map(|home| home.note);
            notes.map(|note| note.key).any(|one| one == key)
        };
        let stray =
            |key: u8| matches!(self.stray, Some(Request::Open { key: one, .. }) if one == key);
        (0..KEYS)
            .filter_map(|key| u8::try_from(key).ok())
            .find(|key| {
                self.issuer.keys[usize::from(*key)].is_none() && !noted(*key) && !stray(*key)
            })
    }

    /// Whether it was done.
    fn serve(&mut self, plan: &Plan, request: Request, step: &mut Step) -> bool {
        let answer = self.issuer.serve(plan, request, &mut step.moves);
        let done = answer.is_done();
        if let (Request::Put { place, .. }, true) = (request, done) {
            self.outdate(place);
        }
        step.served = Some((request, answer));
        done
    }

    fn call(&mut self, plan: &Plan, r: u8, request: Request, fate: Fate, step: &mut Step) {
        let before = self.rotators[usize::from(r)];
        if let Request::Read { of } = request {
            self.home(plan, r).records |= 1 << of;
        }
        self.rest(r);
        if matches!(fate, Fate::Late | Fate::Twice) {
            self.stray = Some(request);
        }
        if fate == Fate::Late {
            return;
        }
        let done = self.serve(plan, request, step);
        if fate == Fate::AnswerLost {
            return;
        }
        match request {
            Request::Open { of, key } => {
                if let (Some(successor), true) = (self.issuer.keys[usize::from(key)], done) {
                    self.rotators[usize::from(r)] = Stand::Opened { successor };
                } else if !done {
                    self.home(plan, r).note = None;
                    self.adopt(plan, r, Some(of));
                }
            }
            Request::Read { of } if done => {
                self.rotators[usize::from(r)] = Stand::Fetched { of };
            }
            Request::Put { place, record, .. } if done => {
                let to = record.below;
                let seen = Seen::Fresh;
                let begins = matches!(before, Stand::Looked { .. });
                if begins {
                    self.rotators[usize::from(r)] = Stand::Changing { place, to, seen };
                }
            }
            _ => {}
        }
    }

    /// A call from the place is accepted where what is there is what the record says, and opens.
    fn check(&mut self, plan: &Plan, r: u8) {
        let Stand::Looked { place, seen } = self.rotators[usize::from(r)] else {
            return;
        };
        let Some(record) = self.issuer.places[usize::from(place)] else {
            return;
        };
        let below = record.below;
        let works =
            self.holds[usize::from(place)] == Some(below) && self.issuer.slot(below).life.opens();
        if works {
            self.home(plan, r).unhealthy &= !(1 << below);
            self.rotators[usize::from(r)] = Stand::Checked { place, seen };
        } else {
            self.home(plan, r).unhealthy |= 1 << below;
            self.rest(r);
        }
    }

    fn outdate(&mut self, place: u8) {
        for stand in &mut self.rotators {
            stand.outdate(place);
        }
        if let Some(Request::Put {
            place: of, seen, ..
        }) = &mut self.stray
            && *of == place
        {
            *seen = Seen::Stale;
        }
    }

    fn settle(&mut self, plan: &Plan) {
        self.issuer.settle(plan);
        let mut open = 0;
        let mut live = 0;
        for number in self.issuer.numbers() {
            if self.issuer.open(number).is_some() {
                open |= 1 << number;
            }
            if self.issuer.slot(number).life.is_live() {
                live |= 1 << number;
            }
        }
        let awaited = self
            .issuer
            .places
            .iter()
            .enumerate()
            .fold(0, |bits, (place, record)| {
                let is_awaited = record.is_some_and(Record::is_awaited);
                bits | (u8::from(is_awaited) << place)
            });
        self.owed = if open == 0 {
            awaited
        } else {
            self.owed | awaited
        };
        for home in &mut self.homes {
            let unstored = match plan.follows(Rule::KeptUntilStored) {
                true => live & !home.stored,
                false => 0,
            };
            home.records &= open | unstored;
            home.unhealthy &= open;
            home.stored &= live;
        }
    }
}
