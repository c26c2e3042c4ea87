//! The life of a credential (specification chapters 01, 13, 15 and 19).

use std::fmt;

use clp_schemas::audit;
use clp_schemas::ids::{CredentialId, DeliveryId, PrincipalId};
use clp_schemas::jose::PublicJwk;
use clp_schemas::key::Key;
use clp_schemas::ops::create::{
    Confirmation, Credential, Disclosure, Labels, Origin, RotationPolicy, Subject, Webhook,
};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::revoke::Revocation;
use clp_schemas::ops::store::DELIVERY_SECONDS;
use clp_schemas::permissions::PermissionSet;
use clp_schemas::state::credential::{Event, MACHINE, State};
use clp_schemas::time::Timestamp;
use clp_schemas::webhook::WebhookSecret;
use zeroize::Zeroizing;

use super::Effect;
use super::rotation::{self, Ending, Neighbours};
use crate::audit::Entry;
use crate::store::{DeliveryRow, Due, RotationRow};

/// What a new credential is to be.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// Its kind.
    pub kind: CredentialType,
    /// What it opens.
    pub permissions: PermissionSet,
    /// The permission document that gives them their meaning.
    pub permission_schema_digest: String,
    /// What it is for.
    pub purpose: String,
    /// Who answers for it.
    pub owner: String,
    /// The project that it belongs to.
    pub project: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// Who or what will use it.
    pub subject: Option<Subject>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// How it is to be rotated.
    pub rotation_policy: Option<RotationPolicy>,
    /// Free labels.
    pub labels: Labels,
    /// What brings it into being.
    pub created_via: Origin,
    /// The credential that it replaces.
    pub predecessor: Option<CredentialId>,
    /// The key pair without which it is to open nothing.
    pub cnf: Option<Confirmation>,
    /// Where the events go that it signs.
    pub webhook: Option<Webhook>,
}

/// What is fresh about a new credential.
#[derive(Debug)]
pub struct Fresh {
    /// Its id.
    pub id: CredentialId,
    /// The id of its delivery.
    pub delivery: DeliveryId,
    /// Its secret.
    pub secret: FreshSecret,
    /// The public part of the secret.
    pub key_id: String,
    /// The public key of its assertions.
    pub public_jwk: Option<PublicJwk>,
}

/// The secret of a new credential.
pub enum FreshSecret {
    /// It is presented; what is kept of it can only tell it again.
    Key(Key),
    /// It signs here, and so is kept.
    Webhook(WebhookSecret),
    /// It signs elsewhere; only its public half is kept.
    PrivateJwk(Zeroizing<String>),
    /// The requester has it and nobody else.
    Own,
}

impl fmt::Debug for FreshSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FreshSecret(..)")
    }
}

impl FreshSecret {
    /// What is handed over.
    #[must_use]
    pub fn text(&self) -> Option<Zeroizing<String>> {
        match self {
            Self::Key(key) => Some(Zeroizing::new(key.expose().to_owned())),
            Self::Webhook(secret) => Some(secret.expose()),
            Self::PrivateJwk(text) => Some(text.clone()),
            Self::Own => None,
        }
    }
}

/// Mints a credential for `creator`, who alone may fetch the secret. Where that is the
/// requester's own, there is nothing to wait for.
#[must_use]
pub fn create(
    blueprint: Blueprint,
    fresh: Fresh,
    creator: &PrincipalId,
    now: Timestamp,
) -> (Credential, Vec<Effect>) {
    let is_own = matches!(fresh.secret, FreshSecret::Own);
    let credential = Credential {
        id: fresh.id,
        kind: blueprint.kind,
        state: if is_own {
            State::Active
        } else {
            MACHINE.initial
        },
        purpose: blueprint.purpose,
        owner: blueprint.owner,
        project: blueprint.project,
        environment: blueprint.environment,
        subject: blueprint.subject,
        permissions: blueprint.permissions,
        permission_schema_digest: blueprint.permission_schema_digest,
        key_id: fresh.key_id,
        created_at: now,
        created_by: creator.clone(),
        created_via: blueprint.created_via,
        expires_at: blueprint.expires_at,
        rotation_policy: blueprint.rotation_policy,
        predecessor: blueprint.predecessor,
        successor: None,
        labels: blueprint.labels,
        cnf: blueprint.cnf,
        public_jwk: fresh.public_jwk,
        webhook: blueprint.webhook,
        disclosed_to: Vec::new(),
        stored_in: Vec::new(),
        suspension: None,
        revocation: None,
        delivery: None,
    };
    let delivery = (!is_own).then(|| DeliveryRow {
        id: fresh.delivery,
        credential: credential.id.clone(),
        principal: creator.clone(),
        expires_at: now.plus(DELIVERY_SECONDS),
    });
    let via = &credential.created_via;
    let entry = Entry::of(audit::Event::CredentialCreated, &credential)
        .actor(creator.as_str())
        .text("via", &via.kind.to_string())
        .maybe("request_id", via.request_id.as_ref().map(|id| id.as_str()));
    let entry = match &via.rotation_id {
        Some(id) => entry.rotation(id),
        None => entry,
    };
    let mut effects = Vec::new();
    if let Some(at) = credential.expires_at {
        effects.push(Effect::Schedule(at, Due::Credential(credential.id.clone())));
    }
    if let Some(delivery) = &delivery {
        effects.push(Effect::Schedule(
            delivery.expires_at,
            Due::Delivery(delivery.id.clone()),
        ));
    }
    effects.push(Effect::Mint {
        credential: Box::new(credential.clone()),
        secret: fresh.secret,
        delivery,
    });
    effects.push(Effect::Audit(entry));
    (credential, effects)
}

