//! What is tested and how it is reached: one tree, out of a TOML file and the environment,
//! which wins. A token never stands in the tree, only the name of the variable or of the file
//! that holds it.

mod place;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::control::Probe;
use clp_schemas::ops::store::SecretText;
use serde::Deserialize;
use toml::{Table, Value};
use url::{Host, Url};

use crate::subject::Which;

/// What every variable that reaches into the tree begins with; `__` separates its levels, as
/// in `CLP_CONFORMANCE__CONTROL__TOKEN`.
pub const ENV_PREFIX: &str = "CLP_CONFORMANCE__";

/// A whole configuration, for the help and for a test.
pub const EXAMPLE: &str = include_str!("config/example.toml");

/// Largest configuration or token file, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// The issuer that a run is about.
#[derive(Clone, Debug)]
pub enum Target {
    /// The reference issuer, started inside this process.
    Reference,
    /// The same, told to break one requirement: a name of
    /// [`saboteurs`](crate::subject::reference::saboteurs).
    Saboteur(String),
    /// Anybody's.
    Remote(Box<Remote>),
}

/// An issuer that is already running.
#[derive(Clone, Debug)]
pub struct Remote {
    /// The prefix of its manifest: its issuer identifier.
    pub url: Url,
    /// Issuers that claim less, behind the same test control.
    pub elsewhere: BTreeMap<Which, Url>,
    /// Its test control; with it, everything else is optional.
    pub control: Option<Control>,
    /// A cast that was set up by hand, for an issuer without test control.
    pub cast: Option<Cast>,
}

/// Test control.
#[derive(Clone, Debug)]
pub struct Control {
    /// Its base, C.
    pub url: Url,
    /// Its bearer token.
    pub token: SecretText,
    /// Where the token is from, in words.
    pub from: String,
}

/// A cast that was set up by hand.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The tenant of all but the outsider, where it is known.
    pub tenant_id: Option<TenantId>,
    /// By role: `owner`, `approver`, `bystander`, `outsider`.
    pub members: BTreeMap<String, Member>,
    /// What tells what a key opens.
    pub probe: Probe,
}

/// Somebody of the cast.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who, where it is known.
    pub id: Option<PrincipalId>,
    /// Their bearer token.
    pub token: SecretText,
    /// Where the token is from, in words.
    pub from: String,
}

/// The roles that a cast has to fill.
pub const ROLES: [&str; 4] = ["owner", "approver", "bystander", "outsider"];

