//! Keys that were minted here, when they come back.

use clp_schemas::ids::TenantId;
use clp_schemas::key::Key;
use clp_schemas::ops::create::Credential;
use clp_schemas::permissions::PermissionDocument;
use clp_schemas::state::Named as _;

use crate::lifecycle::credential::{accept, refuse};
use crate::store::{Fault, Gate, Tx};

/// What became of a key that was presented to a resource.
#[derive(Debug)]
pub enum KeyUse<'c> {
    /// The call is granted. The delivery of the key is over.
    Granted(Tx<'c>, Box<Credential>),
    /// The key is good, and does not open this.
    NotGranted(TenantId),
    /// The key is malformed, unknown, expired or revoked.
    Invalid,
}

/// Uses a key of a persona for one call of the persona's own API, which `grants` judges by the
/// credential and the permission document that gives its permissions their meaning.
///
/// Writes the use into the log, and ends the delivery of a key that works: whoever calls with
/// it has it.
///
/// # Errors
/// A failure of the database.
pub fn use_key<'c>(
    gate: &Gate<'c>,
    persona: &str,
    bearer: &str,
    grants: impl FnOnce(&Credential, &PermissionDocument) -> bool,
) -> Result<KeyUse<'c>, Fault> {
    let Some((mut tx, credential)) = known_credential(gate, persona, bearer)? else {
        return Ok(KeyUse::Invalid);
    };
    if !credential.state.is_live() {
        tx.apply(refuse(&credential, credential.state.name(), tx.now()))?;
        return Ok(KeyUse::Invalid);
    }
    let granted = gate
        .document(persona, &credential.permission_schema_digest)?
        .is_some_and(|document| grants(&credential, &document));
    if !granted {
        tx.apply(refuse(&credential, "insufficient_scope", tx.now()))?;
        return Ok(KeyUse::NotGranted(tx.tenant().clone()));
    }
    tx.apply(accept(&credential, tx.now()))?;
    Ok(KeyUse::Granted(tx, Box::new(credential)))
}

/// The credential of a key, if the key is genuine, whatever state it is in.
fn known_credential<'c>(
    gate: &Gate<'c>,
    persona: &str,
    bearer: &str,
) -> Result<Option<(Tx<'c>, Credential)>, Fault> {
    let Ok(parsed) = Key::parse(bearer) else {
        return Ok(None);
    };
    let Some((tenant, id, verifier)) = gate.credential_by_key_id(persona, parsed.key_id)? else {
        return Ok(None);
    };
    if !verifier.matches(&gate.keys().verifier(bearer)) {
        return Ok(None);
    }
    let tx = gate.enter(&tenant)?;
    Ok(tx.credential(&id)?.map(|credential| (tx, credential)))
}

/// The credential of a key that works.
pub(super) fn live_credential<'c>(
    gate: &Gate<'c>,
    persona: &str,
    bearer: &str,
) -> Result<Option<(Tx<'c>, Credential)>, Fault> {
    Ok(known_credential(gate, persona, bearer)?
        .filter(|(_, credential)| credential.state.is_live()))
}
