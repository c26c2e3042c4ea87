//! One file for each operation: what the library does, and the command around it.

pub mod amend;
pub mod analyse;
pub mod approve;
pub mod audit;
pub mod call;
mod compare;
pub mod create;
pub mod discover;
pub mod due;
pub mod handoff;
pub mod inject;
pub mod inventory;
pub mod issuers;
pub mod list;
mod login;
mod narrow;
mod overbroad;
pub mod passkey;
pub mod request;
mod request_change;
pub mod revoke;
pub mod rotate;
pub mod run;
pub mod sandbox;
pub mod sandbox_faults;
pub mod scope;
pub mod store;
pub mod store_registry;
pub mod suspend;
pub mod token;
pub mod verify;
mod verify_approval;
pub mod webhook;

use crate::client::{Client, Settings};
use crate::error::{Error, LocalFault};
use crate::home::Home;
use crate::issuer::IssuerId;
use crate::journal::{Begun, Intent};
use crate::render::clean;
use crate::sabotage::Sabotage;
use crate::store::Entry;
use crate::token::Token;
use crate::usage::scrub;
use clp_schemas::ids::CredentialId;
use secrecy::ExposeSecret as _;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// What every command starts from.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) issuer: Option<String>,
    /// Whether a program reads along, and wants nothing but one answer.
    pub(crate) json: bool,
    pub(crate) home: Home,
}

impl Session {
    /// What this run breaks: nothing, unless a test of tests has it so.
    pub(crate) fn sabotage(&self) -> Sabotage {
        self.settings.sabotage
    }

    /// A client of the issuer that the command line or the environment names.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let text = self.issuer.as_deref().ok_or_else(|| {
            Error::usage("no issuer: set CLP_ISSUER, or give --issuer https://...")
        })?;
        let id: IssuerId = text.parse()?;
        let mut settings = self.settings.clone();
        if settings.token.is_none()
            && let Some(named) = self.home.issuers().all()?.get(id.as_str())
        {
            settings.token = Some(Token::from_file(&named.token_file)?);
        }
        Client::new(id, settings)
    }

    /// A client of every issuer that this user has to do with: those of `clp issuers`, and the
    /// one that the command line or the environment names.
    pub(crate) fn clients(&self) -> Result<Vec<Client>, Error> {
        let mut all = Vec::new();
        let here: Option<IssuerId> = self.issuer.as_deref().map(str::parse).transpose()?;
        for (id, named) in self.home.issuers().all()? {
            let id: IssuerId = id.parse()?;
            if here.as_ref() != Some(&id) {
                let token = Some(Token::from_file(&named.token_file)?);
                let settings = Settings {
                    token,
                    ..self.settings.clone()
                };
                all.push(Client::new(id, settings)?);
            }
        }
        if here.is_some() {
            all.push(self.client()?);
        }
        match all.is_empty() {
            true => Err(Error::usage(
                "no issuer: name those that you use with `clp issuers add`, or set CLP_ISSUER",
            )),
            false => Ok(all),
        }
    }

    /// A document for others, without any secret that is known here and anything that has the
    /// form of a key (CLP-INV-009).
    pub(crate) fn scrubbed<T>(&self, document: &T) -> Result<T, Error>
    where
        T: Clone + Serialize + DeserializeOwned,
    {
        if self.sabotage().breaks("CLP-INV-009") {
            return Ok(document.clone());
        }
        let entries = self.home.store().entries()?;
        let stored = entries.iter().map(|entry| entry.secret.expose());
        let token = self
            .settings
            .token
            .iter()
            .map(|token| token.secret().expose_secret());
        scrub(document, &stored.chain(token).collect::<Vec<_>>())
    }

    /// The stored secret of a credential of this issuer.
    pub(crate) fn entry(&self, issuer: &IssuerId, id: &CredentialId) -> Result<Entry, Error> {
        match self.home.store().entry(issuer.as_str(), id) {
            Err(LocalFault::NotStored) => {
                self.refuse_foreign(issuer, id)?;
                Err(LocalFault::NotStored.into())
            }
            other => Ok(other?),
        }
    }

    /// Refuses a credential that is stored, but of other issuers alone: an id means nothing
    /// at an issuer that did not give it.
    pub(crate) fn refuse_foreign(&self, issuer: &IssuerId, id: &CredentialId) -> Result<(), Error> {
        let found = self.home.store().entries_of(id)?;
        match found.is_empty() || found.iter().any(|entry| entry.issuer == issuer.as_str()) {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "the stored secret is of another issuer: {}",
                issuers(&found)
            ))),
        }
    }

    /// The stored secret of a credential where no issuer is asked anything: of the issuer that
    /// is configured, or else of the only one that has a credential of this id.
    pub(crate) fn stored(&self, id: &CredentialId) -> Result<Entry, Error> {
        if let Some(text) = &self.issuer {
            return self.entry(&text.parse()?, id);
        }
        let mut found = self.home.store().entries_of(id)?;
        match (found.pop(), found.is_empty()) {
            (Some(entry), true) => Ok(entry),
            (None, _) => Err(LocalFault::NotStored.into()),
            (Some(entry), false) => {
                found.push(entry);
                Err(Error::usage(format!(
                    "credentials of several issuers have this id: say which with --issuer or CLP_ISSUER, of {}",
                    issuers(&found)
                )))
            }
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

    /// Asks on the terminal, where there is one and no program reads along; elsewhere the answer
    /// is no.
    pub(crate) fn asked(&self, question: &str) -> Result<bool, Error> {
        let stdin = std::io::stdin();
        if self.json || !stdin.is_terminal() {
            return Ok(false);
        }
        let fault = |_| LocalFault::System("the terminal cannot be used");
        let mut terminal = std::io::stderr().lock();
        write!(terminal, "{question} [yes/no]: ").map_err(fault)?;
        terminal.flush().map_err(fault)?;
        let mut answer = String::new();
        stdin.lock().read_line(&mut answer).map_err(fault)?;
        Ok(answer.trim() == "yes")
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

/// Whose these are, for a person to choose from.
fn issuers(entries: &[Entry]) -> String {
    let names: Vec<String> = entries.iter().map(|entry| clean(&entry.issuer)).collect();
    names.join(", ")
}