/// Why there is no configuration to go by.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A file cannot be read.
    #[error("{what}`{path}` cannot be read: {reason}")]
    File {
        /// The member that names it, with a colon; empty for the configuration itself.
        what: String,
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The tree does not have the expected form.
    #[error("the configuration is malformed: {0}")]
    Form(String),
    /// A token stands where it can be read by others.
    #[error(
        "`{0}` holds a token; name its place instead: `{{ env = \"NAME\" }}` or `{{ file = \"PATH\" }}`"
    )]
    TokenInFile(String),
    /// An address that a token must not be sent to.
    #[error(
        "`{0}` has to be an https URL without user, query and fragment; http is for loopback addresses"
    )]
    Url(&'static str),
    /// A token's place is empty.
    #[error("the token `{0}` is not there: {1}")]
    TokenMissing(String, String),
    /// Test control without its address.
    #[error("`control.url` is not there: set `CLP_CONFORMANCE__CONTROL__URL`")]
    NoControlUrl,
    /// Neither test control nor a cast.
    #[error("an issuer needs `control` (url, token) or `cast` ({roles} with a token each) and `probe`", roles = ROLES.join(", "))]
    NoCast,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    issuer: Option<Url>,
    elsewhere: Option<BTreeMap<String, Url>>,
    control: Option<ControlTree>,
    cast: Option<BTreeMap<String, MemberTree>>,
    tenant_id: Option<TenantId>,
    probe: Option<Probe>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlTree {
    url: Option<Url>,
    token: Option<Place>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberTree {
    id: Option<PrincipalId>,
    token: Option<Place>,
}

/// Where a token is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Place {
    Env(String),
    File(PathBuf),
}

impl Target {
    /// Reads the file and the environment, and fetches the tokens.
    ///
    /// # Errors
    /// Where the tree is malformed, incomplete, or a token is missing or in the open.
    pub fn load(
        url: Option<Url>,
        file: Option<&Path>,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigFault> {
        let text = file.map(|path| read(path, "")).transpose()?;
        let place = |fault: &toml::de::Error| {
            let (Some(path), Some(text)) = (file, &text) else {
                return ConfigFault::Form(fault.message().to_owned());
            };
            ConfigFault::Form(place::words(path, text, fault))
        };
        let mut tree = match &text {
            None => Table::new(),
            Some(text) => text.parse::<Table>().map_err(|fault| place(&fault))?,
        };
        no_tokens(&tree, "")?;
        if let Some(text) = &text {
            // Once for itself: a fault has its line only before the environment is laid over.
            toml::from_str::<Tree>(text).map_err(|fault| place(&fault))?;
        }
        overlay(&mut tree, env)?;
        let tree: Tree = Value::Table(tree)
            .try_into()
            .map_err(|fault: toml::de::Error| {
                ConfigFault::Form(format!("with the variables: {}", fault.message()))
            })?;
        let around = Around {
            env,
            folder: file.and_then(Path::parent).unwrap_or(Path::new("")),
        };
        let Some(url) = url.or(tree.issuer) else {
            return Ok(Self::Reference);
        };
        safe("issuer", &url)?;
        let elsewhere = elsewhere(tree.elsewhere.unwrap_or_default())?;
        let control = match tree.control {
            None => None,
            Some(control) => {
                let url = control.url.ok_or(ConfigFault::NoControlUrl)?;
                safe("control.url", &url)?;
                let (token, from) = fetch(control.token.as_ref(), "control.token", &around)?;
                Some(Control { url, token, from })
            }
        };
        let cast = match (tree.cast, tree.probe) {
            (Some(cast), Some(probe)) => Some(Cast {
                tenant_id: tree.tenant_id,
                members: members(cast, &around)?,
                probe,
            }),
            (None, None) => None,
            _ => return Err(ConfigFault::NoCast),
        };
        if control.is_none() && cast.is_none() {
            return Err(ConfigFault::NoCast);
        }
        Ok(Self::Remote(Box::new(Remote {
            url,
            elsewhere,
            control,
            cast,
        })))
    }
}

fn elsewhere(named: BTreeMap<String, Url>) -> Result<BTreeMap<Which, Url>, ConfigFault> {
    named
        .into_iter()
        .map(|(name, url)| {
            safe("elsewhere", &url)?;
            let known = Which::ELSEWHERE.iter().find(|(_, tag)| *tag == name);
            let (which, _) = known
                .ok_or_else(|| ConfigFault::Form("`elsewhere` has no such member".to_owned()))?;
            Ok((*which, url))
        })
        .collect()
}

fn members(
    cast: BTreeMap<String, MemberTree>,
    around: &Around<'_>,
) -> Result<BTreeMap<String, Member>, ConfigFault> {
    if cast.len() != ROLES.len() || ROLES.iter().any(|role| !cast.contains_key(*role)) {
        return Err(ConfigFault::NoCast);
    }
    cast.into_iter()
        .map(|(role, member)| {
            let name = format!("cast.{role}.token");
            let (token, from) = fetch(member.token.as_ref(), &name, around)?;
            Ok((
                role,
                Member {
                    id: member.id,
                    token,
                    from,
                },
            ))
        })
        .collect()
}

/// What a token's place is understood by.
struct Around<'a> {
    env: &'a BTreeMap<String, String>,
    /// The folder of the configuration, which relative paths begin at.
    folder: &'a Path,
}

/// The token, and where it is from in words.
fn fetch(
    place: Option<&Place>,
    name: &str,
    around: &Around<'_>,
) -> Result<(SecretText, String), ConfigFault> {
    let missing = |why: String| ConfigFault::TokenMissing(name.to_owned(), why);
    let (text, from) = match place {
        None => {
            let variable = format!("{ENV_PREFIX}{}", name.to_uppercase().replace('.', "__"));
            return Err(missing(format!("set `{variable}` for it")));
        }
        Some(Place::Env(variable)) => {
            let text = around.env.get(variable).cloned();
            let text =
                text.ok_or_else(|| missing(format!("the variable `{variable}` is not set")))?;
            (text, format!("variable `{variable}`"))
        }
        Some(Place::File(path)) => {
            let path = around.folder.join(path);
            let text = read(&path, &format!("{name}: "))?;
            (text.trim().to_owned(), format!("file `{}`", path.display()))
        }
    };
    if text.is_empty() {
        return Err(missing(format!("the {from} is empty")));
    }
    Ok((SecretText::new(text), from))
}

fn read(path: &Path, what: &str) -> Result<String, ConfigFault> {
    let fault = |reason: String| ConfigFault::File {
        what: what.to_owned(),
        path: path.to_owned(),
        reason,
    };
    let size = std::fs::metadata(path)
        .map_err(|error| fault(error.to_string()))?
        .len();
    if size > MAX_FILE {
        return Err(fault("it is larger than 256 KiB".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))
}

/// Tokens are sent there, so nobody may read along.
fn safe(name: &'static str, url: &Url) -> Result<(), ConfigFault> {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if scheme && bare {
        Ok(())
    } else {
        Err(ConfigFault::Url(name))
    }
}

/// Refuses a token that stands in the file itself.
fn no_tokens(table: &Table, at: &str) -> Result<(), ConfigFault> {
    for (name, value) in table {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match value {
            Value::String(_) if name == "token" => return Err(ConfigFault::TokenInFile(path)),
            Value::Table(inner) => no_tokens(inner, &path)?,
            _ => {}
        }
    }
    Ok(())
}

/// Lays the environment over the tree. A token stays where it is: the tree gets its name.
fn overlay(tree: &mut Table, env: &BTreeMap<String, String>) -> Result<(), ConfigFault> {
    for (variable, value) in env {
        let Some(path) = variable.strip_prefix(ENV_PREFIX) else {
            continue;
        };
        let path = path.to_lowercase();
        let mut levels: Vec<&str> = path.split("__").collect();
        let Some(leaf) = levels.pop() else { continue };
        let mut at = &mut *tree;
        for level in levels {
            at = at
                .entry(level)
                .or_insert_with(|| Value::Table(Table::new()))
                .as_table_mut()
                .ok_or_else(|| ConfigFault::Form(format!("`{variable}` reaches below a value")))?;
        }
        let value = if leaf == "token" {
            Value::Table(Table::from_iter([(
                "env".to_owned(),
                Value::String(variable.clone()),
            )]))
        } else {
            Value::String(value.clone())
        };
        at.insert(leaf.to_owned(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
