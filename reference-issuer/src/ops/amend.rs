//! Change what does not say what a credential opens, or for whom (specification chapter 13).

use clp_schemas::ops::create::{Credential, CredentialAmend};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use serde_json::Value;

use super::{Incoming, Operation, Outcome, as_seen, guard, mint};
use crate::auth::Action;
use crate::lifecycle::change;
use crate::rules::Rule;
use crate::store::Tx;

/// What is asked for, and where the credential stands.
struct Standing {
    now: Timestamp,
    present: Option<Timestamp>,
    wanted: Option<Timestamp>,
    has_ended: bool,
}

const RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-CRE-028/past",
        refuses: |standing| out_of_range(standing.wanted? <= standing.now),
    },
    Rule {
        id: "CLP-CRE-028/later",
        refuses: |standing| out_of_range(standing.wanted? >= standing.present?),
    },
    Rule {
        id: "CLP-CRE-029",
        refuses: |standing| {
            standing
                .has_ended
                .then(|| ProblemType::CredentialNotActive.into())
        },
    },
];

fn out_of_range(is_out: bool) -> Option<Problem> {
    is_out.then(|| Problem::new(ProblemType::ExpiryOutOfRange).pointer("/expires_at"))
}

impl Operation for CredentialAmend {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(tx, &call.caller, &call.path()?.credential_id, Action::Amend)
    }

    fn current(
        tx: &Tx<'_>,
        credential: &Credential,
        call: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        as_seen(&mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential.clone(),
        )?)
        .map(Some)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Credential>, Problem> {
        let body = &call.body()?.typed;
        let standing = Standing {
            now: tx.now(),
            present: credential.expires_at,
            wanted: body.expires_at,
            has_ended: !credential.state.is_live(),
        };
        tx.check(RULES, &standing)?;
        let (credential, effects) = change::amend(credential, body, call.caller.id());
        tx.apply(effects)?;
        Ok(Outcome::Done(mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential,
        )?))
    }
}
