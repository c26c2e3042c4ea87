//! What the form of a configuration does not show: that its parts fit together.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use clp_schemas::approval::MAX_ACTORS;
use clp_schemas::approval::attestation;
use clp_schemas::endpoint::Class;
use clp_schemas::key;
use clp_schemas::ops::control::ProbeCall;
use clp_schemas::permissions::{
    self, CREDENTIAL_TYPE, ConstraintKind, PermissionSet, ResourceType, check_against,
};

use super::{
    Config, ConfigFault, Effect, FactSource, Persona, Route, TenantConfig, profiles, providers,
};
use crate::resource::access::resolve;

/// Paths that belong to the protocol, not to a persona.
const RESERVED_PATHS: [&str; 2] = ["credentials", ".well-known"];

pub(super) type Checked = Result<(), ConfigFault>;

/// Faults of one file.
pub(super) struct At<'a>(&'a str);

impl At<'_> {
    pub(super) fn want(&self, holds: bool, place: impl Into<String>, reason: &str) -> Checked {
        if holds {
            return Ok(());
        }
        Err(ConfigFault::new(self.0, place, reason))
    }
}

/// What concerns all personas together, ports excepted.
pub(super) fn config(label: &str, config: &Config) -> Checked {
    let at = At(label);
    at.want(
        !config.personas.is_empty(),
        "personas",
        "want at least one persona",
    )?;
    let names: BTreeSet<_> = config
        .personas
        .iter()
        .map(|persona| &persona.name)
        .collect();
    at.want(
        names.len() == config.personas.len(),
        "personas",
        "want personas of distinct names",
    )?;
    let tokens: Vec<&str> = config
        .personas
        .iter()
        .flat_map(|persona| &persona.tenants)
        .flat_map(|tenant| &tenant.principals)
        .map(|principal| principal.token.expose())
        .collect();
    let distinct: BTreeSet<_> = tokens.iter().collect();
    at.want(
        distinct.len() == tokens.len(),
        "personas",
        "two principals have the same token; want one token each",
    )
}

/// That no port is taken twice.
pub(super) fn ports(label: &str, config: &Config) -> Checked {
    let mut seen = BTreeSet::new();
    let personas = config.personas.iter().map(|persona| persona.port);
    let control = config.control.iter().map(|control| control.port);
    for port in personas.chain(control).filter(|port| *port != 0) {
        At(label).want(
            seen.insert(port),
            "personas",
            "two listeners have the same port; want distinct ports",
        )?;
    }
    Ok(())
}

/// One persona.
pub(super) fn persona(label: &str, persona: &Persona) -> Checked {
    let at = At(label);
    at.want(is_name(&persona.name), "name", NAME_WANTED)?;
    at.want(
        (1..=200).contains(&persona.display_name.chars().count()),
        "display_name",
        "want 1 to 200 characters",
    )?;
    at.want(
        key::pattern(&persona.token_prefix).is_ok(),
        "token_prefix",
        "want at most 24 lower-case letters and digits, in words joined by `_`",
    )?;
    at.want(
        !persona.credential_types.is_empty(),
        "credential_types",
        "want at least one type",
    )?;
    profiles::check(&at, persona)?;
    at.want(
        persona.max_lifetime_seconds != Some(0),
        "max_lifetime_seconds",
        "want at least 1",
    )?;
    for (position, name) in persona.policy.environments.iter().enumerate() {
        at.want(
            persona.permissions.environments.contains(name),
            format!("policy.environments[{position}]"),
            "want an environment of the permission document",
        )?;
    }
    for (position, root) in persona.attestation.roots.iter().enumerate() {
        at.want(
            attestation::is_certificate(root),
            format!("attestation.roots[{position}]"),
            "want a certificate, DER in base64url without padding",
        )?;
    }
    for (position, model) in persona.attestation.models.iter().enumerate() {
        at.want(
            attestation::is_model(model),
            format!("attestation.models[{position}]"),
            "want an AAGUID such as 00000000-0000-0000-0000-000000000000, in lower case",
        )?;
    }
    for (position, route) in persona.routes.iter().enumerate() {
        check_route(&at, persona, route, &format!("routes[{position}]"))?;
    }
    let shapes: BTreeSet<_> = persona.routes.iter().map(shape).collect();
    at.want(
        shapes.len() == persona.routes.len(),
        "routes",
        "two routes have the same method and path",
    )?;
    for (position, tenant) in persona.tenants.iter().enumerate() {
        check_tenant(&at, persona, tenant, &format!("tenants[{position}]"))?;
    }
    check_sandbox(&at, persona)
}

