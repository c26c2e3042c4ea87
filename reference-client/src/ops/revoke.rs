//! Revoke: end a credential for good (spec chapter 19).

use clap::{Args, ValueEnum};
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{Credential, CredentialPath};
use clp_schemas::ops::revoke::{
    CredentialRevoke, RevocationBody, RevocationMode, RevocationReason,
};
use clp_schemas::state::credential::State;

use super::Session;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{self, Outcome};
use crate::store::Store;
use crate::token::Token;

impl Client {
    /// Ends a credential: now, or only if the gates of its rotation are met. Doing it twice is
    /// the same as doing it once.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] if the answer is about another credential, or one that
    /// still lives; otherwise as every call.
    pub async fn revoke(
        &self,
        id: &CredentialId,
        mode: RevocationMode,
        reason: RevocationReason,
        note: Option<String>,
    ) -> Result<Credential, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let body = RevocationBody { mode, reason, note };
        let credential = self
            .call::<CredentialRevoke>(&path, &Nothing {}, &body)
            .await?;
        if credential.id != *id || credential.state.is_live() {
            return Err(ProtocolFault::Mismatch("the credential did not end").into());
        }
        Ok(credential)
    }

    /// Refuses to end a predecessor while the secret of its successor is not stored
    /// (CLP-ROT-014).
    async fn require_successor(&self, id: &CredentialId, store: &Store) -> Result<(), Error> {
        let credential = self.credential(id).await?;
        let issuer = self.id().as_str();
        match (&credential.successor, credential.state) {
            (Some(successor), State::Retiring) if !store.holds(issuer, successor)? => {
                Err(Error::usage(
                    "the secret of its successor is not in the store: fetch it with `clp store get`, \
                 or add --stored-elsewhere if another program keeps it",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Why a credential is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// It may be known to somebody who should not know it
    Compromise,
    /// A successor took over
    Superseded,
    /// Nothing uses it
    NoLongerNeeded,
    /// A policy asks for it
    Policy,
    /// Somebody else answers for it from now on
    Handover,
    /// None of these
    Other,
}

impl From<Reason> for RevocationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Compromise => Self::Compromise,
            Reason::Superseded => Self::Superseded,
            Reason::NoLongerNeeded => Self::NoLongerNeeded,
            Reason::Policy => Self::Policy,
            Reason::Handover => Self::Handover,
            Reason::Other => Self::Other,
        }
    }
}

/// End a credential for good
#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// The credential
    id: CredentialId,
    /// Why; `compromise` ends it whatever depends on it
    #[arg(long, value_enum, required_unless_present = "after_migration")]
    reason: Option<Reason>,
    /// Only if every gate of its rotation is met, and otherwise not at all
    #[arg(long, conflicts_with = "with_own_key")]
    after_migration: bool,
    /// Why, in your words; never put a secret here
    #[arg(long)]
    note: Option<String>,
    /// Authenticate with the stored key itself instead of a principal's token
    ///
    /// A key cannot read whether it has a successor. That is asked with CLP_TOKEN before; where
    /// there is no token, say --stored-elsewhere, or --reason compromise.
    #[arg(long = "with-own-key")]
    with_own_key: bool,
    /// There is no successor, or its secret is kept by another program than this one
    #[arg(long)]
    stored_elsewhere: bool,
}

pub(crate) async fn run(args: &RevokeArgs, session: &Session) -> Result<Outcome, Error> {
    let mut client = session.client()?;
    let store = session.home.store();
    let reason = args.reason.unwrap_or(Reason::Superseded);
    let mode = match args.after_migration {
        true => RevocationMode::AfterMigration,
        false => RevocationMode::Immediate,
    };
    let rotations = session.home.rotations(client.id());
    if reason != Reason::Compromise && rotations.is_unhealthy(&args.id)? {
        return Err(Error::usage(
            "a health check of its successor has failed: run `clp rotate --resume` or `clp rotate --rollback` first",
        ));
    }
    if reason != Reason::Compromise && !args.stored_elsewhere {
        // A key may end itself and read nothing: only a principal can ask after its successor.
        if client.token().is_err() {
            return Err(Error::usage(
                "without a principal's token it cannot be seen whether there is a successor \
                 whose secret is not stored: set CLP_TOKEN, or add --stored-elsewhere",
            ));
        }
        client.require_successor(&args.id, &store).await?;
    }
    if args.with_own_key {
        let entry = session.entry(client.id(), &args.id)?;
        client = client.with_token(Token::new(entry.secret.expose())?);
    }
    let credential = client
        .revoke(&args.id, mode, reason.into(), args.note.clone())
        .await?;
    let reach = match client.issuer().await?.manifest.max_propagation_seconds {
        Some(0) => "every resource obeys at once\n".to_owned(),
        Some(seconds) => format!("every resource obeys within {seconds} seconds\n"),
        None => "the issuer does not say how soon every resource obeys\n".to_owned(),
    };
    let state = match credential.state {
        State::Expired => "it had ended by itself before\n",
        _ => "",
    };
    let text = format!("{}{state}{reach}", render::credential(&credential));
    Outcome::new(&credential, text)
}
