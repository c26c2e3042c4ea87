//! Who acts in a scenario, and where: a fresh sandbox with a clock of its own, or the cast
//! that somebody set up by hand.

use std::collections::BTreeMap;
use std::time::Instant;

use clp_schemas::ops::control::Sandbox;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;

use super::Fault;
use super::names::spell;
use crate::config::Cast;

/// The people of the scenarios, by the role that they have on the wire.
pub const PEOPLE: [(&str, &str); 4] = [
    ("Ana", "owner"),
    ("Ben", "approver"),
    ("Cleo", "bystander"),
    ("Dov", "outsider"),
];

/// What the token of one of them is called where it is hidden: a reader knows the roles.
#[must_use]
pub fn label(name: &str) -> String {
    let role = PEOPLE.iter().find(|(one, _)| *one == name);
    format!(
        "the token of {name}, the {}",
        role.map_or("guest", |(_, role)| role)
    )
}

/// Somebody who acts.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their principal id, where it is known.
    pub id: Option<String>,
    /// Their bearer token.
    pub token: String,
}

/// Where a scenario takes place.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The sandbox, where it is one.
    pub id: Option<String>,
    /// E.
    pub endpoint: Url,
    /// The issuer identifier.
    pub issuer: Url,
    /// By name.
    pub people: BTreeMap<String, Person>,
    /// What tells what a key opens.
    pub probe: Value,
    clock: (Timestamp, Instant),
}

impl Tenant {
    /// The tenant that `sandbox_open` answered.
    ///
    /// # Errors
    /// Where the answer names a URL that is none, or leaves somebody out.
    pub fn sandbox(sandbox: &Sandbox) -> Result<Self, Fault> {
        let mut people = BTreeMap::new();
        for (name, role) in PEOPLE {
            let member = sandbox
                .principals
                .get(role)
                .ok_or_else(|| Fault::missing(format!("the role `{role}`"), "a cast without it"))?;
            people.insert(
                name.to_owned(),
                Person {
                    id: Some(member.id.to_string()),
                    token: member.token.expose().to_owned(),
                },
            );
        }
        Ok(Self {
            id: Some(sandbox.tenant_id.to_string()),
            endpoint: url(&sandbox.credential_issuer_endpoint)?,
            issuer: url(&sandbox.issuer_identifier)?,
            people,
            probe: json!(sandbox.probe),
            clock: (time(&sandbox.now.to_string())?, Instant::now()),
        })
    }

    /// The cast that was set up by hand, below the manifest's endpoint.
    ///
    /// # Errors
    /// Where the cast leaves somebody out.
    pub fn by_hand(cast: &Cast, issuer: &Url, endpoint: &str) -> Result<Self, Fault> {
        let mut people = BTreeMap::new();
        for (name, role) in PEOPLE {
            let member = cast
                .members
                .get(role)
                .ok_or_else(|| Fault::suite(format!("the cast has no `{role}`")))?;
            people.insert(
                name.to_owned(),
                Person {
                    id: member.id.as_ref().map(ToString::to_string),
                    token: member.token.expose().to_owned(),
                },
            );
        }
        Ok(Self {
            id: cast.tenant_id.as_ref().map(ToString::to_string),
            endpoint: url(endpoint)?,
            issuer: issuer.clone(),
            people,
            probe: json!(cast.probe),
            clock: (Timestamp::now(), Instant::now()),
        })
    }

    /// The tenant's time, to about a second.
    #[must_use]
    pub fn now(&self) -> String {
        let (base, since) = self.clock;
        let passed = SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        spell(base.checked_add(passed).unwrap_or(base))
    }

    /// The tenant's time, in seconds since 1970, to about a second.
    #[must_use]
    pub fn unix(&self) -> i64 {
        let (base, since) = self.clock;
        let passed = i64::try_from(since.elapsed().as_secs()).unwrap_or_default();
        base.as_second().saturating_add(passed)
    }

    /// How many seconds after the tenant's time this is, rounded up.
    ///
    /// # Errors
    /// Where it is no time.
    pub fn seconds_until(&self, later: &str) -> Result<i64, Fault> {
        Ok(time(later)?.as_second() - time(&self.now())?.as_second())
    }

    /// Sets the tenant's clock by what `clock_advance` answered.
    ///
    /// # Errors
    /// Where that is no time.
    pub fn set_clock(&mut self, now: &str) -> Result<(), Fault> {
        self.clock = (time(now)?, Instant::now());
        Ok(())
    }

    /// The names that a scenario can refer to from the start.
    #[must_use]
    pub fn names(&self) -> Vec<(String, Value)> {
        let mut names = vec![
            ("probe".to_owned(), self.probe.clone()),
            ("endpoint".to_owned(), json!(self.endpoint.as_str())),
            (
                "issuer".to_owned(),
                json!(self.issuer.as_str().trim_end_matches('/')),
            ),
        ];
        if let Some(id) = &self.id {
            names.push(("tenant".to_owned(), json!({"id": id})));
        }
        for (name, person) in &self.people {
            if let Some(id) = &person.id {
                names.push((name.to_lowercase(), json!({"id": id})));
            }
        }
        names
    }
}

fn url(text: &str) -> Result<Url, Fault> {
    Url::parse(text).map_err(|_| Fault::missing("an absolute URL", format!("`{text}`")))
}

fn time(text: &str) -> Result<Timestamp, Fault> {
    text.parse()
        .map_err(|_| Fault::missing("a time", format!("`{text}`")))
}
