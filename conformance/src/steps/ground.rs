//! What a scenario stands on: credentials, requests, passkeys, and time.

use cucumber::gherkin::Step;
use cucumber::{given, when};
use serde_json::json;

use super::act::{Recipe, plain};
use super::rows;
use crate::oracle::attestation::{self, Defect};
use crate::oracle::identity::{CLASS, Provider};
use crate::oracle::passkey::Passkey;
use crate::world::names::at;
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
        world.names.set(name, credential.clone());
    }
    // Where the key is the requester's own there is nothing to deliver.
    if state != "provisioned" && at(&credential, "delivery").is_some() {
        world.must(&plain(actor, "delivery_read", "")).await?;
    }
    if state == "used" {
        used(world, "the key", "read", "").await?;
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

#[given(
    regex = r"^(?:a passkey of (\w+)( that does not count)?|a passkey that nobody has registered|(\w+) uses that passkey|a hardware key of (\w+(?: .+)?)|an identity provider ((?:of|for) \w+(?: for \w+)?))$"
)]
async fn passkey(
    world: &mut World,
    person: String,
    still: String,
    taker: String,
    hardware: String,
    provider: String,
) -> Result<(), Fault> {
    let outcome = match (person.as_str(), taker) {
        _ if !hardware.is_empty() => {
            let (holder, defect) = hardware.split_once(' ').unwrap_or((&hardware, ""));
            hardware_key(world, holder, defect).await
        }
        _ if !provider.is_empty() => {
            let words: Vec<&str> = provider.split(' ').collect();
            let word = |position: usize| words.get(position).copied().unwrap_or_default();
            identity_provider(world, word(1), word(3), word(0) == "of").await
        }
        ("", taker) if taker.is_empty() => make_passkey(world, SPARE),
        ("", taker) => take_passkey(world, taker),
        (person, _) => register(world, person).await,
    };
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

/// Makes a hardware key, has a maker attest it whom the issuer is told to trust, and registers it.
async fn hardware_key(world: &mut World, person: &str, words: &str) -> Result<(), Fault> {
    if !world.claims("approval")? {
        return Err(Fault::unfit(
            "the issuer does not claim the profile `approval`",
        ));
    }
    let suite = |fault: crate::oracle::Unsound| Fault::suite(fault.to_string());
    let defect = match words {
        "" => None,
        words => Some(
            Defect::by_words(words)
                .ok_or_else(|| Fault::suite(format!("a hardware key has no defect `{words}`")))?,
        ),
    };
    make_passkey(world, person)?;
    let issuer = world.names.resolve("issuer")?;
    let origin = issuer.as_str().unwrap_or_default();
    let url =
        url::Url::parse(origin).map_err(|_| Fault::missing("an issuer that is a URL", origin))?;
    let stated = world.names.resolve("challenge.relying_party_id").ok();
    let party = stated
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .or(url.host_str())
        .unwrap_or_default();
    let site = url.origin().ascii_serialization();
    let registered = match world.passkeys.get_mut(person) {
        Some(passkey) => {
            passkey.harden();
            attestation::register(passkey, party, &site, defect).map_err(suite)?
        }
        None => return Err(Fault::suite("there is no key to attest")),
    };
    world.names.set("attestation_trust", registered.trust);
    if defect != Some(Defect::Maker) {
        let trust = plain("the operator", "attestation_trust_put", "");
        world.must(&trust).await?;
    }
    let mut enrol = plain("the operator", "authenticator_register", "");
    let principal = format!("{{{}.id}}", person.to_lowercase());
    let body = json!({"principal": "PRINCIPAL", "attestation": registered.attestation});
    let body = body.to_string().replace("PRINCIPAL", &principal);
    enrol.changes = vec![("body".to_owned(), body)];
    world.must(&enrol).await.map(|_| ())
}

/// Makes a provider at which somebody has an account, and has the issuer trust it, for one method
/// or for all of them.
async fn identity_provider(
    world: &mut World,
    person: &str,
    method: &str,
    is_trusted: bool,
) -> Result<(), Fault> {
    let suite = |fault: crate::oracle::Unsound| Fault::suite(fault.to_string());
    let provider = Provider::generate().map_err(suite)?;
    let key = provider.key().map_err(suite)?;
    let canary = &mut world.watch.canary;
    canary.taint_bytes(format!("the key of the provider of {person}"), &key);
    canary.taint("the secret at the provider", &provider.secret);
    let methods = match method {
        "" => json!(["oidc", "sso", "oauth"]),
        one => json!([one]),
    };
    let principal = world
        .names
        .resolve(&format!("{}.id", person.to_lowercase()))?;
    world.names.set(
        "provider",
        json!({
            "issuer": provider.issuer, "client_id": provider.client,
            "client_secret": provider.secret, "methods": methods,
            "acr_values": [CLASS], "jwks": provider.jwks(),
            "accounts": [
                {"subject": provider.account, "principal": principal},
                {"subject": provider.colleague, "principal": world.names.resolve("cleo.id")?},
            ],
        }),
    );
    world.providers.insert(person.to_owned(), provider);
    if is_trusted {
        let trust = plain("the operator", "control_identity_provider", "");
        world.must(&trust).await?;
    }
    Ok(())
}

/// Nobody's passkey; its public part has the name `passkey`.
const SPARE: &str = "nobody";

fn make_passkey(world: &mut World, person: &str) -> Result<(), Fault> {
    let suite = |fault: crate::oracle::Unsound| Fault::suite(fault.to_string());
    let passkey = Passkey::generate().map_err(suite)?;
    let secret = passkey.secret().map_err(suite)?;
    let label = format!("the passkey of {person}");
    world.watch.canary.taint_bytes(label, &secret);
    world.names.set(
        "passkey",
        json!({"credential_id": passkey.credential_id(), "public_key": passkey.public_key()}),
    );
    world.passkeys.insert(person.to_owned(), passkey);
    Ok(())
}

fn take_passkey(world: &mut World, person: String) -> Result<(), Fault> {
    let passkey = world
        .passkeys
        .remove(SPARE)
        .ok_or_else(|| Fault::suite("there is no passkey to take"))?;
    world.passkeys.insert(person, passkey);
    Ok(())
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

#[given(regex = r"^the (key|token) of (\w+) is used(?: to (read|write))?(?: as (\S+))?$")]
#[when(regex = r"^the (key|token) of (\w+) is used(?: to (read|write))?(?: as (\S+))?$")]
async fn use_it(
    world: &mut World,
    what: String,
    name: String,
    probe: String,
    agent: String,
) -> Result<(), Fault> {
    let probe = if probe.is_empty() { "read" } else { &probe };
    let outcome = used(world, &format!("the {what} of {name}"), probe, &agent).await;
    world.note(outcome)
}

/// Makes a probe that has to be served, with a `User-Agent` if one is given.
async fn used(world: &mut World, actor: &str, probe: &str, agent: &str) -> Result<(), Fault> {
    let mut changes = Vec::new();
    if !agent.is_empty() {
        changes.push(("header User-Agent".to_owned(), agent.to_owned()));
    }
    let status = world.try_probe(actor, probe, changes).await?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    Err(Fault::missing(
        format!("{actor} to open the {probe} probe, to begin with"),
        status.to_string(),
    ))
}

#[given("the longest propagation has passed")]
async fn propagation(world: &mut World) -> Result<(), Fault> {
    let outcome = world.propagation();
    tokio::time::sleep(world.note(outcome)?).await;
    Ok(())
}

/// Moves the clock by seconds, or to a time: not before it and hardly after it, since the
/// tenant's time is never taken for later than it is.
#[given(regex = r"^the clock advances (by|to) (\S+)(?: seconds)?$")]
#[when(regex = r"^the clock advances (by|to) (\S+)(?: seconds)?$")]
async fn clock(world: &mut World, how: String, cell: String) -> Result<(), Fault> {
    let outcome = async {
        let text = world.names.text(&cell)?;
        let seconds = if how == "to" {
            world.tenant()?.seconds_until(&text)?.max(1)
        } else {
            text.parse()
                .map_err(|_| Fault::suite(format!("`{text}` is no number of seconds")))?
        };
        let mut call = plain("the operator", "clock_advance", "");
        call.changes = vec![("advance_seconds".to_owned(), seconds.to_string())];
        world.must(&call).await
    }
    .await;
    world.note(outcome).map(|_| ())
}

/// Somebody who is added to the cast, under that name.
fn newcomer(person: &str, name: &str) -> Recipe {
    let mut add = plain(person, "control_principal_add", "");
    let name = name.to_lowercase();
    add.changes = vec![("name".to_owned(), format!("\"{name}\""))];
    add
}

/// What people do besides what a scenario is about, and what it is called on the wire.
const DEEDS: [(&str, &str); 12] = [
    ("amends", "request_amend"),
    ("cancels", "request_cancel"),
    ("adds", "control_principal_add"),
    ("restricts", "control_principal_set"),
    ("revokes", "credential_revoke"),
    ("rotates", "rotation_open"),
    ("suspends", "credential_suspend"),
    ("resumes", "credential_resume"),
    ("advances", "rotation_advance"),
    ("rolls back", "rotation_rollback"),
    ("reads the delivery of", "delivery_read"),
    ("acknowledges the delivery of", "delivery_ack"),
];

#[given(
    regex = r"^(\w+|the operator) (revokes|rotates|suspends|resumes|advances|rolls back|amends|cancels|adds|restricts|sets the|reads the delivery of|acknowledges the delivery of|creates from) (\w+)(?: as (\w+))?(?: with:)?$"
)]
#[when(
    regex = r"^(\w+|the operator) (revokes|rotates|suspends|resumes|advances|rolls back|amends|cancels|adds|restricts|sets the|reads the delivery of|acknowledges the delivery of|creates from) (\w+)(?: as (\w+))?(?: with:)?$"
)]
async fn deed(
    world: &mut World,
    person: String,
    what: String,
    name: String,
    called: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = async {
        let mut recipe = match DEEDS.iter().find(|(words, _)| *words == what) {
            Some((_, "control_principal_add")) => newcomer(&person, &name),
            Some((_, endpoint)) => plain(&person, endpoint, &name.to_lowercase()),
            None if what == "sets the" => plain(&person, "control_policy_set", ""),
            None => from_request(&person, &name),
        };
        recipe.changes.extend(rows(step)?);
        let value = world.must(&recipe).await?;
        if !called.is_empty() {
            if let Some(successor) = value.get("credential") {
                world
                    .names
                    .set(format!("{called}_successor"), successor.clone());
            }
            world.names.set(called, value);
        }
        Ok(())
    }
    .await;
    world.note(outcome)
}
