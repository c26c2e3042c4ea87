//! What test control does to a sandbox.

use std::collections::BTreeMap;

use clp_schemas::approval::PrincipalKind;
use clp_schemas::identity::{KeySet, KeySetFault};
use clp_schemas::ids::TenantId;
use clp_schemas::ops::approve::Approval;
use clp_schemas::ops::control::{
    Account, AuthenticatorBody, CastMember, ClockAnswer, ClockBody, ControlApprovalBody,
    IdentityProviderBody, ObjectState, RequestLogAnswer, Sandbox, SandboxBody, StateAnswer,
};
use clp_schemas::problem::{Problem, ProblemType};

use super::{Control, is_for_tests, token};
use crate::auth;
use crate::config::CastRole;
use crate::http::Body;
use crate::lifecycle::Effect;
use crate::ops::approve::decide_for_test;
use crate::passkey::Passkey;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Gate, NewPrincipal, NewTenant};

/// Makes a fresh tenant with its cast, and another one for the outsider.
pub(super) fn open(
    gate: &Gate<'_>,
    control: &Control,
    body: &SandboxBody,
) -> Result<Sandbox, Problem> {
    let wanted = body.issuer_identifier.as_ref();
    let service = control
        .services
        .iter()
        .filter(|service| is_for_tests(service))
        .find(|service| wanted.is_none_or(|identifier| *identifier == service.origin))
        .ok_or(ProblemType::NotFound)?;
    let persona = &service.persona;
    let template = &persona.sandbox;
    let new = NewTenant {
        persona: &persona.name,
        name: None,
    };
    let inside = gate.make_tenant(new)?;
    let outside = gate.make_tenant(new)?;
    let mut principals = BTreeMap::new();
    for role in CastRole::ALL {
        let tenant = if role.is_inside() { &inside } else { &outside };
        let permissions = template
            .permissions_of(role, |class| persona.claims(class))
            .ok_or(ProblemType::Internal)?;
        let token = token::fresh()?;
        let new = NewPrincipal {
            name: role.name(),
            token: &token,
            permissions: &permissions,
            kind: PrincipalKind::Person,
            acts_for: None,
            is_first: true,
        };
        let id = gate.put_principal(tenant, new)?;
        principals.insert(role.name().to_owned(), CastMember { id, token });
    }
    Ok(Sandbox {
        now: gate.enter(&inside)?.now(),
        tenant_id: inside,
        issuer_identifier: service.origin.clone(),
        credential_issuer_endpoint: service.endpoint(),
        principals,
        probe: template.probe(),
    })
}

/// Moves the clock forward; whatever was due in between has then happened.
pub(super) fn advance(
    gate: &Gate<'_>,
    tenant: &TenantId,
    body: &ClockBody,
) -> Result<ClockAnswer, Problem> {
    Ok(ClockAnswer {
        now: gate.advance_clock(tenant, body.advance_seconds)?,
    })
}

/// Takes a decision in the name of somebody, by default of the cast's approver.
pub(super) fn decide(
    gate: &Gate<'_>,
    service: &Service,
    tenant: &TenantId,
    body: &Body<ControlApprovalBody>,
) -> Result<Approval, Problem> {
    let id = match &body.typed.approver {
        Some(id) => id.clone(),
        None => gate
            .principal_by_name(tenant, CastRole::Approver.name())?
            .ok_or(ProblemType::NotFound)?,
    };
    let mut tx = gate.enter(tenant)?;
    let approver = auth::principal(gate, tenant, &service.persona.permissions, &id)?;
    decide_for_test(&mut tx, service, &approver, body)
}

/// Registers an authenticator for somebody in the tenant.
pub(super) fn register(
    gate: &Gate<'_>,
    tenant: &TenantId,
    body: &AuthenticatorBody,
) -> Result<(), Problem> {
    let (principal, passkey) = match body {
        AuthenticatorBody::Key(body) => (
            &body.principal,
            Passkey::register(&body.credential_id, &body.public_key).map_err(invalid),
        ),
        AuthenticatorBody::Attested(body) => (
            &body.principal,
            Passkey::attested(&body.attestation).map_err(invalid),
        ),
    };
    gate.principal(tenant, principal)?
        .ok_or(ProblemType::NotFound)?;
    let effect = Effect::SavePasskey(principal.clone(), passkey?);
    Ok(gate.enter(tenant)?.apply(vec![effect])?)
}

/// Trusts an identity provider.
pub(super) fn trust(
    gate: &Gate<'_>,
    tenant: &TenantId,
    body: IdentityProviderBody,
) -> Result<(), Problem> {
    for account in &body.accounts {
        gate.principal(tenant, &account.principal)?
            .ok_or(ProblemType::NotFound)?;
    }
    let mut tx = gate.enter(tenant)?;
    let trusted = Trusted {
        keys: KeySet::parse(&body.jwks).err(),
        is_shared: body.accounts.iter().any(|one| {
            let linked = |other: &&Account| other.subject == one.subject;
            body.accounts.iter().filter(linked).count() > 1
        }),
    };
    tx.check(TRUST_RULES, &trusted)?;
    Ok(tx.apply(vec![Effect::SaveProvider(Box::new(body))])?)
}

/// What is known of a provider that is to be trusted.
struct Trusted {
    keys: Option<KeySetFault>,
    is_shared: bool,
}

const TRUST_RULES: &[Rule<Trusted>] = &[
    Rule {
        id: "CLP-APP-081",
        refuses: |trusted| {
            trusted.keys.map(|fault| {
                Problem::new(ProblemType::KeyNotUsable)
                    .detail(fault.to_string())
                    .pointer("/jwks")
            })
        },
    },
    // One person with two principals would be two of those who have to agree.
    Rule {
        id: "CLP-APP-082",
        refuses: |trusted| {
            trusted.is_shared.then(|| {
                Problem::new(ProblemType::InvalidRequest)
                    .detail("an account is linked to one principal")
                    .pointer("/accounts")
            })
        },
    },
];

fn invalid(fault: impl std::error::Error) -> Problem {
    Problem::new(ProblemType::EvidenceInvalid).detail(fault.to_string())
}

/// What reached the tenant.
pub(super) fn requests(control: &Control, tenant: &TenantId) -> RequestLogAnswer {
    RequestLogAnswer {
        items: control.log.of(tenant),
    }
}

/// What the tenant holds, without a secret.
pub(super) fn state(gate: &Gate<'_>, tenant: &TenantId) -> Result<StateAnswer, Problem> {
    let tx = gate.enter(tenant)?;
    Ok(StateAnswer {
        credentials: objects(tx.credential_states()?),
        requests: objects(tx.request_states()?),
        rotations: objects(tx.rotation_states()?),
        installations: objects(tx.installation_states()?),
        audit_size: tx.audit_size()?,
    })
}

fn objects(states: Vec<(String, String)>) -> Vec<ObjectState> {
    states
        .into_iter()
        .map(|(id, state)| ObjectState { id, state })
        .collect()
}
