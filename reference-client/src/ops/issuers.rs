//! Issuers: those that a project is spread over, with the token for each.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Session;
use crate::error::Error;
use crate::issuer::IssuerId;
use crate::issuers::{MOST, Named};
use crate::render::{Outcome, table};
use crate::token::Token;

/// Name the issuers that you use, so that `clp due` and `clp rotate --project` find them all
///
/// A token is never kept here: what is kept is where its private file is.
#[derive(Args, Debug)]
pub(crate) struct IssuersArgs {
    #[command(subcommand)]
    command: Option<IssuersCommand>,
}

#[derive(Subcommand, Debug)]
enum IssuersCommand {
    /// Remember an issuer
    Add {
        /// Issuer identifier, such as https://api.example.com
        id: String,
        /// A file that holds your token there and that only you can read
        file: PathBuf,
    },
    /// Forget an issuer
    Remove {
        /// Issuer identifier
        id: String,
    },
}

pub(crate) fn run(args: &IssuersArgs, session: &Session) -> Result<Outcome, Error> {
    let issuers = session.home.issuers();
    match &args.command {
        Some(IssuersCommand::Add { id, file }) => {
            let id: IssuerId = id.parse()?;
            session.settings.policy.check_url(id.url())?;
            // One that cannot be used is better refused now than by night.
            Token::from_file(file)?;
            let token_file =
                std::path::absolute(file).map_err(crate::error::LocalFault::file("find", file))?;
            if !issuers.put(id.as_str(), Named { token_file })? {
                return Err(Error::usage(format!(
                    "there are {MOST} issuers already: remove one with `clp issuers remove`"
                )));
            }
        }
        Some(IssuersCommand::Remove { id }) => {
            let id: IssuerId = id.parse()?;
            if !issuers.remove(id.as_str())? {
                return Err(Error::usage(
                    "there is no such issuer here: see what there is with `clp issuers`",
                ));
            }
        }
        None => {}
    }
    let all = issuers.all()?;
    let rows = all
        .iter()
        .map(|(id, named)| vec![id.clone(), named.token_file.display().to_string()]);
    let text = table(&["issuer", "token file"], rows, "no issuer is named");
    let items: Vec<_> = all
        .iter()
        .map(|(id, named)| json!({"issuer": id, "token_file": named.token_file}))
        .collect();
    Outcome::new(&json!({"items": items}), text)
}
