//! Create, list and read credentials (specification chapter 13).

use clp_schemas::jose::PublicJwk;
use clp_schemas::ops::Call as _;
use clp_schemas::ops::approve::Approval;
use clp_schemas::ops::create::{
    CreateBody, Credential, CredentialCreate, CredentialList, CredentialPage, CredentialRead,
    DirectCreate, ListQuery, Origin, OriginKind, RotationPolicy, Subject, SubjectKind, Webhook,
};
use clp_schemas::ops::request::{CredentialRequest, MAX_LIFETIME_SECONDS, RequestBody};
use clp_schemas::permissions::risk;
use clp_schemas::problem::{Problem, ProblemType, RequestLink};
use clp_schemas::state::request::State as RequestState;
use clp_schemas::time::Timestamp;

use super::mint::{self, Expiry, WANTED_RULES, Wanted};
use super::narrow::{self, Decided};
use super::page::{self, Listing};
use super::types::{self, Parts};
use super::{Incoming, Operation, Outcome, deciding, guard, request};
use crate::auth::{Action, Caller};
use crate::lifecycle::credential::{self, Blueprint};
use crate::lifecycle::request as request_life;
use crate::rules::Rule;
use crate::store::{Filter, Position, Tx};

/// How long a credential is asked for where an approval is needed and the create sets no end,
/// in seconds: 90 days.
const DEFAULT_LIFETIME_SECONDS: u64 = 7_776_000;

/// What a create is about: nothing yet, or a request.
pub(crate) enum Source {
    Direct,
    Request(Box<CredentialRequest>),
}

/// How a caller stands to a create.
struct CreateSight {
    permitted: bool,
}

const DIRECT_SIGHT_RULES: &[Rule<CreateSight>] = &[Rule {
    id: "CLP-CRE-004",
    refuses: |sight| (!sight.permitted).then(|| ProblemType::Forbidden.into()),
}];

const REQUESTER_RULES: &[Rule<CreateSight>] = &[Rule {
    id: "CLP-CRE-015",
    refuses: |sight| (!sight.permitted).then(|| ProblemType::Forbidden.into()),
}];

/// What policy says about a direct create.
struct Policy {
    wants_approval: bool,
}

const POLICY_RULES: &[Rule<Policy>] = &[Rule {
    id: "CLP-CRE-010",
    refuses: |policy| {
        policy
            .wants_approval
            .then(|| ProblemType::ApprovalRequired.into())
    },
}];

const REQUEST_RULES: &[Rule<CredentialRequest>] = &[
    Rule {
        id: "CLP-CRE-014",
        refuses: |request| {
            request_life::has_lapsed(request).then(|| ProblemType::ApprovalExpired.into())
        },
    },
    Rule {
        id: "CLP-CRE-013",
        refuses: |request| {
            (request.state != RequestState::Approved)
                .then(|| ProblemType::RequestNotApproved.into())
        },
    },
];

impl Operation for CredentialCreate {
    type Subject = Source;

    fn target(body: &CreateBody) -> Option<&Webhook> {
        match body {
            CreateBody::Direct(body) => body.webhook.as_ref(),
            CreateBody::FromRequest(_) => None,
        }
    }

    /// Project and environment stand in the body, so the body is read first.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Source, Problem> {
        match &call.body()?.typed {
            CreateBody::Direct(body) => {
                let place = guard::place(&body.project, &body.environment);
                let sight = CreateSight {
                    permitted: call.caller.may(Action::Create, &place),
                };
                tx.check(DIRECT_SIGHT_RULES, &sight)?;
                Ok(Source::Direct)
            }
            CreateBody::FromRequest(body) => {
                let request = guard::request(tx, &call.caller, &body.request_id)?;
                let sight = CreateSight {
                    permitted: matches!(&call.caller, Caller::Principal { id, .. } if *id == request.requester),
                };
                tx.check(REQUESTER_RULES, &sight)?;
                Ok(Source::Request(Box::new(request)))
            }
        }
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        source: Source,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Credential>, Problem> {
        match (source, &call.body()?.typed) {
            (Source::Request(request), _) => from_request(tx, *request, call),
            (Source::Direct, CreateBody::Direct(body)) => direct(tx, body, call),
            (Source::Direct, CreateBody::FromRequest(_)) => Err(ProblemType::Internal.into()),
        }
    }
}

