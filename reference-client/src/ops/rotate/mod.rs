//! Rotate: mint a successor, bring it to where the predecessor is used, see that it works
//! there, and only then let the predecessor go (spec chapter 18).

mod health;
pub(crate) mod narrower;
pub(crate) mod record;
mod sabotage;
mod steps;

use std::time::Duration;

use clap::{Args, ValueEnum};
use clp_schemas::endpoint::Class;
use clp_schemas::gates::Basis;
use clp_schemas::ids::{CredentialId, RotationId};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{Credential, CredentialPath};
use clp_schemas::ops::revoke::NoteBody;
use clp_schemas::ops::rotate::{
    GateReport, PlanBody, Rotation, RotationAdvance, RotationBody, RotationGates, RotationOpen,
    RotationPath, RotationRead, RotationReason, RotationRollback,
};
use clp_schemas::permissions::PermissionSet;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::rotation::State;
use clp_schemas::time::Timestamp;
use serde_json::json;
use url::Url;

use super::Session;
use super::create::{require_new, thumbprint};
use super::store_registry::acknowledge;
use crate::client::Client;
use crate::error::{Error, Exit, LocalFault, ProtocolFault};
use crate::journal::Begun;
use crate::pair::Pair;
use crate::render::{Facts, Outcome};
use crate::tagged::Tagged;
use crate::wanted::Span;
use record::{Health, Record, Step};
use steps::{Drive, Options};

impl Client {
    /// Begins a rotation, with a key that the caller keeps for repetitions. The successor's
    /// secret is fetched apart, with [`Client::store_secret`].
    ///
    /// # Errors
    /// [`ProtocolFault::TooBroad`] if the successor opens more than its predecessor, or than
    /// was asked for; [`ProtocolFault::Mismatch`] if the rotation is of another credential;
    /// otherwise as every call.
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
            && successor.kind == predecessor.kind
            && successor.project == predecessor.project
            && successor.environment == predecessor.environment
            && successor.cnf == predecessor.cnf
            && successor.webhook == predecessor.webhook
            && (body.public_jwk.is_none() || successor.public_jwk == body.public_jwk);
        if !belongs {
            return Err(ProtocolFault::Mismatch("the rotation").into());
        }
        let asked = body
            .permissions
            .as_ref()
            .unwrap_or(&predecessor.permissions);
        self.require_within(successor, asked).await?;
        Ok(rotation)
    }

    /// Reads a rotation, to decide on its next stage.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn rotation(&self, id: &RotationId) -> Result<Tagged<Rotation>, Error> {
        let path = RotationPath {
            rotation_id: id.clone(),
        };
        let seen = self.call_tagged::<RotationRead>(&path).await?;
        match seen.value.id == *id && seen.value.credential.id == seen.value.successor {
            true => Ok(seen),
            false => Err(ProtocolFault::Mismatch("the rotation").into()),
        }
    }

    /// What still stands between a rotation and its end.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another rotation, or
    /// says that it is safe while a gate is not met.
    pub async fn gates(&self, id: &RotationId) -> Result<GateReport, Error> {
        let path = RotationPath {
            rotation_id: id.clone(),
        };
        let report = self
            .call::<RotationGates>(&path, &Nothing {}, &Nothing {})
            .await?;
        let safe = report.safe_to_revoke.as_ref().is_some_and(|said| said.safe);
        let sound = !safe || (!report.gates.is_empty() && steps::missing(&report).is_empty());
        match report.rotation_id == *id && sound {
            true => Ok(report),
            false => Err(ProtocolFault::Mismatch("the gates").into()),
        }
    }

    /// Takes a rotation one stage further, as it was seen.
    ///
    /// # Errors
    /// [`ProblemType::GateUnmet`] while a gate is not met; otherwise as every call.
    pub async fn advance(&self, seen: &Tagged<Rotation>) -> Result<Tagged<Rotation>, Error> {
        let path = RotationPath {
            rotation_id: seen.value.id.clone(),
        };
        let body = NoteBody::default();
        let answer = self
            .change::<RotationAdvance>(&path, &body, seen.condition()?)
            .await?;
        let wanted = match seen.value.state {
            State::Distributing => State::Draining,
            _ => State::Completed,
        };
        match answer.value.id == seen.value.id && answer.value.state == wanted {
            true => Ok(answer),
            false => Err(ProtocolFault::Mismatch("the stage of the rotation").into()),
        }
    }

    /// Gives the predecessor back, as the rotation was seen.
    ///
    /// # Errors
    /// [`ProblemType::GateUnmet`] while a place has the successor; otherwise as every call.
    pub async fn roll_back(&self, seen: &Tagged<Rotation>) -> Result<Rotation, Error> {
        let path = RotationPath {
            rotation_id: seen.value.id.clone(),
        };
        let body = NoteBody::default();
        let answer = self
            .change::<RotationRollback>(&path, &body, seen.condition()?)
            .await?
            .value;
        match answer.id == seen.value.id && answer.state == State::RolledBack {
            true => Ok(answer),
            false => Err(ProtocolFault::Mismatch("the stage of the rotation").into()),
        }
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

/// Replace a credential: mint a successor, bring it to its places, and let the old one go
#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// The credential to replace
    #[arg(required_unless_present_any = ["resume", "rollback"])]
    id: Option<CredentialId>,
    /// Why
    #[arg(long, value_enum, default_value = "scheduled")]
    reason: Reason,
    /// When the successor is to end by itself [example: 2027-01-31T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// The successor opens what was used and nothing else; see `clp scope analyse`
    #[arg(long)]
    narrow: bool,
    /// The old one has to be unused for so long before it goes
    #[arg(long, value_name = "SPAN")]
    quiet: Option<Span>,
    /// Both live side by side for at least so long
    #[arg(long, value_name = "SPAN")]
    min_overlap: Option<Span>,
    /// Least that a gate may rest on: reported, attested or observed
    #[arg(long, value_name = "BASIS", value_parser = basis)]
    least_basis: Option<Basis>,
    /// See that each place works by a GET of this URL
    #[arg(long, value_name = "URL")]
    health: Option<Url>,
    /// See it by this command, which finds the secret in the variable of the place
    #[arg(long, value_name = "COMMAND", conflicts_with = "health")]
    health_cmd: Option<String>,
    /// Wait for the gates for so long
    #[arg(long, value_name = "SPAN")]
    wait: Option<Span>,
    /// The issuer keeps no inventory, and you have seen that every place has the successor
    #[arg(long)]
    i_have_moved_everything: bool,
    /// After a compromise: revoke the old one first, and break what depends on it
    #[arg(long, conflicts_with = "keep_until_moved")]
    revoke_first: bool,
    /// After a compromise: keep the old one until every place has the successor
    #[arg(long)]
    keep_until_moved: bool,
    /// Mint the successor and do nothing more; fetch its secret with `clp store get`
    #[arg(long)]
    no_store: bool,
    /// Go on with this rotation
    #[arg(long, value_name = "ID", conflicts_with_all = ["id", "rollback"])]
    resume: Option<RotationId>,
    /// Give this rotation up: the places get the old one back
    #[arg(long, value_name = "ID", conflicts_with_all = ["id"])]
    rollback: Option<RotationId>,
}

