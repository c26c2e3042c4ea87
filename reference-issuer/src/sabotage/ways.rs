//! What several saboteurs do alike.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use clp_schemas::audit::Event;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::request::CredentialRequest;

use crate::audit::Entry;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;
use crate::lifecycle::credential::FreshSecret;

/// The entry about an event, where these effects leave one.
pub(super) fn entry(effects: &mut [Effect], event: Event) -> Option<&mut Entry> {
    effects.iter_mut().find_map(|effect| match effect {
        Effect::Audit(entry) if entry.event == event => Some(entry),
        _ => None,
    })
}

/// Whether these effects are of an event.
pub(super) fn are_of(effects: &mut [Effect], event: Event) -> bool {
    entry(effects, event).is_some()
}

/// Leaves no entry about an event.
pub(super) fn silence(effects: &mut Vec<Effect>, event: Event) {
    effects.retain(|effect| !matches!(effect, Effect::Audit(entry) if entry.event == event));
}

/// Leaves a member out of the entry about an event.
pub(super) fn redact(effects: &mut [Effect], event: Event, member: &str) {
    if let Some(entry) = entry(effects, event) {
        entry.members.remove(member);
    }
}

/// Of an event, does not keep what became of the credential.
pub(super) fn forget_credential(effects: &mut Vec<Effect>, event: Event) {
    if are_of(effects, event) {
        effects.retain(|effect| !matches!(effect, Effect::SaveCredential(_)));
    }
}

/// Of an event, leaves the secret where it can be fetched.
pub(super) fn leave_delivery(effects: &mut Vec<Effect>, event: Event) {
    if are_of(effects, event) {
        effects.retain(|effect| !matches!(effect, Effect::CloseDelivery(_)));
    }
}

/// The credential that is minted, and its secret.
pub(super) fn minted(effects: &mut [Effect]) -> Option<(&mut Credential, &mut FreshSecret)> {
    effects.iter_mut().find_map(|effect| match effect {
        Effect::Mint {
            credential, secret, ..
        } => Some((&mut **credential, secret)),
        _ => None,
    })
}

/// The request that is stored.
pub(super) fn request(effects: &mut [Effect]) -> Option<&mut CredentialRequest> {
    effects.iter_mut().find_map(|effect| match effect {
        Effect::SaveRequest(request) => Some(&mut **request),
        _ => None,
    })
}

/// Does not hear a parameter of the query of an endpoint.
pub(super) fn ignore(asked: &mut Asked, endpoint: &str, parameter: &str) {
    if asked.endpoint == endpoint {
        asked.drop_query(parameter);
    }
}

/// Changes the JSON of what an endpoint answers when it does what it is asked.
pub(super) fn garble(
    asked: &Asked,
    answer: &mut Answer,
    endpoint: &str,
    change: impl FnOnce(&mut serde_json::Value),
) {
    if asked.endpoint == endpoint && answer.status < 300 {
        answer.edit(change);
    }
}

/// What was answered first, by what was asked: an issuer that breaks something only the second
/// time has to remember the first.
pub(super) struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Memory {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// What was answered to this before; where that is nothing, remembers what is now.
    pub(super) fn before(&self, asked: &str, now: &[u8]) -> Option<Vec<u8>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(asked).cloned();
        known
            .entry(asked.to_owned())
            .or_insert_with(|| now.to_vec());
        before
    }
}

/// Where it would fall over, answers what it made first at the endpoint: as one does that takes
/// what it is sent.
pub(super) fn as_before(known: &Memory, asked: &Asked, answer: &mut Answer) {
    match answer.status {
        201 | 202 => {
            known.before(asked.endpoint, &answer.body);
        }
        500 => {
            if let Some(body) = known.before(asked.endpoint, b"") {
                answer.status = if asked.endpoint == "request_open" {
                    202
                } else {
                    201
                };
                answer.set("content-type", "application/json");
                answer.body = body;
            }
        }
        _ => {}
    }
}
