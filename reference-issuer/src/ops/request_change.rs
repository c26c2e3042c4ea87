//! Change a request, or take it back (specification chapter 11).

use clp_schemas::ops::create::Webhook;
use clp_schemas::ops::request::{
    AmendRequestBody, CredentialRequest, RequestAmend, RequestBody, RequestCancel,
};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::{Event, MACHINE, State};
use serde_json::Value;

use super::request::{self, Asking};
use super::{Incoming, Operation, Outcome, as_seen, guard, policy};
use crate::auth::{Action, Caller};
use crate::lifecycle::request as life;
use crate::rules::Rule;
use crate::store::Tx;

/// How a caller stands to a request that is to be changed.
struct Sight {
    is_requester: bool,
    may_ask: bool,
}

const AMEND_SIGHT: &[Rule<Sight>] = &[
    Rule {
        id: "CLP-REQ-016",
        refuses: |sight| (!sight.is_requester).then(|| ProblemType::Forbidden.into()),
    },
    Rule {
        id: "CLP-REQ-017",
        refuses: |sight| {
            (sight.is_requester && !sight.may_ask).then(|| ProblemType::Forbidden.into())
        },
    },
];

const CANCEL_SIGHT: &[Rule<Sight>] = &[Rule {
    id: "CLP-REQ-016/cancel",
    refuses: |sight| (!sight.is_requester).then(|| ProblemType::Forbidden.into()),
}];

/// A request, if the caller sees it and may change it so.
fn admit(
    tx: &Tx<'_>,
    caller: &Caller,
    request: CredentialRequest,
    rules: &[Rule<Sight>],
) -> Result<CredentialRequest, Problem> {
    let asked = &request.submitted;
    let sight = Sight {
        is_requester: caller.id() == request.requester.as_str(),
        may_ask: caller.may(
            Action::Request,
            &guard::place(&asked.project, &asked.environment),
        ),
    };
    tx.check(rules, &sight)?;
    Ok(request)
}

const AMEND_STATES: &[Rule<State>] = &[Rule {
    id: "CLP-REQ-018",
    refuses: |state| refuses_in(*state, Event::Amend),
}];

const CANCEL_STATES: &[Rule<State>] = &[Rule {
    id: "CLP-REQ-018/cancel",
    refuses: |state| refuses_in(*state, Event::Cancel),
}];

fn refuses_in(state: State, event: Event) -> Option<Problem> {
    MACHINE
        .next(state, event)
        .is_none()
        .then(|| ProblemType::RequestNotPending.into())
}

impl Operation for RequestAmend {
    type Subject = CredentialRequest;

    fn target(body: &AmendRequestBody) -> Option<&Webhook> {
        body.webhook.as_ref()
    }

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<CredentialRequest, Problem> {
        let request = guard::request(tx, &call.caller, &call.path()?.request_id)?;
        admit(tx, &call.caller, request, AMEND_SIGHT)
    }

    fn current(
        tx: &Tx<'_>,
        request: &CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        as_seen(&policy::shown(tx, &call.service, request.clone())?).map(Some)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        request: CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Outcome<CredentialRequest>, Problem> {
        let internal = || Problem::from(ProblemType::Internal);
        let sent = call.body()?.value.as_object().ok_or_else(internal)?;
        let mut as_sent = serde_json::to_value(&request.submitted).map_err(|_| internal())?;
        as_sent
            .as_object_mut()
            .ok_or_else(internal)?
            .extend(sent.clone());
        let asked: RequestBody = serde_json::from_value(as_sent.clone()).map_err(|_| internal())?;
        let in_force = request::check(tx, &call.service, &asked, &call.addresses)?;
        tx.check(AMEND_STATES, &request.state)?;
        let asking = Asking {
            id: request.id.clone(),
            version: request.version.saturating_add(1),
            requester: &request.requester,
            // Whoever it was asked for stays who it is asked for.
            actors: request::actors(&request)?,
            asked: &asked,
            as_sent,
        };
        let described = asking.describe(tx, &call.service)?;
        let request = CredentialRequest {
            version: asking.version,
            approval_document: described.document,
            digest: described.digest,
            consent: described.consent,
            submitted: asked,
            ..request
        };
        let changed: Vec<&str> = sent.keys().map(String::as_str).collect();
        let (request, effects) = life::amend(request, &changed);
        tx.apply(effects)?;
        let request = request::let_policy_decide(tx, &in_force, request)?;
        Ok(Outcome::Done(policy::shown(tx, &call.service, request)?))
    }
}

impl Operation for RequestCancel {
    type Subject = CredentialRequest;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<CredentialRequest, Problem> {
        let request = guard::request(tx, &call.caller, &call.path()?.request_id)?;
        admit(tx, &call.caller, request, CANCEL_SIGHT)
    }

    fn current(
        tx: &Tx<'_>,
        request: &CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Option<Value>, Problem> {
        as_seen(&policy::shown(tx, &call.service, request.clone())?).map(Some)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        request: CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Outcome<CredentialRequest>, Problem> {
        tx.check(CANCEL_STATES, &request.state)?;
        let (request, effects) = life::cancel(request);
        tx.apply(effects)?;
        Ok(Outcome::Done(policy::shown(tx, &call.service, request)?))
    }
}
