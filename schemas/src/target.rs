//! The kinds of places in which a credential is used (spec chapter 99, "Target kinds").

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::{Named as _, named};

named! {
    /// A kind of place that is registered. The narrowest one that fits is the one to name.
    RegisteredKind {
        /// A developer's machine.
        LocalDev = "local_dev",
        /// A build or a pipeline of a service that has no name here.
        Ci = "ci",
        /// GitHub Actions.
        GithubActions = "github_actions",
        /// What rolls software out: a job, a pipeline's last step, a controller.
        Deploy = "deploy",
        /// A platform that hosts applications and has no name here.
        Hosting = "hosting",
        /// Vercel.
        Vercel = "vercel",
        /// Netlify.
        Netlify = "netlify",
        /// Cloudflare.
        Cloudflare = "cloudflare",
        /// A function that runs on demand.
        Serverless = "serverless",
        /// A container, or a cluster of them, of a kind that has no name here.
        Container = "container",
        /// Docker.
        Docker = "docker",
        /// Kubernetes.
        Kubernetes = "kubernetes",
        /// A job that runs by the clock.
        Cron = "cron",
        /// A database or a warehouse.
        Database = "database",
        /// A script that evaluates data.
        AnalyticsScript = "analytics_script",
        /// A notebook.
        Notebook = "notebook",
        /// A dashboard.
        Dashboard = "dashboard",
        /// Something, and what it is remains unsaid.
        Other = "other",
    }
}

named! {
    /// How a kind of place takes up a new secret, once it is there.
    TakesUp {
        /// With the next run: each reads it anew.
        NextRun = "next_run",
        /// When it is deployed or started again.
        Redeploy = "redeploy",
        /// Where somebody changes a setting.
        Setting = "setting",
        /// Nothing is known of it.
        Unknown = "unknown",
    }
}

impl RegisteredKind {
    /// How such a place usually takes up a new secret.
    #[must_use]
    pub fn takes_up(self) -> TakesUp {
        match self {
            Self::LocalDev
            | Self::Ci
            | Self::GithubActions
            | Self::Deploy
            | Self::Cron
            | Self::AnalyticsScript
            | Self::Notebook => TakesUp::NextRun,
            Self::Hosting
            | Self::Vercel
            | Self::Netlify
            | Self::Cloudflare
            | Self::Serverless
            | Self::Container
            | Self::Docker
            | Self::Kubernetes => TakesUp::Redeploy,
            Self::Database | Self::Dashboard => TakesUp::Setting,
            Self::Other => TakesUp::Unknown,
        }
    }

    /// What it stands for, as the registry has it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::LocalDev => "a developer's machine",
            Self::Ci => "a build or a pipeline, at a service that has no name here",
            Self::GithubActions => "a workflow of GitHub Actions",
            Self::Deploy => "what rolls software out: a deploy job, a controller",
            Self::Hosting => "a platform that hosts applications, and has no name here",
            Self::Vercel => "a project at Vercel",
            Self::Netlify => "a site at Netlify",
            Self::Cloudflare => "a worker, a page or a tunnel at Cloudflare",
            Self::Serverless => "a function that runs on demand",
            Self::Container => "a container, or a cluster of them, of a kind that has no name here",
            Self::Docker => "a container or a service of Docker",
            Self::Kubernetes => "a workload in Kubernetes, or the Secret that it reads",
            Self::Cron => "a job that runs by the clock",
            Self::Database => "a database or a warehouse that calls out with the credential",
            Self::AnalyticsScript => "a script that evaluates data",
            Self::Notebook => "a notebook",
            Self::Dashboard => "a dashboard",
            Self::Other => "something, and what it is remains unsaid",
        }
    }
}

/// A kind of place that is not registered: `x-`, then words of small letters and digits with
/// hyphens between them, 64 characters at most.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^x-[a-z0-9]+(-[a-z0-9]+)*$", "maxLength" = 64))]
pub struct ExtensionKind(String);

impl ExtensionKind {
    /// The kind as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A kind that is neither registered nor of the form of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a kind of place: want one of the registered ones, or `x-` and a name of your own, such as `x-acme-robot`"
)]
pub struct NoKind;

impl TryFrom<String> for ExtensionKind {
    type Error = NoKind;

    fn try_from(text: String) -> Result<Self, NoKind> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let fits = text.len() <= 64
            && text
                .strip_prefix("x-")
                .is_some_and(|name| name.split('-').all(is_word));
        fits.then_some(Self(text)).ok_or(NoKind)
    }
}

impl From<ExtensionKind> for String {
    fn from(kind: ExtensionKind) -> Self {
        kind.0
    }
}

/// What kind of place a credential is used in: a registered kind, or one of somebody's own.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum TargetKind {
    /// One that everybody knows.
    Registered(RegisteredKind),
    /// One of somebody's own.
    Extension(ExtensionKind),
}

impl TargetKind {
    /// How such a place usually takes up a new secret.
    #[must_use]
    pub fn takes_up(&self) -> TakesUp {
        match self {
            Self::Registered(kind) => kind.takes_up(),
            Self::Extension(_) => TakesUp::Unknown,
        }
    }

    /// The kind as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Registered(kind) => kind.name(),
            Self::Extension(kind) => kind.as_str(),
        }
    }
}

impl From<RegisteredKind> for TargetKind {
    fn from(kind: RegisteredKind) -> Self {
        Self::Registered(kind)
    }
}

impl FromStr for TargetKind {
    type Err = NoKind;

    fn from_str(text: &str) -> Result<Self, NoKind> {
        match RegisteredKind::from_name(text) {
            Some(kind) => Ok(Self::Registered(kind)),
            None => ExtensionKind::try_from(text.to_owned()).map(Self::Extension),
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Direction, schema_of};
    use serde_json::json;

    #[test]
    fn registered_and_own_kinds_are_taken_and_others_are_not() {
        let schema = schema_of::<TargetKind>(Direction::Request);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let longest = format!("x-{}", "a".repeat(62));
        let registered = RegisteredKind::ALL.iter().map(|kind| kind.name());
        for good in registered.chain(["x-acme", "x-acme-robot-2", &longest]) {
            let kind: TargetKind = good.parse().unwrap();
            assert_eq!(kind.as_str(), good);
            let value = serde_json::to_value(&kind).unwrap();
            assert_eq!(value, json!(good));
            assert_eq!(serde_json::from_value::<TargetKind>(value).unwrap(), kind);
            assert!(validator.is_valid(&json!(good)), "{good}");
        }
        let too_long = format!("x-{}", "a".repeat(63));
        for bad in [
            "mainframe",
            "x-",
            "x",
            "",
            "x-A",
            "x-a_b",
            "x-a-",
            "x--a",
            "X-a",
            "x-a b",
            "LocalDev",
            &too_long,
        ] {
            assert_eq!(bad.parse::<TargetKind>(), Err(NoKind), "{bad}");
            assert!(
                serde_json::from_value::<TargetKind>(json!(bad)).is_err(),
                "{bad}"
            );
            assert!(!validator.is_valid(&json!(bad)), "{bad}");
        }
    }
}
