//! Who calls, and what they may do.

mod authority;
mod key;
pub(crate) mod scope;

pub use authority::{Action, Authority};
pub use key::{KeyUse, Presented, Scheme, use_key};
pub(crate) use key::{known_credential, refuse_probe};

use clp_schemas::ids::{CredentialId, PrincipalId, TenantId};
use clp_schemas::key::Key;
use clp_schemas::permissions::PermissionDocument;
use clp_schemas::problem::{Problem, ProblemType};

use crate::store::{Gate, Tx};

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Somebody who acts.
    Principal {
        /// Who.
        id: PrincipalId,
        /// What they may do.
        authority: Authority,
    },
    /// A key that was minted here. Below E it can end itself and do nothing else.
    Credential(CredentialId),
}

impl Caller {
    /// The caller's id, for the log.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Principal { id, .. } => id.as_str(),
            Self::Credential(id) => id.as_str(),
        }
    }

    /// The principal.
    ///
    /// # Errors
    /// `forbidden` for a minted key.
    pub fn principal(&self) -> Result<&PrincipalId, Problem> {
        match self {
            Self::Principal { id, .. } => Ok(id),
            Self::Credential(_) => Err(ProblemType::Forbidden.into()),
        }
    }

    /// Whether the caller may do this to credentials of a place, `<project>/<environment>`.
    #[must_use]
    pub fn may(&self, action: Action, place: &str) -> bool {
        match self {
            Self::Principal { authority, .. } => authority.allows(action, place),
            Self::Credential(_) => false,
        }
    }

    /// Whether there is any place at all where the caller may do this.
    #[must_use]
    pub fn may_somewhere(&self, action: Action) -> bool {
        match self {
            Self::Principal { authority, .. } => authority.allows_somewhere(action),
            Self::Credential(_) => false,
        }
    }

    /// Whether the caller may do this at every place there is.
    #[must_use]
    pub fn may_everywhere(&self, action: Action) -> bool {
        match self {
            Self::Principal { authority, .. } => authority.allows_everywhere(action),
            Self::Credential(_) => false,
        }
    }
}

/// Finds out who calls a persona with this bearer token, and steps into their tenant.
///
/// # Errors
/// `unauthenticated`, the same for a token that is malformed, unknown, expired or revoked.
pub fn authenticate<'c>(
    gate: &Gate<'c>,
    persona: &str,
    document: &PermissionDocument,
    bearer: Option<&str>,
) -> Result<(Tx<'c>, Caller), Problem> {
    let unauthenticated = || Problem::from(ProblemType::Unauthenticated);
    let token = bearer.ok_or_else(unauthenticated)?;
    if Key::parse(token).is_ok() {
        let (tx, credential) =
            key::live_credential(gate, persona, token)?.ok_or_else(unauthenticated)?;
        return Ok((tx, Caller::Credential(credential.id)));
    }
    let principal = gate
        .principal_by_token(persona, token)?
        .ok_or_else(unauthenticated)?;
    let tx = gate.enter(&principal.tenant)?;
    let authority = Authority::new(document, &principal.permissions);
    let caller = Caller::Principal {
        id: principal.id,
        authority,
    };
    Ok((tx, caller))
}

/// A principal of the tenant, as if it had called.
///
/// # Errors
/// `not-found` where the tenant has no such principal.
pub fn principal(
    gate: &Gate<'_>,
    tenant: &TenantId,
    document: &PermissionDocument,
    id: &PrincipalId,
) -> Result<Caller, Problem> {
    let row = gate.principal(tenant, id)?.ok_or(ProblemType::NotFound)?;
    Ok(Caller::Principal {
        authority: Authority::new(document, &row.permissions),
        id: row.id,
    })
}
