//! One file for each operation: what the library does, and the command around it.

pub mod amend;
pub mod analyse;
pub mod approve;
pub mod audit;
pub mod call;
pub mod create;
pub mod discover;
pub mod inject;
pub mod inventory;
pub mod passkey;
pub mod request;
pub mod revoke;
pub mod rotate;
pub mod run;
pub mod sandbox;
pub mod scope;
pub mod store;
pub mod store_registry;
pub mod suspend;
pub mod token;
pub mod verify;
pub mod webhook;

use crate::client::{Client, Settings};
use crate::error::Error;
use crate::home::Home;
use crate::issuer::IssuerId;
use crate::journal::{Begun, Intent};
use crate::store::Entry;
use clp_schemas::ids::CredentialId;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::io::Write as _;

/// What every command starts from.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) issuer: Option<String>,
    /// Whether a program reads along, and wants nothing but one answer.
    pub(crate) json: bool,
    pub(crate) home: Home,
}

impl Session {
    /// A client of the issuer that the command line or the environment names.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let text = self.issuer.as_deref().ok_or_else(|| {
            Error::usage("no issuer: set CLP_ISSUER, or give --issuer https://...")
        })?;
        let id: IssuerId = text.parse()?;
        Client::new(id, self.settings.clone())
    }

    /// The stored secret of a credential of this issuer.
    pub(crate) fn entry(&self, client: &Client, id: &CredentialId) -> Result<Entry, Error> {
        let entry = self.home.store().entry(id)?;
        match entry.issuer == client.id().as_str() {
            true => Ok(entry),
            false => Err(Error::usage("the stored secret is of another issuer")),
        }
    }

    /// Says at once what happens, on standard error, while the command goes on; unless the
    /// answer is to be JSON.
    pub(crate) fn say(&self, lines: &str) {
        if !self.json {
            // Nobody is left to tell if standard error is gone.
            let _ = std::io::stderr().lock().write_all(lines.as_bytes());
        }
    }

    /// Notes in the journal that something is begun.
    pub(crate) fn begin<B: Serialize + DeserializeOwned>(
        &self,
        client: &Client,
        endpoint: &str,
        meaning: Value,
        body: B,
    ) -> Result<Begun<B>, Error> {
        let caller = client.token()?.fingerprint();
        let intent = Intent {
            issuer: client.id().as_str(),
            caller: &caller,
            endpoint,
            meaning,
        };
        self.home.journal().begin(&intent, body)
    }
}
