//! The one hand-over of a secret (specification chapter 15).

use clp_schemas::endpoint::Class;
use clp_schemas::ids::DeliveryId;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::store::{
    Delivery, DeliveryAck, DeliveryMode, DeliveryRead, Receipt, SecretText,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;

use super::stores::{NAMED_RULES, Named};
use super::{Incoming, Operation, Outcome, types};
use crate::auth::Caller;
use crate::lifecycle::{change, credential};
use crate::rules::Rule;
use crate::store::{DeliveryRow, Tx};

/// How a caller stands to a delivery.
struct Sight {
    is_theirs: bool,
}

const SIGHT_RULES: &[Rule<Sight>] = &[Rule {
    id: "CLP-DLV-002",
    refuses: |sight| (!sight.is_theirs).then(|| ProblemType::NotFound.into()),
}];

/// Whether there is still something to hand over.
struct Standing {
    now: Timestamp,
    expires_at: Timestamp,
    is_live: bool,
    secret: Option<SecretText>,
}

const RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-DLV-006",
        refuses: |standing| gone(standing.now >= standing.expires_at),
    },
    Rule {
        id: "CLP-DLV-009",
        refuses: |standing| gone(!standing.is_live),
    },
    Rule {
        id: "CLP-DLV-005",
        refuses: |standing| gone(standing.secret.is_none()),
    },
];

fn gone(is_gone: bool) -> Option<Problem> {
    is_gone.then(|| ProblemType::DeliveryGone.into())
}

/// The delivery of an id, and whose secret it is, if it is the caller's.
fn theirs(
    tx: &Tx<'_>,
    caller: &Caller,
    id: &DeliveryId,
) -> Result<(DeliveryRow, Credential), Problem> {
    let delivery = tx.delivery(id)?.ok_or(ProblemType::NotFound)?;
    let sight = Sight {
        is_theirs: matches!(caller, Caller::Principal { id, .. } if *id == delivery.principal),
    };
    tx.check(SIGHT_RULES, &sight)?;
    let credential = tx
        .credential(&delivery.credential)?
        .ok_or(ProblemType::Internal)?;
    Ok((delivery, credential))
}

impl Operation for DeliveryRead {
    type Subject = (DeliveryRow, Credential);

    /// A delivery is one principal's, whatever permissions others have.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Self::Subject, Problem> {
        theirs(tx, &call.caller, &call.path()?.delivery_id)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (delivery, credential): Self::Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Delivery>, Problem> {
        let standing = Standing {
            now: tx.now(),
            expires_at: delivery.expires_at,
            is_live: credential.state.is_live(),
            secret: tx.secret(&delivery)?,
        };
        tx.check(RULES, &standing)?;
        let value = standing.secret.ok_or(ProblemType::Internal)?;
        let secret = types::secret(&call.service, &credential, value);
        let minted_by = match call.service.persona.claims(Class::Lifecycle) {
            true => tx
                .neighbours(&credential.id)?
                .replaces
                .map(|(rotation, _)| rotation),
            false => None,
        };
        tx.apply(credential::deliver(
            credential,
            &delivery,
            minted_by,
            tx.now(),
        ))?;
        Ok(Outcome::Done(Delivery {
            id: delivery.id,
            credential_id: delivery.credential,
            mode: DeliveryMode::Plain,
            secret,
            expires_at: delivery.expires_at,
        }))
    }
}

/// Whether a delivery can still be acknowledged, which is as long as it can be read.
struct AckStanding {
    is_gone: bool,
    was_read: bool,
}

const ACK_RULES: &[Rule<AckStanding>] = &[
    Rule {
        id: "CLP-DLV-015",
        refuses: |standing| gone(standing.is_gone),
    },
    Rule {
        id: "CLP-DLV-017",
        refuses: |standing| (!standing.was_read).then(|| ProblemType::DeliveryNotRead.into()),
    },
];

impl Operation for DeliveryAck {
    type Subject = (DeliveryRow, Credential);

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Self::Subject, Problem> {
        theirs(tx, &call.caller, &call.path()?.delivery_id)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (delivery, credential): Self::Subject,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Receipt>, Problem> {
        let store_id = call.body()?.typed.store_id.clone();
        tx.check(
            NAMED_RULES,
            &Named::new(tx, store_id.as_ref(), &credential)?,
        )?;
        if let Some(first) = tx.receipt(&delivery.id)? {
            return Ok(Outcome::Done(first));
        }
        let reader = &delivery.principal;
        let standing = AckStanding {
            is_gone: tx.now() >= delivery.expires_at
                || !credential.state.is_live()
                || tx.secret(&delivery)?.is_none(),
            was_read: credential
                .disclosed_to
                .iter()
                .any(|seen| seen.principal == *reader),
        };
        tx.check(ACK_RULES, &standing)?;
        let receipt = Receipt {
            id: delivery.id,
            credential_id: delivery.credential,
            acknowledged_at: tx.now(),
            store_id,
        };
        let effects =
            change::acknowledge(credential, receipt.clone(), &delivery.principal, tx.now());
        tx.apply(effects)?;
        Ok(Outcome::Done(receipt))
    }
}
