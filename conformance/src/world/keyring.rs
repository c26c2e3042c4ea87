//! The key pairs of a scenario, and which credential each belongs to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Fault;
use super::names::at;
use crate::oracle::jose::Pair;

/// Every pair by its name; that of an issuer's making by the id of its credential.
#[derive(Debug, Default)]
pub struct Keyring {
    pairs: BTreeMap<String, Pair>,
    bound: BTreeMap<String, String>,
    signs: BTreeMap<String, String>,
}

impl Keyring {
    /// Keeps a pair under a name.
    pub fn keep(&mut self, name: &str, pair: Pair) {
        self.pairs.insert(name.to_owned(), pair);
    }

    /// Keeps the pair that a service account was delivered.
    pub fn deliver(&mut self, credential: &str, pair: Pair) {
        self.keep(credential, pair);
        self.signs
            .insert(credential.to_owned(), credential.to_owned());
    }

    /// Finds out which pairs a credential has to do with.
    pub fn adopt(&mut self, credential: &Value) {
        let text = |path: &str| at(credential, path).and_then(Value::as_str);
        let Some(id) = text("id") else {
            return;
        };
        let jkt = text("cnf.jkt");
        let public = at(credential, "public_jwk.x");
        for (name, pair) in &self.pairs {
            if jkt.is_some() && pair.thumbprint().ok().as_deref() == jkt {
                self.bound.insert(id.to_owned(), name.clone());
            }
            if public.is_some() && pair.jwk().get("x") == public {
                self.signs.insert(id.to_owned(), name.clone());
            }
        }
    }

    /// Whether the key of that credential is bound to a pair.
    #[must_use]
    pub fn is_bound(&self, credential: &str) -> bool {
        self.bound.contains_key(credential)
    }

    /// Whether that credential signs assertions.
    #[must_use]
    pub fn signs(&self, credential: &str) -> bool {
        self.signs.contains_key(credential)
    }

    /// The pair that a key is bound to; for a key that is not, any pair.
    ///
    /// # Errors
    /// Where there is none.
    pub fn binding(&self, credential: &str) -> Result<&Pair, Fault> {
        match self.bound.get(credential) {
            Some(name) => self.pairs.get(name),
            None => self.pairs.values().next(),
        }
        .ok_or_else(|| Fault::suite("there is no key pair"))
    }

    /// The pair that a credential signs its assertions with.
    ///
    /// # Errors
    /// Where there is none.
    pub fn signer(&self, credential: &str) -> Result<&Pair, Fault> {
        self.signs
            .get(credential)
            .and_then(|name| self.pairs.get(name))
            .ok_or_else(|| Fault::suite("that credential signs nothing"))
    }
}