const NAME_WANTED: &str = "want a lower-case letter and up to 31 more letters, digits or `-`";

fn is_name(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A route without the names of its parameters.
fn shape(route: &Route) -> (String, String) {
    let path = route.path.to_string();
    let segments: Vec<_> = path
        .split('/')
        .map(|segment| {
            if segment.starts_with('{') {
                "{}"
            } else {
                segment
            }
        })
        .collect();
    (route.method.clone(), segments.join("/"))
}

fn check_route(at: &At, persona: &Persona, route: &Route, place: &str) -> Checked {
    let path = route.path.to_string();
    at.want(
        path.starts_with('/'),
        format!("{place}.path"),
        "want a path that begins with `/`",
    )?;
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    at.want(
        !RESERVED_PATHS.contains(&first) && !first.starts_with('{'),
        format!("{place}.path"),
        "want a path outside `/credentials` and `/.well-known`, with a word first",
    )?;
    let fits = match route.effect {
        Effect::List | Effect::Read => route.method == "GET",
        Effect::Write => route.method == "PUT",
        Effect::Append => route.method == "POST",
        Effect::Remove => route.method == "DELETE",
    };
    at.want(
        fits,
        format!("{place}.method"),
        "want GET for `list` and `read`, PUT for `write`, POST for `append`, DELETE for `remove`",
    )?;
    let parameters: Vec<&str> = route.path.parameters().collect();
    let distinct: BTreeSet<_> = parameters.iter().collect();
    at.want(
        distinct.len() == parameters.len(),
        format!("{place}.path"),
        "want parameters of distinct names",
    )?;
    at.want(
        route
            .selector
            .parameters()
            .all(|name| parameters.contains(&name)),
        format!("{place}.selector"),
        "want only parameters that the path has",
    )?;
    let definition = persona.permissions.resource_types.get(&route.resource_type);
    let Some(definition) = definition else {
        return at.want(false, format!("{place}.resource_type"), UNKNOWN_TYPE);
    };
    at.want(
        definition.actions.contains_key(&route.action),
        format!("{place}.action"),
        "want an action that the permission document gives this resource type",
    )?;
    check_facts(at, route, definition, &parameters, place)
}

const UNKNOWN_TYPE: &str = "want a resource type of the permission document";

fn check_facts(
    at: &At,
    route: &Route,
    definition: &ResourceType,
    parameters: &[&str],
    place: &str,
) -> Checked {
    for (name, source) in &route.facts {
        let place = format!("{place}.facts");
        let Some(kind) = definition.constraint_kind(name) else {
            return at.want(
                false,
                place,
                "want names of constraints of this resource type",
            );
        };
        let fits = match source {
            FactSource::Path(_) => kind == ConstraintKind::Set,
            FactSource::Query { .. } => matches!(
                kind,
                ConstraintKind::Max | ConstraintKind::Min | ConstraintKind::Interval
            ),
            FactSource::Switch(_) => kind == ConstraintKind::Flag,
            FactSource::Address => kind == ConstraintKind::CidrSet,
        };
        at.want(
            fits,
            place.clone(),
            "want `path` for a set, `query` for max, min and interval, `switch` for a flag, `address` for a cidr_set",
        )?;
        if let FactSource::Path(parameter) = source {
            at.want(
                parameters.contains(&parameter.as_str()),
                place,
                "want a parameter that the path has",
            )?;
        }
    }
    Ok(())
}

fn check_tenant(at: &At, persona: &Persona, tenant: &TenantConfig, place: &str) -> Checked {
    at.want(is_name(&tenant.name), format!("{place}.name"), NAME_WANTED)?;
    let names: BTreeSet<_> = tenant
        .principals
        .iter()
        .map(|principal| &principal.name)
        .collect();
    at.want(
        names.len() == tenant.principals.len(),
        format!("{place}.principals"),
        "want principals of distinct names",
    )?;
    at.want(
        tenant.approval_policy.is_none() || persona.claims(Class::ApprovalPolicy),
        format!("{place}.approval_policy"),
        "want the profile `approval-policy` in `profiles`",
    )?;
    for (position, principal) in tenant.principals.iter().enumerate() {
        let place = format!("{place}.principals[{position}]");
        at.want(
            is_name(&principal.name),
            format!("{place}.name"),
            NAME_WANTED,
        )?;
        at.want(
            is_bearer(principal.token.expose()),
            format!("{place}.token"),
            "want 16 to 512 characters out of A-Z a-z 0-9 - . _ ~ + /, then `=` at most at the end",
        )?;
        let permissions = &principal.permissions;
        let on_credentials = permissions
            .0
            .iter()
            .all(|statement| statement.resource_type == CREDENTIAL_TYPE);
        at.want(
            on_credentials,
            format!("{place}.permissions"),
            "want statements about `clp.credential` alone",
        )?;
        let acts_for_one_before = principal.acts_for.as_ref().is_none_or(|name| {
            let mut before = tenant.principals.iter().take(position);
            before.any(|one| one.name == *name)
        });
        at.want(
            acts_for_one_before && position < MAX_ACTORS || principal.acts_for.is_none(),
            format!("{place}.acts_for"),
            "want the name of a principal further up in the list, which has at most 8 where some act for others",
        )?;
        permissions::normalise(&persona.permissions, permissions).map_err(|fault| {
            let place = format!("{place}.permissions{}", fault.pointer);
            ConfigFault::new(at.0, place, fault.reason.to_string())
        })?;
    }
    providers::check(at, tenant, place)
}

/// A bearer token (RFC 6750 section 2.1) long enough not to be guessed.
fn is_bearer(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    (16..=512).contains(&token.len())
        && !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

fn check_sandbox(at: &At, persona: &Persona) -> Checked {
    let sandbox = &persona.sandbox;
    at.want(
        is_project(&sandbox.project),
        "sandbox.project",
        "want `^[a-z0-9][a-z0-9-]{0,62}$`",
    )?;
    let sets = [
        ("sandbox.read_permissions", &sandbox.read_permissions),
        ("sandbox.write_permissions", &sandbox.write_permissions),
    ];
    for (place, set) in sets {
        check_against(&persona.permissions, set, &sandbox.environment).map_err(|fault| {
            ConfigFault::new(
                at.0,
                format!("{place} {}", fault.pointer),
                fault.reason.to_string(),
            )
        })?;
        let risk = permissions::risk(&persona.permissions, set);
        at.want(
            !persona.policy.wants_approval(&sandbox.environment, risk),
            "sandbox.environment",
            "want an environment where the policy asks for no approval of the probe's permissions",
        )?;
    }
    at.want(
        persona
            .policy
            .environments
            .contains(&sandbox.approval_environment),
        "sandbox.approval_environment",
        "want an environment that the policy names",
    )?;
    let opens = |set: &PermissionSet, call: &ProbeCall| {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let caller = IpAddr::V4(Ipv4Addr::LOCALHOST);
        resolve(&persona.routes, &call.method, path, query, caller).is_ok_and(|wanted| {
            wanted.takes_body() == call.body.is_some()
                && wanted.is_allowed(&persona.permissions, set)
        })
    };
    at.want(
        opens(&sandbox.read_permissions, &sandbox.read),
        "sandbox.read",
        "want a call that `read_permissions` admit, with a body where its route takes one",
    )?;
    at.want(
        opens(&sandbox.write_permissions, &sandbox.write),
        "sandbox.write",
        "want a call that `write_permissions` admit, with a body where its route takes one",
    )?;
    at.want(
        !opens(&sandbox.read_permissions, &sandbox.write),
        "sandbox.write",
        "want a call that `read_permissions` do not admit",
    )
}

fn is_project(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_fine_and_speaks_two_languages() {
        let config = Config::built_in().unwrap();
        assert_eq!(config.personas.len(), 3);
        for persona in &config.personas {
            for definition in persona.permissions.resource_types.values() {
                for action in definition.actions.values() {
                    for language in ["en", "de"] {
                        assert!(action.consent[language].contains("{selector}"));
                    }
                }
            }
        }
    }
}
