//! One entry of the log: a leaf that commits to each member by a salted hash, and the
//! members themselves, which may be taken away later without the tree noticing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical::{self, CanonicalFault};
use crate::json;
use crate::time::Timestamp;

/// The version of the leaf format, the leaf's member `v`.
pub const LEAF_VERSION: u64 = 1;
/// Bytes of a salt that [`seal`] uses; a reader accepts up to [`MAX_SALT_BYTES`].
pub const SALT_BYTES: usize = 16;
/// Longest salt a reader accepts, in bytes.
pub const MAX_SALT_BYTES: usize = 64;
/// Most members of an entry.
pub const MAX_MEMBERS: usize = 64;
/// Longest leaf, in bytes.
pub const MAX_LEAF_BYTES: usize = 16 * 1024;

/// A member of an entry that is not redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// At least 128 random bits as base64url. Without it a value from a small set could be
    /// guessed from its hash after redaction.
    #[schemars(length(min = 22, max = 86), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub salt: String,
    /// The value. Holds no `null`, and never a secret.
    pub value: Value,
}

/// What an entry says, once it is checked against its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Place in the log, from 0.
    pub index: u64,
    /// When it happened, by the issuer's clock.
    pub time: Timestamp,
    /// What happened, such as `credential.created`.
    pub event: String,
    /// The members that are disclosed.
    pub values: BTreeMap<String, Value>,
    /// The names of those that are redacted.
    pub redacted: Vec<String>,
}

/// Why an entry cannot be built, or does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafFault {
    /// The leaf is not strict JSON, or too large.
    #[error("the leaf cannot be read: {0}")]
    Unreadable(json::Fault),
    /// The leaf lacks a member, has one too many, or one of another type.
    #[error("the leaf is malformed")]
    Form,
    /// The leaf is of another version.
    #[error("the leaf is of another version")]
    Version,
    /// The leaf is not in canonical form, so that others would hash other bytes.
    #[error("the leaf is not in canonical form")]
    NotCanonical,
    /// A member is disclosed that the leaf does not commit to.
    #[error("a disclosed member is not in the leaf")]
    UnknownMember,
    /// A salt is not 16 to 64 bytes in base64url.
    #[error("a salt is malformed")]
    Salt,
    /// A disclosed value or salt does not fit its hash.
    #[error("a disclosed member does not fit its hash")]
    Mismatch,
    /// A value has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalFault),
}

/// The leaf as it is hashed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaf {
    v: u64,
    index: u64,
    time: Timestamp,
    event: String,
    members: BTreeMap<String, String>,
}

