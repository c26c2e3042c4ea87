//! The tree against a naive one, written down from RFC 9162 section 2.1 and sharing no
//! code with it: every hash is computed anew from the leaves, by recursion.

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

mod naive {
    use aws_lc_rs::digest::{SHA256, digest};

    pub type Bytes = [u8; 32];

    fn sha(input: &[u8]) -> Bytes {
        digest(&SHA256, input).as_ref().try_into().unwrap()
    }

    fn k(n: usize) -> usize {
        let mut k = 1;
        while k * 2 < n {
            k *= 2;
        }
        k
    }

    pub fn mth(d: &[Vec<u8>]) -> Bytes {
        match d.len() {
            0 => sha(&[]),
            1 => sha(&[&[0], d[0].as_slice()].concat()),
            n => {
                let (left, right) = (mth(&d[..k(n)]), mth(&d[k(n)..]));
                sha(&[&[1][..], &left, &right].concat())
            }
        }
    }

    pub fn path(m: usize, d: &[Vec<u8>]) -> Vec<Bytes> {
        let n = d.len();
        if n == 1 {
            return Vec::new();
        }
        let k = k(n);
        let (mut proof, last) = if m < k {
            (path(m, &d[..k]), mth(&d[k..]))
        } else {
            (path(m - k, &d[k..]), mth(&d[..k]))
        };
        proof.push(last);
        proof
    }

    pub fn proof(m: usize, d: &[Vec<u8>]) -> Vec<Bytes> {
        subproof(m, d, true)
    }

    fn subproof(m: usize, d: &[Vec<u8>], whole: bool) -> Vec<Bytes> {
        let n = d.len();
        if m == n {
            return if whole { Vec::new() } else { vec![mth(d)] };
        }
        let k = k(n);
        let (mut proof, last) = if m <= k {
            (subproof(m, &d[..k], whole), mth(&d[k..]))
        } else {
            (subproof(m - k, &d[k..], false), mth(&d[..k]))
        };
        proof.push(last);
        proof
    }
}

/// What an issuer keeps: the completed nodes, as [`append`] named them.
#[derive(Default)]
struct Log {
    size: u64,
    nodes: BTreeMap<Node, Hash>,
    reads: std::cell::Cell<u32>,
}

impl Log {
    fn of(leaves: &[Vec<u8>]) -> Self {
        let mut log = Self::default();
        for leaf in leaves {
            let completed = append(log.size, leaf_hash(leaf), |node| log.read(node)).unwrap();
            log.size += 1;
            for (node, hash) in completed {
                assert_eq!(log.nodes.insert(node, hash), None, "a node changed");
            }
        }
        log.reads.set(0);
        log
    }

    fn read(&self, node: Node) -> Result<Hash, Infallible> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.nodes[&node])
    }
}

fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| format!("leaf {number}").into_bytes())
        .collect()
}

fn bytes(hashes: &[Hash]) -> Vec<naive::Bytes> {
    hashes.iter().map(|hash| hash.0).collect()
}

/// Every way to spoil a list of hashes by one change.
fn spoiled(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![
        [proof, &[Hash([0; 32])]].concat(),
        [&[Hash([0; 32])], proof].concat(),
    ];
    for at in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[at].0[at % 32] ^= 1;
        all.push(changed);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.push(shorter);
    }
    all
}

#[test]
fn all_small_trees_agree_with_the_naive_one() {
    let all = leaves(34);
    for size in 1..=all.len() {
        let some = &all[..size];
        let log = Log::of(some);
        let head = root(log.size, |node| log.read(node)).unwrap();
        assert_eq!(head.0, naive::mth(some), "root of {size}");
        for index in 0..size {
            let proof = inclusion(index as u64, log.size, |node| log.read(node)).unwrap();
            assert_eq!(bytes(&proof), naive::path(index, some), "{index} in {size}");
            let leaf = leaf_hash(&some[index]);
            let verify = |leaf, index, proof: &[Hash], root| {
                verify_inclusion(leaf, index, log.size, proof, root)
            };
            assert_eq!(verify(leaf, index as u64, &proof, head), Ok(()));
            assert!(verify(Hash([1; 32]), index as u64, &proof, head).is_err());
            assert!(verify(leaf, index as u64, &proof, Hash([1; 32])).is_err());
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(verify(leaf, other as u64, &proof, head).is_err());
            }
            for bad in spoiled(&proof) {
                assert!(verify(leaf, index as u64, &bad, head).is_err());
            }
        }
        for from in 1..=size {
            let earlier = Hash(naive::mth(&some[..from]));
            let proof = consistency(from as u64, log.size, |node| log.read(node)).unwrap();
            assert_eq!(bytes(&proof), naive::proof(from, some), "{from} to {size}");
            let verify = |proof: &[Hash], from_root, to_root| {
                verify_consistency(from as u64, log.size, proof, from_root, to_root)
            };
            assert_eq!(verify(&proof, earlier, head), Ok(()));
            assert!(verify(&proof, Hash([1; 32]), head).is_err());
            assert!(verify(&proof, earlier, Hash([1; 32])).is_err());
            for bad in spoiled(&proof) {
                assert!(verify(&bad, earlier, head).is_err());
            }
        }
    }
}

