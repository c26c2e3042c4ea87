//! Decide on a request, with proof (specification chapter 12).

mod hardware;
mod methods;
mod passkey;
mod provider;
mod record;

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
use clp_schemas::time::Timestamp;

use super::narrow::{self, Less};
use super::{Incoming, Operation, Outcome, deciding, guard};
use crate::auth::Caller;
use crate::http::Body;
use crate::lifecycle::{Effect, request as life};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{ChallengeRow, EvidenceRow, ProofRow, Tx};

/// The `WebAuthn` relying party of every persona.
pub(crate) const RELYING_PARTY: &str = "localhost";

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
        deciding::check(tx, &call.service, &request, approver)?;
        let body = call.body()?;
        let decision = body.typed.decision;
        let narrowed = narrow::document(tx, &call.service, &request, &Less::new(body))?;
        let version = narrowed.as_ref().map_or(request.version, |one| one.version);
        deciding::check_first(tx, &request, version, decision, approver)?;
        let (version, digest) = match &narrowed {
            None => (request.version, request.digest.clone()),
            Some(document) => (
                document.version,
                approval::digest(document).map_err(|_| ProblemType::Internal)?,
            ),
        };
        let nonce = canonical::to_base64url(&tx.context().random.bytes::<32>()?);
        let signed = approval::challenge(&digest, &nonce, decision, approver.as_str());
        let passkeys = tx.passkeys(approver)?;
        let methods = deciding::methods(tx, &call.service, &request)?;
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
            identity_providers: provider::known_to(tx, &methods, approver)?,
            methods,
        };
        tx.apply(life::challenge(challenge.clone()))?;
        Ok(Outcome::Done(challenge))
    }
}

/// The method of a decision.
struct Method {
    is_test: bool,
    is_listed: bool,
}

const METHOD_RULES: &[Rule<Method>] = &[
    Rule {
        id: "CLP-CTL-008",
        refuses: |method| method.is_test.then(not_supported),
    },
    Rule {
        id: "CLP-APP-011",
        refuses: |method| (!method.is_test && !method.is_listed).then(not_supported),
    },
];

fn not_supported() -> Problem {
    Problem::new(ProblemType::MethodNotSupported).pointer("/method")
}

/// How the challenge that is answered stands.
struct Answering {
    has_lapsed: bool,
    is_used: bool,
    is_of_another_request: bool,
    is_of_another_approver: bool,
    is_of_another_version: bool,
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
                is_of_another_request: challenge.request_id != request.id,
                is_of_another_approver: challenge.approver != *approver,
                is_of_another_version: challenge.request_id == request.id
                    && challenge.version != version_signed(request, challenge),
            },
            // A challenge is forgotten when it lapses.
            None => Self {
                has_lapsed: true,
                is_used: false,
                is_of_another_request: false,
                is_of_another_approver: false,
                is_of_another_version: false,
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
        refuses: |answering| unusable(answering.is_of_another_request),
    },
    Rule {
        id: "CLP-APP-010/approver",
        refuses: |answering| unusable(answering.is_of_another_approver),
    },
    Rule {
        id: "CLP-POL-005",
        refuses: |answering| unusable(answering.is_of_another_version),
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
        let method = Method {
            is_test: body.method == AuthMethod::Test,
            is_listed: call.service.persona.takes(body.method),
        };
        tx.check(METHOD_RULES, &method)?;
        deciding::check(tx, &call.service, &request, approver)?;
        deciding::check_method(tx, &call.service, &request, body.method)?;
        let row = tx.challenge(&body.challenge_id)?;
        let answering = Answering::new(row.as_ref(), &request, approver, tx.now());
        tx.check(CHALLENGE_RULES, &answering)?;
        let challenge = row.ok_or(ProblemType::Internal)?.challenge;
        let Challenge {
            version, decision, ..
        } = challenge;
        deciding::check_first(tx, &request, version, decision, approver)?;

        // From here on the challenge is used up, whatever the evidence is worth.
        tx.apply(vec![Effect::UseChallenge(challenge.id.clone())])?;
        let proof = match methods::prove(tx, &call.service, &challenge, body)? {
            Ok(proof) => proof,
            Err(refusal) => return Ok(Outcome::Refused(Box::new(refusal))),
        };
        let signed = challenge.approval_document.as_ref();
        let request = narrow::become_signed(tx, &call.service, request, signed)?;
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
            request: request.id.clone(),
            document: request.approval_document.clone(),
            proof: Some(ProofRow {
                challenge,
                evidence: body.evidence.clone(),
                verification: proof.verification,
            }),
            policy: None,
        };
        tx.apply(proof.effects)?;
        tx.apply(vec![Effect::SaveEvidence(Box::new(evidence))])?;
        settle(tx, &call.service, request, approval.clone())?;
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
        approver: Some(approver.clone()),
        method,
        policy: None,
        approved_at: now,
        expires_at: now.plus(APPROVAL_SECONDS),
        reason,
    })
}

/// Writes a decision down, and what it does to the request.
fn settle(
    tx: &mut Tx<'_>,
    service: &Service,
    request: CredentialRequest,
    approval: Approval,
) -> Result<(), Problem> {
    let is_enough = deciding::is_enough(tx, service, &request, &approval)?;
    let (_, effects) = life::decide(request, approval, is_enough);
    Ok(tx.apply(effects)?)
}

/// Takes a simulated decision in the name of `approver`. All checks of a real one are made, but
/// for the evidence.
///
/// # Errors
/// `not-found`, `forbidden`, `separation-of-duty`, `request-not-pending`, and those of agreeing
/// to less.
pub(crate) fn decide_for_test(
    tx: &mut Tx<'_>,
    service: &Service,
    approver: &Caller,
    body: &Body<ControlApprovalBody>,
) -> Result<Approval, Problem> {
    let asked = &body.typed;
    let request = guard::request_to_decide(tx, approver, &asked.request_id)?;
    let id = approver.principal()?;
    deciding::check(tx, service, &request, id)?;
    let narrowed = narrow::document(tx, service, &request, &Less::simulated(body))?;
    let version = narrowed.as_ref().map_or(request.version, |one| one.version);
    deciding::check_first(tx, &request, version, asked.decision, id)?;
    let signed = narrowed.map(serde_json::to_value).transpose();
    let signed = signed.map_err(|_| ProblemType::Internal)?;
    let request = narrow::become_signed(tx, service, request, signed.as_ref())?;
    let approval = new_approval(tx, &request, id, AuthMethod::Test, asked.decision, None)?;
    tx.apply(vec![Effect::SaveEvidence(Box::new(EvidenceRow {
        approval: approval.id.clone(),
        request: request.id.clone(),
        document: request.approval_document.clone(),
        proof: None,
        policy: None,
    }))])?;
    settle(tx, service, request, approval.clone())?;
    Ok(approval)
}
