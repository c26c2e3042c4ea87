//! The Merkle tree of the log, RFC 9162 section 2.1.
//!
//! A complete subtree never changes once it is full. The log keeps the hash of each one,
//! named by [`Node`], and every function here asks for those it needs: appending, the
//! root and either proof cost O(log n) reads, whatever holds the nodes.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical;

/// The most leaves a tree may have, so that sizes stay exact in JSON.
pub const MAX_SIZE: u64 = crate::json::MAX_INTEGER;

/// The most hashes a proof for a tree of [`MAX_SIZE`] holds, with room to spare.
pub const MAX_PROOF: usize = 64;

/// A hash of the tree: SHA-256. On the wire, base64 with padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Reads the wire form.
    ///
    /// # Errors
    /// [`canonical::NotBase64`] if it is not 32 bytes in their one spelling.
    pub fn from_base64(text: &str) -> Result<Self, canonical::NotBase64> {
        let bytes = canonical::from_base64(text)?;
        bytes.try_into().map(Self).map_err(|_| canonical::NotBase64)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&canonical::to_base64(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Hash {
    fn schema_name() -> Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A SHA-256 hash in base64 with padding.",
            "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        })
    }
}

/// The hash of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(canonical::sha256(b""))
}

/// The hash of a leaf: SHA-256(0x00 || leaf).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    hash_parts(&[&[0], leaf])
}

/// The hash of a node: SHA-256(0x01 || left || right). The first byte differs from a
/// leaf's, so that no leaf can pass for a node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash_parts(&[&[1], &left.0, &right.0])
}

fn hash_parts(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    // A SHA-256 digest is 32 bytes long, always.
    hash.copy_from_slice(context.finish().as_ref());
    Hash(hash)
}

