//! What has to hold before the predecessor of a rotation may go (specification chapter 18).
//!
//! Each gate says what it rests on. What is not known does not pass, and nothing here is a
//! permission: whoever revokes evaluates again, in the same transaction.

mod judge;

pub use judge::{Facts, Place, Sender, Sight, evaluate, issuer_gates, safe_to_revoke};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::InstallationId;
use crate::state::named;
use crate::time::Timestamp;

named! {
    /// Which gate.
    GateId {
        /// The successor works, and opens no more than the predecessor.
        Successor = "successor",
        /// Every required installation is verified on the successor.
        Installations = "installations",
        /// Calls with the successor pass, and calls with the probe value do not.
        Health = "health",
        /// The predecessor has been silent for long enough.
        Quiet = "quiet",
        /// Nobody uses the predecessor whom nobody declared.
        Consumers = "consumers",
        /// Both have lived side by side for long enough.
        Overlap = "overlap",
    }
}

named! {
    /// Whether it holds.
    GateState {
        /// It holds.
        Met = "met",
        /// It does not hold yet.
        Unmet = "unmet",
        /// It cannot be told; counts as not met.
        Unknown = "unknown",
    }
}

named! {
    /// What a gate rests on, the weakest first.
    Basis {
        /// A client said so.
        Reported = "reported",
        /// A target said so, in a way that can be checked.
        Attested = "attested",
        /// The issuer saw it.
        Observed = "observed",
    }
}

/// One gate, as of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// Which.
    pub id: GateId,
    /// Whether it holds.
    pub state: GateState,
    /// The weakest of what it rests on; absent while it is `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// What is missing, for a person.
    pub detail: String,
    /// What it was judged by.
    #[serde(default, skip_serializing_if = "Evidence::is_empty")]
    pub evidence: Evidence,
}

/// What a gate was judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The installations that are missing, or cannot be told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installations: Vec<InstallationId>,
    /// User agents, or else addresses, of the consumers in question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<String>,
    /// Since when it has been silent, or side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How long that has to be, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_seconds: Option<u64>,
}

impl Evidence {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether the predecessor may go, as of now. Evidence at a time, and no authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SafeToRevoke {
    /// Whether every gate is met.
    pub safe: bool,
    /// The gates that are not, and how they stand.
    pub missing: BTreeMap<String, GateState>,
    /// From then on, ask again.
    pub valid_until: Timestamp,
}
