//! The one table of endpoints. The issuer routes by it, the client calls by it, and
//! `OpenAPI` and the spec's tables are generated from it.

use crate::problem::ProblemType;
use crate::state::named;

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
        /// The audit log is a Merkle tree with signed checkpoints.
        AuditProofs = "audit-proofs",
        /// Tests can make tenants and move clocks.
        TestControl = "test-control",
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
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
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
    /// The status of a success.
    pub success: u16,
    /// What a success carries.
    pub media: Media,
    /// The problems of its own; those of the layers are in [`Endpoint::problems`].
    pub own_problems: &'static [ProblemType],
}

macro_rules! endpoints {
    ($($id:ident = $name:literal, $operation:ident, $class:ident, $method:ident $base:ident $path:literal,
        $auth:ident, $key:ident, $success:literal $media:ident, [$($problem:ident),*], $summary:literal;)*) => {
        /// Every endpoint.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EndpointId {
            $(#[doc = $summary] $id,)*
        }

        /// The table.
        pub const ALL: &[&Endpoint] = &[$(EndpointId::$id.row(),)*];

        impl EndpointId {
            /// Its row.
            #[must_use]
            pub const fn row(self) -> &'static Endpoint {
                match self {
                    $(Self::$id => &Endpoint {
                        id: EndpointId::$id,
                        name: $name,
                        summary: $summary,
                        operation: Operation::$operation,
                        class: Class::$class,
                        method: Method::$method,
                        base: Base::$base,
                        path: $path,
                        auth: Auth::$auth,
                        idempotency: Idempotency::$key,
                        success: $success,
                        media: Media::$media,
                        own_problems: &[$(ProblemType::$problem),*],
                    },)*
                }
            }
        }
    };
}

