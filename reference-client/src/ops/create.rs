//! Create: mint a credential and store its secret in one go; list credentials; show one
//! (spec chapter 13).

use clap::Args;
use clp_schemas::ids::{ApprovalId, CredentialId, RequestId, RotationId};
use clp_schemas::jose::PublicJwk;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{
    Confirmation, CreateBody, CreateFromRequest, Credential, CredentialCreate, DirectCreate, Labels,
};
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::permissions::{PermissionSet, Verdict, compare};
use clp_schemas::problem::ProblemType;
use clp_schemas::state::credential;
use clp_schemas::state::request::State;
use clp_schemas::time::Timestamp;
use serde_json::json;

use super::Session;
use super::request;
use super::verify_approval;
use super::wait::{self, WaitArgs};
use crate::asked::Asked;
use crate::client::Client;
use crate::error::{Error, Exit, LocalFault, ProtocolFault};
use crate::journal::Begun;
use crate::pair::Pair;
use crate::render::{self, Outcome};
use crate::store::Entry;
use crate::wanted::{AboutArgs, KindArgs, PermissionArgs, Span};

impl Client {
    /// Mints a credential, with a key that the caller keeps for repetitions. The secret is
    /// fetched apart, with [`Client::store_secret`].
    ///
    /// # Errors
    /// [`Error::Waiting`] if a person has to approve it first; [`ProtocolFault::TooBroad`]
    /// if it opens more than was asked for (CLP-CRE-025); [`ProtocolFault::Mismatch`] if it
    /// is for something else, or lives longer; otherwise as every call.
    pub async fn create(
        &self,
        body: &CreateBody,
        asked: &Asked,
        key: &str,
    ) -> Result<Credential, Error> {
        let credential = self
            .call_with_key::<CredentialCreate>(&Nothing {}, body, key)
            .await?;
        asked.check(&credential)?;
        if !self.sabotage.breaks("CLP-CRE-025") {
            self.require_within(&credential, &asked.permissions).await?;
        }
        Ok(credential)
    }

    /// Refuses a credential that opens more than was asked for.
    pub(crate) async fn require_within(
        &self,
        credential: &Credential,
        asked: &PermissionSet,
    ) -> Result<(), Error> {
        if credential.permissions == *asked {
            return Ok(());
        }
        let digest = Some(credential.permission_schema_digest.as_str());
        let document = self.permission_document(digest).await?;
        match compare(&document, &credential.permissions, asked).verdict {
            Verdict::Equal | Verdict::Narrower => Ok(()),
            Verdict::Broader | Verdict::Incomparable => Err(ProtocolFault::TooBroad.into()),
        }
    }
}

/// Mint a credential and store its secret in one go
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    about: AboutArgs,
    #[command(flatten)]
    permissions: PermissionArgs,
    #[command(flatten)]
    kind: KindArgs,
    /// How long it is to live [example: 30d]
    #[arg(long, value_name = "SPAN", conflicts_with = "expires_at")]
    lifetime: Option<Span>,
    /// When it is to end by itself [example: 2027-01-31T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// Label it; repeat for more
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Create from this approved request; everything else was said there
    #[arg(long, value_name = "ID", conflicts_with_all = ["lifetime", "expires_at", "label"])]
    request: Option<RequestId>,
    /// Leave the secret where it is; fetch it within 15 minutes with `clp store get`
    #[arg(long)]
    no_store: bool,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) fn label(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("want name=value"),
    }
}

pub(crate) async fn run(args: &CreateArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let Some(id) = &args.request else {
        // What is missing is said before anything is touched.
        let (body, pair) = direct_body(args)?;
        if pair.is_some() && args.no_store {
            return Err(Error::usage(
                "--no-store does not go with a key pair made here",
            ));
        }
        prepare_store(args, session)?;
        if let Some(pair) = &pair {
            let store = session.home.store();
            store.put_pair(client.id().as_str(), pair)?;
        }
        return direct(body, args, &client, session).await;
    };
    if args.about.given() || args.permissions.given() || args.kind.given() {
        return Err(Error::usage(
            "with --request, everything else was said in the request",
        ));
    }
    prepare_store(args, session)?;
    from_request(id, args, &client, session).await
}

fn prepare_store(args: &CreateArgs, session: &Session) -> Result<(), LocalFault> {
    match args.no_store {
        true => Ok(()),
        false => session.home.store().prepare(),
    }
}

