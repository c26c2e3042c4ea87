//! Somebody more in a sandbox, such as an agent that acts for a person, and the sandbox's clock
//! (spec chapter 80).

use clap::Args;
use clp_schemas::approval::PrincipalKind;
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::control::{
    CastMember, ClockAdvance, ClockAnswer, ClockBody, ControlPrincipalAdd, PrincipalAction,
    PrincipalBody, TenantPath,
};
use serde_json::json;
use url::Url;

use super::Session;
use super::sandbox::{Member, Opened};
use crate::control::Control;
use crate::error::Error;
use crate::private;
use crate::render::{Facts, Outcome};
use crate::wanted::Span;

impl Control {
    /// Makes a principal of a sandbox.
    ///
    /// # Errors
    /// As every call.
    pub async fn add_principal(
        &self,
        tenant: &TenantId,
        principal: &PrincipalBody,
    ) -> Result<CastMember, Error> {
        let path = TenantPath {
            tenant_id: tenant.clone(),
        };
        self.call::<ControlPrincipalAdd>(&path, principal).await
    }

    /// Moves the clock of a sandbox forward, by at least a second.
    ///
    /// # Errors
    /// As every call.
    pub async fn advance_clock(
        &self,
        tenant: &TenantId,
        seconds: u64,
    ) -> Result<ClockAnswer, Error> {
        let path = TenantPath {
            tenant_id: tenant.clone(),
        };
        let body = ClockBody {
            advance_seconds: seconds,
        };
        self.call::<ClockAdvance>(&path, &body).await
    }
}

/// Add somebody to the sandbox, such as an agent that acts for a person
///
/// The token is written to CLP_HOME/sandbox/NAME.token, for CLP_TOKEN_FILE.
#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// What it is called: lower-case letters
    #[arg(value_parser = name)]
    name: String,
    /// What it is: person, client, agent or workload
    #[arg(long, value_name = "KIND", default_value = "person", value_parser = kind)]
    kind: PrincipalKind,
    /// For whom it acts: somebody in the sandbox by name, or by id
    #[arg(long, value_name = "WHO")]
    acts_for: Option<String>,
    /// What it may do in the project of the sandbox [example: read,request]
    #[arg(long, value_name = "ACTION[,ACTION]", value_delimiter = ',', value_parser = action)]
    may: Vec<PrincipalAction>,
    /// Where test control listens
    #[arg(long, value_name = "URL", env = "CLP_CONTROL")]
    control: Option<Url>,
}

/// Let time pass in the sandbox, to see what ends by itself
#[derive(Args, Debug)]
pub(crate) struct ClockArgs {
    /// How much [example: 31m]
    advance: Span,
    /// Where test control listens
    #[arg(long, value_name = "URL", env = "CLP_CONTROL")]
    control: Option<Url>,
}

// It becomes the name of a file.
fn name(text: &str) -> Result<String, &'static str> {
    let letters = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    match letters && text.len() <= 32 {
        true => Ok(text.to_owned()),
        false => Err("want 1 to 32 lower-case letters"),
    }
}

fn kind(text: &str) -> Result<PrincipalKind, &'static str> {
    PrincipalKind::from_name(text).ok_or("want person, client, agent or workload")
}

fn action(text: &str) -> Result<PrincipalAction, &'static str> {
    PrincipalAction::from_name(text)
        .ok_or("want read, request, approve, create, rotate, revoke, audit, amend or inventory")
}

pub(super) async fn add(args: &AddArgs, session: &Session) -> Result<Outcome, Error> {
    let mut sandbox = Opened::last(session)?;
    if sandbox.cast.contains_key(&args.name) {
        return Err(Error::usage(format!(
            "there is a `{}` in the sandbox already: choose another name",
            args.name
        )));
    }
    let acts_for = args
        .acts_for
        .as_deref()
        .map(|who| known(&sandbox, who))
        .transpose()?;
    let body = PrincipalBody {
        name: args.name.clone(),
        kind: Some(args.kind),
        acts_for,
        actions: args.may.clone(),
        environments: None,
    };
    let control = Control::from_env(args.control.as_ref(), session)?;
    let member = control.add_principal(&sandbox.tenant_id, &body).await?;
    let token_file = session.home.sandbox().join(format!("{}.token", args.name));
    private::replace(&token_file, member.token.expose().as_bytes())?;
    let mut facts = Facts::default();
    facts
        .add("principal", member.id.as_str())
        .add("kind", args.kind.to_string())
        .add_some("acts for", body.acts_for.as_ref())
        .add("token file", token_file.display().to_string());
    let answer = json!({"id": member.id, "kind": args.kind, "acts_for": body.acts_for, "token_file": token_file});
    let id = member.id;
    sandbox
        .cast
        .insert(args.name.clone(), Member { id, token_file });
    sandbox.keep(session)?;
    Outcome::new(&answer, facts.text())
}

/// Somebody in the sandbox, by name or by id.
fn known(sandbox: &Opened, who: &str) -> Result<PrincipalId, Error> {
    if let Some(member) = sandbox.cast.get(who) {
        return Ok(member.id.clone());
    }
    who.parse().map_err(|_| {
        let names: Vec<&str> = sandbox.cast.keys().map(String::as_str).collect();
        Error::usage(format!(
            "nobody in the sandbox is called `{who}`: name one of {}, or give an id (prin_...)",
            names.join(", ")
        ))
    })
}

pub(super) async fn clock(args: &ClockArgs, session: &Session) -> Result<Outcome, Error> {
    let sandbox = Opened::last(session)?;
    let control = Control::from_env(args.control.as_ref(), session)?;
    let answer = control
        .advance_clock(&sandbox.tenant_id, args.advance.seconds)
        .await?;
    let mut facts = Facts::default();
    facts.add("now", answer.now.to_string());
    Outcome::new(&answer, facts.text())
}
