//! Typed identifiers: a prefix that tells the kind, then 20 to 40 letters or digits.
//!
//! The prefixes keep identifiers apart from the reserved collection names that stand at
//! the same place in a path (spec chapter 02, "Identifiers").

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A string that is not an identifier of the wanted kind. Carries no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an identifier that begins with `{prefix}` and goes on with 20 to 40 letters or digits"
)]
pub struct NotAnId {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes 128 random bits as 22 letters and digits.
fn spell(entropy: u128) -> String {
    let mut rest = entropy;
    (0..22)
        .map(|_| {
            let digit = usize::try_from(rest % 62).unwrap_or_default();
            rest /= 62;
            ALPHABET.get(digit).copied().map_or('0', char::from)
        })
        .collect()
}

fn keeps_form(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        (20..=40).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = concat!("^", $prefix, "[0-9A-Za-z]{20,40}$")))]
        pub struct $name(String);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier out of 128 random bits.
            #[must_use]
            pub fn from_entropy(entropy: [u8; 16]) -> Self {
                Self(format!("{}{}", $prefix, spell(u128::from_be_bytes(entropy))))
            }

            /// The identifier as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                if keeps_form(&text, $prefix) {
                    Ok(Self(text))
                } else {
                    Err(NotAnId { prefix: $prefix })
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A credential, for its whole life.
    CredentialId = "cred_";
    /// A request for a credential.
    RequestId = "req_";
    /// One rotation of one credential.
    RotationId = "rot_";
    /// The one hand-over of one secret.
    DeliveryId = "dlv_";
    /// A single-use challenge that an approver signs.
    ChallengeId = "chl_";
    /// One approver's decision on one version of a request.
    ApprovalId = "apr_";
    /// One place where a credential is used.
    InstallationId = "ins_";
    /// One place where secrets are kept.
    StoreId = "sto_";
    /// One event that was sent to a webhook.
    EventId = "evt_";
    /// Somebody who acts: a person, a tool, an agent, a workload.
    PrincipalId = "prin_";
    /// A customer of the issuer; nothing crosses from one to another.
    TenantId = "ten_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_read_back_and_another_kind_is_not() {
        let id = CredentialId::from_entropy([255; 16]);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(
            id.as_str().parse::<RequestId>(),
            Err(NotAnId { prefix: "req_" })
        );
        assert_ne!(id, CredentialId::from_entropy([254; 16]));
    }

    #[test]
    fn length_and_alphabet_are_bounded() {
        for wrong in ["cred_short", "cred_", "", "cred_0123456789012345678é"] {
            assert!(wrong.parse::<CredentialId>().is_err(), "{wrong}");
        }
        assert!(
            format!("cred_{}", "a".repeat(20))
                .parse::<CredentialId>()
                .is_ok()
        );
        assert!(
            format!("cred_{}", "a".repeat(40))
                .parse::<CredentialId>()
                .is_ok()
        );
        assert!(
            format!("cred_{}", "a".repeat(41))
                .parse::<CredentialId>()
                .is_err()
        );
    }
}
