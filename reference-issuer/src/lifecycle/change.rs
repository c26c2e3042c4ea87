//! What happens to a credential between its birth and its end (specification chapters 13, 15
//! and 19).

use clp_schemas::audit;
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::create::{AmendBody, Credential, Placement, Suspension};
use clp_schemas::ops::store::Receipt;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential::{Event, MACHINE, State};
use clp_schemas::time::Timestamp;

use super::Effect;
use crate::audit::Entry;
use crate::store::Due;

/// Replaces the members that were sent. Answers the credential as it then is.
#[must_use]
pub fn amend(mut credential: Credential, asked: &AmendBody, by: &str) -> (Credential, Vec<Effect>) {
    let mut changed = Vec::new();
    let mut effects = Vec::new();
    if let Some(owner) = &asked.owner {
        credential.owner.clone_from(owner);
        changed.push("owner");
    }
    if let Some(labels) = &asked.labels {
        credential.labels.clone_from(labels);
        changed.push("labels");
    }
    if let Some(at) = asked.expires_at {
        credential.expires_at = Some(at);
        changed.push("expires_at");
        effects.push(Effect::Schedule(at, Due::Credential(credential.id.clone())));
    }
    let entry = Entry::of(audit::Event::CredentialAmended, &credential)
        .actor(by)
        .changed(&changed);
    effects.push(Effect::SaveCredential(Box::new(credential.clone())));
    effects.push(Effect::Audit(entry));
    (credential, effects)
}

/// Stops a credential for now. Nothing happens to one that is stopped already. Answers the
/// credential as it then is.
///
/// # Errors
/// `credential-not-active`, where it does not open anything.
pub fn suspend(
    mut credential: Credential,
    suspension: Suspension,
    note: Option<&str>,
) -> Result<(Credential, Vec<Effect>), Problem> {
    if credential.state == State::Suspended {
        return Ok((credential, Vec::new()));
    }
    credential.state = MACHINE
        .next(credential.state, Event::Suspend)
        .ok_or(ProblemType::CredentialNotActive)?;
    let entry = Entry::of(audit::Event::CredentialSuspended, &credential)
        .actor(suspension.by.as_str())
        .text("reason", &suspension.reason.to_string())
        .maybe("note", note);
    credential.suspension = Some(suspension);
    let effects = vec![
        Effect::SaveCredential(Box::new(credential.clone())),
        Effect::Audit(entry),
    ];
    Ok((credential, effects))
}

/// Lets a credential work again. Nothing happens to one that works. Answers the credential as
/// it then is.
///
/// # Errors
/// `credential-not-active`, where it has not been in use yet, or has ended.
pub fn resume(
    mut credential: Credential,
    is_being_replaced: bool,
    by: &str,
    note: Option<&str>,
) -> Result<(Credential, Vec<Effect>), Problem> {
    if credential.state.opens() {
        return Ok((credential, Vec::new()));
    }
    let event = if is_being_replaced {
        Event::ResumeRetiring
    } else {
        Event::Resume
    };
    credential.state = MACHINE
        .next(credential.state, event)
        .ok_or(ProblemType::CredentialNotActive)?;
    credential.suspension = None;
    let entry = Entry::of(audit::Event::CredentialResumed, &credential)
        .actor(by)
        .maybe("note", note);
    let effects = vec![
        Effect::SaveCredential(Box::new(credential.clone())),
        Effect::Audit(entry),
    ];
    Ok((credential, effects))
}

/// Ends a delivery because its secret has arrived.
#[must_use]
pub fn acknowledge(
    mut credential: Credential,
    receipt: Receipt,
    by: &PrincipalId,
    now: Timestamp,
) -> Vec<Effect> {
    let entry = Entry::of(audit::Event::DeliveryAcknowledged, &credential)
        .actor(by.as_str())
        .text("delivery_id", receipt.id.as_str())
        .maybe("store_id", receipt.store_id.as_ref().map(|id| id.as_str()));
    let mut effects = vec![Effect::CloseDelivery(credential.id.clone())];
    if let Some(store) = &receipt.store_id {
        credential.stored_in.push(Placement {
            store_id: store.clone(),
            by: by.clone(),
            at: now,
        });
        effects.push(Effect::SaveCredential(Box::new(credential)));
    }
    effects.push(Effect::SaveReceipt(Box::new(receipt)));
    effects.push(Effect::Audit(entry));
    effects
}
