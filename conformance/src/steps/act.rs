//! What steps are made of: building a call out of words, and calls that have to succeed.

use clp_schemas::endpoint::EndpointId;
use serde_json::{Value, json};

use crate::oracle::webhook::Event;
use crate::world::baseline::Kind;
use crate::world::call::{Actor, Call, Payload, row};
use crate::world::names::at;
use crate::world::usual::usual_body;
use crate::world::{Answer, Fault, World};

/// What the page on which a person decides is called in a step, beside the endpoints.
const PAGE: &str = "approval_page";

/// A call as the words of a step describe it. "The same call" is made from the same words.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// Who calls.
    pub actor: String,
    /// The endpoint's name, or the probe's.
    pub target: String,
    /// Whether the target is a probe.
    pub probe: bool,
    /// What it is called on, in the words of the step; empty for the newest.
    pub on: String,
    /// What is different from the usual call.
    pub changes: Vec<(String, String)>,
}

impl World {
    /// Builds the call that a recipe describes, as of now.
    ///
    /// # Errors
    /// Where the recipe makes no sense, or refers to what was not answered.
    pub fn cook(&mut self, recipe: &Recipe) -> Result<Call, Fault> {
        let now = self.tenant()?.now();
        self.names.set("now", json!(now));
        let expires = recipe.changes.iter().any(|(part, _)| part == "expires_at");
        let supported = self.manifest()?.get("supports_expiring_credentials") == Some(&json!(true));
        if expires && !supported {
            return Err(Fault::unfit("the issuer has no credentials that expire"));
        }
        let actor = Actor::read(&recipe.actor);
        let mut call = if recipe.probe {
            self.probe(&recipe.target, actor)?
        } else if recipe.target == PAGE {
            self.page(&recipe.on)?
        } else {
            let row = row(&recipe.target)?;
            Call::of(row, actor, usual_body(row.id, &self.names)?)
        };
        self.find_parameters(&mut call, &recipe.on)?;
        for (part, cell) in &recipe.changes {
            call.set(part, cell, &self.names)?;
        }
        Ok(call)
    }

