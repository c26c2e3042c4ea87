//! What a caller adds before it sends: the precondition by which it decided, the way in which
//! an OAuth client authenticates, the proof that goes with a bound key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clp_schemas::endpoint::{EndpointId, Precondition};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::call::{Actor, Call, Payload, Place, row};
use super::names::at;
use super::{Fault, World};
use crate::oracle::{Unsound, jose, key};

/// The grant type of RFC 7523 section 2.1.
const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The client assertion type of RFC 7523 section 2.2.
const JWT_CLIENT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn made<T>(outcome: Result<T, Unsound>) -> Result<T, Fault> {
    outcome.map_err(|fault| Fault::suite(fault.to_string()))
}

impl World {
    /// Puts in place what the scenario leaves to the caller. Done once: what is sent again is
    /// sent as it was.
    ///
    /// # Errors
    /// Where the scenario asks for what is not there.
    pub async fn dress(&mut self, call: &mut Call) -> Result<(), Fault> {
        if call.dressed {
            return Ok(());
        }
        call.dressed = true;
        self.choose_precondition(call).await?;
        match call.row().map(|row| row.id) {
            Some(EndpointId::TokenIssue) => self.authenticate(call),
            None => self.prove(call),
            Some(_) => Ok(()),
        }
    }

    /// The tag of the object as it is now, read by who is about to change it, where they see it.
    async fn choose_precondition(&mut self, call: &mut Call) -> Result<(), Fault> {
        let Some(row) = call.row() else {
            return Ok(());
        };
        let needed = matches!(
            row.precondition,
            Precondition::IfMatch | Precondition::IfMatchOrNew
        );
        if !needed || call.owns("if-match") || call.owns("if-none-match") {
            return Ok(());
        }
        let mut actors = vec![call.actor.clone()];
        actors.push(Actor::Person("Ana".to_owned()));
        for actor in actors {
            if let Some(tag) = self.tag_of(call, actor).await? {
                call.headers.push(("If-Match".to_owned(), tag));
                return Ok(());
            }
        }
        let (name, value) = match row.precondition {
            Precondition::IfMatchOrNew => ("If-None-Match", "*"),
            // What nobody sees has no tag that fits.
            _ => ("If-Match", "\"none\""),
        };
        call.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The entity tag of what a call is about to change.
    async fn tag_of(&mut self, call: &Call, actor: Actor) -> Result<Option<String>, Fault> {
        let endpoint = match call.row().map(|row| row.id) {
            Some(EndpointId::RotationAdvance | EndpointId::RotationRollback) => "rotation_read",
            Some(EndpointId::RequestAmend | EndpointId::RequestCancel) => "request_read",
            Some(EndpointId::InstallationPut | EndpointId::InstallationDelete) => {
                "installation_read"
            }
            _ => "credential_read",
        };
        let mut read = Call::of(row(endpoint)?, actor, Payload::Nothing);
        read.parameters.clone_from(&call.parameters);
        let place = call.parameters.get("installation_id").and_then(|id| {
            let credential = call.parameters.get("credential_id")?;
            self.placed.get(&(self.line(credential), id.clone()))
        });
        if let Some(credential) = place {
            // An installation is read where it is, and put where it is to be.
            read.parameters
                .insert("credential_id".to_owned(), credential.clone());
        }
        let answer = self.send(&read).await?;
        Ok((answer.got.status == 200)
            .then(|| answer.got.header("etag").map(str::to_owned))
            .flatten())
    }

    /// The first credential of the line of predecessors and successors.
    fn line(&self, credential: &str) -> String {
        let first = self.lines.get(credential).cloned();
        first.unwrap_or_else(|| credential.to_owned())
    }

    /// Whether the caller holds a bound key, which is sent with a proof.
    #[must_use]
    pub fn is_bound(&self, actor: &Actor) -> bool {
        matches!(actor, Actor::Key(_))
            && self
                .holder(actor)
                .is_ok_and(|holder| self.ring.is_bound(&holder))
    }

    /// The id of the credential that a key or token is of.
    fn holder(&self, actor: &Actor) -> Result<String, Fault> {
        match actor {
            Actor::Key(Some(name)) | Actor::Token(Some(name)) => {
                self.names.text(&format!("{{{name}.id}}"))
            }
            Actor::Key(None) => Ok(self.newest_key.clone().unwrap_or_default()),
            Actor::Token(None) => Ok(self.newest_token.clone().unwrap_or_default()),
            _ => Ok(String::new()),
        }
    }

    /// Lets an OAuth client authenticate, as the scenario says or as its type has it.
    fn authenticate(&mut self, call: &mut Call) -> Result<(), Fault> {
        let client = self.holder(&call.actor)?;
        let own_key = self.ring.signs(&client);
        let usual = match (&call.actor, own_key) {
            (Actor::Key(_), true) => "grant",
            (Actor::Key(_), false) => "basic",
            _ => "none",
        };
        let words = call.authentication.clone().unwrap_or(usual.to_owned());
        let (way, flaw) = words.split_once(" with ").unwrap_or((&words, ""));
        let secret = |world: &Self| {
            world
                .keys
                .get(&client)
                .cloned()
                .ok_or_else(|| Fault::suite("that client has no secret"))
        };
        match way {
            "none" => Ok(()),
            "basic" => {
                let secret = secret(self)?;
                basic(call, &client, &secret);
                Ok(())
            }
            "post" => {
                let secret = secret(self)?;
                add(call, &[("client_id", &client), ("client_secret", &secret)])
            }
            "both ways" => {
                let secret = secret(self)?;
                basic(call, &client, &secret);
                add(call, &[("client_id", &client), ("client_secret", &secret)])
            }
            "a forged secret" => {
                let forged = made(key::forged(&secret(self)?))?;
                basic(call, &client, &forged);
                Ok(())
            }
            "grant" => {
                let assertion = self.assertion(&client, flaw)?;
                call.form_mut()?.retain(|(name, _)| name != "grant_type");
                add(
                    call,
                    &[("grant_type", JWT_GRANT), ("assertion", &assertion)],
                )
            }
            "client assertion" => {
                let assertion = self.assertion(&client, flaw)?;
                let kind = ("client_assertion_type", JWT_CLIENT);
                add(call, &[kind, ("client_assertion", &assertion)])
            }
            other => match other.strip_prefix("the key of ") {
                // The secret of another, under this one's name.
                Some(name) => {
                    let other = self.holder(&Actor::Key(Some(name.to_owned())))?;
                    let secret = self.keys.get(&other).cloned().unwrap_or_default();
                    basic(call, &client, &secret);
                    Ok(())
                }
                None => Err(Fault::suite(format!("nobody authenticates by {other}"))),
            },
        }
    }

    fn assertion(&mut self, client: &str, flaw: &str) -> Result<String, Fault> {
        if flaw == "what was sent before" {
            return self
                .sent_assertion
                .clone()
                .ok_or_else(|| Fault::suite("no assertion was sent before"));
        }
        let endpoint = self.tenant()?.endpoint.to_string();
        let audience = format!("{}/oauth/token", endpoint.trim_end_matches('/'));
        let now = self.tenant()?.unix();
        let pair = self.ring.signer(client)?;
        let made = made(jose::assertion(pair, client, &audience, now, flaw))?;
        self.sent_assertion = Some(made.clone());
        Ok(made)
    }

    /// Lets the holder of a bound key prove that it holds the pair too.
    fn prove(&mut self, call: &mut Call) -> Result<(), Fault> {
        let holder = self.holder(&call.actor)?;
        let bound = self.is_bound(&call.actor);
        if call.owns("authorization") || !(bound || call.proof.is_some()) {
            return Ok(());
        }
        let token = self.token(&call.actor)?.unwrap_or_default();
        let words = call.proof.clone().unwrap_or_default();
        if words == "none, as a bearer" {
            return Ok(());
        }
        let header = ("Authorization".to_owned(), format!("DPoP {token}"));
        call.headers.push(header);
        let proof = match words.as_str() {
            "none" => return Ok(()),
            "sent before" => self
                .sent_proof
                .clone()
                .ok_or_else(|| Fault::suite("no proof was sent before"))?,
            flaw => {
                let Place::Probe { .. } = call.place else {
                    return Ok(());
                };
                let mut url = self.url(call)?;
                url.set_query(None);
                let called = jose::Called {
                    method: &call.method,
                    url: url.as_str(),
                    token: &token,
                    now: self.tenant()?.unix(),
                };
                made(jose::proof(self.ring.binding(&holder)?, called, flaw))?
            }
        };
        self.sent_proof = Some(proof.clone());
        call.headers.push(("DPoP".to_owned(), proof));
        Ok(())
    }

    /// What this answer says of credentials: which pair a credential is bound to or
    /// signs with, which line it is of, where an installation is.
    pub fn adopt(&mut self, id: EndpointId, value: &Value) {
        let text = |path: &str| at(value, path).and_then(Value::as_str);
        match id {
            EndpointId::FaultsPut => self.faulty = true,
            EndpointId::CredentialCreate => self.ring.adopt(value),
            EndpointId::RotationOpen => {
                if let Some(successor) = value.get("credential") {
                    self.ring.adopt(successor);
                }
                if let (Some(old), Some(new)) = (text("predecessor"), text("successor")) {
                    self.lines.insert(new.to_owned(), self.line(old));
                }
            }
            EndpointId::InstallationPut => {
                if let (Some(id), Some(credential)) = (text("id"), text("credential_id")) {
                    let place = (self.line(credential), id.to_owned());
                    self.placed.insert(place, credential.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// `client_secret_basic` (RFC 6749 section 2.3.1): both halves form-encoded, then base64.
fn basic(call: &mut Call, client: &str, secret: &str) {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client), encoded(secret));
    let value = format!("Basic {}", STANDARD.encode(pair));
    call.headers.push(("Authorization".to_owned(), value));
}

/// Adds fields to the form, but for those that the scenario has set itself.
fn add(call: &mut Call, fields: &[(&str, &str)]) -> Result<(), Fault> {
    let form = call.form_mut()?;
    for (name, value) in fields {
        if !form.iter().any(|(have, _)| have == name) {
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    Ok(())
}
