//! Inventory: where credentials are used, as it was declared and as it was seen (spec
//! chapter 17).

use clap::Args;
use clp_schemas::ids::{CredentialId, InstallationId};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{CredentialPath, ListQuery};
use clp_schemas::ops::inject::{
    Installation, InstallationBody, InstallationDelete, InstallationPath,
};
use clp_schemas::ops::inventory::{
    Consumer, InstallationList, InstallationQuery, Usage, UsageRead,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::installation::State;
use serde::Serialize;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{Outcome, clean, table};

/// Most installations, and most credentials, shown.
const MOST: usize = 1000;

impl Client {
    /// Lists the installations of a credential, over as many pages as it takes.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] for one of another credential.
    pub async fn installations(&self, id: &CredentialId) -> Result<Vec<Installation>, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let mut query = InstallationQuery::default();
        let mut items: Vec<Installation> = Vec::new();
        loop {
            let page = self
                .call::<InstallationList>(&path, &query, &Nothing {})
                .await?;
            let empty = page.items.is_empty();
            items.extend(page.items);
            if items.iter().any(|item| item.credential_id != *id) {
                return Err(ProtocolFault::Mismatch("the installation").into());
            }
            query.cursor = page.next_cursor;
            if empty || query.cursor.is_none() || items.len() >= MOST {
                return Ok(items);
            }
        }
    }

    /// Who was seen using a credential.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn usage(&self, id: &CredentialId) -> Result<Usage, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let usage = self
            .call::<UsageRead>(&path, &Nothing {}, &Nothing {})
            .await?;
        match usage.credential_id == *id {
            true => Ok(usage),
            false => Err(ProtocolFault::Mismatch("the usage").into()),
        }
    }
}

/// Show where credentials are used: as declared, and as seen
#[derive(Args, Debug)]
pub(crate) struct InventoryArgs {
    /// The credential; by default all that still live
    #[arg(conflicts_with = "project")]
    id: Option<CredentialId>,
    /// Of this project
    #[arg(long)]
    project: Option<String>,
    /// Say that this place does not use the credential any more
    #[arg(long, value_name = "INSTALLATION", requires = "id")]
    retire: Option<InstallationId>,
    /// Forget this place
    #[arg(
        long,
        value_name = "INSTALLATION",
        requires = "id",
        conflicts_with = "retire"
    )]
    forget: Option<InstallationId>,
}

/// Both answers about one credential.
#[derive(Serialize)]
struct Known {
    credential_id: CredentialId,
    purpose: String,
    installations: Vec<Installation>,
    usage: Usage,
    undeclared: Vec<Consumer>,
}

/// Retires or forgets a place, as it was seen.
async fn change(
    client: &Client,
    session: &Session,
    id: &CredentialId,
    place: &InstallationId,
    retire: bool,
) -> Result<Outcome, Error> {
    let places = session.home.places();
    let seen = client
        .installation(id, place)
        .await?
        .ok_or_else(|| Error::from(Problem::new(ProblemType::NotFound)))?;
    if retire {
        let body = InstallationBody {
            state: State::Retired,
            ..seen.value.declared.clone()
        };
        let retired = client.declare(id, place, &body, seen.condition()?).await?;
        // It is final: what comes to the same file later is another installation.
        places.remove(client.id().as_str(), place)?;
        return Outcome::new(&retired.value, format!("{place} is retired\n"));
    }
    let path = InstallationPath {
        credential_id: id.clone(),
        installation_id: place.clone(),
    };
    client
        .change::<InstallationDelete>(&path, &Nothing {}, seen.condition()?)
        .await?;
    places.remove(client.id().as_str(), place)?;
    Outcome::new(
        &json!({"forgotten": place}),
        format!("{place} is forgotten\n"),
    )
}

pub(crate) async fn run(args: &InventoryArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    if let (Some(id), Some(place)) = (&args.id, args.retire.as_ref().or(args.forget.as_ref())) {
        return change(&client, session, id, place, args.retire.is_some()).await;
    }
    let credentials = match &args.id {
        Some(id) => vec![client.credential(id).await?],
        None => {
            let query = ListQuery {
                project: args.project.clone(),
                ..ListQuery::default()
            };
            let (items, _) = client.list(&query, MOST).await?;
            items
                .into_iter()
                .filter(|credential| credential.state.is_live())
                .collect()
        }
    };
    let mut known = Vec::new();
    for credential in credentials {
        let installations = client.installations(&credential.id).await?;
        let usage = client.usage(&credential.id).await?;
        let undeclared = usage
            .consumers
            .iter()
            .filter(|consumer| consumer.installations.is_empty())
            .filter(|_| !session.sabotage().breaks("CLP-INV-006"))
            .cloned()
            .collect();
        known.push(Known {
            credential_id: credential.id,
            purpose: credential.purpose,
            installations,
            usage,
            undeclared,
        });
    }
    let text: Vec<String> = known.iter().map(text).collect();
    let text = match text.is_empty() {
        true => "no credential matches\n".to_owned(),
        false => text.join("\n"),
    };
    Outcome::new(&json!({"items": known}), text)
}

fn text(known: &Known) -> String {
    let never = || "never".to_owned();
    let declared = known.installations.iter().map(|item| {
        let body = &item.declared;
        vec![
            item.id.to_string(),
            body.target.kind.to_string(),
            body.target.name.clone(),
            body.state.to_string(),
            match body.required {
                Some(false) => "no".to_owned(),
                _ => "yes".to_owned(),
            },
            item.reported_by.to_string(),
            item.reported_at.to_string(),
            item.last_seen_at.map_or_else(never, |at| at.to_string()),
            body.depends_on.join(", "),
        ]
    });
    let header = [
        "installation",
        "kind",
        "place",
        "state",
        "required",
        "reported by",
        "at",
        "last seen",
        "depends on it",
    ];
    let declared = table(&header, declared, "no place is declared");
    let seen = known.usage.consumers.iter().map(|consumer| {
        vec![
            consumer
                .user_agent
                .clone()
                .unwrap_or_else(|| "-".to_owned()),
            consumer.address.clone(),
            consumer.uses.to_string(),
            consumer.last_seen_at.to_string(),
            fits(consumer),
        ]
    });
    let header = ["user agent", "address", "uses", "last seen", "declared as"];
    let seen = table(&header, seen, "nobody was seen using it");
    format!(
        "{} {}\n{declared}{seen}",
        known.credential_id,
        clean(&known.purpose)
    )
}

/// The declared places that a consumer fits (CLP-INV-006).
fn fits(consumer: &Consumer) -> String {
    let ids: Vec<&str> = consumer
        .installations
        .iter()
        .map(|id| id.as_str())
        .collect();
    match ids.as_slice() {
        [] => "UNDECLARED".to_owned(),
        [one] => (*one).to_owned(),
        several => format!("CANNOT BE TOLD APART: {}", several.join(", ")),
    }
}
