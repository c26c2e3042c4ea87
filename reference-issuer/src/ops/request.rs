//! Ask for a credential that somebody has to approve (specification chapter 11).

use clp_schemas::approval::{ApprovalDocument, DOCUMENT_VERSION, digest};
use clp_schemas::ids::{PrincipalId, RequestId};
use clp_schemas::ops::create::Webhook;
use clp_schemas::ops::request::{CredentialRequest, RequestBody, RequestOpen, RequestRead};
use clp_schemas::permissions::{ConsentFault, consent};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::MACHINE;
use serde_json::Value;

use super::mint::{Expiry, WANTED_RULES, Wanted};
use super::types::{self, Parts};
use super::{Incoming, Operation, Outcome, guard};
use crate::auth::Action;
use crate::lifecycle::request as life;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// How long a requester waits between two reads, in seconds.
const INTERVAL_SECONDS: u64 = 5;

/// How a caller stands to a request that is to be opened.
struct Sight {
    permitted: bool,
}

const SIGHT_RULES: &[Rule<Sight>] = &[Rule {
    id: "CLP-REQ-003",
    refuses: |sight| (!sight.permitted).then(|| ProblemType::Forbidden.into()),
}];

/// What could not be created is refused before it costs a person's attention.
const WANTED_AT_ONCE: &[Rule<Result<(), Problem>>] = &[
    Rule {
        id: "CLP-REQ-002/type",
        refuses: |wanted| at_once(wanted, |kind| kind == ProblemType::TypeNotSupported),
    },
    Rule {
        id: "CLP-REQ-002/environment",
        refuses: |wanted| at_once(wanted, |kind| kind == ProblemType::UnknownEnvironment),
    },
    Rule {
        id: "CLP-REQ-002/lifetime",
        refuses: |wanted| at_once(wanted, |kind| kind == ProblemType::ExpiryOutOfRange),
    },
    // All else that can be wrong with what is wanted are its permissions.
    Rule {
        id: "CLP-REQ-002/permissions",
        refuses: |wanted| {
            use ProblemType as Kind;
            at_once(wanted, |kind| {
                !matches!(
                    kind,
                    Kind::TypeNotSupported | Kind::UnknownEnvironment | Kind::ExpiryOutOfRange
                )
            })
        },
    },
];

fn at_once(
    wanted: &Result<(), Problem>,
    concerns: impl Fn(ProblemType) -> bool,
) -> Option<Problem> {
    let problem = wanted.as_ref().err()?;
    problem.kind().is_none_or(concerns).then(|| problem.clone())
}

impl Operation for RequestOpen {
    type Subject = ();

    fn target(body: &RequestBody) -> Option<&Webhook> {
        body.webhook.as_ref()
    }

    /// Project and environment stand in the body, so the body is read first.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<(), Problem> {
        let body = &call.body()?.typed;
        let place = guard::place(&body.project, &body.environment);
        let sight = Sight {
            permitted: call.caller.may(Action::Request, &place),
        };
        tx.check(SIGHT_RULES, &sight)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<CredentialRequest>, Problem> {
        let body = call.body()?;
        let asked = &body.typed;
        let now = tx.now();
        let expiry = Expiry {
            now,
            at: Some(now.plus(i64::try_from(asked.lifetime_seconds).unwrap_or(i64::MAX))),
            latest: call.service.latest_expiry(now),
            pointer: "/lifetime_seconds",
        };
        let wanted = Wanted::new(
            &call.service,
            &call.service.persona.permissions,
            asked.kind,
            &asked.permissions,
            &asked.environment,
            expiry,
        );
        tx.check(WANTED_AT_ONCE, &tx.check(WANTED_RULES, &wanted))?;
        let parts = Parts {
            kind: asked.kind,
            cnf: asked.cnf.as_ref(),
            public_jwk: asked.public_jwk.as_ref(),
            webhook: asked.webhook.as_ref(),
        };
        types::check(tx, &call.service, parts, &call.addresses)?;
        let request = open(
            tx,
            &call.service,
            call.caller.principal()?,
            asked.clone(),
            Some(body.value.clone()),
        )?;
        let uri = call.service.request_uri(&request.id);
        Ok(Outcome::Made(request, uri))
    }
}

/// What a person is to be shown.
pub(super) type Shown = Result<Vec<String>, ConsentFault>;

pub(super) const CONSENT_RULES: &[Rule<Shown>] = &[Rule {
    id: "CLP-PRM-016",
    refuses: |shown| {
        let fault = shown.as_ref().err()?;
        Some(
            Problem::new(ProblemType::InvalidRequest)
                .detail(fault.to_string())
                .pointer("/permissions"),
        )
    },
}];

/// Stores a request for what has passed every check. `as_sent` is the body with every member
/// as the requester sent it; without it, as this issuer writes it.
pub(super) fn open(
    tx: &mut Tx<'_>,
    service: &Service,
    requester: &PrincipalId,
    asked: RequestBody,
    as_sent: Option<Value>,
) -> Result<CredentialRequest, Problem> {
    let internal = || Problem::from(ProblemType::Internal);
    let id = RequestId::from_entropy(tx.context().random.bytes()?);
    let written = serde_json::to_value(&asked).map_err(|_| internal())?;
    let document = ApprovalDocument {
        clp: DOCUMENT_VERSION.to_owned(),
        issuer: service.origin.clone(),
        request_id: id.clone(),
        version: 1,
        requester: requester.clone(),
        permission_schema_digest: service.digest.clone(),
        request: as_sent.unwrap_or(written),
    };
    let consent = consent(&service.persona.permissions, &asked.permissions, "en");
    tx.check(CONSENT_RULES, &consent)?;
    let request = CredentialRequest {
        version: document.version,
        state: MACHINE.initial,
        requester: requester.clone(),
        submitted: asked,
        digest: digest(&document).map_err(|_| internal())?,
        approval_document: serde_json::to_value(&document).map_err(|_| internal())?,
        consent: consent.map_err(|_| internal())?,
        approvals: Vec::new(),
        created_at: tx.now(),
        expires_at: tx.now().plus(life::REQUEST_SECONDS),
        interval: INTERVAL_SECONDS,
        approval_uri: service.approval_uri(&id),
        credential_id: None,
        id,
    };
    tx.apply(life::open(request.clone()))?;
    Ok(request)
}

impl Operation for RequestRead {
    type Subject = CredentialRequest;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<CredentialRequest, Problem> {
        guard::request(tx, &call.caller, &call.path()?.request_id)
    }

    fn carry_out(
        _: &mut Tx<'_>,
        request: CredentialRequest,
        _: &Incoming<Self>,
    ) -> Result<Outcome<CredentialRequest>, Problem> {
        Ok(Outcome::Done(request))
    }
}
