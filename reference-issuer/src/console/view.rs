//! A request as its page shows it: every word of it is the permission document's, the issuer's
//! own, or set apart as somebody else's.

use askama::Template;
use clp_schemas::approval::{Actor, ApprovalDocument, Decision};
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::approve::{Approval, Challenge};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::request::{CredentialRequest, RequestBody};
use clp_schemas::permissions::{
    PermissionDocument, PermissionSet, Statement, consent, consent_part, expand, risk,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::State;
use clp_schemas::time::Timestamp;
use clp_schemas::words::json_text;

use super::kept::Session;
use super::wording::{self, Moment, Quoted, clean, duration, moment, quoted};
use crate::http::Reply;
use crate::service::Service;
use crate::store::{Fault, Gate, Tx};

/// Shorter lifetimes that can be agreed to, in seconds.
const SHORTER: [u64; 7] = [900, 3600, 21_600, 86_400, 604_800, 2_592_000, 7_776_000];
/// Ends of renewal that can be agreed to, in seconds from now.
const RENEWALS: [i64; 4] = [86_400, 604_800, 2_592_000, 7_776_000];
/// How much of the digest is shown at first, in characters.
const SHORT_DIGEST: usize = 12;

/// The page of a request.
#[derive(Template)]
#[template(path = "request.html")]
pub(super) struct RequestPage {
    issuer: String,
    who: String,
    approver: String,
    title: &'static str,
    outcome: Option<&'static str>,
    id: String,
    kind: &'static str,
    requester: String,
    requester_id: String,
    project: String,
    environment: String,
    is_production: bool,
    lifetime: String,
    renewal: String,
    code: String,
    actors: Vec<(String, String)>,
    is_urgent: bool,
    quorum: Option<(usize, u8)>,
    renewals: Vec<(String, String)>,
    asked: Moment,
    ends: Moment,
    risk: (&'static str, &'static str),
    consent: Vec<String>,
    extras: Vec<(&'static str, String)>,
    words: Vec<(&'static str, Quoted)>,
    narrowed: Option<String>,
    decisions: Vec<DecisionView>,
    obstacle: Option<&'static str>,
    can_decide: bool,
    ways: Vec<WayView>,
    parts: Vec<PartView>,
    lifetimes: Vec<(u64, String)>,
    version: u64,
    digest: String,
    short_digest: String,
    document: String,
}

/// One part of what is asked for, that can be agreed to or not.
struct PartView {
    statement: usize,
    action: String,
    /// The actions that come with it, separated by spaces.
    includes: String,
    words: String,
}

/// A decision that was taken.
struct DecisionView {
    is_approval: bool,
    who: String,
    method: String,
    version: u64,
    at: Moment,
    until: Moment,
    reason: Option<Quoted>,
}

/// What a principal is called.
///
/// # Errors
/// A failure of the database.
pub(super) fn person(
    gate: &Gate<'_>,
    tenant: &TenantId,
    id: &PrincipalId,
) -> Result<String, Fault> {
    let name = gate.principal_name(tenant, id)?;
    Ok(clean(&name.unwrap_or_else(|| id.to_string())))
}

/// A way for this person to prove a decision.
struct WayView {
    method: String,
    issuer: String,
    client_id: String,
    words: String,
}

/// Makes the page of a request. `tried` is what this person gets who wants to decide.
///
/// # Errors
/// `internal`, where the store holds another thing.
pub(super) fn of(
    gate: &Gate<'_>,
    tx: &Tx<'_>,
    service: &Service,
    session: &Session,
    request: CredentialRequest,
    tried: Result<Reply, Problem>,
) -> Result<RequestPage, Problem> {
    let internal = || Problem::from(ProblemType::Internal);
    let document: ApprovalDocument =
        serde_json::from_value(request.approval_document.clone()).map_err(|_| internal())?;
    let asked: RequestBody =
        serde_json::from_value(document.request.clone()).map_err(|_| internal())?;
    let meaning = tx.document(&service.persona.name, &document.permission_schema_digest)?;
    let lines = consent(&meaning, &asked.permissions, wording::LANGUAGE).map_err(|_| internal())?;
    let now = tx.now();
    let (ways, obstacle) = match tried {
        Ok(reply) => {
            let challenge = serde_json::from_slice(reply.body()).map_err(|_| internal())?;
            let accepted = request
                .approval_policy
                .as_ref()
                .map(|policy| &policy.methods);
            (ways(&challenge, accepted), None)
        }
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let is_open = request.state == State::PendingApproval;
    let mut decisions = Vec::new();
    for approval in &request.approvals {
        decisions.push(decision(gate, tx.tenant(), approval, now)?);
    }
    let (title, outcome) = headline(request.state);
    let requester = person(gate, tx.tenant(), &request.requester)?;
    let extras = extras(&asked);
    Ok(RequestPage {
        issuer: clean(&service.persona.display_name),
        who: person(gate, &session.tenant, &session.principal)?,
        approver: session.principal.to_string(),
        title,
        outcome,
        id: request.id.to_string(),
        kind: wording::kind(asked.kind),
        requester,
        requester_id: request.requester.to_string(),
        project: clean(&asked.project),
        environment: clean(&asked.environment),
        is_production: asked.environment == "production",
        lifetime: duration(asked.lifetime_seconds),
        renewal: wording::renewal(&asked, now),
        code: request.user_code.clone(),
        actors: actors(gate, tx.tenant(), &document)?,
        is_urgent: asked.emergency.is_some(),
        quorum: quorum(&request, now),
        renewals: renewals(&asked, now),
        asked: moment(request.created_at, now),
        ends: moment(request.expires_at, now),
        risk: wording::risk(risk(&meaning, &asked.permissions)),
        consent: lines.iter().map(|line| clean(line)).collect(),
        extras,
        words: words(&asked),
        narrowed: narrowed(&request, &asked),
        decisions,
        can_decide: is_open && obstacle.is_none(),
        ways,
        obstacle: obstacle.filter(|_| is_open).map(|problem| why(&problem)),
        parts: parts(&meaning, &asked.permissions).ok_or_else(internal)?,
        lifetimes: SHORTER
            .iter()
            .filter(|seconds| **seconds < asked.lifetime_seconds)
            .map(|seconds| (*seconds, duration(*seconds)))
            .collect(),
        version: document.version,
        short_digest: request.digest.chars().take(SHORT_DIGEST).collect(),
        digest: request.digest,
        document: json_text(&request.approval_document),
    })
}

/// How a challenge can be answered: by an authenticator, and by each provider where this person
/// has an account.
fn ways(challenge: &Challenge, accepted: Option<&Vec<AuthMethod>>) -> Vec<WayView> {
    let takes = |method| {
        challenge.methods.contains(&method)
            && accepted.is_none_or(|accepted| accepted.contains(&method))
    };
    let by_key = [
        (AuthMethod::Passkey, "a passkey"),
        (AuthMethod::HardwareKey, "a hardware key"),
    ];
    // An attested key is a passkey too: where both are taken, either is asked for as that.
    let by_key = by_key
        .into_iter()
        .find(|(method, _)| takes(*method) && !challenge.allow_credentials.is_empty())
        .map(|(method, words)| WayView {
            method: method.to_string(),
            issuer: String::new(),
            client_id: String::new(),
            words: words.to_owned(),
        });
    let by_provider = challenge.identity_providers.iter().flat_map(|provider| {
        let usable = provider.methods.iter().filter(|method| takes(**method));
        usable.map(|method| WayView {
            method: method.to_string(),
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            words: clean(&format!("{} ({method})", provider.issuer)),
        })
    });
    by_key.into_iter().chain(by_provider).collect()
}

/// The heading, and the words for a request that nobody has to decide on any more.
const fn headline(state: State) -> (&'static str, Option<&'static str>) {
    match state {
        State::PendingApproval => ("Approve this request?", None),
        State::Approved => (
            "Approved",
            Some("This request is approved. Whoever asked can now create the credential."),
        ),
        State::Issued => (
            "Approved and used",
            Some("This request was approved, and the credential was created."),
        ),
        State::Denied => (
            "Denied",
            Some("This request is denied, for good. Nothing was created."),
        ),
        State::Cancelled => (
            "Taken back",
            Some("Whoever asked has taken this request back. Nothing was created."),
        ),
        State::Expired => (
            "Expired",
            Some("The time to decide on this request, or to use its approval, is over."),
        ),
    }
}

/// Why this person may not decide, in words to them.
fn why(problem: &Problem) -> &'static str {
    match problem.kind() {
        Some(ProblemType::SeparationOfDuty) => {
            "You cannot decide on this request: you asked for it, it was asked for on your behalf, \
             or you are no person. Send the address of this page to somebody else who may approve."
        }
        Some(ProblemType::Forbidden) => {
            "You may look at this request, and not decide on it. Send the address of this page \
             to somebody who may approve."
        }
        _ => "You cannot decide on this request now.",
    }
}

/// What else of a request changes what it opens.
fn extras(asked: &RequestBody) -> Vec<(&'static str, String)> {
    let mut extras = Vec::new();
    if let Some(cnf) = &asked.cnf {
        extras.push(("Opens nothing without the key pair", cnf.jkt.clone()));
    }
    if let Some(jwk) = &asked.public_jwk {
        let text = serde_json::to_string(jwk).unwrap_or_default();
        extras.push(("Key of the requester", clean(&text)));
    }
    if let Some(webhook) = &asked.webhook {
        extras.push(("Events are sent to", clean(&webhook.url)));
    }
    extras
}

/// What the requester wrote, in their words.
fn words(asked: &RequestBody) -> Vec<(&'static str, Quoted)> {
    let subject = &asked.subject;
    let mut words = vec![
        ("Purpose", quoted(&asked.purpose)),
        ("Owner", quoted(&asked.owner)),
        (
            "To be used by",
            quoted(&format!("{} {}", subject.kind, subject.id)),
        ),
    ];
    if let Some(why) = &asked.emergency {
        words.push(("Emergency", quoted(why)));
    }
    if let Some(why) = &asked.justification {
        words.push(("Justification", quoted(why)));
    }
    if let Some(why) = &asked.emergency {
        words.push(("Why it cannot wait", quoted(why)));
    }
    words
}

/// For whom the requester acts, nearest first: name and kind of each, the requester's own too.
fn actors(
    gate: &Gate<'_>,
    tenant: &TenantId,
    document: &ApprovalDocument,
) -> Result<Vec<(String, String)>, Fault> {
    let named = |actor: &Actor| {
        let name = person(gate, tenant, &actor.principal)?;
        Ok((name, actor.kind.to_string()))
    };
    document.actors.iter().map(named).collect()
}

/// How many people have agreed to this version, of how many; `None` where one is enough.
fn quorum(request: &CredentialRequest, now: Timestamp) -> Option<(usize, u8)> {
    let wanted = request.approval_policy.as_ref()?.approvals_required;
    let agreed = request.approvals.iter().filter(|approval| {
        approval.decision == Decision::Approve
            && approval.version == request.version
            && approval.expires_at > now
    });
    (wanted > 1).then(|| (agreed.count(), wanted))
}

/// Earlier ends of renewal that can be agreed to: when, and in words.
fn renewals(asked: &RequestBody, now: Timestamp) -> Vec<(String, String)> {
    let policy = asked.rotation_policy.as_ref();
    let until = policy.and_then(|policy| policy.renewable_until);
    RENEWALS
        .iter()
        .map(|seconds| (now.plus(*seconds), seconds.unsigned_abs()))
        .filter(|(at, _)| until.is_none_or(|until| *at < until))
        .map(|(at, seconds)| (at.to_string(), duration(seconds)))
        .collect()
}

/// Says where less was agreed to than was asked for.
fn narrowed(request: &CredentialRequest, agreed: &RequestBody) -> Option<String> {
    let asked = &request.submitted;
    let less = match (
        agreed.permissions != asked.permissions,
        agreed.lifetime_seconds != asked.lifetime_seconds,
    ) {
        (false, false) => return None,
        (true, false) => "fewer permissions".to_owned(),
        (false, true) => format!("a shorter life than {}", duration(asked.lifetime_seconds)),
        (true, true) => format!(
            "fewer permissions, and a shorter life than {}",
            duration(asked.lifetime_seconds)
        ),
    };
    Some(less)
}

fn decision(
    gate: &Gate<'_>,
    tenant: &TenantId,
    approval: &Approval,
    now: Timestamp,
) -> Result<DecisionView, Fault> {
    Ok(DecisionView {
        is_approval: approval.decision == Decision::Approve,
        who: match &approval.approver {
            Some(approver) => person(gate, tenant, approver)?,
            None => "the policy of the organisation".to_owned(),
        },
        method: approval.method.to_string().replace('_', " "),
        version: approval.version,
        at: moment(approval.approved_at, now),
        until: moment(approval.expires_at, now),
        reason: approval.reason.as_deref().map(quoted),
    })
}

/// The parts of a set, one for each action of each statement.
fn parts(meaning: &PermissionDocument, set: &PermissionSet) -> Option<Vec<PartView>> {
    let mut parts = Vec::new();
    for (number, statement) in set.0.iter().enumerate() {
        let alone = |statement: &Statement| PermissionSet(vec![statement.clone()]);
        for part in expand(meaning, &alone(statement)).ok()? {
            let action = part.actions.first()?.clone();
            let includes: Vec<String> = expand(meaning, &alone(&part))
                .ok()?
                .into_iter()
                .flat_map(|included| included.actions)
                .filter(|included| *included != action)
                .collect();
            let words = consent_part(meaning, &part, wording::LANGUAGE).ok()?;
            parts.push(PartView {
                statement: number,
                action,
                includes: includes.join(" "),
                words: clean(&words),
            });
        }
    }
    Some(parts)
}
