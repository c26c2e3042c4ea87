//! Signed checkpoints, read a second time: C2SP signed-note and tlog-checkpoint with one
//! Ed25519 signature.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Unsound;
use super::digest::sha256;
use super::merkle::Hash;

/// A head of the log whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Checks a checkpoint against the raw public key, and reads it.
///
/// # Errors
/// Where the note is malformed or no signature under the origin's name verifies.
pub fn open(note: &str, public_key: &[u8]) -> Result<Head, Unsound> {
    let (text, signatures) = note
        .split_once("\n\n")
        .ok_or_else(|| Unsound::new("the note has no blank line"))?;
    let text = format!("{text}\n");
    let head = read(&text)?;
    if !note.ends_with('\n') {
        return Err(Unsound::new("the note does not end with a new line"));
    }
    let mut hashed = head.origin.clone().into_bytes();
    hashed.extend_from_slice(b"\n\x01");
    hashed.extend_from_slice(public_key);
    let key_hash = sha256(&hashed);
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    for line in signatures.lines() {
        let Some((name, signature)) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.split_once(' '))
        else {
            return Err(Unsound::new("a signature line is malformed"));
        };
        let bytes = STANDARD
            .decode(signature)
            .map_err(|_| Unsound::new("a signature is not base64"))?;
        let Some((id, signature)) = bytes.split_at_checked(4) else {
            return Err(Unsound::new("a signature is too short"));
        };
        if name == head.origin
            && key_hash.starts_with(id)
            && key.verify(text.as_bytes(), signature).is_ok()
        {
            return Ok(head);
        }
    }
    Err(Unsound::new("no signature of this log's key verifies"))
}

fn read(text: &str) -> Result<Head, Unsound> {
    let mut lines = text.lines();
    let (Some(origin), Some(size), Some(root), None) =
        (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(Unsound::new("a checkpoint has three lines"));
    };
    let number: u64 = size
        .parse()
        .map_err(|_| Unsound::new("the size is not a number"))?;
    if number.to_string() != size {
        return Err(Unsound::new("the size has another spelling"));
    }
    let root = STANDARD
        .decode(root)
        .ok()
        .and_then(|bytes| Hash::try_from(bytes).ok())
        .ok_or_else(|| Unsound::new("the root is not 32 bytes in base64"))?;
    Ok(Head {
        origin: origin.to_owned(),
        size: number,
        root,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    fn signed(text: &str, name: &str, pair: &Ed25519KeyPair) -> String {
        let public = pair.public_key().as_ref();
        let mut hashed = format!("{name}\n\x01").into_bytes();
        hashed.extend_from_slice(public);
        let mut bytes = sha256(&hashed)[..4].to_vec();
        bytes.extend_from_slice(pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(bytes))
    }

    #[test]
    fn a_sound_checkpoint_opens_and_planted_bugs_are_caught() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let other = Ed25519KeyPair::from_seed_unchecked(&[2; 32]).unwrap();
        let public = pair.public_key().as_ref();
        let text = format!("issuer.example/ten_1\n3\n{}\n", STANDARD.encode([7; 32]));
        let note = signed(&text, "issuer.example/ten_1", &pair);
        let head = open(&note, public).unwrap();
        assert_eq!((head.size, head.root), (3, [7; 32]));
        let planted = [
            // Signed by another key; another size, root or origin under the old signature;
            // signed under another name; no signature; a size in another spelling.
            signed(&text, "issuer.example/ten_1", &other),
            note.replacen("\n3\n", "\n4\n", 1),
            note.replacen("Bwc", "Bwd", 1),
            note.replacen("issuer", "others", 1),
            signed(&text, "issuer.example/ten_2", &pair),
            text.clone(),
            format!("{text}\n"),
            signed(
                &text.replacen("\n3\n", "\n03\n", 1),
                "issuer.example/ten_1",
                &pair,
            ),
            signed(&format!("{text}extension\n"), "issuer.example/ten_1", &pair),
        ];
        for wrong in planted {
            assert!(open(&wrong, public).is_err(), "{wrong}");
        }
    }
}
