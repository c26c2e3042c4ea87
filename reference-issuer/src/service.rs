//! One persona as it is served: what its handlers need to know besides the state.

use std::sync::Arc;

use clp_schemas::ids::{CredentialId, DeliveryId, RequestId, TenantId};
use clp_schemas::time::Timestamp;

use crate::config::Persona;
use crate::http::{Failures, RequestLog};
use crate::store::Store;

/// The path of E, the collection of credentials, below the origin.
pub const ENDPOINT_PATH: &str = "/credentials";

/// One persona as it is served. Shared by all its calls.
#[derive(Debug)]
pub struct Service {
    /// What it grants, and to whom.
    pub persona: Arc<Persona>,
    /// Its issuer identifier, which is its origin: `http://localhost:PORT`.
    pub origin: String,
    /// What its log origins begin with: `localhost:PORT`.
    pub log_prefix: String,
    /// The digest of the permission document in force.
    pub digest: String,
    /// The state.
    pub store: Store,
    /// What reached it.
    pub log: Arc<RequestLog>,
    /// Who failed to authenticate.
    pub failures: Failures,
}

impl Service {
    /// A persona served on a port of the loopback interface.
    ///
    /// The host is spelled as a name because browsers refuse `WebAuthn` on an IP address.
    #[must_use]
    pub fn new(persona: Arc<Persona>, port: u16, store: Store, log: Arc<RequestLog>) -> Self {
        let log_prefix = format!("localhost:{port}");
        Self {
            origin: format!("http://{log_prefix}"),
            log_prefix,
            digest: persona.permissions.digest(),
            persona,
            store,
            log,
            failures: Failures::default(),
        }
    }

    /// E.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}{ENDPOINT_PATH}", self.origin)
    }

    /// Where a credential is read.
    #[must_use]
    pub fn credential_uri(&self, id: &CredentialId) -> String {
        format!("{}/{id}", self.endpoint())
    }

    /// Where a secret is fetched.
    #[must_use]
    pub fn delivery_uri(&self, id: &DeliveryId) -> String {
        format!("{}/deliveries/{id}", self.endpoint())
    }

    /// Where a request is read.
    #[must_use]
    pub fn request_uri(&self, id: &RequestId) -> String {
        format!("{}/requests/{id}", self.endpoint())
    }

    /// Where a person decides on a request.
    #[must_use]
    pub fn approval_uri(&self, id: &RequestId) -> String {
        format!("{}{APPROVAL_PATH}{id}", self.origin)
    }

    /// The origin of a tenant's log.
    #[must_use]
    pub fn log_origin(&self, tenant: &TenantId) -> String {
        format!("{}/{tenant}", self.log_prefix)
    }

    /// The latest end that a life beginning now may have; `None` where there is no bound.
    #[must_use]
    pub fn latest_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        self.persona
            .max_lifetime_seconds
            .map(|seconds| now.plus(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }
}

/// What the path of an approval page begins with; a request's id follows.
pub const APPROVAL_PATH: &str = "/approve/";
