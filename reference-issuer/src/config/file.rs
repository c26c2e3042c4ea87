//! Reading configuration: TOML files, the permission documents they name, and the personas
//! that are built in.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use clp_schemas::approval::PrincipalKind;
use clp_schemas::endpoint::Class;
use clp_schemas::json::{self, Limits};
use clp_schemas::ops::approve::AttestationTrust;
use clp_schemas::ops::discover::{AuthMethod, CredentialType, Deployment};
use clp_schemas::ops::faults::FaultScript;
use clp_schemas::ops::policy;
use clp_schemas::ops::store::SecretText;
use clp_schemas::permissions::{PermissionDocument, PermissionSet};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    APPROVAL_METHODS, ApprovalPolicy, Config, ConfigFault, ControlConfig, DEFAULT_PORT, Persona,
    PrincipalConfig, ProviderConfig, Route, SandboxTemplate, Seed, TenantConfig, check, faults,
};

/// Largest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A persona that is built in.
struct BuiltIn {
    name: &'static str,
    text: &'static str,
    document: &'static str,
}

macro_rules! built_in {
    ($name:literal) => {
        BuiltIn {
            name: $name,
            text: include_str!(concat!("../personas/", $name, ".toml")),
            document: include_str!(concat!("../personas/", $name, ".permissions.json")),
        }
    };
}

