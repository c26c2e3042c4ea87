//! The software passkey: make one, show its public parts, register it at a test issuer.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::control::{
    AuthenticatorBody, AuthenticatorKeyBody, AuthenticatorRegister, TenantPath,
};
use url::Url;

use super::Session;
use super::sandbox::Opened;
use crate::control::Control;
use crate::error::{Error, NotAllowed};
use crate::passkey::{Passkey, PublicPasskey};
use crate::render::{Facts, Outcome};

impl Control {
    /// Registers a passkey for a principal of a sandbox.
    ///
    /// # Errors
    /// As every call.
    pub async fn register_passkey(
        &self,
        tenant: &TenantId,
        principal: &PrincipalId,
        passkey: &PublicPasskey,
    ) -> Result<(), Error> {
        let path = TenantPath {
            tenant_id: tenant.clone(),
        };
        let body = AuthenticatorBody::Key(AuthenticatorKeyBody {
            principal: principal.clone(),
            credential_id: passkey.credential_id.clone(),
            public_key: passkey.public_key.clone(),
        });
        self.call::<AuthenticatorRegister>(&path, &body).await?;
        Ok(())
    }
}

/// Make and register a software passkey for approvals
#[derive(Args, Debug)]
pub(crate) struct PasskeyArgs {
    /// The passkey's file, by default the one in CLP_HOME
    #[arg(long, value_name = "FILE", global = true)]
    passkey: Option<PathBuf>,
    #[command(subcommand)]
    command: PasskeyCommand,
}

#[derive(Subcommand, Debug)]
enum PasskeyCommand {
    /// Make a passkey
    New {
        /// WebAuthn relying party, by default the issuer's host
        #[arg(long, value_name = "HOST")]
        relying_party: Option<String>,
    },
    /// Show the public parts, for registration by other means
    Show,
    /// Register it in a sandbox of a test issuer; needs CLP_CONTROL_TOKEN or CLP_CONTROL_TOKEN_FILE
    Register {
        /// Where test control listens
        #[arg(long, value_name = "URL", env = "CLP_CONTROL")]
        control: Option<Url>,
        /// The sandbox, by default the one that `clp sandbox` made last
        #[arg(long, value_name = "ID", requires = "principal")]
        tenant: Option<TenantId>,
        /// Whose passkey it is to be, by default the approver's
        #[arg(long, value_name = "ID", requires = "tenant")]
        principal: Option<PrincipalId>,
    },
}

pub(crate) async fn run(args: &PasskeyArgs, session: &Session) -> Result<Outcome, Error> {
    let path = args
        .passkey
        .clone()
        .unwrap_or_else(|| session.home.passkey());
    match &args.command {
        PasskeyCommand::New { relying_party } => {
            let host = match relying_party {
                Some(host) => host.clone(),
                None => {
                    let client = session.client()?;
                    client
                        .id()
                        .url()
                        .host_str()
                        .ok_or(NotAllowed::UrlForm)?
                        .to_owned()
                }
            };
            shown(&Passkey::create(path, &host)?)
        }
        PasskeyCommand::Show => shown(&Passkey::at(path)),
        PasskeyCommand::Register {
            control,
            tenant,
            principal,
        } => {
            let passkey = Passkey::at(path).public()?;
            let (tenant, principal) = match (tenant, principal) {
                (Some(tenant), Some(principal)) => (tenant.clone(), principal.clone()),
                _ => approver(&Opened::last(session)?)?,
            };
            Control::from_env(control.as_ref(), session)?
                .register_passkey(&tenant, &principal, &passkey)
                .await?;
            Outcome::new(&passkey, format!("registered for {principal}\n"))
        }
    }
}

/// The approver of a sandbox.
fn approver(sandbox: &Opened) -> Result<(TenantId, PrincipalId), Error> {
    let member = sandbox.cast.get("approver").ok_or_else(|| {
        Error::usage("the sandbox has no approver: give --tenant and --principal")
    })?;
    Ok((sandbox.tenant_id.clone(), member.id.clone()))
}

fn shown(passkey: &Passkey) -> Result<Outcome, Error> {
    let public = passkey.public()?;
    let mut facts = Facts::default();
    facts
        .add("file", passkey.path().display().to_string())
        .add("relying party", &public.relying_party_id)
        .add("credential id", &public.credential_id)
        .add("public key", &public.public_key);
    Outcome::new(&public, facts.text())
}
