//! Keys and tokens that were made here, when they come back.

use std::fmt;

use clp_schemas::dpop;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::TenantId;
use clp_schemas::key::Key;
use clp_schemas::ops::create::{Confirmation, Credential};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::scope::MAX_ACCESS_BYTES;
use clp_schemas::ops::store::SecretText;
use clp_schemas::permissions::{
    Access, PermissionDocument, PermissionSet, Recorded, expand, limits, was_used,
};
use clp_schemas::time::Timestamp;

use super::admission::{GRANT_RULES, Grant, INVALID_TOKEN, Proof, STANDING_RULES, Standing};
use super::scope;
use crate::config::Persona;
use crate::lifecycle::Effect;
use crate::lifecycle::access::{Spent, Use, accept, probe_refused, refuse};
use crate::rules::Rule;
use crate::store::{Fault, Gate, Once, TokenRow, Tx};

/// How a key or a token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// By itself (RFC 6750).
    Bearer,
    /// Together with a proof of possession (RFC 9449).
    Dpop,
}

/// What a call to a persona's own API says about who makes it.
#[derive(Clone)]
pub struct Presented {
    /// The scheme of the `Authorization` header field.
    pub scheme: Scheme,
    /// The key or the token in it.
    pub token: SecretText,
    /// The `DPoP` header field, where one was sent.
    pub proof: Option<String>,
    /// The method of the call.
    pub method: String,
    /// Its URL, without the query.
    pub url: String,
    /// Its user agent; empty where none was sent.
    pub user_agent: String,
    /// Where it came from.
    pub address: String,
}

impl fmt::Debug for Presented {
    /// A proof stands for its key until it has been used.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Presented")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// What became of a key that was presented to a resource.
#[derive(Debug)]
pub enum KeyUse<'c> {
    /// The call is granted. The delivery of the key is over.
    Granted(Tx<'c>, Box<Credential>),
    /// The key is good, and does not open this.
    NotGranted(TenantId, &'static str),
    /// It opens nothing, and this is the challenge that says why.
    Invalid(&'static str),
}

/// What stands behind a genuine key or token.
struct Holder {
    credential: Credential,
    /// Of an access token.
    token: Option<TokenRow>,
}

/// Uses a key or an access token of a persona for one call of the persona's own API.
///
/// Writes the use into the log and into the inventory, and ends the delivery of a key that
/// works: whoever calls with it has it.
///
/// # Errors
/// A failure of the database.
pub fn use_key<'c>(
    gate: &Gate<'c>,
    persona: &Persona,
    call: &Presented,
    access: Access<'_>,
) -> Result<KeyUse<'c>, Fault> {
    let Some((mut tx, holder)) = holder(gate, persona, call.token.expose())? else {
        refuse_probe(
            gate,
            &persona.name,
            call.token.expose(),
            CredentialType::ApiKey,
        )?;
        return Ok(KeyUse::Invalid(INVALID_TOKEN));
    };
    let Holder { credential, token } = &holder;
    let (standing, proof) = standing(&tx, &holder, call)?;
    if let Err((reason, challenge)) = tx.check(STANDING_RULES, &standing) {
        tx.apply(refuse(credential, reason, tx.now()))?;
        return Ok(KeyUse::Invalid(challenge));
    }
    tx.apply(proof.map(Effect::Remember).into_iter().collect())?;
    let document = tx.document(&persona.name, &credential.permission_schema_digest)?;
    let in_scope = token
        .as_ref()
        .is_none_or(|token| scope::covers(&token.scope, access));
    let grant = Grant::of(
        &document,
        &credential.permissions,
        access,
        in_scope,
        credential.cnf.is_some(),
    );
    if let Err((reason, challenge)) = tx.check(GRANT_RULES, &grant) {
        tx.apply(refuse(credential, reason, tx.now()))?;
        return Ok(KeyUse::NotGranted(tx.tenant().clone(), challenge));
    }
    let used = used(persona, credential, call, &document, access);
    tx.apply(
        used.map(|used| Effect::CountUse(Box::new(used)))
            .into_iter()
            .collect(),
    )?;
    tx.apply(accept(credential, tx.now()))?;
    Ok(KeyUse::Granted(tx, Box::new(holder.credential)))
}

/// How a key or token stands, and the proof to be remembered where a new one holds.
fn standing(
    tx: &Tx<'_>,
    holder: &Holder,
    call: &Presented,
) -> Result<(Standing, Option<Spent>), Fault> {
    let Holder { credential, token } = holder;
    let bound = credential.cnf.as_ref().filter(|_| token.is_none());
    let (proof, spent) = match (bound, call.scheme, &call.proof) {
        (Some(bound), Scheme::Dpop, Some(proof)) => worth(tx, credential, bound, call, proof)?,
        _ => (Proof::Missing, None),
    };
    let standing = Standing {
        state: credential.state,
        is_token: token.is_some(),
        has_ended: token
            .as_ref()
            .is_some_and(|token| token.expires_at <= tx.now()),
        opens_by_itself: credential.kind == CredentialType::ApiKey,
        is_bound: bound.is_some(),
        scheme: call.scheme,
        proof,
    };
    Ok((standing, spent))
}

/// What a proof is worth; it is good once.
fn worth(
    tx: &Tx<'_>,
    credential: &Credential,
    bound: &Confirmation,
    call: &Presented,
    proof: &str,
) -> Result<(Proof, Option<Spent>), Fault> {
    let expected = dpop::Expected {
        method: &call.method,
        url: &call.url,
        token: call.token.expose(),
        thumbprint: &bound.jkt,
        now: tx.now(),
    };
    let Ok(proof) = dpop::check(proof, expected) else {
        return Ok((Proof::Wrong, None));
    };
    if tx.was_seen(Once::Proof, &credential.id, &proof.id)? {
        return Ok((Proof::Seen, None));
    }
    let spent = Spent {
        kind: Once::Proof,
        credential: credential.id.clone(),
        id: proof.id,
        forget_at: proof.forget_at,
    };
    Ok((Proof::Good, Some(spent)))
}

/// An accepted call as it is counted, where it is: by consumer, where somebody can ask for that.
fn used(
    persona: &Persona,
    credential: &Credential,
    call: &Presented,
    document: &PermissionDocument,
    access: Access<'_>,
) -> Option<Use> {
    if !persona.claims(Class::Lifecycle) {
        return None;
    }
    // Who calls is personal data; it is not kept where nobody can ask for it.
    let kept = |text: &str| match persona.claims(Class::Inventory) {
        true => text.to_owned(),
        false => String::new(),
    };
    // Permissions that were granted under their document expand under it.
    let parts = expand(document, &credential.permissions).unwrap_or_default();
    Some(Use {
        credential: credential.id.clone(),
        user_agent: kept(&call.user_agent),
        address: kept(&call.address),
        parts: parts
            .iter()
            .enumerate()
            .filter(|(_, part)| was_used(document, part, access))
            .map(|(number, _)| number)
            .collect(),
        access: recorded(access, &credential.permissions),
    })
}

/// An access as it is recorded, if it is no longer than that: with what constraints of its
/// credential bear on, and no more about who called.
fn recorded(access: Access<'_>, held: &PermissionSet) -> Option<Recorded> {
    let bears = |name: &String| {
        held.0.iter().any(|statement| {
            statement.resource_type == access.resource_type
                && statement.constraints.contains_key(name)
        })
    };
    let recorded = Recorded {
        resource_type: access.resource_type.to_owned(),
        path: access.path.to_owned(),
        action: access.action.to_owned(),
        facts: access
            .facts
            .iter()
            .filter(|(name, _)| bears(name))
            .map(|(name, fact)| (name.clone(), fact.clone()))
            .collect(),
    };
    let bytes = serde_json::to_vec(&recorded).ok()?.len();
    let fits = bytes <= MAX_ACCESS_BYTES && access.path.chars().count() <= limits::SELECTOR_LENGTH;
    fits.then_some(recorded)
}

/// What stands behind a key or a token, if it is genuine, whatever state that is in.
fn holder<'c>(
    gate: &Gate<'c>,
    persona: &Persona,
    text: &str,
) -> Result<Option<(Tx<'c>, Holder)>, Fault> {
    if let Some(token) = gate.token(&persona.name, text)? {
        let tx = gate.enter(&token.tenant)?;
        let credential = tx.credential(&token.credential)?;
        return Ok(credential.map(|credential| {
            let token = Some(token);
            (tx, Holder { credential, token })
        }));
    }
    let known = known_credential(gate, &persona.name, text)?;
    Ok(known.map(|(tx, credential)| {
        (
            tx,
            Holder {
                credential,
                token: None,
            },
        )
    }))
}

