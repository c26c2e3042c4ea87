//! Steps 5 and 6 for objects: who sees them, and who may do what to them.

use clp_schemas::ids::{CredentialId, RequestId};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::problem::{Problem, ProblemType};

use crate::auth::{Action, Caller};
use crate::rules::Rule;
use crate::store::Tx;

/// How a caller stands to an object.
#[derive(Clone, Copy, Debug)]
struct Sight {
    in_tenant: bool,
    visible: bool,
    permitted: bool,
}

const NOT_IN_TENANT: Rule<Sight> = Rule {
    id: "CLP-MOD-005",
    refuses: |sight| (!sight.in_tenant).then(|| ProblemType::NotFound.into()),
};

const NOT_VISIBLE: Rule<Sight> = Rule {
    id: "CLP-MOD-006",
    refuses: |sight| (!sight.visible).then(|| ProblemType::NotFound.into()),
};

fn not_permitted(sight: &Sight) -> Option<Problem> {
    (!sight.permitted).then(|| ProblemType::Forbidden.into())
}

/// The first two refuse alike, so that nobody learns which of them it was.
const RULES: &[Rule<Sight>] = &[
    NOT_IN_TENANT,
    NOT_VISIBLE,
    Rule {
        id: "CLP-MOD-007",
        refuses: not_permitted,
    },
];

const APPROVER_RULES: &[Rule<Sight>] = &[
    NOT_IN_TENANT,
    NOT_VISIBLE,
    Rule {
        id: "CLP-APP-002",
        refuses: not_permitted,
    },
];

/// `<project>/<environment>`.
pub(super) fn place(project: &str, environment: &str) -> String {
    format!("{project}/{environment}")
}

/// A credential, if the caller sees it and may do this to it.
pub(super) fn credential(
    tx: &Tx<'_>,
    caller: &Caller,
    id: &CredentialId,
    action: Action,
) -> Result<Credential, Problem> {
    let found = tx.credential(id)?;
    let where_it_is = found
        .as_ref()
        .map(|found| place(&found.project, &found.environment));
    tx.check(RULES, &Sight::of(caller, where_it_is.as_deref(), action))?;
    found.ok_or_else(|| ProblemType::NotFound.into())
}

/// A request, if the caller sees it.
pub(super) fn request(
    tx: &Tx<'_>,
    caller: &Caller,
    id: &RequestId,
) -> Result<CredentialRequest, Problem> {
    let found = tx.request(id)?;
    let where_it_is = found.as_ref().map(place_of);
    tx.check(
        RULES,
        &Sight::of(caller, where_it_is.as_deref(), Action::Read),
    )?;
    found.ok_or_else(|| ProblemType::NotFound.into())
}

/// A request, if the caller sees it and may decide on it. Whoever asked passes too: what
/// stands against them is the separation of duty, which is looked at later.
pub(super) fn request_to_decide(
    tx: &Tx<'_>,
    caller: &Caller,
    id: &RequestId,
) -> Result<CredentialRequest, Problem> {
    let found = tx.request(id)?;
    let where_it_is = found.as_ref().map(place_of);
    let mut sight = Sight::of(caller, where_it_is.as_deref(), Action::Approve);
    if let Some(found) = &found {
        sight.permitted |= caller
            .principal()
            .is_ok_and(|caller| *caller == found.requester);
    }
    tx.check(APPROVER_RULES, &sight)?;
    found.ok_or_else(|| ProblemType::NotFound.into())
}

fn place_of(request: &CredentialRequest) -> String {
    place(&request.submitted.project, &request.submitted.environment)
}

impl Sight {
    fn of(caller: &Caller, place: Option<&str>, action: Action) -> Self {
        let may = |action| place.is_some_and(|place| caller.may(action, place));
        Self {
            in_tenant: place.is_some(),
            visible: may(Action::Read),
            permitted: may(action),
        }
    }
}
