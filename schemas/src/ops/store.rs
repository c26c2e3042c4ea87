//! Store: the one hand-over of a secret (spec chapter 15).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::discover::CredentialType;
use super::{Nothing, call};
use crate::ids::{CredentialId, DeliveryId, PrincipalId, StoreId};
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
    /// The secret: a key, a client secret, `whsec_` and base64, or a private JWK as text.
    pub value: SecretText,
    /// For an `oauth_client` and a `service_account`: the OAuth client id, which is the
    /// credential's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<CredentialId>,
    /// For the same: where access tokens are issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
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

/// That a secret has arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AckBody {
    /// The store that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "inventory"))]
    pub store_id: Option<StoreId>,
}

/// A delivery that is over because its secret has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The delivery.
    pub id: DeliveryId,
    /// Whose secret it was.
    pub credential_id: CredentialId,
    /// When that was said first.
    pub acknowledged_at: Timestamp,
    /// The store named then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
}

named! {
    /// What keeps secrets.
    StoreKind {
        /// An encrypted file.
        File = "file",
        /// The keyring of an operating system or a secure enclave.
        Keyring = "keyring",
        /// A vault or a secret manager of one's own.
        Vault = "vault",
        /// A secret manager of a cloud provider.
        CloudManager = "cloud_manager",
        /// A broker that hands credentials on to agents and tools.
        Broker = "broker",
        /// None of these.
        Other = "other",
    }
}

/// A place where secrets are to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreBody {
    /// What people call it.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// What it is.
    pub kind: StoreKind,
    /// The person or team that answers for it.
    #[schemars(length(min = 1, max = 200))]
    pub owner: String,
    /// The project whose secrets it keeps.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub project: String,
    /// The environment whose secrets it keeps.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,62}$"))]
    pub environment: String,
}

/// A place where secrets are kept, as somebody named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Store {
    /// The store.
    pub id: StoreId,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: StoreKind,
    /// Who answers for it.
    pub owner: String,
    /// The project whose secrets it keeps.
    pub project: String,
    /// The environment whose secrets it keeps.
    pub environment: String,
    /// Who named it.
    pub registered_by: PrincipalId,
    /// When.
    pub registered_at: Timestamp,
}

/// Which stores, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreQuery {
    /// Of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Of this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// At most so many, 1 to 200; by default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One page of stores, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StorePage {
    /// The stores.
    pub items: Vec<Store>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

call!(
    /// Says that a secret has arrived.
    DeliveryAck, DeliveryPath, Nothing, AckBody => Receipt
);
call!(
    /// Names a store.
    StoreRegister, Nothing, Nothing, StoreBody => Store
);
call!(
    /// Lists stores.
    StoreList, Nothing, StoreQuery, Nothing => StorePage
);
call!(
    /// Fetches a secret.
    DeliveryRead, DeliveryPath, Nothing, Nothing => Delivery
);
