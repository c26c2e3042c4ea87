//! Decisions. Everything here but [`sweep`] is pure: from what is the case and what happens
//! follows what is to be done, as [`Effect`]s, or a problem. The moves are those of the
//! tables in `clp_schemas::state`; what no row admits does not happen.

pub mod access;
pub mod change;
pub mod credential;
pub mod inventory;
pub mod request;
pub mod rotation;
pub(crate) mod sweep;
#[cfg(test)]
mod tests;

use clp_schemas::ids::{ChallengeId, CredentialId, PrincipalId};
use clp_schemas::ops::approve::{AttestationTrust, Challenge};
use clp_schemas::ops::control::IdentityProviderBody;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::ops::store::{Receipt, Store};
use clp_schemas::time::Timestamp;

use self::access::{NewToken, Spent, Use};
use self::credential::FreshSecret;
use crate::audit::Entry;
use crate::passkey::Passkey;
use crate::store::{
    DeliveryRow, Due, EvidenceRow, IdempotencyKey, InstallationRow, Recorded, RotationRow,
};

/// Something to be done to the state, as data: decided first, carried out afterwards.
#[derive(Debug)]
pub enum Effect {
    /// Store a new credential, what is kept of its secret, and the secret, sealed, for delivery.
    Mint {
        /// The credential.
        credential: Box<Credential>,
        /// Its secret.
        secret: FreshSecret,
        /// Who may fetch the secret, and until when.
        delivery: Option<DeliveryRow>,
    },
    /// Store a credential that has changed.
    SaveCredential(Box<Credential>),
    /// Erase what is left of the secret of a credential.
    CloseDelivery(CredentialId),
    /// Store a new request, or one that has changed.
    SaveRequest(Box<CredentialRequest>),
    /// Store a new challenge.
    SaveChallenge(Box<Challenge>),
    /// Use a challenge up.
    UseChallenge(ChallengeId),
    /// Keep what proves an approval.
    SaveEvidence(Box<EvidenceRow>),
    /// Store an authenticator of a principal, or its counter.
    SavePasskey(PrincipalId, Passkey),
    /// Store whose word the tenant takes for what an authenticator is.
    SaveAttestationTrust(Box<AttestationTrust>),
    /// Trust an identity provider.
    SaveProvider(Box<IdentityProviderBody>),
    /// Store a new rotation, or one that has changed.
    SaveRotation(Box<RotationRow>),
    /// Store a new installation, or one that has changed or moved.
    SaveInstallation(Box<InstallationRow>),
    /// Forget an installation.
    RemoveInstallation(Box<InstallationRow>),
    /// Store what was said of a new store.
    SaveStore(Box<Store>),
    /// Store the answer to an acknowledgement.
    SaveReceipt(Box<Receipt>),
    /// Store an access token.
    SaveToken(Box<NewToken>),
    /// Remember an identifier that is good once.
    Remember(Spent),
    /// Count an accepted call.
    CountUse(Box<Use>),
    /// Keep an answer, to be given again when the call is repeated.
    Record {
        /// What makes it the same call.
        key: IdempotencyKey,
        /// What is answered.
        answer: Recorded,
        /// When it need not be kept any more.
        forget_at: Timestamp,
    },
    /// Look at something again at a time.
    Schedule(Timestamp, Due),
    /// Write an entry into the log.
    Audit(Entry),
    /// Count a reading of the log, to be written together with others.
    CountAuditRead(PrincipalId),
}
