//! Decide on a request, with proof (specification chapter 12).

mod methods;
mod passkey;

use clp_schemas::approval::{self, Decision};
use clp_schemas::canonical;
use clp_schemas::ids::{ApprovalId, ChallengeId, PrincipalId};
use clp_schemas::ops::approve::{
    APPROVAL_SECONDS, Approval, ApprovalSubmit, CHALLENGE_SECONDS, Challenge, ChallengeOpen,
};
use clp_schemas::ops::control::ControlApprovalBody;
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::State;
use clp_schemas::time::Timestamp;

use super::discover::APPROVAL_METHODS;
use super::{Incoming, Operation, Outcome, guard, narrow};
use crate::auth::Caller;
use crate::lifecycle::{Effect, request as life};
use crate::rules::Rule;
use crate::store::{ChallengeRow, EvidenceRow, Tx};

/// The `WebAuthn` relying party of every persona.
const RELYING_PARTY: &str = "localhost";

/// How somebody who wants to decide stands to the request.
struct Deciding {
    is_requester: bool,
    state: State,
}

impl Deciding {
    fn new(approver: &PrincipalId, request: &CredentialRequest) -> Self {
        Self {
            is_requester: *approver == request.requester,
            state: request.state,
        }
    }
}

const DECIDING_RULES: &[Rule<Deciding>] = &[
    Rule {
        id: "CLP-APP-003",
        refuses: |deciding| {
            deciding
                .is_requester
                .then(|| ProblemType::SeparationOfDuty.into())
        },
    },
    Rule {
        id: "CLP-APP-004",
        refuses: |deciding| {
            (deciding.state != State::PendingApproval)
                .then(|| ProblemType::RequestNotPending.into())
        },
    },
];

