//! Request: ask for a credential that somebody has to approve, and wait for them (spec
//! chapter 11).

use std::time::Duration;

use clap::Args;
use clp_schemas::ids::RequestId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{Subject, SubjectKind};
use clp_schemas::ops::request::{
    CredentialRequest, RequestBody, RequestOpen, RequestPath, RequestRead,
};
use clp_schemas::state::request::State;
use serde_json::json;
use tokio::time::Instant;

use super::Session;
use super::request_change::{self, ChangeCommand};
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::pair::Pair;
use crate::render::{self, Outcome};
use crate::wanted::{AboutArgs, KindArgs, PermissionArgs, Span};

impl Client {
    /// Reads a request.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn request(&self, id: &RequestId) -> Result<CredentialRequest, Error> {
        let path = RequestPath {
            request_id: id.clone(),
        };
        let request = self
            .call::<RequestRead>(&path, &Nothing {}, &Nothing {})
            .await?;
        if request.id != *id {
            return Err(ProtocolFault::Mismatch("the request").into());
        }
        Ok(request)
    }

    /// Reads a request until it is decided on, no faster than its `interval`
    /// (CLP-REQ-010), for at most `patience`.
    ///
    /// # Errors
    /// [`Error::Waiting`] if nobody has decided by then; otherwise as [`Client::request`].
    pub async fn wait_for_decision(
        &self,
        id: &RequestId,
        patience: Duration,
    ) -> Result<CredentialRequest, Error> {
        let deadline = Instant::now() + patience;
        loop {
            let request = self.request(id).await?;
            if request.state != State::PendingApproval {
                return Ok(request);
            }
            // The schema says 1 to 3600; what lies outside is taken as the nearest bound.
            let mut pause = Duration::from_secs(request.interval.clamp(1, 3600));
            if self.sabotage.breaks("CLP-REQ-010") {
                pause = Duration::from_millis(100);
            }
            let next = Instant::now() + pause;
            if next > deadline {
                return Err(Error::Waiting {
                    id: request.id,
                    approval_uri: request.approval_uri,
                });
            }
            tokio::time::sleep_until(next).await;
        }
    }
}

/// How long a command waits for a person.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WaitArgs {
    /// Wait until somebody decides, by default for at most 15 minutes [example: --wait=1h]
    #[arg(long, value_name = "SPAN", num_args = 0..=1, require_equals = true, default_missing_value = "15m")]
    wait: Option<Span>,
}

impl WaitArgs {
    pub(crate) fn patience(self) -> Option<Duration> {
        self.wait.map(|span| Duration::from_secs(span.seconds))
    }
}

/// Ask for a credential that somebody has to approve
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    about: AboutArgs,
    #[command(flatten)]
    permissions: PermissionArgs,
    #[command(flatten)]
    kind: KindArgs,
    /// How long the credential is to live once created [example: 12h]
    // Asked for by hand, since the commands below go without.
    #[arg(long, value_name = "SPAN", required = true)]
    lifetime: Option<Span>,
    /// Your own words to whoever decides
    #[arg(long)]
    justification: Option<String>,
    /// Why it cannot wait for as many people as it would otherwise take
    #[arg(long, value_name = "WHY")]
    emergency: Option<String>,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(subcommand)]
    change: Option<ChangeCommand>,
}

pub(crate) async fn run(args: &RequestArgs, session: &Session) -> Result<Outcome, Error> {
    if let Some(change) = &args.change {
        return request_change::run(change, session).await;
    }
    let client = session.client()?;
    let (body, pair) = body(args)?;
    if let Some(pair) = &pair {
        session.home.store().put_pair(client.id().as_str(), pair)?;
    }
    let meant = RequestBody {
        cnf: None,
        public_jwk: None,
        ..body.clone()
    };
    let meaning = json!({"body": json!(meant), "pair": args.kind.meaning()});
    let begun = session.begin(&client, "request_open", meaning, body)?;
    if let (true, Some(unused)) = (begun.resumed, pair) {
        // The earlier run's pair is the one that counts.
        let store = session.home.store();
        store.remove_pair(client.id().as_str(), &unused.thumbprint)?;
    }
    let opened = client
        .call_with_key::<RequestOpen>(&Nothing {}, &begun.body, &begun.key)
        .await?;
    if opened.submitted != begun.body {
        return Err(ProtocolFault::Mismatch("what was submitted").into());
    }
    let shown = show(&client, opened, args.wait).await;
    // Whoever waited in vain, and runs the same again, waits on for the same request.
    if !matches!(shown, Err(Error::Waiting { .. } | Error::Unreachable(_))) {
        begun.finish()?;
    }
    shown
}

fn body(args: &RequestArgs) -> Result<(RequestBody, Option<Pair>), Error> {
    let about = args.about.resolve()?;
    let permissions = args.permissions.set()?;
    let members = args.kind.resolve(about.kind)?;
    let body = RequestBody {
        kind: about.kind,
        permissions,
        subject: about.subject.unwrap_or_else(|| Subject {
            kind: SubjectKind::Project,
            id: about.project.clone(),
        }),
        purpose: about.purpose,
        owner: about.owner,
        project: about.project,
        environment: about.environment,
        lifetime_seconds: args
            .lifetime
            .ok_or_else(|| Error::usage("missing: --lifetime"))?
            .seconds,
        rotation_policy: about.rotation_policy,
        cnf: members.cnf,
        public_jwk: members.public_jwk,
        webhook: members.webhook,
        justification: args.justification.clone(),
        emergency: args.emergency.clone(),
    };
    Ok((body, members.pair))
}

/// Shows a request, once it is decided on if the caller wants to wait for that.
pub(crate) async fn show(
    client: &Client,
    request: CredentialRequest,
    wait: WaitArgs,
) -> Result<Outcome, Error> {
    let request = match wait.patience() {
        Some(patience) => client.wait_for_decision(&request.id, patience).await?,
        None => request,
    };
    if wait.patience().is_some()
        && matches!(
            request.state,
            State::Denied | State::Expired | State::Cancelled
        )
    {
        return Err(Error::RequestOver {
            state: request.state,
        });
    }
    let next = match request.state {
        State::PendingApproval => format!(
            "next: have somebody run `clp approve {id}`, or decide on the approval page; then run `clp create --request {id}`\n",
            id = request.id
        ),
        State::Approved => format!("next: run `clp create --request {}`\n", request.id),
        State::Issued | State::Denied | State::Expired | State::Cancelled => String::new(),
    };
    let mut text = format!("{}{next}", render::request(&request));
    if client.sabotage.breaks("CLP-REQ-011") {
        text.push_str(
            request
                .submitted
                .justification
                .as_deref()
                .unwrap_or_default(),
        );
    }
    Outcome::new(&json!(request), text)
}
