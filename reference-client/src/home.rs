//! Where `clp` keeps what it has to remember between runs: one private directory.

use std::path::PathBuf;

use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::canonical;

use crate::error::{Error, LocalFault};
use crate::issuer::IssuerId;
use crate::issuers::Issuers;
use crate::journal::Journal;
use crate::memory::Memory;
use crate::ops::rotate::record::Records;
use crate::places::Places;
use crate::private;
use crate::store::Store;
use crate::versions::Versions;

/// Largest checkpoint that is kept, in bytes.
const CHECKPOINT_BYTES: u64 = 64 * 1024;

/// The directory, and the places in it.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// `CLP_HOME`, or `.clp` in the user's home directory.
    pub(crate) fn from_env() -> Result<Self, Error> {
        let root = match std::env::var_os("CLP_HOME") {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => std::env::home_dir()
                .ok_or_else(|| Error::usage("there is no home directory: set CLP_HOME"))?
                .join(".clp"),
        };
        Ok(Self { root })
    }

    /// The store: `CLP_STORE`, or `store` here; its key: `CLP_STORE_KEY_FILE`, or beside it.
    pub(crate) fn store(&self) -> Store {
        let path = match std::env::var_os("CLP_STORE") {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => self.root.join("store"),
        };
        let key = match std::env::var_os("CLP_STORE_KEY_FILE") {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => {
                let mut beside = path.clone().into_os_string();
                beside.push(".key");
                PathBuf::from(beside)
            }
        };
        Store::new(path, key)
    }

    /// Waits until no other run holds this name; dropping the file lets it go.
    pub(crate) fn lock(&self, name: &str) -> Result<std::fs::File, LocalFault> {
        private::lock(&self.lock_path(name)?)
    }

    /// The same without waiting: `None` where another run holds it.
    pub(crate) fn try_lock(&self, name: &str) -> Result<Option<std::fs::File>, LocalFault> {
        private::try_lock(&self.lock_path(name)?)
    }

    fn lock_path(&self, name: &str) -> Result<PathBuf, LocalFault> {
        let directory = self.root.join("locks");
        private::create_dir(&directory)?;
        Ok(directory.join(hashed(name)))
    }

    /// The issuers that were named here, and where the token for each is.
    pub(crate) fn issuers(&self) -> Issuers {
        Issuers::new(Memory::new(self.root.join("issuers.json")))
    }

    /// How far the rotation of a whole project came.
    pub(crate) fn project_run(&self, project: &str) -> Memory {
        let name = hashed(project);
        Memory::new(self.root.join("projects").join(format!("{name}.json")))
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::new(self.root.join("journal"))
    }

    /// The places that this machine fills.
    pub(crate) fn places(&self) -> Places {
        Places::new(Memory::new(self.root.join("places.json")))
    }

    /// The stores that were registered from here, by issuer, project and environment.
    pub(crate) fn registered(&self) -> Memory {
        Memory::new(self.root.join("stores.json"))
    }

    /// Where the records of the rotations at an issuer are.
    pub(crate) fn rotations(&self, issuer: &IssuerId) -> Records {
        Records::new(&self.root.join("rotations"), issuer.as_str())
    }

    /// The newest manifest versions that were seen.
    pub(crate) fn versions(&self) -> Versions {
        Versions::new(self.root.join("manifests.json"))
    }

    /// The passkey that is used where none is named.
    pub(crate) fn passkey(&self) -> PathBuf {
        self.root.join("passkey.json")
    }

    /// Where the tokens of a sandbox's cast are.
    pub(crate) fn sandbox(&self) -> PathBuf {
        self.root.join("sandbox")
    }

    /// The last checkpoint seen of a log of this issuer, as it was signed.
    pub(crate) fn checkpoint(
        &self,
        issuer: &IssuerId,
        origin: &str,
    ) -> Result<Option<String>, LocalFault> {
        let mut path = self.checkpoint_path(&[issuer.as_str(), origin].join(" "));
        let mut found = private::read_if_there(&path, CHECKPOINT_BYTES)?;
        if found.is_none() {
            // Earlier versions kept it by its origin alone.
            path = self.checkpoint_path(origin);
            found = private::read_if_there(&path, CHECKPOINT_BYTES)?;
        }
        let Some(bytes) = found else {
            return Ok(None);
        };
        match std::str::from_utf8(&bytes) {
            Ok(note)
                if Checkpoint::read_unverified(note).is_ok_and(|kept| kept.origin == origin) =>
            {
                Ok(Some(note.to_owned()))
            }
            _ => Err(LocalFault::Content {
                path,
                what: "holds no checkpoint of this log",
            }),
        }
    }

    /// Keeps a checkpoint for the next time, in place of the one that it was seen to continue.
    /// Keeps nothing, and says so, if another run has kept another one meanwhile.
    pub(crate) fn keep_checkpoint(
        &self,
        issuer: &IssuerId,
        origin: &str,
        seen: Option<&str>,
        note: &str,
    ) -> Result<bool, LocalFault> {
        let directory = self.root.join("checkpoints");
        private::create_dir(&directory)?;
        let _held = private::lock(&directory.join(".lock"))?;
        let kept = self.checkpoint(issuer, origin)?;
        if kept.as_deref() != seen && kept.as_deref() != Some(note) {
            return Ok(false);
        }
        let path = self.checkpoint_path(&[issuer.as_str(), origin].join(" "));
        private::replace(&path, note.as_bytes())?;
        Ok(true)
    }

    fn checkpoint_path(&self, name: &str) -> PathBuf {
        self.root.join("checkpoints").join(hashed(name))
    }
}

/// A name has slashes in it; its hash has none.
fn hashed(name: &str) -> String {
    canonical::to_base64url(&canonical::sha256(name.as_bytes()))
}
