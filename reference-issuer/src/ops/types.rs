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
    key: KeyStanding,
    target_is_allowed: bool,
}

/// What is known of a key that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyStanding {
    /// It is no point of its curve.
    NoPoint,
    /// It is the key of a credential already.
    Taken,
    /// There is nothing against it, or there is none.
    Usable,
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
        id: "CLP-OAU-016/curve",
        refuses: |facts| not_usable(facts.key == KeyStanding::NoPoint, "/public_jwk"),
    },
    Rule {
        id: "CLP-OAU-016/taken",
        refuses: |facts| not_usable(facts.key == KeyStanding::Taken, "/public_jwk"),
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

fn not_usable(is_not: bool, pointer: &str) -> Option<Problem> {
    is_not.then(|| Problem::new(ProblemType::KeyNotUsable).pointer(pointer))
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
        key: standing(tx, parts.public_jwk)?,
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

/// Whether a key that was sent is one, and no credential's yet.
fn standing(tx: &Tx<'_>, sent: Option<&PublicJwk>) -> Result<KeyStanding, Fault> {
    Ok(match sent.map(PublicJwk::thumbprint) {
        None => KeyStanding::Usable,
        Some(Err(_)) => KeyStanding::NoPoint,
        Some(Ok(thumbprint)) if tx.has_key_id(&thumbprint)? => KeyStanding::Taken,
        Some(Ok(_)) => KeyStanding::Usable,
    })
}

/// The key of a successor.
struct RotationKey {
    is_own: bool,
    is_sent: bool,
    sent: KeyStanding,
}

const ROTATION_RULES: &[Rule<RotationKey>] = &[
    Rule {
        id: "CLP-OAU-016/missing",
        refuses: |key| not_usable(key.is_own && !key.is_sent, ""),
    },
    Rule {
        id: "CLP-OAU-016/superfluous",
        refuses: |key| not_usable(key.is_sent && !key.is_own, "/public_jwk"),
    },
    Rule {
        id: "CLP-OAU-016/curve",
        refuses: |key| not_usable(key.sent == KeyStanding::NoPoint, "/public_jwk"),
    },
    Rule {
        id: "CLP-OAU-016/taken",
        refuses: |key| not_usable(key.sent == KeyStanding::Taken, "/public_jwk"),
    },
];

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
        sent: standing(tx, sent)?,
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
