//! A software passkey: signs approval challenges as a browser and its authenticator would
//! (WebAuthn Level 2), with a key in a private file.
//!
//! It is for tests, automation and people without another authenticator. Whoever can read
//! the file can approve; a hardware authenticator is better.

mod assertion;
mod cose;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use clp_schemas::canonical;
use clp_schemas::json;
use clp_schemas::ops::approve::Assertion;
use clp_schemas::ops::store::SecretText;
use serde::{Deserialize, Serialize};

use crate::error::{Error, LocalFault};
use crate::private;

const MAX_BYTES: u64 = 16 * 1024;

/// A passkey in a file.
#[derive(Clone, Debug)]
pub struct Passkey {
    path: PathBuf,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    relying_party_id: String,
    credential_id: String,
    private_key: SecretText,
    counter: u32,
}

/// The public parts of a passkey, as they are registered at an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicPasskey {
    /// The relying party that it is for.
    pub relying_party_id: String,
    /// The `WebAuthn` credential id, base64url.
    pub credential_id: String,
    /// The `COSE_Key` (RFC 9052 section 7), base64url.
    pub public_key: String,
}

impl Passkey {
    /// The passkey in the file at `path`. Nothing is read yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Makes a new passkey for a relying party, where there is none yet.
    ///
    /// # Errors
    /// [`LocalFault`] if the file exists or cannot be written.
    pub fn create(path: PathBuf, relying_party_id: &str) -> Result<Self, LocalFault> {
        let fault = |_| LocalFault::System("no key pair can be made");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(fault)?;
        let private = pair.to_pkcs8v1().map_err(fault)?;
        let mut id = [0; 32];
        aws_lc_rs::rand::fill(&mut id).map_err(fault)?;
        let content = Content {
            relying_party_id: relying_party_id.to_owned(),
            credential_id: canonical::to_base64url(&id),
            private_key: SecretText::new(canonical::to_base64url(private.as_ref())),
            counter: 0,
        };
        if let Some(parent) = path.parent() {
            private::create_dir(parent)?;
        }
        private::create(&path, &write_out(&content)?).map_err(|fault| match fault {
            LocalFault::File { source, path, .. } if source.kind() == ErrorKind::AlreadyExists => {
                LocalFault::PasskeyThere { path }
            }
            fault => fault,
        })?;
        let passkey = Self { path };
        // A key that cannot be read back is noticed before it is registered.
        passkey.public().map_err(|_| passkey.fault())?;
        Ok(passkey)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The public parts.
    ///
    /// # Errors
    /// [`LocalFault`] if the file cannot be read, can be read by others, or holds no passkey.
    pub fn public(&self) -> Result<PublicPasskey, LocalFault> {
        let content = self.read()?;
        let pair = self.pair(&content)?;
        Ok(PublicPasskey {
            public_key: canonical::to_base64url(&self.cose(&pair)?),
            relying_party_id: content.relying_party_id,
            credential_id: content.credential_id,
        })
    }

    /// Signs a challenge for a relying party, as if at a page of `origin`. Counts up before
    /// it signs, so that no two assertions carry the same count.
    ///
    /// # Errors
    /// [`Error::Usage`] if the passkey is for another relying party, or not among
    /// `allowed`; [`Error::Local`] if the file cannot be read or written.
    pub fn sign(
        &self,
        challenge: &[u8; 32],
        relying_party_id: &str,
        origin: &str,
        allowed: &[String],
    ) -> Result<Assertion, Error> {
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let _held = private::lock(Path::new(&lock))?;
        let mut content = self.read()?;
        if content.relying_party_id != relying_party_id {
            return Err(Error::usage(
                "the passkey is for another relying party than the issuer's",
            ));
        }
        if !allowed.contains(&content.credential_id) {
            return Err(Error::usage(
                "the passkey is not registered for this principal: run `clp passkey register`, or choose another with --passkey",
            ));
        }
        let pair = self.pair(&content)?;
        content.counter = content.counter.saturating_add(1);
        private::replace(&self.path, &write_out(&content)?)?;
        let parts = assertion::Parts::new(challenge, relying_party_id, origin, content.counter);
        let signature = pair
            .sign(&SystemRandom::new(), &parts.signed_bytes())
            .map_err(|_| LocalFault::System("the challenge cannot be signed"))?;
        Ok(parts.into_assertion(content.credential_id, signature.as_ref()))
    }

    fn read(&self) -> Result<Content, LocalFault> {
        let there = private::read_if_there(&self.path, MAX_BYTES)?;
        let bytes = there.ok_or_else(|| LocalFault::NoPasskey {
            path: self.path.clone(),
        })?;
        json::parse(&bytes, json::Limits::default())
            .ok()
            .and_then(|value| serde_json::from_value(value).ok())
            .ok_or_else(|| self.fault())
    }

    fn pair(&self, content: &Content) -> Result<EcdsaKeyPair, LocalFault> {
        let bytes =
            canonical::from_base64url(content.private_key.expose()).map_err(|_| self.fault())?;
        let bytes = zeroize::Zeroizing::new(bytes);
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &bytes).map_err(|_| self.fault())
    }

    fn cose(&self, pair: &EcdsaKeyPair) -> Result<Vec<u8>, LocalFault> {
        cose::es256(pair.public_key().as_ref()).ok_or_else(|| self.fault())
    }

    fn fault(&self) -> LocalFault {
        LocalFault::Content {
            path: self.path.clone(),
            what: "holds no passkey",
        }
    }
}

fn write_out(content: &Content) -> Result<zeroize::Zeroizing<Vec<u8>>, LocalFault> {
    serde_json::to_vec(content)
        .map(zeroize::Zeroizing::new)
        .map_err(|_| LocalFault::System("the passkey cannot be written as JSON"))
}
