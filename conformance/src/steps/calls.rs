//! The call that a scenario is about, and the same call once more.

use clp_schemas::endpoint::Idempotency;
use cucumber::gherkin::Step;
use cucumber::when;

use super::act::{Recipe, plain};
use super::rows;
use crate::world::baseline::Kind;
use crate::world::call::{Actor, Call};
use crate::world::{Fault, World};

#[when(
    regex = r#"^(\w+|a stranger|the operator|the (?:key|token)(?: of \w+)?) calls ([a-z_]+)(?: on (\S+))?(?: with:)?$"#
)]
async fn call(
    world: &mut World,
    actor: String,
    endpoint: String,
    on: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = async {
        let mut recipe = plain(&actor, &endpoint, &on);
        recipe.changes = rows(step)?;
        begin(world, recipe).await
    }
    .await;
    world.note(outcome)
}

#[when(
    regex = r"^(nobody|a stranger|the (?:key|token)(?: of \w+)?) calls the (read|write) probe(?: with:)?$"
)]
async fn probe(world: &mut World, actor: String, name: String, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        let recipe = Recipe {
            actor,
            target: name,
            probe: true,
            changes: rows(step)?,
            ..Recipe::default()
        };
        begin(world, recipe).await
    }
    .await;
    world.note(outcome)
}

async fn begin(world: &mut World, recipe: Recipe) -> Result<(), Fault> {
    let mut call = world.cook(&recipe)?;
    World::choose_key(&mut call)?;
    world.base = Some(call.clone());
    world.recipe = Some(recipe);
    world.call(&call).await.map(|_| ())
}

#[when(regex = r"^the (?:same call is (made|repeated)|last call is sent again)(?: (.+))?$")]
async fn again(world: &mut World, how: String, change: String, step: &Step) -> Result<(), Fault> {
    let outcome = if how.is_empty() {
        resend(world).await
    } else {
        repeat(world, how == "repeated", &change, step).await
    };
    world.note(outcome)
}

/// Sends the last call as it was sent.
async fn resend(world: &mut World) -> Result<(), Fault> {
    let (call, _) = world
        .last
        .clone()
        .ok_or_else(|| Fault::suite("nothing was called yet"))?;
    world.call(&call).await.map(|_| ())
}

async fn repeat(world: &mut World, same_key: bool, change: &str, step: &Step) -> Result<(), Fault> {
    let changes = separate(change);
    let mut call = same(world, same_key, &changes)?;
    let mut together = None;
    for change in changes {
        if change == "with:" {
            for (part, cell) in rows(step)? {
                vary(world, &mut call, &part, &cell)?;
            }
        } else if let Some(part) = change.strip_prefix("without ") {
            call.leave_out(part)?;
        } else if let Some(kind) = change.strip_prefix("with a body that ") {
            call.spoil(kind)?;
        } else if change == "with a new key" {
            call.key = None;
        } else if change == "with the key of the last call" {
            call.key = world.last.as_ref().and_then(|(last, _)| last.key.clone());
        } else if change == "with two keys" {
            for number in 1..=2 {
                call.headers.push((
                    "Idempotency-Key".to_owned(),
                    format!("{}-{number}", world.mark),
                ));
            }
        } else if change == "with the token in the query" {
            let token = world.token(&call.actor)?.unwrap_or_default();
            call.actor = Actor::Nobody;
            call.query.push(("access_token".to_owned(), token));
        } else if let Some(scheme) = change.strip_prefix("with the token under the scheme ") {
            let token = world.token(&call.actor)?.unwrap_or_default();
            call.actor = Actor::Nobody;
            let field = ("Authorization".to_owned(), format!("{scheme} {token}"));
            call.headers.push(field);
        } else if let Some((part, cell)) = change
            .strip_prefix("with ")
            .and_then(|rest| rest.split_once(" set to "))
        {
            vary(world, &mut call, part, cell)?;
        } else if let Some(times) = change.strip_suffix(" times at once") {
            together = Some(times.to_owned());
        } else if !(change == "again" || change.starts_with("by ") || change.starts_with("on ")) {
            return Err(Fault::suite(format!("`{change}` is no change")));
        }
    }
    match together {
        Some(times) => at_once(world, &call, same_key, &times).await,
        None => world.call(&call).await.map(|_| ()),
    }
}

/// Changes that are made together, one by one. `and` joins them only before a word that begins
/// a change, since it can stand in a value too.
fn separate(text: &str) -> Vec<String> {
    let mut changes: Vec<String> = Vec::new();
    for piece in text.split(" and ") {
        let begins = ["with ", "without ", "by ", "on "]
            .iter()
            .any(|word| piece.starts_with(word))
            || piece.ends_with(" times at once");
        match changes.last_mut() {
            Some(last) if !begins => {
                last.push_str(" and ");
                last.push_str(piece);
            }
            _ if piece.is_empty() => {}
            _ => changes.push(piece.to_owned()),
        }
    }
    changes
}

/// The base call: word for word with the same key, or made anew from the same words.
fn same(world: &mut World, same_key: bool, changes: &[String]) -> Result<Call, Fault> {
    let missing = || Fault::suite("there is no call to make again");
    let mut recipe = world.recipe.clone().ok_or_else(missing)?;
    let mut elsewhere = false;
    for change in changes {
        if let Some(actor) = change.strip_prefix("by ") {
            actor.clone_into(&mut recipe.actor);
        }
        if let Some(on) = change.strip_prefix("on ") {
            on.clone_into(&mut recipe.on);
            elsewhere = true;
        }
    }
    if same_key {
        let base = world.base.clone().ok_or_else(missing)?;
        let mut call = if elsewhere {
            world.cook(&recipe)?
        } else {
            base.clone()
        };
        call.actor = Actor::read(&recipe.actor);
        call.key = base.key;
        return Ok(call);
    }
    world.cook(&recipe)
}

/// One change by table or by sentence.
fn vary(world: &World, call: &mut Call, part: &str, cell: &str) -> Result<(), Fault> {
    match part {
        "actor" => call.actor = Actor::read(cell),
        "HTTP method" => cell.clone_into(&mut call.method),
        "path" => call.path = Some(world.names.text(cell)?),
        part => {
            if cell == "absent" {
                call.leave_out(part)?;
            } else if let Some(kind) = cell.strip_prefix("a body that ") {
                call.spoil(kind)?;
            } else {
                call.set(part, cell, &world.names)?;
            }
        }
    }
    Ok(())
}

async fn at_once(world: &mut World, call: &Call, same_key: bool, times: &str) -> Result<(), Fault> {
    let times: usize = times
        .parse()
        .map_err(|_| Fault::suite(format!("`{times}` is no number")))?;
    let mut calls = vec![call.clone(); times];
    let takes_key = call
        .row()
        .is_some_and(|row| row.idempotency == Idempotency::Key);
    if let Some(first) = calls.first_mut() {
        if same_key {
            first.key = None;
        }
        World::choose_key(first)?;
    }
    let shared = calls.first().and_then(|first| first.key.clone());
    for call in calls.iter_mut().skip(1).filter(|_| takes_key) {
        call.key = if same_key { shared.clone() } else { None };
        World::choose_key(call)?;
    }
    for call in &mut calls {
        world.dress(call).await?;
    }
    let answers = world.send_together(&calls).await?;
    if let Some((call, answer)) = calls
        .iter()
        .zip(&answers)
        .find(|(_, answer)| answer.kind == Kind::Accepted)
    {
        world.remember(call, answer)?;
    }
    world.together = answers;
    Ok(())
}
