//! The issuer of the model: what it keeps, how it judges, and what time does to it. It is written
//! from the chapters, and shares nothing with the reference issuer.

use super::plan::{Plan, Rule};
use super::request::{Gate, View};
use super::table::{Life, Moves, Push, Report, Stage, Turn, words};

/// Most credentials of the line.
pub const LINE: usize = 3;
/// Most places.
pub const PLACES: usize = 2;
/// Most idempotency keys that are known at a time.
pub const KEYS: usize = 3;
/// After how many ticks of the clock a delivery is over.
const LAPSE: u8 = 2;

words! {
    /// How far the hand-over of a secret has come.
    Delivery {
        None = "none",
        Unread = "unread",
        Read = "read",
        Acknowledged = "acknowledged",
        Gone = "gone",
    }
}

impl Delivery {
    /// Whether it can still be read.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Unread | Self::Read)
    }
}

words! {
    /// By what a credential ended.
    End {
        Person = "person",
        Time = "time",
        Lapse = "lapse",
        Completion = "completion",
        Rollback = "rollback",
    }
}

/// The rotation that made a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// How far it has come.
    pub stage: Stage,
    /// What it replaces.
    pub predecessor: u8,
}

/// A credential, and the rotation that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Its state.
    pub life: Life,
    /// Its delivery.
    pub delivery: Delivery,
    /// By what it ended.
    pub end: Option<End>,
    /// How many ticks it still has, where it ends by itself.
    pub left: Option<u8>,
    /// Ticks since it was made, as far as they matter.
    pub age: u8,
    /// What made it; the first of the line was there before.
    pub rotation: Option<Rotation>,
    /// What it names as its successor.
    pub successor: Option<u8>,
    /// Whether it was used, or its rotation was opened, since the last tick.
    pub recent: bool,
}

pub(super) const ABSENT: Slot = Slot {
    life: Life::Absent,
    delivery: Delivery::None,
    end: None,
    left: None,
    age: 0,
    rotation: None,
    successor: None,
    recent: false,
};

/// What the issuer knows of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// The credential that it is below.
    pub below: u8,
    /// What was reported.
    pub state: Report,
    /// Whether a rotation waits for it.
    pub required: bool,
}

impl Record {
    /// Whether a rotation that is open waits for it.
    #[must_use]
    pub fn is_awaited(self) -> bool {
        self.required && self.state != Report::Retired
    }
}

/// What the issuer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// The credentials, in the order in which they were made.
    pub line: [Slot; LINE],
    /// The installations.
    pub places: [Option<Record>; PLACES],
    /// For each place without an installation, the credentials that were used from there.
    pub seen: [u8; PLACES],
    /// What each idempotency key has made.
    pub keys: [Option<u8>; KEYS],
}