/// Hands the secret to whom the delivery belongs. The first time, the credential becomes active,
/// and the rotation that minted it, where it is given, goes on.
#[must_use]
pub fn deliver(
    mut credential: Credential,
    delivery: &DeliveryRow,
    rotation: Option<RotationRow>,
    now: Timestamp,
) -> Vec<Effect> {
    let reader = &delivery.principal;
    let entry = Entry::of(audit::Event::CredentialDelivered, &credential)
        .actor(reader.as_str())
        .text("delivery_id", delivery.id.as_str());
    let known = credential
        .disclosed_to
        .iter()
        .any(|seen| seen.principal == *reader);
    if !known {
        credential.disclosed_to.push(Disclosure {
            principal: reader.clone(),
            at: now,
        });
    }
    let next = MACHINE.next(credential.state, Event::Deliver);
    let mut effects = Vec::new();
    if !known || next.is_some() {
        credential.state = next.unwrap_or(credential.state);
        effects.push(Effect::SaveCredential(Box::new(credential)));
    }
    effects.push(Effect::Audit(entry));
    if next.is_some() {
        effects.extend(rotation.and_then(rotation::deliver));
    }
    effects
}

/// The time of a delivery is over: the secret goes, and a credential that nobody fetched ends.
#[must_use]
pub fn lapse(credential: Credential, neighbours: Neighbours, at: Timestamp) -> Vec<Effect> {
    if credential.state == State::Provisioned {
        return expire(credential, neighbours, at);
    }
    vec![Effect::CloseDelivery(credential.id)]
}

/// Ends a credential because its time is over. Nothing happens to one that has ended.
#[must_use]
pub fn expire(mut credential: Credential, neighbours: Neighbours, at: Timestamp) -> Vec<Effect> {
    let Some(next) = MACHINE.next(credential.state, Event::Expire) else {
        return Vec::new();
    };
    credential.state = next;
    let entry = Entry::of(audit::Event::CredentialExpired, &credential).at(at);
    credential.suspension = None;
    end(credential, neighbours, entry, Ending { at, by: None })
}

/// Ends a credential because somebody said so. Nothing happens to one that has ended.
///
/// Answers the credential as it then is.
#[must_use]
pub fn revoke(
    mut credential: Credential,
    neighbours: Neighbours,
    revocation: Revocation,
    note: Option<&str>,
) -> (Credential, Vec<Effect>) {
    let Some(next) = MACHINE.next(credential.state, Event::Revoke) else {
        return (credential, Vec::new());
    };
    credential.state = next;
    let entry = Entry::of(audit::Event::CredentialRevoked, &credential)
        .actor(&revocation.by)
        .text("mode", &revocation.mode.to_string())
        .text("reason", &revocation.reason.to_string())
        .maybe("note", note);
    let by = revocation.by.clone();
    let ending = Ending {
        at: revocation.at,
        by: Some(&by),
    };
    credential.revocation = Some(revocation);
    credential.suspension = None;
    let effects = end(credential.clone(), neighbours, entry, ending);
    (credential, effects)
}

/// What the end of a credential entails, however it came.
fn end(
    credential: Credential,
    neighbours: Neighbours,
    entry: Entry,
    ending: Ending<'_>,
) -> Vec<Effect> {
    let mut of_rotations = rotation::ended(&credential, neighbours, ending);
    let mut effects = vec![
        Effect::CloseDelivery(credential.id.clone()),
        Effect::SaveCredential(Box::new(credential)),
        Effect::Audit(entry),
    ];
    effects.append(&mut of_rotations);
    effects
}
