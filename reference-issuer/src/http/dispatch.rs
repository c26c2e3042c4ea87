//! From an endpoint's row to what it does: one exhaustive match, so that an endpoint without an
//! answer does not compile.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use clp_schemas::endpoint::{Endpoint, EndpointId, Idempotency};
use clp_schemas::ids::TenantId;
use clp_schemas::ops::control::LoggedRequest;
use clp_schemas::ops::create::Webhook;
use clp_schemas::ops::oauth::OauthErrorCode;
use clp_schemas::ops::{self, Nothing};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use serde_json::{Map, Value};

use super::inbound::Inbound;
use super::precondition::Conditions;
use super::reply::Reply;
use super::{body, query};
use crate::auth;
use crate::events::target;
use crate::ops::{Incoming, Operation, discover, event, introspection, oauth, run};
use crate::rules::Rule;
use crate::seams::Seams;
use crate::service::{ENDPOINT_PATH, Service};
use crate::store::{Gate, Keep};

/// Answers a call of an endpoint.
pub(super) async fn answer(
    service: &Arc<Service>,
    row: &'static Endpoint,
    path: Map<String, Value>,
    inbound: Inbound,
) -> Result<Reply, Problem> {
    use EndpointId as Id;
    match row.id {
        Id::ManifestRead => {
            no_query(service, row, &inbound)?;
            discover::manifest(service)
        }
        Id::ResourceMetadataRead => {
            no_query(service, row, &inbound)?;
            discover::resource_metadata(service)
        }
        Id::PermissionDocumentRead => discover::permission_document(service, &inbound).await,
        Id::RequestOpen => call::<ops::request::RequestOpen>(service, path, inbound).await,
        Id::RequestRead => call::<ops::request::RequestRead>(service, path, inbound).await,
        Id::RequestAmend => call::<ops::request::RequestAmend>(service, path, inbound).await,
        Id::RequestCancel => call::<ops::request::RequestCancel>(service, path, inbound).await,
        Id::ChallengeOpen => call::<ops::approve::ChallengeOpen>(service, path, inbound).await,
        Id::ApprovalSubmit => call::<ops::approve::ApprovalSubmit>(service, path, inbound).await,
        Id::ApprovalRead => call::<ops::approve::ApprovalRead>(service, path, inbound).await,
        Id::CredentialCreate => call::<ops::create::CredentialCreate>(service, path, inbound).await,
        Id::CredentialList => call::<ops::create::CredentialList>(service, path, inbound).await,
        Id::CredentialRead => call::<ops::create::CredentialRead>(service, path, inbound).await,
        Id::DeliveryRead => call::<ops::store::DeliveryRead>(service, path, inbound).await,
        Id::RotationOpen => call::<ops::rotate::RotationOpen>(service, path, inbound).await,
        Id::CredentialRevoke => call::<ops::revoke::CredentialRevoke>(service, path, inbound).await,
        Id::AuditEntries => call::<ops::audit::AuditEntries>(service, path, inbound).await,
        Id::AuditCheckpoint => call::<ops::audit::AuditCheckpoint>(service, path, inbound).await,
        Id::AuditInclusion => call::<ops::audit::AuditInclusion>(service, path, inbound).await,
        Id::AuditConsistency => call::<ops::audit::AuditConsistency>(service, path, inbound).await,
        Id::CredentialAmend => call::<ops::create::CredentialAmend>(service, path, inbound).await,
        Id::ScopeAnalysis => call::<ops::scope::ScopeAnalysis>(service, path, inbound).await,
        Id::DeliveryAck => call::<ops::store::DeliveryAck>(service, path, inbound).await,
        Id::StoreRegister => call::<ops::store::StoreRegister>(service, path, inbound).await,
        Id::StoreList => call::<ops::store::StoreList>(service, path, inbound).await,
        Id::InstallationPut => call::<ops::inject::InstallationPut>(service, path, inbound).await,
        Id::InstallationDelete => {
            call::<ops::inject::InstallationDelete>(service, path, inbound).await
        }
        Id::InstallationList => {
            call::<ops::inventory::InstallationList>(service, path, inbound).await
        }
        Id::InstallationRead => {
            call::<ops::inventory::InstallationRead>(service, path, inbound).await
        }
        Id::UsageRead => call::<ops::inventory::UsageRead>(service, path, inbound).await,
        Id::RotationRead => call::<ops::rotate::RotationRead>(service, path, inbound).await,
        Id::RotationGates => call::<ops::rotate::RotationGates>(service, path, inbound).await,
        Id::RotationAdvance => call::<ops::rotate::RotationAdvance>(service, path, inbound).await,
        Id::RotationRollback => call::<ops::rotate::RotationRollback>(service, path, inbound).await,
        Id::CredentialSuspend => {
            call::<ops::revoke::CredentialSuspend>(service, path, inbound).await
        }
        Id::CredentialResume => call::<ops::revoke::CredentialResume>(service, path, inbound).await,
        Id::OauthMetadataRead => {
            no_query(service, row, &inbound)?;
            oauth::metadata(service)
        }
        Id::TokenIssue => {
            no_query(service, row, &inbound)?;
            let reply = oauth::token(service, &inbound).await?;
            // A client that does not show who it is has failed like anybody else.
            let has_failed = reply.status() == OauthErrorCode::InvalidClient.status();
            Ok(
                match has_failed.then(|| service.failures.admit(inbound.peer)) {
                    Some(Err(problem)) => Reply::refusal(&problem),
                    _ => reply,
                },
            )
        }
        Id::TokenIntrospect => Ok(introspection::answer(service, &inbound)
            .await
            .unwrap_or_else(|problem| refusal(service, &inbound, &problem))),
        Id::EventTest => Ok(event::test(service, path, &inbound)
            .await
            .unwrap_or_else(|problem| refusal(service, &inbound, &problem))),
        // Test control has a listener of its own; here its paths do not exist.
        Id::SandboxOpen
        | Id::SandboxReset
        | Id::ClockAdvance
        | Id::ControlApprove
        | Id::ControlPrincipalAdd
        | Id::ControlPrincipalSet
        | Id::ControlPolicySet
        | Id::AuthenticatorRegister
        | Id::AttestationTrustPut
        | Id::ControlIdentityProvider
        | Id::RequestLog
        | Id::StateDump
        | Id::FaultsPut
        | Id::FaultsRead => Err(ProblemType::NotFound.into()),
    }
}

