//! Inventory: where credentials are used, as it was declared and as it was seen (spec
//! chapter 17).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clp_schemas::ids::{CredentialId, InstallationId, PrincipalId};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::CredentialPath;
use clp_schemas::ops::inject::{
    Installation, InstallationBody, InstallationDelete, InstallationPath,
};
use clp_schemas::ops::inventory::{InstallationList, InstallationQuery, Usage, UsageRead};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::installation::State;
use clp_schemas::time::Timestamp;
use clp_schemas::usage::UsageGraph;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::{Error, LocalFault, ProtocolFault};
use crate::render::Outcome;
use crate::render::usage::{self as shown, Picture};
use crate::usage::breaks::{breaks, named};
use crate::usage::gather::{Wanted, gather};
use crate::usage::graph;

/// Most installations of a credential that are read.
const MOST: usize = 1000;

impl Client {
    /// Lists the installations of a credential, over as many pages as it takes.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] for one of another credential.
    pub async fn installations(&self, id: &CredentialId) -> Result<Vec<Installation>, Error> {
        Ok(self.installations_at_most(id).await?.0)
    }

    /// The same, and whether there are more than were read.
    pub(crate) async fn installations_at_most(
        &self,
        id: &CredentialId,
    ) -> Result<(Vec<Installation>, bool), Error> {
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
            let more = query.cursor.is_some();
            if empty || !more || items.len() >= MOST {
                return Ok((items, more));
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

/// What stands below the help of the command.
pub(crate) const HELP: &str = "\
Examples:
  clp inventory cred_...
  clp inventory --project atlas --format svg --output atlas.svg
  clp inventory --breaks cred_...
  clp inventory --breaks 'billing web'
  clp inventory --owner data-team --person prin_...
  clp inventory cred_... --retire ins_...

Without a credential it asks every issuer of `clp issuers`, and CLP_ISSUER.
What is not known stands at the end, with the reason: what is not shown may
exist all the same.
";

/// What an inventory is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables, for people
    Text,
    /// The whole graph, for programs
    Json,
    /// A graph for Graphviz
    Dot,
    /// A graph for Mermaid, as Markdown pages show it
    Mermaid,
    /// A picture
    Svg,
}

/// Show where credentials are used, as declared and as seen, and what depends on them
#[derive(Args, Debug)]
pub(crate) struct InventoryArgs {
    /// The credential; by default all that still live
    #[arg(conflicts_with_all = ["project", "owner", "person"])]
    id: Option<CredentialId>,
    /// Of this project
    #[arg(long)]
    project: Option<String>,
    /// What this person or team answers for
    #[arg(long)]
    owner: Option<String>,
    /// Whose secrets this principal has seen; besides those of --owner
    #[arg(long, value_name = "ID")]
    person: Option<PrincipalId>,
    /// Show what stops if this goes: a credential, an installation or a store by its id, or a
    /// place, a store or something that depends on one by its name
    #[arg(long, value_name = "WHAT", conflicts_with = "id")]
    breaks: Option<String>,
    /// What to write
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write it to this file, for you alone
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
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
    if let (Some(id), Some(place)) = (&args.id, args.retire.as_ref().or(args.forget.as_ref())) {
        let client = session.client()?;
        return change(&client, session, id, place, args.retire.is_some()).await;
    }
    let wanted = Wanted {
        credential: args.id.clone(),
        project: args.project.clone(),
        owner: args.owner.clone(),
        person: args.person.clone(),
    };
    let answers = gather(session, &wanted).await?;
    let graph = graph(&answers, Timestamp::system_now());
    let graph = session.scrubbed(&graph)?;
    let written = match &args.breaks {
        Some(what) => broken(&graph, what, args)?,
        None => whole(&graph, args)?,
    };
    match &args.output {
        None => Ok(written),
        Some(path) => save(path, &written, session.json || args.format == Format::Json),
    }
}

fn whole(graph: &UsageGraph, args: &InventoryArgs) -> Result<Outcome, Error> {
    let picture = Picture::of(graph, args.person.is_some());
    drawn(&picture, args.format, || {
        Outcome::new(graph, shown::text(graph))
    })
}

fn broken(graph: &UsageGraph, what: &str, args: &InventoryArgs) -> Result<Outcome, Error> {
    let gone = named(graph, what);
    if gone.is_empty() {
        return Err(Error::usage(format!(
            "nothing here is called `{}`: see what there is with `clp inventory`",
            crate::render::clean(what)
        )));
    }
    let breaks = breaks(graph, &gone);
    let picture = Picture::broken(&breaks);
    drawn(&picture, args.format, || {
        Outcome::new(&breaks, shown::breaks(&breaks))
    })
}

fn drawn(
    picture: &Picture<'_>,
    format: Format,
    report: impl Fn() -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let text = match format {
        Format::Text => return report(),
        Format::Json => {
            return Ok(match report()? {
                Outcome::Report { json, .. } => {
                    Outcome::Plain(crate::render::json_text(&json).into_bytes())
                }
                other => other,
            });
        }
        Format::Dot => shown::dot(picture),
        Format::Mermaid => shown::mermaid(picture),
        Format::Svg => shown::svg(picture)?,
    };
    Ok(Outcome::Plain(text.into_bytes()))
}

/// Writes to a file for this user alone what would have been printed: it says who uses what.
pub(super) fn save(
    path: &std::path::Path,
    outcome: &Outcome,
    json: bool,
) -> Result<Outcome, Error> {
    let bytes = match outcome {
        Outcome::Report { json: value, .. } | Outcome::Judged { json: value, .. } if json => {
            crate::render::json_text(value).into_bytes()
        }
        Outcome::Report { text, .. } | Outcome::Judged { text, .. } => text.clone().into_bytes(),
        Outcome::Plain(bytes) => bytes.clone(),
        Outcome::Secret(_) => {
            return Err(LocalFault::System("a secret is not written to a file here").into());
        }
    };
    crate::private::replace(path, &bytes)?;
    let shown = path.display().to_string();
    Outcome::new(
        &json!({"written": shown, "bytes": bytes.len()}),
        format!("written to {}\n", crate::render::clean(&shown)),
    )
}
