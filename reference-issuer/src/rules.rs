//! Refusals as data. An endpoint declares the list of its rules, and a reader sees at a glance
//! why it can refuse.

use clp_schemas::problem::Problem;

/// One normative refusal.
#[derive(Debug)]
pub struct Rule<F: ?Sized> {
    /// The requirement of the specification that wants it.
    pub id: &'static str,
    /// The problem, where the facts call for a refusal.
    pub refuses: fn(&F) -> Option<Problem>,
}

/// Checks the rules in order.
///
/// # Errors
/// The problem of the first rule that refuses.
pub fn check<F: ?Sized>(rules: &[Rule<F>], facts: &F) -> Result<(), Problem> {
    rules
        .iter()
        .try_for_each(|rule| match (rule.refuses)(facts) {
            Some(problem) => {
                tracing::debug!(rule = rule.id, "refused");
                Err(problem)
            }
            None => Ok(()),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::problem::ProblemType;

    const RULES: &[Rule<u8>] = &[
        Rule {
            id: "CLP-XXX-001",
            refuses: |value| (*value > 9).then(|| ProblemType::Forbidden.into()),
        },
        Rule {
            id: "CLP-XXX-002",
            refuses: |value| (*value > 4).then(|| ProblemType::NotFound.into()),
        },
    ];

    #[test]
    fn the_first_rule_that_refuses_speaks() {
        assert_eq!(check(RULES, &3), Ok(()));
        assert_eq!(check(RULES, &5), Err(ProblemType::NotFound.into()));
        assert_eq!(check(RULES, &10), Err(ProblemType::Forbidden.into()));
    }
}
