//! The one hand-over of a secret (specification chapter 15).

use clp_schemas::ops::create::Credential;
use clp_schemas::ops::store::{Delivery, DeliveryMode, DeliveryRead, Secret, SecretText};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;

use super::{Incoming, Operation, Outcome};
use crate::auth::Caller;
use crate::lifecycle::credential;
use crate::rules::{self, Rule};
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

impl Operation for DeliveryRead {
    type Subject = (DeliveryRow, Credential);

    /// A delivery is one principal's, whatever permissions others have.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Self::Subject, Problem> {
        let delivery = tx
            .delivery(&call.path()?.delivery_id)?
            .ok_or(ProblemType::NotFound)?;
        let sight = Sight {
            is_theirs: matches!(&call.caller, Caller::Principal { id, .. } if *id == delivery.principal),
        };
        rules::check(SIGHT_RULES, &sight)?;
        let credential = tx
            .credential(&delivery.credential)?
            .ok_or(ProblemType::Internal)?;
        Ok((delivery, credential))
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (delivery, credential): Self::Subject,
        _: &Incoming<Self>,
    ) -> Result<Outcome<Delivery>, Problem> {
        let standing = Standing {
            now: tx.now(),
            expires_at: delivery.expires_at,
            is_live: credential.state.is_live(),
            secret: tx.secret(&delivery)?,
        };
        rules::check(RULES, &standing)?;
        let kind = credential.kind;
        tx.apply(credential::deliver(credential, &delivery, tx.now()))?;
        Ok(Outcome::Done(Delivery {
            id: delivery.id,
            credential_id: delivery.credential,
            mode: DeliveryMode::Plain,
            secret: Secret {
                kind,
                value: standing.secret.ok_or(ProblemType::DeliveryGone)?,
            },
            expires_at: delivery.expires_at,
        }))
    }
}
