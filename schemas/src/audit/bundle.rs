//! Wire types of the audit endpoints, and the self-contained file that proves one entry to
//! somebody who was never connected to the issuer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use serde_json::Value;

use super::checkpoint::{Checkpoint, CheckpointFault};
use super::leaf::{self, Disclosed, LeafFault};
use super::merkle::{self, Hash};
use super::note::PublicKey;
use crate::canonical;
use crate::json;
use crate::time::Timestamp;

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

/// What proves one entry by itself, in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The signed note that the proof leads to.
    #[schemars(length(min = 1, max = 65536))]
    pub checkpoint: String,
    /// The entry.
    pub entry: AuditEntry,
    /// Leads from the entry to the checkpoint.
    pub proof: InclusionProof,
    /// Leads from a checkpoint that somebody kept to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Continuation>,
}

/// Shows that the log still says what it said at an earlier checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Continuation {
    /// The earlier signed note.
    #[schemars(length(min = 1, max = 65536))]
    pub checkpoint: String,
    /// Leads from it to the later one.
    pub proof: ConsistencyProof,
}

/// Why a bundle proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// The file is not strict JSON.
    #[error("the bundle cannot be read: {0}")]
    Unreadable(json::Fault),
    /// The file lacks a member, or has one that nobody knows.
    #[error("the bundle is malformed")]
    Form,
    /// The leaf, or a member disclosed beside it, does not stand.
    #[error("the entry does not stand: {0}")]
    Leaf(#[from] LeafFault),
    /// The leaf is not base64 in its one spelling.
    #[error("the leaf is not base64")]
    LeafEncoding,
    /// Entry, leaf, proof and checkpoint disagree about index or size.
    #[error("the parts of the bundle do not belong together")]
    Mismatch,
    /// A checkpoint does not stand.
    #[error("the checkpoint does not stand: {0}")]
    Checkpoint(#[from] CheckpointFault),
    /// The inclusion proof does not lead to the checkpoint.
    #[error("the entry is not shown to be in the log")]
    Inclusion,
    /// The consistency proof does not lead from the earlier checkpoint to the later.
    #[error("the log is not shown to continue the earlier checkpoint")]
    Consistency,
}

/// Whether the signature was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything fits, and the key that was given signed it.
    Authenticated,
    /// Everything fits, but no key was given: anybody could have made the file.
    ConsistentUnauthenticated,
}

/// What a bundle proves, and what it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the signature was checked.
    pub verdict: Verdict,
    /// The log, by the origin it calls itself. The reader compares it with the issuer's.
    pub origin: String,
    /// Leaves of the tree that the entry is proved to be in.
    pub tree_size: u64,
    /// The entry's place, from 0.
    pub index: u64,
    /// When it happened, by the issuer's clock.
    pub time: Timestamp,
    /// What happened.
    pub event: String,
    /// The members disclosed.
    pub values: BTreeMap<String, Value>,
    /// The names of those that are not.
    pub redacted: Vec<String>,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
    /// What nothing here proves, and only the issuer vouches for, a sentence each.
    pub vouched_by_issuer: Vec<String>,
}

impl Bundle {
    /// Reads a bundle from a file's bytes.
    ///
    /// # Errors
    /// [`BundleFault::Unreadable`] or [`BundleFault::Form`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleFault> {
        let value = json::parse(bytes, json::Limits::default()).map_err(BundleFault::Unreadable)?;
        serde_json::from_value(value).map_err(|_| BundleFault::Form)
    }
}

/// Checks everything in a bundle that can be checked offline. Without a public key the
/// signatures are left out, and the verdict says so.
///
/// # Errors
/// [`BundleFault`], the first found: the entry, then the checkpoint, then the proofs.
pub fn verify(bundle: &Bundle, public_key: Option<&PublicKey>) -> Result<Report, BundleFault> {
    let leaf = canonical::from_base64(&bundle.entry.leaf).map_err(|_| BundleFault::LeafEncoding)?;
    let entry = leaf::check(&leaf, &bundle.entry.disclosed)?;
    let head = open(&bundle.checkpoint, public_key)?;
    let proof = &bundle.proof;
    let belongs = entry.index == bundle.entry.index
        && entry.index == proof.index
        && proof.tree_size == head.tree_size;
    if !belongs {
        return Err(BundleFault::Mismatch);
    }
    merkle::verify_inclusion(
        merkle::leaf_hash(&leaf),
        proof.index,
        proof.tree_size,
        &proof.hashes,
        head.root,
    )
    .map_err(|_| BundleFault::Inclusion)?;
    let earlier = match &bundle.consistency {
        Some(continuation) => Some(verify_continuation(continuation, &head, public_key)?),
        None => None,
    };
    let verdict = match public_key {
        Some(_) => Verdict::Authenticated,
        None => Verdict::ConsistentUnauthenticated,
    };
    Ok(Report {
        verdict,
        checked: checked(&entry, &head, earlier, verdict),
        vouched_by_issuer: vouched(earlier, verdict),
        origin: head.origin,
        tree_size: head.tree_size,
        index: entry.index,
        time: entry.time,
        event: entry.event,
        values: entry.values,
        redacted: entry.redacted,
    })
}

fn open(note: &str, public_key: Option<&PublicKey>) -> Result<Checkpoint, CheckpointFault> {
    match public_key {
        Some(key) => Checkpoint::open(note, key),
        None => Checkpoint::read_unverified(note),
    }
}

/// Answers the size of the earlier tree.
fn verify_continuation(
    continuation: &Continuation,
    head: &Checkpoint,
    public_key: Option<&PublicKey>,
) -> Result<u64, BundleFault> {
    let earlier = open(&continuation.checkpoint, public_key)?;
    let proof = &continuation.proof;
    let belongs = earlier.origin == head.origin
        && proof.from == earlier.tree_size
        && proof.to == head.tree_size;
    if !belongs {
        return Err(BundleFault::Mismatch);
    }
    merkle::verify_consistency(proof.from, proof.to, &proof.hashes, earlier.root, head.root)
        .map_err(|_| BundleFault::Consistency)?;
    Ok(earlier.tree_size)
}

fn checked(
    entry: &leaf::Entry,
    head: &Checkpoint,
    earlier: Option<u64>,
    verdict: Verdict,
) -> Vec<String> {
    let mut sentences = vec![
        format!(
            "each of the {} disclosed members is what was logged; {} are redacted",
            entry.values.len(),
            entry.redacted.len()
        ),
        format!(
            "the entry stands at index {} of the log of {} entries",
            entry.index, head.tree_size
        ),
    ];
    if verdict == Verdict::Authenticated {
        sentences.push("the key given signed the head of that log".to_owned());
    }
    if let Some(size) = earlier {
        sentences.push(format!(
            "the log still begins with the {size} entries of the earlier checkpoint"
        ));
    }
    sentences
}

fn vouched(earlier: Option<u64>, verdict: Verdict) -> Vec<String> {
    let mut sentences = Vec::new();
    if verdict == Verdict::ConsistentUnauthenticated {
        sentences.push("nobody is known to have signed this: no public key was given");
    }
    sentences.extend([
        "that it happened as the entry says, and at that time",
        "that the actor named is the one who acted",
        "that nothing happened that the log leaves out",
        "that everybody else is shown the same log",
    ]);
    if earlier.is_none() {
        sentences.push("that nothing logged before this checkpoint was taken back");
    }
    sentences.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