fn direct_body(args: &CreateArgs) -> Result<(DirectCreate, Option<Pair>), Error> {
    let about = args.about.resolve()?;
    let permissions = args.permissions.set()?;
    let members = args.kind.resolve(about.kind)?;
    let after = |span: Span| {
        i64::try_from(span.seconds).map(|seconds| Timestamp::system_now().plus(seconds))
    };
    let expires_at = match args.lifetime.map(after).transpose() {
        Ok(end) => end.or(args.expires_at),
        Err(_) => return Err(Error::usage("the lifetime is too long")),
    };
    let body = DirectCreate {
        kind: about.kind,
        permissions,
        purpose: about.purpose,
        owner: about.owner,
        project: about.project,
        environment: about.environment,
        subject: about.subject,
        expires_at,
        rotation_policy: about.rotation_policy,
        cnf: members.cnf,
        public_jwk: members.public_jwk,
        webhook: members.webhook,
        labels: Labels::from_iter(args.label.iter().cloned()),
    };
    Ok((body, members.pair))
}

async fn direct(
    body: DirectCreate,
    args: &CreateArgs,
    client: &Client,
    session: &Session,
) -> Result<Outcome, Error> {
    // A lifetime ends at another time in each run, and a key pair is another one, and both
    // mean the same.
    let meant = DirectCreate {
        expires_at: args.expires_at,
        cnf: None,
        public_jwk: None,
        ..body.clone()
    };
    let lifetime = args.lifetime.map(|span| span.seconds);
    let meaning = json!({"body": json!(meant), "lifetime": lifetime.unwrap_or_default(),
                         "pair": args.kind.meaning()});
    let drawn = thumbprint(&body.cnf, &body.public_jwk);
    let body = CreateBody::Direct(Box::new(body));
    let begun = session.begin(client, "credential_create", meaning, body)?;
    if let (true, Some(unused)) = (begun.resumed, drawn) {
        // The earlier run's pair is the one that counts.
        let store = session.home.store();
        store.remove_pair(client.id().as_str(), &unused)?;
    }
    let CreateBody::Direct(body) = &begun.body else {
        return Err(LocalFault::System("the journal holds another create").into());
    };
    let asked = Asked::from(body.as_ref());
    match client.create(&begun.body, &asked, &begun.key).await {
        Ok(credential) => {
            if !args.no_store {
                require_new(&begun, &credential, client, session)?;
            }
            store(&begun, credential, args.no_store, client, session).await
        }
        Err(Error::Waiting { id, approval_uri }) => {
            let request = client.request(&id).await?;
            match (request.state, args.wait.patience()) {
                (State::PendingApproval, None) => Err(Error::Waiting { id, approval_uri }),
                // The request that an earlier run opened is over: the next run asks anew.
                (State::Denied | State::Expired | State::Cancelled, _) => {
                    begun.finish()?;
                    Err(wait::over(&request))
                }
                _ => {
                    let request = wait::decided(client, request, args.wait, session).await?;
                    let outcome = approved(&request, args.no_store, client, session).await?;
                    begun.finish()?;
                    Ok(outcome)
                }
            }
        }
        Err(fault) => {
            let fault = forget_if_refused(&begun, fault);
            // No credential has this key pair, and none will.
            if let (Exit::Refused, Some(unused)) =
                (fault.exit(), thumbprint(&body.cnf, &body.public_jwk))
            {
                let store = session.home.store();
                store.remove_pair(client.id().as_str(), &unused)?;
            }
            Err(fault)
        }
    }
}

/// The thumbprint of the key pair that a body holds the public half of.
pub(crate) fn thumbprint(
    cnf: &Option<Confirmation>,
    public_jwk: &Option<PublicJwk>,
) -> Option<String> {
    let bound = cnf.as_ref().map(|bound| bound.jkt.clone());
    bound.or_else(|| public_jwk.as_ref()?.thumbprint().ok())
}

/// A refusal changed nothing and is not recorded, so there is nothing to resume.
fn forget_if_refused<B>(begun: &Begun<B>, fault: Error) -> Error {
    let is_final = matches!(fault, Error::Refused(_)) && fault.exit() == Exit::Refused;
    match is_final.then(|| begun.finish()) {
        Some(Err(other)) => other.into(),
        _ => fault,
    }
}

async fn from_request(
    id: &RequestId,
    args: &CreateArgs,
    client: &Client,
    session: &Session,
) -> Result<Outcome, Error> {
    let request = client.request(id).await?;
    let request = wait::decided(client, request, args.wait, session).await?;
    approved(&request, args.no_store, client, session).await
}

