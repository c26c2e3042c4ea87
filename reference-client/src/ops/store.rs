//! Store: fetch a secret and keep it (spec chapter 15).

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use clp_schemas::ids::{CredentialId, StoreId};
use clp_schemas::jose::SigningKey;
use clp_schemas::key::Key;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{Credential, CredentialPath, CredentialRead};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::store::{Delivery, DeliveryRead, SecretText};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::webhook::WebhookSecret;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Session;
use super::store_registry::{self, RegisterArgs, acknowledge};
use crate::client::Client;
use crate::error::{Error, LocalFault, ProtocolFault};
use crate::render::{Facts, Outcome, clean, table};
use crate::store::{Entry, Store};

impl Client {
    /// Reads one credential.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn credential(&self, id: &CredentialId) -> Result<Credential, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let credential = self
            .call::<CredentialRead>(&path, &Nothing {}, &Nothing {})
            .await?;
        if credential.id != *id {
            return Err(ProtocolFault::Mismatch("the credential").into());
        }
        Ok(credential)
    }

    /// Fetches the secret of a new credential. It can be fetched again until the key is first
    /// used, or 15 minutes are over.
    ///
    /// # Errors
    /// [`ProblemType::DeliveryGone`] if there is nothing to fetch any more;
    /// [`ProtocolFault::Mismatch`] if the secret is not of this credential.
    pub async fn fetch_secret(&self, credential: &Credential) -> Result<Delivery, Error> {
        let Some(link) = &credential.delivery else {
            return Err(Problem::new(ProblemType::DeliveryGone).into());
        };
        let delivery: Delivery = self.follow::<DeliveryRead>(&link.uri).await?;
        let belongs = delivery.id == link.id
            && delivery.credential_id == credential.id
            && delivery.secret.kind == credential.kind;
        if !belongs {
            return Err(ProtocolFault::Mismatch("the delivery").into());
        }
        let named = names(&delivery.secret.value, credential);
        if !named && !self.sabotage.breaks("CLP-DLV-022") {
            return Err(ProtocolFault::Mismatch("the secret does not name its credential").into());
        }
        Ok(delivery)
    }

    /// Fetches the secret of a new credential and puts it into a store, unless it is there.
    ///
    /// # Errors
    /// As [`Client::fetch_secret`]; [`ProtocolFault::IdTaken`] if another credential of this id
    /// is there; [`Error::Local`] if the store fails, after which the
    /// secret can be fetched again.
    pub async fn store_secret(&self, credential: &Credential, store: &Store) -> Result<(), Error> {
        let issuer = self.id().as_str();
        match store.entry(issuer, &credential.id) {
            Err(LocalFault::NotStored) => {}
            held => {
                let held = held?;
                let same = held.key_id == credential.key_id && held.kind == credential.kind;
                return match same {
                    true => Ok(()),
                    false => Err(ProtocolFault::IdTaken.into()),
                };
            }
        }
        if let Some(entry) = self.own_key(credential, store)? {
            let used = entry.key_id.clone();
            store.put(entry)?;
            store.remove_pair(issuer, &used)?;
            return Ok(());
        }
        let delivery = self.fetch_secret(credential).await?;
        store.put(Entry::new(issuer, credential, delivery.secret.value))?;
        Ok(())
    }

    /// A credential whose key was made here has nothing to fetch: the private half is among
    /// the key pairs of the store.
    fn own_key(&self, credential: &Credential, store: &Store) -> Result<Option<Entry>, Error> {
        let (None, Some(public)) = (&credential.delivery, &credential.public_jwk) else {
            return Ok(None);
        };
        let thumbprint = public
            .thumbprint()
            .map_err(|_| ProtocolFault::Mismatch("the public key"))?;
        let private = match store.pair(self.id().as_str(), &thumbprint) {
            Err(LocalFault::NoKeyPair) => return Ok(None),
            other => other?,
        };
        if credential.key_id != thumbprint {
            return Err(ProtocolFault::Mismatch("the public key").into());
        }
        Ok(Some(Entry {
            own_key: true,
            ..Entry::new(self.id().as_str(), credential, private)
        }))
    }
}

/// Whether a secret is of the form of its type, and names its credential where it can.
fn names(secret: &SecretText, credential: &Credential) -> bool {
    let text = secret.expose();
    match credential.kind {
        CredentialType::ApiKey | CredentialType::OauthClient => {
            Key::parse(text).is_ok_and(|key| key.key_id == credential.key_id)
        }
        CredentialType::ServiceAccount => SigningKey::from_private_jwk(text)
            .is_ok_and(|key| Some(key.public()) == credential.public_jwk),
        CredentialType::WebhookSecret => WebhookSecret::parse(text).is_ok(),
    }
}

