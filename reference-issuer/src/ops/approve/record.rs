//! A decision with all that is needed to check it offline.

use clp_schemas::approval::CHALLENGE_CONTEXT;
use clp_schemas::ops::approve::{
    ApprovalRead, ApprovalRecord, CHALLENGE_SECONDS, Challenge, SignedChallenge,
};
use clp_schemas::problem::{Problem, ProblemType};

use crate::ops::{Incoming, Operation, Outcome, guard};
use crate::rules::Rule;
use crate::store::{EvidenceRow, Tx};

/// Whether the approval is one of the request.
struct Named {
    is_of_request: bool,
}

const NAMED_RULES: &[Rule<Named>] = &[Rule {
    id: "CLP-APP-101",
    refuses: |named| (!named.is_of_request).then(|| ProblemType::NotFound.into()),
}];

impl Operation for ApprovalRead {
    type Subject = EvidenceRow;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<EvidenceRow, Problem> {
        let path = call.path()?;
        let request = guard::request(tx, &call.caller, &path.request_id)?;
        let kept = tx.evidence(&path.approval_id)?;
        let named = Named {
            is_of_request: kept.as_ref().is_some_and(|kept| kept.request == request.id),
        };
        tx.check(NAMED_RULES, &named)?;
        kept.ok_or_else(|| ProblemType::NotFound.into())
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        kept: EvidenceRow,
        _: &Incoming<Self>,
    ) -> Result<Outcome<ApprovalRecord>, Problem> {
        let request = tx.request(&kept.request)?.ok_or(ProblemType::Internal)?;
        let approval = request
            .approvals
            .into_iter()
            .find(|approval| approval.id == kept.approval)
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
