//! List credentials (spec chapter 13).

use clap::Args;
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{
    Credential, CredentialList, CredentialPage, ListQuery, SubjectKind,
};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::state::credential;
use clp_schemas::time::Timestamp;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::Error;
use crate::render::{self, Outcome};

impl Client {
    /// Lists credentials over as many pages as it takes, up to `most`; says whether there
    /// are more.
    ///
    /// # Errors
    /// As every call.
    pub async fn list(
        &self,
        query: &ListQuery,
        most: usize,
    ) -> Result<(Vec<Credential>, bool), Error> {
        let mut query = query.clone();
        let mut items = Vec::new();
        loop {
            let left = most.saturating_sub(items.len()).clamp(1, 200);
            query.limit = u32::try_from(left).ok();
            let page: CredentialPage = self
                .call::<CredentialList>(&Nothing {}, &query, &Nothing {})
                .await?;
            // A page that holds nothing and goes on would go on for ever.
            let empty = page.items.is_empty();
            items.extend(page.items);
            query.cursor = page.next_cursor;
            let more = query.cursor.is_some();
            if empty || !more || items.len() >= most {
                let over = items.len() > most;
                items.truncate(most);
                return Ok((items, more || over));
            }
        }
    }
}

/// List credentials, newest first
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Of this project
    #[arg(long)]
    project: Option<String>,
    /// Of this environment
    #[arg(long)]
    environment: Option<String>,
    /// Of this owner
    #[arg(long)]
    owner: Option<String>,
    /// Whose secret this principal has seen
    #[arg(long, value_name = "ID")]
    disclosed_to: Option<PrincipalId>,
    /// In this state
    #[arg(long, value_parser = state)]
    state: Option<credential::State>,
    /// Of this kind
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: Option<CredentialType>,
    /// That end by themselves before this
    #[arg(long, value_name = "TIME")]
    expires_before: Option<Timestamp>,
    /// For this kind of subject
    #[arg(long, value_name = "KIND", value_parser = subject_kind)]
    subject_kind: Option<SubjectKind>,
    /// For the subject of this name
    #[arg(long, value_name = "NAME")]
    subject_id: Option<String>,
    /// Whose purpose holds this text
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// With this label
    #[arg(long, value_name = "NAME=VALUE")]
    label: Option<String>,
    /// Whose rotation policy wants them rotated before this
    #[arg(long, value_name = "TIME")]
    rotate_before: Option<Timestamp>,
    /// At most so many
    #[arg(long, default_value_t = 200, value_name = "COUNT")]
    limit: usize,
}

fn subject_kind(text: &str) -> Result<SubjectKind, &'static str> {
    SubjectKind::from_name(text).ok_or("want user, workload, agent, task, project or environment")
}

fn state(text: &str) -> Result<credential::State, &'static str> {
    credential::State::from_name(text)
        .ok_or("want provisioned, active, retiring, suspended, revoked or expired")
}

fn kind(text: &str) -> Result<CredentialType, &'static str> {
    CredentialType::from_name(text)
        .ok_or("want api_key, oauth_client, webhook_secret or service_account")
}

pub(crate) async fn run(args: &ListArgs, session: &Session) -> Result<Outcome, Error> {
    let query = ListQuery {
        project: args.project.clone(),
        environment: args.environment.clone(),
        owner: args.owner.clone(),
        disclosed_to: args.disclosed_to.clone(),
        state: args.state,
        kind: args.kind,
        expires_before: args.expires_before,
        subject_kind: args.subject_kind,
        subject_id: args.subject_id.clone(),
        purpose: args.purpose.clone(),
        label: args.label.clone(),
        rotate_before: args.rotate_before,
        limit: None,
        cursor: None,
    };
    let (items, more) = session.client()?.list(&query, args.limit.max(1)).await?;
    let rest = match more {
        true => "there are more; raise --limit or filter\n",
        false => "",
    };
    let text = format!("{}{rest}", render::credentials(&items));
    Outcome::new(&json!({"items": items, "more": more}), text)
}
