//! Inventory: know where a credential is used (spec chapter 17).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create::CredentialPath;
use super::inject::{Installation, InstallationPath};
use super::{Nothing, call};
use crate::ids::{CredentialId, InstallationId};
use crate::state::installation::State;
use crate::time::Timestamp;

/// Which installations, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallationQuery {
    /// In this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// At most so many, 1 to 200; by default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One page of installations, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationPage {
    /// The installations.
    pub items: Vec<Installation>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Who was seen using a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// The credential.
    pub credential_id: CredentialId,
    /// Up to when the issuer has seen uses.
    pub as_of: Timestamp,
    /// Number of accepted calls.
    pub uses: u64,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Who made them, at most 200, the last seen first.
    pub consumers: Vec<Consumer>,
}

/// Somebody who was seen using a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consumer {
    /// The `User-Agent`, its first 200 characters, without control characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The address that the calls came from.
    pub address: String,
    /// Number of accepted calls.
    pub uses: u64,
    /// When the first was.
    pub first_seen_at: Timestamp,
    /// When the last was.
    pub last_seen_at: Timestamp,
    /// The declared installations that it fits: none where nobody declared it, more than
    /// one where they cannot be told apart.
    pub installations: Vec<InstallationId>,
}

call!(
    /// Lists installations.
    InstallationList, CredentialPath, InstallationQuery, Nothing => InstallationPage
);
call!(
    /// Reads an installation.
    InstallationRead, InstallationPath, Nothing, Nothing => Installation
);
call!(
    /// Reads who was seen.
    UsageRead, CredentialPath, Nothing, Nothing => Usage
);
