//! Judges an issuer from outside by what it has acknowledged. It asks the issuer directly, past
//! whatever else was in between.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::Value;

use super::Stopped;
use super::ledger::{Ledger, rank};
use crate::oracle::merkle::{self, Hash};
use crate::oracle::{log, note};

/// An issuer that is asked, and what it said before.
pub struct Judge {
    http: Client,
    /// Where the persona is.
    pub origin: String,
    token: String,
    /// A path of its API that every key here opens.
    pub resource: String,
    /// The leaves of the log, as they were the last time.
    leaves: Vec<Hash>,
    /// How many facts were looked at.
    pub facts: u64,
}

/// What the issuer says now.
pub struct Now {
    /// The credentials, by id.
    pub credentials: BTreeMap<String, Value>,
}

impl Now {
    /// The state of a credential; empty where there is none.
    #[must_use]
    pub fn state(&self, id: &str) -> &str {
        let found = self.credentials.get(id).and_then(|one| one.get("state"));
        found.and_then(Value::as_str).unwrap_or_default()
    }

    /// The rotation that a credential came from.
    #[must_use]
    pub fn origin_of(&self, id: &str) -> Option<String> {
        let via = self.credentials.get(id)?.get("created_via")?;
        via.get("rotation_id")?.as_str().map(str::to_owned)
    }
}

fn is_live(state: &str) -> bool {
    matches!(state, "provisioned" | "active" | "retiring" | "suspended")
}

impl Judge {
    /// One who asks with this token.
    #[must_use]
    pub fn new(http: Client, origin: String, token: String, resource: String) -> Self {
        Self {
            http,
            origin,
            token,
            resource,
            leaves: Vec::new(),
            facts: 0,
        }
    }

