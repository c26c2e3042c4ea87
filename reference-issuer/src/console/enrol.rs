//! How a person gets a passkey at this issuer: whoever holds the bearer token of a principal
//! makes one for it. Only issuers for tests offer that, since there a token is all that anybody
//! has been given; elsewhere registration is a matter of the organisation.

use std::sync::Arc;

use askama::Template;
use clp_schemas::canonical::to_base64url;
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::discover::Deployment;
use clp_schemas::ops::store::SecretText;
use clp_schemas::problem::{Problem, ProblemType};
use serde::Deserialize;
use serde_cbor_2::Value as Cbor;
use serde_json::json;
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{
    AttestationConveyancePreference, RegisterPublicKeyCredential, RegistrationState,
    UserVerificationPolicy,
};

use super::body;
use super::show::html;
use super::view;
use crate::context::Random;
use crate::http::{Inbound, Reply};
use crate::lifecycle::Effect;
use crate::ops::approve::RELYING_PARTY;
use crate::passkey::Passkey;
use crate::service::Service;

/// A passkey that is being made.
pub(super) struct Enrolling {
    tenant: TenantId,
    principal: PrincipalId,
    state: RegistrationState,
}

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPage<'a> {
    issuer: &'a str,
}

/// Whether passkeys are made here at all.
pub(super) fn is_open(service: &Service) -> bool {
    service.persona.environment == Deployment::Test
}

fn if_open(service: &Service) -> Result<(), Problem> {
    match is_open(service) {
        true => Ok(()),
        false => Err(ProblemType::NotFound.into()),
    }
}

/// The page.
///
/// # Errors
/// `not-found` where passkeys are not made here.
pub(super) fn page(service: &Service) -> Result<Reply, Problem> {
    if_open(service)?;
    let issuer = &service.persona.display_name;
    html(200, &EnrolPage { issuer })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    token: SecretText,
}

/// Says what the browser is to make.
///
/// # Errors
/// `not-found`, `unauthenticated`, `rate-limited`.
pub(super) async fn open(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    if_open(service)?;
    let Begin { token } = body(inbound)?;
    let persona = service.persona.name.clone();
    let found = service
        .store
        .run(move |gate| {
            let found = gate.principal_by_token(&persona, token.expose())?;
            let Some(found) = found.filter(|found| !found.is_disabled) else {
                return Ok(None);
            };
            let name = view::person(gate, &found.tenant, &found.id)?;
            Ok(Some((found.tenant, found.id, name)))
        })
        .await?;
    let Some((tenant, principal, name)) = found else {
        service.failures.admit(inbound.peer)?;
        return Err(ProblemType::Unauthenticated.into());
    };
    let core = core(service)?;
    let internal = |_| Problem::from(ProblemType::Internal);
    let builder = core
        .new_challenge_register_builder(principal.as_str().as_bytes(), &name, &name)
        .map_err(internal)?
        .attestation(AttestationConveyancePreference::None)
        .user_verification_policy(UserVerificationPolicy::Required)
        .require_resident_key(true);
    let (options, state) = core
        .generate_challenge_register(builder)
        .map_err(internal)?;
    let handle = to_base64url(&Random.bytes::<32>()?);
    let enrolling = Enrolling {
        tenant,
        principal,
        state,
    };
    service.console.kept().enrolling.put(&handle, enrolling);
    Reply::json(
        201,
        &json!({"handle": handle, "name": name, "options": options}),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    handle: String,
    registration: RegisterPublicKeyCredential,
}

/// Registers what the browser has made.
///
/// # Errors
/// `not-found`, `unauthenticated` where the time is over, `evidence-invalid`.
pub(super) async fn submit(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    if_open(service)?;
    let Made {
        handle,
        registration,
    } = body(inbound)?;
    let enrolling = service.console.kept().enrolling.take(&handle);
    let Enrolling {
        tenant,
        principal,
        state,
    } = enrolling.ok_or(ProblemType::Unauthenticated)?;
    let invalid = || Problem::from(ProblemType::EvidenceInvalid);
    check_origin(service, &registration).ok_or_else(invalid)?;
    let made = core(service)?
        .register_credential(&registration, &state, None)
        .map_err(|_| invalid())?;
    let key = public_key(&registration).ok_or_else(invalid)?;
    let id = to_base64url(&made.cred_id);
    let passkey = Passkey {
        counter: made.counter,
        ..Passkey::register(&id, &to_base64url(&key)).map_err(|_| invalid())?
    };
    service
        .store
        .submit(tenant, move |tx| {
            Ok(tx.apply(vec![Effect::SavePasskey(principal, passkey)])?)
        })
        .await?;
    Ok(Reply::empty(204))
}

fn core(service: &Service) -> Result<WebauthnCore, Problem> {
    let origin = Url::parse(&service.origin).map_err(|_| ProblemType::Internal)?;
    Ok(WebauthnCore::new_unsafe_experts_only(
        &service.persona.display_name,
        RELYING_PARTY,
        vec![origin],
        std::time::Duration::from_secs(300),
        Some(false),
        Some(false),
    ))
}

/// The crate takes any path after the origin, and a frame of another site.
fn check_origin(service: &Service, registration: &RegisterPublicKeyCredential) -> Option<()> {
    let data: serde_json::Value =
        serde_json::from_slice(registration.response.client_data_json.as_ref()).ok()?;
    let is_framed = data
        .get("crossOrigin")
        .is_some_and(|framed| *framed != serde_json::Value::Bool(false));
    let is_ours = data.get("origin")?.as_str()? == service.origin;
    (is_ours && !is_framed).then_some(())
}

/// The `COSE_Key` in the attested credential data (`WebAuthn` section 6.5.1): after the hash of
/// the relying party, flags, counter, AAGUID, and the credential id with its length.
fn public_key(registration: &RegisterPublicKeyCredential) -> Option<Vec<u8>> {
    const BEFORE_LENGTH: usize = 32 + 1 + 4 + 16;
    let object: Cbor =
        serde_cbor_2::from_slice(registration.response.attestation_object.as_ref()).ok()?;
    let Cbor::Map(members) = object else {
        return None;
    };
    let Some(Cbor::Bytes(data)) = members.get(&Cbor::Text("authData".to_owned())) else {
        return None;
    };
    let (length, rest) = data.get(BEFORE_LENGTH..)?.split_first_chunk::<2>()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*length))..)?;
    // Extensions can follow the key.
    let mut reader = serde_cbor_2::Deserializer::from_slice(rest);
    Cbor::deserialize(&mut reader).ok()?;
    Some(rest.get(..reader.byte_offset())?.to_vec())
}
