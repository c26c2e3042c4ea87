//! The requests that reached each tenant, for whoever tests a client.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use clp_schemas::ids::TenantId;
use clp_schemas::ops::control::LoggedRequest;

/// How many requests are kept for one tenant.
const KEPT: usize = 1000;

/// The last requests of each tenant. Neither a header field nor a query nor a body is kept.
#[derive(Debug, Default)]
pub struct RequestLog {
    tenants: Mutex<HashMap<TenantId, VecDeque<LoggedRequest>>>,
}

impl RequestLog {
    /// Writes a request down; the oldest of its tenant makes room.
    pub fn record(&self, tenant: &TenantId, request: LoggedRequest) {
        self.with(|tenants| {
            let requests = tenants.entry(tenant.clone()).or_default();
            if requests.len() >= KEPT {
                requests.pop_front();
            }
            requests.push_back(request);
        });
    }

    /// The requests of a tenant, oldest first.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Vec<LoggedRequest> {
        self.with(|tenants| {
            let requests = tenants.get(tenant);
            requests.map(|requests| requests.iter().cloned().collect()).unwrap_or_default()
        })
    }

    /// Forgets the requests of a tenant.
    pub fn clear(&self, tenant: &TenantId) {
        self.with(|tenants| tenants.remove(tenant));
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<TenantId, VecDeque<LoggedRequest>>) -> T) -> T {
        // No call leaves the map half changed, so a panic elsewhere spoils nothing.
        work(&mut self.tenants.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::time::Timestamp;

    #[test]
    fn the_last_thousand_of_a_tenant_are_kept() {
        let log = RequestLog::default();
        let tenant = TenantId::from_entropy([1; 16]);
        for status in 0..=1000 {
            log.record(
                &tenant,
                LoggedRequest {
                    time: Timestamp::from_unix(0),
                    method: "GET".to_owned(),
                    path: "/credentials".to_owned(),
                    status,
                    problem: None,
                },
            );
        }
        let kept = log.of(&tenant);
        assert_eq!((kept.len(), kept[0].status), (1000, 1));
        assert!(log.of(&TenantId::from_entropy([2; 16])).is_empty());
        log.clear(&tenant);
        assert!(log.of(&tenant).is_empty());
    }
}
