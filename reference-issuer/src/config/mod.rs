//! What the process serves: personas, each an issuer with an API of its own, and the listener
//! for test control.
//!
//! A configuration is checked as a whole when it is read. What the rest of the issuer gets
//! is known to make sense.

mod check;
mod fault;
mod faults;
mod file;
mod profiles;
mod providers;
mod route;
mod sandbox;
mod show;

use std::path::Path;

use clp_schemas::approval::PrincipalKind;
use clp_schemas::endpoint::Class;
use clp_schemas::ops::approve::AttestationTrust;
use clp_schemas::ops::discover::{AuthMethod, CredentialType, Deployment};
use clp_schemas::ops::faults::FaultScript;
use clp_schemas::ops::policy;
use clp_schemas::ops::store::SecretText;
use clp_schemas::permissions::{PermissionDocument, PermissionSet, Risk};

pub use fault::ConfigFault;
pub use profiles::{APPROVAL_METHODS, OPTIONAL};
pub use providers::ProviderConfig;
pub use route::{Effect, FactSource, NotATemplate, Parameters, Route, Template};
pub use sandbox::{CastRole, SandboxTemplate};

/// The first port of the personas; each further persona has the next one.
pub const DEFAULT_PORT: u16 = 8801;

/// Everything that one process serves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuers, in the order of their ports. Never empty; names are distinct.
    pub personas: Vec<Persona>,
    /// The listener for test control; `None` where there is none.
    pub control: Option<ControlConfig>,
    /// What goes wrong on purpose at every persona; empty for nothing.
    pub faults: FaultScript,
}

/// The listener for test control.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Its port on the loopback interface; 0 for any that is free.
    pub port: u16,
    /// The bearer token it asks for; `None` for a random one.
    pub token: Option<SecretText>,
}

/// One issuer: what it grants, what its own API looks like, and who is there to start with.
#[derive(Clone, Debug)]
pub struct Persona {
    /// What it is called in configuration, logs and files: `^[a-z][a-z0-9-]{0,31}$`.
    pub name: String,
    /// What it calls itself in its manifest.
    pub display_name: String,
    /// Its port on the loopback interface; 0 for any that is free.
    pub port: u16,
    /// `test`, unless the file says otherwise. Test control refuses any other.
    pub environment: Deployment,
    /// What its API keys begin with.
    pub token_prefix: String,
    /// The kinds of credential that it mints. Never empty.
    pub credential_types: Vec<CredentialType>,
    /// The profiles that it claims beside those that every persona has, out of [`OPTIONAL`].
    pub profiles: Vec<Class>,
    /// How approvals are given, out of [`APPROVAL_METHODS`]. Never empty.
    pub auth_methods: Vec<AuthMethod>,
    /// What it can grant; has passed `PermissionDocument::check`.
    pub permissions: PermissionDocument,
    /// Its own small API, which its keys open.
    pub routes: Vec<Route>,
    /// What stands in its API for every tenant to begin with: a JSON value by path.
    pub seed: Vec<Seed>,
    /// When somebody has to approve.
    pub policy: ApprovalPolicy,
    /// Whose word it takes for what an authenticator is; by default nobody's.
    pub attestation: AttestationTrust,
    /// Longest life of a credential, in seconds; `None` for no bound.
    pub max_lifetime_seconds: Option<u64>,
    /// The tenants that exist from the start.
    pub tenants: Vec<TenantConfig>,
    /// What a fresh tenant for tests looks like.
    pub sandbox: SandboxTemplate,
}

/// When a create needs an approval first. Either condition is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalPolicy {
    /// In these environments.
    #[serde(default)]
    pub environments: Vec<String>,
    /// From this risk on.
    #[serde(default)]
    pub risk_at_least: Option<Risk>,
}

impl ApprovalPolicy {
    /// Whether a credential of this environment and risk needs an approval.
    #[must_use]
    pub fn wants_approval(&self, environment: &str, risk: Risk) -> bool {
        self.environments.iter().any(|name| name == environment)
            || self.risk_at_least.is_some_and(|least| risk >= least)
    }
}

/// A tenant that exists from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantConfig {
    /// Its name: `^[a-z][a-z0-9-]{0,31}$`.
    pub name: String,
    /// Who is in it. Names are distinct within the tenant, tokens within the process.
    pub principals: Vec<PrincipalConfig>,
    /// What it wants of its approvals, where the persona claims `approval-policy`.
    pub approval_policy: Option<policy::ApprovalPolicy>,
    /// Whom it trusts to say who somebody is, each with what the issuer authenticates with there.
    pub identity_providers: Vec<(ProviderConfig, Option<SecretText>)>,
}

/// A principal with a static bearer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalConfig {
    /// Its name: `^[a-z][a-z0-9-]{0,31}$`.
    pub name: String,
    /// Its bearer token (RFC 6750 section 2.1), 16 to 512 characters.
    pub token: SecretText,
    /// What it may do, on `clp.credential` alone.
    pub permissions: PermissionSet,
    /// What it is.
    pub kind: PrincipalKind,
    /// The name of a principal before it in the list, for which it acts.
    pub acts_for: Option<String>,
}

/// A value that stands in the persona's API to begin with.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Where it stands.
    pub path: String,
    /// What stands there.
    pub value: serde_json::Value,
}

impl Config {
    /// The configuration that is built in: three personas from [`DEFAULT_PORT`] on, and test
    /// control nine ports further.
    ///
    /// # Errors
    /// None in practice: a test reads every built-in persona.
    pub fn built_in() -> Result<Self, ConfigFault> {
        file::built_in()
    }

    /// Reads a configuration file (TOML) and the files it names.
    ///
    /// # Errors
    /// [`ConfigFault`], which says in which file and at which member what has to be mended.
    pub fn read(path: &Path) -> Result<Self, ConfigFault> {
        file::read(path)
    }

    /// The same with the script of faults in a JSON file, as test control takes it.
    ///
    /// # Errors
    /// [`ConfigFault`] if there is no script in it, or a persona is in production.
    pub fn with_faults(mut self, path: &Path) -> Result<Self, ConfigFault> {
        self.faults = faults::read(path)?;
        faults::check(&path.display().to_string(), &self)?;
        Ok(self)
    }

    /// The same with this seed for the chaos of its script.
    ///
    /// # Errors
    /// [`ConfigFault`] if the script has no chaos, or the seed is 2^53 or more.
    pub fn with_fault_seed(mut self, seed: u64) -> Result<Self, ConfigFault> {
        faults::sow(&mut self.faults, seed)?;
        Ok(self)
    }

    /// The same with ports counted up from `base`: personas first, test control at
    /// `base + 9`, or after the last persona where there are more. With 0 every port is one
    /// that is free.
    ///
    /// # Errors
    /// [`ConfigFault`] if the ports do not fit below 65536.
    pub fn with_ports(mut self, base: u16) -> Result<Self, ConfigFault> {
        let at = |offset: usize| match base {
            0 => Ok(0),
            base => u16::try_from(usize::from(base) + offset)
                .map_err(|_| ConfigFault::new("--port", "", "the ports go beyond 65535")),
        };
        let count = self.personas.len();
        for (offset, persona) in self.personas.iter_mut().enumerate() {
            persona.port = at(offset)?;
        }
        if let Some(control) = &mut self.control {
            control.port = at(count.max(9))?;
        }
        Ok(self)
    }
}
