//! Clients that rotate: what each has on disk, how far its process has come, and what it does
//! next. A process can do at each point whatever the chapters let a client do, in any order, at
//! any time of its own clock; it can die between any two steps, and what it has not written down
//! is then gone.

use super::action::{Action, Fate};
use super::issuer::{Delivery, Record};
use super::plan::{Plan, Rule};
use super::request::{Request, Seen, View};
use super::table::{Life, Report, Stage};
use super::world::World;

/// An intent that was written down before it was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    /// What is to be rotated.
    pub of: u8,
    /// Under which idempotency key.
    pub key: u8,
}

/// What outlives a process: sets are a bit for each credential, or for each rotation by its
/// successor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Home {
    /// The intent that is not carried out yet, as far as is known.
    pub note: Option<Note>,
    /// The rotations that are known to be under way.
    pub records: u8,
    /// The credentials whose secret is stored.
    pub stored: u8,
    /// The rotations whose last health check failed.
    pub unhealthy: u8,
}

/// How far a process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the members are the number of a credential or place, and whether what was read is still so"
)]
pub enum Stand {
    /// It has nothing in hand.
    Rest,
    /// It has the answer to an open, and has not written it down.
    Opened { successor: u8 },
    /// It has a secret in memory, and has not stored it.
    Fetched { of: u8 },
    /// It has read an installation, and holds the lock of the place.
    Looked { place: u8, seen: Seen },
    /// It has reported `updating`, and is about to change the place.
    Changing { place: u8, to: u8, seen: Seen },
    /// It has changed the place.
    Changed { place: u8, to: u8, seen: Seen },
    /// A call from the place was accepted.
    Checked { place: u8, seen: Seen },
    /// It has read a rotation; `safe` where it read that all gates are met, and goes by that.
    Decided {
        rotation: u8,
        seen: View,
        safe: bool,
    },
}

impl Stand {
    /// The place whose lock is held.
    #[must_use]
    pub fn place(self) -> Option<u8> {
        match self {
            Self::Looked { place, .. }
            | Self::Changing { place, .. }
            | Self::Changed { place, .. }
            | Self::Checked { place, .. } => Some(place),
            _ => None,
        }
    }

    /// What was read of a place before is no more so.
    pub(super) fn outdate(&mut self, place: u8) {
        let own = self.place();
        match self {
            Self::Looked { seen, .. }
            | Self::Changing { seen, .. }
            | Self::Changed { seen, .. }
            | Self::Checked { seen, .. }
                if own == Some(place) =>
            {
                *seen = Seen::Stale;
            }
            _ => {}
        }
    }
}

/// Everything that a client can do next.
pub(super) fn actions(plan: &Plan, world: &World, rotator: usize, found: &mut Vec<Action>) {
    let home = &world.homes[plan.home(rotator)];
    let r = u8::try_from(rotator).unwrap_or_default();
    let mut calls = Vec::new();
    match world.rotators[rotator] {
        Stand::Rest => rest(plan, world, rotator, r, found),
        Stand::Opened { .. } => found.push(Action::WriteDown(r)),
        Stand::Fetched { .. } => found.push(Action::Store(r)),
        Stand::Looked { place, seen } => {
            let Some(record) = world.issuer.places[usize::from(place)] else {
                return;
            };
            let targets: Vec<u8> = world
                .issuer
                .numbers()
                .filter(|to| {
                    let slot = world.issuer.slot(*to);
                    home.stored & (1 << to) != 0 && slot.life.is_live()
                })
                .collect();
            for to in targets {
                if !plan.follows(Rule::ReportFirst) {
                    found.push(Action::Haste(r, to));
                    continue;
                }
                let record = Record {
                    below: to,
                    state: Report::Updating,
                    ..record
                };
                calls.push(Request::Put {
                    place,
                    record,
                    seen,
                });
            }
            if record.state == Report::Installed {
                found.push(Action::Check(r));
            }
        }
        Stand::Changing { .. } => found.push(Action::Change(r)),
        Stand::Changed { place, to, seen } => {
            if let Some(record) = world.issuer.places[usize::from(place)] {
                let record = Record {
                    below: to,
                    state: Report::Installed,
                    ..record
                };
                calls.push(Request::Put {
                    place,
                    record,
                    seen,
                });
            }
        }
        Stand::Checked { place, seen } => {
            if let Some(record) = world.issuer.places[usize::from(place)] {
                let record = Record {
                    state: Report::Verified,
                    ..record
                };
                calls.push(Request::Put {
                    place,
                    record,
                    seen,
                });
            }
        }
        Stand::Decided {
            rotation,
            seen,
            safe,
        } => {
            let Some(open) = world.issuer.slot(rotation).rotation else {
                return;
            };
            let is_stored = home.stored & (1 << rotation) != 0;
            let is_healthy = home.unhealthy & (1 << rotation) == 0 || plan.compromise;
            if is_stored && is_healthy {
                calls.push(Request::Advance {
                    rotation,
                    seen: Some(seen),
                });
                if safe {
                    calls.push(Request::Migrate {
                        of: open.predecessor,
                        believed: true,
                    });
                }
            }
            if !plan.compromise {
                calls.push(Request::RollBack {
                    rotation,
                    seen: Some(seen),
                });
            }
        }
    }
    send(plan, world, r, &calls, found);
    if world.rotators[rotator] != Stand::Rest {
        found.push(Action::Crash(r));
    }
}

