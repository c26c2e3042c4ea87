//! How a call ended, and what was answered.

use cucumber::gherkin::Step;
use cucumber::{given, then};
use regex::Regex;
use serde_json::{Value, json};

use super::act::plain;
use super::{expect, rows};
use crate::world::baseline::Kind;
use crate::world::call::{Call, Place};
use crate::world::names::at;
use crate::world::{Answer, Fault, World};

/// The last call and its answer.
///
/// # Errors
/// Where there is none.
pub fn last(world: &World) -> Result<(&Call, &Answer), Fault> {
    world
        .last
        .as_ref()
        .map(|(call, answer)| (call, answer))
        .ok_or_else(|| Fault::suite("nothing was called yet"))
}

/// The JSON of the last answer.
///
/// # Errors
/// Where there is none.
pub fn body(world: &World) -> Result<&Value, Fault> {
    let (call, answer) = last(world)?;
    answer.json.as_ref().ok_or_else(|| {
        Fault::missing(
            format!("JSON from {}", call.name()),
            answer.got.status.to_string(),
        )
    })
}

#[then(regex = r"^it is (accepted|served|lost)$")]
async fn accepted(world: &mut World, how: String) -> Result<(), Fault> {
    let outcome = last(world).and_then(|(call, answer)| {
        // A page can lead to where people sign in.
        let most = match call.place {
            Place::Page { .. } => 400,
            _ => 300,
        };
        let served = (200..most).contains(&answer.got.status);
        match (&answer.kind, how.as_str()) {
            (Kind::Accepted, "accepted") | (Kind::Lost, "lost") => Ok(()),
            (_, "lost") => Err(Fault::missing(
                format!("no answer to {}", call.name()),
                answer.got.status.to_string(),
            )),
            (Kind::Lost, _) => Err(Fault::missing(
                format!("an answer to {}", call.name()),
                "none that is whole",
            )),
            (Kind::Foreign, "served") if served => Ok(()),
            (Kind::Refused(problem), "accepted") => Err(Fault::missing(
                format!("{} accepted", call.name()),
                format!("{} {problem}", answer.got.status),
            )),
            (Kind::Foreign, "served") => Err(Fault::missing(
                format!("{} served", call.name()),
                answer.got.status.to_string(),
            )),
            _ => Err(Fault::suite("a probe is served, all else is accepted")),
        }
    });
    world.note(outcome)
}

#[then(regex = r"^it is refused as (\S+)$")]
async fn refused(world: &mut World, problem: String) -> Result<(), Fault> {
    let outcome = last(world).and_then(|(call, answer)| match &answer.kind {
        Kind::Refused(name) if *name == problem => Ok(()),
        Kind::Refused(name) => Err(Fault::missing(
            format!("{} refused as {problem}", call.name()),
            format!("{} {name}", answer.got.status),
        )),
        _ => Err(Fault::missing(
            format!("{} refused as {problem}", call.name()),
            format!("{}, accepted", answer.got.status),
        )),
    });
    world.note(outcome)
}

#[then(regex = r"^it is refused with (400|401|403) and (\w+)$")]
async fn refused_with(world: &mut World, status: u16, code: String) -> Result<(), Fault> {
    let outcome = last(world).and_then(|(call, answer)| {
        let got = match (&answer.kind, call.row()) {
            // An error of OAuth stands in the body.
            (Kind::Refused(got), Some(_)) => got.clone(),
            _ => challenge(world, call, answer, &code),
        };
        if answer.got.status == status && got == code {
            return Ok(());
        }
        Err(Fault::missing(
            format!("{} refused with {status} and {code}", call.name()),
            format!("{} and {got}", answer.got.status),
        ))
    });
    world.note(outcome)
}

/// The error code in the challenge of a resource, or every challenge where none has that code
/// in the scheme that the key has to be sent with.
fn challenge(world: &World, call: &Call, answer: &Answer, code: &str) -> String {
    let wanted = if world.is_bound(&call.actor) {
        "dpop"
    } else {
        "bearer"
    };
    let challenges: Vec<&str> = answer
        .got
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    let found = challenges.iter().find_map(|value| error_in(wanted, value));
    if found.is_some_and(|found| code == "any_code" || found == code) {
        code.to_owned()
    } else if challenges.is_empty() {
        "no challenge".to_owned()
    } else {
        format!("`{}`", challenges.join("`, `"))
    }
}