/// How a key compares to what is kept of the one with its id.
struct Kept {
    is_genuine: bool,
}

const KEPT_RULES: &[Rule<Kept, ()>] = &[Rule {
    id: "CLP-SCO-003",
    refuses: |kept| (!kept.is_genuine).then_some(()),
}];

/// The credential of a key, if the key is genuine, whatever state it is in.
pub(crate) fn known_credential<'c>(
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
    let kept = Kept {
        is_genuine: verifier.matches(&gate.keys().verifier(bearer)),
    };
    if gate.seams().check(KEPT_RULES, &kept).is_err() {
        return Ok(None);
    }
    let tx = gate.enter(&tenant)?;
    Ok(tx.credential(&id)?.map(|credential| (tx, credential)))
}

/// The tenant of a principal's token, of a key or of an access token, and its time; whatever state
/// a credential is in.
///
/// # Errors
/// A failure of the database.
pub(crate) fn tenant_of(
    gate: &Gate<'_>,
    persona: &str,
    bearer: &str,
) -> Result<Option<(TenantId, Timestamp)>, Fault> {
    let tenant = if let Some(principal) = gate.principal_by_token(persona, bearer)? {
        principal.tenant
    } else if let Some(token) = gate.token(persona, bearer)? {
        token.tenant
    } else {
        let known = known_credential(gate, persona, bearer)?;
        return Ok(known.map(|(tx, _)| (tx.tenant().clone(), tx.now())));
    };
    let tx = gate.enter(&tenant)?;
    Ok(Some((tenant, tx.now())))
}

/// Notes that a probe value of a rotation of this kind was refused, if that is what was
/// presented.
pub(crate) fn refuse_probe(
    gate: &Gate<'_>,
    persona: &str,
    text: &str,
    kind: CredentialType,
) -> Result<(), Fault> {
    let Ok(parsed) = Key::parse(text) else {
        return Ok(());
    };
    let Some((tenant, id)) = gate.rotation_of_probe(persona, parsed.key_id)? else {
        return Ok(());
    };
    let mut tx = gate.enter(&tenant)?;
    let Some(rotation) = tx.rotation(&id)? else {
        return Ok(());
    };
    let is_of_kind = tx
        .credential(&rotation.predecessor)?
        .is_some_and(|predecessor| predecessor.kind == kind);
    if is_of_kind && rotation.probe_value.as_deref() == Some(text) {
        tx.apply(probe_refused(rotation, tx.now()))?;
    }
    Ok(())
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
