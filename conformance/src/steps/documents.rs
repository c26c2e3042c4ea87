//! Manifests and permission documents, and what can be made out of them.

use clp_schemas::ops::discover::Manifest;
use cucumber::{given, then};
use serde_json::{Value, json};

use super::act::plain;
use super::verdicts::{body, last};
use crate::oracle::{digest, document};
use crate::world::names::{at, set};
use crate::world::{Fault, World};

/// The largest integer on the wire.
const MOST: i64 = 1 << 53;
/// Longest lifetime that can be asked for, in seconds.
const LONGEST: u64 = 315_360_000;

fn listed<'a>(manifest: &'a Value, name: &str) -> Option<Vec<&'a str>> {
    let names = manifest.get(name)?.as_array()?;
    Some(names.iter().filter_map(Value::as_str).collect())
}

#[then(regex = r"^the answer is a (manifest without contradictions|sound permission document)$")]
async fn coherent(world: &mut World, what: String) -> Result<(), Fault> {
    let outcome = body(world).and_then(|answer| match what.as_str() {
        "sound permission document" => document::sound(answer).map_err(|(requirement, fault)| {
            Fault::broken(
                requirement,
                "a sound permission document",
                fault.to_string(),
            )
        }),
        _ => check_manifest(answer),
    });
    world.note(outcome)
}

fn check_manifest(manifest: &Value) -> Result<(), Fault> {
    serde_json::from_value::<Manifest>(manifest.clone())
        .map_err(|error| Fault::broken("CLP-DIS-002", "a manifest", error.to_string()))?;
    let core = ["discover", "create", "scope", "rotate", "revoke", "audit"];
    let operations = listed(manifest, "supported_operations").unwrap_or_else(|| core.to_vec());
    if let Some(gone) = core.iter().find(|name| !operations.contains(name)) {
        return Err(Fault::broken(
            "CLP-DIS-005",
            format!("`{gone}` in `supported_operations`"),
            "a list without it",
        ));
    }
    for (member, operation) in [
        ("supports_rotation", "rotate"),
        ("supports_revocation", "revoke"),
        ("supports_audit", "audit"),
    ] {
        let stated = manifest.get(member).and_then(Value::as_bool);
        if stated.is_some_and(|stated| stated != operations.contains(&operation)) {
            return Err(Fault::broken(
                "CLP-DIS-004",
                format!("`{member}` as in `supported_operations`"),
                "the contrary",
            ));
        }
    }
    Ok(())
}

#[then(regex = r"^the (?:digest of the answer is (\S+)|ETag of the answer is its digest)$")]
async fn digest_is(world: &mut World, cell: String) -> Result<(), Fault> {
    let outcome = if cell.is_empty() {
        tagged_by_digest(world)
    } else {
        has_digest(world, &cell)
    };
    world.note(outcome)
}

fn has_digest(world: &World, cell: &str) -> Result<(), Fault> {
    let wanted = world.names.text(cell)?;
    let got = computed(body(world)?)?;
    if got == wanted {
        Ok(())
    } else {
        Err(Fault::missing(wanted, got))
    }
}

fn tagged_by_digest(world: &World) -> Result<(), Fault> {
    let wanted = format!("\"{}\"", computed(body(world)?)?);
    let (_, got) = last(world)?;
    let got = got.got.header("etag").unwrap_or("no such header field");
    if got != wanted {
        // Another digest is a matter of how it is computed; none, or a weak tag, is not.
        let requirement = match got.starts_with('"') {
            true => "CLP-PRM-005",
            false => "CLP-DIS-017",
        };
        return Err(Fault::broken(requirement, format!("ETag: {wanted}"), got));
    }
    match world
        .manifest()?
        .get("permission_schema_digest")
        .and_then(Value::as_str)
    {
        Some(stated) if format!("\"{stated}\"") != wanted => Err(Fault::missing(
            format!("the manifest to state {wanted}"),
            stated,
        )),
        _ => Ok(()),
    }
}

fn computed(document: &Value) -> Result<String, Fault> {
    digest::of_document(document).map_err(|fault| Fault::missing("a digest", fault.to_string()))
}

#[then(regex = r"^the consent of (\w+) is that of the permission document$")]
async fn consent(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = async {
        let known = world
            .must(&plain("nobody", "permission_document_read", ""))
            .await?;
        let request = world.names.resolve(&name)?;
        let permissions = at(&request, "submitted.permissions")
            .cloned()
            .unwrap_or_default();
        let got = at(&request, "consent").cloned().unwrap_or_default();
        let mut wanted = Value::Null;
        for language in document::languages(&known) {
            let lines = document::consent(&known, &permissions, &language)
                .map_err(|fault| Fault::suite(fault.to_string()))?;
            wanted = json!(lines);
            if wanted == got {
                return Ok(());
            }
        }
        Err(Fault::missing(wanted.to_string(), got.to_string()))
    }
    .await;
    world.note(outcome)
}