/// The error code of the challenge of a scheme, `bearer` or `dpop`, in a field (RFC 6750 section
/// 3, RFC 9449 section 7.1), which can stand beside other challenges and be a token or a quoted
/// string; empty without a code.
fn error_in(scheme: &str, field: &str) -> Option<String> {
    let challenge = Regex::new(&format!(r"(?i)(?:^|,)\s*{scheme}(?:\s+(.*))?$")).ok()?;
    let error = Regex::new(r#"(?i)(?:^|[\s,])error\s*=\s*"?([a-z_]+)"?"#).ok()?;
    let parameters = challenge
        .captures(field)?
        .get(1)
        .map_or("", |found| found.as_str());
    let code = error.captures(parameters).and_then(|found| found.get(1));
    Some(code.map_or_else(String::new, |code| code.as_str().to_owned()))
}

#[then(regex = r"^the problem points at (\S+)$")]
async fn points(world: &mut World, pointer: String) -> Result<(), Fault> {
    let outcome = body(world).and_then(|problem| {
        let got = problem.get("pointer").unwrap_or(&Value::Null);
        if *got == json!(pointer) {
            Ok(())
        } else {
            Err(Fault::broken(
                "CLP-ERR-005",
                format!("`pointer`: \"{pointer}\""),
                got.to_string(),
            ))
        }
    });
    world.note(outcome)
}

#[then("the answer has:")]
async fn answer_has(world: &mut World, step: &Step) -> Result<(), Fault> {
    let outcome = rows(step).and_then(|rows| expect::table(body(world)?, &rows, &world.names));
    world.note(outcome)
}

#[then("an item of the answer has:")]
async fn item_has(world: &mut World, step: &Step) -> Result<(), Fault> {
    let outcome = rows(step).and_then(|rows| {
        let items = body(world)?.get("items").and_then(Value::as_array);
        let items = items.ok_or_else(|| Fault::missing("`items`", "an answer without them"))?;
        for item in items {
            match expect::table(item, &rows, &world.names) {
                Ok(()) => return Ok(()),
                Err(Fault::Broken(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::missing(
            format!("an item with {}", expect::sentence(&rows, &world.names)),
            format!("{} items, none of them so", items.len()),
        ))
    });
    world.note(outcome)
}

#[then("the answer has the headers:")]
async fn headers(world: &mut World, step: &Step) -> Result<(), Fault> {
    let outcome = rows(step).and_then(|rows| {
        let (_, answer) = last(world)?;
        rows.iter().try_for_each(|(name, cell)| {
            let value = match name.as_str() {
                ":status" => Some(json!(answer.got.status.to_string())),
                ":bytes" => Some(json!(answer.got.body.len().to_string())),
                ":millis" => world.millis().map(|millis| json!(millis.to_string())),
                name => answer
                    .got
                    .header(&name.to_ascii_lowercase())
                    .map(|value| json!(value)),
            };
            expect::holds(name, cell, value.as_ref(), &world.names)
        })
    });
    world.note(outcome)
}

#[then(regex = r"^the answer repeats everything that was sent(?: but ([a-z_, ]+))?$")]
async fn repeats(world: &mut World, but: String) -> Result<(), Fault> {
    let outcome = body(world).and_then(|answer| {
        let sent = world.names.resolve("sent")?;
        let except: Vec<&str> = but.split(", ").collect();
        for (name, value) in sent.as_object().into_iter().flatten() {
            if !except.contains(&name.as_str()) && answer.get(name) != Some(value) {
                let got = answer
                    .get(name)
                    .map_or_else(|| "nothing".to_owned(), Value::to_string);
                return Err(Fault::missing(format!("`{name}`: {value}, as sent"), got));
            }
        }
        Ok(())
    });
    world.note(outcome)
}

#[given(regex = r"^the answer is called (\w+)$")]
#[then(regex = r"^the answer is called (\w+)$")]
async fn called(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = last(world).map(|(_, answer)| answer.clone());
    let answer = world.note(outcome)?;
    if let Some(value) = &answer.json {
        world.names.set(name.clone(), value.clone());
    }
    if let Some(tag) = answer.got.header("etag") {
        world.names.set(format!("{name}_tag"), json!(tag));
    }
    world.kept.insert(name, answer);
    Ok(())
}

#[then(regex = r"^the answer is the same as (\w+)( byte for byte)?(?: but ([a-z_, ]+))?$")]
async fn same(world: &mut World, name: String, bytes: String, but: String) -> Result<(), Fault> {
    let outcome = last(world).and_then(|(_, answer)| {
        let kept = world
            .kept
            .get(&name)
            .ok_or_else(|| Fault::suite(format!("no answer is called `{name}`")))?;
        let without = |answer: &Answer| {
            let mut json = answer.json.clone();
            for name in but.split(", ").filter(|_| !but.is_empty()) {
                if let Some(Value::Object(members)) = &mut json {
                    members.remove(name);
                }
            }
            json
        };
        let alike = if bytes.is_empty() {
            without(kept) == without(answer)
        } else {
            kept.got.body == answer.got.body
        };
        // What is alike but for a member can be the answer to another call.
        if alike && (!but.is_empty() || kept.got.status == answer.got.status) {
            return Ok(());
        }
        let (before, now) = (&kept.got, &answer.got);
        if before.status != now.status {
            return Err(Fault::missing(
                format!("{} as in {name}", before.status),
                now.status.to_string(),
            ));
        }
        if !bytes.is_empty() && kept.json.is_some() && kept.json == answer.json {
            return Err(Fault::missing(
                format!("the bytes of {name}: {}", before.text()),
                format!("the same JSON, written otherwise: {}", now.text()),
            ));
        }
        Err(Fault::missing(before.text(), now.text()))
    });
    world.note(outcome)
}

#[then(
    regex = r"^the (credential|request|rotation|installation|usage|scope analysis)(?: of)? (\w+) has:$"
)]
async fn now_has(world: &mut World, kind: String, name: String, step: &Step) -> Result<(), Fault> {
    let outcome = async {
        let endpoint = match kind.as_str() {
            "scope analysis" => "scope_analysis".to_owned(),
            kind => format!("{kind}_read"),
        };
        let value = world.must(&plain("Ana", &endpoint, &name)).await?;
        expect::table(&value, &rows(step)?, &world.names)
    }
    .await;
    world.note(outcome)
}

#[then(
    regex = r"^(every answer is accepted|one answer is accepted)(?:,? (?:or|and every other is) refused as (\S+))?$"
)]
async fn every(world: &mut World, many: String, problem: String) -> Result<(), Fault> {
    let odd = world.together.iter().find(|answer| match &answer.kind {
        Kind::Accepted => false,
        Kind::Refused(name) => *name != problem,
        Kind::Foreign | Kind::Lost => true,
    });
    let accepted = world
        .together
        .iter()
        .filter(|answer| answer.kind == Kind::Accepted)
        .count();
    let outcome = match odd {
        Some(answer) => Err(Fault::missing(
            many,
            format!("{} {}", answer.got.status, answer.got.text()),
        )),
        None if accepted == 0 => Err(Fault::missing("an accepted answer", "none")),
        None if accepted > 1 && many.starts_with("one ") => Err(Fault::missing(
            "one accepted answer",
            format!("{accepted} of them"),
        )),
        None => Ok(()),
    };
    world.note(outcome)
}

