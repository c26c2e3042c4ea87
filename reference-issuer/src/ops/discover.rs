//! What a provider can do, and what its permissions mean (specification chapters 10 and 04).

use clp_schemas::audit::note::PublicKey;
use clp_schemas::endpoint::{Class, EndpointId, Operation};
use clp_schemas::key;
use clp_schemas::ops::discover::{
    AuditLog, DocumentQuery, JwkSet, MANIFEST_PATH, Manifest, PERMISSIONS_PATH, ResourceMetadata,
    TokenFormat, UsageObservation,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::Named as _;
use serde_json::json;
use url::Url;

use crate::config::Persona;
use crate::http::{Inbound, Reply, read_query};
use crate::service::Service;

/// Grows with every change of what a manifest says.
const MANIFEST_VERSION: u64 = 3;

/// Discovery may be cached for five minutes.
const CACHING: &str = "public, max-age=300";
/// What stands under a digest never changes.
const CACHING_BY_DIGEST: &str = "public, max-age=31536000, immutable";

fn url(text: &str) -> Result<Url, Problem> {
    Url::parse(text).map_err(|_| ProblemType::Internal.into())
}

/// What this persona can do.
pub(crate) fn manifest(service: &Service) -> Result<Reply, Problem> {
    let persona = &service.persona;
    let profiles = Class::ALL
        .iter()
        .filter(|class| **class != Class::Core && persona.claims(**class));
    let prefix = &persona.token_prefix;
    // The resource counts uses in the transaction that serves them.
    let usage_observation = if persona.claims(Class::Inventory) {
        Some(UsageObservation::PerConsumer)
    } else {
        persona
            .claims(Class::Lifecycle)
            .then_some(UsageObservation::LastUsed)
    };
    let manifest = Manifest {
        issuer: Some(persona.display_name.clone()),
        issuer_identifier: Some(service.origin.clone()),
        credential_issuer_endpoint: url(&service.endpoint())?,
        protocol_versions_supported: Some(vec!["1.0".to_owned()]),
        profiles_supported: Some(profiles.map(|class| class.name().to_owned()).collect()),
        environment: Some(persona.environment),
        manifest_version: Some(MANIFEST_VERSION),
        supported_credential_types: Some(
            persona
                .credential_types
                .iter()
                .map(|kind| kind.name().to_owned())
                .collect(),
        ),
        supported_operations: Some(operations(persona)),
        auth_methods: Some(
            persona
                .auth_methods
                .iter()
                .map(|method| method.name().to_owned())
                .collect(),
        ),
        permission_schema_url: Some(url(&format!("{}{PERMISSIONS_PATH}", service.origin))?),
        permission_schema_digest: Some(service.digest.clone()),
        supports_expiring_credentials: Some(true),
        supports_workload_bound_credentials: Some(persona.claims(Class::BoundKeys)),
        supports_rotation: Some(true),
        supports_revocation: Some(true),
        supports_audit: Some(true),
        max_lifetime_seconds: persona.max_lifetime_seconds,
        delivery_modes_supported: Some(vec!["plain".to_owned()]),
        token_formats: Some(vec![TokenFormat {
            prefix: prefix.clone(),
            pattern: key::pattern(prefix).map_err(|_| ProblemType::Internal)?,
            checksum: Some("crc32-base62".to_owned()),
        }]),
        // The resource and the issuer look at the same record.
        max_propagation_seconds: Some(0),
        overlap_supported: Some(true),
        usage_observation,
        usage_lag_seconds: usage_observation.map(|_| 0),
        audit_log: Some(AuditLog {
            origin_prefix: service.log_prefix.clone(),
            public_key: PublicKey::of(service.store.keys().signing()).to_string(),
        }),
        jwks: persona
            .claims(Class::Inventory)
            .then(|| statement_keys(service))
            .transpose()?,
        documentation: None,
        contact: None,
    };
    Ok(Reply::json(200, &manifest)?.caching(CACHING))
}

/// What statements about rotations are signed with.
fn statement_keys(service: &Service) -> Result<JwkSet, Problem> {
    let public = service.store.keys().statements().public();
    let kid = public.thumbprint().map_err(|_| ProblemType::Internal)?;
    let key = json!({
        "kty": public.kty, "crv": public.crv, "x": public.x,
        "kid": kid, "alg": "EdDSA", "use": "sig",
    });
    Ok(JwkSet { keys: vec![key] })
}

/// What the endpoints of the persona do.
fn operations(persona: &Persona) -> Vec<String> {
    Operation::ALL
        .iter()
        .filter(|operation| match operation {
            Operation::Inject => {
                persona.claims(Class::Inventory) || persona.claims(Class::Webhooks)
            }
            Operation::Inventory => persona.claims(Class::Inventory),
            _ => true,
        })
        .map(|operation| operation.name().to_owned())
        .collect()
}

/// How E is authenticated (RFC 9728).
pub(crate) fn resource_metadata(service: &Service) -> Result<Reply, Problem> {
    let metadata = ResourceMetadata {
        resource: url(&service.endpoint())?,
        authorization_servers: None,
        bearer_methods_supported: vec!["header".to_owned()],
        credential_issuer: url(&format!("{}{MANIFEST_PATH}", service.origin))?,
    };
    Ok(Reply::json(200, &metadata)?.caching(CACHING))
}

/// The permission document in force, or the one of a digest.
pub(crate) async fn permission_document(
    service: &Service,
    inbound: &Inbound,
) -> Result<Reply, Problem> {
    let query: DocumentQuery = read_query(
        service.seams,
        EndpointId::PermissionDocumentRead,
        &service.persona.profiles,
        &inbound.query,
    )?;
    let caching = if query.digest.is_some() {
        CACHING_BY_DIGEST
    } else {
        CACHING
    };
    let digest = query.digest.unwrap_or_else(|| service.digest.clone());
    let document = if digest == service.digest {
        service.persona.permissions.clone()
    } else {
        let (persona, digest) = (service.persona.name.clone(), digest.clone());
        service
            .store
            .run(move |gate| Ok(gate.document(&persona, &digest)?))
            .await?
            .ok_or(ProblemType::NotFound)?
    };
    let reply = if inbound.has_etag(&digest) {
        Reply::empty(304)
    } else {
        Reply::json(200, &document)?
    };
    Ok(reply.etag(&digest).caching(caching))
}
