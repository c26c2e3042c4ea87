//! The file store: secrets in one encrypted file that only the user can read (spec
//! chapter 15).
//!
//! The file is sealed with AES-256-GCM under a key that stands in a file of its own. That
//! protects a copy of the store alone, such as one in a backup. It does not protect from
//! somebody who can read both files as this user; for that, put the key file elsewhere.

mod content;
mod seal;

use std::path::{Path, PathBuf};

use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::store::SecretText;
use clp_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::LocalFault;
use crate::pair::Pair;
use crate::private;
use content::Content;
use seal::SealingKey;

/// Largest store, in bytes: some ten thousand secrets.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// One secret and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The credential.
    pub credential_id: CredentialId,
    /// The identifier of the issuer that it is of.
    pub issuer: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// The public part of the key.
    pub key_id: String,
    /// The project that it belongs to.
    pub project: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// What it is for.
    pub purpose: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was put here.
    pub stored_at: Timestamp,
    /// Thumbprint of the key pair without which it opens nothing; the private half is among
    /// the key pairs of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// Whether the key pair was made here, and its successor needs another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_key: bool,
    /// The secret itself. It never prints.
    pub secret: SecretText,
}

impl Entry {
    /// The secret of a credential, to be stored now.
    #[must_use]
    pub fn new(issuer: &str, credential: &Credential, secret: SecretText) -> Self {
        Self {
            credential_id: credential.id.clone(),
            issuer: issuer.to_owned(),
            kind: credential.kind,
            key_id: credential.key_id.clone(),
            project: credential.project.clone(),
            environment: credential.environment.clone(),
            purpose: credential.purpose.clone(),
            expires_at: credential.expires_at,
            stored_at: Timestamp::system_now(),
            jkt: credential.cnf.as_ref().map(|bound| bound.jkt.clone()),
            own_key: false,
            secret,
        }
    }
}

/// An encrypted file of secrets. Every operation reads the file anew, so that several
/// processes can share it; those that write hold a lock.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    key_path: PathBuf,
}

impl Store {
    /// The store at `path`, sealed with the key at `key_path`. Nothing is read or made yet.
    #[must_use]
    pub fn new(path: PathBuf, key_path: PathBuf) -> Self {
        Self { path, key_path }
    }

    /// Where the sealed file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the store and shows that it can be written to, by writing it: done before
    /// anything is minted that would need it.
    ///
    /// # Errors
    /// [`LocalFault`] if it cannot be made, read, opened or written.
    pub fn prepare(&self) -> Result<(), LocalFault> {
        self.change(|_| ())
    }

    /// Puts an entry in, in place of an older one of the same issuer and credential, and reads
    /// it back.
    ///
    /// # Errors
    /// [`LocalFault`]; the store is then as it was before.
    pub fn put(&self, entry: Entry) -> Result<(), LocalFault> {
        let wanted = entry.clone();
        self.change(|content| {
            let shelf = content.shelf_mut(&entry.issuer);
            shelf.entries.insert(entry.credential_id.clone(), entry);
        })?;
        if self.entry(&wanted.issuer, &wanted.credential_id)? == wanted {
            Ok(())
        } else {
            Err(self.fault("does not give back what was written"))
        }
    }

    /// The entry of a credential of this issuer. An issuer chooses its ids, so an id alone
    /// says nothing about whose secret is meant.
    ///
    /// # Errors
    /// [`LocalFault::NotStored`], and what makes the store unreadable.
    pub fn entry(&self, issuer: &str, id: &CredentialId) -> Result<Entry, LocalFault> {
        let shelf = self.read()?.take_shelf(issuer);
        shelf
            .and_then(|mut shelf| shelf.entries.remove(id))
            .ok_or(LocalFault::NotStored)
    }

    /// The entries of every issuer that has a credential of this id.
    ///
    /// # Errors
    /// What makes the store unreadable.
    pub fn entries_of(&self, id: &CredentialId) -> Result<Vec<Entry>, LocalFault> {
        let mut entries = self.entries()?;
        entries.retain(|entry| entry.credential_id == *id);
        Ok(entries)
    }

    /// Whether there is an entry of a credential of this issuer.
    ///
    /// # Errors
    /// What makes the store unreadable.
    pub fn holds(&self, issuer: &str, id: &CredentialId) -> Result<bool, LocalFault> {
        let shelf = self.read()?.take_shelf(issuer);
        Ok(shelf.is_some_and(|shelf| shelf.entries.contains_key(id)))
    }

