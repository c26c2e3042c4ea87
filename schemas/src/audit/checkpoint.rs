//! Checkpoints (C2SP tlog-checkpoint): the size and root of the log, signed.

use aws_lc_rs::signature::Ed25519KeyPair;

use super::merkle::{self, Hash};
use super::note::{self, Note, NoteFault, PublicKey};

/// The head of a log at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: `<host[:port]>/<tenant id>`. Also the name of the key.
    pub origin: String,
    /// Leaves in the tree.
    pub tree_size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// Why a checkpoint does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// The note around it does not stand.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The text is not origin, size and root, one line each, in their one spelling.
    #[error("the checkpoint is malformed")]
    Form,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.tree_size, self.root)
    }

    /// Reads the text of a checkpoint. Extension lines are refused: nobody who watches
    /// the log could audit them.
    ///
    /// # Errors
    /// [`CheckpointFault::Form`].
    pub fn from_text(text: &str) -> Result<Self, CheckpointFault> {
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or(CheckpointFault::Form);
        let (origin, tree_size, root) = (line()?, line()?, line()?);
        let read = Self {
            origin: origin.to_owned(),
            tree_size: tree_size.parse().map_err(|_| CheckpointFault::Form)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointFault::Form)?,
        };
        let is_sound = !read.origin.is_empty()
            && read.tree_size <= merkle::MAX_SIZE
            && (read.tree_size > 0 || read.root == merkle::empty_root())
            && read.to_text() == text;
        if is_sound {
            Ok(read)
        } else {
            Err(CheckpointFault::Form)
        }
    }

    /// The signed note, ready to be answered as `text/plain`.
    ///
    /// # Errors
    /// [`CheckpointFault::Form`], or [`CheckpointFault::Note`] if the origin can be no
    /// name of a key.
    pub fn sign(&self, pair: &Ed25519KeyPair) -> Result<String, CheckpointFault> {
        let text = self.to_text();
        Self::from_text(&text)?;
        Ok(note::sign(&text, &self.origin, pair)?)
    }

    /// Takes a signed note apart without believing it.
    ///
    /// # Errors
    /// [`CheckpointFault`].
    pub fn read_unverified(note: &str) -> Result<Self, CheckpointFault> {
        Self::from_text(Note::parse(note)?.text())
    }

    /// Reads a signed note and requires the signature of `key` under the origin's name.
    /// Whether it is the origin that the caller wants is for the caller to compare.
    ///
    /// # Errors
    /// [`CheckpointFault`].
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, CheckpointFault> {
        let note = Note::parse(note)?;
        let read = Self::from_text(note.text())?;
        note.verify(&read.origin, key)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "issuer.example/ten_0123456789abcdefghij".to_owned(),
            tree_size: 12,
            root: Hash([9; 32]),
        }
    }

    #[test]
    fn what_was_signed_is_opened_by_its_key_alone() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let note = checkpoint().sign(&pair).unwrap();
        assert_eq!(
            Checkpoint::open(&note, &PublicKey::of(&pair)),
            Ok(checkpoint())
        );
        assert_eq!(
            Checkpoint::open(&note, &PublicKey::of(&other)),
            Err(NoteFault::NotSigned.into())
        );
        let renamed = note.replacen("issuer", "others", 1);
        assert_eq!(
            Checkpoint::open(&renamed, &PublicKey::of(&pair)),
            Err(NoteFault::NotSigned.into())
        );
    }

    #[test]
    fn one_spelling_only() {
        let text = checkpoint().to_text();
        assert_eq!(Checkpoint::from_text(&text), Ok(checkpoint()));
        let root = Hash([9; 32]).to_string();
        for refused in [
            text.replace("\n12\n", "\n012\n"),
            text.replace("\n12\n", "\n+12\n"),
            text.replace("\n12\n", "\n-1\n"),
            text.replace("\n12\n", "\n9007199254740993\n"),
            text.replace("\n12\n", "\n0\n"),
            text.replace(&root, root.trim_end_matches('=')),
            text.replace(&root, "CQkJ"),
            format!("{text}extension\n"),
            format!("\n{text}"),
            text.trim_end().to_owned(),
            String::new(),
        ] {
            let fault = Checkpoint::from_text(&refused);
            assert_eq!(fault, Err(CheckpointFault::Form), "{refused:?}");
        }
    }

    #[test]
    fn an_origin_that_can_be_no_name_is_not_signed() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        for origin in ["", "a b", "a+b", "a\nb"] {
            let bad = Checkpoint {
                origin: origin.to_owned(),
                ..checkpoint()
            };
            assert!(bad.sign(&pair).is_err(), "{origin:?}");
        }
    }
}
