//! Entries of the audit log, read a second time: the exact bytes of a leaf, and the salted
//! hash behind each member (spec chapter 20).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Unsound;
use super::digest::{base64url, canonical, from_base64url, sha256};
use super::merkle::{self, Hash};

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place.
    pub index: u64,
    /// What happened.
    pub event: String,
    /// When.
    pub time: String,
    /// The members that are not redacted.
    pub members: BTreeMap<String, Value>,
    /// The hash of the leaf.
    pub hash: Hash,
}

fn text(value: &Value, name: &str) -> Result<String, Unsound> {
    value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Unsound::new(format!("`{name}` is missing")))
}

/// The leaf of an entry, and its bytes.
///
/// # Errors
/// Where it is not canonical, or of another index than the entry.
pub fn leaf(entry: &Value) -> Result<(Value, Vec<u8>), Unsound> {
    let bytes = STANDARD
        .decode(text(entry, "leaf")?)
        .map_err(|_| Unsound::new("the leaf is not base64"))?;
    let leaf: Value =
        serde_json::from_slice(&bytes).map_err(|_| Unsound::new("the leaf is not JSON"))?;
    let form = canonical(&leaf)?;
    if form != bytes {
        return Err(Unsound::new(format!(
            "a leaf that is not in canonical form: {}, which is {}",
            String::from_utf8_lossy(&bytes),
            String::from_utf8_lossy(&form)
        )));
    }
    let index = leaf
        .get("index")
        .and_then(Value::as_u64)
        .ok_or_else(|| Unsound::new("the leaf has no index"))?;
    if entry.get("index").and_then(Value::as_u64) != Some(index) {
        return Err(Unsound::new("entry and leaf have different indexes"));
    }
    Ok((leaf, bytes))
}

/// Checks one entry as it stands in an answer.
///
/// # Errors
/// Where the leaf is not one, or a disclosed member is not the one it commits to.
pub fn read(entry: &Value) -> Result<Entry, Unsound> {
    let (leaf, bytes) = self::leaf(entry)?;
    let mut members = BTreeMap::new();
    for (name, member) in entry
        .get("disclosed")
        .and_then(Value::as_object)
        .ok_or_else(|| Unsound::new("`disclosed` is missing"))?
    {
        let salt = text(member, "salt")?;
        if from_base64url(&salt)?.len() < 16 {
            return Err(Unsound::new("a salt has fewer than 128 bits"));
        }
        let value = member.get("value").cloned().unwrap_or(Value::Null);
        let hash = base64url(&sha256(&canonical(&json!([salt, name, value]))?));
        let committed = leaf.get("members").and_then(|all| all.get(name));
        if committed.and_then(Value::as_str) != Some(hash.as_str()) {
            return Err(Unsound::new(format!(
                "the leaf does not commit to `{name}`"
            )));
        }
        members.insert(name.clone(), value);
    }
    Ok(Entry {
        index: leaf
            .get("index")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
        event: text(&leaf, "event")?,
        time: text(&leaf, "time")?,
        members,
        hash: merkle::leaf(&bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Value {
        let salt = base64url(&[5; 16]);
        let hash = base64url(&sha256(
            &canonical(&json!([salt, "actor", "prin_1"])).unwrap(),
        ));
        let leaf = json!({"v": 1, "index": 4, "time": "2026-01-01T00:00:00Z",
                          "event": "audit.read", "members": {"actor": hash}});
        json!({"index": 4, "leaf": STANDARD.encode(canonical(&leaf).unwrap()),
               "disclosed": {"actor": {"salt": salt, "value": "prin_1"}}})
    }

    #[test]
    fn a_sound_entry_is_read_and_planted_bugs_are_caught() {
        let entry = read(&sound()).unwrap();
        assert_eq!(entry.event, "audit.read");
        assert_eq!(entry.members["actor"], json!("prin_1"));

        let mut redacted = sound();
        redacted["disclosed"] = json!({});
        assert!(read(&redacted).unwrap().members.is_empty());

        let planted: [fn(&mut Value); 5] = [
            |entry| entry["disclosed"]["actor"]["value"] = json!("prin_2"),
            |entry| entry["disclosed"]["actor"]["salt"] = json!(base64url(&[6; 16])),
            |entry| entry["disclosed"]["other"] = entry["disclosed"]["actor"].clone(),
            |entry| entry["index"] = json!(5),
            |entry| {
                let leaf = STANDARD.decode(entry["leaf"].as_str().unwrap()).unwrap();
                let spaced = String::from_utf8(leaf)
                    .unwrap()
                    .replace("\"v\":1", "\"v\": 1");
                entry["leaf"] = json!(STANDARD.encode(spaced));
            },
        ];
        for plant in planted {
            let mut wrong = sound();
            plant(&mut wrong);
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }
}
