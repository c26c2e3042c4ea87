//! Where a credential is used, and what that means for its rotation.

use cucumber::gherkin::Step;
use cucumber::{given, then};
use serde_json::{Value, json};

use super::act::plain;
use super::rows;
use crate::oracle::digest::hex;
use crate::oracle::jose::Pair;
use crate::world::names::at;
use crate::world::{Fault, World};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// What `installation_put` takes, out of what `installation_read` answers.
const DECLARED: [&str; 7] = [
    "target",
    "required",
    "depends_on",
    "match",
    "use_interval_seconds",
    "store_id",
    "health",
];

#[given(
    regex = r"^an? (declared|updating|installed|verified|retired) installation(?: called (\w+))?(?: of (\w+))?(?: with:)?$"
)]
async fn installation(
    world: &mut World,
    state: String,
    name: String,
    of: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = declare(world, &state, &name, &of, step).await;
    world.note(outcome)
}

async fn declare(
    world: &mut World,
    state: &str,
    name: &str,
    of: &str,
    step: &Step,
) -> Result<(), Fault> {
    let mut random = [0; 10];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Fault::suite("the system has no randomness"))?;
    let id = format!("ins_{}", hex(&random));
    let of = if of.is_empty() { "credential" } else { of };
    // What is seen to work, or used no more, has been there.
    let way: &[&str] = match state {
        "verified" | "retired" => &["installed", state],
        state => &[state],
    };
    for state in way {
        let mut put = plain("Ana", "installation_put", &format!("{of}/\"{id}\""));
        put.changes = rows(step)?;
        put.changes
            .push(("state".to_owned(), format!("\"{state}\"")));
        let installation = world.must(&put).await?;
        if !name.is_empty() {
            world.names.set(name, installation);
        }
    }
    Ok(())
}

#[given(regex = r"^(\w+) is (updating|installed|verified|retired) below (\w+)(?: with:)?$")]
async fn report(
    world: &mut World,
    name: String,
    state: String,
    of: String,
    step: &Step,
) -> Result<(), Fault> {
    let outcome = bring(world, &name, &state, &of, step).await;
    world.note(outcome)
}

/// Reports how far a credential has come at a place, and leaves all else as it is.
async fn bring(
    world: &mut World,
    name: &str,
    state: &str,
    of: &str,
    step: &Step,
) -> Result<(), Fault> {
    let before = world.names.resolve(name)?;
    let wanted = world.names.resolve(&format!("{of}.id"))?;
    let arrives = at(&before, "credential_id") != Some(&wanted);
    let way: &[&str] = match state {
        "verified" if arrives => &["installed", "verified"],
        "retired" if arrives => &["installed", "retired"],
        state => &[state],
    };
    for state in way {
        let mut body = serde_json::Map::new();
        for member in DECLARED {
            if let Some(value) = before.get(member).filter(|_| member != "health") {
                body.insert(member.to_owned(), value.clone());
            }
        }
        body.insert("state".to_owned(), json!(state));
        let mut put = plain("Ana", "installation_put", &format!("{of}/{name}"));
        put.changes = vec![("body".to_owned(), Value::Object(body).to_string())];
        put.changes.extend(rows(step)?);
        let installation = world.must(&put).await?;
        world.names.set(name, installation);
    }
    Ok(())
}

#[given(regex = r"^an? (Ed25519|P-256) key pair called (\w+)$")]
async fn key_pair(world: &mut World, curve: String, name: String) -> Result<(), Fault> {
    let outcome = make_pair(world, &curve, &name);
    world.note(outcome)
}

fn make_pair(world: &mut World, curve: &str, name: &str) -> Result<(), Fault> {
    let suite = |fault: crate::oracle::Unsound| Fault::suite(fault.to_string());
    let pair = Pair::generate(curve).map_err(suite)?;
    let public = json!({"jwk": pair.jwk(), "jkt": pair.thumbprint().map_err(suite)?});
    world.names.set(name, public);
    let secret = pair.secret().map_err(suite)?;
    world
        .watch
        .canary
        .taint_bytes(format!("the private key called {name}"), &secret);
    world.ring.keep(name, pair);
    Ok(())
}

#[then(regex = r"^the gates of (\w+) are:$")]
async fn gates(world: &mut World, name: String, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        let wanted = rows(step)?;
        let report = world.must(&plain("Ana", "rotation_gates", &name)).await?;
        wanted
            .iter()
            .try_for_each(|(gate, cell)| stands(&report, gate, cell))
    }
    .await;
    world.note(outcome)
}

/// Whether a gate stands as a cell says: its state, and perhaps `on` what. `safe` is what
/// follows from all of them.
fn stands(report: &Value, gate: &str, cell: &str) -> Result<(), Fault> {
    if gate == "safe" {
        let safe = at(report, "safe_to_revoke.safe").unwrap_or(&Value::Null);
        let wanted = json!(cell == "true");
        return if *safe == wanted {
            Ok(())
        } else {
            Err(Fault::missing(format!("`safe`: {cell}"), safe.to_string()))
        };
    }
    let found = ["gates", "issuer_gates"]
        .into_iter()
        .filter_map(|list| report.get(list)?.as_array())
        .flatten()
        .find(|one| one.get("id").is_some_and(|id| id == gate))
        .ok_or_else(|| Fault::missing(format!("the gate `{gate}`"), report.to_string()))?;
    let (state, basis) = cell.split_once(" on ").unwrap_or((cell, ""));
    let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("state") == state && (basis.is_empty() || text("basis") == basis) {
        return Ok(());
    }
    Err(Fault::missing(
        format!("`{gate}` {cell}"),
        format!("{} on {}: {}", text("state"), text("basis"), text("detail")),
    ))
}