#[then(regex = r"^every accepted answer has the same (\S+)$")]
async fn every_same(world: &mut World, member: String) -> Result<(), Fault> {
    let mut values = world
        .together
        .iter()
        .filter(|answer| answer.kind == Kind::Accepted)
        .map(|answer| answer.json.as_ref().and_then(|value| at(value, &member)));
    let first = values.next().flatten();
    let alike = first.is_some() && values.all(|value| value == first);
    let outcome = if alike {
        Ok(())
    } else {
        let seen: Vec<String> = world
            .together
            .iter()
            .map(|answer| {
                let value = answer.json.as_ref().and_then(|value| at(value, &member));
                let value = value.map_or_else(|| "none".to_owned(), Value::to_string);
                format!("{} {value}", answer.got.status)
            })
            .collect();
        Err(Fault::missing(
            format!("one `{member}` in every accepted answer"),
            seen.join(", "),
        ))
    };
    world.note(outcome)
}

#[then(regex = r"^the answer does not hold (\S+)$")]
async fn silent(world: &mut World, cell: String) -> Result<(), Fault> {
    let outcome = last(world).and_then(|(_, answer)| {
        let words = world.names.text(&cell)?;
        if answer.got.everything().contains(&words) {
            return Err(Fault::missing(
                format!("an answer without `{words}`"),
                "one with it",
            ));
        }
        Ok(())
    });
    world.note(outcome)
}

#[cfg(test)]
mod tests {
    use super::error_in;

    #[test]
    fn a_challenge_is_found_in_every_lawful_spelling() {
        for field in [
            r#"Bearer error="invalid_token""#,
            r#"bearer realm="x", error_description="no", error=invalid_token"#,
            r#"Basic realm="x", Bearer error="invalid_token", scope="a""#,
        ] {
            assert_eq!(
                error_in("bearer", field).as_deref(),
                Some("invalid_token"),
                "{field}"
            );
        }
        assert_eq!(error_in("bearer", "Bearer").as_deref(), Some(""));
        assert_eq!(
            error_in("bearer", r#"Bearer error_description="error""#).as_deref(),
            Some("")
        );
        let bound = r#"DPoP error="invalid_dpop_proof", algs="EdDSA ES256""#;
        assert_eq!(
            error_in("dpop", bound).as_deref(),
            Some("invalid_dpop_proof")
        );
        assert_eq!(error_in("bearer", bound), None);
        assert_eq!(error_in("bearer", r#"Basic realm="bearer""#), None);
    }
}
