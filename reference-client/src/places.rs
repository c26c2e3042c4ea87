//! The places that this machine fills. What an issuer says about a place is not enough to
//! write a secret to it: only what `clp inject` was told here is ever written again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clp_schemas::ids::{CredentialId, InstallationId};
use serde::{Deserialize, Serialize};

use crate::error::LocalFault;
use crate::memory::Memory;

/// One line of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The issuer whose credential is there.
    pub(crate) issuer: String,
    /// The credential that is there, or was about to be.
    pub(crate) credential_id: CredentialId,
    /// The file, from the root.
    pub(crate) path: PathBuf,
    /// The variable.
    pub(crate) variable: String,
}

/// Every place, by the installation that it is declared as.
#[derive(Clone, Debug)]
pub(crate) struct Places(Memory);

impl Places {
    pub(crate) fn new(memory: Memory) -> Self {
        Self(memory)
    }

    pub(crate) fn all(&self) -> Result<BTreeMap<InstallationId, Place>, LocalFault> {
        Ok(self.0.read()?.unwrap_or_default())
    }

    pub(crate) fn get(&self, id: &InstallationId) -> Result<Option<Place>, LocalFault> {
        Ok(self.all()?.remove(id))
    }

    /// The installation that this line of this file is declared as.
    pub(crate) fn find(&self, wanted: &Place) -> Result<Option<InstallationId>, LocalFault> {
        let same = |place: &Place| {
            place.issuer == wanted.issuer
                && place.path == wanted.path
                && place.variable == wanted.variable
        };
        Ok(self
            .all()?
            .into_iter()
            .find(|(_, place)| same(place))
            .map(|(id, _)| id))
    }

    /// Forgets a place, if it is known.
    pub(crate) fn remove(&self, id: &InstallationId) -> Result<(), LocalFault> {
        self.0
            .change(|places: &mut BTreeMap<InstallationId, Place>| {
                places.remove(id);
            })
    }

    pub(crate) fn put(&self, id: &InstallationId, place: &Place) -> Result<(), LocalFault> {
        self.0
            .change(|places: &mut BTreeMap<InstallationId, Place>| {
                places.insert(id.clone(), place.clone());
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_file_is_one_place_whatever_credential_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(Memory::new(directory.path().join("places.json")));
        let place = |number: u8, variable: &str| Place {
            issuer: "https://api.example.com".to_owned(),
            credential_id: CredentialId::from_entropy([number; 16]),
            path: "/srv/app/.env".into(),
            variable: variable.to_owned(),
        };
        let id = InstallationId::from_entropy([1; 16]);
        places.put(&id, &place(1, "KEY")).unwrap();
        assert_eq!(places.find(&place(2, "KEY")).unwrap(), Some(id.clone()));
        assert_eq!(places.find(&place(1, "OTHER")).unwrap(), None);
        places.put(&id, &place(2, "KEY")).unwrap();
        assert_eq!(places.get(&id).unwrap(), Some(place(2, "KEY")));
        places.remove(&id).unwrap();
        assert_eq!(places.find(&place(2, "KEY")).unwrap(), None);
    }
}