/// Creates from a request that is approved, and stores the secret unless told not to.
pub(super) async fn approved(
    request: &CredentialRequest,
    no_store: bool,
    client: &Client,
    session: &Session,
) -> Result<Outcome, Error> {
    wait::refuse_ended(request)?;
    if request.state == State::PendingApproval {
        return Err(wait::waiting(request));
    }
    let body = CreateBody::FromRequest(CreateFromRequest {
        request_id: request.id.clone(),
    });
    let begun = session.begin(client, "credential_create", json!(body), body)?;
    let asked = Asked::from(&request.submitted);
    match client.create(&begun.body, &asked, &begun.key).await {
        Ok(credential) => store(&begun, credential, no_store, client, session).await,
        Err(fault) => Err(forget_if_refused(&begun, fault)),
    }
}

/// Refuses a new credential with the id of one that is stored: to take it for that one would
/// hand out the old secret, and to take it for a new one would lose that. An earlier run of
/// the same create may have stored it.
pub(crate) fn require_new<B>(
    begun: &Begun<B>,
    credential: &Credential,
    client: &Client,
    session: &Session,
) -> Result<(), Error> {
    let store = session.home.store();
    if begun.resumed || !store.holds(client.id().as_str(), &credential.id)? {
        return Ok(());
    }
    begun.finish()?;
    Err(ProtocolFault::IdTaken.into())
}

/// Stores the secret and only then forgets how to ask for it again.
async fn store(
    begun: &Begun<CreateBody>,
    mut credential: Credential,
    no_store: bool,
    client: &Client,
    session: &Session,
) -> Result<Outcome, Error> {
    if no_store {
        begun.finish()?;
        let text = format!(
            "{}next: run `clp store get {}` before the delivery is over\n",
            render::credential(&credential),
            credential.id
        );
        return Outcome::new(&credential, text);
    }
    let store = session.home.store();
    if session.sabotage().breaks("CLP-DLV-021") && credential.delivery.is_some() {
        let delivery = client.fetch_secret(&credential).await?;
        client.acknowledge(&credential, None).await?;
        store.put(Entry::new(
            client.id().as_str(),
            &credential,
            delivery.secret.value,
        ))?;
    }
    let stored = client.store_secret(&credential, &store).await;
    if let Err(fault) = &stored
        && (fault.problem() == Some(ProblemType::DeliveryGone)
            || matches!(fault, Error::Protocol(ProtocolFault::IdTaken)))
    {
        // Nobody can get this secret any more: the next run mints another credential.
        begun.finish()?;
    }
    stored?;
    let acknowledged =
        super::store_registry::acknowledge(client, &credential, None, session).await?;
    // Last, so that a run that dies before it begins nothing anew.
    begun.finish()?;
    // The answer was written before the secret was fetched.
    if credential.state == credential::State::Provisioned {
        credential.state = credential::State::Active;
        credential.delivery = None;
    }
    let resumed = match begun.resumed {
        true => "an earlier run had begun this; nothing was minted twice\n",
        false => "",
    };
    let text = format!(
        "{}{resumed}stored{acknowledged}; use it with `clp store read {}`\n",
        render::credential(&credential),
        credential.id
    );
    if session.sabotage().breaks("CLP-DLV-013") {
        let secret = store.entry(client.id().as_str(), &credential.id)?.secret;
        return Outcome::new(
            &json!({"id": credential.id, "secret": secret.expose(),
                    "permission_schema_digest": credential.permission_schema_digest}),
            secret.expose().to_owned(),
        );
    }
    Outcome::new(&credential, text)
}

/// Show a credential, a request or a rotation
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A credential (cred_...), a request (req_...) or a rotation (rot_...)
    id: String,
    /// Of a request: this decision on it, with what proves it (see `clp verify approval`)
    #[arg(long, value_name = "ID")]
    approval: Option<ApprovalId>,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) async fn show(args: &ShowArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    if let Ok(id) = args.id.parse::<CredentialId>() {
        let credential = client.credential(&id).await?;
        return Outcome::new(&credential, render::credential(&credential));
    }
    if let Ok(id) = args.id.parse::<RotationId>() {
        let rotation = client.rotation(&id).await?.value;
        let gates = client.gates(&id).await?;
        let text = format!("{}{}", render::rotation(&rotation), render::gates(&gates));
        return Outcome::new(&json!({"rotation": rotation, "gates": gates}), text);
    }
    let id: RequestId = args.id.parse().map_err(|_| {
        Error::usage(
            "want the id of a credential (cred_...), a request (req_...) or a rotation (rot_...)",
        )
    })?;
    if let Some(approval) = &args.approval {
        return verify_approval::show(&client, &id, approval).await;
    }
    let found = client.request(&id).await?;
    request::show(&client, found, args.wait, session).await
}
