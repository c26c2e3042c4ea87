//! Small private JSON documents that `clp` remembers things in between runs. Each is read
//! and written whole, under a lock.

use std::path::{Path, PathBuf};

use clp_schemas::json;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::LocalFault;
use crate::private;

/// Largest document, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// One document.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    path: PathBuf,
}

impl Memory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// What is remembered, or `None` if nothing is.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, LocalFault> {
        // A run that was killed may have left a draft of it.
        private::sweep(&self.path)?;
        let Some(bytes) = private::read_if_there(&self.path, MAX_BYTES)? else {
            return Ok(None);
        };
        let limits = json::Limits {
            bytes: bytes.len(),
            depth: 32,
        };
        json::parse(&bytes, limits)
            .ok()
            .and_then(|value| serde_json::from_value(value).ok())
            .map(Some)
            .ok_or_else(|| LocalFault::Content {
                path: self.path.clone(),
                what: "does not hold what clp remembers: look at it, then remove it",
            })
    }

    /// Puts this in place of what is remembered. It is on disk when this returns.
    pub(crate) fn write<T: Serialize>(&self, value: &T) -> Result<(), LocalFault> {
        if let Some(directory) = self.path.parent() {
            private::create_dir(directory)?;
        }
        let bytes = serde_json::to_vec(value)
            .map_err(|_| LocalFault::System("what clp remembers cannot be written as JSON"))?;
        private::replace(&self.path, &bytes)
    }

    /// Changes what is remembered, while no other run does.
    pub(crate) fn change<T: Serialize + DeserializeOwned + Default>(
        &self,
        change: impl FnOnce(&mut T),
    ) -> Result<(), LocalFault> {
        if let Some(directory) = self.path.parent() {
            private::create_dir(directory)?;
        }
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let _held = private::lock(Path::new(&lock))?;
        let mut value = self.read()?.unwrap_or_default();
        change(&mut value);
        self.write(&value)
    }

    /// Forgets it.
    pub(crate) fn forget(&self) -> Result<(), LocalFault> {
        private::remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_back_until_it_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let memory = Memory::new(directory.path().join("deep").join("a.json"));
        assert_eq!(memory.read::<Vec<u8>>().unwrap(), None);
        memory
            .change(|numbers: &mut Vec<u8>| numbers.push(1))
            .unwrap();
        memory
            .change(|numbers: &mut Vec<u8>| numbers.push(2))
            .unwrap();
        assert_eq!(memory.read::<Vec<u8>>().unwrap(), Some(vec![1, 2]));
        assert!(memory.read::<String>().is_err());
        memory.forget().unwrap();
        assert_eq!(memory.read::<Vec<u8>>().unwrap(), None);
    }
}
