//! The places where an issuer can be made to break the protocol: a rule that is not checked, an
//! effect that is changed before it is carried out or answered before it is stored, a message that
//! is changed on its way in or out. The conformance suite proves itself on issuers that are broken so. In every
//! other issuer all of them are empty, and no handler knows that they exist.

use crate::context::Context;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;
use crate::rules::Rule;

/// What is broken; by default nothing. Chosen when an issuer is built, and never afterwards.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seams {
    /// The requirements whose rules are not checked.
    pub skip: &'static [&'static str],
    /// Changes what was decided before it is done.
    pub alter: Option<Alter>,
    /// Changes what is asked before it is read.
    pub mishear: Option<Mishear>,
    /// Changes what is answered before it is sent.
    pub tamper: Option<Tamper>,
    /// Answers before what was done is on disk.
    pub hasty: bool,
}

/// Changes what was decided in the world of a call.
pub type Alter = fn(&Context, &mut Vec<Effect>);

/// Changes a call.
pub type Mishear = fn(&mut Asked);

/// Changes the answer to a call.
pub type Tamper = fn(&Asked, &mut Answer);

impl Seams {
    /// Checks the rules in order, those aside that are skipped.
    ///
    /// # Errors
    /// What the first rule that refuses says.
    pub fn check<F: ?Sized, R>(self, rules: &[Rule<F, R>], facts: &F) -> Result<(), R> {
        rules
            .iter()
            .filter(|rule| !self.skip.contains(&rule.id))
            .try_for_each(|rule| rule.check(facts))
    }

    /// What is done where this was decided.
    #[must_use]
    pub fn altered(self, context: &Context, mut effects: Vec<Effect>) -> Vec<Effect> {
        if let Some(alter) = self.alter {
            alter(context, &mut effects);
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::problem::{Problem, ProblemType};

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
        let seams = Seams::default();
        assert_eq!(seams.check(RULES, &3), Ok(()));
        assert_eq!(seams.check(RULES, &5), Err(ProblemType::NotFound.into()));
        assert_eq!(seams.check(RULES, &10), Err(ProblemType::Forbidden.into()));
    }

    #[test]
    fn a_rule_that_is_skipped_does_not_refuse() {
        let seams = Seams {
            skip: &["CLP-XXX-001"],
            ..Seams::default()
        };
        let refused: Result<(), Problem> = seams.check(RULES, &10);
        assert_eq!(refused, Err(ProblemType::NotFound.into()));
    }
}
