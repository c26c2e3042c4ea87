//! Deciding with a passkey, rightly and wrongly.

use cucumber::{given, then, when};
use serde_json::{Value, json};
use url::Url;

use super::act::plain;
use crate::oracle::digest;
use crate::oracle::identity::Asked;
use crate::oracle::passkey::Flaw;
use crate::oracle::record;
use crate::world::names::at;
use crate::world::{Fault, World};

fn text(value: &Value, member: &str) -> Result<String, Fault> {
    at(value, member)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Fault::missing(format!("`{member}`"), "nothing"))
}

fn computed<T>(outcome: Result<T, crate::oracle::Unsound>) -> Result<T, Fault> {
    outcome.map_err(|fault| Fault::missing("something that can be computed", fault.to_string()))
}

#[given(
    regex = r"^(\w+) signs (a|the same) challenge for (\w+)(?: again)?(?: to (approve|deny))?(?: by (oidc|sso|oauth))?(?: with (.+))?$"
)]
async fn sign(
    world: &mut World,
    person: String,
    which: String,
    name: String,
    decision: String,
    method: String,
    flaw: String,
) -> Result<(), Fault> {
    let outcome = async {
        let decision = if decision.is_empty() {
            "approve"
        } else {
            &decision
        };
        if which == "a" {
            let mut open = plain(&person, "challenge_open", &name);
            open.changes = vec![("decision".to_owned(), format!("\"{decision}\""))];
            world.must(&open).await?;
        }
        if method.is_empty() {
            answer_challenge(world, &person, &name, &flaw)
        } else {
            answer_by_provider(world, &person, &method, &flaw)
        }
    }
    .await;
    world.note(outcome)
}

/// Has the provider of somebody sign the newest challenge, whose bytes are computed here.
fn answer_by_provider(
    world: &mut World,
    person: &str,
    method: &str,
    flaw: &str,
) -> Result<(), Fault> {
    let challenge = world.names.resolve("challenge")?;
    let issuer = world.names.resolve("issuer")?;
    let bytes = signed_bytes(&challenge, "")?;
    let asked = Asked {
        challenge: &bytes,
        about: &challenge,
        place: issuer.as_str().unwrap_or_default(),
        now: world.tenant()?.unix(),
    };
    let provider = world
        .providers
        .get(person)
        .ok_or_else(|| Fault::suite(format!("{person} has no identity provider")))?;
    let evidence = match method {
        "oauth" => json!({"introspection": computed(provider.introspection(asked, flaw))?}),
        _ => json!({"id_token": computed(provider.id_token(asked, flaw))?}),
    };
    world.names.set("evidence", evidence);
    world.names.set("method", json!(method));
    Ok(())
}

/// Signs the newest challenge. What is signed is computed here, never taken from the answer.
fn answer_challenge(world: &mut World, person: &str, name: &str, words: &str) -> Result<(), Fault> {
    let challenge = world.names.resolve("challenge")?;
    let request = world.names.resolve(name)?;
    let owner = words
        .strip_prefix("the passkey of ")
        .unwrap_or(person)
        .to_owned();
    let flaw = match words {
        "" | "the other decision" | "another nonce" | "another request" => None,
        words if words.starts_with("the passkey of ") => None,
        words => Some(
            Flaw::ALL
                .iter()
                .find(|(_, name)| *name == words)
                .map(|(flaw, _)| *flaw)
                .ok_or_else(|| Fault::suite(format!("an assertion has no flaw `{words}`")))?,
        ),
    };
    let signed = signed_bytes(&challenge, words)?;
    let party = text(&challenge, "relying_party_id")?;
    let page = text(&request, "approval_uri")?;
    let origin = Url::parse(&page)
        .map_err(|_| Fault::missing("`approval_uri` as a URL", page.clone()))?
        .origin()
        .ascii_serialization();
    let passkey = world
        .passkeys
        .get_mut(&owner)
        .ok_or_else(|| Fault::suite(format!("{owner} has no passkey")))?;
    let evidence = computed(passkey.assert(&signed, &party, &origin, flaw))?;
    let method = passkey.method();
    world.names.set("evidence", evidence);
    world.names.set("method", json!(method));
    Ok(())
}

fn signed_bytes(challenge: &Value, wrong: &str) -> Result<String, Fault> {
    let mut digest = text(challenge, "digest")?;
    let mut nonce = text(challenge, "nonce")?;
    let mut decision = text(challenge, "decision")?;
    match wrong {
        "the other decision" => {
            decision = if decision == "approve" {
                "deny"
            } else {
                "approve"
            }
            .to_owned();
        }
        "another nonce" => nonce = digest::base64url(&digest::sha256(nonce.as_bytes())),
        "another request" => digest = digest::base64url(&digest::sha256(digest.as_bytes())),
        _ => {}
    }
    computed(digest::challenge(
        &digest,
        &nonce,
        &decision,
        &text(challenge, "approver")?,
    ))
}

