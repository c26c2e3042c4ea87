//! One persona as it is served: what its handlers need to know besides the state.

use std::sync::Arc;

use clp_schemas::endpoint::Class;
use clp_schemas::ids::{CredentialId, DeliveryId, InstallationId, RequestId, TenantId};
use clp_schemas::ops::control::LoggedRequest;
use clp_schemas::ops::discover::UsageObservation;
use clp_schemas::time::Timestamp;

use crate::config::Persona;
use crate::console::Console;
use crate::events::Courier;
use crate::faults::Faults;
use crate::http::{Failures, Inbound, Reply, RequestLog};
use crate::seams::Seams;
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
    /// What goes wrong on purpose.
    pub faults: Arc<Faults>,
    /// What takes events to their receivers.
    pub(crate) courier: Courier,
    /// Where the issuer can be made to break the protocol.
    pub seams: Seams,
    /// Who failed to authenticate below E.
    pub failures: Failures,
    /// Who failed to authenticate at the persona's own API: a count of its own, since those are
    /// other peers.
    pub resource_failures: Failures,
    /// What the approval page remembers.
    pub(crate) console: Console,
}

impl Service {
    /// A persona served on a port of the loopback interface.
    ///
    /// The host is spelled as a name because browsers refuse `WebAuthn` on an IP address.
    #[must_use]
    pub(crate) fn new(
        persona: Arc<Persona>,
        port: u16,
        store: Store,
        log: Arc<RequestLog>,
        faults: Arc<Faults>,
        courier: Courier,
        seams: Seams,
    ) -> Self {
        let log_prefix = format!("localhost:{port}");
        Self {
            origin: format!("http://{log_prefix}"),
            log_prefix,
            digest: persona.permissions.digest(),
            persona,
            store,
            log,
            faults,
            courier,
            seams,
            failures: Failures::new(seams),
            resource_failures: Failures::new(seams),
            console: Console::default(),
        }
    }

    /// E.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}{ENDPOINT_PATH}", self.origin)
    }

    /// Notes a call in the request log of a tenant.
    pub fn note_call(
        &self,
        (tenant, time): (TenantId, Timestamp),
        inbound: &Inbound,
        reply: &Reply,
    ) {
        let logged = LoggedRequest {
            time,
            method: inbound.method.clone(),
            path: inbound.path.clone(),
            status: reply.status(),
            problem: reply.problem().map(str::to_owned),
        };
        self.log.record(&tenant, logged);
    }

    /// Where access tokens are issued.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}/oauth/token", self.endpoint())
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

    /// Where an installation is read.
    #[must_use]
    pub fn installation_uri(&self, credential: &CredentialId, id: &InstallationId) -> String {
        format!("{}/installations/{id}", self.credential_uri(credential))
    }

    /// What is seen of uses here. The resource counts them in the transaction that serves them,
    /// so nothing lags.
    #[must_use]
    pub fn usage_observation(&self) -> UsageObservation {
        if self.persona.claims(Class::Inventory) {
            UsageObservation::PerConsumer
        } else if self.persona.claims(Class::Lifecycle) {
            UsageObservation::LastUsed
        } else {
            UsageObservation::None
        }
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