#[test]
fn the_empty_tree_and_what_lies_outside_a_tree() {
    let never = |_| -> Result<Hash, Infallible> { panic!("a read in an empty tree") };
    assert_eq!(root(0, never), Ok(Hash(naive::mth(&[]))));
    for (index, size) in [(0, 0), (1, 1), (0, MAX_SIZE + 1)] {
        assert_eq!(inclusion(index, size, never), Err(TreeFault::OutOfRange));
        let verdict = verify_inclusion(empty_root(), index, size, &[], empty_root());
        assert_eq!(verdict, Err(ProofInvalid));
    }
    for (from, to) in [(0, 0), (0, 1), (2, 1), (1, MAX_SIZE + 1)] {
        assert_eq!(consistency(from, to, never), Err(TreeFault::OutOfRange));
        let verdict = verify_consistency(from, to, &[], empty_root(), empty_root());
        assert_eq!(verdict, Err(ProofInvalid));
    }
    assert_eq!(root(MAX_SIZE + 1, never), Err(TreeFault::OutOfRange));
    assert_eq!(
        append(MAX_SIZE, empty_root(), never),
        Err(TreeFault::OutOfRange)
    );
}

#[test]
fn a_node_that_cannot_be_read_is_reported() {
    let fail = |_| Err::<Hash, _>("gone");
    assert_eq!(root(2, fail), Err(TreeFault::Read("gone")));
    assert_eq!(inclusion(0, 2, fail), Err(TreeFault::Read("gone")));
    assert_eq!(consistency(1, 2, fail), Err(TreeFault::Read("gone")));
    assert_eq!(append(1, empty_root(), fail), Err(TreeFault::Read("gone")));
}

#[test]
fn the_largest_tree_costs_few_reads_and_a_short_proof() {
    // Worst cases, where the right edge is as ragged as it can be.
    for size in [MAX_SIZE, MAX_SIZE - 1, MAX_SIZE / 2 + 1] {
        let mut reads = 0;
        let mut read = |_| {
            reads += 1;
            Ok::<_, Infallible>(Hash([3; 32]))
        };
        for index in [0, 1, size / 2, size - 1] {
            assert!(inclusion(index, size, &mut read).unwrap().len() <= MAX_PROOF);
            assert!(consistency(index + 1, size, &mut read).unwrap().len() <= MAX_PROOF);
        }
        assert!(reads <= 8 * 2 * 54, "{reads} reads in eight proofs");
    }
}

#[test]
fn a_hash_has_one_spelling() {
    let text = Hash([255; 32]).to_string();
    assert_eq!(Hash::from_base64(&text), Ok(Hash([255; 32])));
    for refused in [
        text.replace("8=", "9="),
        text.replace('=', ""),
        "AAAA".to_owned(),
    ] {
        assert!(Hash::from_base64(&refused).is_err(), "{refused}");
        assert!(serde_json::from_value::<Hash>(refused.into()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_tree_agrees_with_the_naive_one(
        all in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..24), 1..260),
        one: prop::sample::Index,
        two: prop::sample::Index,
    ) {
        let log = Log::of(&all);
        let head = root(log.size, |node| log.read(node)).unwrap();
        prop_assert_eq!(head.0, naive::mth(&all));

        let index = one.index(all.len());
        log.reads.set(0);
        let proof = inclusion(index as u64, log.size, |node| log.read(node)).unwrap();
        prop_assert!(log.reads.get() <= 2 * 9);
        prop_assert_eq!(bytes(&proof), naive::path(index, &all));
        let leaf = leaf_hash(&all[index]);
        prop_assert_eq!(verify_inclusion(leaf, index as u64, log.size, &proof, head), Ok(()));

        let from = two.index(all.len()) + 1;
        log.reads.set(0);
        let proof = consistency(from as u64, log.size, |node| log.read(node)).unwrap();
        prop_assert!(log.reads.get() <= 2 * 9);
        prop_assert_eq!(bytes(&proof), naive::proof(from, &all));
        let earlier = Hash(naive::mth(&all[..from]));
        let verdict = verify_consistency(from as u64, log.size, &proof, earlier, head);
        prop_assert_eq!(verdict, Ok(()));
    }

    #[test]
    fn no_claim_panics(
        index: u64,
        from: u64,
        size: u64,
        hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<_> = hashes.into_iter().map(Hash).collect();
        for (index, from, size) in [(index, from, size), (index % 1000, from % 1000, size % 1000)] {
            let _ = verify_inclusion(empty_root(), index, size, &proof, empty_root());
            let _ = verify_consistency(from, size, &proof, empty_root(), empty_root());
        }
    }
}
