//! Rotate: mint a successor, bring it to where the predecessor is used, see that it works
//! there, and only then let the predecessor go (spec chapter 18).

mod args;
mod calls;
mod checking;
mod draining;
mod foresight;
mod health;
pub(crate) mod many;
mod moving;
pub(crate) mod narrower;
pub(crate) mod record;
mod sabotage;
mod steps;
mod voice;

use clp_schemas::endpoint::Class;
use clp_schemas::ids::{CredentialId, RotationId};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::rotate::{PlanBody, Rotation, RotationBody, RotationReason};
use clp_schemas::permissions::PermissionSet;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::rotation::State;
use serde_json::json;

use super::Session;
use super::create::{require_new, thumbprint};
use crate::client::Client;
use crate::error::{Error, Exit, LocalFault, ProtocolFault};
use crate::journal::Begun;
use crate::pair::Pair;
use crate::render::{Facts, Outcome};
pub(crate) use args::RotateArgs;
use foresight::{Forecast, Need};
use record::{Record, Step};
use steps::Drive;
use voice::Voice;

/// Where a rotation takes place, and who listens.
#[derive(Clone, Copy)]
struct Ground<'a> {
    client: &'a Client,
    session: &'a Session,
    voice: Voice<'a>,
}

impl<'a> Ground<'a> {
    fn alone(client: &'a Client, session: &'a Session) -> Self {
        let voice = Voice::Alone(session);
        Self {
            client,
            session,
            voice,
        }
    }

    /// Holds a credential, so that no other run rotates it; dropping the file lets it go.
    fn hold(&self, id: &CredentialId) -> Result<std::fs::File, LocalFault> {
        let name = format!("rotate {} {id}", self.client.id());
        let held = self.session.home.try_lock(&name)?;
        held.ok_or_else(|| LocalFault::Busy(id.to_string()))
    }

    fn drive(&self, record: Record, args: &RotateArgs) -> Drive<'a> {
        let mut record = record;
        record.health = args.health().or(record.health);
        record.no_places |= args.no_places;
        Drive::new(
            self.client,
            self.session,
            record,
            args.options(),
            self.voice,
        )
    }

    async fn is_managed(&self) -> Result<bool, Error> {
        let issuer = self.client.issuer().await?;
        Ok(issuer.manifest.claims(Class::Lifecycle))
    }
}

pub(crate) async fn run(args: &RotateArgs, session: &Session) -> Result<Outcome, Error> {
    if args.due || args.project.is_some() {
        return many::run(args, session).await;
    }
    let client = session.client()?;
    let ground = Ground::alone(&client, session);
    if let Some(id) = args.resume.as_ref().or(args.rollback.as_ref()) {
        let record = known(id, &ground).await?;
        let _held = ground.hold(&record.predecessor)?;
        let drive = ground.drive(record, args);
        return match args.rollback {
            Some(_) => drive.back().await,
            None => drive.forward().await,
        };
    }
    let Some(id) = &args.id else {
        return Err(Error::usage("which credential?"));
    };
    session.refuse_foreign(client.id(), id)?;
    let permissions = match args.narrow {
        true => {
            let analysis = client.analyse(id, None).await?;
            let nothing = || Error::usage("nothing narrower is recommended: leave --narrow out");
            Some(analysis.recommended.ok_or_else(nothing)?)
        }
        false => None,
    };
    if args.dry_run {
        args.check_order()?;
        let predecessor = client.credential(id).await?;
        let forecast = Forecast::see(&predecessor, args.word(), &client, session).await?;
        return many::preview(&[forecast]);
    }
    begin(id, args, permissions, &ground).await
}

