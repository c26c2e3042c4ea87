//! Stores that an issuer knows by name, so that records can say where secrets are (spec
//! chapter 15). To be named gives a store no rights.

use std::collections::BTreeMap;

use clap::Args;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::StoreId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::store::{
    AckBody, DeliveryAck, DeliveryPath, Store, StoreBody, StoreKind, StoreList, StoreQuery,
    StoreRegister,
};
use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::{Error, Exit, LocalFault, ProtocolFault};
use crate::render::{Facts, Outcome, table};

/// Most stores listed.
const MOST: usize = 1000;

impl Client {
    /// Says that a secret has arrived, which ends its delivery.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the receipt is of another delivery.
    pub async fn acknowledge(
        &self,
        credential: &Credential,
        store_id: Option<StoreId>,
    ) -> Result<(), Error> {
        let Some(link) = &credential.delivery else {
            return Ok(());
        };
        let path = DeliveryPath {
            delivery_id: link.id.clone(),
        };
        let body = AckBody { store_id };
        let receipt = self.call::<DeliveryAck>(&path, &Nothing {}, &body).await?;
        match receipt.id == link.id && receipt.credential_id == credential.id {
            true => Ok(()),
            false => Err(ProtocolFault::Mismatch("the receipt").into()),
        }
    }

    /// Lists the stores that an issuer knows, over as many pages as it takes.
    ///
    /// # Errors
    /// As every call.
    pub async fn stores(&self, query: &StoreQuery) -> Result<Vec<Store>, Error> {
        let mut query = query.clone();
        let mut items = Vec::new();
        loop {
            let page = self
                .call::<StoreList>(&Nothing {}, &query, &Nothing {})
                .await?;
            let empty = page.items.is_empty();
            items.extend(page.items);
            query.cursor = page.next_cursor;
            if empty || query.cursor.is_none() || items.len() >= MOST {
                return Ok(items);
            }
        }
    }
}

/// Acknowledges a delivery whose secret is in the store, where the issuer takes that
/// (CLP-DLV-021): with the store that is named, or else the one that was registered from
/// here. Says in a few words what was done.
pub(crate) async fn acknowledge(
    client: &Client,
    credential: &Credential,
    named: Option<&StoreId>,
    session: &Session,
) -> Result<&'static str, Error> {
    let issuer = client.issuer().await?;
    if credential.delivery.is_none() || !issuer.manifest.claims(Class::Lifecycle) {
        return Ok("");
    }
    // Not what was just written, but what the store gives back.
    let store = session.home.store();
    store.entry(client.id().as_str(), &credential.id)?;
    let known = match (named, issuer.manifest.claims(Class::Inventory)) {
        (Some(id), _) => Some(id.clone()),
        (None, true) => {
            let (project, environment) = (&credential.project, &credential.environment);
            registered(client, project, environment, session)?
        }
        (None, false) => None,
    };
    let said = match client.acknowledge(credential, known).await {
        // What was registered once may be gone; the secret has arrived all the same.
        Err(fault) if fault.problem() == Some(ProblemType::UnknownStore) && named.is_none() => {
            client.acknowledge(credential, None).await
        }
        other => other,
    };
    match said {
        Ok(()) => Ok(" and acknowledged"),
        // It ended otherwise, by a first use or by time: nothing is open any more.
        Err(fault) if fault.problem() == Some(ProblemType::DeliveryGone) => Ok(""),
        Err(fault) => Err(fault),
    }
}

type Registered = BTreeMap<String, StoreId>;

fn scope_of(client: &Client, project: &str, environment: &str) -> String {
    format!("{} {project} {environment}", client.id())
}

/// The store that was registered from here for a project and environment of this issuer.
pub(crate) fn registered(
    client: &Client,
    project: &str,
    environment: &str,
    session: &Session,
) -> Result<Option<StoreId>, LocalFault> {
    let known: Option<Registered> = session.home.registered().read()?;
    let scope = scope_of(client, project, environment);
    Ok(known.and_then(|mut known| known.remove(&scope)))
}

/// Name this store at the issuer, for one project and environment.
#[derive(Args, Debug)]
pub(crate) struct RegisterArgs {
    /// What people call it
    name: String,
    /// What it is
    #[arg(long, default_value = "file", value_parser = kind)]
    kind: StoreKind,
    /// Person or team that answers for it
    #[arg(long)]
    owner: String,
    /// The project whose secrets it keeps
    #[arg(long)]
    project: String,
    /// The environment whose secrets it keeps
    #[arg(long)]
    environment: String,
}

fn kind(text: &str) -> Result<StoreKind, &'static str> {
    StoreKind::from_name(text).ok_or("want file, keyring, vault, cloud_manager, broker or other")
}

pub(crate) async fn register(args: &RegisterArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let body = StoreBody {
        name: args.name.clone(),
        kind: args.kind,
        owner: args.owner.clone(),
        project: args.project.clone(),
        environment: args.environment.clone(),
    };
    let begun = session.begin(&client, "store_register", json!(body), body)?;
    let called = client.call_with_key::<StoreRegister>(&Nothing {}, &begun.body, &begun.key);
    let store = match called.await {
        Ok(store) => store,
        Err(fault) => {
            if matches!(fault, Error::Refused(_)) && fault.exit() == Exit::Refused {
                begun.finish()?;
            }
            return Err(fault);
        }
    };
    let scope = scope_of(&client, &store.project, &store.environment);
    session.home.registered().change(|known: &mut Registered| {
        known.insert(scope, store.id.clone());
    })?;
    begun.finish()?;
    let mut facts = Facts::default();
    facts
        .add("id", store.id.as_str())
        .add("name", &store.name)
        .add("project", &store.project)
        .add("environment", &store.environment);
    let text = format!(
        "{}secrets that are stored from here on are reported to be in it\n",
        facts.text()
    );
    Outcome::new(&store, text)
}

pub(crate) async fn list(session: &Session) -> Result<Outcome, Error> {
    let stores = session.client()?.stores(&StoreQuery::default()).await?;
    let rows = stores.iter().map(|store| {
        vec![
            store.id.to_string(),
            store.name.clone(),
            store.kind.to_string(),
            store.project.clone(),
            store.environment.clone(),
            store.owner.clone(),
        ]
    });
    let header = ["id", "name", "kind", "project", "environment", "owner"];
    let text = table(&header, rows, "the issuer knows no store");
    Outcome::new(&json!({"items": stores}), text)
}
