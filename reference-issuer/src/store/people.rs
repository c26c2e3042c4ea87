//! Principals as people know them.

use clp_schemas::ids::{PrincipalId, TenantId};
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Gate};

impl Gate<'_> {
    /// The tenant that a principal of a persona is in.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn tenant_of_principal(
        &self,
        persona: &str,
        id: &PrincipalId,
    ) -> Result<Option<TenantId>, Fault> {
        let tenant: Option<String> = self
            .connection()
            .prepare_cached(
                "SELECT tenant FROM principals JOIN tenants ON tenants.id = tenant
                 WHERE principals.id = ?1 AND persona = ?2",
            )?
            .query_row(params![id.as_str(), persona], |row| row.get(0))
            .optional()?;
        tenant
            .map(|tenant| tenant.parse().map_err(|_| Fault::Value("tenant id")))
            .transpose()
    }

    /// What a principal of a tenant is called.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn principal_name(
        &self,
        tenant: &TenantId,
        id: &PrincipalId,
    ) -> Result<Option<String>, Fault> {
        Ok(self
            .connection()
            .prepare_cached("SELECT name FROM principals WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), tenant.as_str()], |row| row.get(0))
            .optional()?)
    }
}
