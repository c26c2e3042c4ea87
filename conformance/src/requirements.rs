//! What the spec demands, by id, as extracted from its chapters; and which of it the frozen
//! list of a revision counts.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::record::RequirementRef;

/// The revision that this suite judges by.
pub const REVISION: &str = "1.0";

const EXTRACTED: &str = include_str!("../../spec/requirements.json");
const FROZEN: &str = include_str!("../requirements/1.0.toml");

/// One demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Such as `CLP-CRE-004`.
    pub id: String,
    /// `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT` or `MAY`.
    pub keyword: String,
    /// Who has to: `issuer`, `client`, `verifier` or `resource`.
    pub actor: String,
    /// The class or profile.
    pub class: String,
    /// Chapter file and heading, such as `13-create.md#from-a-request`.
    pub section: String,
    /// The sentence, in Markdown.
    pub text: String,
}

impl Requirement {
    /// The chapter's file name.
    #[must_use]
    pub fn chapter(&self) -> &str {
        self.section.split('#').next().unwrap_or_default()
    }
}

/// The generated file `spec/requirements.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// Version of the protocol.
    pub protocol: String,
    /// Every requirement, by id.
    pub requirements: Vec<Requirement>,
}

/// The frozen list of one revision, `conformance/requirements/1.0.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// Which revision.
    pub revision: String,
    /// The ids that count for it.
    pub requirements: Vec<String>,
    /// Ids that no suite can test from outside, and why.
    pub excluded: BTreeMap<String, String>,
    /// Ids that have a scenario and that no saboteur breaks, and why.
    #[serde(rename = "without-saboteur", default)]
    pub without_saboteur: BTreeMap<String, String>,
}

/// Both together, by id.
#[derive(Clone, Debug)]
pub struct Registry {
    by_id: HashMap<String, Requirement>,
    order: Vec<String>,
    frozen: Frozen,
}

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryFault {
    /// The extract cannot be read.
    #[error("`spec/requirements.json` is malformed: {0}; run `cargo gen`")]
    Extract(#[from] serde_json::Error),
    /// The frozen list cannot be read.
    #[error("the list of requirements of revision {REVISION} is malformed: {0}")]
    Frozen(#[from] toml::de::Error),
}

impl Registry {
    /// The one that this binary was built with.
    ///
    /// # Errors
    /// Where a file was malformed at build time.
    pub fn embedded() -> Result<Self, RegistryFault> {
        let extract: Extract = serde_json::from_str(EXTRACTED)?;
        Ok(Self::new(extract, toml::from_str(FROZEN)?))
    }

    /// Out of its two parts.
    #[must_use]
    pub fn new(extract: Extract, frozen: Frozen) -> Self {
        let order = extract
            .requirements
            .iter()
            .map(|one| one.id.clone())
            .collect();
        let by_id = extract
            .requirements
            .into_iter()
            .map(|one| (one.id.clone(), one))
            .collect();
        Self {
            by_id,
            order,
            frozen,
        }
    }

    /// A requirement.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id)
    }

    /// Every requirement, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }

    /// Whether the frozen list counts it.
    #[must_use]
    pub fn counts(&self, id: &str) -> bool {
        self.frozen.requirements.iter().any(|listed| listed == id)
    }

    /// Why it is not tested, where it cannot be.
    #[must_use]
    pub fn exclusion(&self, id: &str) -> Option<&str> {
        self.frozen.excluded.get(id).map(String::as_str)
    }

    /// What no saboteur breaks though a scenario is about it, and why.
    pub fn without_saboteur(&self) -> impl Iterator<Item = (&str, &str)> {
        let listed = self.frozen.without_saboteur.iter();
        listed.map(|(id, reason)| (id.as_str(), reason.as_str()))
    }

    /// As reports quote it.
    #[must_use]
    pub fn quote(&self, id: &str) -> RequirementRef {
        let found = self.find(id);
        RequirementRef {
            id: id.to_owned(),
            sentence: found.map(|one| one.text.clone()).unwrap_or_default(),
            chapter: found
                .map(|one| one.chapter().to_owned())
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::reference::saboteurs;

    #[test]
    fn what_no_saboteur_breaks_says_why_and_is_broken_by_none() {
        let registry = Registry::embedded().unwrap();
        for (id, reason) in registry.without_saboteur() {
            assert!(registry.counts(id), "{id}");
            assert!(!reason.is_empty(), "{id}");
            let breaks = saboteurs().into_iter().any(|one| one.requirement == id);
            assert!(!breaks, "{id}");
        }
    }
}
