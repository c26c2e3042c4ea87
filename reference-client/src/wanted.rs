//! How a wanted credential is described on the command line, the same for `request`,
//! `create` and `scope`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clp_schemas::jose::PublicJwk;
use clp_schemas::json;
use clp_schemas::ops::create::{Confirmation, RotationPolicy, Subject, SubjectKind, Webhook};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::permissions::{PermissionSet, Selector, Statement, limits};
use clp_schemas::time::Timestamp;

use crate::error::{Error, LocalFault};
use crate::pair::Pair;

/// A length of time, as in `45s`, `30m`, `12h` or `90d`. The unit is
/// always said, since a bare `30` is meant as days by some and as minutes by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) seconds: u64,
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "want a number and its unit s, m, h or d, such as 30m or 90d";
        let (digits, unit) = match text.char_indices().last() {
            Some((at, 's')) => (text.get(..at), 1),
            Some((at, 'm')) => (text.get(..at), 60),
            Some((at, 'h')) => (text.get(..at), 3600),
            Some((at, 'd')) => (text.get(..at), 86_400),
            _ => return Err(WANTED),
        };
        let number: u64 = digits
            .and_then(|digits| digits.parse().ok())
            .ok_or(WANTED)?;
        let seconds = number
            .checked_mul(unit)
            .filter(|seconds| *seconds <= json::MAX_INTEGER);
        seconds.map(|seconds| Self { seconds }).ok_or("too long")
    }
}

/// One statement in short form: `resource_type:action[,action]:selector`.
#[derive(Clone, Debug)]
pub(crate) struct Allow(Statement);

impl FromStr for Allow {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str =
            "want resource_type:action[,action]:selector, such as event:read:atlas/*";
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(WANTED);
        let (resource_type, actions, selector) = (part()?, part()?, part()?);
        let selector: Selector = selector.parse().map_err(|_| WANTED)?;
        let actions: Vec<String> = actions.split(',').map(str::to_owned).collect();
        if actions.iter().any(String::is_empty) {
            return Err(WANTED);
        }
        Ok(Self(Statement {
            resource_type: resource_type.to_owned(),
            selector,
            actions,
            constraints: std::collections::BTreeMap::new(),
        }))
    }
}

/// What a credential is to open.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
pub(crate) struct PermissionArgs {
    /// Allow these actions on these resources; repeat for more [example: event:read:atlas/*]
    #[arg(long, value_name = "TYPE:ACTION[,ACTION]:SELECTOR")]
    allow: Vec<Allow>,
    /// Read the permission set from a JSON file, constraints included
    #[arg(long, value_name = "FILE")]
    permissions: Option<PathBuf>,
}

impl PermissionArgs {
    /// Whether any were given.
    pub(crate) fn given(&self) -> bool {
        self.permissions.is_some() || !self.allow.is_empty()
    }

    /// The permission set that was given.
    ///
    /// # Errors
    /// [`Error::Usage`] if none was, or the file does not hold one.
    pub(crate) fn set(&self) -> Result<PermissionSet, Error> {
        let Some(path) = &self.permissions else {
            if self.allow.is_empty() {
                return Err(Error::usage(
                    "no permissions: give --allow or --permissions",
                ));
            }
            let statements = self.allow.iter().map(|allow| allow.0.clone());
            return Ok(PermissionSet(statements.collect()));
        };
        permission_file(path)
    }
}

/// Reads a permission set from a JSON file of the user's.
///
/// # Errors
/// [`Error::Usage`] if the file does not hold one.
pub(crate) fn permission_file(path: &std::path::Path) -> Result<PermissionSet, Error> {
    let value = json::parse(&read_file(path)?, json::Limits::default())
        .map_err(|fault| Error::usage(format!("the permissions file cannot be read: {fault}")))?;
    serde_json::from_value(value)
        .ok()
        .filter(|set: &PermissionSet| (1..=limits::STATEMENTS).contains(&set.0.len()))
        .ok_or_else(|| Error::usage("the permissions file does not hold a permission set"))
}

