//! Ask for a credential that somebody has to approve (specification chapter 11).

use std::net::IpAddr;

use clp_schemas::approval::{Actor, ApprovalDocument, DOCUMENT_VERSION, digest};
use clp_schemas::ids::{PrincipalId, RequestId};
use clp_schemas::ops::create::Webhook;
use clp_schemas::ops::request::{
    CredentialRequest, RequestBody, RequestOpen, RequestRead, USER_CODE_LETTERS,
};
use clp_schemas::permissions::{ConsentFault, consent};
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::MACHINE;
use serde_json::Value;

use super::mint::{Expiry, WANTED_RULES, Wanted};
use super::policy::{self, InForce};
use super::types::{self, Parts};
use super::{Incoming, Operation, Outcome, guard};
use crate::auth::Action;
use crate::lifecycle::{Effect, request as life};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::{EvidenceRow, Tx};

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
        check(tx, &call.service, asked, &call.addresses)?;
        let request = open(
            tx,
            &call.service,
            call.caller.principal()?,
            asked.clone(),
            Some(body.value.clone()),
        )?;
        let uri = call.service.request_uri(&request.id);
        let request = policy::shown(tx, &call.service, request)?;
        Ok(Outcome::Made(request, uri))
    }
}

/// Checks what is asked for before it costs a person's attention.
///
/// # Errors
/// Those of a create with the same members, and those of an emergency that is none.
pub(super) fn check(
    tx: &Tx<'_>,
    service: &Service,
    asked: &RequestBody,
    addresses: &[IpAddr],
) -> Result<InForce, Problem> {
    let now = tx.now();
    let meaning = &service.persona.permissions;
    let expiry = Expiry {
        now,
        at: Some(now.plus(i64::try_from(asked.lifetime_seconds).unwrap_or(i64::MAX))),
        latest: service.latest_expiry(now),
        pointer: "/lifetime_seconds",
    };
    let wanted = Wanted::new(
        service,
        meaning,
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
    types::check(tx, service, parts, addresses)?;
    let in_force = InForce::of(tx, service, asked, meaning)?;
    in_force.check_urgency(tx)?;
    Ok(in_force)
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

/// What is asked for, by whom, and as which version of which request.
pub(super) struct Asking<'a> {
    pub(super) id: RequestId,
    pub(super) version: u64,
    pub(super) requester: &'a PrincipalId,
    pub(super) actors: Vec<Actor>,
    pub(super) asked: &'a RequestBody,
    /// The body with every member as it was sent.
    pub(super) as_sent: Value,
}

/// What somebody decides on.
pub(super) struct Described {
    pub(super) document: Value,
    pub(super) digest: String,
    pub(super) consent: Vec<String>,
}

impl Asking<'_> {
    /// The document that is decided on, its digest, and what a person is told.
    ///
    /// # Errors
    /// `invalid-request` where nobody could read what is asked.
    pub(super) fn describe(&self, tx: &Tx<'_>, service: &Service) -> Result<Described, Problem> {
        let internal = || Problem::from(ProblemType::Internal);
        let document = ApprovalDocument {
            clp: DOCUMENT_VERSION.to_owned(),
            issuer: service.origin.clone(),
            request_id: self.id.clone(),
            version: self.version,
            requester: self.requester.clone(),
            actors: self.actors.clone(),
            permission_schema_digest: service.digest.clone(),
            request: self.as_sent.clone(),
        };
        let consent = consent(&service.persona.permissions, &self.asked.permissions, "en");
        tx.check(CONSENT_RULES, &consent)?;
        Ok(Described {
            digest: digest(&document).map_err(|_| internal())?,
            document: serde_json::to_value(&document).map_err(|_| internal())?,
            consent: consent.map_err(|_| internal())?,
        })
    }
}

/// Who asked for a request, and for whom.
pub(super) fn actors(request: &CredentialRequest) -> Result<Vec<Actor>, Problem> {
    let document: ApprovalDocument = serde_json::from_value(request.approval_document.clone())
        .map_err(|_| ProblemType::Internal)?;
    Ok(document.actors)
}

/// Stores a request for what has passed every check, and lets policy decide on it where that
/// is enough. `as_sent` is the body with every member as the requester sent it; without it, as
/// this issuer writes it.
pub(super) fn open(
    tx: &mut Tx<'_>,
    service: &Service,
    requester: &PrincipalId,
    asked: RequestBody,
    as_sent: Option<Value>,
) -> Result<CredentialRequest, Problem> {
    let written = serde_json::to_value(&asked).map_err(|_| ProblemType::Internal)?;
    let asking = Asking {
        id: RequestId::from_entropy(tx.context().random.bytes()?),
        version: 1,
        requester,
        actors: tx.actors(requester)?,
        asked: &asked,
        as_sent: as_sent.unwrap_or(written),
    };
    let described = asking.describe(tx, service)?;
    let in_force = InForce::of(tx, service, &asked, &service.persona.permissions)?;
    let request = CredentialRequest {
        id: asking.id.clone(),
        version: asking.version,
        state: MACHINE.initial,
        requester: requester.clone(),
        submitted: asked.clone(),
        digest: described.digest,
        approval_document: described.document,
        consent: described.consent,
        approvals: Vec::new(),
        created_at: tx.now(),
        expires_at: tx.now().plus(life::REQUEST_SECONDS),
        interval: INTERVAL_SECONDS,
        approval_uri: service.approval_uri(&asking.id),
        user_code: user_code(tx)?,
        approval_policy: None,
        credential_id: None,
    };
    tx.apply(life::open(request.clone(), &asking.actors))?;
    let_policy_decide(tx, &in_force, request)
}

/// Lets the policy in force approve a request that is pending, where it does so by itself.
/// Answers the request as it then is.
pub(super) fn let_policy_decide(
    tx: &mut Tx<'_>,
    in_force: &InForce,
    request: CredentialRequest,
) -> Result<CredentialRequest, Problem> {
    if !in_force.is_automatic {
        return Ok(request);
    }
    let approval = in_force.approval(tx, &request)?;
    // Nobody proved anything, but what was decided on is kept like any other decision.
    tx.apply(vec![Effect::SaveEvidence(Box::new(EvidenceRow {
        approval: approval.id.clone(),
        request: request.id.clone(),
        document: request.approval_document.clone(),
        proof: None,
        policy: Some(in_force.policy()?),
    }))])?;
    let (request, effects) = life::decide(request, approval, true);
    tx.apply(effects)?;
    Ok(request)
}

/// Eight letters, each as likely as another.
fn user_code(tx: &Tx<'_>) -> Result<String, Problem> {
    let mut code = String::new();
    while code.len() < 9 {
        let [byte] = tx.context().random.bytes::<1>()?;
        // 240 is the last multiple of 20 in a byte: beyond it, the first letters came up more often.
        let letter = USER_CODE_LETTERS.get(usize::from(byte) % USER_CODE_LETTERS.len());
        if let Some(letter) = letter.filter(|_| byte < 240) {
            code.push(char::from(*letter));
            if code.len() == 4 {
                code.push('-');
            }
        }
    }
    Ok(code)
}

impl Operation for RequestRead {
    type Subject = CredentialRequest;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<CredentialRequest, Problem> {
        guard::request(tx, &call.caller, &call.path()?.request_id)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        request: CredentialRequest,
        call: &Incoming<Self>,
    ) -> Result<Outcome<CredentialRequest>, Problem> {
        Ok(Outcome::Done(policy::shown(tx, &call.service, request)?))
    }
}
