//! Amend: another owner, other labels, an earlier end (spec chapter 13).

use clap::Args;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::{
    AmendBody, Credential, CredentialAmend, CredentialPath, CredentialRead, Labels,
};
use clp_schemas::time::Timestamp;

use super::Session;
use super::create::label;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{self, Outcome, clean};
use crate::tagged::Tagged;

impl Client {
    /// Reads a credential, to decide on a change of it.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn credential_tagged(&self, id: &CredentialId) -> Result<Tagged<Credential>, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let seen = self.call_tagged::<CredentialRead>(&path).await?;
        match seen.value.id == *id {
            true => Ok(seen),
            false => Err(ProtocolFault::Mismatch("the credential").into()),
        }
    }

    /// Changes a credential as it was seen.
    ///
    /// # Errors
    /// [`clp_schemas::problem::ProblemType::PreconditionFailed`] if somebody changed it
    /// meanwhile; otherwise as every call.
    pub async fn amend(
        &self,
        seen: &Tagged<Credential>,
        body: &AmendBody,
    ) -> Result<Credential, Error> {
        let path = CredentialPath {
            credential_id: seen.value.id.clone(),
        };
        let changed = self
            .change::<CredentialAmend>(&path, body, seen.condition()?)
            .await?
            .value;
        match changed.id == seen.value.id {
            true => Ok(changed),
            false => Err(ProtocolFault::Mismatch("the credential").into()),
        }
    }
}

/// Change who answers for a credential, its labels, or when it ends
#[derive(Args, Debug)]
pub(crate) struct AmendArgs {
    /// The credential
    id: CredentialId,
    /// Person or team that answers for it from now on
    #[arg(long)]
    owner: Option<String>,
    /// Set this label; repeat for more. All others go
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Take every label away
    #[arg(long, conflicts_with = "label")]
    no_labels: bool,
    /// When it is to end by itself, earlier than before
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
}

pub(crate) async fn run(args: &AmendArgs, session: &Session) -> Result<Outcome, Error> {
    let labels = (args.no_labels || !args.label.is_empty())
        .then(|| Labels::from_iter(args.label.iter().cloned()));
    let body = AmendBody {
        owner: args.owner.clone(),
        labels,
        expires_at: args.expires_at,
    };
    if body == AmendBody::default() {
        return Err(Error::usage(
            "nothing to change: give --owner, --label, --no-labels or --expires-at",
        ));
    }
    let client = session.client()?;
    let seen = client.credential_tagged(&args.id).await?;
    let lines = differences(&seen.value, &body);
    session.say(&lines);
    let changed = client.amend(&seen, &body).await?;
    Outcome::new(&changed, render::credential(&changed))
}

/// What a change changes, before it does.
fn differences(before: &Credential, body: &AmendBody) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, old: &str, new: &str| {
        if old != new {
            lines.push_str(&format!("{name}: {} -> {}\n", clean(old), clean(new)));
        }
    };
    if let Some(owner) = &body.owner {
        line("owner", &before.owner, owner);
    }
    if let Some(end) = body.expires_at {
        let old = before
            .expires_at
            .map_or("never".to_owned(), |end| end.to_string());
        line("expires", &old, &end.to_string());
    }
    if let Some(labels) = &body.labels {
        line("labels", &written(&before.labels), &written(labels));
    }
    match lines.is_empty() {
        true => "nothing changes\n".to_owned(),
        false => lines,
    }
}

fn written(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match pairs.is_empty() {
        true => "none".to_owned(),
        false => pairs.join(", "),
    }
}
