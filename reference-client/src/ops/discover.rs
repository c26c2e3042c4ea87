//! Discover: what an issuer can do, and where (spec chapter 10).

use clap::Args;
use clp_schemas::ops::discover::Manifest;

use super::Session;
use crate::error::Error;
use crate::issuer::Issuer;
use crate::render::{Facts, Outcome};

/// Read and check an issuer's manifest
#[derive(Args, Debug)]
pub(crate) struct DiscoverArgs {}

pub(crate) async fn run(_: &DiscoverArgs, session: &Session) -> Result<Outcome, Error> {
    let issuer = session.client()?.issuer().await?;
    Outcome::new(&issuer.manifest, text(&issuer))
}

/// Every default of the chapter is filled in, so that nobody has to know them (CLP-DIS-016).
fn text(issuer: &Issuer) -> String {
    let Manifest {
        issuer: name,
        protocol_versions_supported: versions,
        profiles_supported: profiles,
        environment,
        manifest_version,
        supported_credential_types: types,
        supported_operations: operations,
        auth_methods,
        max_lifetime_seconds,
        max_propagation_seconds,
        documentation,
        contact,
        ..
    } = &issuer.manifest;
    let manifest = &issuer.manifest;
    let join = |list: &Option<Vec<String>>, default: &str| {
        list.as_ref()
            .map_or_else(|| default.to_owned(), |list| list.join(", "))
    };
    let yes = |flag: Option<bool>, default: bool| match flag.unwrap_or(default) {
        true => "yes",
        false => "no",
    };
    let host = issuer.id.url().host_str().unwrap_or_default();
    let mut facts = Facts::default();
    facts
        .add("issuer", name.as_deref().unwrap_or(host))
        .add("identifier", issuer.id.as_str())
        .add(
            "environment",
            environment.map_or_else(|| "production".to_owned(), |kind| kind.to_string()),
        )
        .add("credentials at", issuer.endpoint().as_str())
        .add("permissions at", issuer.permissions_url().as_str())
        .add_some(
            "permissions digest",
            manifest.permission_schema_digest.as_ref(),
        )
        .add("versions", join(versions, "1.0"))
        .add(
            "manifest version",
            manifest_version.unwrap_or(0).to_string(),
        )
        .add("profiles", join(profiles, "none"))
        .add("credential types", join(types, "api_key"))
        .add(
            "operations",
            join(operations, "discover, create, scope, rotate, revoke, audit"),
        )
        .add("approved by", join(auth_methods, "none"))
        .add(
            "expiry can be set",
            yes(manifest.supports_expiring_credentials, false),
        )
        .add(
            "longest lifetime",
            max_lifetime_seconds
                .map_or_else(|| "no bound".to_owned(), |bound| format!("{bound} seconds")),
        )
        .add(
            "revoked everywhere",
            match max_propagation_seconds {
                None => "unknown".to_owned(),
                Some(0) => "at once".to_owned(),
                Some(bound) => format!("within {bound} seconds"),
            },
        )
        .add("old and new overlap", yes(manifest.overlap_supported, true));
    for format in manifest.token_formats.iter().flatten() {
        facts.add("keys begin with", &format.prefix);
    }
    match &manifest.audit_log {
        Some(log) => facts.add("audit log key", &log.public_key),
        None => facts.add("audit log", "without proofs"),
    };
    facts
        .add_some("documentation", documentation.as_ref())
        .add_some("contact", contact.as_ref());
    facts.text()
}
