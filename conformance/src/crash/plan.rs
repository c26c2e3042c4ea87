//! Which kills there are to be.

use std::collections::BTreeMap;

use super::trap::{Kill, Moment, Phase, Sighting, Victim};
use super::watch;
use crate::draw::Draw;

/// What the client is at when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// A rotation of a key that is in so many places.
    Rotate(usize),
    /// A rotation that is given up after the kill.
    GiveUp,
    /// The giving up of a rotation that has come to all places.
    RollBack,
    /// A revocation.
    Revoke,
    /// A creation.
    Create,
    /// The filling of a place.
    Inject,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Rotate(1),
        Self::Rotate(2),
        Self::Rotate(3),
        Self::GiveUp,
        Self::RollBack,
        Self::Revoke,
        Self::Create,
        Self::Inject,
    ];

    /// How many places the key is in.
    #[must_use]
    pub fn places(self) -> usize {
        match self {
            Self::Rotate(places) => places,
            Self::GiveUp | Self::RollBack => 2,
            Self::Revoke | Self::Create => 0,
            Self::Inject => 1,
        }
    }

    /// Whether it is a rotation, of a key that is in use.
    #[must_use]
    pub fn is_rotation(self) -> bool {
        matches!(self, Self::Rotate(_) | Self::GiveUp | Self::RollBack)
    }

    /// In a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotate(1) => "rotate, 1 place",
            Self::Rotate(2) => "rotate, 2 places",
            Self::Rotate(_) => "rotate, 3 places",
            Self::GiveUp => "rotate, then give up",
            Self::RollBack => "roll back",
            Self::Revoke => "revoke",
            Self::Create => "create",
            Self::Inject => "inject",
        }
    }
}

/// What an undisturbed run of each looks like.
pub type Models = BTreeMap<Shape, Sighting>;

/// Every kill there can be at a step, in an order that the seed decides, and one at some
/// instant for each three of them; or only those at a step, or of a shape, with this in its name.
#[must_use]
pub fn every(models: &Models, only: Option<&str>, draw: &mut Draw) -> Vec<(Shape, Kill)> {
    let is_wanted = |shape: &Shape, place: &str| {
        only.is_none_or(|only| place.contains(only) || shape.name().contains(only))
    };
    let mut all = Vec::new();
    for (shape, model) in models {
        for (number, name) in model.requests.iter().enumerate() {
            for phase in Phase::ALL {
                if is_wanted(shape, &phase.at(name)) {
                    let moment = Moment::Request(number, phase);
                    all.extend(Victim::ALL.map(|victim| (*shape, Kill { victim, moment })));
                }
            }
        }
        if watch::SEES && is_wanted(shape, "file") {
            for number in 0..model.files {
                let moment = Moment::File(number);
                let victims = [Victim::Client, Victim::Both];
                all.extend(victims.map(|victim| (*shape, Kill { victim, moment })));
            }
        }
    }
    let instants: Vec<(Shape, Kill)> = all
        .iter()
        .step_by(3)
        .filter(|(shape, _)| is_wanted(shape, "any time"))
        .filter_map(|(shape, _)| Some((*shape, at_some_instant(models.get(shape)?, draw))))
        .collect();
    all.extend(instants);
    draw.shuffle(&mut all);
    all
}

fn victim(draw: &mut Draw) -> Victim {
    let drawn = draw.one(&Victim::ALL);
    drawn.copied().unwrap_or(Victim::Client)
}

fn at_some_instant(model: &Sighting, draw: &mut Draw) -> Kill {
    let most = usize::try_from(model.took.as_micros()).unwrap_or(usize::MAX);
    Kill {
        victim: victim(draw),
        moment: Moment::Instant(draw.below(most) as u64),
    }
}

/// A further kill, while what the first one broke off is gone on with.
pub fn another(model: &Sighting, draw: &mut Draw) -> Kill {
    let moment = match draw.below(4) {
        0 | 1 => {
            let phase = draw.one(&Phase::ALL).copied().unwrap_or(Phase::Worked);
            Moment::Request(draw.below(model.requests.len()), phase)
        }
        2 if watch::SEES => Moment::File(draw.below(model.files)),
        _ => return at_some_instant(model, draw),
    };
    Kill {
        victim: victim(draw),
        moment,
    }
}
