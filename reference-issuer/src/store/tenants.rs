//! Tenants and their clocks.

use clp_schemas::ids::TenantId;
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

/// Everything that a tenant holds beside its principals.
const CONTENTS: [&str; 28] = [
    "policies",
    "passkeys",
    "attestation_trust",
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

    /// Empties a tenant, its log included, and sets its clock to the present. The principals that
    /// it began with are as they were, with their tokens; others are gone.
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
        self.reset_principals(tenant)?;
        self.note_erased();
        Ok(())
    }
}
