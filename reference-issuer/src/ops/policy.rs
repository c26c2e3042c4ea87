//! What an organisation's approval policy comes to for one request (specification chapter 12,
//! "Policy").

use clp_schemas::approval::Decision;
use clp_schemas::canonical;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::ApprovalId;
use clp_schemas::ops::approve::{APPROVAL_SECONDS, Approval};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::policy::{AppliedPolicy, ApprovalPolicy, Automatic, SeparationOfDuty};
use clp_schemas::ops::request::{CredentialRequest, RequestBody};
use clp_schemas::permissions::{PermissionDocument, Risk, risk};
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::Value;

use super::narrow::{self, Decided};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// The environment that is production. Permission documents have names and nothing else.
const PRODUCTION: &str = "production";

/// The policy in force, and what it comes to for one request.
pub(super) struct InForce {
    /// What it comes to.
    pub(super) applied: AppliedPolicy,
    /// Whether it approves the request by itself, as far as its bounds go.
    pub(super) is_automatic: bool,
    /// What keeps it from being an emergency, where it says that it is one.
    urgency: Urgency,
    policy: ApprovalPolicy,
    is_claimed: bool,
}

/// How a request stands that may say that it cannot wait.
struct Urgency {
    is_urgent: bool,
    is_provided_for: bool,
    is_longer: bool,
}

const URGENCY_RULES: &[Rule<Urgency>] = &[
    Rule {
        id: "CLP-POL-014",
        refuses: |urgency| {
            (urgency.is_urgent && !urgency.is_provided_for).then(|| {
                Problem::new(ProblemType::Forbidden)
                    .detail("the organisation provides for no emergency: ask without `emergency`")
                    .pointer("/emergency")
            })
        },
    },
    Rule {
        id: "CLP-POL-015",
        refuses: |urgency| {
            (urgency.is_urgent && urgency.is_longer)
                .then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer("/lifetime_seconds"))
        },
    },
];

/// What an automatic approval has to keep to: the bounds of the policy, and two of its own.
struct Reach {
    bounds: Automatic,
    environment: String,
    lifetime_seconds: u64,
    is_urgent: bool,
    risk: Risk,
}

/// Not refusals of a call, but of an approval that nobody gives.
const REACH_RULES: &[Rule<Reach, ()>] = &[
    Rule {
        id: "CLP-POL-013/lifetime",
        refuses: |reach| {
            let longest = reach.bounds.max_lifetime_seconds;
            (reach.lifetime_seconds > longest).then_some(())
        },
    },
    Rule {
        id: "CLP-POL-013/risk",
        refuses: |reach| (reach.risk > reach.bounds.max_risk).then_some(()),
    },
    Rule {
        id: "CLP-POL-013/environment",
        refuses: |reach| {
            let named = &reach.bounds.environments;
            (!named.contains(&reach.environment)).then_some(())
        },
    },
    Rule {
        id: "CLP-POL-013/emergency",
        refuses: |reach| reach.is_urgent.then_some(()),
    },
    Rule {
        id: "CLP-POL-010/production",
        refuses: |reach| (reach.environment == PRODUCTION).then_some(()),
    },
    Rule {
        id: "CLP-POL-010/risk",
        refuses: |reach| (reach.risk >= Risk::High).then_some(()),
    },
];

