//! Refusals as data. An endpoint declares the list of its rules, and a reader sees at a glance
//! why it can refuse.

use clp_schemas::problem::Problem;

/// One normative refusal: as a problem, or as what another protocol has for it.
#[derive(Debug)]
pub struct Rule<F: ?Sized, R = Problem> {
    /// The requirement of the specification that wants it; where that has several clauses, with
    /// a word for this one: `CLP-CRE-009/past`.
    pub id: &'static str,
    /// The refusal, where the facts call for a refusal.
    pub refuses: fn(&F) -> Option<R>,
}

impl<F: ?Sized, R> Rule<F, R> {
    /// Whether the facts are in order.
    ///
    /// # Errors
    /// What the rule says where they are not.
    pub(crate) fn check(&self, facts: &F) -> Result<(), R> {
        match (self.refuses)(facts) {
            Some(refusal) => {
                tracing::debug!(rule = self.id, "refused");
                Err(refusal)
            }
            None => Ok(()),
        }
    }
}
