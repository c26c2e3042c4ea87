//! The life of a request (specification chapters 11 and 12).

use clp_schemas::approval::{Actor, Decision};
use clp_schemas::audit;
use clp_schemas::ids::{CredentialId, PrincipalId};
use clp_schemas::ops::approve::{Approval, Challenge};
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::state::request::{Event, MACHINE, State};
use clp_schemas::time::Timestamp;

use super::Effect;
use crate::audit::Entry;
use crate::store::Due;

/// How long a request waits for a decision, in seconds: a week, the most that the
/// specification admits.
pub const REQUEST_SECONDS: i64 = 604_800;

/// Stores a new request.
#[must_use]
pub fn open(request: CredentialRequest, actors: &[Actor]) -> Vec<Effect> {
    let entry = about(audit::Event::RequestOpened, &request)
        .actor(request.requester.as_str())
        .text("digest", &request.digest)
        .actors(actors)
        .maybe("emergency", request.submitted.emergency.as_deref());
    vec![
        Effect::Schedule(request.expires_at, Due::Request(request.id.clone())),
        Effect::SaveRequest(Box::new(request)),
        Effect::Audit(entry),
    ]
}

/// Keeps a challenge until it is over.
#[must_use]
pub fn challenge(challenge: Challenge) -> Vec<Effect> {
    vec![
        Effect::Schedule(challenge.expires_at, Due::Challenge(challenge.id.clone())),
        Effect::SaveChallenge(Box::new(challenge)),
    ]
}

/// Changes what a request asks for, which has to be decided on anew. That it can be, the rules
/// of the endpoint have seen to.
#[must_use]
pub fn amend(mut request: CredentialRequest, changed: &[&str]) -> (CredentialRequest, Vec<Effect>) {
    request.state = State::PendingApproval;
    let entry = about(audit::Event::RequestAmended, &request)
        .actor(request.requester.as_str())
        .text("digest", &request.digest)
        .number("version", request.version)
        .changed(changed)
        .maybe("emergency", request.submitted.emergency.as_deref());
    let effects = vec![
        Effect::Schedule(request.expires_at, Due::Request(request.id.clone())),
        Effect::SaveRequest(Box::new(request.clone())),
        Effect::Audit(entry),
    ];
    (request, effects)
}

/// Takes a request back. That it can be, the rules of the endpoint have seen to.
#[must_use]
pub fn cancel(mut request: CredentialRequest) -> (CredentialRequest, Vec<Effect>) {
    request.state = State::Cancelled;
    let entry = about(audit::Event::RequestCancelled, &request).actor(request.requester.as_str());
    let effects = vec![
        Effect::SaveRequest(Box::new(request.clone())),
        Effect::Audit(entry),
    ];
    (request, effects)
}

/// Takes a decision on a request that is pending, which the rules of the endpoint have seen to.
/// `is_enough` where nobody else has to agree. Answers the request as it then is.
#[must_use]
pub fn decide(
    mut request: CredentialRequest,
    approval: Approval,
    is_enough: bool,
) -> (CredentialRequest, Vec<Effect>) {
    let logged = match approval.decision {
        Decision::Approve => audit::Event::RequestApproved,
        Decision::Deny => audit::Event::RequestDenied,
    };
    request.state = match approval.decision {
        Decision::Approve if is_enough => State::Approved,
        Decision::Approve => request.state,
        Decision::Deny => State::Denied,
    };
    let approver = approval.approver.as_ref();
    let entry = about(logged, &request)
        .maybe("actor", approver.map(PrincipalId::as_str))
        .maybe("policy", approval.policy.as_deref())
        .maybe("emergency", request.submitted.emergency.as_deref())
        .number("version", request.version)
        .text("state", &request.state.to_string())
        .text("approval_id", approval.id.as_str())
        .text("method", &approval.method.to_string())
        .text("digest", &request.digest)
        .maybe("reason", approval.reason.as_deref());
    request.approvals.push(approval);
    let mut effects = Vec::new();
    if request.state == State::Approved
        && let Some(at) = ends_at(&request)
    {
        effects.push(Effect::Schedule(at, Due::Request(request.id.clone())));
    }
    effects.push(Effect::SaveRequest(Box::new(request.clone())));
    effects.push(Effect::Audit(entry));
    (request, effects)
}

/// The approvals of the version in force. One of a version before is of something else.
pub fn agreed(request: &CredentialRequest) -> impl Iterator<Item = &Approval> {
    request.approvals.iter().filter(|approval| {
        approval.decision == Decision::Approve && approval.version == request.version
    })
}

/// Those of them by which an approved request was approved: that had not lapsed when the last
/// one came.
pub fn counted(request: &CredentialRequest) -> impl Iterator<Item = &Approval> {
    let last = agreed(request).map(|approval| approval.approved_at).max();
    agreed(request).filter(move |approval| Some(approval.expires_at) > last)
}

/// Uses a request up for a credential. That it is approved, the rules of the endpoint have seen
/// to.
#[must_use]
pub fn issue(mut request: CredentialRequest, credential: CredentialId) -> Vec<Effect> {
    request.state = State::Issued;
    request.credential_id = Some(credential);
    vec![Effect::SaveRequest(Box::new(request))]
}

/// Whether a request was approved, and not used in time.
#[must_use]
pub fn has_lapsed(request: &CredentialRequest) -> bool {
    request.state == State::Expired && agreed(request).next().is_some()
}

/// When a request ends by itself: undecided, or with an approval that nobody used.
#[must_use]
pub fn ends_at(request: &CredentialRequest) -> Option<Timestamp> {
    match request.state {
        State::PendingApproval => Some(request.expires_at),
        State::Approved => counted(request).map(|approval| approval.expires_at).min(),
        State::Issued | State::Denied | State::Expired | State::Cancelled => None,
    }
}

/// Ends a request whose time is over. Nothing happens to one whose time is not.
#[must_use]
pub fn expire(mut request: CredentialRequest, at: Timestamp) -> Vec<Effect> {
    if ends_at(&request).is_none_or(|end| end > at) {
        return Vec::new();
    }
    let Some(next) = MACHINE.next(request.state, Event::Expire) else {
        return Vec::new();
    };
    request.state = next;
    let entry = about(audit::Event::RequestExpired, &request).at(at);
    vec![Effect::SaveRequest(Box::new(request)), Effect::Audit(entry)]
}

fn about(event: audit::Event, request: &CredentialRequest) -> Entry {
    Entry::new(event)
        .place(&request.submitted.project, &request.submitted.environment)
        .text("request_id", request.id.as_str())
}
