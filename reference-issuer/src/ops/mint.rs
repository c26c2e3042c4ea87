//! What all ways of minting a credential have in common.

use clp_schemas::ids::{CredentialId, DeliveryId};
use clp_schemas::jose::{PublicJwk, SigningKey};
use clp_schemas::key::{GENERATION_BYTES, Key};
use clp_schemas::ops::create::{Credential, DeliveryLink};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::permissions::{PermissionDocument, PermissionSet, Reason, Unknown, check_against};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use clp_schemas::webhook::WebhookSecret;
use zeroize::Zeroizing;

use crate::auth::Caller;
use crate::context::Random;
use crate::lifecycle::credential::{Fresh, FreshSecret};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Fault, Tx};

/// What is asked for, as far as it can be impossible (step 10).
#[derive(Debug)]
pub(super) struct Wanted {
    kind_supported: bool,
    fault: Option<Unknown>,
    expiry: Expiry,
}

/// How long a credential is to live.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    /// The time.
    pub(super) now: Timestamp,
    /// When it is to end; `None` for never.
    pub(super) at: Option<Timestamp>,
    /// The latest end that there is.
    pub(super) latest: Option<Timestamp>,
    /// The member that says so.
    pub(super) pointer: &'static str,
}

impl Expiry {
    /// The refusal of an end that is out of range in this way.
    fn refusal(self, is_out: impl Fn(Self, Timestamp) -> bool) -> Option<Problem> {
        is_out(self, self.at?)
            .then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer(self.pointer))
    }
}

impl Wanted {
    /// The facts about what is asked for, by the document that says what it means.
    pub(super) fn new(
        service: &Service,
        document: &PermissionDocument,
        kind: CredentialType,
        permissions: &PermissionSet,
        environment: &str,
        expiry: Expiry,
    ) -> Self {
        Self {
            kind_supported: service.persona.credential_types.contains(&kind),
            fault: check_against(document, permissions, environment).err(),
            expiry,
        }
    }
}

/// What cannot be issued, in whatever way it is asked for.
pub(super) const WANTED_RULES: &[Rule<Wanted>] = &[
    Rule {
        id: "CLP-CRE-008",
        refuses: |wanted| {
            (!wanted.kind_supported)
                .then(|| Problem::new(ProblemType::TypeNotSupported).pointer("/type"))
        },
    },
    Rule {
        id: "CLP-CRE-007",
        refuses: |wanted| unknown(wanted, |reason| reason == Reason::Environment),
    },
    Rule {
        id: "CLP-CRE-006",
        refuses: |wanted| unknown(wanted, |reason| reason == Reason::Reserved),
    },
    Rule {
        id: "CLP-PRM-010",
        refuses: |wanted| unknown(wanted, |reason| reason == Reason::Value),
    },
    Rule {
        id: "CLP-CRE-005/type",
        refuses: |wanted| unknown(wanted, |reason| reason == Reason::ResourceType),
    },
    Rule {
        id: "CLP-CRE-005/action",
        refuses: |wanted| unknown(wanted, |reason| reason == Reason::Action),
    },
    Rule {
        id: "CLP-CRE-005/constraint",
        refuses: |wanted| unknown(wanted, |reason| reason == Reason::Constraint),
    },
    // Whatever is wrong with them and has no rule of its own above.
    Rule {
        id: "CLP-PRM-008",
        refuses: |wanted| {
            unknown(wanted, |reason| {
                matches!(reason, Reason::Form | Reason::Size | Reason::Repeated)
            })
        },
    },
    Rule {
        id: "CLP-CRE-009/past",
        refuses: |wanted| wanted.expiry.refusal(|expiry, at| at <= expiry.now),
    },
    Rule {
        id: "CLP-CRE-009/latest",
        refuses: |wanted| {
            wanted
                .expiry
                .refusal(|expiry, at| expiry.latest.is_some_and(|latest| at > latest))
        },
    },
];

fn unknown(wanted: &Wanted, concerns: impl Fn(Reason) -> bool) -> Option<Problem> {
    let fault = wanted
        .fault
        .as_ref()
        .filter(|fault| concerns(fault.reason))?;
    Some(
        Problem::new(fault.reason.problem())
            .detail(fault.reason.to_string())
            .pointer(fault.pointer.clone()),
    )
}

