//! What is kept of a rotation under way: written down before each step is taken, so that a
//! run that dies is gone on with (`clp rotate --resume`) or given up (`--rollback`).

use std::path::{Path, PathBuf};

use clp_schemas::canonical;
use clp_schemas::ids::{CredentialId, InstallationId, RotationId};
use clp_schemas::ops::rotate::RotationReason;
use clp_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::LocalFault;
use crate::memory::Memory;

/// The step that was about to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The predecessor is revoked first, because it is compromised.
    RevokeFirst,
    /// The successor's secret goes into the store.
    Store,
    /// The successor goes to the places.
    Place,
    /// The places are seen to work.
    Check,
    /// The rotation is advanced, and waited for.
    Drain,
    /// The predecessor goes.
    Complete,
    /// The places get the predecessor back.
    RollBack,
}

/// One rotation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) rotation_id: RotationId,
    pub(crate) issuer: String,
    pub(crate) predecessor: CredentialId,
    pub(crate) successor: CredentialId,
    /// Whether the predecessor is compromised.
    pub(crate) compromised: bool,
    /// Why it is replaced, where that was written down.
    #[serde(default)]
    pub(crate) reason: Option<RotationReason>,
    pub(crate) step: Step,
    /// The places that were, or were about to be, given the successor.
    pub(crate) moved: Vec<InstallationId>,
    /// Whether the last health check failed.
    pub(crate) unhealthy: bool,
    /// How health is checked.
    pub(crate) health: Option<Health>,
    /// Whether the issuer keeps a record of the rotation too; without one, what it is at is
    /// seen by its two credentials.
    #[serde(default = "yes")]
    pub(crate) managed: bool,
    /// Whether a person has said that no place uses it.
    #[serde(default)]
    pub(crate) no_places: bool,
    /// How long the old one is kept after that at least, in seconds, where the issuer has no
    /// gates.
    #[serde(default)]
    pub(crate) kept_seconds: u64,
    /// When the last place got the successor.
    #[serde(default)]
    pub(crate) placed_at: Option<Timestamp>,
}

fn yes() -> bool {
    true
}

/// How health is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Health {
    /// By a GET of this URL.
    Url(url::Url),
    /// By this command line, for the shell.
    Command(String),
}

impl Health {
    /// What was asked for: a command, or else a URL.
    pub(crate) fn asked(url: Option<&url::Url>, command: Option<&str>) -> Option<Self> {
        let command = command.map(|line| Self::Command(line.to_owned()));
        command.or_else(|| url.cloned().map(Self::Url))
    }
}

/// The directory of the records of one issuer: another one may give the same ids.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    directory: PathBuf,
}

impl Records {
    /// The records of this issuer below `root`. An identifier has slashes in it; its hash has
    /// none.
    pub(crate) fn new(root: &Path, issuer: &str) -> Self {
        let name = canonical::to_base64url(&canonical::sha256(issuer.as_bytes()));
        Self {
            directory: root.join(name),
        }
    }

    fn memory(&self, id: &RotationId) -> Memory {
        Memory::new(self.directory.join(format!("{id}.json")))
    }

    pub(crate) fn read(&self, id: &RotationId) -> Result<Option<Record>, LocalFault> {
        self.memory(id).read()
    }

    pub(crate) fn write(&self, record: &Record) -> Result<(), LocalFault> {
        self.memory(&record.rotation_id).write(record)
    }

    pub(crate) fn forget(&self, id: &RotationId) -> Result<(), LocalFault> {
        let memory = self.memory(id);
        match memory.read::<Record>()? {
            Some(_) => memory.forget(),
            None => Ok(()),
        }
    }

    /// Every rotation that is under way from here.
    pub(crate) fn all(&self) -> Result<Vec<Record>, LocalFault> {
        let listed = match std::fs::read_dir(&self.directory) {
            Ok(listed) => listed,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(LocalFault::file("read", &self.directory)(fault)),
        };
        let mut all = Vec::new();
        for found in listed {
            let found = found.map_err(LocalFault::file("read", &self.directory))?;
            let name = found.file_name();
            let id = name
                .to_str()
                .and_then(|name| name.strip_suffix(".json"))
                .and_then(|name| name.parse::<RotationId>().ok());
            all.extend(id.map(|id| self.read(&id)).transpose()?.flatten());
        }
        Ok(all)
    }

    /// The one that replaces this credential.
    pub(crate) fn of(&self, predecessor: &CredentialId) -> Result<Option<Record>, LocalFault> {
        let mut all = self.all()?.into_iter();
        Ok(all.find(|record| record.predecessor == *predecessor))
    }

    /// Whether a health check has failed in a rotation of this credential (CLP-ROT-034).
    pub(crate) fn is_unhealthy(&self, predecessor: &CredentialId) -> Result<bool, LocalFault> {
        let failed = |record: &Record| record.unhealthy && !record.compromised;
        let mut all = self.all()?.into_iter();
        Ok(all.any(|record| record.predecessor == *predecessor && failed(&record)))
    }
}
