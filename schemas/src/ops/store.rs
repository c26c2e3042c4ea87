//! Store: the one hand-over of a secret (spec chapter 15).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::discover::CredentialType;
use super::{Nothing, call};
use crate::ids::{CredentialId, DeliveryId};
use crate::state::named;
use crate::time::Timestamp;

/// How long a delivery can be read, in seconds.
pub const DELIVERY_SECONDS: i64 = 900;

named! {
    /// How a secret is handed over.
    DeliveryMode {
        /// In the clear, over TLS, never cached.
        Plain = "plain",
    }
}

/// A secret as it stands on the wire. It is wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretText(#[schemars(with = "String")] Zeroizing<String>);

impl SecretText {
    /// Takes a secret in.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself; the one way to it, so that every use can be searched for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// A secret and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// The kind of credential that it is the secret of.
    pub kind: CredentialType,
    /// The secret.
    pub value: SecretText,
}

/// The hand-over of one secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The delivery.
    pub id: DeliveryId,
    /// Whose secret it is.
    pub credential_id: CredentialId,
    /// How it is handed over.
    pub mode: DeliveryMode,
    /// The secret.
    pub secret: Secret,
    /// When the delivery is over.
    pub expires_at: Timestamp,
}

/// Which delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryPath {
    /// The delivery.
    pub delivery_id: DeliveryId,
}

call!(
    /// Fetches a secret.
    DeliveryRead, DeliveryPath, Nothing, Nothing => Delivery
);
