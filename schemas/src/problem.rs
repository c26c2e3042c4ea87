//! The closed registry of problems (RFC 9457; spec chapter 03).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gates::GateId;
use crate::ids::RequestId;
use crate::ops::discover::AuthMethod;
use crate::permissions::{Excess, limits};

/// Whose fault a problem is. Only ours is a 5xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The calling program broke the protocol, or lacks a right.
    Peer,
    /// A person has to do or decide something first.
    Person,
    /// The issuer failed.
    Issuer,
}

/// What every problem type begins with; the name follows.
pub const TYPE_PREFIX: &str = "tag:clp.example,2026:problem/";

/// The media type of every problem (RFC 9457 section 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! problems {
    ($($variant:ident = $name:literal, $status:literal, $fault:ident, $title:literal;)*) => {
        /// One kind of problem. The list is closed: an issuer answers with no other.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemType {
            $(#[doc = $title] $variant,)*
        }

        impl ProblemType {
            /// The whole registry, in the order of the spec.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The registered name, which ends the type URI.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// Whose fault it is.
            #[must_use]
            pub fn fault(self) -> Fault {
                match self { $(Self::$variant => Fault::$fault,)* }
            }

            /// The one-line title, the same on every occasion (RFC 9457 section 3.1.3).
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

problems! {
    InvalidJson = "invalid-json", 400, Peer, "the body is not JSON";
    DuplicateMember = "duplicate-member", 400, Peer, "an object has two members of the same name";
    IntegerOutOfRange = "integer-out-of-range", 400, Peer, "an integer is beyond 2^53";
    TooDeep = "too-deep", 400, Peer, "the body is nested too deeply";
    BodyTooLarge = "body-too-large", 413, Peer, "the body is too large";
    UnsupportedMediaType = "unsupported-media-type", 415, Peer, "the body is not application/json";
    InvalidRequest = "invalid-request", 400, Peer, "the body does not fit the published schema";
    InvalidQuery = "invalid-query", 400, Peer, "a query parameter is unknown, repeated or malformed";
    InvalidCursor = "invalid-cursor", 400, Peer, "the cursor is not one of this query's";
    VersionNotSupported = "version-not-supported", 400, Peer, "this protocol version is not supported";
    Unauthenticated = "unauthenticated", 401, Peer, "a valid bearer token is needed";
    NotFound = "not-found", 404, Peer, "there is no such resource";
    MethodNotAllowed = "method-not-allowed", 405, Peer, "the resource does not have this method";
    Forbidden = "forbidden", 403, Peer, "the caller may not do this";
    ApprovalRequired = "approval-required", 403, Person, "somebody has to approve this first";
    SeparationOfDuty = "separation-of-duty", 403, Person, "somebody else has to decide on the request";
    InsufficientUserAuthentication = "insufficient-user-authentication", 403, Person, "the decision needs another proof of who decides";
    IdempotencyKeyMissing = "idempotency-key-missing", 400, Peer, "an Idempotency-Key is needed";
    IdempotencyKeyInvalid = "idempotency-key-invalid", 400, Peer, "the Idempotency-Key is malformed";
    IdempotencyKeyReused = "idempotency-key-reused", 422, Peer, "the Idempotency-Key was used with another body";
    IdempotencyInFlight = "idempotency-in-flight", 409, Peer, "the first call with this Idempotency-Key is still under way";
    UnknownPermission = "unknown-permission", 422, Peer, "a permission is not in the permission document";
    UnknownEnvironment = "unknown-environment", 422, Peer, "the environment is not in the permission document";
    TypeNotSupported = "type-not-supported", 422, Peer, "this type of credential is not supported";
    ModeNotSupported = "mode-not-supported", 422, Peer, "this mode of revocation is not supported";
    ExpiryOutOfRange = "expiry-out-of-range", 422, Peer, "the expiry is in the past or too far ahead";
    MethodNotSupported = "method-not-supported", 422, Peer, "this method of approval is not supported";
    CredentialNotActive = "credential-not-active", 409, Peer, "the state of the credential does not admit this";
    RotationInProgress = "rotation-in-progress", 409, Peer, "a rotation of this credential is already open";
    RequestNotApproved = "request-not-approved", 409, Person, "the request is not approved";
    RequestNotPending = "request-not-pending", 409, Peer, "the request is no longer awaiting a decision";
    ApprovalExpired = "approval-expired", 409, Person, "the approval is older than an hour";
    ChallengeNotUsable = "challenge-not-usable", 409, Peer, "the challenge was used, has lapsed or belongs elsewhere";
    EvidenceInvalid = "evidence-invalid", 422, Peer, "the evidence does not prove the decision";
    DeliveryGone = "delivery-gone", 410, Peer, "the delivery is over";
    PreconditionRequired = "precondition-required", 428, Peer, "the caller has to say which state it saw";
    PreconditionFailed = "precondition-failed", 412, Peer, "the object is not in the state that the caller saw";
    TypeMismatch = "type-mismatch", 422, Peer, "this does not go with this type of credential";
    KeyNotUsable = "key-not-usable", 422, Peer, "the public key cannot be used here";
    TargetRefused = "target-refused", 422, Peer, "events are not sent to this address";
    ScopeBroader = "scope-broader", 422, Peer, "the permissions are more than those that bound them";
    ScopeIncomparable = "scope-incomparable", 422, Peer, "the permissions are not shown to be within those that bound them";
    PlanImpossible = "plan-impossible", 422, Peer, "the rotation could not end before its deadline";
    UnknownStore = "unknown-store", 422, Peer, "there is no such store";
    GateUnmet = "gate-unmet", 409, Person, "a gate of the rotation is not met";
    RotationNotOpen = "rotation-not-open", 409, Peer, "the stage of the rotation does not admit this";
    NoRollbackAfterCompromise = "no-rollback-after-compromise", 409, Person, "a compromised credential is not given back";
    DeliveryNotRead = "delivery-not-read", 409, Peer, "the delivery was not read yet";
    InstallationState = "installation-state", 409, Peer, "the state of the installation does not admit this";
    InvalidProofRange = "invalid-proof-range", 400, Peer, "the log has no such index or size";
    InvalidFault = "invalid-fault", 400, Peer, "the fault or the run that the header fields name is not one";
    RateLimited = "rate-limited", 429, Peer, "too many requests";
    Internal = "internal", 500, Issuer, "the issuer failed";
    Unavailable = "unavailable", 503, Issuer, "the issuer cannot answer now";
}

impl ProblemType {
    /// The type URI (RFC 9457 section 3.1.1).
    #[must_use]
    pub fn uri(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// The problem that a type URI names, if it is registered.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::from_name(uri.strip_prefix(TYPE_PREFIX)?)
    }

    /// The problem that a registered name names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// A problem as it stands on the wire, with media type `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The type URI, out of the registry.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The registered title.
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What to do about this occurrence. Never holds input or a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The requirement that the request broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Where in the body the fault lies (RFC 6901), for `invalid-request` and its kin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// For `approval-required`: the request that was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestLink>,
    /// For `gate-unmet`: the gates that are not met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateId>,
    /// For `scope-broader` and `scope-incomparable`: what of the body goes beyond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterexample: Option<Box<Counterexample>>,
    /// For `insufficient-user-authentication`: the methods by which it can be decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<AuthMethod>,
}

/// One action of one statement of the body that is not shown to be allowed by what bounds it.
///
/// It leads into the body and repeats nothing out of it: the two names are ones that the
/// permission document has too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counterexample {
    /// The statement in the body (RFC 6901).
    #[schemars(regex(pattern = r"^/permissions/(?:0|[1-9][0-9]?)$"))]
    pub pointer: String,
    /// Its resource type.
    #[schemars(length(min = 1, max = limits::NAME_LENGTH))]
    pub resource_type: String,
    /// The action, named there or implied by one that is.
    #[schemars(length(min = 1, max = limits::NAME_LENGTH))]
    pub action: String,
    /// The same in words.
    pub text: String,
}

/// Where a request for approval can be followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestLink {
    /// The request that awaits a decision.
    pub id: RequestId,
    /// Where its state is read.
    pub uri: String,
    /// Where a person decides on it.
    pub approval_uri: String,
}

