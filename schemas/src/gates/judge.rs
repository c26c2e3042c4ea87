//! How each gate is judged.

use std::collections::BTreeMap;

use super::{Basis, Evidence, Gate, GateId, GateState, SafeToRevoke};
use crate::ids::InstallationId;
use crate::ops::discover::{CredentialType, UsageObservation};
use crate::ops::rotate::Plan;
use crate::permissions::Verdict;
use crate::state::{credential, installation};
use crate::statement::VALID_SECONDS;
use crate::time::Timestamp;

/// Everything that the gates are judged by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// When the rotation was opened.
    pub opened_at: Timestamp,
    /// What was planned.
    pub plan: Plan,
    /// The type of both credentials.
    pub kind: CredentialType,
    /// The state of the successor.
    pub successor: credential::State,
    /// How its permissions relate to the predecessor's.
    pub verdict: Verdict,
    /// What the issuer sees of uses.
    pub observation: UsageObservation,
    /// When the predecessor was last used.
    pub predecessor_used_at: Option<Timestamp>,
    /// When the probe value was last seen to be refused, since the rotation was opened.
    pub probe_refused_at: Option<Timestamp>,
    /// For a `webhook_secret`: when a test event that the successor alone signed was last
    /// accepted.
    pub event_accepted_at: Option<Timestamp>,
    /// The declared installations of both credentials.
    pub places: Vec<Place>,
    /// Who used the predecessor in the last 30 days.
    pub senders: Vec<Sender>,
}

/// One declared installation.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which.
    pub id: InstallationId,
    /// Whether the successor is there, and not the predecessor.
    pub on_successor: bool,
    /// How far it has come.
    pub state: installation::State,
    /// Whether the rotation waits for it.
    pub required: bool,
    /// The longest time between two of its uses, in seconds.
    pub use_interval_seconds: Option<u64>,
    /// Whether the issuer has seen a use of the successor from there.
    pub seen: bool,
    /// What its client says of a call with the successor.
    pub reported: Sight,
    /// What its client says of a call with the probe value.
    pub probe_reported: Sight,
}

impl Place {
    fn is_awaited(&self) -> bool {
        self.required && self.state != installation::State::Retired
    }
}

/// What came of a call, if anybody made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nobody says.
    Untold,
    /// It was accepted.
    Accepted,
    /// It was refused.
    Refused,
}

/// One consumer that was seen.
#[derive(Clone, Debug)]
pub struct Sender {
    /// What to call it: its user agent, or else its address.
    pub name: String,
    /// How many declared installations it fits.
    pub fits: usize,
}

impl Facts {
    fn gate(&self, id: GateId, state: GateState, basis: Basis, detail: &str) -> Gate {
        let weak = state == GateState::Met && basis < self.plan.least_basis;
        Gate {
            id,
            state: if weak { GateState::Unknown } else { state },
            basis: (state != GateState::Unknown && !weak).then_some(basis),
            detail: if weak {
                "rests on less than the plan asks for".to_owned()
            } else {
                detail.to_owned()
            },
            evidence: Evidence::default(),
        }
    }

    fn waited(&self, id: GateId, since: Timestamp, needed: u64, missing: &str) -> Gate {
        let passed = u64::try_from(self.now.unix() - since.unix()).unwrap_or(0);
        let (state, detail) = if passed >= needed {
            (GateState::Met, "long enough")
        } else {
            (GateState::Unmet, missing)
        };
        let mut gate = self.gate(id, state, Basis::Observed, detail);
        gate.evidence.since = Some(since);
        gate.evidence.needed_seconds = Some(needed);
        gate
    }

    fn successor(&self) -> Gate {
        let within = matches!(self.verdict, Verdict::Equal | Verdict::Narrower);
        let (state, detail) = match (self.successor == credential::State::Active, within) {
            (true, true) => (GateState::Met, "active, and within the predecessor"),
            (false, _) => (GateState::Unmet, "the successor is not active"),
            (true, false) => (GateState::Unmet, "the successor opens more"),
        };
        self.gate(GateId::Successor, state, Basis::Observed, detail)
    }

    fn installations(&self) -> Gate {
        let id = GateId::Installations;
        let awaited: Vec<&Place> = self
            .places
            .iter()
            .filter(|place| place.is_awaited())
            .collect();
        // The event stands in for a place that nobody declared, and for no place that is.
        if awaited.is_empty() && self.kind == CredentialType::WebhookSecret {
            let (state, detail) = if self.event_accepted_at.is_some() {
                (
                    GateState::Met,
                    "an event that the successor alone signed was accepted",
                )
            } else {
                (
                    GateState::Unmet,
                    "no event that the successor alone signed was accepted yet",
                )
            };
            return self.gate(id, state, Basis::Observed, detail);
        }
        let arrived =
            |place: &Place| place.on_successor && place.state == installation::State::Verified;
        let missing: Vec<InstallationId> = awaited
            .iter()
            .filter(|place| !arrived(place))
            .map(|place| place.id.clone())
            .collect();
        let basis = if awaited.iter().all(|place| place.seen) {
            Basis::Observed
        } else {
            Basis::Reported
        };
        let (state, detail) = match (awaited.is_empty(), missing.is_empty()) {
            (true, _) => (GateState::Met, "no required installation is declared"),
            (false, true) => (GateState::Met, "all verified on the successor"),
            (false, false) => (GateState::Unmet, "not all verified on the successor"),
        };
        let mut gate = self.gate(id, state, basis, detail);
        gate.evidence.installations = missing;
        gate
    }

