//! The places that this machine fills. What an issuer says about a place is not enough to
//! write a secret to it: only what `clp inject` was told here is ever written again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clp_schemas::ids::{CredentialId, InstallationId};
use serde::{Deserialize, Serialize};

use crate::error::LocalFault;
use crate::memory::Memory;
use crate::ops::rotate::record::Health;

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
    /// What was said of it, for issuers that keep no inventory.
    #[serde(default)]
    pub(crate) about: About,
}

/// What was said of a place when it was filled. Where the issuer keeps an inventory, that is
/// what counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What stops when this place does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) depends_on: Vec<String>,
    /// The longest time between two uses, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) use_interval_seconds: Option<u64>,
    /// What calls from there begin their `User-Agent` with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<String>,
    /// How it is seen to work, where a rotation is not told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Health>,
}

/// What the document holds: by issuer, and by the installation that a place is declared as.
/// An installation's id alone could be another issuer's.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Written")]
struct Known(BTreeMap<String, BTreeMap<InstallationId, Place>>);

/// This form of the document, and the one before it, in which the place alone names the issuer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    ByIssuer(BTreeMap<String, BTreeMap<InstallationId, Place>>),
    ById(BTreeMap<InstallationId, Place>),
}

impl From<Written> for Known {
    fn from(written: Written) -> Self {
        match written {
            Written::ByIssuer(known) => Self(known),
            Written::ById(places) => {
                let mut known = Self::default();
                for (id, place) in places {
                    known.insert(id, place);
                }
                known
            }
        }
    }
}

impl Known {
    fn insert(&mut self, id: InstallationId, place: Place) {
        let places = self.0.entry(place.issuer.clone()).or_default();
        places.insert(id, place);
    }
}

/// Every place.
#[derive(Clone, Debug)]
pub(crate) struct Places(Memory);

impl Places {
    pub(crate) fn new(memory: Memory) -> Self {
        Self(memory)
    }

    /// Every place with a credential of this issuer.
    pub(crate) fn of(&self, issuer: &str) -> Result<BTreeMap<InstallationId, Place>, LocalFault> {
        let known: Option<Known> = self.0.read()?;
        Ok(known
            .and_then(|mut known| known.0.remove(issuer))
            .unwrap_or_default())
    }

    pub(crate) fn get(
        &self,
        issuer: &str,
        id: &InstallationId,
    ) -> Result<Option<Place>, LocalFault> {
        Ok(self.of(issuer)?.remove(id))
    }

    /// The installation that this line of this file is declared as.
    pub(crate) fn find(&self, wanted: &Place) -> Result<Option<InstallationId>, LocalFault> {
        let same = |place: &Place| place.path == wanted.path && place.variable == wanted.variable;
        Ok(self
            .of(&wanted.issuer)?
            .into_iter()
            .find(|(_, place)| same(place))
            .map(|(id, _)| id))
    }

    /// Forgets a place, if it is known.
    pub(crate) fn remove(&self, issuer: &str, id: &InstallationId) -> Result<(), LocalFault> {
        self.0.change(|known: &mut Known| {
            if let Some(places) = known.0.get_mut(issuer) {
                places.remove(id);
            }
        })
    }

    pub(crate) fn put(&self, id: &InstallationId, place: &Place) -> Result<(), LocalFault> {
        self.0.change(|known: &mut Known| {
            // One line of one file is one place: what stood there before does not any more,
            // and a rotation of it must not write over what came after.
            for places in known.0.values_mut() {
                places.retain(|_, at| at.path != place.path || at.variable != place.variable);
            }
            known.insert(id.clone(), place.clone())
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
            about: About::default(),
        };
        let id = InstallationId::from_entropy([1; 16]);
        places.put(&id, &place(1, "KEY")).unwrap();
        assert_eq!(places.find(&place(2, "KEY")).unwrap(), Some(id.clone()));
        assert_eq!(places.find(&place(1, "OTHER")).unwrap(), None);
        places.put(&id, &place(2, "KEY")).unwrap();
        let issuer = "https://api.example.com";
        assert_eq!(places.get(issuer, &id).unwrap(), Some(place(2, "KEY")));
        // Another issuer's installation of the same id is another place.
        let other = Place {
            issuer: "https://other.example".to_owned(),
            ..place(3, "OTHER")
        };
        places.put(&id, &other).unwrap();
        assert_eq!(places.get(issuer, &id).unwrap(), Some(place(2, "KEY")));
        assert_eq!(places.get(&other.issuer, &id).unwrap(), Some(other));
        places.remove(issuer, &id).unwrap();
        assert_eq!(places.find(&place(2, "KEY")).unwrap(), None);
    }

    #[test]
    fn who_takes_a_line_over_is_the_only_one_there() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(Memory::new(directory.path().join("places.json")));
        let place = |issuer: &str, number: u8| Place {
            issuer: issuer.to_owned(),
            credential_id: CredentialId::from_entropy([number; 16]),
            path: "/srv/app/.env".into(),
            variable: "KEY".to_owned(),
            about: About::default(),
        };
        let (one, other) = ("https://api.example.com", "https://other.example");
        let (first, second, third) = (
            InstallationId::from_entropy([1; 16]),
            InstallationId::from_entropy([2; 16]),
            InstallationId::from_entropy([3; 16]),
        );
        places.put(&first, &place(one, 1)).unwrap();
        places.put(&second, &place(one, 2)).unwrap();
        assert_eq!(places.get(one, &first).unwrap(), None);
        assert_eq!(places.get(one, &second).unwrap(), Some(place(one, 2)));
        places.put(&third, &place(other, 3)).unwrap();
        assert_eq!(places.get(one, &second).unwrap(), None);
        assert_eq!(places.get(other, &third).unwrap(), Some(place(other, 3)));
    }

    #[test]
    fn the_older_form_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let memory = Memory::new(directory.path().join("places.json"));
        let place = Place {
            issuer: "https://api.example.com".to_owned(),
            credential_id: CredentialId::from_entropy([1; 16]),
            path: "/srv/app/.env".into(),
            variable: "KEY".to_owned(),
            about: About::default(),
        };
        let id = InstallationId::from_entropy([1; 16]);
        memory
            .write(&BTreeMap::from([(id.clone(), place.clone())]))
            .unwrap();
        let places = Places::new(memory);
        assert_eq!(places.get(&place.issuer, &id).unwrap(), Some(place));
    }
}