impl Leaf {
    fn check_form(&self) -> Result<(), LeafFault> {
        if self.v != LEAF_VERSION {
            return Err(LeafFault::Version);
        }
        let is_hash = |text: &String| {
            text.len() == 43 && canonical::from_base64url(text).is_ok_and(|hash| hash.len() == 32)
        };
        let fits = is_event_name(&self.event)
            && self.members.len() <= MAX_MEMBERS
            && self.members.keys().all(|name| is_word(name))
            && self.members.values().all(is_hash);
        if fits { Ok(()) } else { Err(LeafFault::Form) }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, LeafFault> {
        let value = serde_json::to_value(self).map_err(|_| CanonicalFault::Unwritable)?;
        Ok(canonical::to_bytes(&value)?)
    }
}

/// Builds the leaf and what goes beside it. `salt` is called once for each member, in
/// order of the names, and has to answer fresh random bytes.
///
/// # Errors
/// [`LeafFault::Form`] for a malformed name or too many members, [`LeafFault::Canonical`]
/// for a value with a `null` or an integer beyond 2^53 in it.
pub fn seal(
    index: u64,
    time: Timestamp,
    event: &str,
    values: BTreeMap<String, Value>,
    mut salt: impl FnMut() -> [u8; SALT_BYTES],
) -> Result<(Vec<u8>, BTreeMap<String, Disclosed>), LeafFault> {
    let mut members = BTreeMap::new();
    let mut disclosed = BTreeMap::new();
    for (name, value) in values {
        let salt = canonical::to_base64url(&salt());
        members.insert(name.clone(), member_hash(&salt, &name, &value)?);
        disclosed.insert(name, Disclosed { salt, value });
    }
    let leaf = Leaf {
        v: LEAF_VERSION,
        index,
        time,
        event: event.to_owned(),
        members,
    };
    leaf.check_form()?;
    Ok((leaf.to_bytes()?, disclosed))
}

/// Checks the exact bytes of a leaf and every member disclosed beside it.
///
/// # Errors
/// [`LeafFault`], the first found. A redacted member is no fault.
pub fn check(leaf: &[u8], disclosed: &BTreeMap<String, Disclosed>) -> Result<Entry, LeafFault> {
    let limits = json::Limits {
        bytes: MAX_LEAF_BYTES,
        depth: 2,
    };
    let value = json::parse(leaf, limits).map_err(LeafFault::Unreadable)?;
    let read: Leaf = serde_json::from_value(value).map_err(|_| LeafFault::Form)?;
    read.check_form()?;
    if read.to_bytes()? != leaf {
        return Err(LeafFault::NotCanonical);
    }
    let mut values = BTreeMap::new();
    for (name, Disclosed { salt, value }) in disclosed {
        let committed = read.members.get(name).ok_or(LeafFault::UnknownMember)?;
        let bytes = canonical::from_base64url(salt).map_err(|_| LeafFault::Salt)?;
        if !(SALT_BYTES..=MAX_SALT_BYTES).contains(&bytes.len()) {
            return Err(LeafFault::Salt);
        }
        if member_hash(salt, name, value)? != *committed {
            return Err(LeafFault::Mismatch);
        }
        values.insert(name.clone(), value.clone());
    }
    let redacted = read
        .members
        .into_keys()
        .filter(|name| !disclosed.contains_key(name))
        .collect();
    Ok(Entry {
        index: read.index,
        time: read.time,
        event: read.event,
        values,
        redacted,
    })
}

/// base64url(SHA-256(JCS([salt, name, value]))).
fn member_hash(salt: &str, name: &str, value: &Value) -> Result<String, CanonicalFault> {
    let bytes = canonical::to_bytes_without_null(&json!([salt, name, value]))?;
    Ok(canonical::to_base64url(&canonical::sha256(&bytes)))
}

/// Whether `text` is a name of an event: two words joined by a full stop.
#[must_use]
pub fn is_event_name(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(subject, what)| is_word(subject) && is_word(what))
}

