//! Inject: bring a stored secret to where it is used, and say so (spec chapter 16).

use std::path::PathBuf;

use clap::Args;
use clp_schemas::endpoint::Class;
use clp_schemas::ids::{CredentialId, InstallationId, StoreId};
use clp_schemas::ops::inject::{
    Health, Installation, InstallationBody, InstallationPath, InstallationPut, Match, Target,
    TargetKind,
};
use clp_schemas::ops::inventory::InstallationRead;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::installation::State;
use clp_schemas::target::RegisteredKind;
use serde_json::json;
use url::Url;

use super::Session;
use super::rotate::record::Health as CheckedBy;
use super::store_registry::registered;
use crate::client::Client;
use crate::error::{Error, Exit, LocalFault, ProtocolFault};
use crate::places::{About, Place};
use crate::render::{Facts, Outcome};
use crate::sabotage::Sabotage;
use crate::store::Entry;
use crate::tagged::Tagged;
use crate::targets::kind::KindParser;
use crate::targets::{env_file, variable};
use crate::transport::Condition;
use crate::wanted::Span;

/// How often a change is decided on, since what it was about has changed meanwhile.
pub(crate) const LOOKS: u8 = 5;

impl Client {
    /// Reads an installation below a credential; `None` if it is not there.
    ///
    /// # Errors
    /// As every call, `not-found` excepted.
    pub async fn installation(
        &self,
        credential_id: &CredentialId,
        id: &InstallationId,
    ) -> Result<Option<Tagged<Installation>>, Error> {
        let path = InstallationPath {
            credential_id: credential_id.clone(),
            installation_id: id.clone(),
        };
        match self.call_tagged::<InstallationRead>(&path).await {
            Ok(found) => Ok(Some(found)),
            Err(fault) if fault.problem() == Some(ProblemType::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Declares or changes an installation, as it was seen.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn declare(
        &self,
        credential_id: &CredentialId,
        id: &InstallationId,
        body: &InstallationBody,
        condition: Condition<'_>,
    ) -> Result<Tagged<Installation>, Error> {
        let path = InstallationPath {
            credential_id: credential_id.clone(),
            installation_id: id.clone(),
        };
        let answer = self
            .change::<InstallationPut>(&path, body, condition)
            .await?;
        let said = &answer.value;
        let belongs = said.id == *id
            && said.credential_id == *credential_id
            && said.declared.state == body.state;
        match belongs {
            true => Ok(answer),
            false => Err(ProtocolFault::Mismatch("the installation").into()),
        }
    }

    /// Reports an installation that was seen to work (CLP-INJ-007).
    ///
    /// # Errors
    /// As [`Client::declare`].
    pub async fn report_verified(
        &self,
        seen: &Tagged<Installation>,
        health: Health,
    ) -> Result<Tagged<Installation>, Error> {
        let body = InstallationBody {
            state: State::Verified,
            health: Some(health),
            ..seen.value.declared.clone()
        };
        let installation = &seen.value;
        let condition = seen.condition()?;
        self.declare(
            &installation.credential_id,
            &installation.id,
            &body,
            condition,
        )
        .await
    }
}

/// What the caller says of a place; what is not said stays as it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    user_agent: Option<String>,
    depends_on: Vec<String>,
    use_interval_seconds: Option<u64>,
    kind: Option<TargetKind>,
    name: Option<String>,
    optional: bool,
    /// The store that the place is filled from, as the issuer knows it.
    store_id: Option<StoreId>,
    /// Another credential of the same line that it may be declared below: a run that died
    /// between the issuer's note and its own has moved it there.
    below: Option<CredentialId>,
}

impl Said {
    /// Nothing is said, but that it may be below this credential.
    pub(crate) fn or_below(id: &CredentialId) -> Self {
        Self {
            below: Some(id.clone()),
            ..Self::default()
        }
    }

    fn body(self, place: &Place, before: Option<&InstallationBody>) -> InstallationBody {
        let mut body = before.cloned().unwrap_or_else(|| InstallationBody {
            target: Target {
                kind: RegisteredKind::LocalDev.into(),
                name: file_name(place),
                locator: Some(locator(place)),
            },
            state: State::Updating,
            required: None,
            depends_on: Vec::new(),
            matcher: None,
            use_interval_seconds: None,
            store_id: None,
            health: None,
        });
        body.state = State::Updating;
        // What was checked was checked with what was there before.
        body.health = None;
        if let Some(kind) = self.kind {
            body.target.kind = kind;
        }
        if let Some(name) = self.name {
            body.target.name = name;
        }
        if let Some(user_agent) = self.user_agent {
            let cidr = body.matcher.take().and_then(|matcher| matcher.cidr);
            body.matcher = Some(Match {
                user_agent: Some(user_agent),
                cidr,
            });
        }
        if !self.depends_on.is_empty() {
            body.depends_on = self.depends_on;
        }
        body.use_interval_seconds = self.use_interval_seconds.or(body.use_interval_seconds);
        body.store_id = self.store_id.or(body.store_id);
        if self.optional {
            body.required = Some(false);
        }
        body
    }
}

fn file_name(place: &Place) -> String {
    let name = place.path.file_name().unwrap_or_default();
    format!("{} {}", name.to_string_lossy(), place.variable)
        .chars()
        .take(200)
        .collect()
}

fn locator(place: &Place) -> String {
    format!("{}#{}", place.path.display(), place.variable)
        .chars()
        .take(500)
        .collect()
}

/// Brings a stored secret to a place: reports `updating`, changes the place, reads it back,
/// reports `installed` (CLP-INJ-006). `None` where the issuer keeps no inventory.
pub(crate) async fn bring(
    client: &Client,
    session: &Session,
    id: &InstallationId,
    place: &Place,
    entry: &Entry,
    said: Said,
) -> Result<Option<Tagged<Installation>>, Error> {
    // Until it is reported as installed, no other run changes the place or reports on it: two that
    // go opposite ways would leave what neither has reported.
    let _held = session.home.hold_place(id)?;
    let places = session.home.places();
    let secret = entry.secret.expose();
    env_file::check(&place.path, &place.variable, secret)?;
    let to = &entry.credential_id;
    let moved = Place {
        credential_id: to.clone(),
        ..place.clone()
    };
    if !client.issuer().await?.manifest.claims(Class::Inventory) {
        places.put(id, &moved)?;
        write(session, place, secret)?;
        return Ok(None);
    }
    if session.sabotage().breaks("CLP-INJ-006") {
        env_file::put(&place.path, &place.variable, secret)?;
    }
    let known = registered(client, &entry.project, &entry.environment, session)?;
    let named = said.store_id.is_some();
    let mut looks = LOOKS;
    let updating = loop {
        // Below the credential that was there, or below another if an earlier run came so far.
        let mut seen = client.installation(&place.credential_id, id).await?;
        for other in [Some(to), said.below.as_ref()].into_iter().flatten() {
            if seen.is_none() && *other != place.credential_id {
                seen = client.installation(other, id).await?;
            }
        }
        let condition = match &seen {
            Some(seen) => seen.condition()?,
            None => Condition::New,
        };
        let before = seen.as_ref().map(|seen| &seen.value.declared);
        let mut body = said.clone().body(place, before);
        if !named {
            body.store_id = known.clone().or(body.store_id);
        }
        let declared = match client.declare(to, id, &body, condition).await {
            // What was registered once may be gone; the place is filled all the same.
            Err(fault) if fault.problem() == Some(ProblemType::UnknownStore) && !named => {
                body.store_id = None;
                client.declare(to, id, &body, condition).await
            }
            other => other,
        };
        looks -= 1;
        match declared {
            // It was used meanwhile, and so seen once more. It is looked at again.
            Err(fault)
                if looks > 0
                    && seen.is_some()
                    && fault.problem() == Some(ProblemType::PreconditionFailed) => {}
            other => break other?,
        }
    };
    places.put(id, &moved)?;
    write(session, place, secret)?;
    spoil(&place.path, session.sabotage())?;
    let body = InstallationBody {
        state: State::Installed,
        ..updating.value.declared.clone()
    };
    let installed = install(client, updating, &body).await?;
    Ok(Some(installed))
}

/// Reports that the secret is there. Whoever uses it at once changes when the place was seen
/// last, and with it the state that was seen: unless somebody else has declared something
/// meanwhile, what is to be said stays the same.
async fn install(
    client: &Client,
    updating: Tagged<Installation>,
    body: &InstallationBody,
) -> Result<Tagged<Installation>, Error> {
    let (to, id) = (&updating.value.credential_id, &updating.value.id);
    let mut seen = updating.clone();
    let mut looks = LOOKS;
    loop {
        looks -= 1;
        let fault = match client.declare(to, id, body, seen.condition()?).await {
            Err(fault) if fault.problem() == Some(ProblemType::PreconditionFailed) => fault,
            other => return other,
        };
        seen = match client.installation(to, id).await? {
            Some(now) if looks > 0 && now.value.declared == updating.value.declared => now,
            _ => return Err(fault),
        };
    }
}

/// Changes the file, while no other run of this user does: two that read it at once would each
/// write back the other's old line.
fn write(session: &Session, place: &Place, secret: &str) -> Result<(), LocalFault> {
    let _held = session.home.lock(&place.path.to_string_lossy())?;
    env_file::put(&place.path, &place.variable, secret)
}

/// Leaves a file otherwise than it should be, where that is what is broken.
fn spoil(path: &std::path::Path, sabotage: Sabotage) -> Result<(), Error> {
    if sabotage.breaks("CLP-INJ-008") {
        let text = std::fs::read_to_string(path).map_err(LocalFault::file("read", path))?;
        let lines = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with('#'));
        let bare: String = lines.collect();
        std::fs::write(path, bare).map_err(LocalFault::file("write", path))?;
    }
    #[cfg(unix)]
    if sabotage.breaks("CLP-DLV-014") {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(path, open).map_err(LocalFault::file("open up", path))?;
    }
    Ok(())
}

/// Put a stored secret into an environment file, and say where it is used
#[derive(Args, Debug)]
pub(crate) struct InjectArgs {
    /// The credential
    id: CredentialId,
    /// The file, such as .env; it becomes readable by you alone
    #[arg(long, value_name = "FILE")]
    env_file: PathBuf,
    /// The variable
    #[arg(long, value_name = "VARIABLE", value_parser = variable)]
    name: String,
    /// The installation, if this place was declared before from elsewhere
    #[arg(long, value_name = "ID")]
    installation: Option<InstallationId>,
    /// What the User-Agent of calls from there begins with
    #[arg(long)]
    user_agent: Option<String>,
    /// What stops working when this place does; repeat for more
    #[arg(long, value_name = "NAME")]
    depends_on: Vec<String>,
    /// Longest time between two uses [example: 31d]
    #[arg(long, value_name = "SPAN")]
    interval: Option<Span>,
    /// Kind of place, such as `docker`, or `x-` and a name of your own
    #[arg(long, value_parser = KindParser)]
    kind: Option<TargetKind>,
    /// What people call the place
    #[arg(long, value_name = "NAME")]
    title: Option<String>,
    /// Report that it is filled from this store, instead of the one registered from here
    #[arg(long, value_name = "ID")]
    store_id: Option<StoreId>,
    /// A rotation sees by a GET of this URL that the place works
    #[arg(long, value_name = "URL")]
    health: Option<Url>,
    /// A rotation sees it by this command, which finds the secret in the variable of the place
    #[arg(long, value_name = "COMMAND", conflicts_with = "health")]
    health_cmd: Option<String>,
    /// No rotation has to wait for it
    #[arg(long)]
    optional: bool,
}

impl InjectArgs {
    /// What is said of the place now; what is not said stays as it was.
    fn tell(&self, about: &mut About) {
        about.name = self.title.clone().or(about.name.take());
        about.user_agent = self.user_agent.clone().or(about.user_agent.take());
        if !self.depends_on.is_empty() {
            about.depends_on.clone_from(&self.depends_on);
        }
        let interval = self.interval.map(|span| span.seconds);
        about.use_interval_seconds = interval.or(about.use_interval_seconds);
        let health = CheckedBy::asked(self.health.as_ref(), self.health_cmd.as_deref());
        about.health = health.or(about.health.take());
    }
}

pub(crate) async fn run(args: &InjectArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let entry = session.entry(client.id(), &args.id)?;
    let wanted = Place {
        issuer: entry.issuer.clone(),
        credential_id: args.id.clone(),
        path: env_file::from_root(&args.env_file)?,
        variable: args.name.clone(),
        about: About::default(),
    };
    let places = session.home.places();
    let known = match &args.installation {
        Some(id) => Some(id.clone()),
        None => places.find(&wanted)?,
    };
    // A place that is new is named before it is declared: a run that dies in between would
    // otherwise leave one behind that nobody fills, and declare another.
    let meaning = json!([args.id, wanted.path, wanted.variable]);
    let begun = session.begin(&client, "installation_put", meaning, new_id()?)?;
    let id = known.unwrap_or_else(|| begun.body.clone());
    // The place may hold another credential of the same line now, below which it is declared.
    let mut place = match places.get(&wanted.issuer, &id)? {
        Some(before) if before.path == wanted.path && before.variable == wanted.variable => before,
        _ => wanted,
    };
    args.tell(&mut place.about);
    let said = Said {
        user_agent: args.user_agent.clone(),
        depends_on: args.depends_on.clone(),
        use_interval_seconds: args.interval.map(|span| span.seconds),
        kind: args.kind.clone(),
        name: args.title.clone(),
        optional: args.optional,
        store_id: args.store_id.clone(),
        below: None,
    };
    let installed = bring(&client, session, &id, &place, &entry, said).await;
    if installed.as_ref().map_or_else(is_final, |_| true) {
        begun.finish()?;
    }
    let installed = installed?;
    let mut facts = Facts::default();
    facts
        .add("credential", args.id.as_str())
        .add("file", place.path.display().to_string())
        .add("variable", &place.variable);
    match &installed {
        Some(installed) => {
            facts.add("installation", installed.value.id.as_str());
            facts.add("state", installed.value.declared.state.to_string());
        }
        None => {
            facts.add(
                "installation",
                "not declared: the issuer keeps no inventory",
            );
        }
    }
    let declared = installed.map(|installed| installed.value);
    Outcome::new(
        &json!({"credential_id": args.id, "file": place.path, "variable": place.variable,
                "installation": declared}),
        facts.text(),
    )
}

/// A refusal changed nothing: there is nothing to go on with.
fn is_final(fault: &Error) -> bool {
    matches!(fault, Error::Refused(_)) && fault.exit() == Exit::Refused
}

fn new_id() -> Result<InstallationId, LocalFault> {
    let mut entropy = [0; 16];
    aws_lc_rs::rand::fill(&mut entropy)
        .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
    Ok(InstallationId::from_entropy(entropy))
}
