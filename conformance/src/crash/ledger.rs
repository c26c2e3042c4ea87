//! What an issuer has answered with success, and so has to stand by: kept by whoever stands
//! between it and the client.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::wire::Message;

/// What is known of a place.
#[derive(Clone, Debug, Default)]
pub struct Installation {
    /// The last state that was acknowledged, and below which credential.
    pub acknowledged: Option<(String, String)>,
    /// Whether something was sent since, of which nobody knows what came.
    pub unsure: bool,
}

/// Everything acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Credentials, as they were when they were minted.
    pub minted: BTreeMap<String, Value>,
    /// The secrets that were handed out, by credential.
    pub secrets: BTreeMap<String, String>,
    /// Rotations: successor, predecessor, and the last state that was acknowledged.
    pub rotations: BTreeMap<String, (String, String, String)>,
    /// Credentials that have ended.
    pub ended: BTreeSet<String>,
    /// Places.
    pub installations: BTreeMap<String, Installation>,
    /// Deliveries that are closed.
    pub closed: BTreeSet<String>,
    /// Credentials whose key has arrived, as the client says.
    pub arrived: BTreeSet<String>,
    /// What has to be in the log: an event, and the values of two members.
    pub events: BTreeSet<(&'static str, &'static str, String)>,
    /// Answers with success to calls that change something.
    pub acknowledgements: u64,
}

fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

impl Ledger {
    /// A request goes to the issuer.
    pub fn sent(&mut self, request: &Message) {
        if request.endpoint() == "installation_put" {
            let id = last(request.path());
            self.installations.entry(id).or_default().unsure = true;
        }
    }

    /// The issuer has answered.
    pub fn answered(&mut self, request: &Message, answer: &Message) {
        let status = answer.status();
        let endpoint = request.endpoint();
        if endpoint == "installation_put" && (400..500).contains(&status) {
            // A refusal changed nothing.
            self.installations
                .entry(last(request.path()))
                .or_default()
                .unsure = false;
        }
        if !(200..300).contains(&status) {
            return;
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let before = self.events.len();
        match endpoint {
            "credential_create" => self.mint(&body),
            "rotation_open" => {
                self.mint(body.get("credential").unwrap_or(&Value::Null));
                self.rotation(&body);
                self.event("credential.rotated", "rotation_id", text(&body, "/id"));
            }
            "rotation_read" => self.rotation(&body),
            "rotation_advance" => {
                self.rotation(&body);
                let event = match text(&body, "/state").as_str() {
                    "completed" => "rotation.completed",
                    _ => "rotation.advanced",
                };
                self.event(event, "rotation_id", text(&body, "/id"));
            }
            "rotation_rollback" => {
                self.rotation(&body);
                self.event("rotation.rolled_back", "rotation_id", text(&body, "/id"));
            }
            "delivery_read" => {
                let id = text(&body, "/credential_id");
                self.secrets
                    .insert(id.clone(), text(&body, "/secret/value"));
                self.event("credential.delivered", "credential_id", id);
            }
            "delivery_ack" => {
                let id = text(&body, "/id");
                self.closed.insert(request.path().replace("/ack", ""));
                self.arrived.insert(text(&body, "/credential_id"));
                self.event("delivery.acknowledged", "delivery_id", id);
            }
            "credential_revoke" => {
                self.ended.insert(text(&body, "/id"));
                self.event("credential.revoked", "credential_id", text(&body, "/id"));
            }
            "installation_put" => {
                let id = text(&body, "/id");
                let event = match status {
                    201 => "installation.declared",
                    _ => "installation.updated",
                };
                let known = self.installations.entry(id.clone()).or_default();
                known.acknowledged = Some((text(&body, "/state"), text(&body, "/credential_id")));
                known.unsure = false;
                self.event(event, "installation_id", id);
            }
            _ => return,
        }
        if self.events.len() > before {
            self.acknowledgements += 1;
        }
    }

    fn event(&mut self, event: &'static str, member: &'static str, value: String) {
        self.events.insert((event, member, value));
    }

    fn mint(&mut self, credential: &Value) {
        let id = text(credential, "/id");
        self.event("credential.created", "credential_id", id.clone());
        self.minted.insert(id, credential.clone());
    }

    fn rotation(&mut self, body: &Value) {
        let (old, new) = (text(body, "/predecessor"), text(body, "/successor"));
        let state = text(body, "/state");
        match state.as_str() {
            "completed" => self.ended.insert(old.clone()),
            "rolled_back" => self.ended.insert(new.clone()),
            _ => false,
        };
        let rotation = self.rotations.entry(text(body, "/id")).or_default();
        // A repetition is answered as the first time, whatever came since.
        if rank(&state) >= rank(&rotation.2) {
            *rotation = (new, old, state);
        }
    }
}

/// How far a rotation is; it never goes back.
#[must_use]
pub fn rank(state: &str) -> u8 {
    match state {
        "created" => 1,
        "distributing" => 2,
        "draining" => 3,
        "blocked" => 4,
        "completed" | "rolled_back" => 5,
        _ => 0,
    }
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
