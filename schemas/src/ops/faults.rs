//! Scripted faults: what an issuer for tests does wrong on purpose, so that a tool can be tested
//! against it (spec chapter 80). The issuer that plays them is sound; the network and the load
//! that it plays are not.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::control::TenantPath;
use super::{Nothing, call};
use crate::endpoint::{ALL, Base, EndpointId};

/// The run of a request that names none.
pub const DEFAULT_RUN: &str = "default";
/// The header field that names the run of a request.
pub const RUN_HEADER: &str = "clp-test-run";
/// The header field that asks for a fault in one request.
pub const FAULT_HEADER: &str = "clp-fault";

/// What goes wrong, and when: the rules first, and chaos where no rule has a step left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultScript {
    /// In this order: the first rule that fits a call and has a step left gives its next one.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub rules: Vec<FaultRule>,
    /// Faults drawn by a seed, where no rule has anything to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chaos: Option<Chaos>,
}

impl FaultScript {
    /// Whether nothing ever goes wrong by it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.chaos.is_none()
    }
}

/// What the next calls of an endpoint meet, one step each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Which calls.
    pub endpoint: FaultTarget,
    /// Of which run alone; by default of every run, which each has the steps for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._~-]{1,64}$"))]
    pub run: Option<String>,
    /// What they meet, in this order.
    #[schemars(length(min = 1, max = 1000))]
    pub steps: Vec<FaultStep>,
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum FaultStep {
    /// For one call.
    Once(Fault),
    /// For so many calls.
    Repeated {
        /// How many.
        #[schemars(range(min = 1, max = 100_000))]
        times: u32,
        /// What each of them meets.
        fault: Fault,
    },
}

impl FaultStep {
    /// For how many calls it is.
    #[must_use]
    pub fn times(&self) -> u32 {
        match self {
            Self::Once(_) => 1,
            Self::Repeated { times, .. } => *times,
        }
    }

    /// What each of them meets.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Once(fault) | Self::Repeated { fault, .. } => *fault,
        }
    }
}

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Fault {
    /// Something that needs no number.
    Plain(PlainFault),
    /// It is not carried out, and answered with this status.
    Answer {
        /// 429, 500 and 503 come as problems; 502 and 504 in the words of a gateway.
        #[schemars(extend("enum" = [429, 500, 502, 503, 504]))]
        status: u16,
        /// The header field `Retry-After`, in seconds; absent without it, whatever the status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 86_400))]
        retry_after: Option<u32>,
    },
    /// It is carried out and answered so many milliseconds late.
    Delay {
        /// How late.
        #[schemars(range(min = 1, max = 30_000))]
        delay_ms: u32,
    },
    /// The connection is closed without an answer.
    Drop {
        /// Before or after it is carried out.
        drop: DropAt,
    },
    /// It is carried out, and its answer breaks off.
    Truncate {
        /// After so many bytes of the body, or before its last byte.
        #[schemars(range(max = 1_048_576))]
        truncate_at: u32,
    },
}

impl Fault {
    /// Nothing goes wrong.
    pub const OK: Self = Self::Plain(PlainFault::Ok);
}

/// What needs no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlainFault {
    /// Nothing goes wrong.
    Ok,
    /// It is carried out twice, one time after the other, and answered with the second answer.
    Duplicate,
}

/// When a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DropAt {
    /// Nothing was done.
    BeforeCommit,
    /// Everything was done.
    AfterCommit,
}

/// Faults drawn by a seed. Which one a call meets depends on the seed, the run, the endpoint and
/// how many calls of it the run has made, and on nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chaos {
    /// The seed; chosen by the issuer, and shown, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 9_007_199_254_740_991_u64))]
    pub seed: Option<u64>,
    /// How many calls of a hundred meet a fault.
    #[schemars(range(min = 1, max = 100))]
    pub percent: u8,
    /// What they meet, each as likely as another.
    #[schemars(length(min = 1, max = 100))]
    pub among: Vec<Fault>,
}

/// Which calls a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultTarget {
    /// Calls of this endpoint, which is none of test control.
    Endpoint(EndpointId),
    /// Calls of the issuer's own API, with the keys that it minted.
    Resource,
    /// Calls of any endpoint, and of the issuer's own API.
    Any,
}

impl FaultTarget {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Endpoint(id) => id.row().name,
            Self::Resource => "resource",
            Self::Any => "*",
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let rows = ALL.iter().filter(|row| row.base != Base::Control);
        [Self::Any, Self::Resource]
            .into_iter()
            .chain(rows.map(|row| Self::Endpoint(row.id)))
    }
}

impl Serialize for FaultTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for FaultTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::all()
            .find(|target| target.name() == name)
            .ok_or_else(|| de::Error::custom("want the name of an endpoint, `resource` or `*`"))
    }
}

impl JsonSchema for FaultTarget {
    fn schema_name() -> Cow<'static, str> {
        "FaultTarget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::all().map(Self::name).collect();
        json_schema!({
            "type": "string",
            "description": "The name of an endpoint, `resource` for the issuer's own API, or `*` for all of them.",
            "enum": names,
        })
    }
}

/// The script of a sandbox, and what came of it since it was put.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaultState {
    /// As it was put, with the seed.
    pub script: FaultScript,
    /// What is left of each rule, for each run that has made a call.
    pub remaining: Vec<FaultRule>,
    /// What each call met, as a script: put, it makes the same calls meet the same again.
    pub replay: FaultScript,
    /// Whether `replay` is all of it. It is not after more calls than an issuer keeps.
    pub complete: bool,
}

call!(
    /// Puts a script in place of the one that a sandbox has.
    FaultsPut, TenantPath, Nothing, FaultScript => FaultState
);
call!(
    /// Reads the script of a sandbox, what came of it, and what is left.
    FaultsRead, TenantPath, Nothing, Nothing => FaultState
);