fn direct(
    tx: &mut Tx<'_>,
    body: &DirectCreate,
    call: &Incoming<CredentialCreate>,
) -> Result<Outcome<Credential>, Problem> {
    let persona = &call.service.persona;
    let expiry = Expiry {
        now: tx.now(),
        at: body.expires_at,
        latest: call.service.latest_expiry(tx.now()),
        pointer: "/expires_at",
    };
    let wanted = Wanted::new(
        &call.service,
        &persona.permissions,
        body.kind,
        &body.permissions,
        &body.environment,
        expiry,
    );
    tx.check(WANTED_RULES, &wanted)?;
    let parts = Parts {
        kind: body.kind,
        cnf: body.cnf.as_ref(),
        public_jwk: body.public_jwk.as_ref(),
        webhook: body.webhook.as_ref(),
    };
    types::check(tx, &call.service, parts, &call.addresses)?;
    let policy = Policy {
        wants_approval: persona.policy.wants_approval(
            &body.environment,
            risk(&persona.permissions, &body.permissions),
        ),
    };
    if let Err(problem) = tx.check(POLICY_RULES, &policy) {
        return ask_for_approval(tx, body, call, problem);
    }
    let blueprint = Blueprint {
        kind: body.kind,
        permissions: body.permissions.clone(),
        permission_schema_digest: call.service.digest.clone(),
        purpose: body.purpose.clone(),
        owner: body.owner.clone(),
        project: body.project.clone(),
        environment: body.environment.clone(),
        subject: body.subject.clone(),
        expires_at: body.expires_at.or(expiry.latest),
        rotation_policy: body.rotation_policy.clone(),
        labels: body.labels.clone(),
        created_via: Origin {
            kind: OriginKind::Direct,
            request_id: None,
            rotation_id: None,
        },
        predecessor: None,
        cnf: body.cnf.clone(),
        webhook: body.webhook.clone(),
    };
    create(tx, blueprint, body.public_jwk.as_ref(), call)
}

/// Opens the request that a create turns into where policy wants an approval. The refusal names
/// it, and stands together with it.
fn ask_for_approval(
    tx: &mut Tx<'_>,
    body: &DirectCreate,
    call: &Incoming<CredentialCreate>,
    mut problem: Problem,
) -> Result<Outcome<Credential>, Problem> {
    let now = tx.now();
    let longest = call
        .service
        .persona
        .max_lifetime_seconds
        .unwrap_or(MAX_LIFETIME_SECONDS);
    let lifetime_seconds = match body.expires_at {
        Some(at) => u64::try_from(at.unix() - now.unix()).unwrap_or_default(),
        None => DEFAULT_LIFETIME_SECONDS,
    };
    let asked = RequestBody {
        kind: body.kind,
        permissions: body.permissions.clone(),
        purpose: body.purpose.clone(),
        owner: body.owner.clone(),
        project: body.project.clone(),
        environment: body.environment.clone(),
        subject: body.subject.clone().unwrap_or_else(|| Subject {
            kind: SubjectKind::Project,
            id: body.project.clone(),
        }),
        lifetime_seconds: lifetime_seconds.clamp(1, longest.min(MAX_LIFETIME_SECONDS)),
        rotation_policy: body.rotation_policy.clone(),
        cnf: body.cnf.clone(),
        public_jwk: body.public_jwk.clone(),
        webhook: body.webhook.clone(),
        justification: None,
        emergency: None,
    };
    let request = request::open(tx, &call.service, call.caller.principal()?, asked, None)?;
    problem.request = Some(RequestLink {
        uri: call.service.request_uri(&request.id),
        approval_uri: request.approval_uri,
        id: request.id,
    });
    Ok(Outcome::Refused(Box::new(problem)))
}

fn from_request(
    tx: &mut Tx<'_>,
    request: CredentialRequest,
    call: &Incoming<CredentialCreate>,
) -> Result<Outcome<Credential>, Problem> {
    if let Some(id) = &request.credential_id {
        let credential = tx.credential(id)?.ok_or(ProblemType::Internal)?;
        let uri = call.service.credential_uri(id);
        let credential = mint::shown(tx, &call.service, &call.caller, credential)?;
        return Ok(Outcome::Made(credential, uri));
    }
    // What was decided on, and nothing else: an approver may have narrowed it.
    let Decided {
        document,
        body: asked,
        meaning,
    } = narrow::decided(tx, &call.service, request.approval_document.clone())?;
    let expires_at = tx
        .now()
        .plus(i64::try_from(asked.lifetime_seconds).unwrap_or(i64::MAX));
    let expiry = Expiry {
        now: tx.now(),
        at: Some(expires_at),
        latest: call.service.latest_expiry(tx.now()),
        pointer: "",
    };
    let wanted = Wanted::new(
        &call.service,
        &meaning,
        asked.kind,
        &asked.permissions,
        &asked.environment,
        expiry,
    );
    tx.check(WANTED_RULES, &wanted)?;
    let parts = Parts {
        kind: asked.kind,
        cnf: asked.cnf.as_ref(),
        public_jwk: asked.public_jwk.as_ref(),
        webhook: asked.webhook.as_ref(),
    };
    types::check(tx, &call.service, parts, &[])?;
    tx.check(REQUEST_RULES, &request)?;
    deciding::check_still(tx, &call.service, &request)?;
    let rotation_policy = match is_brief(&request) {
        true => Some(RotationPolicy {
            renewable_until: Some(
                expires_at
                    .min(renewable_until(asked.rotation_policy.as_ref()).unwrap_or(expires_at)),
            ),
            ..asked.rotation_policy.unwrap_or_default()
        }),
        false => asked.rotation_policy,
    };
    let blueprint = Blueprint {
        kind: asked.kind,
        permissions: asked.permissions,
        permission_schema_digest: document.permission_schema_digest,
        purpose: asked.purpose,
        owner: asked.owner,
        project: asked.project,
        environment: asked.environment,
        subject: Some(asked.subject),
        expires_at: Some(expires_at),
        rotation_policy,
        labels: std::collections::BTreeMap::new(),
        created_via: Origin {
            kind: OriginKind::Request,
            request_id: Some(request.id.clone()),
            rotation_id: None,
        },
        predecessor: None,
        cnf: asked.cnf,
        webhook: asked.webhook,
    };
    let fresh = mint::fresh(tx, &call.service, blueprint.kind, asked.public_jwk.as_ref())?;
    let used_up = request_life::issue(request, fresh.id.clone());
    let (credential, effects) =
        credential::create(blueprint, fresh, call.caller.principal()?, tx.now());
    tx.apply(used_up)?;
    tx.apply(effects)?;
    let uri = call.service.credential_uri(&credential.id);
    Ok(Outcome::Made(
        mint::shown(tx, &call.service, &call.caller, credential)?,
        uri,
    ))
}

