//! The log: what it tells, and what proves it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cucumber::gherkin::Step;
use cucumber::{given, then};
use serde_json::{Value, json};

use super::act::plain;
use super::lists::entries;
use super::{expect, rows};
use crate::oracle::merkle::{self, Hash};
use crate::oracle::note::{self, Head};
use crate::oracle::{Unsound, log};
use crate::world::names::at;
use crate::world::{Fault, World};

fn sound<T>(requirement: &str, expected: &str, outcome: Result<T, Unsound>) -> Result<T, Fault> {
    outcome.map_err(|fault| Fault::broken(requirement, expected, fault.to_string()))
}

/// An entry whose leaf and members hold.
fn read(entry: &Value) -> Result<log::Entry, Fault> {
    sound("CLP-AUD-009", "a sound leaf", log::leaf(entry))?;
    sound(
        "CLP-AUD-010",
        "what the leaf commits to, disclosed",
        log::read(entry),
    )
}

#[then(regex = r"^the log that (\w+) sees tells of ([a-z_.]+):$")]
async fn tells(world: &mut World, person: String, event: String, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        let wanted = rows(step)?;
        let mut closest = "no such entry".to_owned();
        for entry in entries(world, &person, &event).await? {
            let entry = read(&entry)?;
            if entry.event != event {
                return Err(Fault::broken(
                    "CLP-AUD-007",
                    format!("entries of {event}"),
                    entry.event,
                ));
            }
            let members = json!(entry.members);
            match expect::table(&members, &wanted, &world.names) {
                Ok(()) => return Ok(()),
                Err(Fault::Broken(_)) => closest = members.to_string(),
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::missing(
            format!(
                "an entry of {event} with {}",
                expect::sentence(&wanted, &world.names)
            ),
            closest,
        ))
    }
    .await;
    world.note(outcome)
}

#[given(regex = r"^the entries of ([a-z_.]+) that (\w+) sees are counted$")]
async fn counted(world: &mut World, event: String, person: String) -> Result<(), Fault> {
    let outcome = entries(world, &person, &event).await;
    let count = world.note(outcome)?.len();
    world.names.set("counted", json!(count));
    Ok(())
}

#[then(regex = r"^(\w+) sees (\d+) more entr(?:y|ies) of ([a-z_.]+)$")]
async fn more(world: &mut World, person: String, wanted: u64, event: String) -> Result<(), Fault> {
    let outcome = entries(world, &person, &event).await.and_then(|entries| {
        let before = world.names.resolve("counted")?.as_u64().unwrap_or_default();
        let got = (entries.len() as u64).saturating_sub(before);
        if got == wanted {
            return Ok(());
        }
        Err(Fault::missing(
            format!("{wanted} more entries of {event}"),
            got.to_string(),
        ))
    });
    world.note(outcome)
}

#[then(
    regex = r"^(the log that (\w+) sees is numbered without gaps|the leaves of two readings are the same|no salt stands in the log twice)$"
)]
async fn keeps_form(world: &mut World, what: String, person: String) -> Result<(), Fault> {
    let outcome = match what.split(' ').nth(1) {
        Some("log") => without_gaps(world, &person).await,
        Some("leaves") => stable(world).await,
        _ => salts(world).await,
    };
    world.note(outcome)
}

async fn without_gaps(world: &mut World, person: &str) -> Result<(), Fault> {
    let indexes: Vec<u64> = entries(world, person, "")
        .await?
        .iter()
        .filter_map(|entry| at(entry, "index")?.as_u64())
        .collect();
    if !indexes.is_empty() && indexes.iter().copied().eq(0..indexes.len() as u64) {
        return Ok(());
    }
    Err(Fault::missing(
        "indexes from 0, one after the other",
        json!(indexes).to_string(),
    ))
}

async fn stable(world: &mut World) -> Result<(), Fault> {
    let leaves = |entries: Vec<Value>| -> Result<Vec<Value>, Fault> {
        let mut leaves = Vec::new();
        for entry in entries {
            read(&entry)?;
            leaves.extend(at(&entry, "leaf").cloned());
        }
        Ok(leaves)
    };
    let first = leaves(entries(world, "Ana", "").await?)?;
    let second = leaves(entries(world, "Ana", "").await?)?;
    if second.starts_with(&first) {
        return Ok(());
    }
    Err(Fault::broken(
        "CLP-AUD-009",
        "the same bytes every time",
        "others",
    ))
}

async fn salts(world: &mut World) -> Result<(), Fault> {
    let mut seen = std::collections::HashSet::new();
    for entry in entries(world, "Ana", "").await? {
        for (name, member) in at(&entry, "disclosed")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let salt = at(member, "salt")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !seen.insert(salt.to_owned()) {
                return Err(Fault::broken(
                    "CLP-AUD-011",
                    "a fresh salt for each member",
                    format!("one twice, of `{name}`"),
                ));
            }
        }
    }
    Ok(())
}

/// The newest checkpoint, whose signature holds.
async fn checkpoint(world: &mut World) -> Result<Head, Fault> {
    let call = world.cook(&plain("Ana", "audit_checkpoint", ""))?;
    let answer = world.call(&call).await?;
    open(world, &answer.got.text()).await
}

