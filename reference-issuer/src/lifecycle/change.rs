//! What happens to a credential between its birth and its end (specification chapters 13, 15
//! and 19).

use clp_schemas::audit;
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::create::{AmendBody, Credential, Placement, Suspension};
use clp_schemas::ops::store::Receipt;
use clp_schemas::state::credential::{Event, MACHINE};
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

/// Stops a credential for now. Nothing happens to one that is not in use or is stopped already.
/// Answers the credential as it then is.
#[must_use]
pub fn suspend(
    mut credential: Credential,
    suspension: Suspension,
    note: Option<&str>,
) -> (Credential, Vec<Effect>) {
    let Some(next) = MACHINE.next(credential.state, Event::Suspend) else {
        return (credential, Vec::new());
    };
    credential.state = next;
    let entry = Entry::of(audit::Event::CredentialSuspended, &credential)
        .actor(suspension.by.as_str())
        .text("reason", &suspension.reason.to_string())
        .maybe("note", note);
    credential.suspension = Some(suspension);
    let effects = vec![
        Effect::SaveCredential(Box::new(credential.clone())),
        Effect::Audit(entry),
    ];
    (credential, effects)
}

/// Lets a credential work again. Nothing happens to one that is not stopped. Answers the
/// credential as it then is.
#[must_use]
pub fn resume(
    mut credential: Credential,
    is_being_replaced: bool,
    by: &str,
    note: Option<&str>,
) -> (Credential, Vec<Effect>) {
    let event = if is_being_replaced {
        Event::ResumeRetiring
    } else {
        Event::Resume
    };
    let Some(next) = MACHINE.next(credential.state, event) else {
        return (credential, Vec::new());
    };
    credential.state = next;
    credential.suspension = None;
    let entry = Entry::of(audit::Event::CredentialResumed, &credential)
        .actor(by)
        .maybe("note", note);
    let effects = vec![
        Effect::SaveCredential(Box::new(credential.clone())),
        Effect::Audit(entry),
    ];
    (credential, effects)
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

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::ops::revoke::RevocationReason;
    use clp_schemas::state::credential::State;
    use serde_json::json;

    fn credential(state: State) -> Credential {
        serde_json::from_value(json!({
            "id": "cred_00000000000000000000", "type": "api_key", "state": state, "purpose": "p",
            "owner": "o", "project": "a", "environment": "e", "permissions": [],
            "permission_schema_digest": "sha256:00", "key_id": "k", "labels": {"a": "b"},
            "created_at": "2026-11-24T19:39:13Z", "created_by": "prin_00000000000000000000",
            "created_via": {"kind": "direct"}, "disclosed_to": [],
        }))
        .unwrap()
    }

    fn suspension(reason: RevocationReason) -> Suspension {
        Suspension {
            reason,
            by: "prin_00000000000000000000".parse().unwrap(),
            at: Timestamp::from_unix(0),
        }
    }

    #[test]
    fn only_what_is_in_use_is_stopped_and_the_first_reason_stays() {
        for state in State::ALL {
            let (stopped, effects) = suspend(
                credential(*state),
                suspension(RevocationReason::Policy),
                None,
            );
            let stops = state.opens();
            assert_eq!(effects.is_empty(), !stops, "{state}");
            let wanted = if stops { State::Suspended } else { *state };
            assert_eq!(stopped.state, wanted);
            let again = suspend(
                stopped.clone(),
                suspension(RevocationReason::Compromise),
                None,
            );
            assert_eq!(again.0, stopped);
        }
    }

    #[test]
    fn what_is_resumed_stands_where_its_rotation_stands() {
        for (is_being_replaced, wanted) in [(false, State::Active), (true, State::Retiring)] {
            let mut stopped = credential(State::Suspended);
            stopped.suspension = Some(suspension(RevocationReason::Policy));
            let (resumed, effects) = resume(stopped, is_being_replaced, "ana", None);
            assert_eq!((resumed.state, resumed.suspension), (wanted, None));
            assert_eq!(effects.len(), 2);
        }
        for state in State::ALL {
            if *state != State::Suspended {
                let (same, effects) = resume(credential(*state), false, "ana", None);
                assert_eq!((same.state, effects.len()), (*state, 0));
            }
        }
    }

    #[test]
    fn what_is_not_sent_stays() {
        let before = credential(State::Active);
        let asked = AmendBody {
            owner: Some("x".to_owned()),
            ..AmendBody::default()
        };
        let (after, effects) = amend(before.clone(), &asked, "ana");
        assert_eq!(
            after,
            Credential {
                owner: "x".to_owned(),
                ..before
            }
        );
        assert_eq!(effects.len(), 2);
    }
}