    fn page(&self, on: &str) -> Result<Call, Fault> {
        let request = self
            .names
            .resolve(if on.is_empty() { "request" } else { on })?;
        let member = |name: &str| {
            at(&request, name)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| {
                    Fault::missing(format!("a request with `{name}`"), request.to_string())
                })
        };
        Ok(Call::of_page(member("approval_uri")?, member("id")?))
    }

    fn probe(&self, name: &str, actor: Actor) -> Result<Call, Fault> {
        let probe = self.names.resolve(&format!("probe.{name}"))?;
        let method = at(&probe, "method")
            .and_then(Value::as_str)
            .unwrap_or("GET");
        let payload = match at(&probe, "body") {
            Some(body) => Payload::Json(body.clone()),
            None => Payload::Nothing,
        };
        Ok(Call::of_probe(name, actor, method, payload))
    }

    /// Finds what stands for each `{parameter}` in the path: the id of an object that is named
    /// (several joined by `/`), the newest object's, or a literal in quotes.
    fn find_parameters(&self, call: &mut Call, on: &str) -> Result<(), Fault> {
        let Some(row) = call.row() else {
            return Ok(());
        };
        let names: Vec<&str> = row
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let on = if on.is_empty()
            && names.contains(&"installation_id")
            && self.names.get("installation").is_some()
        {
            "installation"
        } else {
            on
        };
        for name in names {
            let value = self.parameter(name, on)?;
            call.parameters.insert(name.to_owned(), value);
        }
        Ok(())
    }

    fn parameter(&self, name: &str, on: &str) -> Result<String, Fault> {
        let (prefix, newest) = match name {
            "credential_id" => ("cred_", "credential"),
            "request_id" => ("req_", "request"),
            "approval_id" => ("apr_", "approval"),
            "delivery_id" => ("dlv_", "credential"),
            "rotation_id" => ("rot_", "rotation"),
            // One that nobody has declared.
            "installation_id" => ("ins_", "spare"),
            "tenant_id" => ("ten_", "tenant"),
            "principal_id" => ("prin_", "ben"),
            _ => return Err(Fault::suite(format!("nothing stands for `{name}`"))),
        };
        let mut seen = String::new();
        for object in on.split('/').filter(|object| !object.is_empty()) {
            if object.starts_with(['"', '{']) {
                let text = self.names.text(object)?;
                let other = text.starts_with("ins_") || name == "installation_id";
                if text.starts_with(prefix) || !other {
                    return Ok(text);
                }
                continue;
            }
            let object = self.names.resolve(object)?;
            match id_in(&object, name, prefix) {
                Some(id) => return Ok(id),
                None => seen = object.to_string(),
            }
        }
        if seen.is_empty() || matches!(name, "installation_id" | "tenant_id") {
            let object = self.names.resolve(newest)?;
            seen = object.to_string();
            if let Some(id) = id_in(&object, name, prefix) {
                return Ok(id);
            }
        }
        Err(Fault::missing(format!("an object with a {name}"), seen))
    }

    /// Sends a call and gives names to what came of it.
    ///
    /// # Errors
    /// As [`World::send`].
    pub async fn call(&mut self, call: &Call) -> Result<Answer, Fault> {
        let mut call = call.clone();
        Self::choose_key(&mut call)?;
        self.dress(&mut call).await?;
        let answer = self.send(&call).await?;
        self.remember(&call, &answer)?;
        Ok(answer)
    }

    /// Gives names to what came of a call.
    ///
    /// # Errors
    /// Where the clock answered no time.
    pub fn remember(&mut self, call: &Call, answer: &Answer) -> Result<(), Fault> {
        if let Payload::Json(body) = &call.payload {
            self.names.set("sent", body.clone());
        }
        if let Some(value) = &answer.json {
            self.names.set("answer", value.clone());
            if answer.kind == Kind::Accepted {
                self.name_result(call, value)?;
            }
        }
        self.last = Some((call.clone(), answer.clone()));
        Ok(())
    }

    fn name_result(&mut self, call: &Call, value: &Value) -> Result<(), Fault> {
        let Some(row) = call.row() else {
            return Ok(());
        };
        self.adopt(row.id, value);
        let name = match row.id {
            EndpointId::CredentialCreate => "credential",
            EndpointId::RequestOpen => "request",
            EndpointId::ChallengeOpen => "challenge",
            EndpointId::ApprovalSubmit | EndpointId::ControlApprove => "approval",
            EndpointId::DeliveryRead => "delivery",
            EndpointId::StoreRegister => "store",
            EndpointId::InstallationPut => "installation",
            EndpointId::TokenIssue => "token",
            EndpointId::RotationOpen => {
                if let Some(successor) = value.get("credential") {
                    self.names.set("successor", successor.clone());
                }
                "rotation"
            }
            EndpointId::EventTest => {
                self.event = Some(sent_event(value));
                return Ok(());
            }
            EndpointId::ClockAdvance => {
                let now = value.get("now").and_then(Value::as_str).unwrap_or_default();
                let own = self.tenant()?.id.as_ref() == call.parameters.get("tenant_id");
                return if own { self.set_clock(now) } else { Ok(()) };
            }
            _ => return Ok(()),
        };
        self.names.set(name, value.clone());
        Ok(())
    }

    /// Makes a call that the scenario stands on: it has to succeed, and is not the call
    /// that the scenario is about.
    ///
    /// # Errors
    /// Where it does not succeed.
    pub async fn must(&mut self, recipe: &Recipe) -> Result<Value, Fault> {
        let mut call = self.cook(recipe)?;
        self.dress(&mut call).await?;
        let answer = self.send(&call).await?;
        match (&answer.kind, &answer.json) {
            (Kind::Refused(problem), _) => Err(Fault::missing(
                format!("{} accepted, to begin with", call.name()),
                format!("refused as {problem}"),
            )),
            (_, None) => Ok(Value::Null),
            (_, Some(value)) => {
                let value = value.clone();
                self.name_result(&call, &value)?;
                Ok(value)
            }
        }
    }

    /// Makes a probe with a key or a token, and answers the status.
    ///
    /// # Errors
    /// As [`World::send`].
    pub async fn try_probe(
        &mut self,
        actor: &str,
        probe: &str,
        changes: Vec<(String, String)>,
    ) -> Result<u16, Fault> {
        let recipe = Recipe {
            actor: actor.to_owned(),
            target: probe.to_owned(),
            probe: true,
            changes,
            ..Recipe::default()
        };
        let mut call = self.cook(&recipe)?;
        self.dress(&mut call).await?;
        Ok(self.send(&call).await?.got.status)
    }
}

/// The event that a test sent, by the sender's own account.
fn sent_event(answer: &Value) -> Event {
    let text = |name: &str| match answer.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    Event {
        id: text("id"),
        timestamp: text("timestamp"),
        signature: text("signature"),
        body: text("body").into_bytes(),
    }
}

/// The id of that kind in an object.
fn id_in(object: &Value, name: &str, prefix: &str) -> Option<String> {
    ["id", "delivery.id", "request.id", name]
        .into_iter()
        .filter_map(|path| at(object, path)?.as_str())
        .find(|id| id.starts_with(prefix))
        .map(str::to_owned)
}

/// A recipe without changes.
#[must_use]
pub fn plain(actor: &str, target: &str, on: &str) -> Recipe {
    Recipe {
        actor: actor.to_owned(),
        target: target.to_owned(),
        on: on.to_owned(),
        ..Recipe::default()
    }
}
