//! The newest manifest version that was seen of each issuer. Whoever can bring an old manifest
//! back, such as one that names a key that has leaked since, would otherwise be believed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Error, ProtocolFault};
use crate::issuer::Issuer;
use crate::memory::Memory;

/// A private file that holds them.
#[derive(Clone, Debug)]
pub struct Versions(Memory);

impl Versions {
    /// Those in this file, which is made when there is something to keep.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self(Memory::new(file))
    }

    /// Keeps the version of a manifest that was found to hold together (CLP-DIS-021).
    ///
    /// # Errors
    /// [`ProtocolFault::OlderManifest`] if a newer one was seen before; [`Error::Local`] if the
    /// file cannot be used.
    pub(crate) fn keep(&self, issuer: &Issuer) -> Result<(), Error> {
        let version = issuer.manifest.manifest_version.unwrap_or(0);
        let known: BTreeMap<String, u64> = self.0.read()?.unwrap_or_default();
        let name = issuer.id.as_str();
        match known.get(name) {
            Some(newest) if *newest > version => return Err(ProtocolFault::OlderManifest.into()),
            Some(newest) if *newest == version => return Ok(()),
            None if version == 0 => return Ok(()),
            _ => {}
        }
        // Another run may have kept a newer one meanwhile.
        self.0.change(|known: &mut BTreeMap<String, u64>| {
            let newest = known.entry(name.to_owned()).or_default();
            *newest = version.max(*newest);
        })?;
        Ok(())
    }
}
