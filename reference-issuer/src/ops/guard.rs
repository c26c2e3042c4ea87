//! Steps 5 and 6 for objects: who sees them, and who may do what to them.

use clp_schemas::ids::{CredentialId, RequestId};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::problem::{Problem, ProblemType};

use crate::auth::{Action, Caller};
use crate::rules::{self, Rule};
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
    check(caller, where_it_is, action)?;
    found.ok_or_else(|| ProblemType::NotFound.into())
}

/// A request, if the caller sees it and may do this to it.
pub(super) fn request(
    tx: &Tx<'_>,
    caller: &Caller,
    id: &RequestId,
    action: Action,
) -> Result<CredentialRequest, Problem> {
    let found = tx.request(id)?;
    let where_it_is = found
        .as_ref()
        .map(|found| place(&found.submitted.project, &found.submitted.environment));
    check(caller, where_it_is, action)?;
    found.ok_or_else(|| ProblemType::NotFound.into())
}

fn check(caller: &Caller, place: Option<String>, action: Action) -> Result<(), Problem> {
    let may = |action| {
        place
            .as_ref()
            .is_some_and(|place| caller.may(action, place))
    };
    let sight = Sight {
        in_tenant: place.is_some(),
        visible: may(Action::Read),
        permitted: may(action),
    };
    let rules = match action {
        Action::Approve => APPROVER_RULES,
        _ => RULES,
    };
    rules::check(rules, &sight)
}