/// Reads a file of the user's that holds no secret, up to the bound for documents.
pub(crate) fn read_file(path: &std::path::Path) -> Result<Vec<u8>, LocalFault> {
    use std::io::Read as _;
    let limit = json::Limits::default().bytes;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(LocalFault::file("read", path))?;
    Ok(bytes)
}

fn credential_type(text: &str) -> Result<CredentialType, &'static str> {
    CredentialType::from_name(text)
        .ok_or("want api_key, oauth_client, webhook_secret or service_account")
}

pub(crate) fn subject(text: &str) -> Result<Subject, &'static str> {
    const WANTED: &str =
        "want kind:name with the kind user, workload, agent, task, project or environment";
    let (kind, id) = text.split_once(':').ok_or(WANTED)?;
    let kind = SubjectKind::from_name(kind).ok_or(WANTED)?;
    if id.is_empty() {
        return Err(WANTED);
    }
    Ok(Subject {
        kind,
        id: id.to_owned(),
    })
}

/// What every credential has. Not marked as needed for clap, since a create from a request
/// has none of it; [`AboutArgs::resolve`] asks for what is missing.
#[derive(Args, Clone, Debug)]
pub(crate) struct AboutArgs {
    /// Kind of credential, by default api_key
    #[arg(long = "type", value_name = "TYPE", value_parser = credential_type)]
    kind: Option<CredentialType>,
    /// What it is for, in a sentence
    #[arg(long)]
    purpose: Option<String>,
    /// Person or team that answers for it
    #[arg(long)]
    owner: Option<String>,
    /// Project that it belongs to
    #[arg(long)]
    project: Option<String>,
    /// Environment that it belongs to
    #[arg(long)]
    environment: Option<String>,
    /// Who or what will use it [example: workload:nightly-import]
    #[arg(long, value_name = "KIND:NAME", value_parser = subject)]
    subject: Option<Subject>,
    /// Rotate at least this often [example: 90d]
    #[arg(long, value_name = "SPAN")]
    rotate_every: Option<Span>,
    /// Longest time that predecessor and successor live side by side
    #[arg(long, value_name = "SPAN")]
    max_overlap: Option<Span>,
    /// No successor lives beyond this [example: 2027-01-31T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    renewable_until: Option<Timestamp>,
}

/// What goes with one type of credential alone.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct KindArgs {
    /// For a service_account: make the key pair here; its private half never leaves
    #[arg(long)]
    own_key: bool,
    /// For an api_key: bind it to a key pair that is made here (RFC 9449)
    #[arg(long, conflicts_with = "own_key")]
    bind: bool,
    /// For a webhook_secret: where the events go
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
}

/// The same, as members of a body.
#[derive(Debug, Default)]
pub(crate) struct KindMembers {
    pub(crate) cnf: Option<Confirmation>,
    pub(crate) public_jwk: Option<PublicJwk>,
    pub(crate) webhook: Option<Webhook>,
    /// The pair that one of the first two is the public half of.
    pub(crate) pair: Option<Pair>,
}

impl KindArgs {
    /// Whether any was given.
    pub(crate) fn given(&self) -> bool {
        self.own_key || self.bind || self.webhook_url.is_some()
    }

    /// What makes two runs the same: a pair is another in each.
    pub(crate) fn meaning(&self) -> serde_json::Value {
        serde_json::json!({"own_key": self.own_key, "bind": self.bind})
    }

    /// What was given, with a fresh key pair where one is wanted.
    ///
    /// # Errors
    /// [`Error::Usage`] for what does not go with the type.
    pub(crate) fn resolve(&self, kind: CredentialType) -> Result<KindMembers, Error> {
        let fits = [
            (self.own_key, CredentialType::ServiceAccount, "--own-key"),
            (self.bind, CredentialType::ApiKey, "--bind"),
            (
                self.webhook_url.is_some(),
                CredentialType::WebhookSecret,
                "--webhook-url",
            ),
        ];
        for (given, wanted, flag) in fits {
            if given && kind != wanted {
                return Err(Error::usage(format!("{flag} goes with --type {wanted}")));
            }
        }
        if kind == CredentialType::WebhookSecret && self.webhook_url.is_none() {
            return Err(Error::usage("a webhook_secret needs --webhook-url"));
        }
        let pair = match self.own_key || self.bind {
            true => Some(Pair::generate()?),
            false => None,
        };
        Ok(KindMembers {
            cnf: pair
                .as_ref()
                .filter(|_| self.bind)
                .map(|pair| Confirmation {
                    jkt: pair.thumbprint.clone(),
                }),
            public_jwk: pair
                .as_ref()
                .filter(|_| self.own_key)
                .map(|pair| pair.public.clone()),
            webhook: self.webhook_url.clone().map(|url| Webhook { url }),
            pair,
        })
    }
}

