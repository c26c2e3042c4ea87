//! Events: where they go, and who signed them.

use std::time::Duration;

use cucumber::{given, then};
use serde_json::{Value, json};

use crate::oracle::webhook;
use crate::world::receiver::Receiver;
use crate::world::{Fault, World};

/// Longest wait for an event that an issuer sends by itself.
const PATIENCE: Duration = Duration::from_secs(5);

#[given(regex = r"^(?:a receiver called|the receiver) (\w+) (?:that )?answers (\d{3})$")]
async fn receiver(world: &mut World, name: String, status: u16) -> Result<(), Fault> {
    let outcome = match world.receivers.get(&name) {
        Some(receiver) => {
            receiver.answer(status);
            Ok(())
        }
        None => match Receiver::start(status).await {
            Ok(receiver) => {
                world.names.set(name.clone(), json!({"url": receiver.url}));
                world.receivers.insert(name, receiver);
                Ok(())
            }
            Err(fault) => Err(Fault::suite(format!("no receiver starts: {fault}"))),
        },
    };
    world.note(outcome)
}

#[then(regex = r"^the receiver (\w+) gets an event of (\S+)$")]
async fn gets(world: &mut World, name: String, kind: String) -> Result<(), Fault> {
    let outcome = async {
        let kind = world.names.text(&kind)?;
        let receiver = world
            .receivers
            .get(&name)
            .ok_or_else(|| Fault::suite(format!("no receiver is called `{name}`")))?;
        receiver
            .take(&kind, PATIENCE)
            .await
            .ok_or_else(|| Fault::missing(format!("an event of {kind}"), "none in time"))
    }
    .await
    .and_then(|event| told(world, event));
    let event = world.note(outcome)?;
    world.event = Some(event);
    Ok(())
}

/// What arrives is what the answer says was sent, where it was sent by a test.
fn told(world: &World, event: webhook::Event) -> Result<webhook::Event, Fault> {
    let test = matches!(&world.last, Some((call, _)) if call.name() == "event_test");
    match &world.event {
        Some(sent) if test && *sent != event => Err(Fault::broken(
            "CLP-WHK-005",
            format!("the event that was sent: {sent:?}"),
            format!("{event:?}"),
        )),
        _ => Ok(event),
    }
}

#[then(regex = r"^the event is signed with (.+)$")]
async fn signed(world: &mut World, with: String) -> Result<(), Fault> {
    let outcome = check_signatures(world, &with);
    world.note(outcome)
}

fn check_signatures(world: &World, with: &str) -> Result<(), Fault> {
    let event = world
        .event
        .as_ref()
        .ok_or_else(|| Fault::suite("no event was sent yet"))?;
    let mut secrets = Vec::new();
    for part in with.split(" and ") {
        secrets.push(match part.strip_prefix("the secret of ") {
            Some(name) => {
                let id = world.names.text(&format!("{{{name}.id}}"))?;
                let secret = world.keys.get(&id).cloned();
                secret.ok_or_else(|| {
                    Fault::suite(format!("the secret of {name} was not delivered"))
                })?
            }
            None if part == "the probe value" => world
                .names
                .resolve("rotation.probe_value")?
                .as_str()
                .map(str::to_owned)
                .unwrap_or_default(),
            None => return Err(Fault::suite(format!("nothing is signed with {part}"))),
        });
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    webhook::signed_by(event, &secrets).map_err(|fault| {
        let body = serde_json::from_slice::<Value>(&event.body).unwrap_or_default();
        Fault::broken(
            "CLP-WHK-002",
            format!("{body} signed with {with} and nothing else"),
            fault.to_string(),
        )
    })
}