endpoints! {
    ManifestRead = "manifest_read", Discover, Core, Get Origin "/.well-known/credential-issuer",
        Anyone, None, 200 Json, [], "Read what the provider can do.";
    ResourceMetadataRead = "resource_metadata_read", Discover, Core, Get Origin "/.well-known/oauth-protected-resource/credentials",
        Anyone, None, 200 Json, [], "Read how the credential endpoint is authenticated (RFC 9728).";
    PermissionDocumentRead = "permission_document_read", Scope, Core, Get Origin "/.well-known/credential-permissions",
        Anyone, None, 200 Json, [NotFound, InvalidQuery], "Read what permissions exist and what they mean.";
    RequestOpen = "request_open", Request, Approval, Post Credentials "/requests",
        Principal, Key, 202 Json, [Forbidden, UnknownPermission, UnknownEnvironment, TypeNotSupported, ExpiryOutOfRange],
        "Ask for a credential that somebody has to approve.";
    RequestRead = "request_read", Request, Approval, Get Credentials "/requests/{request_id}",
        Principal, None, 200 Json, [NotFound], "Read where a request stands.";
    ChallengeOpen = "challenge_open", Approve, Approval, Post Credentials "/requests/{request_id}/approval-challenges",
        Principal, None, 201 Json, [NotFound, Forbidden, SeparationOfDuty, RequestNotPending],
        "Ask for the bytes that prove one decision on one version of a request.";
    ApprovalSubmit = "approval_submit", Approve, Approval, Post Credentials "/requests/{request_id}/approvals",
        Principal, None, 201 Json,
        [NotFound, Forbidden, SeparationOfDuty, RequestNotPending, ChallengeNotUsable, EvidenceInvalid, MethodNotSupported],
        "Decide on a request, with proof.";
    CredentialCreate = "credential_create", Create, Core, Post Credentials "",
        Principal, Key, 201 Json,
        [NotFound, Forbidden, ApprovalRequired, UnknownPermission, UnknownEnvironment, TypeNotSupported, ExpiryOutOfRange,
         RequestNotApproved, ApprovalExpired],
        "Mint a credential.";
    CredentialList = "credential_list", Create, Core, Get Credentials "",
        Principal, None, 200 Json, [InvalidQuery, InvalidCursor], "List credentials.";
    CredentialRead = "credential_read", Create, Core, Get Credentials "/{credential_id}",
        Principal, None, 200 Json, [NotFound], "Read one credential.";
    DeliveryRead = "delivery_read", Store, Core, Get Credentials "/deliveries/{delivery_id}",
        Principal, None, 200 Json, [NotFound, DeliveryGone], "Fetch the secret of a new credential.";
    RotationOpen = "rotation_open", Rotate, Core, Post Credentials "/{credential_id}/rotations",
        Principal, Key, 201 Json, [NotFound, Forbidden, RotationInProgress, CredentialNotActive, ExpiryOutOfRange],
        "Mint a successor; the predecessor works on until it is revoked.";
    CredentialRevoke = "credential_revoke", Revoke, Core, Post Credentials "/{credential_id}/revoke",
        PrincipalOrSelf, None, 200 Json, [NotFound, Forbidden, ModeNotSupported],
        "End a credential for good.";
    AuditEntries = "audit_entries", Audit, Core, Get Credentials "/audit/entries",
        Principal, None, 200 Json, [Forbidden, InvalidQuery, InvalidCursor], "List who did what.";
    AuditCheckpoint = "audit_checkpoint", Audit, AuditProofs, Get Credentials "/audit/checkpoint",
        Principal, None, 200 Text, [Forbidden], "Read the signed size and root of the log.";
    AuditInclusion = "audit_inclusion", Audit, AuditProofs, Get Credentials "/audit/proofs/inclusion",
        Principal, None, 200 Json, [Forbidden, InvalidQuery, InvalidProofRange], "Prove that an entry is in the log.";
    AuditConsistency = "audit_consistency", Audit, AuditProofs, Get Credentials "/audit/proofs/consistency",
        Principal, None, 200 Json, [Forbidden, InvalidQuery, InvalidProofRange], "Prove that the log only grew.";
    SandboxOpen = "sandbox_open", Discover, TestControl, Post Control "/sandboxes",
        Control, None, 201 Json, [NotFound], "Make a fresh tenant with a cast and two probes.";
    SandboxReset = "sandbox_reset", Discover, TestControl, Post Control "/sandboxes/{tenant_id}/reset",
        Control, None, 204 Empty, [NotFound], "Empty a tenant.";
    ClockAdvance = "clock_advance", Discover, TestControl, Post Control "/sandboxes/{tenant_id}/clock",
        Control, None, 200 Json, [NotFound], "Move a tenant's clock forward.";
    ControlApprove = "control_approve", Approve, TestControl, Post Control "/sandboxes/{tenant_id}/approvals",
        Control, None, 201 Json, [NotFound, RequestNotPending, SeparationOfDuty], "Simulate a decision.";
    AuthenticatorRegister = "authenticator_register", Approve, TestControl, Post Control "/sandboxes/{tenant_id}/authenticators",
        Control, None, 204 Empty, [NotFound, EvidenceInvalid], "Register a passkey.";
    RequestLog = "request_log", Audit, TestControl, Get Control "/sandboxes/{tenant_id}/requests",
        Control, None, 200 Json, [NotFound], "Read what reached a tenant.";
    StateDump = "state_dump", Audit, TestControl, Get Control "/sandboxes/{tenant_id}/state",
        Control, None, 200 Json, [NotFound], "Read what a tenant holds.";
}

impl Endpoint {
    /// Whether a request carries a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.method == Method::Post && self.id != EndpointId::SandboxReset
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
        if self.has_body() {
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
    fn control_is_for_tests_and_only_there() {
        for row in ALL {
            let control = row.base == Base::Control;
            assert_eq!(control, row.auth == Auth::Control, "{}", row.name);
            assert_eq!(control, row.class == Class::TestControl, "{}", row.name);
        }
    }
}