/// Names a complete subtree: the one over leaves `index * 2^level` up to, but without,
/// `(index + 1) * 2^level`. Level 0 names the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height above the leaves, 0 to 53.
    pub level: u32,
    /// Place among the subtrees of that height, from 0.
    pub index: u64,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault<E> {
    /// The index or a size lies outside the tree.
    #[error("the index or size lies outside the tree")]
    OutOfRange,
    /// A node could not be read.
    #[error("a node of the tree could not be read")]
    Read(#[source] E),
}

/// The nodes that a new leaf completes, itself first: those to store beside it, in one
/// transaction. `size` is the number of leaves before.
///
/// # Errors
/// [`TreeFault::Read`] as `read` fails; [`TreeFault::OutOfRange`] in a full tree.
pub fn append<E>(
    size: u64,
    leaf: Hash,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<(Node, Hash)>, TreeFault<E>> {
    if size >= MAX_SIZE {
        return Err(TreeFault::OutOfRange);
    }
    let mut node = Node {
        level: 0,
        index: size,
    };
    let mut hash = leaf;
    let mut completed = vec![(node, hash)];
    // An odd index means that the left sibling stands, so that the parent is complete now.
    while node.index % 2 == 1 {
        let sibling = Node {
            index: node.index - 1,
            ..node
        };
        let left = read(sibling).map_err(TreeFault::Read)?;
        hash = node_hash(&left, &hash);
        node = Node {
            level: node.level + 1,
            index: node.index / 2,
        };
        completed.push((node, hash));
    }
    Ok(completed)
}

/// The root of the tree over the first `size` leaves.
///
/// # Errors
/// [`TreeFault::Read`] as `read` fails; [`TreeFault::OutOfRange`] beyond [`MAX_SIZE`].
pub fn root<E>(
    size: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Hash, TreeFault<E>> {
    match size {
        0 => Ok(empty_root()),
        1..=MAX_SIZE => range_hash(0, size, &mut read).map_err(TreeFault::Read),
        _ => Err(TreeFault::OutOfRange),
    }
}

/// The inclusion proof for the leaf at `index` in the tree of `size` leaves, lowest
/// sibling first (RFC 9162 section 2.1.3.1).
///
/// # Errors
/// [`TreeFault::OutOfRange`] unless `index < size`; [`TreeFault::Read`].
pub fn inclusion<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, TreeFault<E>> {
    if index >= size || size > MAX_SIZE {
        return Err(TreeFault::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        let sibling = if index < middle {
            let sibling = (middle, high);
            high = middle;
            sibling
        } else {
            let sibling = (low, middle);
            low = middle;
            sibling
        };
        proof.push(range_hash(sibling.0, sibling.1, &mut read).map_err(TreeFault::Read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `to` leaves continues the one of `from` leaves (RFC 9162
/// section 2.1.4.1). Empty if both are the same tree.
///
/// # Errors
/// [`TreeFault::OutOfRange`] unless `0 < from <= to`; [`TreeFault::Read`].
pub fn consistency<E>(
    from: u64,
    to: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, TreeFault<E>> {
    if from == 0 || from > to || to > MAX_SIZE {
        return Err(TreeFault::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, to);
    // Down to the subtree that ends where the old tree ended.
    while from < high {
        let middle = low + split(high - low);
        let sibling = if from <= middle {
            let sibling = (middle, high);
            high = middle;
            sibling
        } else {
            let sibling = (low, middle);
            low = middle;
            sibling
        };
        proof.push(range_hash(sibling.0, sibling.1, &mut read).map_err(TreeFault::Read)?);
    }
    // If it is the whole old tree, the verifier knows its hash already.
    if low > 0 {
        proof.push(range_hash(low, high, &mut read).map_err(TreeFault::Read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two below `leaves`, which is at least 2.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The hash over leaves `low..high`, where `low` is a multiple of the power of two that
/// `high - low` rounds up to. Splits as RFC 9162 does, so that every left half is a
/// complete subtree and takes one read.
fn range_hash<E>(
    low: u64,
    high: u64,
    read: &mut impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let leaves = high - low;
    if leaves.is_power_of_two() {
        let level = leaves.ilog2();
        return read(Node {
            level,
            index: low >> level,
        });
    }
    let middle = low + split(leaves);
    let left = range_hash(low, middle, read)?;
    let right = range_hash(middle, high, read)?;
    Ok(node_hash(&left, &right))
}

/// The proof does not show what it claims to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not verify")]
pub struct ProofInvalid;

/// Verifies that the leaf with this hash stands at `index` in the tree of `size` leaves
/// with this root (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`ProofInvalid`].
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofInvalid> {
    if index >= size || size > MAX_SIZE {
        return Err(ProofInvalid);
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofInvalid);
        }
        if place % 2 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            climb_to_right_child(&mut place, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    accept(last == 0 && hash == root)
}

/// Verifies that the tree of `to` leaves with root `to_root` continues the tree of `from`
/// leaves with root `from_root` (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`ProofInvalid`], also for `from` 0: the empty tree is part of every tree, and there is
/// nothing to prove.
pub fn verify_consistency(
    from: u64,
    to: u64,
    proof: &[Hash],
    from_root: Hash,
    to_root: Hash,
) -> Result<(), ProofInvalid> {
    if from == 0 || from > to || to > MAX_SIZE {
        return Err(ProofInvalid);
    }
    if from == to {
        return accept(proof.is_empty() && from_root == to_root);
    }
    let (first, rest) = if from.is_power_of_two() {
        (from_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofInvalid)?;
        (*first, rest)
    };
    let (mut place, mut last) = (from - 1, to - 1);
    let levels = place.trailing_ones();
    place >>= levels;
    last >>= levels;
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofInvalid);
        }
        if place % 2 == 1 || place == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            climb_to_right_child(&mut place, &mut last);
        } else {
            new = node_hash(&new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    accept(last == 0 && old == from_root && new == to_root)
}

/// On the tree's right edge a node without a sibling rises unchanged, level by level,
/// until it is a right child.
fn climb_to_right_child(place: &mut u64, last: &mut u64) {
    while *place != 0 && place.is_multiple_of(2) {
        *place >>= 1;
        *last >>= 1;
    }
}

fn accept(verifies: bool) -> Result<(), ProofInvalid> {
    if verifies { Ok(()) } else { Err(ProofInvalid) }
}

#[cfg(test)]
mod tests;
