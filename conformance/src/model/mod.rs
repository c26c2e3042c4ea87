//! A model of rotations, and whether what the chapters promise holds in every state that it can
//! reach: one issuer, clients that die and lose answers, places that use what they have, people
//! who revoke and suspend, and time.
//!
//! It shares nothing with what it judges: the moves, the gates and the refusals are written down
//! a second time, from the chapters ([18](../../../spec/18-rotate.md) above all).
#![expect(
    clippy::indexing_slicing,
    reason = "the numbers of credentials, places and clients are made here, below the bounds of the arrays"
)]

pub mod action;
pub mod check;
pub mod graph;
pub mod issuer;
pub mod plan;
pub mod property;
pub mod replay;
pub mod request;
pub mod rotator;
mod serve;
pub mod table;
mod told;
pub mod world;

use stateright::{Model, Property};

pub use action::Action;
pub use plan::Plan;
pub use world::World;

/// A world, to be explored.
#[derive(Clone, Copy, Debug)]
pub struct Rotations(pub Plan);

impl Model for Rotations {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.0)]
    }

    fn actions(&self, world: &World, found: &mut Vec<Action>) {
        world.actions(&self.0, found);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let (next, _) = world.after(&self.0, action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn holds<const AT: usize>(model: &Rotations, world: &World) -> bool {
            property::ALWAYS[AT].1(&model.0, world)
        }
        let names = property::ALWAYS.map(|(name, _)| name);
        vec![
            Property::always(names[0], holds::<0>),
            Property::always(names[1], holds::<1>),
            Property::always(names[2], holds::<2>),
            Property::always(names[3], holds::<3>),
            Property::always(names[4], holds::<4>),
            Property::always(names[5], holds::<5>),
            Property::always(names[6], holds::<6>),
            Property::always(names[7], holds::<7>),
        ]
    }
}
