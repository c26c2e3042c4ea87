//! Run: start a program that gets a stored secret, or an access token, in its environment
//! (CLP-INJ-009).

use std::ffi::OsString;

use clap::Args;
use clp_schemas::ids::CredentialId;

use super::Session;
use crate::error::Error;
use crate::render::Outcome;
use crate::targets::{child, variable};

/// Start a program with a stored secret in its environment
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The credential
    id: CredentialId,
    /// The variable
    #[arg(long, value_name = "VARIABLE", value_parser = variable)]
    name: String,
    /// Hand over an access token instead of the secret
    #[arg(long)]
    token: bool,
    /// Only these rights, as type:action names
    #[arg(long, requires = "token")]
    scope: Option<String>,
    /// The program and its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(args: &RunArgs, session: &Session) -> Result<Outcome, Error> {
    let secret = match args.token {
        true => {
            let client = session.client()?;
            let entry = session.entry(client.id(), &args.id)?;
            let scope = args.scope.as_deref();
            let answer = client
                .access_token(entry.kind, &args.id, &entry.secret, scope)
                .await?;
            answer.access_token
        }
        // What is stored is enough: no issuer is asked.
        false => session.stored(&args.id)?.secret,
    };
    let mut command = args.command.clone();
    if session.sabotage().breaks("CLP-INJ-009") {
        command.push(secret.expose().into());
    }
    Err(child::become_program(&command, &args.name, secret.expose()))
}
