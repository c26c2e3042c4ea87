//! What a call sends where the scenario does not say otherwise.

use clp_schemas::endpoint::EndpointId;
use serde_json::{Value, json};

use super::Fault;
use super::call::Payload;
use super::names::{Names, set};

/// The usual body of a call: accepted, unless something in it is changed.
///
/// # Errors
/// Where it needs something that was not answered yet.
pub fn usual_body(id: EndpointId, names: &Names) -> Result<Payload, Fault> {
    use EndpointId as Id;
    let described = |environment: &str| -> Result<Value, Fault> {
        Ok(json!({
            "type": "api_key",
            "permissions": names.resolve("probe.read_permissions")?,
            "purpose": names.resolve("mark")?,
            "owner": names.resolve("mark")?,
            "project": names.resolve("probe.project")?,
            "environment": names.resolve(environment)?,
        }))
    };
    let body = match id {
        Id::CredentialCreate => described("probe.environment")?,
        Id::RequestOpen => {
            let mut body = described("probe.approval_environment")?;
            set(
                &mut body,
                "subject",
                json!({"kind": "agent", "id": names.resolve("mark")?}),
            )?;
            set(&mut body, "lifetime_seconds", names.resolve("lifetime")?)?;
            body
        }
        Id::ChallengeOpen => json!({"decision": "approve"}),
        Id::ApprovalSubmit => json!({
            "challenge_id": names.resolve("challenge.id")?,
            "method": names.resolve("method")?,
            "evidence": names.resolve("evidence")?,
        }),
        Id::RotationOpen => json!({"reason": "scheduled"}),
        Id::CredentialRevoke => json!({"mode": "immediate", "reason": "no_longer_needed"}),
        Id::SandboxOpen => json!({"issuer_identifier": names.resolve("issuer")?}),
        Id::ClockAdvance => json!({"advance_seconds": 1}),
        Id::ControlApprove => {
            json!({"request_id": names.resolve("request.id")?, "decision": "approve"})
        }
        Id::AuthenticatorRegister => json!({
            "principal": names.resolve("ben.id")?,
            "credential_id": names.resolve("passkey.credential_id")?,
            "public_key": names.resolve("passkey.public_key")?,
        }),
        Id::RequestAmend => json!({"purpose": names.resolve("mark")?}),
        Id::ControlPrincipalAdd => json!({"name": "eve", "actions": ["read", "approve"]}),
        Id::ControlPrincipalSet => json!({"actions": ["read"]}),
        Id::ControlPolicySet => json!({}),
        Id::AttestationTrustPut => names.resolve("attestation_trust")?,
        Id::ControlIdentityProvider => names.resolve("provider")?,
        Id::FaultsPut => json!({"rules": []}),
        Id::CredentialAmend => json!({"labels": {"team": names.resolve("mark")?}}),
        Id::DeliveryAck | Id::RotationAdvance | Id::RotationRollback | Id::CredentialResume => {
            json!({})
        }
        Id::StoreRegister => json!({
            "name": names.resolve("mark")?,
            "kind": "vault",
            "owner": names.resolve("mark")?,
            "project": names.resolve("probe.project")?,
            "environment": names.resolve("probe.environment")?,
        }),
        Id::InstallationPut => json!({
            "target": {"kind": "cron", "name": names.resolve("mark")?},
            "state": "installed",
        }),
        Id::CredentialSuspend => json!({"reason": "policy"}),
        Id::EventTest => json!({"signed_by": "credential"}),
        Id::TokenIssue => {
            let grant = ("grant_type".to_owned(), "client_credentials".to_owned());
            return Ok(Payload::Form(vec![grant]));
        }
        Id::TokenIntrospect => return Ok(Payload::Form(Vec::new())),
        _ => return Ok(Payload::Nothing),
    };
    Ok(Payload::Json(body))
}
