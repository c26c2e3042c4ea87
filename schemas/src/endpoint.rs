//! The one table of endpoints. The issuer routes by it, the client calls by it, and
//! `OpenAPI` and the spec's tables are generated from it.

use crate::problem::ProblemType;
use crate::state::named;

mod table;

pub use table::{ALL, EndpointId};

named! {
    /// The operations of the protocol, in the order of a credential's life.
    Operation {
        /// Find out what a provider can do.
        Discover = "discover",
        /// Ask for a credential.
        Request = "request",
        /// Decide on a request.
        Approve = "approve",
        /// Mint, list and read credentials.
        Create = "create",
        /// Say what a credential opens.
        Scope = "scope",
        /// Hand a secret over to a store.
        Store = "store",
        /// Put a secret where it is used.
        Inject = "inject",
        /// Know where it is used.
        Inventory = "inventory",
        /// Replace it.
        Rotate = "rotate",
        /// End it.
        Revoke = "revoke",
        /// Know who did what.
        Audit = "audit",
    }
}

impl Operation {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        crate::state::Named::name(&self)
    }

    /// Whether the core class includes it.
    #[must_use]
    pub fn is_core(self) -> bool {
        matches!(
            self,
            Self::Discover | Self::Create | Self::Scope | Self::Rotate | Self::Revoke | Self::Audit
        )
    }
}

named! {
    /// The core class and the profiles on top of it (spec chapter 80).
    Class {
        /// What every issuer does.
        Core = "core",
        /// A person decides before a credential is minted.
        Approval = "approval",
        /// How many people decide, who they can be, and when nobody needs to.
        ApprovalPolicy = "approval-policy",
        /// The audit log is a Merkle tree with signed checkpoints.
        AuditProofs = "audit-proofs",
        /// Amend, suspend, acknowledge; rotations that can be read, advanced and rolled back.
        Lifecycle = "lifecycle",
        /// Where credentials are used: declared and observed; rotations that know when it is safe.
        Inventory = "inventory",
        /// OAuth clients and service accounts get access tokens.
        Oauth = "oauth",
        /// Events are signed with webhook secrets.
        Webhooks = "webhooks",
        /// A key works only together with a key pair (RFC 9449).
        BoundKeys = "bound-keys",
        /// Tests can make tenants and move clocks.
        TestControl = "test-control",
        /// Tests can let things go wrong.
        Faults = "faults",
    }
}

impl Class {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        crate::state::Named::name(&self)
    }
}

/// The request methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Safe and idempotent.
    Get,
    /// Neither.
    Post,
    /// Idempotent: the whole object, made or replaced.
    Put,
    /// The members given are replaced.
    Patch,
    /// Idempotent.
    Delete,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a path is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The origin of the issuer identifier.
    Origin,
    /// `credential_issuer_endpoint`, E.
    Credentials,
    /// The listener for test control, C.
    Control,
}

impl Base {
    /// The letter or word that the spec writes for it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Origin => "",
            Self::Credentials => "E",
            Self::Control => "C",
        }
    }
}

/// Who may call at all. What they may do is decided by their permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Anyone,
    /// A principal.
    Principal,
    /// A principal, or the credential that the path names.
    PrincipalOrSelf,
    /// Whoever holds the token of the control listener.
    Control,
}

/// Whether a repeated call is recognised as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// A repeat is harmless by itself.
    None,
    /// An `Idempotency-Key` is needed.
    Key,
}

/// Whether the object has an entity tag, and whether the caller has to name it
/// (RFC 9110 section 13; spec chapter 02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// No entity tag.
    None,
    /// A success carries one; the caller names none.
    Tagged,
    /// `If-Match` is needed.
    IfMatch,
    /// `If-Match` is needed to replace, and `If-None-Match: *` to make.
    IfMatchOrNew,
}