    async fn text(&self, path: &str) -> Result<(u16, String), Stopped> {
        let url = format!("{}{path}", self.origin);
        let request = self.http.get(url).bearer_auth(&self.token);
        let answer = request.send().await.map_err(Stopped::silent)?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(Stopped::silent)?))
    }

    /// What is there, or null where there is nothing.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn get(&self, path: &str) -> Result<Value, Stopped> {
        let (status, text) = self.text(path).await?;
        match status {
            200 => Ok(serde_json::from_str(&text).unwrap_or_default()),
            _ => Ok(Value::Null),
        }
    }

    /// Every item of a listing.
    async fn pages(&self, path: &str, items: &str) -> Result<Vec<Value>, Stopped> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}?limit=200{cursor}")).await?;
            let found = page.get(items).and_then(Value::as_array);
            all.extend(found.into_iter().flatten().cloned());
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// The status with which the issuer's own API answers a key. The call seems to come from the
    /// first place, since a rotation waits for whoever is unknown.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn opens(&self, secret: &str) -> Result<u16, Stopped> {
        let url = format!("{}{}", self.origin, self.resource);
        let request = self.http.get(url).bearer_auth(secret);
        let answer = request
            .header("user-agent", "crash-0/judge")
            .send()
            .await
            .map_err(Stopped::silent)?;
        Ok(answer.status().as_u16())
    }

    /// What the issuer says of its credentials.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn now(&self) -> Result<Now, Stopped> {
        let items = self.pages("/credentials", "items").await?;
        let id = |one: &Value| Some(one.get("id")?.as_str()?.to_owned());
        Ok(Now {
            credentials: items
                .into_iter()
                .filter_map(|one| Some((id(&one)?, one)))
                .collect(),
        })
    }

    /// Whether it stands by everything that it has acknowledged. What does not hold, in words.
    /// At the end every key is tried; before it, none whose first use would close its delivery.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn judge(&mut self, ledger: &Ledger, last: bool) -> Result<Vec<String>, Stopped> {
        let mut wrong = Vec::new();
        let now = self.now().await?;
        self.credentials(ledger, &now, &mut wrong);
        self.keys(ledger, &now, last, &mut wrong).await?;
        for (id, (new, old, state)) in &ledger.rotations {
            self.facts += 1;
            let found = self.get(&format!("/credentials/rotations/{id}")).await?;
            let has = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
            if has("successor") != new || has("predecessor") != old {
                wrong.push(format!("the rotation {id}, acknowledged, is {found}"));
            } else if rank(has("state")) < rank(state) {
                let said = has("state");
                wrong.push(format!("the rotation {id} was `{state}`, and is `{said}`"));
            }
        }
        for (id, known) in &ledger.installations {
            let Some((state, credential)) = known.acknowledged.as_ref().filter(|_| !known.unsure)
            else {
                continue;
            };
            self.facts += 1;
            let path = format!("/credentials/{credential}/installations/{id}");
            let found = self.get(&path).await?;
            if found.get("state").and_then(Value::as_str) != Some(state) {
                wrong.push(format!(
                    "the place {id} was `{state}` below {credential}, and is {found}"
                ));
            }
        }
        for path in &ledger.closed {
            self.facts += 1;
            let (status, _) = self.text(path).await?;
            if status != 410 {
                wrong.push(format!(
                    "{path} was acknowledged, and answers {status} again"
                ));
            }
        }
        self.log(ledger, &mut wrong).await?;
        Ok(wrong)
    }

    fn credentials(&mut self, ledger: &Ledger, now: &Now, wrong: &mut Vec<String>) {
        for (id, minted) in &ledger.minted {
            self.facts += 1;
            let Some(found) = now.credentials.get(id) else {
                wrong.push(format!("the credential {id} was acknowledged, and is lost"));
                continue;
            };
            for member in ["key_id", "purpose", "created_at", "permissions"] {
                if found.get(member) != minted.get(member) {
                    wrong.push(format!("`{member}` of {id} has become another"));
                }
            }
            let state = now.state(id);
            if ledger.secrets.contains_key(id) && state == "provisioned" {
                wrong.push(format!(
                    "the secret of {id} was handed out, and it is `provisioned`"
                ));
            }
        }
        for id in &ledger.ended {
            self.facts += 1;
            if is_live(now.state(id)) {
                let state = now.state(id);
                wrong.push(format!("{id} had ended, and is `{state}`"));
            }
        }
    }

    /// No key opens anything of which the list does not say so.
    async fn keys(
        &mut self,
        ledger: &Ledger,
        now: &Now,
        last: bool,
        wrong: &mut Vec<String>,
    ) -> Result<(), Stopped> {
        for (id, secret) in &ledger.secrets {
            let state = now.state(id);
            if !last && is_live(state) && !ledger.arrived.contains(id) {
                continue;
            }
            self.facts += 1;
            let status = self.opens(secret).await?;
            if (status == 200) != is_live(state) {
                wrong.push(format!(
                    "{id} is `{state}` in the list, and its key is answered {status}"
                ));
            }
        }
        Ok(())
    }

    /// The log has grown, holds what was acknowledged, and its signed head is over its leaves.
    async fn log(&mut self, ledger: &Ledger, wrong: &mut Vec<String>) -> Result<(), Stopped> {
        let manifest = self.get("/.well-known/credential-issuer").await?;
        let key = manifest.pointer("/audit_log/public_key");
        let key = key.and_then(Value::as_str).unwrap_or_default();
        let key = STANDARD.decode(key).unwrap_or_default();
        let (_, head) = self.text("/credentials/audit/checkpoint").await?;
        let entries = self.pages("/credentials/audit/entries", "entries").await?;
        let head = match note::open(&head, &key) {
            Ok(head) => head,
            Err(fault) => {
                wrong.push(format!("the head of the log: {fault}"));
                return Ok(());
            }
        };
        let mut read = Vec::new();
        for entry in &entries {
            match log::read(entry) {
                Ok(entry) => read.push(entry),
                Err(fault) => wrong.push(format!("an entry of the log: {fault}")),
            }
        }
        let leaves: Vec<Hash> = read.iter().map(|entry| entry.hash).collect();
        let size = usize::try_from(head.size).unwrap_or(usize::MAX);
        // Reading is written down too, so that there can be more by now than at the checkpoint.
        match leaves.get(..size) {
            Some(covered) if merkle::root(covered) == head.root => {}
            Some(_) => wrong.push("the head of the log is of other entries".to_owned()),
            None => wrong.push(format!(
                "the log has {} entries, and its head says {size}",
                leaves.len()
            )),
        }
        if !leaves.starts_with(&self.leaves) {
            wrong.push(format!(
                "the log had {} entries, and does not begin with them any more",
                self.leaves.len()
            ));
        }
        self.facts += leaves.len() as u64;
        self.leaves = leaves;
        for (event, member, value) in &ledger.events {
            self.facts += 1;
            let is_there = read.iter().any(|entry| {
                entry.event == *event
                    && entry.members.get(*member).and_then(Value::as_str) == Some(value)
            });
            if !is_there {
                wrong.push(format!(
                    "`{event}` with {member} {value} was acknowledged, and is not in the log"
                ));
            }
        }
        Ok(())
    }
}
