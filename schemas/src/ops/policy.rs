//! Approval policy: who may decide on what, how many have to, and when nobody needs to (spec
//! chapter 12, profile `approval-policy`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Nothing;
use super::call;
use super::control::TenantPath;
use super::discover::AuthMethod;
use super::request::MAX_LIFETIME_SECONDS;
use crate::permissions::Risk;
use crate::state::named;

/// Most people that a policy can ask for.
pub const MAX_APPROVALS: u8 = 5;

named! {
    /// How far those who decide have to be from whoever asks.
    SeparationOfDuty {
        /// Nobody decides on what they asked for themselves; what an agent, a client or a
        /// workload asks for somebody, that person may decide on.
        Client = "client",
        /// Whoever decides is none of the people for whom it is asked.
        Person = "person",
    }
}

/// What an organisation wants of its approvals. A member that is absent leaves its matter to
/// the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalPolicy {
    /// How many people have to agree; by default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_APPROVALS))]
    pub approvals_required: Option<u8>,
    /// How far they have to be from whoever asks; by default as chapter 12 says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separation_of_duty: Option<SeparationOfDuty>,
    /// How they may prove who they are; by default every method of the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    pub methods: Option<Vec<AuthMethod>>,
    /// What nobody needs to decide on; by default nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<Automatic>,
    /// What holds where it cannot wait; by default it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
}

/// Requests that are approved by policy alone: those within all of these bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Automatic {
    /// They ask for a life of at most so many seconds.
    #[schemars(range(min = 1, max = MAX_LIFETIME_SECONDS))]
    pub max_lifetime_seconds: u64,
    /// No action that they ask for has a higher risk. One of high risk is never approved so.
    pub max_risk: Risk,
    /// They are for one of these environments. Production is never one.
    #[schemars(length(max = 32))]
    pub environments: Vec<String>,
}

/// What holds for a request that says why it cannot wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// How whoever decides has to prove who they are.
    #[schemars(length(min = 1, max = 8))]
    pub methods: Vec<AuthMethod>,
    /// It asks for a life of at most so many seconds.
    #[schemars(range(min = 1, max = MAX_LIFETIME_SECONDS))]
    pub max_lifetime_seconds: u64,
}

/// What the policy comes to for one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedPolicy {
    /// How many people have to agree.
    #[schemars(range(min = 1, max = MAX_APPROVALS))]
    pub approvals_required: u8,
    /// How far they have to be from whoever asks.
    pub separation_of_duty: SeparationOfDuty,
    /// How they may prove who they are.
    pub methods: Vec<AuthMethod>,
}

call!(
    /// Sets a tenant's policy.
    ControlPolicySet, TenantPath, Nothing, ApprovalPolicy => Nothing
);
