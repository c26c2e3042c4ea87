//! Rotate: mint a successor and store its secret, while the predecessor still works (spec
//! chapter 18).

use clap::{Args, ValueEnum};
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::{Credential, CredentialPath};
use clp_schemas::ops::rotate::{Rotation, RotationBody, RotationOpen, RotationReason};
use clp_schemas::problem::ProblemType;
use clp_schemas::time::Timestamp;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{Facts, Outcome};

impl Client {
    /// Begins a rotation, with a key that the caller keeps for repetitions. The successor's
    /// secret is fetched apart, with [`Client::store_secret`].
    ///
    /// # Errors
    /// [`ProtocolFault::TooBroad`] if the successor opens more than its predecessor;
    /// [`ProtocolFault::Mismatch`] if the rotation is of another credential; otherwise as
    /// every call.
    pub async fn rotate(
        &self,
        predecessor: &Credential,
        body: &RotationBody,
        key: &str,
    ) -> Result<Rotation, Error> {
        let path = CredentialPath {
            credential_id: predecessor.id.clone(),
        };
        let rotation = self.call_with_key::<RotationOpen>(&path, body, key).await?;
        let successor = &rotation.credential;
        let belongs = rotation.predecessor == predecessor.id
            && rotation.successor == successor.id
            && successor.id != predecessor.id
            && successor.project == predecessor.project
            && successor.environment == predecessor.environment;
        if !belongs {
            return Err(ProtocolFault::Mismatch("the rotation").into());
        }
        self.require_within(successor, &predecessor.permissions)
            .await?;
        Ok(rotation)
    }
}

/// Why a credential is rotated.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// It is time
    Scheduled,
    /// It may be known to somebody who should not know it
    Compromise,
    /// A policy asks for it
    Policy,
    /// Somebody else answers for it from now on
    Handover,
}

impl From<Reason> for RotationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Scheduled => Self::Scheduled,
            Reason::Compromise => Self::Compromise,
            Reason::Policy => Self::Policy,
            Reason::Handover => Self::Handover,
        }
    }
}

/// Mint a successor and store its secret; the old key works on until you revoke it
#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// The credential to replace
    id: CredentialId,
    /// Why
    #[arg(long, value_enum, default_value = "scheduled")]
    reason: Reason,
    /// When the successor is to end by itself [example: 2027-01-31T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// Leave the secret where it is; fetch it within 15 minutes with `clp store get`
    #[arg(long)]
    no_store: bool,
}

pub(crate) async fn run(args: &RotateArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let store = session.home.store();
    if !args.no_store {
        store.prepare()?;
    }
    let predecessor = client.credential(&args.id).await?;
    let body = RotationBody {
        reason: args.reason.into(),
        expires_at: args.expires_at,
    };
    let meaning = json!({"credential": args.id, "body": json!(body)});
    let begun = session.begin(&client, "rotation_open", meaning, body)?;
    let rotation = match client.rotate(&predecessor, &begun.body, &begun.key).await {
        Ok(rotation) => rotation,
        Err(fault) => {
            if matches!(fault, Error::Refused(_)) && fault.exit() == crate::error::Exit::Refused {
                begun.finish()?;
            }
            return Err(fault);
        }
    };
    if !args.no_store {
        let stored = client.store_secret(&rotation.credential, &store).await;
        let gone = stored
            .as_ref()
            .is_err_and(|fault| fault.problem() == Some(ProblemType::DeliveryGone));
        if gone {
            begun.finish()?;
        }
        stored?;
    }
    begun.finish()?;
    Outcome::new(&rotation, text(&rotation, args.no_store))
}

fn text(rotation: &Rotation, no_store: bool) -> String {
    let mut facts = Facts::default();
    facts
        .add("rotation", rotation.id.as_str())
        .add(
            "predecessor",
            format!("{} (still works)", rotation.predecessor),
        )
        .add("successor", rotation.successor.as_str())
        .add_some("successor ends", rotation.credential.expires_at);
    let first = match no_store {
        true => format!(
            "run `clp store get {}` before the delivery is over",
            rotation.successor
        ),
        false => "the successor is stored".to_owned(),
    };
    format!(
        "{}{first}\nnext: bring the successor to every place that uses the predecessor, see that each works with it,\nthen run `clp revoke {} --reason superseded`\n",
        facts.text(),
        rotation.predecessor
    )
}
