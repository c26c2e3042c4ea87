//! What a scenario stands on: credentials, requests, passkeys, and time.

use cucumber::gherkin::Step;
use cucumber::{given, when};
use serde_json::json;

use super::act::{Recipe, plain};
use super::rows;
use crate::oracle::passkey::Passkey;
use crate::world::{Fault, World};

#[given(
    regex = r"^an? (provisioned|active|used|revoked) credential(?: called (\w+))?(?: of (\w+))?(?: with:)?$"
)]
async fn credential(
    world: &mut World,
    state: String,
    name: String,
    owner: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = make_credential(world, &state, &name, &owner, step).await;
    world.note(outcome)
}

async fn make_credential(
    world: &mut World,
    state: &str,
    name: &str,
    owner: &str,
    step: &Step,
) -> Result<(), Fault> {
    let actor = if owner.is_empty() { "Ana" } else { owner };
    let mut create = plain(actor, "credential_create", "");
    create.changes = rows(step)?;
    let credential = world.must(&create).await?;
    if !name.is_empty() {
        world.names.set(name, credential);
    }
    if state != "provisioned" {
        world.must(&plain(actor, "delivery_read", "")).await?;
    }
    if state == "used" {
        used(world, "").await?;
    }
    if state == "revoked" {
        world.must(&plain(actor, "credential_revoke", "")).await?;
    }
    Ok(())
}

#[given(
    regex = r"^an? (pending|approved|denied|issued) request(?: called (\w+))?(?: of (\w+))?(?: with:)?$"
)]
async fn request(
    world: &mut World,
    state: String,
    name: String,
    owner: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = make_request(world, &state, &name, &owner, step).await;
    world.note(outcome)
}

async fn make_request(
    world: &mut World,
    state: &str,
    name: &str,
    owner: &str,
    step: &Step,
) -> Result<(), Fault> {
    if !world.claims("approval")? {
        return Err(Fault::unfit(
            "the issuer does not claim the profile `approval`",
        ));
    }
    let actor = if owner.is_empty() { "Ana" } else { owner };
    let mut open = plain(actor, "request_open", "");
    open.changes = rows(step)?;
    let request = world.must(&open).await?;
    if !name.is_empty() {
        world.names.set(name, request);
    }
    if state != "pending" {
        let decision = if state == "denied" { "deny" } else { "approve" };
        let mut decide = plain("the operator", "control_approve", "");
        decide.changes = vec![("decision".to_owned(), format!("\"{decision}\""))];
        world.must(&decide).await?;
    }
    if state == "issued" {
        world.must(&from_request(actor, "request")).await?;
    }
    Ok(())
}

/// A create with nothing but a request's id.
fn from_request(actor: &str, name: &str) -> Recipe {
    let mut create = plain(actor, "credential_create", "");
    create.changes = vec![(
        "body".to_owned(),
        format!("{{\"request_id\": \"{{{name}.id}}\"}}"),
    )];
    create
}

#[given(regex = r"^a passkey of (\w+)( that does not count)?$")]
async fn passkey(world: &mut World, person: String, still: String) -> Result<(), Fault> {
    let outcome = register(world, &person).await;
    world.note(outcome)?;
    if !still.is_empty()
        && let Some(passkey) = world.passkeys.get_mut(&person)
    {
        passkey.stop_counting();
    }
    Ok(())
}

async fn register(world: &mut World, person: &str) -> Result<(), Fault> {
    if !world.claims("approval")? {
        return Err(Fault::unfit(
            "the issuer does not claim the profile `approval`",
        ));
    }
    make_passkey(world, person)?;
    let mut enrol = plain("the operator", "authenticator_register", "");
    enrol.changes = vec![(
        "principal".to_owned(),
        format!("{{{}.id}}", person.to_lowercase()),
    )];
    world.must(&enrol).await.map(|_| ())
}

/// Nobody's passkey; its public part has the name `passkey`.
const SPARE: &str = "nobody";