#[then(regex = r"^the atoms of the answer are those of (\w+)$")]
async fn atoms(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = async {
        let got = body(world)?.get("atoms").cloned().unwrap_or_default();
        let permissions = world.names.resolve(&format!("{name}.permissions"))?;
        let known = world
            .must(&plain("nobody", "permission_document_read", ""))
            .await?;
        let wanted = document::atoms(&known, &permissions);
        let count = got.as_array().map(Vec::len);
        if document::stated_atoms(&got) == wanted && count == Some(wanted.len()) {
            Ok(())
        } else {
            Err(Fault::missing(format!("{wanted:?}"), got.to_string()))
        }
    }
    .await;
    world.note(outcome)
}

#[given(regex = r"^permissions called (\w+) (.+)$")]
async fn permissions(world: &mut World, name: String, which: String) -> Result<(), Fault> {
    let outcome = async {
        let known = world
            .must(&plain("nobody", "permission_document_read", ""))
            .await?;
        let reading = world.names.resolve("probe.read_permissions")?;
        match which.as_str() {
            "that imply those for reading" => implying(&known, &reading),
            "whose selector is cut within a word" => cropped(&reading),
            "that the read probe does not meet" => constrained(&known, &reading),
            "with a constraint" => bounded(&known, &reading, unmet),
            "whose constraint has a value of another kind" => bounded(&known, &reading, confused),
            "whose consent nobody can read" => endless(&known, &reading),
            other => Err(Fault::suite(format!("there are no permissions {other}"))),
        }
    }
    .await;
    let permissions = world.note(outcome)?;
    world.names.set(name, permissions);
    Ok(())
}

fn text<'a>(permissions: &'a Value, path: &str) -> &'a str {
    at(permissions, path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The permissions for reading, with an action in place of each that implies it.
fn implying(known: &Value, reading: &Value) -> Result<Value, Fault> {
    let kind = text(reading, "0.resource_type");
    let wanted = text(reading, "0.actions.0");
    let path = format!("resource_types.{kind}.actions");
    let higher = at(known, &path)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .filter(|name| document::implied(known, kind, name).contains(wanted))
        // An action that is dangerous may need an approval, which is another matter.
        .min_by_key(|name| risk(known, kind, name))
        .ok_or_else(|| {
            Fault::unfit("the permission document has no action that implies the one for reading")
        })?;
    let mut permissions = reading.clone();
    set(&mut permissions, "0.actions", json!([higher]))?;
    Ok(permissions)
}

/// The permissions for reading, below a path whose last segment lacks its last letter.
fn cropped(reading: &Value) -> Result<Value, Fault> {
    let mut path = text(reading, "0.selector")
        .trim_end_matches("/*")
        .to_owned();
    let last = path.pop();
    if last.is_none_or(|last| matches!(last, '*' | '/')) || path.is_empty() || path.ends_with('/') {
        return Err(Fault::unfit(
            "the selector of `probe.read_permissions` has no word to cut",
        ));
    }
    let mut permissions = reading.clone();
    set(&mut permissions, "0.selector", json!(format!("{path}/*")))?;
    Ok(permissions)
}

/// The permissions for reading, bound by a constraint that the probe does not meet.
fn constrained(known: &Value, reading: &Value) -> Result<Value, Fault> {
    let kind = text(reading, "0.resource_type");
    let (name, value) = constraints(known, kind)
        .find_map(|(name, kind)| Some((name, unmet(kind)?)))
        .ok_or_else(|| Fault::unfit("what the probe reads has no constraint to bind it by"))?;
    let mut statement = at(reading, "0").cloned().unwrap_or_default();
    set(&mut statement, "constraints", json!({ name: value }))?;
    Ok(json!([statement]))
}

/// A statement about any resource type that has a constraint, with the value that `value`
/// has for its kind. Of the actions, the least risky: others may need an approval.
fn bounded(
    known: &Value,
    reading: &Value,
    value: fn(&str) -> Option<Value>,
) -> Result<Value, Fault> {
    let types = known.get("resource_types").and_then(Value::as_object);
    let (kind, name, value) = types
        .into_iter()
        .flatten()
        .find_map(|(kind, _)| {
            let (name, value) =
                constraints(known, kind).find_map(|(name, kind)| Some((name, value(kind)?)))?;
            Some((kind, name, value))
        })
        .ok_or_else(|| Fault::unfit("the permission document has no constraint"))?;
    let actions = at(known, &format!("resource_types.{kind}.actions")).and_then(Value::as_object);
    let action = actions
        .into_iter()
        .flatten()
        .map(|(action, _)| action)
        .min_by_key(|action| risk(known, kind, action))
        .ok_or_else(|| Fault::unfit("the permission document has no actions"))?;
    Ok(json!([{
        "resource_type": kind,
        "selector": text(reading, "0.selector"),
        "actions": [action],
        "constraints": { name: value },
    }]))
}

fn constraints<'a>(known: &'a Value, kind: &str) -> impl Iterator<Item = (&'a String, &'a str)> {
    at(known, &format!("resource_types.{kind}.constraints"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, constraint)| Some((name, constraint.get("kind")?.as_str()?)))
}

