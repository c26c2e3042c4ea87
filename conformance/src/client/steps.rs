//! The vocabulary of the features about clients: what the issuer does, what the client is
//! asked to do, and how that ended. `checks` has what is seen besides.

use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use serde_json::{Value, json};

use super::misbehaviour::by_words;
use super::played::RESOURCE;
use super::task::Ending;
use super::world::ClientWorld;
use crate::steps::rows;
use crate::world::Fault;

/// A member of [`super::misbehaviour::ALL`] by its words, or honesty.
#[given(regex = r"^the issuer (.+)$")]
async fn issuer(world: &mut ClientWorld, words: String) -> Result<(), Fault> {
    let outcome = world.wire().and_then(|wire| {
        if words == "is honest again" {
            wire.reform();
            return Ok(());
        }
        let found = by_words(&words)
            .ok_or_else(|| Fault::suite(format!("no issuer {words}: see `misbehaviour.rs`")))?;
        wire.misbehave(found);
        Ok(())
    });
    world.note(outcome)
}

/// A task that is not what the scenario is about, and has to be done. "The same" never means it.
#[given(regex = r"^the client was asked to (\w+)(?: with:)?$")]
async fn was_asked(world: &mut ClientWorld, task: String, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        world.ask(&task, &rows(step)?).await?;
        done(world)
    }
    .await;
    world.note(outcome)
}

#[when(regex = r"^the client is asked to (\w+)(?: with:)?$")]
async fn is_asked(world: &mut ClientWorld, task: String, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        world.ask(&task, &rows(step)?).await?;
        world.repeats.clone_from(&world.asked);
        Ok(())
    }
    .await;
    world.note(outcome)
}

/// The last task once more, in the same home, with what the table changes.
#[when(regex = r"^it is asked the same(?: with:)?$")]
async fn the_same(world: &mut ClientWorld, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        let last = world
            .repeats
            .clone()
            .ok_or_else(|| Fault::suite("no task was given yet"))?;
        let changes = rows(step)?;
        let mut members = last.members;
        members.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        members.extend(changes);
        world.ask(&last.task, &members).await?;
        world.repeats.clone_from(&world.asked);
        Ok(())
    }
    .await;
    world.note(outcome)
}

#[given(regex = r"^a person (approves the request|registers the client's passkey)$")]
async fn person(world: &mut ClientWorld, what: String) -> Result<(), Fault> {
    let outcome = match what.as_str() {
        "approves the request" => world.approve().await,
        _ => world.register().await,
    };
    world.note(outcome)
}

/// A file in the client's home, readable by everybody, at which the suite looks whenever a
/// request comes in. Later tasks are about it.
#[given(regex = r"^a file (\S+) with:$")]
async fn file(world: &mut ClientWorld, name: String, step: &Step) -> Result<(), Fault> {
    let outcome = write(world, &name, step.docstring.as_deref().unwrap_or_default());
    world.note(outcome)
}

fn write(world: &mut ClientWorld, name: &str, text: &str) -> Result<(), Fault> {
    let path = world.path(name)?;
    let content = format!("{}\n", text.trim_start_matches('\n').trim_end());
    std::fs::write(&path, &content)
        .map_err(|fault| Fault::suite(format!("`{name}` cannot be written: {fault}")))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open)
            .map_err(|fault| Fault::suite(format!("`{name}` cannot be opened up: {fault}")))?;
    }
    world.wire()?.watch(path.clone());
    world.names.set("before", json!(content));
    world.names.set("file", json!(path.display().to_string()));
    Ok(())
}

/// A program to be started by the client: it writes its own arguments to one file, and what it
/// was handed to another.
#[given(regex = r"^a program that tells its arguments and its (\w+)$")]
async fn program(world: &mut ClientWorld, variable: String) -> Result<(), Fault> {
    let outcome = world.home().map(|home| {
        let at = |name: &str| home.join(name).display().to_string();
        let script = format!(
            "tr '\\000' ' ' < /proc/$$/cmdline > '{}'; printenv {variable} > '{}'; true",
            at("arguments"),
            at("handed"),
        );
        json!(["sh", "-c", script, "program"])
    });
    let command = world.note(outcome)?;
    world.names.set("command", command);
    Ok(())
}

/// A file that proves an entry of an audit log, a decision or that it is safe to revoke, or fails
/// to, out of the published vectors.
#[given(regex = r"^the file of the vector (\S+)$")]
async fn vector(world: &mut ClientWorld, id: String) -> Result<(), Fault> {
    let outcome = proof(world, &id);
    world.note(outcome)
}

