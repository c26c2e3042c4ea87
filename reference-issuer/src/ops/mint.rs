//! What all ways of minting a credential have in common.

use clp_schemas::ids::{CredentialId, DeliveryId};
use clp_schemas::key::{GENERATION_BYTES, Key};
use clp_schemas::ops::create::{Credential, DeliveryLink};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::permissions::{PermissionSet, Reason, Unknown, check_against};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use zeroize::Zeroizing;

use crate::auth::Caller;
use crate::lifecycle::credential::Fresh;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{Fault, Tx};

/// What is asked for, as far as it can be impossible (step 9).
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

impl Wanted {
    /// The facts about what is asked for.
    pub(super) fn new(
        service: &Service,
        kind: CredentialType,
        permissions: &PermissionSet,
        environment: &str,
        expiry: Expiry,
    ) -> Self {
        let persona = &service.persona;
        Self {
            kind_supported: persona.credential_types.contains(&kind),
            fault: check_against(&persona.permissions, permissions, environment).err(),
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
        id: "CLP-CRE-005",
        refuses: |wanted| {
            unknown(wanted, |reason| {
                !matches!(
                    reason,
                    Reason::Environment | Reason::Reserved | Reason::Value
                )
            })
        },
    },
    Rule {
        id: "CLP-CRE-009",
        refuses: |wanted| {
            let Expiry {
                now,
                at,
                latest,
                pointer,
            } = wanted.expiry;
            let at = at?;
            (at <= now || latest.is_some_and(|latest| at > latest))
                .then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer(pointer))
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

/// Draws ids and a key.
pub(super) fn fresh(tx: &Tx<'_>, service: &Service) -> Result<Fresh, Fault> {
    let random = tx.context().random;
    let bytes = Zeroizing::new(random.bytes::<GENERATION_BYTES>()?);
    let key = Key::generate(&service.persona.token_prefix, bytes.as_slice())?;
    let key_id = Key::parse(key.expose())?.key_id.to_owned();
    Ok(Fresh {
        id: CredentialId::from_entropy(random.bytes()?),
        delivery: DeliveryId::from_entropy(random.bytes()?),
        key,
        key_id,
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