fn risk(known: &Value, kind: &str, action: &str) -> Option<usize> {
    let path = format!("resource_types.{kind}.actions.{action}.risk");
    let risk = at(known, &path)?.as_str()?;
    ["low", "medium", "high", "critical"]
        .iter()
        .position(|level| *level == risk)
}

/// A value that no call of this suite meets: networks for documentation, numbers at the edge.
fn unmet(kind: &str) -> Option<Value> {
    match kind {
        "cidr_set" => Some(json!(["192.0.2.0/24"])),
        "max" => Some(json!(-MOST)),
        "min" => Some(json!(MOST)),
        "interval" => Some(json!({"from": MOST, "to": MOST})),
        "set" => Some(json!(["of no such thing"])),
        _ => None,
    }
}

/// A value in the form of another kind.
fn confused(kind: &str) -> Option<Value> {
    match kind {
        "max" | "min" | "interval" | "flag" => Some(json!(["10.0.0.0/8"])),
        // Of the right form, but for bits beyond the network's length.
        "cidr_set" => Some(json!(["10.0.0.1/8"])),
        "set" => Some(json!(1)),
        _ => None,
    }
}

/// As many statements as a set can have, each about long selectors, with every action.
fn endless(known: &Value, reading: &Value) -> Result<Value, Fault> {
    let types = known.get("resource_types").and_then(Value::as_object);
    let (kind, actions) = types
        .into_iter()
        .flatten()
        .filter_map(|(kind, definition)| Some((kind, definition.get("actions")?.as_object()?)))
        .max_by_key(|(_, actions)| actions.len())
        .ok_or_else(|| Fault::unfit("the permission document has no actions"))?;
    let names: Vec<&String> = actions.keys().take(64).collect();
    let base = text(reading, "0.selector")
        .trim_end_matches("/*")
        .to_owned();
    let statements: Vec<Value> = (0..100)
        .map(|number| {
            let mut selector = format!("{base}/{number:03}-");
            selector.extend(std::iter::repeat_n(
                'x',
                250_usize.saturating_sub(selector.len()),
            ));
            json!({"resource_type": kind, "selector": selector, "actions": names})
        })
        .collect();
    Ok(json!(statements))
}

#[given(regex = r"^an? (type|time|lifetime|environment) called (\w+) that .+$")]
async fn beyond(world: &mut World, what: String, name: String) -> Result<(), Fault> {
    let outcome = find_beyond(world, &what);
    let value = world.note(outcome)?;
    world.names.set(name, value);
    Ok(())
}

fn find_beyond(world: &World, what: &str) -> Result<Value, Fault> {
    let manifest = world.manifest()?;
    let longest = manifest.get("max_lifetime_seconds").and_then(Value::as_u64);
    match what {
        "type" => {
            let minted =
                listed(manifest, "supported_credential_types").unwrap_or_else(|| vec!["api_key"]);
            ["webhook_secret", "oauth_client", "service_account"]
                .into_iter()
                .find(|kind| !minted.contains(kind))
                .map(|kind| json!(kind))
                .ok_or_else(|| Fault::unfit("the issuer mints every registered type"))
        }
        "lifetime" => match longest.filter(|longest| *longest < LONGEST) {
            Some(longest) => Ok(json!(longest + 1)),
            None => Err(Fault::unfit("the issuer has no bound on lifetimes")),
        },
        "environment" => match world.names.resolve("probe.approval_environment")? {
            name if name == "production" => Ok(name),
            _ => Err(Fault::unfit(
                "no environment that the suite knows is named `production`",
            )),
        },
        _ => {
            let mut names = world.names.clone();
            names.set("now", json!(world.tenant()?.now()));
            // Without a bound, what is over is as much out of range as what never comes.
            let shift =
                longest.map_or("-3600".to_owned(), |longest| format!("+{}", longest + 3600));
            names.value(&format!("{{now{shift}}}"))
        }
    }
}
