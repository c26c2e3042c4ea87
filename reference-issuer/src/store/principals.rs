//! Who is in a tenant, and what its policy of approvals is.

use clp_schemas::approval::{Actor, MAX_ACTORS, PrincipalKind};
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::policy::ApprovalPolicy;
use clp_schemas::ops::store::SecretText;
use clp_schemas::permissions::PermissionSet;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Fault, Gate, Tx};

/// A principal to be put into a tenant.
#[derive(Clone, Copy, Debug)]
pub struct NewPrincipal<'a> {
    /// What it is called; unique in the tenant.
    pub name: &'a str,
    /// Its bearer token.
    pub token: &'a SecretText,
    /// What it may do.
    pub permissions: &'a PermissionSet,
    /// What it is.
    pub kind: PrincipalKind,
    /// For whom it acts.
    pub acts_for: Option<&'a PrincipalId>,
    /// Whether the tenant begins with it.
    pub is_first: bool,
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
    /// What it is.
    pub kind: PrincipalKind,
    /// For whom it acts.
    pub acts_for: Option<PrincipalId>,
    /// Whether its token is refused: it is disabled, or somebody is for whom it acts.
    pub is_disabled: bool,
    /// Whether that is so of itself.
    pub is_disabled_itself: bool,
}

/// The last is whether anybody is disabled from the principal outwards.
const COLUMNS: &str = "principals.id, principals.tenant, permissions, kind,
    principals.acts_for, principals.disabled,
    (WITH RECURSIVE outwards (acts_for, disabled) AS (
        SELECT principals.acts_for, principals.disabled
        UNION
        SELECT next.acts_for, next.disabled
        FROM principals next JOIN outwards ON next.id = outwards.acts_for
     ) SELECT max(disabled) FROM outwards)";

/// The columns of [`COLUMNS`] as they are stored.
type Stored = (String, String, String, String, Option<String>, bool, bool);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
    ))
}

impl TryFrom<Stored> for PrincipalRow {
    type Error = Fault;

    fn try_from(
        (id, tenant, permissions, kind, acts_for, is_disabled_itself, is_disabled): Stored,
    ) -> Result<Self, Fault> {
        let principal = |id: String| id.parse().map_err(|_| Fault::Value("principal id"));
        Ok(Self {
            id: principal(id)?,
            tenant: tenant.parse().map_err(|_| Fault::Value("tenant id"))?,
            permissions: serde_json::from_str(&permissions)?,
            kind: serde_json::from_value(kind.into())?,
            acts_for: acts_for.map(principal).transpose()?,
            is_disabled,
            is_disabled_itself,
        })
    }
}

impl Gate<'_> {
    /// Puts a principal into a tenant. One of the same name keeps its id, and gets everything
    /// else that is given here.
    ///
    /// # Errors
    /// A failure of the database, also where another principal has the same token.
    pub fn put_principal(
        &self,
        tenant: &TenantId,
        new: NewPrincipal<'_>,
    ) -> Result<PrincipalId, Fault> {
        let id = PrincipalId::from_entropy(self.random().bytes()?);
        let permissions = serde_json::to_string(new.permissions)?;
        let id: String = self
            .connection()
            .prepare_cached(
                "INSERT INTO principals (id, tenant, name, token, permissions, kind, acts_for, first)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (tenant, name)
                 DO UPDATE SET token = excluded.token, permissions = excluded.permissions,
                     kind = excluded.kind, acts_for = excluded.acts_for, first = excluded.first
                 RETURNING id",
            )?
            .query_row(
                params![
                    id.as_str(),
                    tenant.as_str(),
                    new.name,
                    self.keys().verifier(new.token.expose()).as_bytes(),
                    permissions,
                    new.kind.to_string(),
                    new.acts_for.map(PrincipalId::as_str),
                    new.is_first.then_some(&permissions),
                ],
                |row| row.get(0),
            )?;
        id.parse().map_err(|_| Fault::Value("principal id"))
    }

    /// Says what a principal of a tenant may do from now on. Nothing happens where there is none.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn set_principal(
        &self,
        tenant: &TenantId,
        id: &PrincipalId,
        permissions: &PermissionSet,
        is_disabled: bool,
    ) -> Result<(), Fault> {
        self.connection()
            .prepare_cached(
                "UPDATE principals SET permissions = ?3, disabled = ?4 WHERE id = ?1 AND tenant = ?2",
            )?
            .execute(params![
                id.as_str(),
                tenant.as_str(),
                serde_json::to_string(permissions)?,
                is_disabled,
            ])?;
        Ok(())
    }

    /// Makes the principals of a tenant what they were at its beginning.
    pub(super) fn reset_principals(&self, tenant: &TenantId) -> Result<(), Fault> {
        for statement in [
            // One that is gone acts for nobody, and nobody for it.
            "UPDATE principals SET acts_for = NULL WHERE tenant = ?1 AND first IS NULL",
            "DELETE FROM principals WHERE tenant = ?1 AND first IS NULL",
            "UPDATE principals SET permissions = first, disabled = 0 WHERE tenant = ?1",
        ] {
            self.connection()
                .prepare_cached(statement)?
                .execute([tenant.as_str()])?;
        }
        Ok(())
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
        self.connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM principals
                 JOIN tenants ON tenants.id = tenant WHERE token = ?1 AND persona = ?2",
            ))?
            .query_row(
                params![self.keys().verifier(token).as_bytes(), persona],
                stored,
            )
            .optional()?
            .map(PrincipalRow::try_from)
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
        self.connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM principals WHERE id = ?1 AND tenant = ?2"
            ))?
            .query_row(params![id.as_str(), tenant.as_str()], stored)
            .optional()?
            .map(PrincipalRow::try_from)
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
}

impl Tx<'_> {
    /// A principal of the tenant, then the one that it acts for, and so on outwards.
    ///
    /// # Errors
    /// A failure of the database, also where a chain is longer than it can become.
    pub fn actors(&self, id: &PrincipalId) -> Result<Vec<Actor>, Fault> {
        let mut chain = Vec::new();
        let mut next = Some(id.clone());
        while let Some(id) = next {
            if chain.len() == MAX_ACTORS {
                return Err(Fault::Value("chain of principals"));
            }
            let row = self.principal(&id)?.ok_or(Fault::Value("principal"))?;
            chain.push(Actor {
                principal: id,
                kind: row.kind,
            });
            next = row.acts_for;
        }
        Ok(chain)
    }

    /// The tenant's approval policy, if one was set.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn policy(&self) -> Result<Option<ApprovalPolicy>, Fault> {
        let record: Option<String> = self
            .connection()
            .prepare_cached(
                "SELECT record FROM policies WHERE tenant = ?1 ORDER BY number DESC LIMIT 1",
            )?
            .query_row([self.tenant().as_str()], |row| row.get(0))
            .optional()?;
        Ok(record
            .map(|record| serde_json::from_str(&record))
            .transpose()?)
    }

    /// Sets the tenant's approval policy. The ones before are kept, since approvals name them.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn put_policy(&mut self, digest: &str, policy: &ApprovalPolicy) -> Result<(), Fault> {
        self.connection()
            .prepare_cached("INSERT INTO policies (tenant, digest, record) VALUES (?1, ?2, ?3)")?
            .execute(params![
                self.tenant().as_str(),
                digest,
                serde_json::to_string(policy)?,
            ])?;
        Ok(())
    }
}