impl Problem {
    /// A problem of this kind with nothing further to say.
    #[must_use]
    pub fn new(kind: ProblemType) -> Self {
        Self {
            type_uri: kind.uri(),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: None,
            requirement: None,
            pointer: None,
            request: None,
            gates: Vec::new(),
            counterexample: None,
            methods: Vec::new(),
        }
    }

    /// The same, saying what to do next.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, naming the requirement that the request broke.
    #[must_use]
    pub fn requirement(mut self, id: impl Into<String>) -> Self {
        self.requirement = Some(id.into());
        self
    }

    /// The same, saying where in the body the fault lies.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The same, naming the gates that are not met.
    #[must_use]
    pub fn gates(mut self, gates: Vec<GateId>) -> Self {
        self.gates = gates;
        self
    }

    /// The same, naming the methods by which it can be decided.
    #[must_use]
    pub fn methods(mut self, methods: Vec<AuthMethod>) -> Self {
        self.methods = methods;
        self
    }

    /// The same, naming what of the body goes beyond its bounds.
    #[must_use]
    pub fn counterexample(mut self, excess: Excess) -> Self {
        let pointer = format!("/permissions/{}", excess.statement);
        self.counterexample = Some(Box::new(Counterexample {
            text: format!(
                "`{}` on the resources of type `{}` at `{pointer}` is not shown to be allowed by \
                 the permissions that bound these",
                excess.action, excess.resource_type
            ),
            pointer,
            resource_type: excess.resource_type,
            action: excess.action,
        }));
        self
    }

    /// The registered kind; `None` where a newer peer answers with one unknown here.
    #[must_use]
    pub fn kind(&self) -> Option<ProblemType> {
        ProblemType::from_uri(&self.type_uri)
    }
}

impl From<ProblemType> for Problem {
    fn from(kind: ProblemType) -> Self {
        Self::new(kind)
    }
}

impl From<crate::json::Fault> for Problem {
    fn from(fault: crate::json::Fault) -> Self {
        use crate::json::Fault as Json;
        let kind = match fault {
            Json::TooLarge { .. } => ProblemType::BodyTooLarge,
            Json::TooDeep { .. } => ProblemType::TooDeep,
            Json::DuplicateMember => ProblemType::DuplicateMember,
            Json::IntegerTooLarge => ProblemType::IntegerOutOfRange,
            Json::Syntax { .. } => ProblemType::InvalidJson,
        };
        Self::new(kind).detail(fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_read_back() {
        for kind in ProblemType::ALL {
            assert_eq!(ProblemType::from_uri(&kind.uri()), Some(*kind));
        }
        assert_eq!(ProblemType::from_uri("about:blank"), None);
    }

    #[test]
    fn only_our_own_faults_are_5xx() {
        for kind in ProblemType::ALL {
            assert_eq!(
                kind.status() >= 500,
                kind.fault() == Fault::Issuer,
                "{kind:?}"
            );
        }
    }
}
