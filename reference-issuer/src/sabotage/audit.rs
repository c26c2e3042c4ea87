//! Saboteurs of what the log says (specification chapter 20).

use clp_schemas::audit::Event;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Saboteur;
use super::ways::{entry, minted, redact, silence};

/// One that leaves no entry about an event.
macro_rules! silent {
    ($name:literal, $does:literal, $event:ident) => {
        Saboteur::alter($name, $does, |_, effects| silence(effects, Event::$event))
    };
}

/// One that leaves a member out of the entry about an event.
macro_rules! terse {
    ($name:literal, $does:literal, $event:ident, $member:literal) => {
        Saboteur::alter($name, $does, |_, effects| {
            redact(effects, Event::$event, $member)
        })
    };
}

pub(super) const ALL: &[Saboteur] = &[
    silent!("CLP-AUD-001", "does not log who created", CredentialCreated),
    silent!(
        "CLP-AUD-001/opened",
        "does not log who asked",
        RequestOpened
    ),
    silent!(
        "CLP-AUD-001/approved",
        "does not log who approved",
        RequestApproved
    ),
    silent!(
        "CLP-AUD-001/denied",
        "does not log who denied",
        RequestDenied
    ),
    silent!(
        "CLP-AUD-001/lapsed",
        "does not log what nobody decided",
        RequestExpired
    ),
    silent!(
        "CLP-AUD-001/delivered",
        "does not log who fetched a secret",
        CredentialDelivered
    ),
    silent!(
        "CLP-AUD-001/rotated",
        "does not log who rotated",
        CredentialRotated
    ),
    silent!(
        "CLP-AUD-001/revoked",
        "does not log who revoked",
        CredentialRevoked
    ),
    silent!(
        "CLP-AUD-001/expired",
        "does not log what ended by itself",
        CredentialExpired
    ),
    terse!(
        "CLP-AUD-001/actor",
        "does not log who it was that revoked",
        CredentialRevoked,
        "actor"
    ),
    terse!(
        "CLP-AUD-001/note",
        "does not log the note of a revocation",
        CredentialRevoked,
        "note"
    ),
    terse!(
        "CLP-AUD-001/reason",
        "does not log why somebody rotated",
        CredentialRotated,
        "reason"
    ),
    terse!(
        "CLP-AUD-001/via",
        "does not log how a credential was created",
        CredentialCreated,
        "via"
    ),
    terse!(
        "CLP-AUD-001/digest",
        "does not log what was approved",
        RequestApproved,
        "digest"
    ),
    terse!(
        "CLP-AUD-001/method",
        "does not log how somebody approved",
        RequestApproved,
        "method"
    ),
    terse!(
        "CLP-AUD-001/request",
        "does not log from which request a credential was created",
        CredentialCreated,
        "request_id"
    ),
    terse!(
        "CLP-AUD-001/rotation",
        "does not log by which rotation a credential was created",
        CredentialCreated,
        "rotation_id"
    ),
    Saboteur::alter(
        "CLP-AUD-001/time",
        "logs somebody who ended a credential that ended by itself",
        |_, effects| {
            if let Some(entry) = entry(effects, Event::CredentialExpired) {
                entry.members.insert("actor".to_owned(), json!("time"));
            }
        },
    ),
    silent!("CLP-AUD-003", "does not log uses", CredentialUsed),
    silent!(
        "CLP-AUD-003/refused",
        "does not log attempts",
        CredentialUseRefused
    ),
    Saboteur::alter(
        "CLP-AUD-004",
        "logs the key id of a new credential",
        |_, effects| {
            let key_id = minted(effects).map(|(credential, _)| credential.key_id.clone());
            if let Some(entry) = entry(effects, Event::CredentialCreated) {
                entry.members.insert("key_id".to_owned(), json!(key_id));
            }
        },
    ),
    Saboteur::alter(
        "CLP-AUD-004/secret",
        "logs the key of a new credential",
        |_, effects| {
            let secret = minted(effects)
                .filter(|(credential, _)| credential.kind == CredentialType::ApiKey)
                .and_then(|(_, secret)| secret.text());
            if let Some(entry) = entry(effects, Event::CredentialCreated)
                && let Some(secret) = secret
            {
                entry
                    .members
                    .insert("secret".to_owned(), json!(secret.as_str()));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-AUD-005",
        "logs the creation of what it refuses because it ends too early",
        |asked, answer| {
            let made = answer.json();
            let (from, to) = (made["created_at"].as_str(), made["expires_at"].as_str());
            if asked.endpoint == "credential_create" && to.is_some() && to <= from {
                answer.refuse(ProblemType::ExpiryOutOfRange);
            }
        },
    )
    .without(&["CLP-CRE-009/past"]),
    silent!("CLP-AUD-024", "does not log who amended", CredentialAmended),
    silent!(
        "CLP-AUD-024/suspended",
        "does not log who suspended",
        CredentialSuspended
    ),
    silent!(
        "CLP-AUD-024/resumed",
        "does not log who resumed",
        CredentialResumed
    ),
    silent!(
        "CLP-AUD-024/arrived",
        "does not log what has arrived",
        DeliveryAcknowledged
    ),
    silent!(
        "CLP-AUD-024/store",
        "does not log who named a store",
        StoreRegistered
    ),
    silent!(
        "CLP-AUD-024/declared",
        "does not log who installed",
        InstallationDeclared
    ),
    silent!(
        "CLP-AUD-024/updated",
        "does not log what became of a place",
        InstallationUpdated
    ),
    silent!(
        "CLP-AUD-024/removed",
        "does not log who forgot a place",
        InstallationRemoved
    ),
    silent!(
        "CLP-AUD-024/advanced",
        "does not log who advanced",
        RotationAdvanced
    ),
    silent!(
        "CLP-AUD-024/completed",
        "does not log who completed",
        RotationCompleted
    ),
    silent!(
        "CLP-AUD-024/back",
        "does not log who rolled back",
        RotationRolledBack
    ),
    silent!(
        "CLP-AUD-024/blocked",
        "does not log what is overdue",
        RotationBlocked
    ),
    silent!("CLP-AUD-024/token", "does not log tokens", TokenIssued),
    silent!(
        "CLP-AUD-024/tested",
        "does not log test events",
        EventTested
    ),
    terse!(
        "CLP-AUD-024/changed",
        "does not log what was amended",
        CredentialAmended,
        "changed"
    ),
    terse!(
        "CLP-AUD-024/note",
        "does not log the note of a suspension",
        CredentialSuspended,
        "note"
    ),
    terse!(
        "CLP-AUD-024/where",
        "does not log where a secret is",
        DeliveryAcknowledged,
        "store_id"
    ),
    terse!(
        "CLP-AUD-024/outcome",
        "does not log how a test ended",
        EventTested,
        "outcome"
    ),
];
