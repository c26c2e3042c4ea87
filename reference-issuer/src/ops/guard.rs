//! Steps 5 and 6 for objects: who sees them, and who may do what to them.

use clp_schemas::problem::{Problem, ProblemType};

use crate::auth::{Action, Caller};
use crate::rules::{self, Rule};

/// How a caller stands to an object.
#[derive(Clone, Copy, Debug)]
struct Sight {
    visible: bool,
    permitted: bool,
}

const RULES: &[Rule<Sight>] = &[
    Rule {
        id: "CLP-MOD-006",
        refuses: |sight| (!sight.visible).then(|| ProblemType::NotFound.into()),
    },
    Rule {
        id: "CLP-MOD-007",
        refuses: |sight| (!sight.permitted).then(|| ProblemType::Forbidden.into()),
    },
];

/// `<project>/<environment>`.
pub(super) fn place(project: &str, environment: &str) -> String {
    format!("{project}/{environment}")
}

/// Checks that the caller sees an object of a place and may do something to it.
pub(super) fn object(
    caller: &Caller,
    project: &str,
    environment: &str,
    action: Action,
) -> Result<(), Problem> {
    let place = place(project, environment);
    let sight = Sight {
        visible: caller.may(Action::Read, &place),
        permitted: caller.may(action, &place),
    };
    rules::check(RULES, &sight)
}
