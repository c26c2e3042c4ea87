//! Who calls, and what they may do.

mod admission;
mod authority;
mod key;
pub(crate) mod scope;

pub use authority::{Action, Authority};
pub use key::{KeyUse, Presented, Scheme, use_key};
pub(crate) use key::{known_credential, refuse_probe, tenant_of};

use clp_schemas::ids::{CredentialId, PrincipalId, TenantId};
use clp_schemas::key::Key;
use clp_schemas::permissions::PermissionDocument;
use clp_schemas::problem::{Problem, ProblemType};

use crate::rules::Rule;
use crate::store::{Fault, Gate, Tx};

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
    let found = match bearer {
        Some(token) => identify(gate, persona, document, token)?,
        None => None,
    };
    let identity = Identity {
        is_known: found.is_some(),
        is_disabled: found.as_ref().is_some_and(|found| found.is_disabled_itself),
        acts_for_disabled: found
            .as_ref()
            .is_some_and(|found| found.is_disabled && !found.is_disabled_itself),
    };
    gate.seams().check(RULES, &identity)?;
    let found = found.ok_or(ProblemType::Unauthenticated)?;
    Ok((found.tx, found.caller))
}

/// Step 4.
struct Identity {
    is_known: bool,
    is_disabled: bool,
    acts_for_disabled: bool,
}

const RULES: &[Rule<Identity>] = &[
    Rule {
        id: "CLP-TRN-013",
        refuses: |identity| (!identity.is_known).then(|| ProblemType::Unauthenticated.into()),
    },
    Rule {
        id: "CLP-CTL-021",
        refuses: |identity| {
            identity
                .is_disabled
                .then(|| ProblemType::Unauthenticated.into())
        },
    },
    Rule {
        id: "CLP-CTL-025",
        refuses: |identity| {
            identity
                .acts_for_disabled
                .then(|| ProblemType::Unauthenticated.into())
        },
    },
];

/// Who was found to call, in their tenant.
struct Found<'c> {
    tx: Tx<'c>,
    caller: Caller,
    is_disabled: bool,
    is_disabled_itself: bool,
}

/// Who has this token, if anybody does now.
fn identify<'c>(
    gate: &Gate<'c>,
    persona: &str,
    document: &PermissionDocument,
    token: &str,
) -> Result<Option<Found<'c>>, Fault> {
    if Key::parse(token).is_ok() {
        let found = key::live_credential(gate, persona, token)?;
        return Ok(found.map(|(tx, credential)| Found {
            tx,
            caller: Caller::Credential(credential.id),
            is_disabled: false,
            is_disabled_itself: false,
        }));
    }
    let Some(principal) = gate.principal_by_token(persona, token)? else {
        return Ok(None);
    };
    let caller = Caller::Principal {
        authority: Authority::new(document, &principal.permissions),
        id: principal.id,
    };
    Ok(Some(Found {
        tx: gate.enter(&principal.tenant)?,
        caller,
        is_disabled: principal.is_disabled,
        is_disabled_itself: principal.is_disabled_itself,
    }))
}

/// Somebody who acts without having called: on a page, or in a simulated decision.
struct Acting {
    is_disabled: bool,
}

const ACTING_RULES: &[Rule<Acting>] = &[Rule {
    id: "CLP-APP-033",
    refuses: |acting| acting.is_disabled.then(|| ProblemType::NotFound.into()),
}];

/// A principal of the tenant, as if it had called. Who could not call does not act this way either.
///
/// # Errors
/// `not-found` where the tenant has no such principal, or it is disabled.
pub fn principal(
    gate: &Gate<'_>,
    tenant: &TenantId,
    document: &PermissionDocument,
    id: &PrincipalId,
) -> Result<Caller, Problem> {
    let row = gate.principal(tenant, id)?.ok_or(ProblemType::NotFound)?;
    let acting = Acting {
        is_disabled: row.is_disabled,
    };
    gate.seams().check(ACTING_RULES, &acting)?;
    Ok(Caller::Principal {
        authority: Authority::new(document, &row.permissions),
        id: row.id,
    })
}
