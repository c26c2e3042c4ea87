//! A rotation whose successor opens less: the whole way, from minting it to the end of the
//! old one.

use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::Credential;
use clp_schemas::permissions::PermissionSet;
use url::Url;

use super::args::{Reason, RotateArgs};
use super::{Ground, begin, known};
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::ops::Session;
use crate::render::Outcome;
use crate::wanted::Span;

/// How a narrower credential takes the place of another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replacement {
    /// For so long the old one has to be unused.
    pub(crate) quiet: Option<Span>,
    /// Each place is seen to work by a GET of this.
    pub(crate) health: Option<Url>,
    /// Or by this command.
    pub(crate) health_cmd: Option<String>,
    /// For so long the gates are waited for.
    pub(crate) wait: Option<Span>,
    /// No place uses it, somebody said.
    pub(crate) no_places: bool,
}

impl Replacement {
    fn rotation(&self, id: &CredentialId) -> RotateArgs {
        RotateArgs {
            quiet: self.quiet,
            health: self.health.clone(),
            health_cmd: self.health_cmd.clone(),
            wait: self.wait,
            no_places: self.no_places,
            ..RotateArgs::of(id.clone(), Reason::Policy)
        }
    }

    /// Rotates a credential into one that opens `permissions`: mints it, brings it to the
    /// places, sees that they work, and lets the old one go when the gates allow it.
    ///
    /// # Errors
    /// As `clp rotate`.
    pub(crate) async fn carry_out(
        &self,
        id: &CredentialId,
        permissions: PermissionSet,
        client: &Client,
        session: &Session,
    ) -> Result<Outcome, Error> {
        let ground = Ground::alone(client, session);
        begin(id, &self.rotation(id), Some(permissions), &ground).await
    }

    /// What is to replace a credential that is `retiring`.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] if nothing is named.
    pub(crate) async fn successor(
        &self,
        predecessor: &Credential,
        client: &Client,
    ) -> Result<Credential, Error> {
        let unnamed = || ProtocolFault::Mismatch("a retiring credential without its successor");
        let successor = predecessor.successor.as_ref().ok_or_else(unnamed)?;
        client.credential(successor).await
    }

    /// Goes on with what an earlier run has begun.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] if no rotation is named; otherwise as `clp rotate`.
    pub(crate) async fn go_on(
        &self,
        successor: Credential,
        predecessor: &Credential,
        client: &Client,
        session: &Session,
    ) -> Result<Outcome, Error> {
        let unnamed = || ProtocolFault::Mismatch("a retiring credential without its rotation");
        let rotation = successor.created_via.rotation_id.ok_or_else(unnamed)?;
        let args = self.rotation(&predecessor.id);
        let ground = Ground::alone(client, session);
        let _held = ground.hold(&predecessor.id)?;
        let record = known(&rotation, &ground).await?;
        ground.drive(record, &args).forward().await
    }
}
