//! How each method is checked: one module for each form of evidence.

use clp_schemas::ops::approve::{ApprovalBody, Challenge, Evidence, Verification};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::problem::{Problem, ProblemType};

use super::{hardware, passkey, provider};
use crate::lifecycle::Effect;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// What evidence that holds leaves behind.
pub(super) struct Proof {
    /// What it was checked with, to be kept beside it.
    pub(super) verification: Verification,
    /// What changes by its being used.
    pub(super) effects: Vec<Effect>,
}

/// Whether the evidence has the form of its method.
struct Form {
    fits: bool,
}

const FORM_RULES: &[Rule<Form>] = &[Rule {
    id: "CLP-APP-028",
    refuses: |form| {
        (!form.fits).then(|| {
            Problem::new(ProblemType::EvidenceInvalid)
                .detail("the evidence does not have the form of the method")
                .pointer("/evidence")
        })
    },
}];

/// Whether the evidence answers the challenge, by its method.
///
/// # Errors
/// Only ours: a failure of the database. What is wrong with the evidence is in the answer.
pub(super) fn prove(
    tx: &Tx<'_>,
    service: &Service,
    challenge: &Challenge,
    body: &ApprovalBody,
) -> Result<Result<Proof, Problem>, Problem> {
    let form = Form {
        fits: match body.evidence {
            Evidence::Assertion(_) => {
                matches!(body.method, AuthMethod::Passkey | AuthMethod::HardwareKey)
            }
            Evidence::IdToken(_) => matches!(body.method, AuthMethod::Oidc | AuthMethod::Sso),
            Evidence::Introspection(_) => body.method == AuthMethod::Oauth,
        },
    };
    if let Err(refusal) = tx.check(FORM_RULES, &form) {
        return Ok(Err(refusal));
    }
    match &body.evidence {
        Evidence::Assertion(assertion) if body.method == AuthMethod::HardwareKey => {
            hardware::prove(tx, service, challenge, assertion)
        }
        Evidence::Assertion(assertion) => passkey::prove(tx, service, challenge, assertion),
        evidence => provider::prove(tx, service, challenge, body.method, evidence),
    }
}
