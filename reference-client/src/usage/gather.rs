//! Asks issuers where credentials are used. What cannot be learnt is said, and does not stop
//! the rest.

use std::collections::{BTreeMap, BTreeSet};

use clp_schemas::endpoint::Class;
use clp_schemas::ids::{CredentialId, PrincipalId, StoreId};
use clp_schemas::ops::create::{Credential, ListQuery};
use clp_schemas::ops::store::StoreQuery;
use clp_schemas::problem::ProblemType;
use clp_schemas::usage::{AskedIssuer, Reason, Unknown};
use futures::{StreamExt as _, TryStreamExt as _};

use super::{Answers, Known};
use crate::client::Client;
use crate::error::Error;
use crate::ops::Session;
use crate::sabotage::Sabotage;

/// Most credentials of one issuer that are shown.
pub(crate) const MOST: usize = 1000;
/// Most neighbours of a credential that are followed through its rotations.
const MOST_OF_LINE: usize = 16;
/// How many credentials are asked about at once.
const AT_ONCE: usize = 4;

/// What is asked about. Nothing said: every credential that lives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// This credential, and what it replaces or is replaced by, while that lives.
    pub(crate) credential: Option<CredentialId>,
    /// Of this project.
    pub(crate) project: Option<String>,
    /// Of this owner.
    pub(crate) owner: Option<String>,
    /// Whose secret this principal has seen; besides those of the owner, if both are given.
    pub(crate) person: Option<PrincipalId>,
}

impl Wanted {
    /// The lists that hold all of it.
    fn queries(&self) -> Vec<ListQuery> {
        let base = ListQuery {
            project: self.project.clone(),
            ..ListQuery::default()
        };
        let owned = self.owner.as_ref().map(|owner| ListQuery {
            owner: Some(owner.clone()),
            ..base.clone()
        });
        let seen = self.person.as_ref().map(|person| ListQuery {
            disclosed_to: Some(person.clone()),
            ..base.clone()
        });
        let queries: Vec<ListQuery> = owned.into_iter().chain(seen).collect();
        match queries.is_empty() {
            true => vec![base],
            false => queries,
        }
    }
}

/// Asks every issuer. One that cannot be asked is named as such, unless none can.
///
/// # Errors
/// What the last issuer failed with, where none answered.
pub(crate) async fn gather(session: &Session, wanted: &Wanted) -> Result<Answers, Error> {
    let clients = match (&wanted.credential, &session.issuer) {
        (Some(_), Some(_)) => vec![session.client()?],
        _ => session.clients()?,
    };
    let mut answers = Answers::default();
    let mut last = None;
    for client in &clients {
        match of_issuer(client, session, wanted, &mut answers).await {
            Ok(()) => {}
            // An id that another issuer gave.
            Err(fault) if is_elsewhere(&fault, wanted) => last = Some(fault),
            Err(fault) => {
                let issuer = client.id().as_str();
                answers.issuers.push(AskedIssuer {
                    issuer: issuer.to_owned(),
                    answered: false,
                    inventory: false,
                });
                answers.unknown.push(Unknown {
                    reason: Reason::NotAsked,
                    about: None,
                    issuer: Some(issuer.to_owned()),
                    text: format!("it could not be asked: {fault}"),
                });
                last = Some(fault);
            }
        }
    }
    match last {
        Some(fault) if !answers.issuers.iter().any(|asked| asked.answered) => Err(fault),
        _ => Ok(answers),
    }
}

fn is_elsewhere(fault: &Error, wanted: &Wanted) -> bool {
    wanted.credential.is_some() && fault.problem() == Some(ProblemType::NotFound)
}