async fn open(world: &mut World, text: &str) -> Result<Head, Fault> {
    let page = world.must(&plain("Ana", "audit_entries", "")).await?;
    let member = |path: &str| {
        at(world.manifest()?, path)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| Fault::missing(format!("`{path}` in the manifest"), "nothing"))
    };
    let key = STANDARD
        .decode(member("audit_log.public_key")?)
        .map_err(|_| Fault::missing("`audit_log.public_key` in base64", "something else"))?;
    let head = sound("CLP-AUD-013", "a signed checkpoint", note::open(text, &key))?;
    let tenant = world.tenant()?.id.clone();
    let prefix = member("audit_log.origin_prefix")?;
    let of_tenant = head
        .origin
        .strip_prefix(&format!("{prefix}/"))
        .is_some_and(|id| tenant.as_ref().is_none_or(|tenant| tenant == id));
    if of_tenant && at(&page, "log_origin") == Some(&json!(head.origin)) {
        Ok(head)
    } else {
        Err(Fault::broken(
            "CLP-AUD-013",
            format!("the origin of the log, {prefix}/ and the tenant's id"),
            head.origin,
        ))
    }
}

#[then(regex = r"^the (checkpoint|statement) is signed by the key of the manifest$")]
async fn signed(world: &mut World, what: String) -> Result<(), Fault> {
    if what == "statement" {
        let outcome = super::statement::signed(world);
        return world.note(outcome);
    }
    let text = super::verdicts::last(world).map(|(_, answer)| answer.got.text());
    let text = world.note(text)?;
    let outcome = open(world, &text).await;
    world.note(outcome).map(|_| ())
}

async fn hashes(
    world: &mut World,
    endpoint: &str,
    query: [(&str, u64); 2],
) -> Result<Vec<Hash>, Fault> {
    let mut recipe = plain("Ana", endpoint, "");
    for (name, value) in query {
        recipe
            .changes
            .push((format!("query {name}"), value.to_string()));
    }
    let proof = world.must(&recipe).await?;
    for (name, value) in query {
        if at(&proof, name).and_then(Value::as_u64) != Some(value) {
            return Err(Fault::missing(
                format!("`{name}`: {value}"),
                proof.to_string(),
            ));
        }
    }
    at(&proof, "hashes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|hash| {
            hash.as_str()
                .and_then(|text| STANDARD.decode(text).ok())
                .and_then(|bytes| Hash::try_from(bytes).ok())
                .ok_or_else(|| Fault::missing("hashes of 32 bytes in base64", hash.to_string()))
        })
        .collect()
}

#[then(regex = r"^every entry that (\w+) sees is proved by a signed checkpoint$")]
async fn proved(world: &mut World, person: String) -> Result<(), Fault> {
    let outcome = prove(world, &person).await;
    world.note(outcome)
}

async fn prove(world: &mut World, person: &str) -> Result<(), Fault> {
    let entries = entries(world, person, "").await?;
    let head = checkpoint(world).await?;
    if entries.is_empty() {
        return Err(Fault::missing("an entry", "none"));
    }
    for entry in entries {
        let entry = read(&entry)?;
        let path = hashes(
            world,
            "audit_inclusion",
            [("index", entry.index), ("tree_size", head.size)],
        )
        .await?;
        let holds =
            |leaf: &Hash| merkle::inclusion(leaf, entry.index, head.size, &path, &head.root);
        let expected = format!(
            "a proof from the leaf hash {} of entry {} to size {} with root {}",
            STANDARD.encode(entry.hash),
            entry.index,
            head.size,
            STANDARD.encode(head.root)
        );
        sound("CLP-AUD-016", &expected, holds(&entry.hash))?;
        // The proof has to be of this entry: of a changed one it proves nothing.
        let mut changed = entry.hash;
        changed.reverse();
        if changed != entry.hash && holds(&changed).is_ok() {
            return Err(Fault::suite("the verifier takes any leaf"));
        }
    }
    Ok(())
}

#[then(regex = r"^a new checkpoint is proved to continue (\w+)$")]
async fn continues(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = continue_from(world, &name).await;
    world.note(outcome)
}

async fn continue_from(world: &mut World, name: &str) -> Result<(), Fault> {
    let text = world
        .kept
        .get(name)
        .ok_or_else(|| Fault::suite(format!("no answer is called `{name}`")))?
        .got
        .text();
    let old = open(world, &text).await?;
    let new = checkpoint(world).await?;
    if new.size <= old.size {
        return Err(Fault::broken(
            "CLP-AUD-014",
            format!("more than {} entries", old.size),
            new.size.to_string(),
        ));
    }
    let path = hashes(
        world,
        "audit_consistency",
        [("from", old.size), ("to", new.size)],
    )
    .await?;
    let holds = |root: &Hash| merkle::consistency((old.size, root), (new.size, &new.root), &path);
    let expected = format!(
        "a proof from size {} with root {} to size {} with root {}",
        old.size,
        STANDARD.encode(old.root),
        new.size,
        STANDARD.encode(new.root)
    );
    sound("CLP-AUD-015", &expected, holds(&old.root))?;
    let mut changed = old.root;
    changed.reverse();
    if changed != old.root && holds(&changed).is_ok() {
        return Err(Fault::suite("the verifier takes any root"));
    }
    Ok(())
}

#[then("a new checkpoint has every entry that is stored")]
async fn complete(world: &mut World) -> Result<(), Fault> {
    let outcome = async {
        let state = world.must(&plain("the operator", "state_dump", "")).await?;
        let stored = at(&state, "audit_size")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX);
        let call = world.cook(&plain("Ana", "audit_checkpoint", ""))?;
        let text = world.call(&call).await?.got.text();
        let head = open(world, &text).await?;
        if head.size >= stored {
            return Ok(());
        }
        Err(Fault::broken(
            "CLP-AUD-014",
            format!("{stored} entries or more"),
            head.size.to_string(),
        ))
    }
    .await;
    world.note(outcome)
}