/// Draws ids and a secret for a credential of this kind; `own` is the requester's own key.
pub(super) fn fresh(
    tx: &Tx<'_>,
    service: &Service,
    kind: CredentialType,
    own: Option<&PublicJwk>,
) -> Result<Fresh, Problem> {
    let random = tx.context().random;
    let (secret, key_id, public_jwk) = match (kind, own) {
        (CredentialType::ApiKey | CredentialType::OauthClient, _) => {
            let (key, key_id) = key(random, &service.persona.token_prefix)?;
            (FreshSecret::Key(key), key_id, None)
        }
        (CredentialType::WebhookSecret, _) => {
            // Of a key, whose id has the form that is wanted here, nothing else is used.
            let (_, key_id) = key(random, &service.persona.token_prefix)?;
            let bytes = Zeroizing::new(random.bytes()?);
            (
                FreshSecret::Webhook(WebhookSecret::from_bytes(&bytes)),
                key_id,
                None,
            )
        }
        (CredentialType::ServiceAccount, Some(own)) => {
            let thumbprint = own.thumbprint().map_err(|_| ProblemType::Internal)?;
            (FreshSecret::Own, thumbprint, Some(own.clone()))
        }
        (CredentialType::ServiceAccount, None) => {
            let seed = Zeroizing::new(random.bytes::<32>()?);
            let internal = |_| Problem::from(ProblemType::Internal);
            let public = SigningKey::from_seed(&seed).map_err(internal)?.public();
            let secret = FreshSecret::PrivateJwk(SigningKey::private_jwk(&seed).map_err(internal)?);
            (secret, public.thumbprint().map_err(internal)?, Some(public))
        }
    };
    Ok(Fresh {
        id: CredentialId::from_entropy(random.bytes()?),
        delivery: DeliveryId::from_entropy(random.bytes()?),
        secret,
        key_id,
        public_jwk,
    })
}

/// A new key, and its id.
pub(super) fn key(random: Random, prefix: &str) -> Result<(Key, String), Fault> {
    let bytes = Zeroizing::new(random.bytes::<GENERATION_BYTES>()?);
    let key = Key::generate(prefix, bytes.as_slice())?;
    let key_id = Key::parse(key.expose())?.key_id.to_owned();
    Ok((key, key_id))
}

/// Something of the form of a secret that is never valid.
pub(super) struct ProbeValue {
    /// The whole.
    pub(super) value: String,
    /// Its key id, where it has one.
    pub(super) key_id: Option<String>,
}

/// Draws a probe value for a rotation; `None` for a kind that no place checks.
pub(super) fn probe_value(
    tx: &Tx<'_>,
    service: &Service,
    kind: CredentialType,
) -> Result<Option<ProbeValue>, Problem> {
    let random = tx.context().random;
    Ok(match kind {
        CredentialType::ApiKey | CredentialType::OauthClient => {
            let (key, key_id) = key(random, &service.persona.token_prefix)?;
            Some(ProbeValue {
                value: key.expose().to_owned(),
                key_id: Some(key_id),
            })
        }
        CredentialType::WebhookSecret => Some(ProbeValue {
            value: WebhookSecret::from_bytes(&random.bytes()?)
                .expose()
                .to_string(),
            key_id: None,
        }),
        CredentialType::ServiceAccount => None,
    })
}

/// A credential as the caller sees it: with its delivery, while they may read that.
pub(super) fn shown(
    tx: &Tx<'_>,
    service: &Service,
    caller: &Caller,
    mut credential: Credential,
) -> Result<Credential, Fault> {
    credential.delivery = match caller {
        // The delivery is its creator's, so there is nothing to look up for anybody else.
        Caller::Principal { id, .. } if *id == credential.created_by => tx
            .open_delivery_of(&credential.id)?
            .filter(|delivery| delivery.principal == *id)
            .map(|delivery| DeliveryLink {
                uri: service.delivery_uri(&delivery.id),
                id: delivery.id,
                expires_at: delivery.expires_at,
            }),
        _ => None,
    };
    Ok(credential)
}