/// The record of a rotation; one that was begun elsewhere has none here yet.
async fn known(id: &RotationId, ground: &Ground<'_>) -> Result<Record, Error> {
    let client = ground.client;
    if let Some(record) = ground.session.home.rotations(client.id()).read(id)? {
        return Ok(record);
    }
    if !ground.is_managed().await? {
        return Err(Error::usage(
            "the issuer keeps no record of rotations, and there is none of this one here",
        ));
    }
    let rotation = client.rotation(id).await?.value;
    Ok(record_of(&rotation, client, Step::Store))
}

fn record_of(rotation: &Rotation, client: &Client, step: Step) -> Record {
    Record {
        rotation_id: rotation.id.clone(),
        issuer: client.id().as_str().to_owned(),
        predecessor: rotation.predecessor.clone(),
        successor: rotation.successor.clone(),
        compromised: rotation.reason == RotationReason::Compromise,
        reason: Some(rotation.reason),
        step,
        moved: Vec::new(),
        unhealthy: false,
        health: None,
        managed: true,
        no_places: false,
        kept_seconds: 0,
        placed_at: None,
    }
}

/// What an earlier run from here has begun and not brought to its end.
async fn under_way(id: &CredentialId, ground: &Ground<'_>) -> Result<Option<Record>, Error> {
    let records = ground.session.home.rotations(ground.client.id());
    let Some(record) = records.of(id)? else {
        return Ok(None);
    };
    let state = match record.managed {
        true => {
            ground
                .client
                .rotation(&record.rotation_id)
                .await?
                .value
                .state
        }
        false => ground.client.rotation_by_its_ends(&record).await?.state,
    };
    // One that is completed is gone on with too: what an earlier run has done is done. After a
    // compromise the old one may be gone, and the places are still to be done.
    if state != State::RolledBack {
        return Ok(Some(record));
    }
    records.forget(&record.rotation_id)?;
    Ok(None)
}

/// What was begun from elsewhere, or by a run of which nothing is left here.
async fn begun_elsewhere(predecessor: &Credential, ground: &Ground<'_>) -> Result<Record, Error> {
    let unnamed = || ProtocolFault::Mismatch("a retiring credential without its successor");
    let client = ground.client;
    let successor = predecessor.successor.as_ref().ok_or_else(unnamed)?;
    let successor = client.credential(successor).await?;
    let rotation_id = successor.created_via.rotation_id.clone();
    let rotation_id = rotation_id.ok_or_else(unnamed)?;
    if ground.is_managed().await? {
        return known(&rotation_id, ground).await;
    }
    Ok(Record {
        rotation_id,
        issuer: client.id().as_str().to_owned(),
        predecessor: predecessor.id.clone(),
        successor: successor.id,
        compromised: false,
        reason: None,
        step: Step::Store,
        moved: Vec::new(),
        unhealthy: false,
        health: None,
        managed: false,
        no_places: false,
        kept_seconds: 0,
        placed_at: None,
    })
}

