//! The rows of the table.

use super::{Auth, Base, Class, Endpoint, Idempotency, Media, Method, Operation, Precondition};
use crate::problem::ProblemType;

macro_rules! endpoints {
    ($($id:ident = $name:literal, $operation:ident, $class:ident, $method:ident $base:ident $path:literal,
        $auth:ident, $key:ident, $precondition:ident, $success:literal $media:ident, [$($problem:ident),*], $summary:literal;)*) => {
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
                        precondition: Precondition::$precondition,
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
        Anyone, None, None, 200 Json, [], "Read what the provider can do.";
    ResourceMetadataRead = "resource_metadata_read", Discover, Core, Get Origin "/.well-known/oauth-protected-resource/credentials",
        Anyone, None, None, 200 Json, [], "Read how the credential endpoint is authenticated (RFC 9728).";
    PermissionDocumentRead = "permission_document_read", Scope, Core, Get Origin "/.well-known/credential-permissions",
        Anyone, None, None, 200 Json, [NotFound, InvalidQuery], "Read what permissions exist and what they mean.";
    RequestOpen = "request_open", Request, Approval, Post Credentials "/requests",
        Principal, Key, None, 202 Json, [Forbidden, UnknownPermission, UnknownEnvironment, TypeNotSupported, ExpiryOutOfRange, TypeMismatch, KeyNotUsable, TargetRefused],
        "Ask for a credential that somebody has to approve.";
    RequestRead = "request_read", Request, Approval, Get Credentials "/requests/{request_id}",
        Principal, None, Tagged, 200 Json, [NotFound], "Read where a request stands.";
    RequestAmend = "request_amend", Request, Approval, Patch Credentials "/requests/{request_id}",
        Principal, None, IfMatch, 200 Json,
        [NotFound, Forbidden, RequestNotPending, UnknownPermission, ExpiryOutOfRange, TypeMismatch, KeyNotUsable, TargetRefused],
        "Change what was asked for; it has to be decided on anew.";
    RequestCancel = "request_cancel", Request, Approval, Delete Credentials "/requests/{request_id}",
        Principal, None, IfMatch, 200 Json, [NotFound, Forbidden, RequestNotPending], "Take a request back.";
    ChallengeOpen = "challenge_open", Approve, Approval, Post Credentials "/requests/{request_id}/approval-challenges",
        Principal, None, None, 201 Json, [NotFound, Forbidden, SeparationOfDuty, RequestNotPending, UnknownPermission, ScopeBroader, ScopeIncomparable, ExpiryOutOfRange],
        "Ask for the bytes that prove one decision on one version of a request.";
    ApprovalSubmit = "approval_submit", Approve, Approval, Post Credentials "/requests/{request_id}/approvals",
        Principal, None, None, 201 Json,
        [NotFound, Forbidden, SeparationOfDuty, RequestNotPending, ChallengeNotUsable, EvidenceInvalid, MethodNotSupported, InsufficientUserAuthentication],
        "Decide on a request, with proof.";
    ApprovalRead = "approval_read", Approve, Approval, Get Credentials "/requests/{request_id}/approvals/{approval_id}",
        Principal, None, None, 200 Json, [NotFound], "Read a decision, with all that is needed to check it.";
    CredentialCreate = "credential_create", Create, Core, Post Credentials "",
        Principal, Key, Tagged, 201 Json,
        [NotFound, Forbidden, ApprovalRequired, UnknownPermission, UnknownEnvironment, TypeNotSupported, ExpiryOutOfRange,
         RequestNotApproved, ApprovalExpired, TypeMismatch, KeyNotUsable, TargetRefused],
        "Mint a credential.";
    CredentialList = "credential_list", Create, Core, Get Credentials "",
        Principal, None, None, 200 Json, [InvalidQuery, InvalidCursor], "List credentials.";
    CredentialRead = "credential_read", Create, Core, Get Credentials "/{credential_id}",
        Principal, None, Tagged, 200 Json, [NotFound], "Read one credential.";
    DeliveryRead = "delivery_read", Store, Core, Get Credentials "/deliveries/{delivery_id}",
        Principal, None, None, 200 Json, [NotFound, DeliveryGone], "Fetch the secret of a new credential.";
    RotationOpen = "rotation_open", Rotate, Core, Post Credentials "/{credential_id}/rotations",
        Principal, Key, Tagged, 201 Json, [NotFound, Forbidden, RotationInProgress, CredentialNotActive, ExpiryOutOfRange, UnknownPermission, ScopeBroader, ScopeIncomparable, PlanImpossible, KeyNotUsable],
        "Mint a successor; the predecessor works on until it is revoked.";
    CredentialRevoke = "credential_revoke", Revoke, Core, Post Credentials "/{credential_id}/revoke",
        PrincipalOrSelf, None, Tagged, 200 Json, [NotFound, Forbidden, ModeNotSupported, GateUnmet, RotationNotOpen],
        "End a credential for good.";
    AuditEntries = "audit_entries", Audit, Core, Get Credentials "/audit/entries",
        Principal, None, None, 200 Json, [Forbidden, InvalidQuery, InvalidCursor], "List who did what.";
    AuditCheckpoint = "audit_checkpoint", Audit, AuditProofs, Get Credentials "/audit/checkpoint",
        Principal, None, None, 200 Text, [Forbidden], "Read the signed size and root of the log.";
    AuditInclusion = "audit_inclusion", Audit, AuditProofs, Get Credentials "/audit/proofs/inclusion",
        Principal, None, None, 200 Json, [Forbidden, InvalidQuery, InvalidProofRange], "Prove that an entry is in the log.";
    AuditConsistency = "audit_consistency", Audit, AuditProofs, Get Credentials "/audit/proofs/consistency",
        Principal, None, None, 200 Json, [Forbidden, InvalidQuery, InvalidProofRange], "Prove that the log only grew.";
    CredentialAmend = "credential_amend", Create, Lifecycle, Patch Credentials "/{credential_id}",
        Principal, None, IfMatch, 200 Json, [NotFound, Forbidden, ExpiryOutOfRange, CredentialNotActive],
        "Change owner, labels or an earlier end of a credential.";
    ScopeAnalysis = "scope_analysis", Scope, Lifecycle, Get Credentials "/{credential_id}/scope-analysis",
        Principal, None, None, 200 Json, [NotFound, InvalidQuery], "Read which permissions were used, and which were not.";
    DeliveryAck = "delivery_ack", Store, Lifecycle, Post Credentials "/deliveries/{delivery_id}/ack",
        Principal, None, None, 200 Json, [NotFound, UnknownStore, DeliveryNotRead, DeliveryGone],
        "Say that a secret is in its store; it is not handed out again.";
    StoreRegister = "store_register", Store, Inventory, Post Credentials "/stores",
        Principal, Key, None, 201 Json, [Forbidden, UnknownEnvironment], "Name a place where secrets are kept.";
    StoreList = "store_list", Store, Inventory, Get Credentials "/stores",
        Principal, None, None, 200 Json, [InvalidQuery, InvalidCursor], "List the places where secrets are kept.";
    InstallationPut = "installation_put", Inject, Inventory, Put Credentials "/{credential_id}/installations/{installation_id}",
        Principal, None, IfMatchOrNew, 200 Json,
        [NotFound, Forbidden, UnknownStore, CredentialNotActive, InstallationState, RotationInProgress],
        "Declare where a credential is used, or say how far its replacement has come.";
    InstallationDelete = "installation_delete", Inject, Inventory, Delete Credentials "/{credential_id}/installations/{installation_id}",
        Principal, None, IfMatch, 204 Empty, [NotFound, Forbidden, RotationInProgress], "Forget an installation.";
    InstallationList = "installation_list", Inventory, Inventory, Get Credentials "/{credential_id}/installations",
        Principal, None, None, 200 Json, [NotFound, InvalidQuery, InvalidCursor], "List where a credential is used.";
    InstallationRead = "installation_read", Inventory, Inventory, Get Credentials "/{credential_id}/installations/{installation_id}",
        Principal, None, Tagged, 200 Json, [NotFound], "Read one installation.";
    UsageRead = "usage_read", Inventory, Inventory, Get Credentials "/{credential_id}/usage",
        Principal, None, None, 200 Json, [NotFound], "Read who was seen using a credential.";
    RotationRead = "rotation_read", Rotate, Lifecycle, Get Credentials "/rotations/{rotation_id}",
        Principal, None, Tagged, 200 Json, [NotFound], "Read where a rotation stands.";
    RotationGates = "rotation_gates", Rotate, Lifecycle, Get Credentials "/rotations/{rotation_id}/gates",
        Principal, None, None, 200 Json, [NotFound], "Read what still stands between a rotation and its end.";
    RotationAdvance = "rotation_advance", Rotate, Lifecycle, Post Credentials "/rotations/{rotation_id}/advance",
        Principal, None, IfMatch, 200 Json, [NotFound, Forbidden, GateUnmet, RotationNotOpen],
        "Take a rotation one stage further, if its gates are met.";
    RotationRollback = "rotation_rollback", Rotate, Lifecycle, Post Credentials "/rotations/{rotation_id}/rollback",
        Principal, None, IfMatch, 200 Json, [NotFound, Forbidden, GateUnmet, RotationNotOpen, NoRollbackAfterCompromise],
        "Give the predecessor back and end the successor.";
    CredentialSuspend = "credential_suspend", Revoke, Lifecycle, Post Credentials "/{credential_id}/suspend",
        Principal, None, Tagged, 200 Json, [NotFound, Forbidden, CredentialNotActive], "Stop a credential reversibly.";
    CredentialResume = "credential_resume", Revoke, Lifecycle, Post Credentials "/{credential_id}/resume",
        Principal, None, IfMatch, 200 Json, [NotFound, Forbidden, CredentialNotActive], "Let a suspended credential work again.";
    OauthMetadataRead = "oauth_metadata_read", Discover, Oauth, Get Origin "/.well-known/oauth-authorization-server",
        Anyone, None, None, 200 Json, [], "Read where OAuth clients get tokens (RFC 8414).";
    TokenIssue = "token_issue", Create, Oauth, Post Credentials "/oauth/token",
        Anyone, None, None, 200 Json, [], "Get an access token (RFC 6749, RFC 7523).";
    TokenIntrospect = "token_introspect", Scope, Oauth, Post Credentials "/oauth/introspect",
        Principal, None, None, 200 Json, [], "Ask what a token or a key is good for (RFC 7662).";
    EventTest = "event_test", Inject, Webhooks, Post Credentials "/{credential_id}/test-events",
        Principal, None, None, 200 Json, [NotFound, Forbidden, TypeMismatch, CredentialNotActive],
        "Send a test event to a webhook and read what came back.";
    SandboxOpen = "sandbox_open", Discover, TestControl, Post Control "/sandboxes",
        Control, None, None, 201 Json, [NotFound], "Make a fresh tenant with a cast and two probes.";
    SandboxReset = "sandbox_reset", Discover, TestControl, Post Control "/sandboxes/{tenant_id}/reset",
        Control, None, None, 204 Empty, [NotFound], "Empty a tenant.";
    ClockAdvance = "clock_advance", Discover, TestControl, Post Control "/sandboxes/{tenant_id}/clock",
        Control, None, None, 200 Json, [NotFound], "Move a tenant's clock forward.";
    ControlApprove = "control_approve", Approve, TestControl, Post Control "/sandboxes/{tenant_id}/approvals",
        Control, None, None, 201 Json,
        [NotFound, Forbidden, RequestNotPending, SeparationOfDuty, UnknownPermission, ScopeBroader, ScopeIncomparable, ExpiryOutOfRange],
        "Simulate a decision.";
    ControlPrincipalAdd = "control_principal_add", Approve, TestControl, Post Control "/sandboxes/{tenant_id}/principals",
        Control, None, None, 201 Json, [NotFound, UnknownEnvironment], "Add somebody to a tenant.";
    ControlPrincipalSet = "control_principal_set", Approve, TestControl, Put Control "/sandboxes/{tenant_id}/principals/{principal_id}",
        Control, None, None, 204 Empty, [NotFound], "Say what somebody may do from now on.";
    ControlPolicySet = "control_policy_set", Approve, ApprovalPolicy, Put Control "/sandboxes/{tenant_id}/approval-policy",
        Control, None, None, 204 Empty, [NotFound], "Set a tenant's approval policy.";
    AuthenticatorRegister = "authenticator_register", Approve, TestControl, Post Control "/sandboxes/{tenant_id}/authenticators",
        Control, None, None, 204 Empty, [NotFound, EvidenceInvalid], "Register an authenticator.";
    AttestationTrustPut = "attestation_trust_put", Approve, TestControl, Put Control "/sandboxes/{tenant_id}/attestation-trust",
        Control, None, None, 204 Empty, [NotFound], "Say which makers and models of authenticators are trusted.";
    ControlIdentityProvider = "control_identity_provider", Approve, TestControl, Post Control "/sandboxes/{tenant_id}/identity-providers",
        Control, None, None, 204 Empty, [NotFound, KeyNotUsable], "Trust an identity provider.";
    RequestLog = "request_log", Audit, TestControl, Get Control "/sandboxes/{tenant_id}/requests",
        Control, None, None, 200 Json, [NotFound], "Read what reached a tenant.";
    StateDump = "state_dump", Audit, TestControl, Get Control "/sandboxes/{tenant_id}/state",
        Control, None, None, 200 Json, [NotFound], "Read what a tenant holds.";
    FaultsPut = "faults_put", Discover, Faults, Put Control "/sandboxes/{tenant_id}/faults",
        Control, None, None, 200 Json, [NotFound], "Say what goes wrong in a tenant, and when.";
    FaultsRead = "faults_read", Discover, Faults, Get Control "/sandboxes/{tenant_id}/faults",
        Control, None, None, 200 Json, [NotFound], "Read what has gone wrong in a tenant, and what will.";
}
