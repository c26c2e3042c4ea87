//! Audit: who did what, and how to prove that the log still says so (spec chapter 20).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Nothing, call};
pub use crate::audit::{AuditEntry, ConsistencyProof, InclusionProof};
use crate::ids::{CredentialId, RotationId};
use crate::time::Timestamp;

/// Which entries, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntriesQuery {
    /// About this credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<CredentialId>,
    /// Of this event, such as `credential.created`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub event: Option<String>,
    /// About this rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub rotation_id: Option<RotationId>,
    /// From this second on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub since: Option<Timestamp>,
    /// Before this second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-clp-profile" = "lifecycle"))]
    pub until: Option<Timestamp>,
    /// At most so many, 1 to 200; by default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One page of entries, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPage {
    /// The origin of the log that they stand in.
    pub log_origin: String,
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which entry, in which tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InclusionQuery {
    /// The entry, from 0.
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub index: u64,
    /// Number of entries in the tree.
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub tree_size: u64,
}

/// Which two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyQuery {
    /// Number of entries in the older tree.
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub from: u64,
    /// Number of entries in the newer tree.
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub to: u64,
}

/// A signed note (C2SP tlog-checkpoint), answered as `text/plain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CheckpointText(pub String);

call!(
    /// Lists entries.
    AuditEntries, Nothing, EntriesQuery, Nothing => AuditPage
);
call!(
    /// Reads the newest checkpoint.
    AuditCheckpoint, Nothing, Nothing, Nothing => CheckpointText
);
call!(
    /// Proves that an entry is in a tree.
    AuditInclusion, Nothing, InclusionQuery, Nothing => InclusionProof
);
call!(
    /// Proves that a tree continues another.
    AuditConsistency, Nothing, ConsistencyQuery, Nothing => ConsistencyProof
);