const BUILT_IN: [BuiltIn; 3] = [
    built_in!("exampleapi"),
    built_in!("analytics"),
    built_in!("hosting"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    personas: Vec<PersonaEntry>,
    #[serde(default)]
    control: ControlEntry,
    /// As test control takes it, and held to the same schema.
    faults: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonaEntry {
    built_in: Option<String>,
    file: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlEntry {
    #[serde(default = "yes")]
    enabled: bool,
    port: Option<u16>,
}

impl Default for ControlEntry {
    fn default() -> Self {
        Self {
            enabled: true,
            port: None,
        }
    }
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonaFile {
    name: String,
    display_name: String,
    #[serde(default = "test")]
    environment: Deployment,
    token_prefix: String,
    credential_types: Vec<CredentialType>,
    #[serde(default)]
    profiles: Vec<Class>,
    #[serde(default = "every_method")]
    auth_methods: Vec<AuthMethod>,
    permission_document: String,
    max_lifetime_seconds: Option<u64>,
    #[serde(default)]
    policy: ApprovalPolicy,
    #[serde(default)]
    attestation: AttestationEntry,
    routes: Vec<Route>,
    #[serde(default)]
    seed: Vec<Seed>,
    #[serde(default)]
    tenants: Vec<TenantFile>,
    sandbox: SandboxTemplate,
}

fn every_method() -> Vec<AuthMethod> {
    APPROVAL_METHODS.to_vec()
}

fn test() -> Deployment {
    Deployment::Test
}

/// Whose word is taken for what an authenticator is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestationEntry {
    #[serde(default)]
    roots: Vec<String>,
    #[serde(default)]
    models: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantFile {
    name: String,
    principals: Vec<PrincipalFile>,
    approval_policy: Option<policy::ApprovalPolicy>,
    #[serde(default)]
    identity_providers: Vec<ProviderConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalFile {
    name: String,
    token: Option<SecretText>,
    token_env: Option<String>,
    permissions: PermissionSet,
    #[serde(default = "person")]
    kind: PrincipalKind,
    acts_for: Option<String>,
}

fn person() -> PrincipalKind {
    PrincipalKind::Person
}

/// The configuration that is built in.
pub(super) fn built_in() -> Result<Config, ConfigFault> {
    let personas = BUILT_IN
        .iter()
        .map(|known| built_in_persona(known.name, "personas"))
        .collect::<Result<_, _>>()?;
    let config = Config {
        personas,
        control: Some(ControlConfig {
            port: 0,
            token: None,
        }),
        faults: FaultScript::default(),
    };
    check::config("(built in)", &config)?;
    config.with_ports(DEFAULT_PORT)
}

/// The configuration in a file.
pub(super) fn read(path: &Path) -> Result<Config, ConfigFault> {
    let label = path.display().to_string();
    let file: ConfigFile = parse(&label, &text_of(path)?)?;
    let mut personas = Vec::new();
    for (position, entry) in file.personas.iter().enumerate() {
        let place = format!("personas[{position}]");
        personas.push(match (&entry.built_in, &entry.file) {
            (Some(name), None) => built_in_persona(name, &label).map_err(|mut fault| {
                fault.place = format!("{place}.built_in");
                fault
            })?,
            (None, Some(file)) => persona_file(&path.with_file_name(file))?,
            _ => {
                let reason = "want exactly one of `built_in` and `file`";
                return Err(ConfigFault::new(label, place, reason));
            }
        });
    }
    let control = file.control.enabled.then_some(ControlConfig {
        port: 0,
        token: None,
    });
    let faults = match file.faults {
        Some(value) => faults::script(&label, "faults", value)?,
        None => FaultScript::default(),
    };
    let mut config = Config {
        personas,
        control,
        faults,
    };
    check::config(&label, &config)?;
    faults::check(&label, &config)?;
    config = config.with_ports(DEFAULT_PORT)?;
    for (persona, entry) in config.personas.iter_mut().zip(&file.personas) {
        persona.port = entry.port.unwrap_or(persona.port);
    }
    if let (Some(control), Some(port)) = (&mut config.control, file.control.port) {
        control.port = port;
    }
    check::ports(&label, &config)?;
    Ok(config)
}

fn built_in_persona(name: &str, label: &str) -> Result<Persona, ConfigFault> {
    let Some(known) = BUILT_IN.iter().find(|known| known.name == name) else {
        let names: Vec<_> = BUILT_IN.iter().map(|known| known.name).collect();
        let reason = format!("no such persona; built in are {}", names.join(", "));
        return Err(ConfigFault::new(label, "", reason));
    };
    let label = format!("{name}.toml (built in)");
    persona(&label, known.text, |_| Ok(known.document.to_owned()))
}

fn persona_file(path: &Path) -> Result<Persona, ConfigFault> {
    persona(&path.display().to_string(), &text_of(path)?, |document| {
        text_of(&path.with_file_name(document))
    })
}

/// One persona, checked, with port 0.
fn persona(
    label: &str,
    text: &str,
    document: impl Fn(&str) -> Result<String, ConfigFault>,
) -> Result<Persona, ConfigFault> {
    let file: PersonaFile = parse(label, text)?;
    let permissions = permission_document(
        &file.permission_document,
        &document(&file.permission_document)?,
    )?;
    let tenants = file
        .tenants
        .into_iter()
        .enumerate()
        .map(|(position, tenant)| tenant_of(label, position, tenant))
        .collect::<Result<_, _>>()?;
    let persona = Persona {
        name: file.name,
        display_name: file.display_name,
        port: 0,
        environment: file.environment,
        token_prefix: file.token_prefix,
        credential_types: file.credential_types,
        profiles: file.profiles,
        auth_methods: file.auth_methods,
        permissions,
        routes: file.routes,
        seed: file.seed,
        policy: file.policy,
        attestation: AttestationTrust {
            roots: file.attestation.roots,
            models: file.attestation.models,
        },
        max_lifetime_seconds: file.max_lifetime_seconds,
        tenants,
        sandbox: file.sandbox,
    };
    check::persona(label, &persona)?;
    Ok(persona)
}

fn tenant_of(
    label: &str,
    position: usize,
    tenant: TenantFile,
) -> Result<TenantConfig, ConfigFault> {
    let principals = tenant
        .principals
        .into_iter()
        .enumerate()
        .map(|(index, principal)| {
            let place = format!("tenants[{position}].principals[{index}]");
            let fault = |reason: &str| ConfigFault::new(label, place.clone(), reason);
            let token = match (principal.token, principal.token_env) {
                (Some(token), None) => token,
                (None, Some(variable)) => std::env::var(variable)
                    .map(SecretText::new)
                    .map_err(|_| fault("the environment variable in `token_env` is not set"))?,
                _ => return Err(fault("want exactly one of `token` and `token_env`")),
            };
            Ok(PrincipalConfig {
                name: principal.name,
                token,
                permissions: principal.permissions,
                kind: principal.kind,
                acts_for: principal.acts_for,
            })
        })
        .collect::<Result<_, _>>()?;
    let identity_providers = tenant
        .identity_providers
        .into_iter()
        .enumerate()
        .map(|(index, provider)| {
            let place = format!("tenants[{position}].identity_providers[{index}]");
            let secret = provider.secret(label, &place)?;
            Ok((provider, secret))
        })
        .collect::<Result<_, _>>()?;
    Ok(TenantConfig {
        name: tenant.name,
        principals,
        approval_policy: tenant.approval_policy,
        identity_providers,
    })
}

/// A permission document, read as strictly as one from the network.
fn permission_document(label: &str, text: &str) -> Result<PermissionDocument, ConfigFault> {
    let limits = Limits {
        bytes: usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX),
        ..Limits::default()
    };
    let value = json::parse(text.as_bytes(), limits)
        .map_err(|fault| ConfigFault::new(label, "", fault.to_string()))?;
    let document: PermissionDocument = serde_json::from_value(value)
        .map_err(|fault| ConfigFault::new(label, "", wanted(&fault.to_string())))?;
    document
        .check()
        .map_err(|fault| ConfigFault::new(label, fault.pointer, fault.kind.to_string()))?;
    Ok(document)
}

/// What stands in a file, if it is not too large.
pub(super) fn text_of(path: &Path) -> Result<String, ConfigFault> {
    let fault = |reason: String| ConfigFault::new(path.display().to_string(), "", reason);
    let file = File::open(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| fault(format!("cannot be read: {error}")))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(fault(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// Reads TOML in two steps: a fault of syntax has a line, a fault of meaning has a member.
fn parse<T: DeserializeOwned>(label: &str, text: &str) -> Result<T, ConfigFault> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let place = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or_else(String::new, |before| {
                let line = before.matches('\n').count() + 1;
                let column = before
                    .rsplit('\n')
                    .next()
                    .map_or(0, |last| last.chars().count())
                    + 1;
                format!("line {line}, column {column}")
            });
        ConfigFault::new(label, place, wanted(error.message()))
    })?;
    T::deserialize(table).map_err(|error| {
        // Without its input, the error names the member instead of showing the line, which
        // could hold a token.
        let shown = error.to_string();
        let member = shown
            .rsplit_once("\nin `")
            .and_then(|(_, rest)| rest.trim_end().strip_suffix('`'))
            .unwrap_or_default();
        ConfigFault::new(label, member, wanted(error.message()))
    })
}

/// What a reader of TOML or JSON complains about, without the value it complains about.
fn wanted(message: &str) -> String {
    let names_a_value = ["invalid type", "invalid value"]
        .iter()
        .any(|start| message.starts_with(start));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if names_a_value => format!("want {expected}"),
        _ => message.to_owned(),
    }
}
