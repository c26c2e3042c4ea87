//! An approver who agrees to less than was asked for (specification chapter 12): what is
//! signed then, and what the request becomes.

use clp_schemas::approval::{ApprovalDocument, Decision, digest, narrowed};
use clp_schemas::ops::approve::{Challenge, ChallengeBody};
use clp_schemas::ops::request::{CredentialRequest, RequestBody};
use clp_schemas::permissions::{PermissionDocument, Unknown, check_against, consent};
use clp_schemas::problem::{Problem, ProblemType};

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
];

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
    approval_document: serde_json::Value,
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
    body: &Body<ChallengeBody>,
) -> Result<Option<ApprovalDocument>, Problem> {
    let asked = &body.typed;
    if asked.permissions.is_none() && asked.lifetime_seconds.is_none() {
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
            .as_ref()
            .and_then(|set| check_against(&meaning, set, &requested.environment).err()),
        beyond: asked
            .permissions
            .as_ref()
            .and_then(|set| bounds::beyond(&meaning, set, &requested.permissions)),
        is_longer: asked
            .lifetime_seconds
            .is_some_and(|seconds| seconds > requested.lifetime_seconds),
    };
    tx.check(RULES, &narrowing)?;
    if let Some(set) = &asked.permissions {
        tx.check(CONSENT_RULES, &consent(&meaning, set, "en"))?;
    }
    // As it was sent, since it is hashed.
    let sent = |name| body.value.get(name).cloned();
    narrowed(document, sent("permissions"), sent("lifetime_seconds"))
        .map(Some)
        .map_err(|_| ProblemType::Internal.into())
}

/// Makes a request the version that its approver has signed.
///
/// # Errors
/// `internal`, where the store holds another thing.
pub(super) fn apply(
    tx: &Tx<'_>,
    service: &Service,
    request: CredentialRequest,
    challenge: &Challenge,
) -> Result<CredentialRequest, Problem> {
    let Some(signed) = &challenge.approval_document else {
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
