//! Wire types of the audit endpoints, and the self-contained file that proves one entry to
//! somebody who was never connected to the issuer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::leaf::Disclosed;
use super::merkle::Hash;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Place in the log, from 0; the same as in the leaf.
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub index: u64,
    /// The exact bytes of the leaf, in base64 with padding.
    #[schemars(
        length(min = 4, max = 21848),
        regex(pattern = "^[A-Za-z0-9+/]+={0,2}$")
    )]
    pub leaf: String,
    /// Salt and value of every member that is not redacted.
    pub disclosed: BTreeMap<String, Disclosed>,
}

/// Shows that a leaf is in the tree (RFC 9162 section 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InclusionProof {
    /// The leaf's place, from 0.
    #[schemars(range(max = 9_007_199_254_740_992_u64))]
    pub index: u64,
    /// The leaves of the tree it is proved to be in.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub tree_size: u64,
    /// Sibling hashes, lowest first.
    #[schemars(length(max = 64))]
    pub hashes: Vec<Hash>,
}

/// Shows that a tree continues an earlier one (RFC 9162 section 2.1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsistencyProof {
    /// Leaves of the earlier tree.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub from: u64,
    /// Leaves of the later tree.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub to: u64,
    /// The hashes, in the order of RFC 9162.
    #[schemars(length(max = 64))]
    pub hashes: Vec<Hash>,
}