/// What a request body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// There is none.
    None,
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`, as OAuth has it. Such an endpoint refuses with
    /// the error form of RFC 6749 section 5.2.
    Form,
}

/// What a success carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `text/plain; charset=utf-8`.
    Text,
    /// Nothing.
    Empty,
}

/// One row: one method on one path.
#[derive(Debug)]
pub struct Endpoint {
    /// Which one.
    pub id: EndpointId,
    /// Its name, in `snake_case`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// The operation that it belongs to.
    pub operation: Operation,
    /// The class or profile that it belongs to.
    pub class: Class,
    /// The method.
    pub method: Method,
    /// What the path is below.
    pub base: Base,
    /// The path, with `{parameters}`; empty where it is the base itself.
    pub path: &'static str,
    /// Who may call.
    pub auth: Auth,
    /// Whether a key is needed.
    pub idempotency: Idempotency,
    /// Whether the object has an entity tag, and who has to name it.
    pub precondition: Precondition,
    /// The status of a success.
    pub success: u16,
    /// What a success carries.
    pub media: Media,
    /// The problems of its own; those of the layers are in [`Endpoint::problems`].
    pub own_problems: &'static [ProblemType],
}

impl Endpoint {
    /// Whether a request carries a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.body() != BodyForm::None
    }

    /// What a request body is.
    #[must_use]
    pub fn body(&self) -> BodyForm {
        match (self.method, self.id) {
            (_, EndpointId::TokenIssue | EndpointId::TokenIntrospect) => BodyForm::Form,
            (Method::Get | Method::Delete, _) | (_, EndpointId::SandboxReset) => BodyForm::None,
            (Method::Post | Method::Put | Method::Patch, _) => BodyForm::Json,
        }
    }

    /// Every status of a success: a PUT that makes its object answers 201
    /// (RFC 9110 section 9.3.4).
    #[must_use]
    pub fn successes(&self) -> Vec<u16> {
        match self.precondition {
            Precondition::IfMatchOrNew => vec![self.success, 201],
            _ => vec![self.success],
        }
    }

    /// Whether a success carries an `ETag`: of the core class where the issuer claims the
    /// profile `lifecycle`, of a profile where it claims that.
    #[must_use]
    pub fn is_tagged(&self) -> bool {
        self.precondition != Precondition::None && self.media == Media::Json
    }

    /// Every problem that it can answer with: its own, and those of the layers that its row
    /// asks for. In the order of the registry.
    #[must_use]
    pub fn problems(&self) -> Vec<ProblemType> {
        use ProblemType as P;
        let mut all = self.own_problems.to_vec();
        all.extend([
            P::VersionNotSupported,
            P::NotFound,
            P::MethodNotAllowed,
            P::InvalidQuery,
            P::BodyTooLarge,
            P::RateLimited,
            P::Internal,
            P::Unavailable,
        ]);
        if self.auth != Auth::Anyone {
            all.push(P::Unauthenticated);
        }
        if self.base != Base::Control {
            all.push(P::InvalidFault);
        }
        if self.body() == BodyForm::Form {
            all.push(P::BodyTooLarge);
        }
        match self.precondition {
            Precondition::None | Precondition::Tagged => {}
            Precondition::IfMatch | Precondition::IfMatchOrNew => {
                all.extend([P::PreconditionRequired, P::PreconditionFailed]);
            }
        }
        if self.body() == BodyForm::Json {
            all.extend([
                P::InvalidJson,
                P::DuplicateMember,
                P::IntegerOutOfRange,
                P::TooDeep,
                P::BodyTooLarge,
                P::UnsupportedMediaType,
                P::InvalidRequest,
            ]);
        }
        if self.idempotency == Idempotency::Key {
            all.extend([
                P::IdempotencyKeyMissing,
                P::IdempotencyKeyInvalid,
                P::IdempotencyKeyReused,
                P::IdempotencyInFlight,
            ]);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Method and path as the spec writes them, such as `POST E/{credential_id}/revoke`.
    #[must_use]
    pub fn signature(&self) -> String {
        format!("{} {}{}", self.method.name(), self.base.symbol(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_id_and_signatures_are_distinct() {
        let mut seen = std::collections::HashSet::new();
        for row in ALL {
            assert_eq!(row.id.row().name, row.name);
            assert!(seen.insert(row.signature()), "{}", row.signature());
        }
    }

    #[test]
    fn what_has_to_be_matched_was_tagged_by_something() {
        for row in ALL {
            if row.precondition == Precondition::IfMatch {
                assert_ne!(row.method, Method::Get, "{}", row.name);
            }
            assert!(row.class != Class::Core || row.precondition != Precondition::IfMatch);
        }
    }

    #[test]
    fn control_is_for_tests_and_only_there() {
        for row in ALL {
            let control = row.base == Base::Control;
            assert_eq!(control, row.auth == Auth::Control, "{}", row.name);
            let for_tests = matches!(row.class, Class::TestControl | Class::Faults);
            let set_for_tests = row.class == Class::ApprovalPolicy;
            assert_eq!(control, for_tests || set_for_tests, "{}", row.name);
        }
    }
}
