//! One file for each operation: what the library does, and the command around it.

pub mod approve;
pub mod audit;
pub mod create;
pub mod discover;
pub mod passkey;
pub mod request;
pub mod revoke;
pub mod rotate;
pub mod sandbox;
pub mod scope;
pub mod store;
pub mod verify;

use crate::client::{Client, Settings};
use crate::error::Error;
use crate::home::Home;
use crate::issuer::IssuerId;
use crate::journal::{Begun, Intent};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What every command starts from.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) issuer: Option<String>,
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
