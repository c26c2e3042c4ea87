//! Revoke: end a credential for good, or stop it for now (spec chapter 19).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::{Credential, CredentialPath};
use super::{Nothing, call};
use crate::state::named;
use crate::time::Timestamp;

named! {
    /// When a revocation takes effect.
    RevocationMode {
        /// Now.
        Immediate = "immediate",
        /// Now, if the gates of its rotation are met; otherwise not at all.
        AfterMigration = "after_migration",
    }
}

named! {
    /// Why a credential is ended.
    RevocationReason {
        /// It may be known to somebody who should not know it.
        Compromise = "compromise",
        /// A successor took over.
        Superseded = "superseded",
        /// Nothing uses it.
        NoLongerNeeded = "no_longer_needed",
        /// A policy asks for it.
        Policy = "policy",
        /// Somebody else answers for it from now on.
        Handover = "handover",
        /// None of these.
        Other = "other",
    }
}

/// How to end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationBody {
    /// When.
    pub mode: RevocationMode,
    /// Why.
    pub reason: RevocationReason,
    /// Why, in the caller's words. Never put a secret here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub note: Option<String>,
}

/// How a credential was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revocation {
    /// The mode asked for.
    pub mode: RevocationMode,
    /// Why.
    pub reason: RevocationReason,
    /// Who: a principal, or the credential itself.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Why to stop it for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuspensionBody {
    /// Why.
    pub reason: RevocationReason,
    /// Why, in the caller's words. Never put a secret here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub note: Option<String>,
}

/// Words for the record, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteBody {
    /// Why, in the caller's words. Never put a secret here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub note: Option<String>,
}

call!(
    /// Stops a credential for now.
    CredentialSuspend, CredentialPath, Nothing, SuspensionBody => Credential
);
call!(
    /// Lets it work again.
    CredentialResume, CredentialPath, Nothing, NoteBody => Credential
);
call!(
    /// Ends a credential.
    CredentialRevoke, CredentialPath, Nothing, RevocationBody => Credential
);
