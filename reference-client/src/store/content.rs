//! What the store's file holds once it is opened: a shelf for each issuer.

use std::collections::BTreeMap;

use clp_schemas::ids::CredentialId;
use clp_schemas::json;
use clp_schemas::ops::store::SecretText;
use serde::{Deserialize, Serialize};

use super::{Entry, MAX_BYTES};

const FORMAT: u32 = 2;

/// The whole of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Content {
    format: u32,
    /// By the issuer's identifier.
    issuers: BTreeMap<String, Shelf>,
}

/// What belongs to one issuer. Nothing that another issuer says reaches it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Shelf {
    pub(super) entries: BTreeMap<CredentialId, Entry>,
    /// Private JWKs by thumbprint: of bound keys, and of keys that no credential has yet.
    #[serde(default)]
    pub(super) pairs: BTreeMap<String, SecretText>,
}

/// The first format, which had one shelf for all.
#[derive(Deserialize)]
struct First {
    entries: BTreeMap<CredentialId, Entry>,
    #[serde(default)]
    pairs: BTreeMap<String, SecretText>,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            format: FORMAT,
            issuers: BTreeMap::new(),
        }
    }
}

impl Content {
    /// Reads this format, and the one before it; otherwise says what is wrong.
    pub(super) fn parse(plain: &[u8]) -> Result<Self, &'static str> {
        const BROKEN: &str = "does not hold a store";
        let limits = json::Limits {
            bytes: MAX_BYTES,
            depth: 8,
        };
        let value = json::parse(plain, limits).map_err(|_| BROKEN)?;
        let version = Version::deserialize(&value).map_err(|_| BROKEN)?;
        match version.format {
            1 => serde_json::from_value(value)
                .map_err(|_| BROKEN)
                .and_then(Self::migrate),
            FORMAT => serde_json::from_value(value).map_err(|_| BROKEN),
            _ => Err("is of another version of this program"),
        }
    }

    /// Every entry says whose it is, and a key pair goes with the entries that name it. One
    /// that no entry names yet goes to the only issuer there is.
    fn migrate(old: First) -> Result<Self, &'static str> {
        let mut content = Self::default();
        let mut pairs = old.pairs;
        let mut named = Vec::new();
        for (id, entry) in old.entries {
            let shelf = content.issuers.entry(entry.issuer.clone()).or_default();
            if let Some(jkt) = &entry.jkt
                && let Some(private) = pairs.get(jkt)
            {
                shelf.pairs.insert(jkt.clone(), private.clone());
                named.push(jkt.clone());
            }
            shelf.entries.insert(id, entry);
        }
        pairs.retain(|thumbprint, _| !named.contains(thumbprint));
        let mut shelves = content.issuers.values_mut();
        match (pairs.is_empty(), shelves.next(), shelves.next()) {
            (true, _, _) => {}
            (false, Some(only), None) => only.pairs.append(&mut pairs),
            (false, _, _) => {
                return Err(
                    "is of an older version of this program, and has the key pair of a create \
                     that is not finished: finish it with that version",
                );
            }
        }
        Ok(content)
    }

    pub(super) fn shelf_mut(&mut self, issuer: &str) -> &mut Shelf {
        self.issuers.entry(issuer.to_owned()).or_default()
    }

    pub(super) fn take_shelf(mut self, issuer: &str) -> Option<Shelf> {
        self.issuers.remove(issuer)
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        let shelves = self.issuers.into_values();
        shelves.flat_map(|shelf| shelf.entries.into_values())
    }

    /// How many secrets there are.
    pub(super) fn len(&self) -> usize {
        let shelves = self.issuers.values();
        shelves
            .map(|shelf| shelf.entries.len() + shelf.pairs.len())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn id(number: u8) -> CredentialId {
        CredentialId::from_entropy([number; 16])
    }

    fn entry(number: u8, issuer: &str, jkt: Option<&str>) -> (String, Value) {
        let mut value = json!({"credential_id": id(number), "issuer": issuer, "type": "api_key", "key_id": "k",
            "project": "atlas", "environment": "staging", "purpose": "x", "stored_at": "2026-11-24T19:39:13Z",
            "secret": "not-a-real-key"});
        if let Some(jkt) = jkt {
            value["jkt"] = json!(jkt);
        }
        (id(number).to_string(), value)
    }

    fn old(entries: &[(String, Value)], pairs: &Value) -> Result<Content, &'static str> {
        let entries: BTreeMap<_, _> = entries.iter().cloned().collect();
        let text = json!({"format": 1, "entries": entries, "pairs": pairs}).to_string();
        Content::parse(text.as_bytes())
    }

    #[test]
    fn an_old_store_is_put_on_shelves() {
        let (a, b) = ("https://a.example", "https://b.example");
        let entries = [entry(1, a, Some("bound")), entry(2, b, None)];
        let content = old(&entries, &json!({"bound": "private"})).unwrap();
        let first = content.issuers.get(a).unwrap();
        assert!(first.entries.contains_key(&id(1)) && first.pairs.contains_key("bound"));
        let second = content.issuers.get(b).unwrap();
        assert!(second.entries.contains_key(&id(2)) && second.pairs.is_empty());
        let text = serde_json::to_vec(&content).unwrap();
        assert_eq!(Content::parse(&text).unwrap().len(), 3);
    }

    #[test]
    fn a_pair_that_could_be_of_two_issuers_is_given_to_neither() {
        let (a, b) = ("https://a.example", "https://b.example");
        let loose = json!({"loose": "private"});
        let one = old(&[entry(1, a, None)], &loose).unwrap();
        assert!(one.issuers.get(a).unwrap().pairs.contains_key("loose"));
        assert!(old(&[entry(1, a, None), entry(2, b, None)], &loose).is_err());
        assert!(old(&[], &loose).is_err());
        assert!(old(&[], &json!({})).is_ok());
    }

    #[test]
    fn other_formats_are_refused() {
        for text in [
            "{}",
            "[]",
            r#"{"format":3,"issuers":{}}"#,
            r#"{"format":2}"#,
        ] {
            assert!(Content::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
