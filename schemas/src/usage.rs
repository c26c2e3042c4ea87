//! The usage graph: where credentials are used, what is kept of it where, and what depends on
//! it, of as many issuers as were asked, in one document (spec chapter 17, "The usage graph").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CredentialId, InstallationId, PrincipalId, StoreId};
use crate::ops::discover::CredentialType;
use crate::state::credential::State as CredentialState;
use crate::state::installation::State as PlaceState;
use crate::state::named;
use crate::target::TargetKind;
use crate::time::Timestamp;

named! {
    /// What a node stands for.
    NodeKind {
        /// A person or team that answers for credentials.
        Owner = "owner",
        /// A principal that has seen a secret.
        Person = "person",
        /// A credential.
        Credential = "credential",
        /// A store in which a secret is.
        Store = "store",
        /// A place in which a credential is used, as somebody declared it.
        Place = "place",
        /// Somebody who was seen using a credential.
        Consumer = "consumer",
        /// What stops when a place does: a service, a job, a dashboard.
        Dependent = "dependent",
    }
}

named! {
    /// What an edge says, read from its `from` to its `to`.
    EdgeKind {
        /// An owner answers for a credential.
        AnswersFor = "answers_for",
        /// A person has seen the secret of a credential.
        Saw = "saw",
        /// A credential was made to replace another.
        Replaces = "replaces",
        /// A store keeps the secret of a credential.
        Keeps = "keeps",
        /// A place is filled from a store.
        FilledFrom = "filled_from",
        /// A place holds a credential, as its client says.
        Holds = "holds",
        /// A place is declared for a credential that is not there yet, as its client says.
        Declared = "declared",
        /// A consumer was seen using a credential.
        Observed = "observed",
        /// A consumer fits a place, and no other.
        Fits = "fits",
        /// A consumer fits a place, and others as well.
        MayFit = "may_fit",
        /// A dependent stops when a place does.
        DependsOn = "depends_on",
        /// A place has the name of a dependent: it is the same thing.
        Is = "is",
    }
}

named! {
    /// Whether a declared place was seen using its credential.
    Sight {
        /// A use that fits was seen.
        Seen = "seen",
        /// No use that fits was seen.
        Never = "never",
        /// It cannot be told.
        Unknown = "unknown",
    }
}

named! {
    /// Whether somebody declared a consumer.
    Match {
        /// It fits one place.
        Declared = "declared",
        /// It fits no place.
        Undeclared = "undeclared",
        /// It fits several, which cannot be told apart.
        Ambiguous = "ambiguous",
    }
}

named! {
    /// Who knows of a place.
    KnownFrom {
        /// The issuer keeps it on record.
        Issuer = "issuer",
        /// The client that was asked filled it from here, and its issuer keeps no record.
        Here = "here",
    }
}

named! {
    /// Why something is not known.
    Reason {
        /// The issuer keeps no inventory: neither places nor uses are on record.
        NoInventory = "no_inventory",
        /// The issuer could not be asked, or refused.
        NotAsked = "not_asked",
        /// There were more than the client reads.
        PageLimit = "page_limit",
        /// The issuer names only so many consumers.
        ConsumerLimit = "consumer_limit",
        /// Uses have been seen up to a time, and not after it.
        SeenUpTo = "seen_up_to",
        /// Uses of this type of credential are not seen by anybody.
        NotObserved = "not_observed",
        /// A consumer fits several places.
        Ambiguous = "ambiguous",
        /// Nothing was said by which a use from a place could be told.
        NoMatch = "no_match",
        /// A consumer fits a place that is not in this document.
        PlaceElsewhere = "place_elsewhere",
    }
}

/// An issuer that was to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskedIssuer {
    /// Its identifier.
    pub issuer: String,
    /// Whether it answered.
    pub answered: bool,
    /// Whether it claims the profile `inventory`.
    pub inventory: bool,
}

/// What is known of a credential. Never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialFacts {
    /// The credential.
    pub credential_id: CredentialId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// Where it stands in its life.
    pub state: CredentialState,
    /// What it is for.
    pub purpose: String,
    /// The project that it belongs to.
    pub project: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Number of calls that were seen; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Up to when uses have been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_as_of: Option<Timestamp>,
    /// Number of places that do not use it any more. They have no nodes.
    #[serde(default)]
    pub retired_places: usize,
}

