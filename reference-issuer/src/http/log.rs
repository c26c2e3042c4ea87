//! What reached each tenant, for tests of clients. Kept in memory: it is no part of the state.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use clp_schemas::ids::TenantId;
use clp_schemas::ops::control::LoggedRequest;

/// The most requests kept for each tenant.
const KEPT: usize = 1000;

/// The most bytes that are kept of a path.
const MAX_PATH: usize = 2048;

/// The last requests of each tenant, oldest first, without headers and bodies.
#[derive(Debug, Default)]
pub struct RequestLog(Mutex<HashMap<TenantId, VecDeque<LoggedRequest>>>);

impl RequestLog {
    /// Notes a request of a tenant; the oldest one makes room.
    pub fn record(&self, tenant: &TenantId, mut request: LoggedRequest) {
        let end = request.path.floor_char_boundary(MAX_PATH);
        request.path.truncate(end);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(tenant.clone()).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(request);
    }

    /// The requests of a tenant.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Vec<LoggedRequest> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(tenant)
            .map(|kept| kept.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Forgets the requests of a tenant.
    pub fn clear(&self, tenant: &TenantId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(tenant);
    }
}