fn basis(text: &str) -> Result<Basis, &'static str> {
    Basis::from_name(text).ok_or("want reported, attested or observed")
}

impl RotateArgs {
    fn health(&self) -> Option<Health> {
        let command = self.health_cmd.clone().map(Health::Command);
        command.or_else(|| self.health.clone().map(Health::Url))
    }

    fn options(&self) -> Options {
        Options {
            wait: Duration::from_secs(self.wait.map_or(0, |span| span.seconds)),
            moved_everything: self.i_have_moved_everything,
        }
    }

    fn plan(&self) -> Option<PlanBody> {
        let plan = PlanBody {
            quiet_period_seconds: self.quiet.map(|span| span.seconds),
            min_overlap_seconds: self.min_overlap.map(|span| span.seconds),
            least_basis: self.least_basis,
        };
        (plan != PlanBody::default()).then_some(plan)
    }

    /// After a compromise the order is a decision, and not this program's.
    fn check_order(&self) -> Result<(), Error> {
        let compromised = matches!(self.reason, Reason::Compromise);
        let said = self.revoke_first || self.keep_until_moved;
        match (compromised, said) {
            (true, false) => Err(Error::usage(
                "after a compromise, say --revoke-first (what depends on it breaks) or \
                 --keep-until-moved (it stays open until every place has the successor)",
            )),
            (false, true) => Err(Error::usage(
                "--revoke-first and --keep-until-moved go with --reason compromise",
            )),
            _ => Ok(()),
        }
    }
}

pub(crate) async fn run(args: &RotateArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    if let Some(id) = args.resume.as_ref().or(args.rollback.as_ref()) {
        let mut record = known(id, &client, session).await?;
        record.health = args.health().or(record.health);
        let drive = Drive::new(&client, session, record, args.options());
        return match args.rollback {
            Some(_) => drive.back().await,
            None => drive.forward().await,
        };
    }
    let Some(id) = &args.id else {
        return Err(Error::usage("which credential?"));
    };
    let permissions = match args.narrow {
        true => {
            let analysis = client.analyse(id, None).await?;
            let nothing = || Error::usage("nothing narrower is recommended: leave --narrow out");
            Some(analysis.recommended.ok_or_else(nothing)?)
        }
        false => None,
    };
    begin(id, args, permissions, &client, session).await
}

