//! The secrets that an answer may hold, each in the one answer that is there to hold it.

use clp_schemas::endpoint::EndpointId;
use serde_json::{Value, json};

use super::World;
use super::call::{Actor, Call, Payload};
use super::names::at;
use super::tenant::{self, PEOPLE, Person};
use super::wire::Got;
use crate::oracle::digest::from_base64url;
use crate::oracle::jose::Pair;
use crate::oracle::webhook;

impl World {
    /// The secrets that this answer may hold; they are tainted from now on.
    pub(super) fn secrets(&mut self, call: &Call, got: &Got) -> Vec<String> {
        let Some(row) = call.row() else {
            return Vec::new();
        };
        let value: Value = serde_json::from_slice(&got.body).unwrap_or_default();
        match row.id {
            EndpointId::DeliveryRead => self.delivered(&value),
            EndpointId::TokenIssue => self.issued(call, &value),
            EndpointId::SandboxOpen => self.cast(&value),
            EndpointId::ControlPrincipalAdd => self.added(call, &value),
            _ => Vec::new(),
        }
    }

    fn delivered(&mut self, delivery: &Value) -> Vec<String> {
        let text = |path: &str| at(delivery, path).and_then(Value::as_str);
        let Some(secret) = text("secret.value") else {
            return Vec::new();
        };
        if let Some(id) = text("credential_id") {
            self.keys.insert(id.to_owned(), secret.to_owned());
            self.newest_key = Some(id.to_owned());
            if text("secret.kind") == Some("service_account") {
                return self.delivered_pair(id, secret);
            }
        }
        self.watch.canary.taint_key("a key", secret);
        if let Ok(key) = webhook::key(secret) {
            let label = "the bytes of a webhook secret";
            self.watch.canary.taint_bytes(label, &key);
        }
        vec![secret.to_owned()]
    }

    /// Of a private JWK only `d` is secret.
    fn delivered_pair(&mut self, credential: &str, text: &str) -> Vec<String> {
        let jwk: Value = serde_json::from_str(text).unwrap_or_default();
        if let Ok(pair) = Pair::from_jwk(&jwk) {
            self.ring.deliver(credential, pair);
        }
        let Some(private) = jwk.get("d").and_then(Value::as_str) else {
            return Vec::new();
        };
        self.watch.canary.taint("a private key", private);
        if let Ok(bytes) = from_base64url(private) {
            let label = "the bytes of a private key";
            self.watch.canary.taint_bytes(label, &bytes);
        }
        vec![private.to_owned()]
    }

    fn issued(&mut self, call: &Call, answer: &Value) -> Vec<String> {
        let Some(token) = answer.get("access_token").and_then(Value::as_str) else {
            return Vec::new();
        };
        let client = match &call.actor {
            Actor::Key(Some(name)) => self.names.text(&format!("{{{name}.id}}")).ok(),
            _ => self.newest_key.clone(),
        };
        if let Some(client) = client {
            self.tokens.insert(client.clone(), token.to_owned());
            self.newest_token = Some(client);
        }
        self.watch.canary.taint_key("an access token", token);
        vec![token.to_owned()]
    }

    /// Somebody new is in the cast, under the name they were given, written as a name is.
    fn added(&mut self, call: &Call, member: &Value) -> Vec<String> {
        let text = |name: &str| member.get(name).and_then(Value::as_str);
        let (Some(id), Some(token)) = (text("id"), text("token")) else {
            return Vec::new();
        };
        let given = match &call.payload {
            Payload::Json(body) => at(body, "name").and_then(Value::as_str),
            _ => None,
        };
        let given = given.unwrap_or("guest");
        let name: String = given
            .char_indices()
            .map(|(at, letter)| match at {
                0 => letter.to_ascii_uppercase(),
                _ => letter,
            })
            .collect();
        self.watch.canary.taint(tenant::label(&name), token);
        self.names.set(given, json!({"id": id}));
        if let Some(tenant) = &mut self.tenant {
            let person = Person {
                id: Some(id.to_owned()),
                token: token.to_owned(),
            };
            tenant.people.insert(name, person);
        }
        vec![token.to_owned()]
    }

    fn cast(&mut self, sandbox: &Value) -> Vec<String> {
        let mut tokens = Vec::new();
        for (role, member) in sandbox
            .get("principals")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Some(token) = member.get("token").and_then(Value::as_str) {
                // The first cast that a scenario gets is its own.
                let own = PEOPLE
                    .iter()
                    .find(|(_, theirs)| self.tenant.is_none() && theirs == role)
                    .map(|(name, _)| tenant::label(name));
                self.watch.canary.taint(
                    own.unwrap_or_else(|| format!("the token of another {role}")),
                    token,
                );
                tokens.push(token.to_owned());
            }
        }
        tokens
    }
}
