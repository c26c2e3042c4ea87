//! Tenants and who is in them.

use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::store::SecretText;
use clp_schemas::permissions::PermissionSet;
use clp_schemas::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Fault, Gate};

/// A tenant to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewTenant<'a> {
    /// The persona that it belongs to.
    pub persona: &'a str,
    /// Its name in the configuration; `None` for a sandbox.
    pub name: Option<&'a str>,
}

/// A principal as it is stored.
#[derive(Clone, Debug)]
pub struct PrincipalRow {
    /// The principal.
    pub id: PrincipalId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What it may do.
    pub permissions: PermissionSet,
}

/// Everything that a tenant holds beside its principals.
const CONTENTS: [&str; 26] = [
    "passkeys",
    "identity_providers",
    "credentials",
    "disclosures",
    "deliveries",
    "receipts",
    "stores",
    "installations",
    "requests",
    "challenges",
    "evidence",
    "rotations",
    "idempotency",
    "due",
    "audit_entries",
    "audit_about",
    "audit_readings",
    "audit_nodes",
    "resources",
    "secrets",
    "tokens",
    "seen",
    "uses",
    "part_uses",
    "accesses",
    "forgotten_accesses",
];

impl Gate<'_> {
    /// Makes a tenant, or finds the one of that name that the persona has already. A tenant
    /// without a name is a sandbox, and always new.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn make_tenant(&self, new: NewTenant<'_>) -> Result<TenantId, Fault> {
        if let Some(name) = new.name {
            let found: Option<String> = self
                .connection()
                .prepare_cached("SELECT id FROM tenants WHERE persona = ?1 AND name = ?2")?
                .query_row(params![new.persona, name], |row| row.get(0))
                .optional()?;
            if let Some(id) = found {
                return id.parse().map_err(|_| Fault::Value("tenant id"));
            }
        }
        let id = TenantId::from_entropy(self.random().bytes()?);
        self.connection()
            .prepare_cached(
                "INSERT INTO tenants (id, persona, name, sandbox) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                id.as_str(),
                new.persona,
                new.name,
                new.name.is_none()
            ])?;
        Ok(id)
    }

    /// Puts a principal into a tenant. One of the same name keeps its id, and gets the token
    /// and the permissions given here.
    ///
    /// # Errors
    /// A failure of the database, also where another principal has the same token.
    pub fn put_principal(
        &self,
        tenant: &TenantId,
        name: &str,
        token: &SecretText,
        permissions: &PermissionSet,
    ) -> Result<PrincipalId, Fault> {
        let id = PrincipalId::from_entropy(self.random().bytes()?);
        let id: String = self
            .connection()
            .prepare_cached(
                "INSERT INTO principals (id, tenant, name, token, permissions)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (tenant, name)
                 DO UPDATE SET token = excluded.token, permissions = excluded.permissions
                 RETURNING id",
            )?
            .query_row(
                params![
                    id.as_str(),
                    tenant.as_str(),
                    name,
                    self.keys().verifier(token.expose()).as_bytes(),
                    serde_json::to_string(permissions)?,
                ],
                |row| row.get(0),
            )?;
        id.parse().map_err(|_| Fault::Value("principal id"))
    }

    /// The principal of a persona that has this bearer token.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn principal_by_token(
        &self,
        persona: &str,
        token: &str,
    ) -> Result<Option<PrincipalRow>, Fault> {
        // The search is by a keyed hash: how long it takes says nothing about the token.
        let found: Option<(String, String, String)> = self
            .connection()
            .prepare_cached(
                "SELECT principals.id, tenant, permissions FROM principals
                 JOIN tenants ON tenants.id = tenant WHERE token = ?1 AND persona = ?2",
            )?
            .query_row(
                params![self.keys().verifier(token).as_bytes(), persona],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        found
            .map(|(id, tenant, permissions)| {
                Ok(PrincipalRow {
                    id: id.parse().map_err(|_| Fault::Value("principal id"))?,
                    tenant: tenant.parse().map_err(|_| Fault::Value("tenant id"))?,
                    permissions: serde_json::from_str(&permissions)?,
                })
            })
            .transpose()
    }

    /// A principal of a tenant by its id.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn principal(
        &self,
        tenant: &TenantId,
        id: &PrincipalId,
    ) -> Result<Option<PrincipalRow>, Fault> {
        let permissions: Option<String> = self
            .connection()
            .prepare_cached("SELECT permissions FROM principals WHERE id = ?1 AND tenant = ?2")?
            .query_row(params![id.as_str(), tenant.as_str()], |row| row.get(0))
            .optional()?;
        permissions
            .map(|permissions| {
                Ok(PrincipalRow {
                    id: id.clone(),
                    tenant: tenant.clone(),
                    permissions: serde_json::from_str(&permissions)?,
                })
            })
            .transpose()
    }

    /// The id of the principal of this name in a tenant.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn principal_by_name(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<PrincipalId>, Fault> {
        let id: Option<String> = self
            .connection()
            .prepare_cached("SELECT id FROM principals WHERE tenant = ?1 AND name = ?2")?
            .query_row(params![tenant.as_str(), name], |row| row.get(0))
            .optional()?;
        id.map(|id| id.parse().map_err(|_| Fault::Value("principal id")))
            .transpose()
    }

    /// The persona of a sandbox; `None` where the tenant is none.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn sandbox_persona(&self, tenant: &TenantId) -> Result<Option<String>, Fault> {
        Ok(self
            .connection()
            .prepare_cached("SELECT persona FROM tenants WHERE id = ?1 AND sandbox = 1")?
            .query_row([tenant.as_str()], |row| row.get(0))
            .optional()?)
    }

    /// Moves a tenant's clock forward; whatever was due in between has then happened.
    ///
    /// # Errors
    /// [`Fault::NoTenant`], or a failure of the database.
    pub fn advance_clock(&self, tenant: &TenantId, seconds: u64) -> Result<Timestamp, Fault> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        // Bounded, so that repeated calls stay within what RFC 3339 can write.
        self.connection()
            .prepare_cached("UPDATE tenants SET clock_offset = min(clock_offset + ?2, 200000000000) WHERE id = ?1")?
            .execute(params![tenant.as_str(), seconds])?;
        Ok(self.enter(tenant)?.now())
    }

    /// Empties a tenant, its log included, and sets its clock to the present. Principals and
    /// tokens stay.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn reset_tenant(&self, tenant: &TenantId) -> Result<(), Fault> {
        for table in CONTENTS {
            self.connection()
                .prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1"))?
                .execute([tenant.as_str()])?;
        }
        self.connection()
            .prepare_cached("UPDATE tenants SET clock_offset = 0 WHERE id = ?1")?
            .execute([tenant.as_str()])?;
        self.note_erased();
        Ok(())
    }
}
