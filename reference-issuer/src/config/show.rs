//! A configuration as people are shown it.

use serde_json::{Value, json};

use super::{Config, Persona, Route, TenantConfig};

impl Config {
    /// What is served, as JSON: everything but tokens.
    #[must_use]
    pub fn describe(&self) -> Value {
        let personas: Vec<Value> = self.personas.iter().map(persona).collect();
        let control = self.control.as_ref().map(|control| control.port);
        json!({
            "personas": personas,
            "control": {"enabled": control.is_some(), "port": control},
            "faults": self.faults,
        })
    }
}

fn persona(persona: &Persona) -> Value {
    let sandbox = &persona.sandbox;
    json!({
        "name": persona.name,
        "display_name": persona.display_name,
        "port": persona.port,
        "environment": persona.environment,
        "token_prefix": persona.token_prefix,
        "credential_types": persona.credential_types,
        "profiles": persona.profiles,
        "auth_methods": persona.auth_methods,
        "max_lifetime_seconds": persona.max_lifetime_seconds,
        "permission_schema_digest": persona.permissions.digest(),
        "environments": persona.permissions.environments,
        "policy": {
            "environments": persona.policy.environments,
            "risk_at_least": persona.policy.risk_at_least,
        },
        "routes": persona.routes.iter().map(route).collect::<Vec<_>>(),
        "tenants": persona.tenants.iter().map(tenant).collect::<Vec<_>>(),
        "sandbox": {
            "project": sandbox.project,
            "environment": sandbox.environment,
            "approval_environment": sandbox.approval_environment,
        },
    })
}

fn route(route: &Route) -> Value {
    json!({
        "method": route.method,
        "path": route.path.to_string(),
        "resource_type": route.resource_type,
        "selector": route.selector.to_string(),
        "action": route.action,
    })
}

fn tenant(tenant: &TenantConfig) -> Value {
    let principals: Vec<Value> = tenant
        .principals
        .iter()
        .map(|principal| json!({"name": principal.name, "permissions": principal.permissions}))
        .collect();
    json!({"name": tenant.name, "principals": principals})
}
