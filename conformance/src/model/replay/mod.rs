//! The model and a real issuer side by side: what the model does is done to the issuer, and what
//! the issuer answers to anything is what the model answers.

mod bench;
mod sight;
mod walk;

use reqwest::Client;

use self::bench::Ready;
pub use self::bench::{Bench, Differs};
use self::sight::Sight;
pub use self::walk::Dice;
use super::action::{Action, Fate};
use super::issuer::Issuer;
use super::plan::Plan;
use super::request::{Answer, Request, Seen};
use super::rotator::Stand;
use super::table::Moves;
use super::world::{ROTATORS, Step, World};
use crate::subject::reference::Embedded;

/// What was followed without a difference.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followed {
    /// Steps.
    pub steps: usize,
    /// Calls whose answers were compared.
    pub calls: usize,
    /// The moves of the tables that were made.
    pub moves: Moves,
}

impl Followed {
    /// Adds what was followed elsewhere.
    pub fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.calls += other.calls;
        self.moves.add(other.moves);
    }
}

/// A world of the model with a real issuer beside it.
struct Pair<'a> {
    plan: Plan,
    world: World,
    bench: Bench<'a>,
    /// What each client has seen last.
    tags: [Option<String>; ROTATORS],
    /// The message that is late.
    stray: Option<Ready>,
    followed: Followed,
}

/// Follows these steps of the model with a real issuer, and compares each answer, and how things
/// are after each step.
///
/// # Errors
/// The first difference, with the steps up to there.
pub async fn follow(
    issuer: &Embedded,
    http: &Client,
    plan: &Plan,
    way: &[Action],
) -> Result<Followed, Differs> {
    let mut pair = Pair::open(issuer, http, plan).await?;
    for (at, action) in way.iter().enumerate() {
        pair.take(*action)
            .await
            .map_err(|differs| told(plan, &way[..=at], &differs))?;
    }
    Ok(pair.followed)
}

/// Walks at random through the model, for so many steps, with a real issuer beside it.
///
/// # Errors
/// As [`follow`].
pub async fn wander(
    issuer: &Embedded,
    http: &Client,
    plan: &Plan,
    dice: &mut Dice,
    steps: usize,
) -> Result<Followed, Differs> {
    let mut pair = Pair::open(issuer, http, plan).await?;
    let mut way = Vec::new();
    for _ in 0..steps {
        let mut actions = Vec::new();
        pair.world.actions(plan, &mut actions);
        let Some(action) = dice.weighted(&actions, |action| walk::weight(*action)) else {
            break;
        };
        way.push(action);
        pair.take(action)
            .await
            .map_err(|differs| told(plan, &way, &differs))?;
    }
    Ok(pair.followed)
}

/// Calls a real issuer at random, whatever a client would do, and asks of each answer, and of how
/// things are then, whether the model can do the same.
///
/// # Errors
/// As [`follow`].
pub async fn provoke(
    issuer: &Embedded,
    http: &Client,
    plan: &Plan,
    dice: &mut Dice,
    steps: usize,
) -> Result<Followed, Differs> {
    let mut pair = Pair::open(issuer, http, plan).await?;
    let mut way = Vec::new();
    for _ in 0..steps {
        let action = walk::any(plan, &pair.world.issuer, dice);
        way.push(action);
        pair.take(action)
            .await
            .map_err(|differs| told(plan, &way, &differs))?;
    }
    Ok(pair.followed)
}

fn told(plan: &Plan, way: &[Action], differs: &str) -> Differs {
    let steps: Vec<String> = way.iter().map(|action| format!("  {action:?}")).collect();
    format!(
        "in the world `{}`, after\n{}\n{differs}",
        plan.name,
        steps.join("\n")
    )
}

impl<'a> Pair<'a> {
    async fn open(issuer: &'a Embedded, http: &Client, plan: &Plan) -> Result<Self, Differs> {
        Ok(Self {
            plan: *plan,
            world: World::new(plan),
            bench: Bench::open(issuer, http, plan).await?,
            tags: [None, None],
            stray: None,
            followed: Followed::default(),
        })
    }

