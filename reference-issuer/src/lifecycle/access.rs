//! Using what was minted (specification chapters 14, 17 and 21).

use clp_schemas::audit;
use clp_schemas::ids::CredentialId;
use clp_schemas::key::Key;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::inject::{Outcome, SignedBy};
use clp_schemas::permissions::Recorded;
use clp_schemas::time::Timestamp;

use super::Effect;
use crate::audit::Entry;
use crate::store::{Once, RotationRow};

/// One accepted call, as the inventory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The credential.
    pub credential: CredentialId,
    /// The user agent; empty where there is none, or nobody looks.
    pub user_agent: String,
    /// Where the call came from; empty where nobody looks.
    pub address: String,
    /// The parts of the credential's expanded permissions that were used.
    pub parts: Vec<usize>,
    /// What was done; `None` where that is longer than what is kept.
    pub access: Option<Recorded>,
}

/// A resource accepts the key, or a token that was issued for it. Whoever calls has the secret,
/// and its delivery is over.
#[must_use]
pub fn accept(credential: &Credential, now: Timestamp) -> Vec<Effect> {
    let entry = Entry::of(audit::Event::CredentialUsed, credential).accesses(1, now, now);
    vec![
        Effect::CloseDelivery(credential.id.clone()),
        Effect::Audit(entry),
    ]
}

/// A resource refuses the key, or a token that was issued for it.
#[must_use]
pub fn refuse(credential: &Credential, reason: &str, now: Timestamp) -> Vec<Effect> {
    let entry = Entry::of(audit::Event::CredentialUseRefused, credential)
        .text("reason", reason)
        .accesses(1, now, now);
    vec![Effect::Audit(entry)]
}

/// An identifier that is good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// What it is of.
    pub kind: Once,
    /// Whose it is.
    pub credential: CredentialId,
    /// The identifier.
    pub id: String,
    /// When it would not hold any more anyway.
    pub forget_at: Timestamp,
}

/// An access token that is to be issued.
#[derive(Debug)]
pub struct NewToken {
    /// The token.
    pub token: Key,
    /// Whose it is.
    pub credential: CredentialId,
    /// `type:action` names, ascending.
    pub scope: Vec<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Issues an access token. The client has its secret, whose delivery is over; what it
/// authenticated with is used up.
#[must_use]
pub fn issue(credential: &Credential, token: NewToken, assertion: Option<Spent>) -> Vec<Effect> {
    let entry = Entry::of(audit::Event::TokenIssued, credential).actor(credential.id.as_str());
    let mut effects = vec![
        Effect::SaveToken(Box::new(token)),
        Effect::CloseDelivery(credential.id.clone()),
        Effect::Audit(entry),
    ];
    effects.extend(assertion.map(Effect::Remember));
    effects
}

/// A probe value was presented, and refused.
#[must_use]
pub fn probe_refused(mut rotation: RotationRow, now: Timestamp) -> Vec<Effect> {
    rotation.probe_refused_at = Some(now);
    vec![Effect::SaveRotation(Box::new(rotation))]
}

/// A test event was sent; `rotation` is the open one that it was about.
#[must_use]
pub fn tested(
    credential: &Credential,
    rotation: Option<RotationRow>,
    signed_by: SignedBy,
    outcome: Outcome,
    actor: &str,
    now: Timestamp,
) -> Vec<Effect> {
    let entry = Entry::of(audit::Event::EventTested, credential)
        .actor(actor)
        .text("signed_by", &signed_by.to_string())
        .text("outcome", &outcome.to_string());
    let mut effects = vec![Effect::Audit(entry)];
    let Some(mut rotation) = rotation else {
        return effects;
    };
    match (signed_by, outcome) {
        // The last observation counts: a receiver that was right once can be wrong by now.
        (SignedBy::Credential, outcome) if rotation.successor == credential.id => {
            rotation.event_accepted_at = (outcome == Outcome::Accepted).then_some(now);
        }
        (SignedBy::Probe, Outcome::Refused) => rotation.probe_refused_at = Some(now),
        (SignedBy::Probe, Outcome::Accepted) => rotation.probe_refused_at = None,
        _ => return effects,
    }
    effects.push(Effect::SaveRotation(Box::new(rotation)));
    effects
}