fn rest(plan: &Plan, world: &World, rotator: usize, r: u8, found: &mut Vec<Action>) {
    let home = &world.homes[plan.home(rotator)];
    let issuer = &world.issuer;
    let has = |set: u8, number: u8| set & (1 << number) != 0;
    let mut calls = Vec::new();
    match home.note {
        Some(note) => {
            calls.push(Request::Open {
                of: note.of,
                key: note.key,
            });
            // The clock of the client can run ahead of the issuer's or behind it: the note can go
            // before the issuer forgets the key, and after.
            found.push(Action::Drop(r));
        }
        None if issuer.room(plan).is_some() => {
            for of in issuer.numbers() {
                if issuer.slot(of).life == Life::Active && has(home.stored, of) {
                    match plan.follows(Rule::Journal) {
                        true => found.push(Action::Note(r, of)),
                        false => calls.push(Request::Open { of, key: 0 }),
                    }
                }
            }
        }
        None => {}
    }
    for rotation in issuer.numbers() {
        let slot = issuer.slot(rotation);
        let is_wanted = issuer.open(rotation).is_some() || has(home.records, rotation);
        if is_wanted && !has(home.stored, rotation) && slot.delivery != Delivery::None {
            calls.push(Request::Read { of: rotation });
        }
        let Some(open) = issuer.open(rotation) else {
            continue;
        };
        let is_open = matches!(slot.delivery, Delivery::Read);
        if has(home.stored, rotation) && is_open {
            calls.push(Request::Acknowledge { of: rotation });
        }
        found.push(Action::Decide(r, rotation));
        let is_healthy = !has(home.unhealthy, rotation) || plan.compromise;
        let predecessor = open.predecessor;
        if open.stage != Stage::Created && is_healthy && has(home.stored, rotation) {
            calls.push(Request::Migrate {
                of: predecessor,
                believed: false,
            });
        }
        if plan.compromise {
            calls.push(Request::Revoke { of: predecessor });
        }
    }
    for (place, record) in issuer.places.iter().enumerate() {
        if record.is_some_and(|record| record.state != Report::Retired)
            && plan.fills(rotator, place)
            && !is_locked(plan, world, rotator, place)
            && let Ok(place) = u8::try_from(place)
        {
            found.push(Action::Look(r, place));
        }
    }
    send(plan, world, r, &calls, found);
}

/// Each call, with all that can become of it. A call that never arrives is a crash before it.
fn send(plan: &Plan, world: &World, r: u8, calls: &[Request], found: &mut Vec<Action>) {
    for request in calls {
        found.push(Action::Call(r, *request, Fate::Answered));
        if is_repeatable(*request) {
            found.push(Action::Call(r, *request, Fate::AnswerLost));
            if plan.stray && world.stray.is_none() {
                found.push(Action::Call(r, *request, Fate::Late));
                found.push(Action::Call(r, *request, Fate::Twice));
            }
        }
    }
}

/// Whether another process of the same home changes the place.
fn is_locked(plan: &Plan, world: &World, rotator: usize, place: usize) -> bool {
    plan.follows(Rule::Lock)
        && world
            .rotators
            .iter()
            .enumerate()
            .any(|(other, stand)| other != rotator && stand.place().map(usize::from) == Some(place))
}

/// Whether it makes a difference that the answer is lost, or the message late: one that changes
/// nothing that its sender goes by is the same when it is made once more.
fn is_repeatable(request: Request) -> bool {
    !matches!(
        request,
        Request::Acknowledge { .. } | Request::Revoke { .. }
    )
}
