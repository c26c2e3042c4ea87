//! Due: which credentials are to be replaced, and why (spec chapter 18).

mod reasons;

use clap::Args;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::{Credential, ListQuery};
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::{Error, Exit, ProtocolFault};
use crate::render::{Outcome, clean, table};
use crate::wanted::Span;
use reasons::{Why, is_helped, reasons};

/// Most credentials of one issuer that are looked at.
pub(super) const MOST: usize = 10_000;
/// What is looked ahead, where nothing else is said: a week, in seconds.
pub(super) const AHEAD: u64 = 604_800;

/// A credential that is due.
#[derive(Debug, Serialize)]
pub(crate) struct Due {
    pub(super) issuer: String,
    pub(super) credential_id: CredentialId,
    purpose: String,
    owner: String,
    project: String,
    environment: String,
    state: State,
    /// Soonest first.
    why: Vec<Why>,
    /// Whether `clp rotate --due` would begin with it now.
    pub(super) rotatable: bool,
}

/// What was asked of one issuer.
pub(super) struct Asked {
    /// What is due, soonest first, with the credential.
    pub(super) due: Vec<(Due, Credential)>,
    /// Whether there were more credentials than are looked at.
    pub(super) more: bool,
}

/// The credentials of a project at one issuer, or all that may be seen, and whether there are
/// more. Whatever is done with them is done to them alone, so what was not asked for is a fault.
///
/// # Errors
/// As every call; [`ProtocolFault::Mismatch`] for one of another project.
pub(super) async fn listed(
    client: &Client,
    project: Option<&str>,
) -> Result<(Vec<Credential>, bool), Error> {
    let query = ListQuery {
        project: project.map(str::to_owned),
        ..ListQuery::default()
    };
    let (all, more) = client.list(&query, MOST).await?;
    match project.is_some_and(|name| all.iter().any(|one| one.project != name)) {
        true => Err(ProtocolFault::Mismatch("the list has another project").into()),
        false => Ok((all, more)),
    }
}

/// Asks one issuer what is due within so many seconds.
///
/// # Errors
/// As every call.
pub(super) async fn ask(
    client: &Client,
    project: Option<&str>,
    ahead: u64,
) -> Result<Asked, Error> {
    let now = Timestamp::system_now();
    let until = now.plus(i64::try_from(ahead).unwrap_or(i64::MAX));
    let (all, more) = listed(client, project).await?;
    let mut due = Vec::new();
    for credential in &all {
        let replaced_at = match (&credential.successor, credential.state) {
            (Some(id), State::Retiring) => Some(match all.iter().find(|one| one.id == *id) {
                Some(successor) => successor.created_at,
                None => client.credential(id).await?.created_at,
            }),
            _ => None,
        };
        let why = match client.sabotage.breaks("CLP-ROT-042") {
            true => Vec::new(),
            false => reasons(credential, replaced_at, until),
        };
        if !why.is_empty() {
            let one = Due {
                issuer: client.id().as_str().to_owned(),
                credential_id: credential.id.clone(),
                purpose: credential.purpose.clone(),
                owner: credential.owner.clone(),
                project: credential.project.clone(),
                environment: credential.environment.clone(),
                state: credential.state,
                rotatable: is_helped(credential, &why, now),
                why,
            };
            due.push((one, credential.clone()));
        }
    }
    due.sort_by_key(|(one, _)| one.why.first().map(Why::at));
    Ok(Asked { due, more })
}

/// List the credentials that are due, and why
#[derive(Args, Debug)]
pub(crate) struct DueArgs {
    /// Of this project
    #[arg(long)]
    project: Option<String>,
    /// What will be due within this time too [default: 7d]
    #[arg(long, value_name = "SPAN")]
    within: Option<Span>,
}

pub(crate) async fn run(args: &DueArgs, session: &Session) -> Result<Outcome, Error> {
    let ahead = args.within.map_or(AHEAD, |span| span.seconds);
    let clients = session.clients()?;
    let (mut due, mut unasked) = (Vec::new(), Vec::new());
    let mut text = String::new();
    let mut exit = None;
    for client in &clients {
        match ask(client, args.project.as_deref(), ahead).await {
            Ok(asked) => {
                if asked.more {
                    let line = format!("{} has more than {MOST}: not all were seen", client.id());
                    text.push_str(&format!("{}\n", clean(&line)));
                    unasked.push(json!({"issuer": client.id().as_str(), "error": "too many"}));
                }
                due.extend(asked.due.into_iter().map(|(one, _)| one));
            }
            Err(fault) => {
                text.push_str(&format!("{} was not asked: {fault}\n", client.id()));
                unasked.push(json!({"issuer": client.id().as_str(), "error": fault.to_string()}));
                exit = exit.or(Some(fault.exit()));
            }
        }
    }
    due.sort_by_key(|one| one.why.first().map(Why::at));
    // What was not seen may be due.
    let exit = exit.unwrap_or(match due.is_empty() && unasked.is_empty() {
        true => Exit::Done,
        false => Exit::Due,
    });
    let text = format!("{}{text}", told(&due));
    let outcome = Outcome::new(&json!({"items": due, "not_asked": unasked}), text)?;
    Ok(outcome.ending(exit))
}

fn told(due: &[Due]) -> String {
    let rows = due.iter().map(|one| {
        let why: Vec<String> = one.why.iter().map(Why::to_string).collect();
        vec![
            one.credential_id.to_string(),
            one.purpose.clone(),
            one.project.clone(),
            one.environment.clone(),
            one.state.to_string(),
            why.join("; "),
        ]
    });
    let header = [
        "credential",
        "purpose",
        "project",
        "environment",
        "state",
        "why",
    ];
    let mut text = table(&header, rows, "nothing is due");
    if due.iter().any(|one| one.rotatable) {
        text.push_str("next: run `clp rotate --due`, with --dry-run to see what it would do\n");
    }
    text
}