/// Keep secrets in the encrypted file store
#[derive(Args, Debug)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Subcommand, Debug)]
enum StoreCommand {
    /// Fetch the secret of a new credential into the store
    Get {
        /// The credential
        id: CredentialId,
        /// Report that it is in this store, instead of the one registered from here
        #[arg(long, value_name = "ID")]
        store_id: Option<StoreId>,
    },
    /// List what is stored, without the secrets
    List {
        /// List the stores that the issuer knows instead
        #[arg(long)]
        registered: bool,
    },
    /// Name this store at the issuer
    Register(RegisterArgs),
    /// Write a secret to standard output, and nothing else
    ///
    /// It is of the issuer that is configured. Where none is, the id has to be of one issuer
    /// alone, which is said on standard error.
    Read {
        /// The credential
        id: CredentialId,
        /// Show it, even on a terminal
        #[arg(long)]
        reveal: bool,
    },
    /// Take a secret out of the store; the credential itself is not revoked
    Remove {
        /// The credential
        id: CredentialId,
    },
}

/// An entry without its secret.
#[derive(Serialize)]
struct Summary<'a> {
    credential_id: &'a CredentialId,
    issuer: &'a str,
    #[serde(rename = "type")]
    kind: CredentialType,
    key_id: &'a str,
    project: &'a str,
    environment: &'a str,
    purpose: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<clp_schemas::time::Timestamp>,
    stored_at: clp_schemas::time::Timestamp,
}

impl<'a> From<&'a Entry> for Summary<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            credential_id: &entry.credential_id,
            issuer: &entry.issuer,
            kind: entry.kind,
            key_id: &entry.key_id,
            project: &entry.project,
            environment: &entry.environment,
            purpose: &entry.purpose,
            expires_at: entry.expires_at,
            stored_at: entry.stored_at,
        }
    }
}

pub(crate) async fn run(args: &StoreArgs, session: &Session) -> Result<Outcome, Error> {
    let store = session.home.store();
    match &args.command {
        StoreCommand::Get { id, store_id } => {
            store.prepare()?;
            let client = session.client()?;
            let credential = client.credential(id).await?;
            client.store_secret(&credential, &store).await?;
            let entry = store.entry(client.id().as_str(), id)?;
            acknowledge(&client, &credential, store_id.as_ref(), session).await?;
            let mut facts = Facts::default();
            facts
                .add("stored", id.as_str())
                .add("key id", &entry.key_id);
            Outcome::new(&Summary::from(&entry), facts.text())
        }
        StoreCommand::List { registered: false } => list(&store),
        StoreCommand::List { registered: true } => store_registry::list(session).await,
        StoreCommand::Register(args) => store_registry::register(args, session).await,
        StoreCommand::Read { id, reveal } => {
            if std::io::stdout().is_terminal() && !reveal {
                return Err(Error::usage(
                    "standard output is a terminal: send it to a file or a program, or add --reveal",
                ));
            }
            let entry = session.stored(id)?;
            if session.issuer.is_none() {
                session.say(&format!("a secret of {}\n", clean(&entry.issuer)));
            }
            Ok(Outcome::Secret(Zeroizing::new(
                entry.secret.expose().to_owned(),
            )))
        }
        StoreCommand::Remove { id } => {
            let entry = session.stored(id)?;
            store.remove(&entry.issuer, id)?;
            Outcome::new(
                &serde_json::json!({"removed": id}),
                format!(
                    "removed {id}; to end the credential, run `clp revoke {id} --reason no_longer_needed`\n"
                ),
            )
        }
    }
}

fn list(store: &Store) -> Result<Outcome, Error> {
    let entries = store.entries()?;
    let rows = entries.iter().map(|entry| {
        vec![
            entry.credential_id.to_string(),
            entry.issuer.clone(),
            entry.project.clone(),
            entry.environment.clone(),
            entry
                .expires_at
                .map_or_else(|| "never".to_owned(), |time| time.to_string()),
            entry.purpose.clone(),
        ]
    });
    let header = [
        "id",
        "issuer",
        "project",
        "environment",
        "expires",
        "purpose",
    ];
    let text = table(&header, rows, "the store is empty");
    let summaries: Vec<Summary<'_>> = entries.iter().map(Summary::from).collect();
    Outcome::new(&serde_json::json!({"items": summaries}), text)
}