    async fn take(&mut self, action: Action) -> Result<(), Differs> {
        let before = self.world;
        let (after, step) = before.after(&self.plan, action);
        self.act(action, &before, &after, &step).await?;
        self.world = after;
        self.followed.steps += 1;
        self.followed.moves.add(step.moves);
        let (real, model) = (
            self.bench.observe().await?,
            Sight::of(&self.plan, &after.issuer),
        );
        match real == model {
            true => Ok(()),
            false => Err(format!(
                "the issuer is at\n  {real:?}\nand the model at\n  {model:?}"
            )),
        }
    }

    async fn act(
        &mut self,
        action: Action,
        before: &World,
        after: &World,
        step: &Step,
    ) -> Result<(), Differs> {
        match action {
            Action::Note(r, _) => {
                let home = &after.homes[self.plan.home(usize::from(r))];
                if let Some(note) = home.note {
                    self.bench.intend(note.key);
                }
            }
            Action::Look(r, place) => {
                if let Some(record) = before.issuer.places[usize::from(place)] {
                    let tag = self.bench.tag_of_place(record.below, place).await?;
                    self.tags[usize::from(r)] = Some(tag);
                }
            }
            Action::Decide(r, rotation) => {
                let tag = self.bench.tag_of_rotation(rotation).await?;
                self.tags[usize::from(r)] = Some(tag);
            }
            Action::Call(r, request, fate) => {
                let tag = self.tags[usize::from(r)].clone();
                let ready = self.bench.prepare(request, tag, &before.issuer);
                if matches!(fate, Fate::Late | Fate::Twice) {
                    self.stray = Some(ready.clone());
                }
                if fate != Fate::Late {
                    let tag = self.make(request, &ready, step).await?;
                    let keeps = matches!(after.rotators[usize::from(r)], Stand::Changing { .. });
                    self.tags[usize::from(r)] = tag.filter(|_| keeps);
                }
            }
            Action::Arrive => {
                if let (Some(ready), Some(request)) = (self.stray.take(), before.stray) {
                    self.make(request, &ready, step).await?;
                }
            }
            Action::Vanish => self.stray = None,
            Action::Person(request) => {
                if let Request::Open { key, .. } = request {
                    self.bench.intend(key);
                }
                let tag = self.tag_for(request, &before.issuer).await?;
                let ready = self.bench.prepare(request, tag, &before.issuer);
                self.make(request, &ready, step).await?;
            }
            Action::Use(place) => {
                if let Some(with) = before.holds[usize::from(place)] {
                    let request = Request::Use { place, with };
                    let ready = self.bench.prepare(request, None, &before.issuer);
                    self.make(request, &ready, step).await?;
                }
            }
            Action::Tick => self.bench.tick(false).await?,
            Action::Day => self.bench.tick(true).await?,
            Action::Drop(_)
            | Action::WriteDown(_)
            | Action::Store(_)
            | Action::Check(_)
            | Action::Change(_)
            | Action::Haste(..)
            | Action::Crash(_) => {}
        }
        Ok(())
    }

    /// Who has just seen how things are has the tag of it; who has not, has one that never was.
    async fn tag_for(&self, request: Request, model: &Issuer) -> Result<Option<String>, Differs> {
        Ok(match request {
            Request::Put {
                place,
                seen: Seen::Fresh,
                ..
            } => match model.places[usize::from(place)] {
                Some(record) => Some(self.bench.tag_of_place(record.below, place).await?),
                None => None,
            },
            Request::Advance { rotation, seen } | Request::RollBack { rotation, seen }
                if seen.is_some() =>
            {
                Some(self.bench.tag_of_rotation(rotation).await?)
            }
            Request::Resume {
                of,
                seen: Seen::Fresh,
            } => Some(self.bench.tag_of_credential(of).await?),
            _ => None,
        })
    }

    /// Makes a call, and compares the answer. Answers the tag of what it shows.
    async fn make(
        &mut self,
        request: Request,
        ready: &Ready,
        step: &Step,
    ) -> Result<Option<String>, Differs> {
        let (real, got) = self.bench.make(request, ready).await?;
        self.followed.calls += 1;
        let model = step.served.as_ref().map(|(_, answer)| answer);
        match model == Some(&real) {
            true => Ok(got.tag()),
            false => Err(format!(
                "{request:?} was answered with {real:?}, where the model has {model:?}: {}",
                match &real {
                    Answer::Done => String::new(),
                    Answer::Refused(..) => got.body.to_string(),
                }
            )),
        }
    }
}