#[given(regex = r"^(\w+|the operator) (approves|denies) (\w+)$")]
#[when(regex = r"^(\w+|the operator) (approves|denies) (\w+)$")]
async fn decide(
    world: &mut World,
    person: String,
    what: String,
    name: String,
) -> Result<(), Fault> {
    let outcome = async {
        let decision = if what == "denies" { "deny" } else { "approve" };
        if world.passkeys.contains_key(&person) {
            let mut open = plain(&person, "challenge_open", &name);
            open.changes = vec![("decision".to_owned(), format!("\"{decision}\""))];
            world.must(&open).await?;
            answer_challenge(world, &person, &name, "")?;
            return world.must(&plain(&person, "approval_submit", &name)).await;
        }
        let mut decide = plain("the operator", "control_approve", "");
        decide.changes = vec![
            ("request_id".to_owned(), format!("{{{name}.id}}")),
            ("decision".to_owned(), format!("\"{decision}\"")),
        ];
        if person != "the operator" {
            decide.changes.push((
                "approver".to_owned(),
                format!("{{{}.id}}", person.to_lowercase()),
            ));
        }
        world.must(&decide).await
    }
    .await;
    world.note(outcome).map(|_| ())
}

#[then(regex = r"^the digest of (\w+) is that of its approval document$")]
async fn digest_is_right(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = check_digest(world, &name);
    world.note(outcome)
}

/// Who asked and for whom, as the document says: whoever asked is the first of them.
fn actors(request: &Value) -> Result<Value, Fault> {
    let stated = at(request, "approval_document.actors").cloned();
    let stated = stated.unwrap_or_default();
    if at(&stated, "0.principal") == at(request, "requester") {
        return Ok(stated);
    }
    Err(Fault::broken(
        "CLP-REQ-014",
        "`actors` in the approval document, the requester first",
        stated.to_string(),
    ))
}

fn check_digest(world: &World, name: &str) -> Result<(), Fault> {
    let request = world.names.resolve(name)?;
    let mut body = at(&request, "submitted").cloned().unwrap_or_default();
    // Only these can be others, and only once an approver has agreed to less.
    if at(&request, "version").and_then(Value::as_u64) > Some(1)
        && let Some(members) = body.as_object_mut()
    {
        for member in ["permissions", "lifetime_seconds", "rotation_policy"] {
            let agreed = at(&request, "approval_document.request").and_then(|all| at(all, member));
            if let Some(agreed) = agreed {
                members.insert(member.to_owned(), agreed.clone());
            }
        }
    }
    let document = json!({
        "clp": "1.0",
        "issuer": world.names.resolve("issuer")?,
        "request_id": at(&request, "id"),
        "version": at(&request, "version"),
        "requester": at(&request, "requester"),
        "actors": actors(&request)?,
        "permission_schema_digest": at(&request, "approval_document.permission_schema_digest"),
        "request": body,
    });
    let stated = at(&request, "approval_document")
        .cloned()
        .unwrap_or_default();
    if at(&stated, "permission_schema_digest").is_none() {
        return Err(Fault::broken(
            "CLP-REQ-013",
            "`approval_document` with `permission_schema_digest`",
            stated.to_string(),
        ));
    }
    if stated != document {
        return Err(Fault::missing(document.to_string(), stated.to_string()));
    }
    let wanted = computed(digest::of_request(&document))?;
    let got = text(&request, "digest")?;
    if got == wanted {
        Ok(())
    } else {
        Err(Fault::broken("CLP-REQ-005", wanted, got))
    }
}

#[then(regex = r"^the (challenge is that of its parts|record proves the decision)$")]
async fn challenge_is_right(world: &mut World, what: String) -> Result<(), Fault> {
    if what.starts_with("record") {
        let outcome = world.names.resolve("answer").and_then(|record| {
            let wanted = "a record from which the decision can be computed";
            record::check(&record)
                .map_err(|fault| Fault::broken("CLP-APP-102", wanted, fault.to_string()))
        });
        return world.note(outcome);
    }
    let outcome = world.names.resolve("challenge").and_then(|challenge| {
        let nonce = computed(digest::from_base64url(&text(&challenge, "nonce")?))?;
        if nonce.len() != 32 {
            return Err(Fault::broken(
                "CLP-APP-005",
                "a nonce of 32 bytes",
                format!("{} bytes", nonce.len()),
            ));
        }
        let wanted = signed_bytes(&challenge, "")?;
        let got = text(&challenge, "challenge")?;
        if got == wanted {
            Ok(())
        } else {
            Err(Fault::broken("CLP-APP-006", wanted, got))
        }
    });
    world.note(outcome)
}

#[then(regex = r"^the consent of (\w+) has none of the requester's words$")]
async fn no_words(world: &mut World, name: String) -> Result<(), Fault> {
    let outcome = world
        .names
        .resolve(&format!("{name}.consent"))
        .and_then(|consent| {
            let lines = consent.as_array().map(Vec::len).unwrap_or_default();
            if lines == 0 {
                return Err(Fault::missing("lines of consent", "none"));
            }
            if consent.to_string().contains(&world.mark) {
                return Err(Fault::missing(
                    "consent without the requester's words",
                    consent.to_string(),
                ));
            }
            Ok(())
        });
    world.note(outcome)
}
