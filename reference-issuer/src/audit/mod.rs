//! Entries of the log before they are sealed (specification chapter 20).

use std::collections::BTreeMap;

use clp_schemas::approval::Actor;
use clp_schemas::audit::Event;
use clp_schemas::ids::{CredentialId, RotationId};
use clp_schemas::ops::create::Credential;
use clp_schemas::time::Timestamp;
use serde_json::Value;

/// An entry to be written: what happened, and its members. Never holds a secret.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) event: Event,
    pub(crate) at: Option<Timestamp>,
    /// The ids of the credentials and the rotation by which the entry is found.
    pub(crate) about: Vec<String>,
    pub(crate) place: Option<String>,
    pub(crate) members: BTreeMap<String, Value>,
}

impl Entry {
    /// An entry with no members yet, at the time when it is written.
    #[must_use]
    pub fn new(event: Event) -> Self {
        Self {
            event,
            at: None,
            about: Vec::new(),
            place: None,
            members: BTreeMap::new(),
        }
    }

    /// An entry about a credential.
    #[must_use]
    pub fn of(event: Event, credential: &Credential) -> Self {
        let mut entry = Self::new(event)
            .place(&credential.project, &credential.environment)
            .text("credential_id", credential.id.as_str());
        entry.about.push(credential.id.to_string());
        entry
    }

    /// The same at another time than now: when time itself was what happened.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// The same, naming who did it.
    #[must_use]
    pub fn actor(self, actor: &str) -> Self {
        self.text("actor", actor)
    }

    /// The same, naming the project and environment concerned.
    #[must_use]
    pub fn place(mut self, project: &str, environment: &str) -> Self {
        self.place = Some(format!("{project}/{environment}"));
        self.text("project", project)
            .text("environment", environment)
    }

    /// The same, naming the credential that replaces the one it is about.
    #[must_use]
    pub fn successor(mut self, id: &CredentialId) -> Self {
        self.about.push(id.to_string());
        self.text("successor", id.as_str())
    }

    /// The same, naming the rotation that it belongs to.
    #[must_use]
    pub fn rotation(mut self, id: &RotationId) -> Self {
        self.about.push(id.to_string());
        self.text("rotation_id", id.as_str())
    }

    /// The same, naming the members that were changed.
    #[must_use]
    pub fn changed(mut self, names: &[&str]) -> Self {
        self.members.insert("changed".to_owned(), names.into());
        self
    }

    /// The same, naming who asks and for whom.
    #[must_use]
    pub fn actors(mut self, actors: &[Actor]) -> Self {
        let actors = actors
            .iter()
            .map(|actor| serde_json::json!({"principal": actor.principal, "kind": actor.kind}));
        self.members.insert("actors".to_owned(), actors.collect());
        self
    }

    /// The same with one more member, a number.
    #[must_use]
    pub fn number(mut self, name: &str, value: u64) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same for accesses that are counted together.
    #[must_use]
    pub fn accesses(mut self, count: u64, first: Timestamp, last: Timestamp) -> Self {
        self.members.insert("count".to_owned(), count.into());
        self.text("first_at", &first.to_string())
            .text("last_at", &last.to_string())
    }

    /// The same with one more member.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same with one more member, where there is a value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }
}