/// The same, once everything needed is there.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) kind: CredentialType,
    pub(crate) purpose: String,
    pub(crate) owner: String,
    pub(crate) project: String,
    pub(crate) environment: String,
    pub(crate) subject: Option<Subject>,
    pub(crate) rotation_policy: Option<RotationPolicy>,
}

impl AboutArgs {
    /// Whether any was given.
    pub(crate) fn given(&self) -> bool {
        let texts = [&self.purpose, &self.owner, &self.project, &self.environment];
        self.kind.is_some()
            || self.subject.is_some()
            || self.rotation_policy().is_some()
            || texts.into_iter().any(Option::is_some)
    }

    /// What was given.
    ///
    /// # Errors
    /// [`Error::Usage`] that names what is missing.
    pub(crate) fn resolve(&self) -> Result<About, Error> {
        let texts = [
            ("--purpose", &self.purpose),
            ("--owner", &self.owner),
            ("--project", &self.project),
            ("--environment", &self.environment),
        ];
        let missing: Vec<&str> = texts
            .into_iter()
            .filter(|(_, text)| text.is_none())
            .map(|(name, _)| name)
            .collect();
        let (Some(purpose), Some(owner), Some(project), Some(environment)) =
            (&self.purpose, &self.owner, &self.project, &self.environment)
        else {
            return Err(Error::usage(format!("missing: {}", missing.join(", "))));
        };
        Ok(About {
            kind: self.kind.unwrap_or(CredentialType::ApiKey),
            purpose: purpose.clone(),
            owner: owner.clone(),
            project: project.clone(),
            environment: environment.clone(),
            subject: self.subject.clone(),
            rotation_policy: self.rotation_policy(),
        })
    }

    fn rotation_policy(&self) -> Option<RotationPolicy> {
        let policy = RotationPolicy {
            rotate_every_seconds: self.rotate_every.map(|span| span.seconds),
            max_overlap_seconds: self.max_overlap.map(|span| span.seconds),
            renewable_until: self.renewable_until,
        };
        let says_something = policy.rotate_every_seconds.is_some()
            || policy.max_overlap_seconds.is_some()
            || policy.renewable_until.is_some();
        says_something.then_some(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in [
            ("45s", 45),
            ("30m", 1800),
            ("12h", 43_200),
            ("90d", 7_776_000),
        ] {
            assert_eq!(text.parse(), Ok(Span { seconds }));
        }
        for refused in [
            "",
            "30",
            "d",
            "-1h",
            "1w",
            "1.5h",
            "\u{e9}",
            "999999999999999999d",
        ] {
            assert!(refused.parse::<Span>().is_err(), "{refused}");
        }
    }

    #[test]
    fn statements() {
        let allow: Allow = "event:read,export:atlas/*".parse().unwrap();
        assert_eq!(allow.0.resource_type, "event");
        assert_eq!(allow.0.actions, ["read", "export"]);
        assert_eq!(allow.0.selector.as_str(), "atlas/*");
        let colon: Allow = "queue:send:a:b/c".parse().unwrap();
        assert_eq!(colon.0.selector.as_str(), "a:b/c");
        for refused in [
            "",
            "event",
            "event:read",
            "event:read:",
            ":read:*",
            "event::*",
            "event:a,:*",
            "event:read:a//b",
        ] {
            assert!(refused.parse::<Allow>().is_err(), "{refused}");
        }
    }

    #[test]
    fn subjects() {
        assert_eq!(subject("task:a:b").unwrap().id, "a:b");
        assert!(subject("robot:x").is_err());
        assert!(subject("task:").is_err());
    }
}
