//! Permissions that have to stay within others, wherever a call can bring some
//! (specification chapter 04).

use clp_schemas::permissions::{PermissionDocument, PermissionSet, Verdict, compare, first_excess};
use clp_schemas::problem::{Problem, ProblemType};

/// Why `asked` is not taken where `bound` is the most that there is; `None` where it is within.
pub(super) fn beyond(
    document: &PermissionDocument,
    asked: &PermissionSet,
    bound: &PermissionSet,
) -> Option<Problem> {
    let kind = match compare(document, asked, bound).verdict {
        Verdict::Equal | Verdict::Narrower => return None,
        Verdict::Broader => ProblemType::ScopeBroader,
        Verdict::Incomparable => ProblemType::ScopeIncomparable,
    };
    let problem = Problem::new(kind).pointer("/permissions");
    Some(match first_excess(document, asked, bound) {
        Some(excess) => problem.counterexample(excess),
        None => problem,
    })
}