impl Operation for ChallengeOpen {
    type Subject = CredentialRequest;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<CredentialRequest, Problem> {
        guard::request_to_decide(tx, &call.caller, &call.path()?.request_id)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        request: CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Challenge>, Problem> {
        let approver = call.caller.principal()?;
        tx.check(DECIDING_RULES, &Deciding::new(approver, &request))?;
        let body = call.body()?;
        let decision = body.typed.decision;
        let narrowed = narrow::document(tx, &call.service, &request, body)?;
        let (version, digest) = match &narrowed {
            None => (request.version, request.digest),
            Some(document) => (
                document.version,
                approval::digest(document).map_err(|_| ProblemType::Internal)?,
            ),
        };
        let nonce = canonical::to_base64url(&tx.context().random.bytes::<32>()?);
        let signed = approval::challenge(&digest, &nonce, decision, approver.as_str());
        let passkeys = tx.passkeys(approver)?;
        let challenge = Challenge {
            id: ChallengeId::from_entropy(tx.context().random.bytes()?),
            request_id: request.id,
            version,
            digest,
            approval_document: narrowed
                .map(serde_json::to_value)
                .transpose()
                .map_err(|_| ProblemType::Internal)?,
            approver: approver.clone(),
            nonce,
            decision,
            challenge: canonical::to_base64url(&signed),
            expires_at: tx.now().plus(CHALLENGE_SECONDS),
            relying_party_id: RELYING_PARTY.to_owned(),
            allow_credentials: passkeys
                .into_iter()
                .map(|passkey| passkey.credential_id)
                .collect(),
        };
        tx.apply(life::challenge(challenge.clone()))?;
        Ok(Outcome::Done(challenge))
    }
}

const METHOD_RULES: &[Rule<AuthMethod>] = &[
    Rule {
        id: "CLP-CTL-008",
        refuses: |method| (*method == AuthMethod::Test).then(not_supported),
    },
    Rule {
        id: "CLP-APP-011",
        refuses: |method| {
            let is_other = *method != AuthMethod::Test && !APPROVAL_METHODS.contains(method);
            is_other.then(not_supported)
        },
    },
];

fn not_supported() -> Problem {
    Problem::new(ProblemType::MethodNotSupported).pointer("/method")
}

/// How the challenge that is answered stands.
struct Answering {
    has_lapsed: bool,
    is_used: bool,
    is_foreign: bool,
}

impl Answering {
    fn new(
        row: Option<&ChallengeRow>,
        request: &CredentialRequest,
        approver: &PrincipalId,
        now: Timestamp,
    ) -> Self {
        match row {
            Some(ChallengeRow { challenge, used }) => Self {
                has_lapsed: now >= challenge.expires_at,
                is_used: *used,
                is_foreign: challenge.request_id != request.id
                    || challenge.version != version_signed(request, challenge)
                    || challenge.approver != *approver,
            },
            // A challenge is forgotten when it lapses.
            None => Self {
                has_lapsed: true,
                is_used: false,
                is_foreign: false,
            },
        }
    }
}

/// The version that a challenge has to be for: the current one or, where it narrows the
/// request, the next.
fn version_signed(request: &CredentialRequest, challenge: &Challenge) -> u64 {
    request.version + u64::from(challenge.approval_document.is_some())
}

const CHALLENGE_RULES: &[Rule<Answering>] = &[
    Rule {
        id: "CLP-APP-008",
        refuses: |answering| unusable(answering.has_lapsed),
    },
    Rule {
        id: "CLP-APP-009",
        refuses: |answering| unusable(answering.is_used),
    },
    Rule {
        id: "CLP-APP-010",
        refuses: |answering| unusable(answering.is_foreign),
    },
];

fn unusable(is_unusable: bool) -> Option<Problem> {
    is_unusable.then(|| ProblemType::ChallengeNotUsable.into())
}

impl Operation for ApprovalSubmit {
    type Subject = CredentialRequest;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<CredentialRequest, Problem> {
        guard::request_to_decide(tx, &call.caller, &call.path()?.request_id)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        request: CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Approval>, Problem> {
        let body = &call.body()?.typed;
        let approver = call.caller.principal()?;
        tx.check(METHOD_RULES, &body.method)?;
        tx.check(DECIDING_RULES, &Deciding::new(approver, &request))?;
        let row = tx.challenge(&body.challenge_id)?;
        let answering = Answering::new(row.as_ref(), &request, approver, tx.now());
        tx.check(CHALLENGE_RULES, &answering)?;
        let challenge = row.ok_or(ProblemType::Internal)?.challenge;

        // From here on the challenge is used up, whatever the evidence is worth.
        tx.apply(vec![Effect::UseChallenge(challenge.id.clone())])?;
        let proof = match methods::prove(tx, &call.service, &challenge, body)? {
            Ok(proof) => proof,
            Err(refusal) => return Ok(Outcome::Refused(Box::new(refusal))),
        };
        let request = narrow::apply(tx, &call.service, request, &challenge)?;
        let approval = new_approval(
            tx,
            &request,
            approver,
            body.method,
            challenge.decision,
            body.reason.clone(),
        )?;
        let evidence = EvidenceRow {
            approval: approval.id.clone(),
            challenge,
            evidence: body.evidence.clone(),
            verification: proof.verification,
        };
        tx.apply(proof.effects)?;
        tx.apply(vec![Effect::SaveEvidence(Box::new(evidence))])?;
        let effects = life::decide(request, approval.clone());
        tx.apply(effects)?;
        Ok(Outcome::Done(approval))
    }
}

fn new_approval(
    tx: &Tx<'_>,
    request: &CredentialRequest,
    approver: &PrincipalId,
    method: AuthMethod,
    decision: Decision,
    reason: Option<String>,
) -> Result<Approval, Problem> {
    let now = tx.now();
    Ok(Approval {
        id: ApprovalId::from_entropy(tx.context().random.bytes()?),
        request_id: request.id.clone(),
        version: request.version,
        decision,
        approver: approver.clone(),
        method,
        approved_at: now,
        expires_at: now.plus(APPROVAL_SECONDS),
        reason,
    })
}

/// Takes a simulated decision in the name of `approver`. All checks of a real one are made, but
/// for the evidence.
///
/// # Errors
/// `not-found`, `forbidden`, `separation-of-duty`, `request-not-pending`.
pub(crate) fn decide_for_test(
    tx: &mut Tx<'_>,
    approver: &Caller,
    body: &ControlApprovalBody,
) -> Result<Approval, Problem> {
    let request = guard::request_to_decide(tx, approver, &body.request_id)?;
    let id = approver.principal()?;
    tx.check(DECIDING_RULES, &Deciding::new(id, &request))?;
    let approval = new_approval(tx, &request, id, AuthMethod::Test, body.decision, None)?;
    let effects = life::decide(request, approval.clone());
    tx.apply(effects)?;
    Ok(approval)
}
