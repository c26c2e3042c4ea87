//! The issuers that this user has to do with, and where the token for each is. What spans
//! several of them, such as a project, cannot be asked after with one issuer and one token in
//! the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::LocalFault;
use crate::memory::Memory;

/// Most issuers that are remembered.
pub(crate) const MOST: usize = 1000;

/// What is remembered of one: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    /// A private file that holds the bearer token, from the root.
    pub(crate) token_file: PathBuf,
}

/// All of them, by identifier.
#[derive(Clone, Debug)]
pub(crate) struct Issuers(Memory);

impl Issuers {
    pub(crate) fn new(memory: Memory) -> Self {
        Self(memory)
    }

    /// Every one, by identifier.
    pub(crate) fn all(&self) -> Result<BTreeMap<String, Named>, LocalFault> {
        Ok(self.0.read()?.unwrap_or_default())
    }

    /// Remembers one, in place of what was remembered of it. False if there are too many.
    pub(crate) fn put(&self, id: &str, named: Named) -> Result<bool, LocalFault> {
        let mut room = false;
        self.0.change(|all: &mut BTreeMap<String, Named>| {
            room = all.len() < MOST || all.contains_key(id);
            if room {
                all.insert(id.to_owned(), named);
            }
        })?;
        Ok(room)
    }

    /// Forgets one. False if it was not there.
    pub(crate) fn remove(&self, id: &str) -> Result<bool, LocalFault> {
        let mut found = false;
        self.0
            .change(|all: &mut BTreeMap<String, Named>| found = all.remove(id).is_some())?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_remembered_until_it_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let issuers = Issuers::new(Memory::new(directory.path().join("issuers.json")));
        let named = Named {
            token_file: "/srv/token".into(),
        };
        let id = "https://api.example.com";
        assert!(issuers.put(id, named.clone()).unwrap());
        assert_eq!(issuers.all().unwrap().get(id), Some(&named));
        assert!(issuers.remove(id).unwrap());
        assert!(!issuers.remove(id).unwrap());
        assert!(issuers.all().unwrap().is_empty());
    }
}
