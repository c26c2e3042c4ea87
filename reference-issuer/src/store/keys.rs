//! The keys of the process: kept in a file apart from the database, so that a stolen copy of
//! the database alone opens nothing.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::Ed25519KeyPair;
use clp_schemas::canonical;
use clp_schemas::jose::SigningKey;
use clp_schemas::key::Verifier;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Fault;
use super::cipher::Cipher;
use crate::context::Random;
use crate::private_file;

/// The name of the file in the data directory.
const FILE: &str = "issuer.keys";

/// What the key for statements is derived for.
const STATEMENTS: &[u8] = b"clp safe-to-revoke";

/// Bytes of each key.
const LENGTH: usize = 32;

/// The file, as TOML; each value is 32 bytes in base64url.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    pepper: Zeroizing<String>,
    deliveries: Zeroizing<String>,
    cursors: Zeroizing<String>,
    signing: Zeroizing<String>,
}

/// The keys of the process.
pub struct Keys {
    pepper: Zeroizing<[u8; LENGTH]>,
    deliveries: Cipher,
    cursors: Cipher,
    signing: Ed25519KeyPair,
    statements: SigningKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys(..)")
    }
}

impl Keys {
    /// Fresh keys that nothing keeps.
    pub(super) fn ephemeral() -> Result<Self, Fault> {
        Self::from_file(&KeyFile::generate()?)
    }

    /// The keys of a data directory; made, for the owner's eyes alone, where there are none.
    pub(super) fn load_or_make(directory: &Path) -> Result<Self, Fault> {
        let path = directory.join(FILE);
        if !path.exists() {
            let text = Zeroizing::new(
                toml::to_string(&KeyFile::generate()?)
                    .map_err(|_| Fault::KeyFile("the file of keys cannot be written"))?,
            );
            private_file::make(&path, text.as_bytes())?;
        }
        if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
            return Err(Fault::KeyFile(
                "issuer.keys can be read by others than its owner",
            ));
        }
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        let file: KeyFile =
            toml::from_str(&text).map_err(|_| Fault::KeyFile("issuer.keys holds no keys"))?;
        Self::from_file(&file)
    }

    fn from_file(file: &KeyFile) -> Result<Self, Fault> {
        Ok(Self {
            pepper: read(&file.pepper)?,
            deliveries: Cipher::new(&*read(&file.deliveries)?)?,
            cursors: Cipher::new(&*read(&file.cursors)?)?,
            signing: Ed25519KeyPair::from_seed_unchecked(read(&file.signing)?.as_slice())
                .map_err(|_| Fault::KeyFile("issuer.keys holds no signing key"))?,
            statements: statements(&file.signing)?,
        })
    }

    /// What is stored of a key or a token instead of itself.
    #[must_use]
    pub fn verifier(&self, secret: &str) -> Verifier {
        Verifier::of(self.pepper.as_slice(), secret)
    }

    /// Signs checkpoints of the log.
    #[must_use]
    pub fn signing(&self) -> &Ed25519KeyPair {
        &self.signing
    }

    /// Signs statements about rotations. Another key than the log's, so that a signature of one
    /// never counts as one of the other.
    #[must_use]
    pub fn statements(&self) -> &SigningKey {
        &self.statements
    }

    /// Seals secrets that have not been fetched yet.
    pub(super) fn deliveries(&self) -> &Cipher {
        &self.deliveries
    }

    /// Seals cursors, so that nobody alters one or uses another's.
    #[must_use]
    pub fn cursors(&self) -> &Cipher {
        &self.cursors
    }
}

impl KeyFile {
    fn generate() -> Result<Self, Fault> {
        let fresh = || -> Result<Zeroizing<String>, Fault> {
            let bytes = Zeroizing::new(Random.bytes::<LENGTH>()?);
            Ok(Zeroizing::new(canonical::to_base64url(bytes.as_slice())))
        };
        Ok(Self {
            pepper: fresh()?,
            deliveries: fresh()?,
            cursors: fresh()?,
            signing: fresh()?,
        })
    }
}

/// The key for statements, derived (RFC 5869) from the one that signs checkpoints.
fn statements(signing: &str) -> Result<SigningKey, Fault> {
    let unusable = || Fault::KeyFile("issuer.keys holds no signing key");
    let mut seed = Zeroizing::new([0; LENGTH]);
    Salt::new(HKDF_SHA256, &[])
        .extract(read(signing)?.as_slice())
        .expand(&[STATEMENTS], HKDF_SHA256)
        .and_then(|derived| derived.fill(seed.as_mut_slice()))
        .map_err(|_| unusable())?;
    SigningKey::from_seed(&seed).map_err(|_| unusable())
}

fn read(text: &str) -> Result<Zeroizing<[u8; LENGTH]>, Fault> {
    let bytes = canonical::from_base64url(text)
        .map(Zeroizing::new)
        .map_err(|_| Fault::KeyFile("issuer.keys holds no keys"))?;
    let bytes: [u8; LENGTH] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| Fault::KeyFile("issuer.keys holds no keys"))?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_between_runs_and_for_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let first = Keys::load_or_make(directory.path()).unwrap();
        let again = Keys::load_or_make(directory.path()).unwrap();
        assert!(first.verifier("a").matches(&again.verifier("a")));
        let path = directory.path().join(FILE);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Keys::load_or_make(directory.path()),
            Err(Fault::KeyFile(_))
        ));
        assert_eq!(format!("{first:?}"), "Keys(..)");
    }
}
