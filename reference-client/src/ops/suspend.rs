//! Suspend and resume: stop a credential for now (spec chapter 19).

use clap::Args;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{Credential, CredentialPath};
use clp_schemas::ops::revoke::{CredentialResume, CredentialSuspend, NoteBody, SuspensionBody};
use clp_schemas::state::credential::State;

use super::Session;
use super::revoke::Reason;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{self, Outcome};
use crate::tagged::Tagged;

impl Client {
    /// Stops a credential until somebody lets it work again.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer says otherwise.
    pub async fn suspend(
        &self,
        id: &CredentialId,
        body: &SuspensionBody,
    ) -> Result<Credential, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let credential = self
            .call::<CredentialSuspend>(&path, &Nothing {}, body)
            .await?;
        match credential.id == *id && credential.state == State::Suspended {
            true => Ok(credential),
            false => Err(ProtocolFault::Mismatch("the credential was not suspended").into()),
        }
    }

    /// Lets a credential work again, as it was seen.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer says otherwise.
    pub async fn resume(
        &self,
        seen: &Tagged<Credential>,
        note: Option<String>,
    ) -> Result<Credential, Error> {
        let path = CredentialPath {
            credential_id: seen.value.id.clone(),
        };
        let body = NoteBody { note };
        let credential = self
            .change::<CredentialResume>(&path, &body, seen.condition()?)
            .await?
            .value;
        match credential.id == seen.value.id && credential.state.opens() {
            true => Ok(credential),
            false => Err(ProtocolFault::Mismatch("the credential does not work again").into()),
        }
    }
}

/// Stop a credential until somebody lets it work again
#[derive(Args, Debug)]
pub(crate) struct SuspendArgs {
    /// The credential
    id: CredentialId,
    /// Why
    #[arg(long, value_enum)]
    reason: Reason,
    /// Why, in your words; never put a secret here
    #[arg(long)]
    note: Option<String>,
}

/// Let a suspended credential work again
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// The credential
    id: CredentialId,
    /// Why, in your words; never put a secret here
    #[arg(long)]
    note: Option<String>,
}

pub(crate) async fn suspend(args: &SuspendArgs, session: &Session) -> Result<Outcome, Error> {
    let body = SuspensionBody {
        reason: args.reason.into(),
        note: args.note.clone(),
    };
    let credential = session.client()?.suspend(&args.id, &body).await?;
    let text = format!(
        "{}next: run `clp resume {}` to let it work again, or revoke it\n",
        render::credential(&credential),
        args.id
    );
    Outcome::new(&credential, text)
}

pub(crate) async fn resume(args: &ResumeArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let seen = client.credential_tagged(&args.id).await?;
    if let Some(stopped) = &seen.value.suspension {
        session.say(&format!(
            "suspended at {} by {}: {}\n",
            stopped.at, stopped.by, stopped.reason
        ));
    }
    let credential = client.resume(&seen, args.note.clone()).await?;
    Outcome::new(&credential, render::credential(&credential))
}
