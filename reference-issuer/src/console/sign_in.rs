//! Signing in with a passkey. The authenticator knows whose it is, so nobody types a name, and
//! nobody learns whose passkeys there are.

use std::sync::Arc;

use axum::http::header::SET_COOKIE;
use clp_schemas::canonical::{from_base64url, sha256, to_base64url};
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::approve::Assertion;
use clp_schemas::problem::{Problem, ProblemType};
use serde::Deserialize;
use serde_json::json;

use super::kept::Session;
use super::{body, session};
use crate::context::Random;
use crate::http::{Inbound, Reply};
use crate::lifecycle::Effect;
use crate::ops::approve::RELYING_PARTY;
use crate::passkey::{self, Passkey};
use crate::service::Service;
use crate::store::Gate;

/// Keeps a signature that was made to sign in from meaning anything elsewhere.
const CONTEXT: &str = "clp-sign-in-v1";

/// What is signed to sign in. It is a hash over another context than that of an approval, so
/// that neither can be taken for the other.
fn challenge(issuer: &str, nonce: &str) -> [u8; 32] {
    // Three strings under names in sorted order: that is the canonical form.
    let text = json!({"context": CONTEXT, "issuer": issuer, "nonce": nonce}).to_string();
    sha256(text.as_bytes())
}

/// Draws a nonce. The page computes the challenge from it.
pub(super) fn open(service: &Service) -> Result<Reply, Problem> {
    let nonce = to_base64url(&Random.bytes::<32>()?);
    service.console.kept().nonces.put(&nonce, ());
    let opened = json!({
        "issuer": service.origin,
        "nonce": nonce,
        "relying_party_id": RELYING_PARTY,
    });
    Reply::json(201, &opened)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    nonce: String,
    evidence: Assertion,
}

/// Checks what an authenticator signed, and begins a session.
///
/// # Errors
/// `unauthenticated`, whatever is wrong with it.
pub(super) async fn submit(service: &Arc<Service>, inbound: &Inbound) -> Result<Reply, Problem> {
    let SignIn { nonce, evidence } = body(inbound)?;
    // Used up, whatever the evidence is worth.
    let is_open = service.console.kept().nonces.take(&nonce).is_some();
    let found = match is_open {
        true => {
            let service = Arc::clone(service);
            let store = service.store.clone();
            store
                .run(move |gate| verify(gate, &service, &nonce, &evidence))
                .await?
        }
        false => None,
    };
    let Some(session) = found else {
        service.failures.admit(inbound.peer)?;
        return Err(ProblemType::Unauthenticated.into());
    };
    let cookie = session::begin(service, session)?;
    Ok(Reply::empty(204).with(SET_COOKIE, &cookie))
}

/// Whose signature it is; `None` where it is nobody's.
fn verify(
    gate: &Gate<'_>,
    service: &Service,
    nonce: &str,
    evidence: &Assertion,
) -> Result<Option<Session>, Problem> {
    let Some(principal) = account(evidence) else {
        return Ok(None);
    };
    let Some(tenant) = gate.tenant_of_principal(&service.persona.name, &principal)? else {
        return Ok(None);
    };
    let found = gate.principal(&tenant, &principal)?;
    if found.is_none_or(|found| found.is_disabled) {
        return Ok(None);
    }
    let mut tx = gate.enter(&tenant)?;
    let passkeys = tx.passkeys(&principal)?;
    let signed = challenge(&service.origin, nonce);
    let verified = passkey::verify(&passkeys, &signed, evidence, RELYING_PARTY, &service.origin);
    let Ok(used) = verified else {
        return Ok(None);
    };
    let signer = passkeys
        .into_iter()
        .find(|passkey| passkey.credential_id == used.credential_id)
        .ok_or(ProblemType::Internal)?;
    let signer = Passkey {
        counter: used.counter,
        ..signer
    };
    tx.apply(vec![Effect::SavePasskey(principal.clone(), signer)])?;
    Ok(Some(Session { tenant, principal }))
}

/// Whose passkey it is, in the words of the authenticator (`WebAuthn` section 7.2, step 6).
fn account(evidence: &Assertion) -> Option<PrincipalId> {
    let handle = from_base64url(evidence.response.user_handle.as_deref()?).ok()?;
    String::from_utf8(handle).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::approval::{self, Decision};

    #[test]
    fn no_challenge_to_sign_in_is_one_to_approve() {
        let nonce = to_base64url(&[7; 32]);
        let digest = to_base64url(&[9; 32]);
        let signed = challenge("http://localhost:8801", &nonce);
        for decision in [Decision::Approve, Decision::Deny] {
            let approval = approval::challenge(&digest, &nonce, decision, "prin_x");
            assert_ne!(signed, approval);
        }
        assert_ne!(signed, challenge("http://localhost:8802", &nonce));
        // As a page computes it: a change here is one there.
        let text = format!(
            r#"{{"context":"clp-sign-in-v1","issuer":"http://localhost:8801","nonce":"{nonce}"}}"#
        );
        assert_eq!(signed, sha256(text.as_bytes()));
    }
}
