use std::convert::Infallible;

use aws_lc_rs::signature::Ed25519KeyPair;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::audit::merkle::Node;

const SIZE: u64 = 11;
const INDEX: u64 = 6;

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn key() -> PublicKey {
    PublicKey::of(&pair())
}

/// A log of [`SIZE`] entries, and the bundle for the one at [`INDEX`].
fn bundle() -> Bundle {
    let mut nodes: BTreeMap<Node, Hash> = BTreeMap::new();
    let mut entries = Vec::new();
    for index in 0..SIZE {
        let values = BTreeMap::from([
            ("actor".to_owned(), json!("prin_0123456789abcdefghij")),
            ("uses".to_owned(), json!(index)),
        ]);
        let time = Timestamp::from_unix(1_800_000_000);
        let salt = || [u8::try_from(index).unwrap(); leaf::SALT_BYTES];
        let (leaf, disclosed) = leaf::seal(index, time, "credential.used", values, salt).unwrap();
        let read = |node| Ok::<_, Infallible>(nodes[&node]);
        let completed = merkle::append(index, merkle::leaf_hash(&leaf), read).unwrap();
        nodes.extend(completed);
        let leaf = canonical::to_base64(&leaf);
        entries.push(AuditEntry {
            index,
            leaf,
            disclosed,
        });
    }
    let read = |node| Ok::<_, Infallible>(nodes[&node]);
    let checkpoint = |tree_size| {
        let root = merkle::root(tree_size, read).unwrap();
        let origin = "issuer.example/ten_0123456789abcdefghij".to_owned();
        let checkpoint = Checkpoint {
            origin,
            tree_size,
            root,
        };
        checkpoint.sign(&pair()).unwrap()
    };
    let hashes = merkle::inclusion(INDEX, SIZE, read).unwrap();
    let steps = merkle::consistency(5, SIZE, read).unwrap();
    Bundle {
        checkpoint: checkpoint(SIZE),
        entry: entries.swap_remove(usize::try_from(INDEX).unwrap()),
        proof: InclusionProof {
            index: INDEX,
            tree_size: SIZE,
            hashes,
        },
        consistency: Some(Continuation {
            checkpoint: checkpoint(5),
            proof: ConsistencyProof {
                from: 5,
                to: SIZE,
                hashes: steps,
            },
        }),
    }
}

#[test]
fn a_sound_bundle_says_what_it_proves() {
    let bundle = bundle();
    let report = verify(&bundle, Some(&key())).unwrap();
    assert_eq!(report.verdict, Verdict::Authenticated);
    assert_eq!((report.index, report.tree_size), (INDEX, SIZE));
    assert_eq!(report.values["uses"], json!(INDEX));
    assert_eq!(report.checked.len(), 4);
    assert_eq!(report.vouched_by_issuer.len(), 4);
}

#[test]
fn what_is_missing_is_said() {
    let mut bundle = bundle();
    bundle.consistency = None;
    bundle.entry.disclosed.remove("actor");
    let report = verify(&bundle, None).unwrap();
    assert_eq!(report.verdict, Verdict::ConsistentUnauthenticated);
    assert_eq!(report.redacted, ["actor"]);
    assert_eq!(report.checked.len(), 2);
    assert_eq!(report.vouched_by_issuer.len(), 6);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let sound = bundle();
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let spoil = |change: &dyn Fn(&mut Bundle)| {
        let mut copy = sound.clone();
        change(&mut copy);
        verify(&copy, Some(&key())).unwrap_err()
    };
    assert!(verify(&sound, Some(&PublicKey::of(&other))).is_err());
    assert_eq!(spoil(&|it| it.entry.index = 5), BundleFault::Mismatch);
    assert_eq!(spoil(&|it| it.proof.index = 5), BundleFault::Mismatch);
    assert_eq!(spoil(&|it| it.proof.tree_size = 12), BundleFault::Mismatch);
    assert_eq!(
        spoil(&|it| it.proof.hashes.reverse()),
        BundleFault::Inclusion
    );
    let continuation = |it: &mut Bundle, change: &dyn Fn(&mut Continuation)| {
        change(it.consistency.as_mut().unwrap());
    };
    assert_eq!(
        spoil(&|it| continuation(it, &|step| step.proof.from = 4)),
        BundleFault::Mismatch
    );
    assert_eq!(
        spoil(&|it| continuation(it, &|step| step.proof.to = 12)),
        BundleFault::Mismatch
    );
    assert_eq!(
        spoil(&|it| continuation(it, &|step| step.proof.hashes.reverse())),
        BundleFault::Consistency
    );
    let text = "issuer.example/ten_other\n5\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n";
    let foreign = Checkpoint::from_text(text).unwrap().sign(&pair()).unwrap();
    assert_eq!(
        spoil(&|it| continuation(it, &|step| step.checkpoint = foreign.clone())),
        BundleFault::Mismatch
    );
    assert_eq!(
        spoil(&|it| it.entry.leaf.push('=')),
        BundleFault::LeafEncoding
    );
}

#[test]
fn a_file_is_read_strictly() {
    let text = serde_json::to_string(&bundle()).unwrap();
    assert_eq!(Bundle::from_bytes(text.as_bytes()), Ok(bundle()));
    let twice = text.replacen('{', "{\"checkpoint\":\"\",", 1);
    assert_eq!(
        Bundle::from_bytes(twice.as_bytes()),
        Err(BundleFault::Unreadable(json::Fault::DuplicateMember))
    );
    let more = text.replacen('{', "{\"more\":1,", 1);
    assert_eq!(Bundle::from_bytes(more.as_bytes()), Err(BundleFault::Form));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_changed_byte_of_the_file_is_noticed(place: prop::sample::Index, flip in 1..=255_u8) {
        let sound = bundle();
        let mut file = serde_json::to_vec(&sound).unwrap();
        let at = place.index(file.len());
        file[at] ^= flip;
        // Only what reads as the very same bundle, such as another spelling of white
        // space or of an escape, may pass.
        if let Ok(read) = Bundle::from_bytes(&file)
            && verify(&read, Some(&key())).is_ok()
        {
            prop_assert_eq!(read, sound);
        }
    }
}
