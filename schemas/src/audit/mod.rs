//! The audit log (specification chapter 20-audit): what happened, in a Merkle tree whose
//! signed head lets nobody, the issuer included, take an entry back unseen.

pub mod bundle;
pub mod checkpoint;
pub mod leaf;
pub mod merkle;
pub mod note;

pub use bundle::{AuditEntry, ConsistencyProof, InclusionProof};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[$doc:meta])+ $variant:ident $name:literal;)+) => {
        /// The events of this version of the protocol. A log may hold others, so an entry
        /// on the wire carries the name as text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Event {
            $($(#[$doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Event {
            /// Every event, in the order of the specification's table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The event's name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

events! {
    /// A request for a credential was stored.
    RequestOpened "request.opened";
    /// A request was approved.
    RequestApproved "request.approved";
    /// A request was denied.
    RequestDenied "request.denied";
    /// A request was changed by whoever asked.
    RequestAmended "request.amended";
    /// A request was taken back by whoever asked.
    RequestCancelled "request.cancelled";
    /// A request ran out before it was decided on or used.
    RequestExpired "request.expired";
    /// A credential was created.
    CredentialCreated "credential.created";
    /// The secret was handed out.
    CredentialDelivered "credential.delivered";
    /// The credential was accepted; may stand for many uses.
    CredentialUsed "credential.used";
    /// The credential was presented and refused; may stand for many tries.
    CredentialUseRefused "credential.use_refused";
    /// A successor was created.
    CredentialRotated "credential.rotated";
    /// The credential was revoked.
    CredentialRevoked "credential.revoked";
    /// The credential ran out.
    CredentialExpired "credential.expired";
    /// Owner, labels or end of a credential were changed.
    CredentialAmended "credential.amended";
    /// A credential was stopped reversibly.
    CredentialSuspended "credential.suspended";
    /// A suspended credential works again.
    CredentialResumed "credential.resumed";
    /// A client said that a secret is in its store.
    DeliveryAcknowledged "delivery.acknowledged";
    /// A place where secrets are kept was named.
    StoreRegistered "store.registered";
    /// A place where a credential is used was declared.
    InstallationDeclared "installation.declared";
    /// An installation was changed, or moved to another credential.
    InstallationUpdated "installation.updated";
    /// An installation was forgotten.
    InstallationRemoved "installation.removed";
    /// A rotation went one stage further.
    RotationAdvanced "rotation.advanced";
    /// A rotation ended with its predecessor.
    RotationCompleted "rotation.completed";
    /// A rotation ended with its successor.
    RotationRolledBack "rotation.rolled_back";
    /// A rotation did not end before its deadline.
    RotationBlocked "rotation.blocked";
    /// An access token was issued.
    TokenIssued "token.issued";
    /// A test event was sent.
    EventTested "event.tested";
    /// The log itself was read.
    AuditRead "audit.read";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_name_is_well_formed_and_unique() {
        let names: std::collections::BTreeSet<_> =
            Event::ALL.iter().map(|event| event.as_str()).collect();
        assert_eq!(names.len(), Event::ALL.len());
        for event in Event::ALL {
            assert!(leaf::is_event_name(event.as_str()));
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
    }
}