/// What is known of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceFacts {
    /// The installation.
    pub installation_id: InstallationId,
    /// The credential that is there.
    pub credential_id: CredentialId,
    /// What kind of place.
    pub target: TargetKind,
    /// Where in it; may be opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// How far the credential has come there.
    pub state: PlaceState,
    /// Whether a rotation waits for it.
    pub required: bool,
    /// Who knows of it.
    pub known_from: KnownFrom,
    /// Who declared or changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<PrincipalId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// Whether it was seen using the credential.
    pub sight: Sight,
    /// When last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// Longest time between two uses, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_interval_seconds: Option<u64>,
}

/// What is known of a consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerFacts {
    /// Its `User-Agent`, as far as the issuer has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The address that its calls came from.
    pub address: String,
    /// Number of calls.
    pub uses: u64,
    /// When the first was.
    pub first_seen_at: Timestamp,
    /// When the last was.
    pub last_seen_at: Timestamp,
    /// Whether somebody declared it.
    #[serde(rename = "match")]
    pub matched: Match,
}

/// One thing in the graph. It has the facts of its kind, where the kind has any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// Its name in this document, and nowhere else.
    pub id: String,
    /// What it stands for.
    pub kind: NodeKind,
    /// What people call it. Words of others: to be shown as text and nothing else.
    pub label: String,
    /// The identifier of the issuer that knows it; absent where several can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Of a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialFacts>,
    /// Of a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceFacts>,
    /// Of a consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<ConsumerFacts>,
    /// Of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
    /// Of a store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreId>,
}

/// What holds between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The node that the sentence begins with.
    pub from: String,
    /// What holds.
    pub kind: EdgeKind,
    /// The node that it ends with.
    pub to: String,
    /// Number of calls, where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// When it was last seen, or first disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Something that is not known, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// Why.
    pub reason: Reason,
    /// The node that it is about; absent where it is about an issuer or all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The issuer that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The same in a sentence.
    pub text: String,
}

/// Where credentials are used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageGraph {
    /// The version of the protocol, `1.0`.
    pub clp: String,
    /// When it was put together.
    pub made_at: Timestamp,
    /// The issuers that were to be asked.
    pub issuers: Vec<AskedIssuer>,
    /// Everything that there is.
    pub nodes: Vec<Node>,
    /// What holds between them.
    pub edges: Vec<Edge>,
    /// What is not known. What is not in the graph may exist all the same.
    pub unknown: Vec<Unknown>,
}

impl EdgeKind {
    /// Whether `from` is hit when `to` goes.
    #[must_use]
    pub fn is_dependence(self) -> bool {
        match self {
            Self::FilledFrom
            | Self::Holds
            | Self::Declared
            | Self::Observed
            | Self::Fits
            | Self::MayFit
            | Self::DependsOn
            | Self::Is => true,
            Self::AnswersFor | Self::Saw | Self::Replaces | Self::Keeps => false,
        }
    }
}

impl UsageGraph {
    /// The node of this name.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

impl NodeKind {
    /// Whether such a thing can be asked after by its name: what goes if it is gone.
    #[must_use]
    pub fn can_go(self) -> bool {
        match self {
            Self::Store | Self::Place | Self::Consumer | Self::Dependent => true,
            Self::Owner | Self::Person | Self::Credential => false,
        }
    }
}

/// Something that stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// The node.
    pub node: String,
    /// The nodes that lead there, beginning with one that goes and ending with this one.
    pub path: Vec<String>,
    /// Whether it is sure to stop, as far as what was declared and seen is true. Where it is
    /// not, the way leads over something that is not told apart or not there yet.
    pub certain: bool,
}

/// What stops if something goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breaks {
    /// The version of the protocol, `1.0`.
    pub clp: String,
    /// The nodes that go.
    pub gone: Vec<String>,
    /// Everything that stops, the nearest first, and what is sure before what is not.
    pub hit: Vec<Hit>,
    /// Nodes that depend on each other in circles.
    pub cycles: Vec<Vec<String>>,
    /// The graph that this was read from, with what is not known. What is not in it may stop
    /// all the same.
    pub graph: UsageGraph,
}