/// Holds a document that anybody may read to the query of its row, which is none.
fn no_query(service: &Service, row: &Endpoint, inbound: &Inbound) -> Result<(), Problem> {
    query::read::<Nothing>(
        service.seams,
        row.id,
        &service.persona.profiles,
        &inbound.query,
    )
    .map(|_| ())
}

/// What the header field `Idempotency-Key` says: absent, malformed, or a key.
struct KeyField {
    sent: usize,
    key: Option<String>,
}

const KEY_RULES: &[Rule<KeyField>] = &[
    Rule {
        id: "CLP-TRN-017",
        refuses: |field| (field.sent == 0).then(|| ProblemType::IdempotencyKeyMissing.into()),
    },
    Rule {
        id: "CLP-TRN-018",
        refuses: |field| {
            (field.sent > 0 && field.key.is_none())
                .then(|| ProblemType::IdempotencyKeyInvalid.into())
        },
    },
];

fn idempotency_key(
    seams: Seams,
    row: &Endpoint,
    inbound: &Inbound,
) -> Result<Option<String>, Problem> {
    const NAME: &str = "idempotency-key";
    if row.idempotency == Idempotency::None {
        return Ok(None);
    }
    let field = KeyField {
        sent: inbound.headers.get_all(NAME).iter().count(),
        key: inbound.only(NAME).and_then(parse_key),
    };
    seams.check(KEY_RULES, &field)?;
    Ok(field.key)
}

/// The bare key, or the same key as a Structured Field String.
fn parse_key(text: &str) -> Option<String> {
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let key = quoted.unwrap_or(text);
    let is_key = (1..=255).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    is_key.then(|| key.to_owned())
}

/// Who called, and when by their clock: known once the caller is.
type Known = (TenantId, Timestamp);

