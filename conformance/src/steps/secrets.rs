//! Keys: their form, and what they open.

use cucumber::{given, then};
use regex::Regex;
use serde_json::{Value, json};

use crate::oracle::jose::Pair;
use crate::oracle::{key, webhook};
use crate::world::names::at;
use crate::world::{Fault, World};

#[then(regex = r"^the (key|token) of (\w+) (opens|does not open) the (read|write) probe$")]
async fn opens(
    world: &mut World,
    what: String,
    name: String,
    verb: String,
    probe: String,
) -> Result<(), Fault> {
    if verb != "opens" {
        let wait = world.propagation();
        tokio::time::sleep(world.note(wait)?).await;
    }
    let actor = format!("the {what} of {name}");
    let outcome = world
        .try_probe(&actor, &probe, Vec::new())
        .await
        .and_then(|status| {
            let open = (200..300).contains(&status);
            if open == (verb == "opens") {
                return Ok(());
            }
            Err(Fault::missing(
                format!("a {what} that {verb} the {probe} probe"),
                status.to_string(),
            ))
        });
    world.note(outcome)
}

#[then(regex = r"^the key of (\w+) has the published form$")]
async fn form(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = check_form(world, &name);
    world.note(outcome)
}

fn check_form(world: &World, name: &str) -> Result<(), Fault> {
    let credential = world.names.resolve(name)?;
    let text = |path: &str| {
        at(&credential, path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let secret = world
        .keys
        .get(text("id"))
        .ok_or_else(|| Fault::suite(format!("the key of {name} was not delivered")))?;
    match text("type") {
        "webhook_secret" => webhook::key(secret)
            .map(|_| ())
            .map_err(|fault| Fault::broken("CLP-WHK-001", "a webhook secret", fault.to_string())),
        "service_account" => check_pair(&credential, secret),
        _ => check_key(world, secret, text("key_id")),
    }
}

/// The private JWK is that of the public one in the record.
fn check_pair(credential: &Value, text: &str) -> Result<(), Fault> {
    let broken = |got: String| {
        Fault::broken(
            "CLP-OAU-015",
            "the private JWK of the credential's `public_jwk`",
            got,
        )
    };
    let jwk: Value = serde_json::from_str(text).map_err(|_| broken("no JSON".to_owned()))?;
    let pair = Pair::from_jwk(&jwk).map_err(|fault| broken(fault.to_string()))?;
    let stated = at(credential, "public_jwk").unwrap_or(&Value::Null);
    if *stated != pair.jwk() {
        return Err(broken(stated.to_string()));
    }
    let thumbprint = pair
        .thumbprint()
        .map_err(|fault| broken(fault.to_string()))?;
    if at(credential, "key_id") == Some(&json!(thumbprint)) {
        Ok(())
    } else {
        Err(broken("another thumbprint as `key_id`".to_owned()))
    }
}

fn check_key(world: &World, key: &str, stated: &str) -> Result<(), Fault> {
    let key_id = key::key_id(key).map_err(|fault| {
        Fault::broken(
            "CLP-CRE-018",
            "a key of the form in chapter 13",
            fault.to_string(),
        )
    })?;
    if stated != key_id {
        return Err(Fault::broken(
            "CLP-CRE-019",
            format!("`key_id`: \"{key_id}\""),
            stated,
        ));
    }
    let Some(formats) = world
        .manifest()?
        .get("token_formats")
        .and_then(Value::as_array)
    else {
        return Ok(());
    };
    let fits = formats.iter().any(|format| {
        let member = |name| format.get(name).and_then(Value::as_str).unwrap_or_default();
        key.starts_with(&format!("{}_", member("prefix")))
            && Regex::new(&format!("^(?:{})$", member("pattern")))
                .is_ok_and(|pattern| pattern.is_match(key))
    });
    if fits {
        Ok(())
    } else {
        Err(Fault::missing(
            "a key of a published format",
            "one of another",
        ))
    }
}

#[given(regex = r"^a (forged|mistyped) key called (\w+) with the id of (\w+)$")]
async fn wrong_key(world: &mut World, how: String, name: String, of: String) -> Result<(), Fault> {
    let outcome = world.names.text(&format!("{{{of}.id}}")).and_then(|id| {
        let key = world
            .keys
            .get(&id)
            .ok_or_else(|| Fault::suite(format!("the key of {of} was not delivered")))?;
        if how == "forged" {
            key::forged(key).map_err(|fault| {
                Fault::broken(
                    "CLP-CRE-018",
                    "a key of the form in chapter 13",
                    fault.to_string(),
                )
            })
        } else {
            Ok(key::mistyped(key))
        }
    });
    let key = world.note(outcome)?;
    world.names.set(name, json!(key));
    Ok(())
}

#[then(regex = r"^the keys of (\w+) and (\w+) differ$")]
async fn differ(world: &mut World, one: String, other: String) -> Result<(), Fault> {
    let key = |name: &str| {
        let id = world.names.text(&format!("{{{name}.id}}"))?;
        world
            .keys
            .get(&id)
            .cloned()
            .ok_or_else(|| Fault::suite(format!("the key of {name} was not delivered")))
    };
    let outcome = key(&one).and_then(|first| {
        if first == key(&other)? {
            return Err(Fault::missing("two different keys", "the same key twice"));
        }
        Ok(())
    });
    world.note(outcome)
}