/// The record of a rotation; one that was begun elsewhere has none here yet.
async fn known(id: &RotationId, client: &Client, session: &Session) -> Result<Record, Error> {
    if let Some(record) = session.home.rotations(client.id()).read(id)? {
        return Ok(record);
    }
    let rotation = client.rotation(id).await?.value;
    Ok(record_of(&rotation, client, Step::Store, None))
}

fn record_of(rotation: &Rotation, client: &Client, step: Step, health: Option<Health>) -> Record {
    Record {
        rotation_id: rotation.id.clone(),
        issuer: client.id().as_str().to_owned(),
        predecessor: rotation.predecessor.clone(),
        successor: rotation.successor.clone(),
        compromised: rotation.reason == RotationReason::Compromise,
        step,
        moved: Vec::new(),
        unhealthy: false,
        health,
    }
}

async fn begin(
    id: &CredentialId,
    args: &RotateArgs,
    permissions: Option<PermissionSet>,
    client: &Client,
    session: &Session,
) -> Result<Outcome, Error> {
    args.check_order()?;
    session.refuse_foreign(client.id(), id)?;
    let store = session.home.store();
    if !args.no_store {
        store.prepare()?;
    }
    let predecessor = client.credential(id).await?;
    let (body, meant, pair) = body(args, &predecessor, permissions, client, session)?;
    if let Some(pair) = &pair {
        store.put_pair(client.id().as_str(), pair)?;
    }
    let meaning = json!({"credential": id, "body": json!(meant)});
    let begun = session.begin(client, "rotation_open", meaning, body)?;
    if let (true, Some(unused)) = (begun.resumed, pair) {
        // The earlier run's pair is the one that counts.
        store.remove_pair(client.id().as_str(), &unused.thumbprint)?;
    }
    let rotation = open(&predecessor, &begun, client, session).await?;
    if !args.no_store {
        require_new(&begun, &rotation.credential, client, session)?;
    }
    let managed = client.issuer().await?.manifest.claims(Class::Lifecycle);
    if args.no_store || !managed {
        return minted(rotation, &begun, args.no_store, client, session).await;
    }
    let step = match args.revoke_first {
        true => Step::RevokeFirst,
        false => Step::Store,
    };
    let record = record_of(&rotation, client, step, args.health());
    session.home.rotations(client.id()).write(&record)?;
    begun.finish()?;
    session.say(&format!(
        "{} opened: {} replaces {id}\n",
        rotation.id, rotation.successor
    ));
    Drive::new(client, session, record, args.options())
        .forward()
        .await
}

/// The body; what it means, whatever key pair is drawn; and that pair.
fn body(
    args: &RotateArgs,
    predecessor: &Credential,
    permissions: Option<PermissionSet>,
    client: &Client,
    session: &Session,
) -> Result<(RotationBody, RotationBody, Option<Pair>), Error> {
    let store = session.home.store();
    let own = match store.entry(client.id().as_str(), &predecessor.id) {
        Err(LocalFault::NotStored) => false,
        entry => entry?.own_key,
    };
    let pair = match own {
        true => Some(Pair::generate()?),
        false => None,
    };
    let meant = RotationBody {
        reason: args.reason.into(),
        expires_at: args.expires_at,
        permissions,
        plan: args.plan(),
        public_jwk: None,
    };
    let body = RotationBody {
        public_jwk: pair.as_ref().map(|pair| pair.public.clone()),
        ..meant.clone()
    };
    Ok((body, meant, pair))
}

async fn open(
    predecessor: &Credential,
    begun: &Begun<RotationBody>,
    client: &Client,
    session: &Session,
) -> Result<Rotation, Error> {
    let opened = client.rotate(predecessor, &begun.body, &begun.key).await;
    if let Err(fault) = &opened
        && matches!(fault, Error::Refused(_))
        && fault.exit() == Exit::Refused
    {
        begun.finish()?;
        if let Some(unused) = thumbprint(&None, &begun.body.public_jwk) {
            let store = session.home.store();
            store.remove_pair(client.id().as_str(), &unused)?;
        }
    }
    opened
}

/// Where the issuer keeps no record of a rotation, or the caller wants no more: the secret is
/// stored, and the rest is up to people.
async fn minted(
    rotation: Rotation,
    begun: &Begun<RotationBody>,
    no_store: bool,
    client: &Client,
    session: &Session,
) -> Result<Outcome, Error> {
    if !no_store {
        let store = session.home.store();
        let stored = client.store_secret(&rotation.credential, &store).await;
        let gone = stored
            .as_ref()
            .is_err_and(|fault| fault.problem() == Some(ProblemType::DeliveryGone));
        if gone {
            begun.finish()?;
        }
        stored?;
        acknowledge(client, &rotation.credential, None, session).await?;
    }
    begun.finish()?;
    Outcome::new(&rotation, text(&rotation, no_store))
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
