//! Merkle tree hashing and its proofs, as RFC 9162 section 2.1 defines them: recursive, slow
//! and plain.

use super::Unsound;
use super::digest::sha256;

/// A node of the tree.
pub type Hash = [u8; 32];

/// Deeper than any tree whose size fits 53 bits.
const DEEPEST: usize = 64;

/// The hash of a leaf.
#[must_use]
pub fn leaf(bytes: &[u8]) -> Hash {
    let mut input = vec![0x00];
    input.extend_from_slice(bytes);
    sha256(&input)
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut input = vec![0x01];
    input.extend_from_slice(left);
    input.extend_from_slice(right);
    sha256(&input)
}

/// The largest power of two smaller than `size`, which is at least 2.
fn split(size: u64) -> u64 {
    let mut power = 1;
    while power < size - power {
        power *= 2;
    }
    power
}

/// The root over all leaves, from their hashes.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        more => {
            let at = split(more.len() as u64);
            let (left, right) = more.split_at(usize::try_from(at).unwrap_or_default());
            node(&root(left), &root(right))
        }
    }
}

/// Checks that a leaf stands at `index` in the tree of that size and root.
///
/// # Errors
/// Where the path does not lead to the root.
pub fn inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), Unsound> {
    if index >= size {
        return Err(Unsound::new("the index is not in the tree"));
    }
    if path.len() > DEEPEST {
        return Err(Unsound::new("the path is longer than any tree is deep"));
    }
    if climb(leaf, index, size, path)? == *root {
        Ok(())
    } else {
        Err(Unsound::new("the path leads to another root"))
    }
}

fn climb(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, Unsound> {
    if size == 1 {
        return if path.is_empty() {
            Ok(*leaf)
        } else {
            Err(Unsound::new("the path is too long"))
        };
    }
    let Some((last, rest)) = path.split_last() else {
        return Err(Unsound::new("the path is too short"));
    };
    let at = split(size);
    if index < at {
        Ok(node(&climb(leaf, index, at, rest)?, last))
    } else {
        Ok(node(last, &climb(leaf, index - at, size - at, rest)?))
    }
}

/// Checks that the tree of size `to` continues that of size `from`.
///
/// # Errors
/// Where the path does not lead to both roots.
pub fn consistency(
    (from, old): (u64, &Hash),
    (to, new): (u64, &Hash),
    path: &[Hash],
) -> Result<(), Unsound> {
    if from == 0 || from > to {
        return Err(Unsound::new("the older tree is not the smaller one"));
    }
    if path.len() > DEEPEST {
        return Err(Unsound::new("the path is longer than any tree is deep"));
    }
    if from == to {
        return if path.is_empty() && old == new {
            Ok(())
        } else {
            Err(Unsound::new("two trees of one size differ"))
        };
    }
    let (first, second) = both(from, to, path, true, old)?;
    if first == *old && second == *new {
        Ok(())
    } else {
        Err(Unsound::new("the path leads to other roots"))
    }
}

/// SUBPROOF of RFC 9162 section 2.1.4.1, read backwards: the old and the new root.
fn both(
    from: u64,
    to: u64,
    path: &[Hash],
    whole: bool,
    old: &Hash,
) -> Result<(Hash, Hash), Unsound> {
    if from == to {
        return match (whole, path) {
            (true, []) => Ok((*old, *old)),
            (false, [only]) => Ok((*only, *only)),
            _ => Err(Unsound::new("the path has another length")),
        };
    }
    let Some((last, rest)) = path.split_last() else {
        return Err(Unsound::new("the path is too short"));
    };
    let at = split(to);
    if from <= at {
        let (first, second) = both(from, at, rest, whole, old)?;
        Ok((first, node(&second, last)))
    } else {
        let (first, second) = both(from - at, to - at, rest, false, old)?;
        Ok((node(last, &first), node(last, &second)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|number| leaf(&[number])).collect()
    }

    /// PATH of RFC 9162 section 2.1.3.1.
    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let at = usize::try_from(split(leaves.len() as u64)).unwrap();
        let (left, right) = leaves.split_at(at);
        let (mut steps, other) = if index < at {
            (path(index, left), root(right))
        } else {
            (path(index - at, right), root(left))
        };
        steps.push(other);
        steps
    }

    /// SUBPROOF of RFC 9162 section 2.1.4.1.
    fn subproof(from: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if from == leaves.len() {
            return if whole {
                Vec::new()
            } else {
                vec![root(leaves)]
            };
        }
        let at = usize::try_from(split(leaves.len() as u64)).unwrap();
        let (left, right) = leaves.split_at(at);
        let (mut steps, other) = if from <= at {
            (subproof(from, left, whole), root(right))
        } else {
            (subproof(from - at, right, false), root(left))
        };
        steps.push(other);
        steps
    }

    #[test]
    fn the_empty_tree_and_one_leaf_are_those_of_the_rfc() {
        assert_eq!(
            crate::oracle::digest::hex(&root(&[])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            crate::oracle::digest::hex(&leaf(&[])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    #[test]
    fn every_place_in_every_small_tree_is_proved_and_planted_bugs_are_caught() {
        for size in 1..=20_u8 {
            let all = leaves(size);
            let top = root(&all);
            for index in 0..usize::from(size) {
                let steps = path(index, &all);
                let check = |leaf: &Hash, index: usize, steps: &[Hash]| {
                    inclusion(leaf, index as u64, u64::from(size), steps, &top)
                };
                assert_eq!(check(&all[index], index, &steps), Ok(()));
                // Another leaf, another place, a step too many, a step changed.
                assert!(check(&leaf(b"planted"), index, &steps).is_err());
                if size > 1 {
                    assert!(check(&all[index], (index + 1) % usize::from(size), &steps).is_err());
                    let mut wrong = steps.clone();
                    wrong[0][0] ^= 1;
                    assert!(check(&all[index], index, &wrong).is_err());
                    assert!(check(&all[index], index, &steps[1..]).is_err());
                }
                let mut long = steps.clone();
                long.push(top);
                assert!(check(&all[index], index, &long).is_err());
                assert!(
                    inclusion(&all[index], u64::from(size), u64::from(size), &steps, &top).is_err()
                );
            }
        }
    }

    #[test]
    fn every_continuation_is_proved_and_a_rewritten_past_is_caught() {
        for to in 1..=20_u8 {
            let all = leaves(to);
            for from in 1..=to {
                let before = &all[..usize::from(from)];
                let steps = subproof(usize::from(from), &all, true);
                let old = root(before);
                let new = root(&all);
                let check = |old: &Hash, steps: &[Hash]| {
                    consistency((u64::from(from), old), (u64::from(to), &new), steps)
                };
                assert_eq!(check(&old, &steps), Ok(()), "{from} to {to}");
                let mut rewritten = before.to_vec();
                rewritten[0] = leaf(b"planted");
                assert!(check(&root(&rewritten), &steps).is_err());
                let mut long = steps.clone();
                long.push(new);
                assert!(check(&old, &long).is_err());
                if from < to {
                    assert!(check(&old, &[]).is_err());
                }
            }
        }
        assert!(consistency((0, &root(&[])), (1, &leaf(&[0])), &[]).is_err());
    }
}