/// A lower-case letter, then at most 63 lower-case letters, digits and underscores.
fn is_word(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members() -> BTreeMap<String, Value> {
        let Value::Object(members) = json!({
            "actor": "prin_0123456789abcdefghij",
            "reason": "compromise",
            "uses": 7,
        }) else {
            unreachable!()
        };
        members.into_iter().collect()
    }

    fn sealed() -> (Vec<u8>, BTreeMap<String, Disclosed>) {
        let time = "2026-11-24T19:39:13Z".parse().unwrap();
        let mut next = 0;
        let salt = || {
            next += 1;
            [next; SALT_BYTES]
        };
        seal(3, time, "credential.revoked", members(), salt).unwrap()
    }

    #[test]
    fn what_was_sealed_is_read_back() {
        let (leaf, disclosed) = sealed();
        let entry = check(&leaf, &disclosed).unwrap();
        assert_eq!(
            (entry.index, entry.event.as_str()),
            (3, "credential.revoked")
        );
        assert_eq!(entry.values, members());
        assert!(entry.redacted.is_empty());
        let salts: std::collections::BTreeSet<_> =
            disclosed.values().map(|member| &member.salt).collect();
        assert_eq!(salts.len(), 3);
    }

    #[test]
    fn redaction_leaves_the_rest_standing() {
        let (leaf, mut disclosed) = sealed();
        disclosed.remove("actor");
        let entry = check(&leaf, &disclosed).unwrap();
        assert_eq!(entry.redacted, ["actor"]);
        assert_eq!(entry.values.len(), 2);
    }

    #[test]
    fn a_member_that_was_changed_moved_or_added_is_refused() {
        let (leaf, disclosed) = sealed();
        let tampered = |change: &dyn Fn(&mut BTreeMap<String, Disclosed>)| {
            let mut copy = disclosed.clone();
            change(&mut copy);
            check(&leaf, &copy).unwrap_err()
        };
        assert_eq!(
            tampered(&|all| all.get_mut("uses").unwrap().value = json!(8)),
            LeafFault::Mismatch
        );
        assert_eq!(
            tampered(&|all| {
                let actor = all["actor"].clone();
                all.insert("reason".to_owned(), actor);
            }),
            LeafFault::Mismatch
        );
        assert_eq!(
            tampered(&|all| {
                let actor = all["actor"].clone();
                all.insert("approver".to_owned(), actor);
            }),
            LeafFault::UnknownMember
        );
        for salt in ["", "AAAA", "AQEBAQEBAQEBAQEBAQEBAR", &"A".repeat(88)] {
            let fault = tampered(&|all| all.get_mut("uses").unwrap().salt = salt.to_owned());
            assert_eq!(fault, LeafFault::Salt, "{salt:?}");
        }
        assert_eq!(
            tampered(&|all| all.get_mut("uses").unwrap().value = Value::Null),
            LeafFault::Canonical(CanonicalFault::Null)
        );
    }

    #[test]
    fn other_spellings_of_the_same_leaf_are_refused() {
        let (leaf, disclosed) = sealed();
        let text = String::from_utf8(leaf).unwrap();
        let refused = |text: &str| check(text.as_bytes(), &disclosed).unwrap_err();
        assert_eq!(refused(&format!(" {text}")), LeafFault::NotCanonical);
        assert_eq!(
            refused(&text.replace("\"v\":1", "\"v\": 1")),
            LeafFault::NotCanonical
        );
        assert_eq!(refused(&text.replace("13Z", "13.0Z")), LeafFault::Form);
        assert_eq!(
            refused(&text.replace("revoked", "r\\u0065voked")),
            LeafFault::NotCanonical
        );
        assert_eq!(
            refused(&text.replace("\"v\":1", "\"v\":2")),
            LeafFault::Version
        );
        assert_eq!(
            refused(&text.replace("\"v\":1", "\"v\":1,\"w\":1")),
            LeafFault::Form
        );
        assert_eq!(
            refused(&text.replace("credential.", "credential")),
            LeafFault::Form
        );
    }

    #[test]
    fn what_cannot_be_sealed_is_refused() {
        let time = Timestamp::from_unix(0);
        let one = |name: &str, value: Value| {
            let values = BTreeMap::from([(name.to_owned(), value)]);
            seal(0, time, "audit.read", values, || [0; SALT_BYTES]).map(|_| ())
        };
        assert_eq!(one("actor", json!("x")), Ok(()));
        assert_eq!(one("Actor", json!("x")), Err(LeafFault::Form));
        assert_eq!(
            one("actor", json!([null])),
            Err(CanonicalFault::Null.into())
        );
        let many: BTreeMap<_, _> = (0..=MAX_MEMBERS)
            .map(|number| (format!("m{number}"), json!(1)))
            .collect();
        let sealed = seal(0, time, "audit.read", many, || [0; SALT_BYTES]);
        assert_eq!(sealed.unwrap_err(), LeafFault::Form);
    }

    proptest! {
        #[test]
        fn every_changed_byte_is_noticed(place: prop::sample::Index, flip in 1..=255_u8) {
            let (mut leaf, disclosed) = sealed();
            let sound = check(&leaf, &disclosed).unwrap();
            let at = place.index(leaf.len());
            leaf[at] ^= flip;
            // The index, the time and the event are bound by the tree, not by the members.
            if let Ok(entry) = check(&leaf, &disclosed) {
                prop_assert_ne!(entry, sound);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..128)) {
            let _ = check(&bytes, &BTreeMap::new());
        }
    }
}
