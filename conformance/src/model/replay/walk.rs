//! What is done next, where it does not matter what.

use super::super::action::{Action, Fate};
use super::super::issuer::{Issuer, KEYS, Record};
use super::super::plan::Plan;
use super::super::request::{Request, Seen};
use super::super::table::Report;

/// Numbers that look like chance, and are the same for the same seed (the generator of Steele,
/// Lea and Flood, SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    /// One of these; `None` where there are none.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len())).copied()
    }

    /// One of these, the heavier the likelier.
    pub fn weighted<T: Copy>(&mut self, of: &[T], weight: impl Fn(&T) -> usize) -> Option<T> {
        let all: usize = of.iter().map(&weight).sum();
        let mut at = self.below(all);
        of.iter().copied().find(|one| {
            let own = weight(one);
            let hit = at < own;
            at = at.saturating_sub(own);
            hit
        })
    }
}

/// How likely a step is: what ends everything is rare, so that a walk goes on.
pub(super) fn weight(action: Action) -> usize {
    match action {
        Action::Day | Action::Drop(_) => 1,
        Action::Person(Request::Revoke { .. } | Request::Suspend { .. }) | Action::Crash(_) => 1,
        Action::Tick | Action::Person(_) | Action::Use(_) => 4,
        Action::Call(_, Request::Revoke { .. } | Request::RollBack { .. }, _) => 2,
        Action::Call(_, _, Fate::Answered) => 24,
        Action::Call(..) | Action::Check(_) => 6,
        _ => 12,
    }
}

/// Any call that the issuer can be sent, sensible or not, or time that passes.
pub(super) fn any(plan: &Plan, issuer: &Issuer, dice: &mut Dice) -> Action {
    let numbers: Vec<u8> = issuer.numbers().collect();
    let of = dice.one(&numbers).unwrap_or_default();
    let place = u8::try_from(dice.below(plan.places)).unwrap_or_default();
    let minted: Vec<u8> = numbers
        .iter()
        .copied()
        .filter(|number| *number > 0)
        .collect();
    let request = match (dice.below(20), dice.one(&minted)) {
        (0, _) => return Action::Tick,
        (1, _) if dice.below(4) == 0 => return Action::Day,
        (2 | 3, _) => {
            let key = u8::try_from(dice.below(KEYS)).unwrap_or_default();
            let is_known = issuer.keys[usize::from(key)].is_some();
            // Where the bound leaves no room, only what mints nothing.
            if is_known || issuer.room(plan).is_none() {
                return Action::Tick;
            }
            Request::Open { of, key }
        }
        (4, Some(of)) => Request::Read { of },
        (5, Some(of)) => Request::Acknowledge { of },
        (6 | 7, Some(rotation)) => {
            let view = issuer.view(rotation);
            let seen = (dice.below(6) > 0).then_some(view);
            Request::Advance { rotation, seen }
        }
        (8, Some(rotation)) => {
            let view = issuer.view(rotation);
            let seen = (dice.below(6) > 0).then_some(view);
            Request::RollBack { rotation, seen }
        }
        (9, _) if dice.below(3) == 0 => Request::Revoke { of },
        (10, _) => Request::Migrate {
            of,
            believed: false,
        },
        (11, _) if dice.below(2) == 0 => Request::Suspend { of },
        (12, _) => Request::Resume {
            of,
            seen: match dice.below(6) {
                0 => Seen::Stale,
                _ => Seen::Fresh,
            },
        },
        (13 | 14, _) => Request::Use { place, with: of },
        _ => put(issuer, dice, place, of),
    };
    Action::Person(request)
}

fn put(issuer: &Issuer, dice: &mut Dice, place: u8, of: u8) -> Request {
    let state = dice.one(Report::ALL).unwrap_or(Report::Updating);
    // To retire is final, and a place that is not waited for shows little.
    let state = match state {
        Report::Retired if dice.below(4) > 0 => Report::Verified,
        state => state,
    };
    let present = issuer.places[usize::from(place)];
    let seen = match (present, dice.below(8)) {
        (_, 0) => Seen::Nothing,
        (_, 1) => Seen::Stale,
        (Some(_), _) => Seen::Fresh,
        (None, _) => Seen::Nothing,
    };
    let below = match (present, dice.below(2)) {
        (Some(record), 0) => record.below,
        _ => of,
    };
    Request::Put {
        place,
        record: Record {
            below,
            state,
            required: dice.below(8) > 0,
        },
        seen,
    }
}
