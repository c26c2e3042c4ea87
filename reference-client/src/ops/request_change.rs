//! Change a request, or take it back (spec chapter 11).

use clap::{Args, Subcommand};
use clp_schemas::ids::RequestId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::Subject;
use clp_schemas::ops::request::{
    AmendRequestBody, CredentialRequest, RequestAmend, RequestCancel, RequestPath, RequestRead,
};
use clp_schemas::state::request::State;

use super::Session;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{self, Outcome};
use crate::tagged::Tagged;
use crate::wanted::{PermissionArgs, Span, subject};

impl Client {
    /// Reads a request, to decide on a change of it.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn request_tagged(&self, id: &RequestId) -> Result<Tagged<CredentialRequest>, Error> {
        let path = RequestPath {
            request_id: id.clone(),
        };
        let seen = self.call_tagged::<RequestRead>(&path).await?;
        match seen.value.id == *id {
            true => Ok(seen),
            false => Err(ProtocolFault::Mismatch("the request").into()),
        }
    }

    /// Changes a request as it was seen. It has to be decided on anew.
    ///
    /// # Errors
    /// [`clp_schemas::problem::ProblemType::PreconditionFailed`] if it changed meanwhile;
    /// [`ProtocolFault::Mismatch`] if the answer is about another, or about the same version;
    /// otherwise as every call.
    pub async fn amend_request(
        &self,
        seen: &Tagged<CredentialRequest>,
        body: &AmendRequestBody,
    ) -> Result<CredentialRequest, Error> {
        let path = RequestPath {
            request_id: seen.value.id.clone(),
        };
        let changed = self
            .change::<RequestAmend>(&path, body, seen.condition()?)
            .await?
            .value;
        match changed.id == seen.value.id && changed.version > seen.value.version {
            true => Ok(changed),
            false => Err(ProtocolFault::Mismatch("the request did not change").into()),
        }
    }

    /// Takes a request back as it was seen.
    ///
    /// # Errors
    /// As [`Client::amend_request`]; [`ProtocolFault::Mismatch`] if it was not taken back.
    pub async fn cancel_request(
        &self,
        seen: &Tagged<CredentialRequest>,
    ) -> Result<CredentialRequest, Error> {
        let path = RequestPath {
            request_id: seen.value.id.clone(),
        };
        let changed = self
            .change::<RequestCancel>(&path, &Nothing {}, seen.condition()?)
            .await?
            .value;
        match changed.id == seen.value.id && changed.state == State::Cancelled {
            true => Ok(changed),
            false => Err(ProtocolFault::Mismatch("the request was not taken back").into()),
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum ChangeCommand {
    Amend(Box<AmendArgs>),
    Cancel(CancelArgs),
}

/// Change what was asked for; whoever had agreed has to agree again
#[derive(Args, Debug)]
pub(crate) struct AmendArgs {
    /// The request
    request: RequestId,
    #[command(flatten)]
    permissions: PermissionArgs,
    /// What it is for, in a sentence
    #[arg(long)]
    purpose: Option<String>,
    /// Person or team that answers for it
    #[arg(long)]
    owner: Option<String>,
    /// Who or what will use it [example: workload:nightly-import]
    #[arg(long, value_name = "KIND:NAME", value_parser = subject)]
    subject: Option<Subject>,
    /// How long the credential is to live once created [example: 12h]
    #[arg(long, value_name = "SPAN")]
    lifetime: Option<Span>,
    /// Your own words to whoever decides
    #[arg(long)]
    justification: Option<String>,
    /// Why it cannot wait for as many people as it would otherwise take
    #[arg(long, value_name = "WHY")]
    emergency: Option<String>,
}

/// Take a request back; whatever was agreed to goes with it
#[derive(Args, Debug)]
pub(crate) struct CancelArgs {
    /// The request
    request: RequestId,
}

pub(crate) async fn run(command: &ChangeCommand, session: &Session) -> Result<Outcome, Error> {
    match command {
        ChangeCommand::Amend(args) => amend(args, session).await,
        ChangeCommand::Cancel(args) => cancel(args, session).await,
    }
}

async fn amend(args: &AmendArgs, session: &Session) -> Result<Outcome, Error> {
    let body = AmendRequestBody {
        permissions: match args.permissions.given() {
            true => Some(args.permissions.set()?),
            false => None,
        },
        purpose: args.purpose.clone(),
        owner: args.owner.clone(),
        subject: args.subject.clone(),
        lifetime_seconds: args.lifetime.map(|span| span.seconds),
        justification: args.justification.clone(),
        emergency: args.emergency.clone(),
        ..AmendRequestBody::default()
    };
    if body == AmendRequestBody::default() {
        return Err(Error::usage(
            "nothing to change: give --allow, --permissions, --purpose, --owner, --subject, \
             --lifetime, --justification or --emergency",
        ));
    }
    let client = session.client()?;
    let seen = client.request_tagged(&args.request).await?;
    let changed = client.amend_request(&seen, &body).await?;
    let next = format!(
        "next: have somebody run `clp approve {}`; what was agreed to before does not count\n",
        changed.id
    );
    let next = match changed.state {
        State::PendingApproval => next,
        _ => String::new(),
    };
    Outcome::new(&changed, format!("{}{next}", render::request(&changed)))
}

async fn cancel(args: &CancelArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let seen = client.request_tagged(&args.request).await?;
    let changed = client.cancel_request(&seen).await?;
    Outcome::new(&changed, render::request(&changed))
}
