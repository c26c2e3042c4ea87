//! The life of a request (specification chapters 11 and 12).

use clp_schemas::approval::Decision;
use clp_schemas::audit;
use clp_schemas::ids::CredentialId;
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
pub fn open(request: CredentialRequest) -> Vec<Effect> {
    let entry = about(audit::Event::RequestOpened, &request)
        .actor(request.requester.as_str())
        .text("digest", &request.digest);
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

/// Takes a decision on a request that is pending, which the rules of the endpoint have seen to.
#[must_use]
pub fn decide(mut request: CredentialRequest, approval: Approval) -> Vec<Effect> {
    let (state, logged) = match approval.decision {
        Decision::Approve => (State::Approved, audit::Event::RequestApproved),
        Decision::Deny => (State::Denied, audit::Event::RequestDenied),
    };
    request.state = state;
    let entry = about(logged, &request)
        .actor(approval.approver.as_str())
        .text("approval_id", approval.id.as_str())
        .text("method", &approval.method.to_string())
        .text("digest", &request.digest)
        .maybe("reason", approval.reason.as_deref());
    let mut effects = Vec::new();
    if request.state == State::Approved {
        effects.push(Effect::Schedule(
            approval.expires_at,
            Due::Request(request.id.clone()),
        ));
    }
    request.approvals.push(approval);
    effects.push(Effect::SaveRequest(Box::new(request)));
    effects.push(Effect::Audit(entry));
    effects
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
    let was_approved = request
        .approvals
        .iter()
        .any(|approval| approval.decision == Decision::Approve);
    request.state == State::Expired && was_approved
}

/// When a request ends by itself: undecided, or with an approval that nobody used.
#[must_use]
pub fn ends_at(request: &CredentialRequest) -> Option<Timestamp> {
    match request.state {
        State::PendingApproval => Some(request.expires_at),
        State::Approved => request
            .approvals
            .iter()
            .map(|approval| approval.expires_at)
            .min(),
        State::Issued | State::Denied | State::Expired => None,
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