fn proof(world: &mut ClientWorld, id: &str) -> Result<(), Fault> {
    for path in [
        "audit/bundle.json",
        "approval/record.json",
        "rotation/statement.json",
    ] {
        let file = clp_test_vectors::load(path).map_err(|fault| Fault::suite(fault.to_string()))?;
        let Some(vector) = file.vectors.into_iter().find(|one| one.id == id) else {
            continue;
        };
        let of = |name: &str| vector.input.get(name).cloned().unwrap_or_default();
        // What is given as text is the whole of its file, since its spelling counts.
        let content = match (of("record"), of("statement")) {
            (Value::String(text), _) | (_, Value::String(text)) => text,
            _ => of("bundle").to_string(),
        };
        let path = world.path("proof.json")?;
        std::fs::write(&path, content).map_err(|fault| Fault::suite(fault.to_string()))?;
        world.names.set("file", json!(path.display().to_string()));
        for name in ["public_key", "keys", "at"] {
            world.names.set(name, of(name));
        }
        return Ok(());
    }
    Err(Fault::suite(format!("no vector is called `{id}`")))
}

#[then(regex = r"^it (does so|refuses|was stopped there)$")]
async fn ended(world: &mut ClientWorld, how: String) -> Result<(), Fault> {
    let outcome = match how.as_str() {
        "does so" => done(world),
        "refuses" => as_ended(world, "refused: exit status 3", |ending| {
            *ending == Ending::Refused
        }),
        _ => as_ended(
            world,
            "the call at which the issuer goes silent",
            |ending| *ending == Ending::Stopped,
        ),
    };
    world.note(outcome)
}

fn done(world: &ClientWorld) -> Result<(), Fault> {
    as_ended(world, "done: exit status 0 with a result", |ending| {
        matches!(ending, Ending::Done(_))
    })?;
    called(world)
}

/// What the issuer has to have answered before a task can be done. A task that can be done
/// without a call is judged by its result and by files.
fn needed(task: &str) -> &'static [&'static str] {
    match task {
        "discover" => &["manifest_read"],
        "permissions" => &["permission_document_read"],
        "create" => &["credential_create", "delivery_read"],
        "call" => &[RESOURCE],
        "request" => &["request_open"],
        "show" => &["request_read"],
        "approve" => &["approval_submit"],
        "amend" => &["credential_amend"],
        "due" => &["credential_list"],
        "rotate" | "narrow" => &["rotation_open"],
        "inject" => &["installation_put"],
        "inventory" => &["credential_read"],
        "handoff" => &["credential_list"],
        "checkpoint" => &["audit_checkpoint"],
        _ => &[],
    }
}

/// Nobody is believed who says that a task was done: the wire has to have seen it.
fn called(world: &ClientWorld) -> Result<(), Fault> {
    let (Some(asked), Some(seen)) = (&world.asked, &world.seen) else {
        return Err(Fault::suite("no task was given yet"));
    };
    let all = world.since()?;
    for endpoint in needed(&asked.task) {
        let answered = all.iter().any(|one| {
            one.endpoint == *endpoint && one.sent.as_ref().is_some_and(|sent| sent.status < 300)
        });
        if !answered {
            return Err(Fault::missing(
                format!(
                    "a {endpoint} that was answered, for the task `{}`",
                    asked.task
                ),
                "none, and exit status 0",
            ));
        }
    }
    if let ("create", Ending::Done(result)) = (asked.task.as_str(), &seen.ending) {
        let minted = world.names.text("{minted.id}")?;
        let stated = result.get("credential_id").cloned().unwrap_or_default();
        if stated.as_str() != Some(minted.as_str()) {
            return Err(Fault::missing(
                format!("`credential_id` {minted} in the result"),
                stated.to_string(),
            ));
        }
    }
    Ok(())
}

fn as_ended(
    world: &ClientWorld,
    expected: &str,
    holds: impl Fn(&Ending) -> bool,
) -> Result<(), Fault> {
    let (Some(asked), Some(seen)) = (&world.asked, &world.seen) else {
        return Err(Fault::suite("no task was given yet"));
    };
    if holds(&seen.ending) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&seen.stderr);
    let got = match &seen.ending {
        Ending::Done(result) => format!("done: {result}"),
        Ending::Refused => format!("refused: {}", said.trim()),
        Ending::Unsupported => "not supported: exit status 4".to_owned(),
        Ending::Stopped => "a call at which the issuer went silent".to_owned(),
        Ending::Late => "nothing in time; it was killed".to_owned(),
        Ending::Failed(why) => format!("{why}: {}", said.trim()),
    };
    Err(Fault::missing(
        format!("the task `{}` {expected}", asked.task),
        got,
    ))
}
