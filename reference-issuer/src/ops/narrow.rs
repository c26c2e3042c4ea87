//! An approver who agrees to less than was asked for (specification chapter 12): what is
//! signed then, and what the request becomes.

use clp_schemas::approval::{Agreed, ApprovalDocument, Decision, digest, narrowed};
use clp_schemas::ops::approve::ChallengeBody;
use clp_schemas::ops::control::ControlApprovalBody;
use clp_schemas::ops::request::{CredentialRequest, RequestBody};
use clp_schemas::permissions::{
    PermissionDocument, PermissionSet, Unknown, check_against, consent,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use serde_json::Value;

use super::bounds;
use super::request::CONSENT_RULES;
use crate::http::Body;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// What an approver wants to agree to, beside what was asked for.
struct Narrowing {
    is_denial: bool,
    fault: Option<Unknown>,
    beyond: Option<Problem>,
    is_longer: bool,
    is_renewed_longer: bool,
    is_renewed_never: bool,
}

const RULES: &[Rule<Narrowing>] = &[
    Rule {
        id: "CLP-APP-024",
        refuses: |narrowing| {
            narrowing.is_denial.then(|| {
                Problem::new(ProblemType::InvalidRequest)
                    .detail("a refusal is of the whole request: leave out what would narrow it")
                    .pointer("/decision")
            })
        },
    },
    Rule {
        id: "CLP-CRE-005",
        refuses: |narrowing| {
            let fault = narrowing.fault.as_ref()?;
            Some(
                Problem::new(fault.reason.problem())
                    .detail(fault.reason.to_string())
                    .pointer(fault.pointer.clone()),
            )
        },
    },
    Rule {
        id: "CLP-APP-022",
        refuses: |narrowing| narrowing.beyond.clone(),
    },
    Rule {
        id: "CLP-APP-023",
        refuses: |narrowing| {
            narrowing
                .is_longer
                .then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer("/lifetime_seconds"))
        },
    },
    Rule {
        id: "CLP-APP-030/later",
        refuses: |narrowing| renewable(narrowing.is_renewed_longer),
    },
    Rule {
        id: "CLP-APP-030/past",
        refuses: |narrowing| renewable(narrowing.is_renewed_never),
    },
];

fn renewable(is_out: bool) -> Option<Problem> {
    is_out.then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer("/renewable_until"))
}

/// What an approver agrees to, where it is less.
pub(super) struct Less<'a> {
    decision: Decision,
    permissions: Option<&'a PermissionSet>,
    lifetime_seconds: Option<u64>,
    renewable_until: Option<Timestamp>,
    /// The same as it was sent, since it is hashed.
    sent: &'a Value,
}

impl<'a> Less<'a> {
    /// What a challenge is wanted for.
    pub(super) fn new(body: &'a Body<ChallengeBody>) -> Self {
        let asked = &body.typed;
        Self {
            decision: asked.decision,
            permissions: asked.permissions.as_ref(),
            lifetime_seconds: asked.lifetime_seconds,
            renewable_until: asked.renewable_until,
            sent: &body.value,
        }
    }

    /// What a simulated decision is to be for.
    pub(super) fn simulated(body: &'a Body<ControlApprovalBody>) -> Self {
        let asked = &body.typed;
        Self {
            decision: asked.decision,
            permissions: asked.permissions.as_ref(),
            lifetime_seconds: asked.lifetime_seconds,
            renewable_until: asked.renewable_until,
            sent: &body.value,
        }
    }

    fn is_nothing(&self) -> bool {
        self.permissions.is_none()
            && self.lifetime_seconds.is_none()
            && self.renewable_until.is_none()
    }
}

/// What of a request was decided on, or would be: its approval document, taken apart.
pub(super) struct Decided {
    /// The document.
    pub(super) document: ApprovalDocument,
    /// The body in it, which is what is created.
    pub(super) body: RequestBody,
    /// What its permissions mean.
    pub(super) meaning: PermissionDocument,
}

/// Takes the approval document of a request apart.
///
/// # Errors
/// `internal`, where the store holds another thing.
pub(super) fn decided(
    tx: &Tx<'_>,
    service: &Service,
    approval_document: Value,
) -> Result<Decided, Problem> {
    let internal = |_| Problem::from(ProblemType::Internal);
    let document: ApprovalDocument = serde_json::from_value(approval_document).map_err(internal)?;
    Ok(Decided {
        body: serde_json::from_value(document.request.clone()).map_err(internal)?,
        meaning: tx.document(&service.persona.name, &document.permission_schema_digest)?,
        document,
    })
}

/// The document that is signed where the approver agrees to less; `None` where it is that of
/// the request.
///
/// # Errors
/// `invalid-request` for a refusal, `unknown-permission`, `scope-broader`,
/// `scope-incomparable`, `expiry-out-of-range`.
pub(super) fn document(
    tx: &Tx<'_>,
    service: &Service,
    request: &CredentialRequest,
    asked: &Less<'_>,
) -> Result<Option<ApprovalDocument>, Problem> {
    if asked.is_nothing() {
        return Ok(None);
    }
    let Decided {
        document,
        body: requested,
        meaning,
    } = decided(tx, service, request.approval_document.clone())?;
    let narrowing = Narrowing {
        is_denial: asked.decision == Decision::Deny,
        fault: asked
            .permissions
            .and_then(|set| check_against(&meaning, set, &requested.environment).err()),
        beyond: asked
            .permissions
            .and_then(|set| bounds::beyond(&meaning, set, &requested.permissions)),
        is_longer: asked
            .lifetime_seconds
            .is_some_and(|seconds| seconds > requested.lifetime_seconds),
        is_renewed_longer: asked
            .renewable_until
            .zip(renewable_until(&requested))
            .is_some_and(|(wanted, asked)| wanted > asked),
        is_renewed_never: asked
            .renewable_until
            .is_some_and(|wanted| wanted <= tx.now()),
    };
    tx.check(RULES, &narrowing)?;
    if let Some(set) = asked.permissions {
        tx.check(CONSENT_RULES, &consent(&meaning, set, "en"))?;
    }
    let sent = |name| asked.sent.get(name).cloned();
    let agreed = Agreed {
        permissions: sent("permissions"),
        lifetime_seconds: sent("lifetime_seconds"),
        renewable_until: sent("renewable_until"),
    };
    narrowed(document, agreed)
        .map(Some)
        .map_err(|_| ProblemType::Internal.into())
}

fn renewable_until(body: &RequestBody) -> Option<Timestamp> {
    body.rotation_policy.as_ref()?.renewable_until
}

/// Makes a request the version that its approver has signed, where that is another one.
///
/// # Errors
/// `internal`, where the store holds another thing.
pub(super) fn become_signed(
    tx: &Tx<'_>,
    service: &Service,
    request: CredentialRequest,
    signed: Option<&Value>,
) -> Result<CredentialRequest, Problem> {
    let Some(signed) = signed else {
        return Ok(request);
    };
    let internal = || Problem::from(ProblemType::Internal);
    let decided = decided(tx, service, signed.clone())?;
    Ok(CredentialRequest {
        version: decided.document.version,
        digest: digest(&decided.document).map_err(|_| internal())?,
        consent: consent(&decided.meaning, &decided.body.permissions, "en")
            .map_err(|_| internal())?,
        approval_document: signed.clone(),
        ..request
    })
}