    /// Every entry, in order of the issuer and the credential's id.
    ///
    /// # Errors
    /// What makes the store unreadable.
    pub fn entries(&self) -> Result<Vec<Entry>, LocalFault> {
        Ok(self.read()?.into_entries().collect())
    }

    /// Takes an entry out, and its key pair if no other entry needs it.
    ///
    /// # Errors
    /// [`LocalFault::NotStored`], and what makes the store unreadable or unwritable.
    pub fn remove(&self, issuer: &str, id: &CredentialId) -> Result<(), LocalFault> {
        self.change(|content| {
            let shelf = content.shelf_mut(issuer);
            let gone = shelf.entries.remove(id)?;
            let shared = shelf.entries.values().any(|entry| entry.jkt == gone.jkt);
            if let Some(jkt) = gone.jkt.filter(|_| !shared) {
                shelf.pairs.remove(&jkt);
            }
            Some(())
        })?
        .ok_or(LocalFault::NotStored)
    }

    /// Puts the private half of a key pair in, for use with this issuer, and reads it back:
    /// done before the public half is sent anywhere.
    ///
    /// # Errors
    /// [`LocalFault`]; the store is then as it was before.
    pub fn put_pair(&self, issuer: &str, pair: &Pair) -> Result<(), LocalFault> {
        let (name, private) = (pair.thumbprint.clone(), pair.private.clone());
        self.change(|content| content.shelf_mut(issuer).pairs.insert(name, private))?;
        match self.pair(issuer, &pair.thumbprint)? == pair.private {
            true => Ok(()),
            false => Err(self.fault("does not give back what was written")),
        }
    }

    /// The private half of a key pair for use with this issuer, as JWK.
    ///
    /// # Errors
    /// [`LocalFault::NoKeyPair`], and what makes the store unreadable.
    pub fn pair(&self, issuer: &str, thumbprint: &str) -> Result<SecretText, LocalFault> {
        let shelf = self.read()?.take_shelf(issuer);
        shelf
            .and_then(|mut shelf| shelf.pairs.remove(thumbprint))
            .ok_or(LocalFault::NoKeyPair)
    }

    /// Takes a key pair out that nothing needs any more.
    ///
    /// # Errors
    /// What makes the store unreadable or unwritable.
    pub fn remove_pair(&self, issuer: &str, thumbprint: &str) -> Result<(), LocalFault> {
        self.change(|content| {
            content.shelf_mut(issuer).pairs.remove(thumbprint);
        })
    }

    fn read(&self) -> Result<Content, LocalFault> {
        // A run that was killed may have left more of it than there should be.
        private::sweep(&self.path)?;
        let Some(sealed) = private::read_if_there(&self.path, MAX_BYTES as u64)? else {
            return Ok(Content::default());
        };
        let key = SealingKey::load(&self.key_path)?;
        let plain = key.open(&sealed).ok_or_else(|| {
            self.fault("does not open: it was changed, or the key file is of another store")
        })?;
        Content::parse(&plain).map_err(|what| self.fault(what))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Content) -> T) -> Result<T, LocalFault> {
        for path in [&self.path, &self.key_path] {
            if let Some(parent) = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
            {
                private::create_dir(parent)?;
            }
        }
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let _held = private::lock(Path::new(&lock))?;
        let is_new = !self.path.exists();
        // A lost key is never replaced while there is something that it opens.
        let key = match is_new && !self.key_path.exists() {
            true => SealingKey::create(&self.key_path)?,
            false => SealingKey::load(&self.key_path)?,
        };
        let mut content = self.read()?;
        let result = change(&mut content);
        let plain = self.write_out(&content)?;
        private::replace(&self.path, &key.seal(&plain)?)?;
        Ok(result)
    }

    fn write_out(&self, content: &Content) -> Result<Zeroizing<Vec<u8>>, LocalFault> {
        // Room for everything at once: growing would leave copies of the secrets behind.
        let room = 4096 + content.len().saturating_mul(4096);
        let mut plain = Zeroizing::new(Vec::with_capacity(room.min(MAX_BYTES)));
        serde_json::to_writer(&mut *plain, content)
            .map_err(|_| LocalFault::System("the store cannot be written as JSON"))?;
        if plain.len() + seal::OVERHEAD > MAX_BYTES {
            return Err(self.fault("would be too large"));
        }
        Ok(plain)
    }

    fn fault(&self, what: &'static str) -> LocalFault {
        LocalFault::Content {
            path: self.path.clone(),
            what,
        }
    }
}