impl InForce {
    /// What the policy in force comes to for such a body.
    pub(super) fn of(
        tx: &Tx<'_>,
        service: &Service,
        body: &RequestBody,
        meaning: &PermissionDocument,
    ) -> Result<Self, Problem> {
        let is_claimed = service.persona.claims(Class::ApprovalPolicy);
        let policy = match is_claimed {
            true => tx.policy()?.unwrap_or_default(),
            false => ApprovalPolicy::default(),
        };
        let is_urgent = body.emergency.is_some();
        let risk = risk(meaning, &body.permissions);
        let is_sensitive = body.environment == PRODUCTION || risk >= Risk::High;
        let by_default = match is_claimed && is_sensitive {
            true => SeparationOfDuty::Person,
            false => SeparationOfDuty::Client,
        };
        let emergency = policy.emergency.as_ref();
        let accepted = match (is_urgent, emergency) {
            (true, Some(emergency)) => Some(&emergency.methods),
            _ => policy.methods.as_ref(),
        };
        let methods = service.persona.auth_methods.iter().copied();
        let applied = AppliedPolicy {
            approvals_required: match is_urgent {
                true => 1,
                false => policy.approvals_required.unwrap_or(1),
            },
            separation_of_duty: policy.separation_of_duty.unwrap_or(by_default),
            methods: methods
                .filter(|method| accepted.is_none_or(|accepted| accepted.contains(method)))
                .collect(),
        };
        let is_automatic = policy.automatic.as_ref().is_some_and(|bounds| {
            let reach = Reach {
                bounds: bounds.clone(),
                environment: body.environment.clone(),
                lifetime_seconds: body.lifetime_seconds,
                is_urgent,
                risk,
            };
            tx.check(REACH_RULES, &reach).is_ok()
        });
        Ok(Self {
            is_automatic,
            urgency: Urgency {
                is_urgent,
                is_provided_for: emergency.is_some(),
                is_longer: emergency
                    .is_some_and(|bounds| body.lifetime_seconds > bounds.max_lifetime_seconds),
            },
            applied,
            policy,
            is_claimed,
        })
    }

    /// The same for a request as it stands.
    pub(super) fn for_request(
        tx: &Tx<'_>,
        service: &Service,
        request: &CredentialRequest,
    ) -> Result<Self, Problem> {
        let Decided { body, meaning, .. } =
            narrow::decided(tx, service, request.approval_document.clone())?;
        Self::of(tx, service, &body, &meaning)
    }

    /// Checks what is asked for as an emergency, where it is.
    ///
    /// # Errors
    /// `forbidden` where the organisation provides for none, `expiry-out-of-range` where it is
    /// to last for too long.
    pub(super) fn check_urgency(&self, tx: &Tx<'_>) -> Result<(), Problem> {
        tx.check(URGENCY_RULES, &self.urgency)
    }

    /// Whether a decision by this method counts. A simulated one stands for any.
    pub(super) fn accepts(&self, method: AuthMethod) -> bool {
        method == AuthMethod::Test || self.applied.methods.contains(&method)
    }

    /// Whether the request could be asked for so now, as far as it is an emergency.
    pub(super) fn bears_urgency(&self) -> bool {
        URGENCY_RULES
            .iter()
            .all(|rule| (rule.refuses)(&self.urgency).is_none())
    }

    /// The policy as it stands, for whoever wants to know what its digest is of.
    pub(super) fn policy(&self) -> Result<Value, Problem> {
        serde_json::to_value(&self.policy).map_err(|_| ProblemType::Internal.into())
    }

    /// The approval that the policy gives.
    pub(super) fn approval(
        &self,
        tx: &Tx<'_>,
        request: &CredentialRequest,
    ) -> Result<Approval, Problem> {
        let now = tx.now();
        Ok(Approval {
            id: ApprovalId::from_entropy(tx.context().random.bytes()?),
            request_id: request.id.clone(),
            version: request.version,
            decision: Decision::Approve,
            approver: None,
            method: AuthMethod::Policy,
            policy: Some(digest(&self.policy)?),
            approved_at: now,
            expires_at: now.plus(APPROVAL_SECONDS),
            reason: None,
        })
    }
}

/// The digest of a policy: SHA-256 of its canonical form.
///
/// # Errors
/// `internal`, which no policy of the schema leads to.
pub(crate) fn digest(policy: &ApprovalPolicy) -> Result<String, Problem> {
    let value = serde_json::to_value(policy).map_err(|_| ProblemType::Internal)?;
    let bytes = canonical::to_bytes(&value).map_err(|_| ProblemType::Internal)?;
    let hex: String = canonical::sha256(&bytes)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect();
    Ok(format!("sha256:{hex}"))
}

/// A request as it is answered: with what the policy in force comes to, where there are
/// policies.
pub(crate) fn shown(
    tx: &Tx<'_>,
    service: &Service,
    request: CredentialRequest,
) -> Result<CredentialRequest, Problem> {
    let in_force = InForce::for_request(tx, service, &request)?;
    Ok(CredentialRequest {
        approval_policy: in_force.is_claimed.then_some(in_force.applied),
        ..request
    })
}