impl Issuer {
    /// One credential in use, at the places that are declared.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut line = [ABSENT; LINE];
        line[0] = Slot {
            life: Life::Active,
            left: plan.left,
            ..ABSENT
        };
        let record = |place: usize| {
            let is_declared = place < plan.places && !(plan.late && place + 1 == plan.places);
            is_declared.then_some(Record {
                below: 0,
                state: Report::Installed,
                required: true,
            })
        };
        Self {
            line,
            places: [record(0), record(1)],
            seen: [0; PLACES],
            keys: [None; KEYS],
        }
    }

    /// The credential of this number.
    #[must_use]
    pub fn slot(&self, number: u8) -> &Slot {
        &self.line[usize::from(number)]
    }

    pub(super) fn slot_mut(&mut self, number: u8) -> &mut Slot {
        &mut self.line[usize::from(number)]
    }

    /// The numbers of the credentials there are.
    pub fn numbers(&self) -> impl Iterator<Item = u8> + use<> {
        let made = self
            .line
            .iter()
            .filter(|slot| slot.life != Life::Absent)
            .count();
        (0..LINE)
            .take(made)
            .filter_map(|number| u8::try_from(number).ok())
    }

    /// The number of the next credential, where the bound leaves room for one.
    #[must_use]
    pub fn room(&self, plan: &Plan) -> Option<u8> {
        let made = self.numbers().count();
        (made < plan.line)
            .then(|| u8::try_from(made).ok())
            .flatten()
    }

    /// The open rotation that replaces a credential, named by its successor.
    #[must_use]
    pub fn replaced_by(&self, of: u8) -> Option<u8> {
        self.numbers().find(|number| {
            self.open(*number)
                .is_some_and(|rotation| rotation.predecessor == of)
        })
    }

    /// The rotation that made a credential, if it is open.
    #[must_use]
    pub fn open(&self, successor: u8) -> Option<Rotation> {
        self.slot(successor)
            .rotation
            .filter(|rotation| rotation.stage.is_open())
    }

    /// The gates that are not met, as things stand.
    #[must_use]
    pub fn unmet(&self, plan: &Plan, rotation: u8) -> Vec<Gate> {
        let Some(open) = self.slot(rotation).rotation else {
            return Vec::new();
        };
        let awaited = || {
            let known = self.places.iter().flatten();
            known.copied().filter(|place| place.is_awaited())
        };
        let has_arrived =
            |place: Record| place.below == rotation && place.state == Report::Verified;
        let arrived = awaited().all(has_arrived);
        let old = self.slot(open.predecessor);
        let is_quiet = !(plan.quiet && old.recent);
        let is_known = |place: usize| {
            self.places[place].is_some() || self.seen[place] & (1 << open.predecessor) == 0
        };
        let stands = |gate: Gate| match gate {
            Gate::Successor => self.slot(rotation).life == Life::Active,
            // A report of `verified` comes with what the check gave.
            Gate::Installations | Gate::Health => arrived,
            Gate::Quiet => is_quiet,
            Gate::Consumers => (0..PLACES).all(is_known),
            Gate::Overlap => self.slot(rotation).age >= plan.overlap,
        };
        let gates = Gate::ALL.iter().copied();
        gates.filter(|gate| !stands(*gate)).collect()
    }

    /// Ends a credential, with all that follows for its rotations.
    pub(super) fn end(&mut self, of: u8, turn: Turn, by: End, moves: &mut Moves) {
        let Some(next) = moves.credential(self.slot(of).life, turn) else {
            return;
        };
        let replaced_by = self.replaced_by(of);
        let slot = self.slot_mut(of);
        slot.life = next;
        slot.end = Some(by);
        slot.left = None;
        if slot.delivery.is_open() {
            slot.delivery = Delivery::Gone;
        }
        if let Some(successor) = replaced_by {
            self.push(successor, Push::PredecessorEnded, moves);
        }
        if let Some(rotation) = self.slot(of).rotation {
            self.push(of, Push::SuccessorEnded, moves);
            self.restore(rotation.predecessor, of, moves);
        }
    }

    pub(super) fn push(&mut self, successor: u8, push: Push, moves: &mut Moves) {
        if let Some(rotation) = &mut self.slot_mut(successor).rotation
            && let Some(next) = moves.rotation(rotation.stage, push)
        {
            rotation.stage = next;
        }
    }

    /// The predecessor carries on where its successor was the first to end.
    fn restore(&mut self, predecessor: u8, successor: u8, moves: &mut Moves) {
        let slot = self.slot_mut(predecessor);
        if slot.successor == Some(successor)
            && let Some(next) = moves.credential(slot.life, Turn::Restore)
        {
            slot.life = next;
            slot.successor = None;
        }
    }

    /// Time passes: a tick, and all that is due in it happens, in the order in which it is due.
    pub fn tick(&mut self, plan: &Plan, moves: &mut Moves) {
        let numbers: Vec<u8> = self.numbers().collect();
        for number in &numbers {
            let slot = self.slot_mut(*number);
            slot.age = slot.age.saturating_add(1).min(plan.horizon());
            slot.recent = false;
        }
        for number in &numbers {
            let is_due = plan.deadline.is_some_and(|at| self.slot(*number).age >= at);
            if is_due {
                self.push(*number, Push::Block, moves);
            }
        }
        for number in &numbers {
            let slot = self.slot_mut(*number);
            if slot.delivery.is_open() && slot.age >= LAPSE {
                slot.delivery = Delivery::Gone;
                if slot.life == Life::Provisioned && plan.follows(Rule::Lapse) {
                    self.end(*number, Turn::Expire, End::Lapse, moves);
                }
            }
        }
        for number in &numbers {
            let slot = self.slot_mut(*number);
            slot.left = slot.left.map(|left| left.saturating_sub(1));
            if slot.left == Some(0) {
                self.end(*number, Turn::Expire, End::Time, moves);
            }
        }
    }

    /// A day passes: everything is due, and idempotency keys are forgotten.
    pub fn day(&mut self, plan: &Plan, moves: &mut Moves) {
        for _ in 0..plan.horizon() {
            self.tick(plan, moves);
        }
        self.keys = [None; KEYS];
    }

    /// Forgets what makes no difference any more, so that states that behave alike are one.
    pub(super) fn settle(&mut self, plan: &Plan) {
        for number in self.numbers() {
            let matters = plan.quiet && self.replaced_by(number).is_some();
            let is_open = self.open(number).is_some();
            let slot = self.slot_mut(number);
            slot.recent &= matters;
            if !is_open && !slot.delivery.is_open() {
                slot.age = 0;
            }
        }
        for place in 0..PLACES {
            if self.places[place].is_some() {
                self.seen[place] = 0;
            }
        }
    }

    /// What a caller sees of a rotation: its tag stands for it.
    #[must_use]
    pub fn view(&self, rotation: u8) -> View {
        let slot = self.slot(rotation);
        View {
            stage: slot.rotation.map(|rotation| rotation.stage),
            life: slot.life,
            has_delivery: slot.delivery.is_open(),
            successor: slot.successor,
        }
    }
}
