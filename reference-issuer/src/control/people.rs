//! More people for a sandbox, and what they may do (specification chapter 80).

use std::collections::BTreeMap;

use clp_schemas::approval::{MAX_ACTORS, PrincipalKind};
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::control::{CastMember, PrincipalAction, PrincipalBody, PrincipalChange};
use clp_schemas::permissions::{CREDENTIAL_TYPE, PermissionSet, Statement};
use clp_schemas::problem::{Problem, ProblemType};

use super::token;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Gate, NewPrincipal};

/// What is wrong with somebody who is to be added.
struct Adding {
    /// How many act for whom it acts for, that one counted in; `None` where there is none.
    chain: Option<usize>,
    is_known_place: bool,
}

const RULES: &[Rule<Adding>] = &[
    Rule {
        id: "CLP-CTL-020/acts-for",
        refuses: |adding| {
            adding
                .chain
                .is_none_or(|length| length >= MAX_ACTORS)
                .then(|| ProblemType::NotFound.into())
        },
    },
    Rule {
        id: "CLP-CTL-020/environment",
        refuses: |adding| {
            (!adding.is_known_place)
                .then(|| Problem::new(ProblemType::UnknownEnvironment).pointer("/environments"))
        },
    },
];

/// Adds a principal.
pub(super) fn add(
    gate: &Gate<'_>,
    service: &Service,
    tenant: &TenantId,
    body: &PrincipalBody,
) -> Result<CastMember, Problem> {
    let known = &service.persona.permissions.environments;
    let chain = match &body.acts_for {
        None => Some(0),
        Some(id) if gate.principal(tenant, id)?.is_some() => {
            Some(gate.enter(tenant)?.actors(id)?.len())
        }
        Some(_) => None,
    };
    let adding = Adding {
        chain,
        is_known_place: body
            .environments
            .iter()
            .flatten()
            .all(|name| known.contains(name)),
    };
    gate.seams().check(RULES, &adding)?;
    let token = token::fresh()?;
    let permissions = permissions(service, &body.actions, body.environments.as_deref())?;
    // Names are unique in a tenant, and these need not be.
    let name = format!(
        "{} {}",
        body.name,
        PrincipalId::from_entropy(gate.random().bytes()?)
    );
    let new = NewPrincipal {
        name: &name,
        token: &token,
        permissions: &permissions,
        kind: body.kind.unwrap_or(PrincipalKind::Person),
        acts_for: body.acts_for.as_ref(),
        is_first: false,
    };
    let id = gate.put_principal(tenant, new)?;
    Ok(CastMember { id, token })
}

/// Says what a principal may do from now on, in every environment.
pub(super) fn set(
    gate: &Gate<'_>,
    service: &Service,
    tenant: &TenantId,
    id: Option<&str>,
    body: &PrincipalChange,
) -> Result<(), Problem> {
    let id: PrincipalId = id
        .and_then(|id| id.parse().ok())
        .ok_or(ProblemType::NotFound)?;
    gate.principal(tenant, &id)?.ok_or(ProblemType::NotFound)?;
    let permissions = permissions(service, &body.actions, None)?;
    Ok(gate.set_principal(tenant, &id, &permissions, body.disabled.unwrap_or(false))?)
}

/// These actions in the project of the cast, in some environments or in all.
fn permissions(
    service: &Service,
    actions: &[PrincipalAction],
    environments: Option<&[String]>,
) -> Result<PermissionSet, Problem> {
    if actions.is_empty() {
        return Ok(PermissionSet(Vec::new()));
    }
    let project = &service.persona.sandbox.project;
    let everywhere = ["*".to_owned()];
    environments
        .unwrap_or(&everywhere)
        .iter()
        .map(|environment| {
            Ok(Statement {
                resource_type: CREDENTIAL_TYPE.to_owned(),
                selector: format!("{project}/{environment}")
                    .parse()
                    .map_err(|_| ProblemType::Internal)?,
                actions: actions.iter().map(ToString::to_string).collect(),
                constraints: BTreeMap::new(),
            })
        })
        .collect::<Result<_, Problem>>()
        .map(PermissionSet)
}
