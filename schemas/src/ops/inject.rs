//! Inject: put a secret where it is used, and say so (spec chapter 16).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::CredentialPath;
use super::{Nothing, call};
use crate::ids::{CredentialId, EventId, InstallationId, PrincipalId, StoreId};
use crate::state::installation::State;
use crate::state::named;
pub use crate::target::TargetKind;
use crate::time::Timestamp;

/// The place itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// What kind of place.
    pub kind: TargetKind,
    /// What people call it; may be opaque.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Where in it, as the client that fills it writes it; may be opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub locator: Option<String>,
}

/// How a use from this place can be told. Every member given has to fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("minProperties" = 1))]
pub struct Match {
    /// What the `User-Agent` begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub user_agent: Option<String>,
    /// The network that the call comes from, such as `192.0.2.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$"))]
    pub cidr: Option<String>,
}

named! {
    /// What came of a call with the installed credential.
    Check {
        /// The call was accepted.
        Accepted = "accepted",
        /// The call was refused.
        Refused = "refused",
    }
}

/// What a health check of one place gave, as its client reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// With the credential of this installation.
    pub credential: Check,
    /// With the rotation's `probe_value`, which has to be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Check>,
    /// When.
    pub checked_at: Timestamp,
}

/// A place where a credential is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationBody {
    /// The place.
    pub target: Target,
    /// How far the credential has come there.
    pub state: State,
    /// Whether a rotation waits for it; by default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// What stops working when this place does: services, jobs, dashboards, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 200)))]
    pub depends_on: Vec<String>,
    /// How a use from this place can be told.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub matcher: Option<Match>,
    /// The longest time between two uses, in seconds; a monthly job has about 2678400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 315_360_000_u64))]
    pub use_interval_seconds: Option<u64>,
    /// The store that the place is filled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// What the last health check gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

/// A place where a credential is used, as the issuer keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Installation {
    /// The installation; the same through every rotation.
    pub id: InstallationId,
    /// The credential that is there now.
    pub credential_id: CredentialId,
    /// What was declared.
    #[serde(flatten)]
    pub declared: InstallationBody,
    /// Who declared or changed it last.
    pub reported_by: PrincipalId,
    /// When.
    pub reported_at: Timestamp,
    /// When the issuer last saw a use of this credential that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
}

/// Which installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationPath {
    /// The credential that is there, or is about to be.
    pub credential_id: CredentialId,
    /// The installation, by an id that its client chose.
    pub installation_id: InstallationId,
}

named! {
    /// Which secrets sign a test event.
    SignedBy {
        /// Every one that signs real events now.
        All = "all",
        /// That of this credential alone.
        Credential = "credential",
        /// The `probe_value` of the open rotation, which the receiver has to refuse.
        Probe = "probe",
    }
}

/// Which test event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventTestBody {
    /// Which secrets sign it.
    pub signed_by: SignedBy,
}

named! {
    /// What came of sending an event.
    Outcome {
        /// The receiver answered with a 2xx status.
        Accepted = "accepted",
        /// The receiver answered with another status.
        Refused = "refused",
        /// There was no answer within ten seconds.
        Unreachable = "unreachable",
    }
}

/// A test event: what was sent, and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventTestAnswer {
    /// The event; sent as `webhook-id`.
    pub id: EventId,
    /// Where it was sent.
    pub url: String,
    /// The `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// The `webhook-signature`.
    pub signature: String,
    /// The body, byte for byte.
    pub body: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

call!(
    /// Declares or changes an installation.
    InstallationPut, InstallationPath, Nothing, InstallationBody => Installation
);
call!(
    /// Forgets an installation.
    InstallationDelete, InstallationPath, Nothing, Nothing => Nothing
);
call!(
    /// Sends a test event.
    EventTest, CredentialPath, Nothing, EventTestBody => EventTestAnswer
);
