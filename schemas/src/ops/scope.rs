//! Scope: what a credential opens, and what of it was used (spec chapter 14).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::CredentialPath;
use super::{Nothing, call};
use crate::ids::CredentialId;
use crate::permissions::{PermissionSet, Statement};
use crate::time::Timestamp;

/// Over how long to look back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisQuery {
    /// Uses from this second on count; by default all since the credential was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// What of a credential's permissions was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// The credential.
    pub credential_id: CredentialId,
    /// From when on uses were counted.
    pub since: Timestamp,
    /// Up to when the issuer has seen uses.
    pub as_of: Timestamp,
    /// Each action of each statement, implied ones included.
    pub atoms: Vec<AtomUse>,
    /// The permissions that were used and nothing else; absent where none was used, or
    /// where it would not be narrower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<PermissionSet>,
}

/// One action, and whether it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtomUse {
    /// The statement, with this action alone.
    pub statement: Statement,
    /// Whether an accepted call needed it.
    pub used: bool,
    /// When last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

call!(
    /// Reads what was used.
    ScopeAnalysis, CredentialPath, AnalysisQuery, Nothing => Analysis
);
