//! Keys and tokens that were made here, when they come back.

use std::fmt;

use clp_schemas::dpop;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::TenantId;
use clp_schemas::key::Key;
use clp_schemas::ops::create::{Confirmation, Credential};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::store::SecretText;
use clp_schemas::permissions::{Access, PermissionDocument, allows, expand, was_used};
use clp_schemas::state::Named as _;
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;

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

const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;
const INSUFFICIENT_SCOPE: &str = r#"Bearer error="insufficient_scope""#;
const BOUND_INVALID_TOKEN: &str = r#"DPoP error="invalid_token", algs="EdDSA ES256""#;
const BOUND_INVALID_PROOF: &str = r#"DPoP error="invalid_dpop_proof", algs="EdDSA ES256""#;
const BOUND_INSUFFICIENT_SCOPE: &str = r#"DPoP error="insufficient_scope", algs="EdDSA ES256""#;

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
    if let Err((reason, challenge)) = stands(&mut tx, &holder, call)? {
        tx.apply(refuse(credential, reason, tx.now()))?;
        return Ok(KeyUse::Invalid(challenge));
    }
    let document = gate.document(&persona.name, &credential.permission_schema_digest)?;
    let in_scope = token
        .as_ref()
        .is_none_or(|token| scope::covers(&token.scope, access));
    let document = document.ok_or(Fault::Value("permission document"))?;
    let reach = Reach {
        in_scope,
        is_permitted: allows(&document, &credential.permissions, access),
    };
    if let Err(reason) = tx.check(REACH_RULES, &reach) {
        tx.apply(refuse(credential, reason, tx.now()))?;
        let challenge = if credential.cnf.is_some() {
            BOUND_INSUFFICIENT_SCOPE
        } else {
            INSUFFICIENT_SCOPE
        };
        return Ok(KeyUse::NotGranted(tx.tenant().clone(), challenge));
    }
    let used = used(persona, credential, call, &document, access);
    tx.apply(used.map(Effect::CountUse).into_iter().collect())?;
    tx.apply(accept(credential, tx.now()))?;
    Ok(KeyUse::Granted(tx, Box::new(holder.credential)))
}

/// Why a genuine key or token opens nothing: for the log, and for whoever called.
type Refusal = (&'static str, &'static str);

/// How a genuine key or token stands.
struct Standing {
    state: State,
    is_token: bool,
    has_ended: bool,
    opens_by_itself: bool,
}

impl Standing {
    fn reason(&self, is_token: bool, refuses: bool) -> Option<&'static str> {
        (self.is_token == is_token && refuses).then(|| self.state.name())
    }
}

/// Refused as the reason that the log has for it.
const STANDING_RULES: &[Rule<Standing, &'static str>] = &[
    Rule {
        id: "CLP-SCO-006",
        refuses: |standing| standing.reason(false, standing.state == State::Suspended),
    },
    Rule {
        id: "CLP-SCO-004",
        refuses: |standing| {
            let opens = standing.state.opens() || standing.state == State::Suspended;
            standing.reason(false, !opens)
        },
    },
    Rule {
        id: "CLP-OAU-010/credential",
        refuses: |standing| standing.reason(true, !standing.state.opens()),
    },
    Rule {
        id: "CLP-OAU-010/end",
        refuses: |standing| standing.has_ended.then_some("invalid_token"),
    },
    Rule {
        id: "CLP-OAU-011",
        refuses: |standing| (!standing.opens_by_itself).then_some("invalid_token"),
    },
];

/// How far a key or token reaches.
struct Reach {
    in_scope: bool,
    is_permitted: bool,
}

const REACH_RULES: &[Rule<Reach, &'static str>] = &[
    Rule {
        id: "CLP-OAU-009",
        refuses: |reach| (!reach.in_scope).then_some("insufficient_scope"),
    },
    Rule {
        id: "CLP-SCO-002",
        refuses: |reach| (!reach.is_permitted).then_some("insufficient_scope"),
    },
];

fn stands(
    tx: &mut Tx<'_>,
    holder: &Holder,
    call: &Presented,
) -> Result<Result<(), Refusal>, Fault> {
    let Holder { credential, token } = holder;
    let bound = credential.cnf.as_ref().filter(|_| token.is_none());
    let invalid = if bound.is_some() {
        BOUND_INVALID_TOKEN
    } else {
        INVALID_TOKEN
    };
    let opens_by_itself = token.is_some() || credential.kind == CredentialType::ApiKey;
    let standing = Standing {
        state: credential.state,
        is_token: token.is_some(),
        has_ended: token
            .as_ref()
            .is_some_and(|token| token.expires_at <= tx.now()),
        opens_by_itself,
    };
    if let Err(reason) = tx.check(STANDING_RULES, &standing) {
        return Ok(Err((reason, invalid)));
    }
    match (bound, call.scheme, &call.proof) {
        (None, Scheme::Bearer, _) => Ok(Ok(())),
        (Some(bound), Scheme::Dpop, Some(proof)) => {
            match holds(tx, credential, bound, call, proof)? {
                true => Ok(Ok(())),
                false => Ok(Err(("invalid_dpop_proof", BOUND_INVALID_PROOF))),
            }
        }
        (None, Scheme::Dpop, _) | (Some(_), _, _) => Ok(Err(("invalid_token", invalid))),
    }
}

/// Whether a proof is of this call, and the first of its name.
fn holds(
    tx: &mut Tx<'_>,
    credential: &Credential,
    bound: &Confirmation,
    call: &Presented,
    proof: &str,
) -> Result<bool, Fault> {
    let expected = dpop::Expected {
        method: &call.method,
        url: &call.url,
        token: call.token.expose(),
        thumbprint: &bound.jkt,
        now: tx.now(),
    };
    let Ok(proof) = dpop::check(proof, expected) else {
        return Ok(false);
    };
    if tx.was_seen(Once::Proof, &credential.id, &proof.id)? {
        return Ok(false);
    }
    let spent = Spent {
        kind: Once::Proof,
        credential: credential.id.clone(),
        id: proof.id,
        forget_at: proof.forget_at,
    };
    tx.apply(vec![Effect::Remember(spent)])?;
    Ok(true)
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
    })
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
    if !verifier.matches(&gate.keys().verifier(bearer)) {
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