async fn call<C: Operation + 'static>(
    service: &Arc<Service>,
    path: Map<String, Value>,
    inbound: Inbound,
) -> Result<Reply, Problem> {
    let row = C::ID.row();
    // Reading is done here, on the threads that answer; what it found is looked at in its turn.
    let path = serde_json::from_value::<C::Path>(Value::Object(path))
        .map_err(|_| ProblemType::NotFound.into());
    let query = query::read::<C::Query>(
        service.seams,
        row.id,
        &service.persona.profiles,
        &inbound.query,
    );
    let body = match row.has_body() {
        true => body::read::<C::Body>(service.seams, row.id, &service.persona.profiles, &inbound)
            .map(Some),
        false => Ok(None),
    };
    let key = idempotency_key(service.seams, row, &inbound);
    let conditions = Conditions::read(&inbound.headers);
    let bearer = inbound.bearer().map(str::to_owned);

    let target = body
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .and_then(|body| C::target(&body.typed));
    let addresses = match target {
        Some(webhook) => addresses_of(service, bearer.clone(), webhook).await,
        None => Vec::new(),
    };

    let known: Arc<OnceLock<Known>> = Arc::default();
    // CLP-TRN-040: a HEAD looks, and nothing comes of it.
    let keep = match inbound.method.as_str() {
        "HEAD" => Keep::Nothing,
        _ => Keep::Effects,
    };
    let result = service
        .store
        .run_keeping(keep, {
            let (service, known) = (Arc::clone(service), Arc::clone(&known));
            let raw_path = inbound.path.clone();
            move |gate| {
                let persona = &service.persona;
                let (mut tx, caller) = auth::authenticate(
                    gate,
                    &persona.name,
                    &persona.permissions,
                    bearer.as_deref(),
                )?;
                let _ = known.set((tx.tenant().clone(), tx.now()));
                let call = Incoming::<C> {
                    service,
                    caller,
                    raw_path,
                    path,
                    query,
                    body,
                    key,
                    conditions,
                    addresses,
                };
                run(&mut tx, &call)
            }
        })
        .await;
    let reply = result.unwrap_or_else(|problem| refusal(service, &inbound, &problem));
    if let Some((tenant, time)) = known.get() {
        let logged = LoggedRequest {
            time: *time,
            method: inbound.method,
            path: inbound.path,
            status: reply.status(),
            problem: reply.problem().map(str::to_owned),
        };
        service.log.record(tenant, logged);
    }
    Ok(reply)
}

/// The addresses of a target, for whoever may call at all: nobody else has names looked up.
async fn addresses_of(service: &Service, bearer: Option<String>, webhook: &Webhook) -> Vec<IpAddr> {
    let Some(url) = target::parse(&webhook.url) else {
        return Vec::new();
    };
    let persona = Arc::clone(&service.persona);
    let caller = move |gate: &Gate<'_>| {
        auth::authenticate(gate, &persona.name, &persona.permissions, bearer.as_deref()).map(|_| ())
    };
    match service.store.run(caller).await {
        Ok(()) => target::addresses(&url).await,
        Err(_) => Vec::new(),
    }
}

/// A refusal below E. Whoever has no token learns where to look for one.
fn refusal(service: &Service, inbound: &Inbound, problem: &Problem) -> Reply {
    let reply = Reply::refusal(problem);
    if problem.kind() != Some(ProblemType::Unauthenticated) {
        return reply;
    }
    if let Err(problem) = service.failures.admit(inbound.peer) {
        return Reply::refusal(&problem);
    }
    let metadata = format!(
        "{}/.well-known/oauth-protected-resource{ENDPOINT_PATH}",
        service.origin
    );
    let error = if inbound.has_authorization() {
        r#", error="invalid_token""#
    } else {
        ""
    };
    reply.challenge(&format!(r#"Bearer resource_metadata="{metadata}"{error}"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_two_spellings_and_bounds() {
        assert_eq!(parse_key("abc").as_deref(), Some("abc"));
        assert_eq!(parse_key("\"abc\"").as_deref(), Some("abc"));
        let longest = "a".repeat(255);
        assert_eq!(parse_key(&longest).as_deref(), Some(longest.as_str()));
        for refused in [
            "",
            "\"\"",
            "a b",
            "\"abc",
            "a\"b",
            "a\\b",
            "é",
            &"a".repeat(256),
        ] {
            assert_eq!(parse_key(refused), None, "{refused:?}");
        }
    }
}
