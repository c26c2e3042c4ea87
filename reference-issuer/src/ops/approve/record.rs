//! A decision with all that is needed to check it offline.

use clp_schemas::approval::CHALLENGE_CONTEXT;
use clp_schemas::ops::approve::{
    Approval, ApprovalRead, ApprovalRecord, CHALLENGE_SECONDS, Challenge, SignedChallenge,
};
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::problem::{Problem, ProblemType};

use crate::ops::{Incoming, Operation, Outcome, guard};
use crate::rules::Rule;
use crate::store::Tx;

/// Whether the approval is one of the request.
struct Named {
    is_of_request: bool,
}

const NAMED_RULES: &[Rule<Named>] = &[Rule {
    id: "CLP-APP-101",
    refuses: |named| (!named.is_of_request).then(|| ProblemType::NotFound.into()),
}];

impl Operation for ApprovalRead {
    type Subject = (CredentialRequest, Approval);

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<(CredentialRequest, Approval), Problem> {
        let path = call.path()?;
        let request = guard::request(tx, &call.caller, &path.request_id)?;
        let found = request
            .approvals
            .iter()
            .find(|approval| approval.id == path.approval_id);
        let named = Named {
            is_of_request: found.is_some(),
        };
        tx.check(NAMED_RULES, &named)?;
        let approval = found.cloned().ok_or(ProblemType::Internal)?;
        Ok((request, approval))
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (request, approval): (CredentialRequest, Approval),
        _: &Incoming<Self>,
    ) -> Result<Outcome<ApprovalRecord>, Problem> {
        let kept = tx
            .evidence(&request.id, &approval.id)?
            .ok_or(ProblemType::Internal)?;
        let mut record = ApprovalRecord {
            approval,
            approval_document: kept.document,
            challenge: None,
            evidence: None,
            verification: None,
        };
        if let Some(proof) = kept.proof {
            record.challenge = Some(signed(proof.challenge));
            record.evidence = Some(proof.evidence);
            record.verification = Some(proof.verification);
        }
        Ok(Outcome::Done(record))
    }
}

fn signed(challenge: Challenge) -> SignedChallenge {
    SignedChallenge {
        context: CHALLENGE_CONTEXT.to_owned(),
        approver: challenge.approver,
        decision: challenge.decision,
        digest: challenge.digest,
        nonce: challenge.nonce,
        opened_at: challenge.expires_at.plus(-CHALLENGE_SECONDS),
    }
}
