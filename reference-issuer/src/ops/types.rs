//! What goes with which type of credential (specification chapter 21).

use std::net::IpAddr;

use clp_schemas::jose::PublicJwk;
use clp_schemas::ops::create::{Confirmation, Credential, Webhook};
use clp_schemas::ops::discover::{CredentialType, Deployment};
use clp_schemas::ops::store::{Secret, SecretText};
use clp_schemas::problem::{Problem, ProblemType};

use crate::events::target;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Fault, Tx};

/// The members of a body that are for one type only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The type.
    pub(super) kind: CredentialType,
    /// For an `api_key`.
    pub(super) cnf: Option<&'a Confirmation>,
    /// For a `service_account`.
    pub(super) public_jwk: Option<&'a PublicJwk>,
    /// For a `webhook_secret`.
    pub(super) webhook: Option<&'a Webhook>,
}

/// Which parts there are, and what is known of them.
struct Facts {
    kind: CredentialType,
    is_bound: bool,
    has_key: bool,
    has_target: bool,
    key_is_usable: bool,
    target_is_allowed: bool,
}

const RULES: &[Rule<Facts>] = &[
    Rule {
        id: "CLP-BND-006",
        refuses: |facts| {
            let fits = !facts.is_bound || facts.kind == CredentialType::ApiKey;
            mismatch(fits, "/cnf")
        },
    },
    Rule {
        id: "CLP-OAU-017",
        refuses: |facts| {
            let fits = !facts.has_key || facts.kind == CredentialType::ServiceAccount;
            mismatch(fits, "/public_jwk")
        },
    },
    Rule {
        id: "CLP-WHK-004",
        refuses: |facts| {
            let is_wanted = facts.kind == CredentialType::WebhookSecret;
            mismatch(
                facts.has_target == is_wanted,
                if is_wanted { "" } else { "/webhook" },
            )
        },
    },
    Rule {
        id: "CLP-OAU-016",
        refuses: |facts| {
            (!facts.key_is_usable)
                .then(|| Problem::new(ProblemType::KeyNotUsable).pointer("/public_jwk"))
        },
    },
    Rule {
        id: "CLP-WHK-003",
        refuses: |facts| {
            (!facts.target_is_allowed)
                .then(|| Problem::new(ProblemType::TargetRefused).pointer("/webhook/url"))
        },
    },
];

fn mismatch(fits: bool, pointer: &str) -> Option<Problem> {
    (!fits).then(|| Problem::new(ProblemType::TypeMismatch).pointer(pointer))
}

/// Checks that the parts go with the type. `addresses` are those that the host of the target
/// has, as far as it has any now: what it has later is looked at when something is sent.
///
/// # Errors
/// `type-mismatch`, `key-not-usable`, `target-refused`.
pub(super) fn check(
    tx: &Tx<'_>,
    service: &Service,
    parts: Parts<'_>,
    addresses: &[IpAddr],
) -> Result<(), Problem> {
    let facts = Facts {
        kind: parts.kind,
        is_bound: parts.cnf.is_some(),
        has_key: parts.public_jwk.is_some(),
        has_target: parts.webhook.is_some(),
        key_is_usable: match parts.public_jwk {
            Some(key) => is_usable(tx, key)?,
            None => true,
        },
        target_is_allowed: parts.webhook.is_none_or(|webhook| {
            target_is_allowed(service.persona.environment, webhook, addresses)
        }),
    };
    tx.check(RULES, &facts)
}

fn target_is_allowed(environment: Deployment, webhook: &Webhook, addresses: &[IpAddr]) -> bool {
    target::parse(&webhook.url).is_some_and(|url| {
        let known = target::known_addresses(&url);
        target::is_allowed(&url, known.as_deref().unwrap_or(addresses), environment)
    })
}

/// Whether a key is one, and no credential's yet.
fn is_usable(tx: &Tx<'_>, key: &PublicJwk) -> Result<bool, Fault> {
    match key.thumbprint() {
        Ok(thumbprint) => Ok(!tx.has_key_id(&thumbprint)?),
        Err(_) => Ok(false),
    }
}

/// The key of a successor.
struct RotationKey {
    is_own: bool,
    is_sent: bool,
    is_usable: bool,
}

const ROTATION_RULES: &[Rule<RotationKey>] = &[Rule {
    id: "CLP-OAU-016",
    refuses: |key| {
        (key.is_own != key.is_sent || !key.is_usable).then(|| {
            Problem::new(ProblemType::KeyNotUsable).pointer(if key.is_sent {
                "/public_jwk"
            } else {
                ""
            })
        })
    },
}];

/// Checks that the successor's key comes from where the predecessor's did.
///
/// # Errors
/// `key-not-usable`.
pub(super) fn rotation_key(
    tx: &Tx<'_>,
    predecessor: &Credential,
    sent: Option<&PublicJwk>,
) -> Result<(), Problem> {
    let key = RotationKey {
        // Whoever brings a key of their own is handed nothing.
        is_own: predecessor.public_jwk.is_some() && !tx.had_delivery(&predecessor.id)?,
        is_sent: sent.is_some(),
        is_usable: match sent {
            Some(key) => is_usable(tx, key)?,
            None => true,
        },
    };
    tx.check(ROTATION_RULES, &key)
}

/// A secret as it is handed over, with what one needs to use it.
pub(super) fn secret(service: &Service, credential: &Credential, value: SecretText) -> Secret {
    let gets_tokens = matches!(
        credential.kind,
        CredentialType::OauthClient | CredentialType::ServiceAccount
    );
    Secret {
        kind: credential.kind,
        value,
        client_id: gets_tokens.then(|| credential.id.clone()),
        token_endpoint: gets_tokens.then(|| service.token_endpoint()),
    }
}
