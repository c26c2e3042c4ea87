//! What has to hold in every state, and at every step.

use super::action::Action;
use super::issuer::{Delivery, End};
use super::plan::Plan;
use super::request::Request;
use super::table::{Life, Report, words};
use super::world::World;

words! {
    /// What a step must not do.
    Wrong {
        EndedInUse = "a rotation ended a credential that a required place has",
        NothingWorks = "a rotation ended the last credential that works",
        RolledBackToLeak = "a rotation for a compromise was rolled back by its own call",
        DeadPut = "a required place was given what a rotation has ended",
    }
}

/// The places that were to be waited for, and have what a rotation has ended.
fn outages(world: &World, owed: u8) -> impl Iterator<Item = usize> {
    (0..world.holds.len()).filter(move |place| {
        let is_awaited = owed & (1 << place) != 0;
        let is_dead = world.holds[*place].is_some_and(|held| {
            matches!(
                world.issuer.slot(held).end,
                Some(End::Completion | End::Rollback)
            )
        });
        is_awaited && is_dead
    })
}

/// What was wrong about a step.
pub(super) fn wrong(plan: &Plan, before: &World, action: Action, after: &World) -> Option<Wrong> {
    let ended = after.issuer.numbers().find(|number| {
        before.issuer.slot(*number).life.is_live()
            && matches!(
                after.issuer.slot(*number).end,
                Some(End::Completion | End::Rollback)
            )
    });
    let owed = before.owed | after.owed;
    if outages(after, owed).any(|place| outages(before, owed).all(|had| had != place)) {
        return Some(match ended {
            Some(_) => Wrong::EndedInUse,
            None => Wrong::DeadPut,
        });
    }
    // What a person has stopped is for that person to let work again.
    if ended.is_some() {
        let still = after
            .issuer
            .line
            .iter()
            .any(|slot| slot.life.opens() || slot.life == Life::Suspended);
        if !still {
            return Some(Wrong::NothingWorks);
        }
    }
    let rolls_back = matches!(
        action,
        Action::Call(_, Request::RollBack { .. }, _) | Action::Arrive
    );
    if rolls_back
        && plan.compromise
        && ended.is_some_and(|of| after.issuer.slot(of).end == Some(End::Rollback))
    {
        return Some(Wrong::RolledBackToLeak);
    }
    None
}

/// A property: a name, and whether it holds in a state.
pub type Property = (&'static str, fn(&Plan, &World) -> bool);

/// All that have to hold in every state.
pub const ALWAYS: [Property; 8] = [
    (
        "no rotation takes a credential away from a required place",
        |_, world| !matches!(world.wrong, Some(Wrong::EndedInUse | Wrong::DeadPut)),
    ),
    (
        "no rotation ends the last credential that works",
        |_, world| world.wrong != Some(Wrong::NothingWorks),
    ),
    ("no compromise is rolled back", |_, world| {
        world.wrong != Some(Wrong::RolledBackToLeak)
    }),
    (
        "something works, unless a person or its own expiry stopped it",
        works,
    ),
    (
        "a record that says what is at a place is true",
        records_are_true,
    ),
    (
        "who is retiring has one open rotation, and it names its successor",
        is_retiring,
    ),
    (
        "what lives is known to its rotator, or ends by itself",
        is_known,
    ),
    (
        "what nobody has read does not outlive its delivery",
        is_read,
    ),
];

fn works(_: &Plan, world: &World) -> bool {
    let line = &world.issuer.line;
    let excused = line.iter().any(|slot| {
        matches!(slot.end, Some(End::Person | End::Time)) || slot.life == Life::Suspended
    });
    excused || line.iter().any(|slot| slot.life.opens())
}

fn records_are_true(_: &Plan, world: &World) -> bool {
    let places = world.issuer.places.iter().zip(world.holds);
    places
        .filter_map(|(record, held)| record.map(|record| (record, held)))
        .all(|(record, held)| match record.state {
            Report::Installed | Report::Verified => held == Some(record.below),
            Report::Declared | Report::Updating | Report::Retired => true,
        })
}

fn is_retiring(_: &Plan, world: &World) -> bool {
    let issuer = &world.issuer;
    issuer.numbers().all(|of| {
        let slot = issuer.slot(of);
        let mut replacing = issuer.numbers().filter(|number| {
            issuer
                .open(*number)
                .is_some_and(|open| open.predecessor == of)
        });
        let (first, second) = (replacing.next(), replacing.next());
        second.is_none()
            && match slot.life {
                Life::Retiring => first.is_some() && slot.successor == first,
                Life::Suspended => slot.successor == first,
                _ => first.is_none(),
            }
    })
}

/// The first of the line was there before. A successor is found again by whoever minted it: it
/// is in its journal, or its secret is stored; or it ends because nobody has read it.
fn is_known(_: &Plan, world: &World) -> bool {
    let issuer = &world.issuer;
    issuer.numbers().skip(1).all(|number| {
        let slot = issuer.slot(number);
        let in_hand = world.rotators.iter().any(|stand| {
            matches!(stand, super::rotator::Stand::Opened { successor } if *successor == number)
        });
        let in_journal = world.homes.iter().any(|home| {
            home.records & (1 << number) != 0
                || home.stored & (1 << number) != 0
                || home.note.is_some_and(|note| {
                    // The same call once more leads to it, by its key or by the refusal.
                    issuer.keys[usize::from(note.key)] == Some(number)
                        || issuer.replaced_by(note.of) == Some(number)
                })
        });
        !slot.life.is_live() || slot.delivery == Delivery::Unread || in_hand || in_journal
    })
}

fn is_read(_: &Plan, world: &World) -> bool {
    let mut line = world.issuer.line.iter();
    line.all(|slot| slot.life != Life::Provisioned || slot.delivery.is_open())
}
