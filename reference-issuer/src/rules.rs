//! Refusals as data. An endpoint declares the list of its rules, and a reader sees at a glance
//! why it can refuse.

use clp_schemas::problem::Problem;

/// One normative refusal: as a problem, or as what another protocol has for it.
#[derive(Debug)]
pub struct Rule<F: ?Sized, R = Problem> {
    /// The requirement of the specification that wants it.
    pub id: &'static str,
    /// The refusal, where the facts call for a refusal.
    pub refuses: fn(&F) -> Option<R>,
}

/// Checks the rules in order.
///
/// # Errors
/// What the first rule that refuses says.
pub fn check<F: ?Sized, R>(rules: &[Rule<F, R>], facts: &F) -> Result<(), R> {
    rules
        .iter()
        .try_for_each(|rule| match (rule.refuses)(facts) {
            Some(refusal) => {
                tracing::debug!(rule = rule.id, "refused");
                Err(refusal)
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