/// Goes on with the rotation of a credential, or begins one.
async fn begin(
    id: &CredentialId,
    args: &RotateArgs,
    permissions: Option<PermissionSet>,
    ground: &Ground<'_>,
) -> Result<Outcome, Error> {
    args.check_order()?;
    let Ground {
        client,
        session,
        voice,
    } = *ground;
    let _held = ground.hold(id)?;
    if !args.no_store
        && permissions.is_none()
        && let Some(record) = under_way(id, ground).await?
    {
        voice.say(&format!(
            "{} is under way: {} replaces {id}",
            record.rotation_id, record.successor
        ));
        return ground.drive(record, args).forward().await;
    }
    let store = session.home.store();
    if !args.no_store {
        store.prepare()?;
    }
    let predecessor = client.credential(id).await?;
    let settled = settle(&predecessor, args, ground).await?;
    let managed = ground.is_managed().await?;
    let plan = args.plan(settled.interval).filter(|_| managed);
    let (body, meant, pair) = body(args, &predecessor, permissions, plan, client, session)?;
    if let Some(pair) = &pair {
        store.put_pair(client.id().as_str(), pair)?;
    }
    let meaning = json!({"credential": id, "body": json!(meant)});
    let begun = session.begin(client, "rotation_open", meaning, body)?;
    if let (true, Some(unused)) = (begun.resumed, pair) {
        // The earlier run's pair is the one that counts.
        store.remove_pair(client.id().as_str(), &unused.thumbprint)?;
    }
    let rotation = match open(&predecessor, &begun, client, session).await {
        Err(fault)
            if fault.problem() == Some(ProblemType::RotationInProgress)
                && voice.is_among_others() =>
        {
            let record = begun_elsewhere(&predecessor, ground).await?;
            return ground.drive(record, args).forward().await;
        }
        opened => opened?,
    };
    if args.no_store {
        begun.finish()?;
        return Outcome::new(&rotation, minted(&rotation));
    }
    require_new(&begun, &rotation.credential, client, session)?;
    let step = match args.revoke_first {
        true => Step::RevokeFirst,
        false => Step::Store,
    };
    let mut record = record_of(&rotation, client, step);
    record.health = args.health();
    record.no_places = settled.no_places;
    record.managed = managed;
    if !record.managed {
        let asked = [args.quiet, args.min_overlap];
        let asked = asked.iter().flatten().map(|span| span.seconds);
        record.kept_seconds = asked.chain(settled.interval).max().unwrap_or(0);
    }
    session.home.rotations(client.id()).write(&record)?;
    begun.finish()?;
    voice.say(&format!(
        "{} opened: {} replaces {id}",
        rotation.id, rotation.successor
    ));
    ground.drive(record, args).forward().await
}

/// What was settled before a rotation is opened.
struct Settled {
    /// The longest time between two uses of a place, where the issuer does not see to that.
    interval: Option<u64>,
    /// Whether somebody has said that no place uses it.
    no_places: bool,
}

/// What a person has to say first is asked for on a terminal, and otherwise refused.
async fn settle(
    predecessor: &Credential,
    args: &RotateArgs,
    ground: &Ground<'_>,
) -> Result<Settled, Error> {
    let (client, session) = (ground.client, ground.session);
    let forecast = Forecast::see(predecessor, args.word(), client, session).await?;
    let manifest = &client.issuer().await?.manifest;
    let mut unsaid = forecast.unsaid(client);
    if args.no_store {
        // To mint and no more ends nothing, unless there is one slot.
        unsaid.retain(|need| **need != Need::NoPlace);
    }
    let words: Vec<String> = unsaid.iter().map(ToString::to_string).collect();
    if !unsaid.is_empty() {
        let asks = !ground.voice.is_among_others();
        if !asks || !session.asked(&format!("{}\ngo on all the same?", words.join("\n")))? {
            return Err(Error::Unsaid(words.join("; ")));
        }
    }
    let interval = forecast.longest_interval_seconds;
    Ok(Settled {
        interval: interval.filter(|_| !manifest.claims(Class::Inventory)),
        no_places: args.no_places || unsaid.contains(&&Need::NoPlace),
    })
}

/// The body; what it means, whatever key pair is drawn; and that pair.
fn body(
    args: &RotateArgs,
    predecessor: &Credential,
    permissions: Option<PermissionSet>,
    plan: Option<PlanBody>,
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
        plan,
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

/// The caller wants no more than a successor: the rest is up to people.
fn minted(rotation: &Rotation) -> String {
    let mut facts = Facts::default();
    facts
        .add("rotation", rotation.id.as_str())
        .add(
            "predecessor",
            format!("{} (still works)", rotation.predecessor),
        )
        .add("successor", rotation.successor.as_str())
        .add_some("successor ends", rotation.credential.expires_at);
    format!(
        "{}run `clp store get {}` before the delivery is over\nnext: bring the successor to every place that uses the predecessor, see that each works with it,\nthen run `clp revoke {} --reason superseded`\n",
        facts.text(),
        rotation.successor,
        rotation.predecessor
    )
}