async fn of_issuer(
    client: &Client,
    session: &Session,
    wanted: &Wanted,
    answers: &mut Answers,
) -> Result<(), Error> {
    let issuer = client.id().as_str();
    let inventory = client.issuer().await?.manifest.claims(Class::Inventory);
    let mut credentials = match &wanted.credential {
        Some(id) => line(client, id).await?,
        None => {
            let mut all = Vec::new();
            for query in wanted.queries() {
                let (items, more) = client.list(&query, MOST).await?;
                all.extend(items);
                if more {
                    answers.unknown.push(Unknown {
                        reason: Reason::PageLimit,
                        about: None,
                        issuer: Some(issuer.to_owned()),
                        text: format!("it has more than {MOST} such credentials; narrow it down"),
                    });
                }
            }
            all.retain(|credential| credential.state.is_live());
            all
        }
    };
    let mut once = BTreeSet::new();
    credentials.retain(|credential| once.insert(credential.id.clone()));
    // The same from run to run, whatever order a list has.
    credentials.sort_by(|one, other| one.id.cmp(&other.id));
    let filled = session.home.places().of(issuer)?;
    let known: Vec<Known> = futures::stream::iter(credentials)
        .map(|credential| {
            let filled = filled
                .iter()
                .filter(|(_, place)| place.credential_id == credential.id)
                .map(|(id, place)| (id.clone(), place.clone()))
                .collect();
            let bare = Known {
                issuer: issuer.to_owned(),
                credential,
                places: None,
                more_places: false,
                usage: None,
                filled,
            };
            learn(client, bare, inventory)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    if inventory {
        let stores = names(client, &known).await?;
        answers.stores.extend(stores);
    }
    answers.known.extend(known);
    answers.issuers.push(AskedIssuer {
        issuer: issuer.to_owned(),
        answered: true,
        inventory,
    });
    spoil(answers, session.sabotage());
    Ok(())
}

/// A credential, and what it replaces or is replaced by, while that lives.
async fn line(client: &Client, id: &CredentialId) -> Result<Vec<Credential>, Error> {
    let mut all = vec![client.credential(id).await?];
    let mut at = 0;
    while let Some(credential) = all.get(at).cloned() {
        at += 1;
        for next in credential.predecessor.iter().chain(&credential.successor) {
            let here = all.iter().any(|one| one.id == *next);
            if here || all.len() >= MOST_OF_LINE {
                continue;
            }
            match client.credential(next).await {
                Ok(found) if found.state.is_live() => all.push(found),
                Ok(_) => {}
                // What one may not see is not shown.
                Err(fault) if fault.problem() == Some(ProblemType::NotFound) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(all)
}

async fn learn(client: &Client, bare: Known, inventory: bool) -> Result<Known, Error> {
    if !inventory {
        return Ok(bare);
    }
    let id = &bare.credential.id;
    let (places, more_places) = client.installations_at_most(id).await?;
    let usage = client.usage(id).await?;
    Ok(Known {
        places: Some(places),
        more_places,
        usage: Some(usage),
        ..bare
    })
}

/// What the stores are called that are spoken of.
async fn names(
    client: &Client,
    known: &[Known],
) -> Result<BTreeMap<(String, StoreId), String>, Error> {
    let spoken_of = |known: &Known| {
        let places = known.places.iter().flatten();
        !known.credential.stored_in.is_empty()
            || places
                .into_iter()
                .any(|place| place.declared.store_id.is_some())
    };
    if !known.iter().any(spoken_of) {
        return Ok(BTreeMap::new());
    }
    let issuer = client.id().as_str();
    let stores = client.stores(&StoreQuery::default()).await?;
    let named = stores
        .into_iter()
        .map(|store| ((issuer.to_owned(), store.id), store.name));
    Ok(named.collect())
}

/// Knows more than it was told, where that is what is broken.
fn spoil(answers: &mut Answers, sabotage: Sabotage) {
    if sabotage.breaks("CLP-INV-007") {
        // What is not on record is taken for nothing.
        for asked in &mut answers.issuers {
            asked.inventory = true;
        }
    }
    let usages = answers
        .known
        .iter_mut()
        .filter_map(|known| known.usage.as_mut());
    for consumer in usages.flat_map(|usage| &mut usage.consumers) {
        if sabotage.breaks("CLP-INV-006") && consumer.installations.is_empty() {
            consumer.installations.extend(MADE_UP.parse());
        }
        if sabotage.breaks("CLP-INV-008") {
            consumer.installations.truncate(1);
        }
    }
}

/// A place that nobody declared.
const MADE_UP: &str = "ins_00000000000000000000";