    fn health(&self) -> Gate {
        let id = GateId::Health;
        let awaited: Vec<&Place> = self
            .places
            .iter()
            .filter(|place| place.is_awaited())
            .collect();
        // The issuer itself checks what a service account signs; there is no place to probe.
        let no_probe = self.kind == CredentialType::ServiceAccount;
        let probe_seen = self.probe_refused_at.is_some() || no_probe;
        let event_seen =
            self.kind == CredentialType::WebhookSecret && self.event_accepted_at.is_some();
        if event_seen && awaited.is_empty() {
            let (state, detail) = if probe_seen {
                (GateState::Met, "the receiver refuses what it should refuse")
            } else {
                (
                    GateState::Unmet,
                    "no event signed with the probe value was refused yet",
                )
            };
            return self.gate(id, state, Basis::Observed, detail);
        }
        let failing: Vec<InstallationId> = awaited
            .iter()
            .filter(|place| {
                let opened = place.seen || place.reported == Sight::Accepted || event_seen;
                let closed = probe_seen || place.probe_reported == Sight::Refused;
                !(opened && closed)
                    || place.reported == Sight::Refused
                    || place.probe_reported == Sight::Accepted
            })
            .map(|place| place.id.clone())
            .collect();
        let basis = if probe_seen && awaited.iter().all(|place| place.seen) {
            Basis::Observed
        } else {
            Basis::Reported
        };
        let (state, detail) = match (awaited.is_empty(), failing.is_empty()) {
            (true, _) => (GateState::Met, "no required installation is declared"),
            (false, true) => (GateState::Met, "all pass, and refuse the probe value"),
            (false, false) => (GateState::Unmet, "not all pass and refuse the probe value"),
        };
        // Where nothing is awaited there is nothing that only a client could know.
        let basis = if awaited.is_empty() {
            Basis::Observed
        } else {
            basis
        };
        let mut gate = self.gate(id, state, basis, detail);
        gate.evidence.installations = failing;
        gate
    }

    fn quiet(&self) -> Gate {
        let id = GateId::Quiet;
        if self.kind == CredentialType::WebhookSecret {
            return self.gate(id, GateState::Met, Basis::Observed, "both sign every event");
        }
        if self.observation == UsageObservation::None {
            return self.gate(
                id,
                GateState::Unknown,
                Basis::Observed,
                "uses are not observed",
            );
        }
        let longest = self
            .places
            .iter()
            .filter(|place| place.is_awaited() && !place.seen)
            .filter_map(|place| place.use_interval_seconds)
            .max()
            .unwrap_or(0);
        let needed = self.plan.quiet_period_seconds.max(longest);
        let since = self
            .predecessor_used_at
            .map_or(self.opened_at, |used| used.max(self.opened_at));
        self.waited(id, since, needed, "the predecessor was used too recently")
    }

    fn consumers(&self) -> Gate {
        let id = GateId::Consumers;
        if self.observation != UsageObservation::PerConsumer {
            return self.gate(
                id,
                GateState::Unknown,
                Basis::Observed,
                "consumers are not observed",
            );
        }
        let names = |wanted: fn(usize) -> bool| -> Vec<String> {
            self.senders
                .iter()
                .filter(|sender| wanted(sender.fits))
                .map(|sender| sender.name.clone())
                .collect()
        };
        let (strangers, twins) = (names(|fits| fits == 0), names(|fits| fits > 1));
        let (state, detail) = match (strangers.is_empty(), twins.is_empty()) {
            (true, true) => (GateState::Met, "every consumer is declared"),
            (false, _) => (GateState::Unmet, "somebody uses it whom nobody declared"),
            (true, false) => (GateState::Unknown, "consumers fit several installations"),
        };
        let mut gate = self.gate(id, state, Basis::Observed, detail);
        gate.evidence.consumers = if strangers.is_empty() {
            twins
        } else {
            strangers
        };
        gate
    }

    fn overlap(&self) -> Gate {
        self.waited(
            GateId::Overlap,
            self.opened_at,
            self.plan.min_overlap_seconds,
            "both have not lived side by side for long enough",
        )
    }
}

/// All six gates, in the order of the specification.
#[must_use]
pub fn evaluate(facts: &Facts) -> Vec<Gate> {
    vec![
        facts.successor(),
        facts.installations(),
        facts.health(),
        facts.quiet(),
        facts.consumers(),
        facts.overlap(),
    ]
}

/// The three that can be judged without an inventory.
#[must_use]
pub fn issuer_gates(facts: &Facts) -> Vec<Gate> {
    vec![facts.successor(), facts.quiet(), facts.overlap()]
}

/// Whether all of them are met.
#[must_use]
pub fn safe_to_revoke(gates: &[Gate], now: Timestamp) -> SafeToRevoke {
    let missing: BTreeMap<String, GateState> = gates
        .iter()
        .filter(|gate| gate.state != GateState::Met)
        .map(|gate| (gate.id.to_string(), gate.state))
        .collect();
    SafeToRevoke {
        safe: missing.is_empty() && !gates.is_empty(),
        missing,
        valid_until: now.plus(VALID_SECONDS),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