fn make_passkey(world: &mut World, person: &str) -> Result<(), Fault> {
    let passkey = Passkey::generate().map_err(|fault| Fault::suite(fault.to_string()))?;
    world.names.set(
        "passkey",
        json!({"credential_id": passkey.credential_id(), "public_key": passkey.public_key()}),
    );
    world.passkeys.insert(person.to_owned(), passkey);
    Ok(())
}

#[given("a passkey that nobody has registered")]
async fn unregistered_passkey(world: &mut World) -> Result<(), Fault> {
    let outcome = make_passkey(world, SPARE);
    world.note(outcome)
}

#[given(regex = r"^(\w+) uses that passkey$")]
async fn take_passkey(world: &mut World, person: String) -> Result<(), Fault> {
    let outcome = match world.passkeys.remove(SPARE) {
        Some(passkey) => {
            world.passkeys.insert(person, passkey);
            Ok(())
        }
        None => Err(Fault::suite("there is no passkey to take")),
    };
    world.note(outcome)
}

#[given(regex = r"^(\d+) provisioned credentials$")]
async fn many(world: &mut World, count: usize) -> Result<(), Fault> {
    for _ in 0..count {
        let outcome = world.must(&plain("Ana", "credential_create", "")).await;
        world.note(outcome)?;
    }
    Ok(())
}

#[given(regex = r"^(\w+) has a page called (\w+) of (\w+)$")]
async fn page(
    world: &mut World,
    person: String,
    name: String,
    endpoint: String,
) -> Result<(), Fault> {
    let mut list = plain(&person, &endpoint, "");
    list.changes = vec![("query limit".to_owned(), "1".to_owned())];
    let outcome = world.must(&list).await;
    let page = world.note(outcome)?;
    world.names.set(name, page);
    Ok(())
}

#[when(regex = r"^the key of (\w+) is used$")]
async fn use_key(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = used(world, &name).await;
    world.note(outcome)
}

async fn used(world: &mut World, name: &str) -> Result<(), Fault> {
    let status = world.try_key(name, "read").await?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    Err(Fault::missing(
        "the key to open the read probe, to begin with",
        status.to_string(),
    ))
}

#[given("the longest propagation has passed")]
async fn propagation(world: &mut World) -> Result<(), Fault> {
    let outcome = world.propagation();
    tokio::time::sleep(world.note(outcome)?).await;
    Ok(())
}

#[given(regex = r"^the clock advances by (\d+) seconds$")]
#[when(regex = r"^the clock advances by (\d+) seconds$")]
async fn clock(world: &mut World, seconds: i64) -> Result<(), Fault> {
    advance(world, seconds).await
}

/// Moves the clock to a time, not before it and hardly after it: the tenant's time is never
/// taken for later than it is.
#[given(regex = r"^the clock advances to (\S+)$")]
#[when(regex = r"^the clock advances to (\S+)$")]
async fn clock_to(world: &mut World, cell: String) -> Result<(), Fault> {
    let outcome = world
        .names
        .text(&cell)
        .and_then(|time| world.tenant()?.seconds_until(&time));
    let seconds = world.note(outcome)?;
    advance(world, seconds.max(1)).await
}

async fn advance(world: &mut World, seconds: i64) -> Result<(), Fault> {
    let mut call = plain("the operator", "clock_advance", "");
    call.changes = vec![("advance_seconds".to_owned(), seconds.to_string())];
    let outcome = world.must(&call).await;
    world.note(outcome).map(|_| ())
}

#[given(regex = r"^(\w+) (revokes|rotates|reads the delivery of|creates from) (\w+)$")]
#[when(regex = r"^(\w+) (revokes|rotates|reads the delivery of|creates from) (\w+)$")]
async fn deed(world: &mut World, person: String, what: String, name: String) -> Result<(), Fault> {
    if what == "creates from" {
        let outcome = world.must(&from_request(&person, &name)).await;
        return world.note(outcome).map(|_| ());
    }
    let endpoint = match what.as_str() {
        "revokes" => "credential_revoke",
        "rotates" => "rotation_open",
        _ => "delivery_read",
    };
    let outcome = world.must(&plain(&person, endpoint, &name)).await;
    world.note(outcome).map(|_| ())
}