/// Whether access ends with the credential: the bound that let it through is one of time, and a
/// rotation would lift it.
fn is_brief(request: &CredentialRequest) -> bool {
    let by_policy = |approval: &Approval| approval.approver.is_none();
    request.submitted.emergency.is_some() || request_life::counted(request).any(by_policy)
}

fn renewable_until(policy: Option<&RotationPolicy>) -> Option<Timestamp> {
    policy?.renewable_until
}

fn create(
    tx: &mut Tx<'_>,
    blueprint: Blueprint,
    own: Option<&PublicJwk>,
    call: &Incoming<CredentialCreate>,
) -> Result<Outcome<Credential>, Problem> {
    let fresh = mint::fresh(tx, &call.service, blueprint.kind, own)?;
    let (credential, effects) =
        credential::create(blueprint, fresh, call.caller.principal()?, tx.now());
    tx.apply(effects)?;
    let uri = call.service.credential_uri(&credential.id);
    Ok(Outcome::Made(
        mint::shown(tx, &call.service, &call.caller, credential)?,
        uri,
    ))
}

const LIST_RULES: &[Rule<ListQuery>] = &[Rule {
    id: "CLP-TRN-027",
    refuses: |query| {
        let label = query.label.as_deref()?;
        (!label.contains('=')).then(|| ProblemType::InvalidQuery.into())
    },
}];

impl Operation for CredentialList {
    type Subject = ();

    /// Anybody may list; what one does not see is not listed.
    fn admit(_: &Tx<'_>, _: &Incoming<Self>) -> Result<(), Problem> {
        Ok(())
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<CredentialPage>, Problem> {
        let query = call.query()?;
        tx.check(LIST_RULES, query)?;
        let filter = ListQuery {
            limit: None,
            cursor: None,
            ..query.clone()
        };
        let listing = Listing {
            caller: call.caller.id(),
            endpoint: Self::ID.row().name,
        };
        let cipher = tx.keys().cursors();
        let after: Option<Position> =
            listing.open(tx.seams(), cipher, &filter, query.cursor.as_deref())?;
        let mut places = tx.places()?;
        places.retain(|place| is_wanted(query, place) && call.caller.may(Action::Read, place));
        let filtered = Filter {
            places: &places,
            query: &filter,
        };
        let limit = page::limit(query.limit);
        let mut found = tx.credentials(filtered, after, limit + 1)?;
        let more = page::cut(&mut found, limit);
        let next_cursor = match found.last() {
            Some((last, _)) if more => Some(listing.seal(cipher, &filter, last)?),
            _ => None,
        };
        let items = found
            .into_iter()
            .map(|(_, credential)| mint::shown(tx, &call.service, &call.caller, credential))
            .collect::<Result<_, _>>()?;
        Ok(Outcome::Done(CredentialPage { items, next_cursor }))
    }
}

/// Whether a query leaves a place, `<project>/<environment>`, in.
fn is_wanted(query: &ListQuery, place: &str) -> bool {
    let fits =
        |wanted: &Option<String>, given: &str| wanted.as_ref().is_none_or(|wanted| wanted == given);
    place.split_once('/').is_some_and(|(project, environment)| {
        fits(&query.project, project) && fits(&query.environment, environment)
    })
}

impl Operation for CredentialRead {
    type Subject = Credential;

    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Credential, Problem> {
        guard::credential(tx, &call.caller, &call.path()?.credential_id, Action::Read)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        credential: Credential,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Credential>, Problem> {
        Ok(Outcome::Done(mint::shown(
            tx,
            &call.service,
            &call.caller,
            credential,
        )?))
    }
}
