//! Where a scenario breaks, and what it leaves to others.

use super::call::Call;
use super::{Fault, World};

impl World {
    /// Puts a failure into the world, without a secret in it, and hands the outcome on.
    ///
    /// # Errors
    /// The outcome's.
    pub fn note<T>(&mut self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        outcome.map_err(|fault| {
            let fault = self.redacted(fault);
            match &fault {
                Fault::Broken(failure) => self.failure = Some((**failure).clone()),
                Fault::Unfit(words) => self.unfit = Some(words.clone()),
                Fault::Suite(_) => {}
            }
            fault
        })
    }

    fn redacted(&self, fault: Fault) -> Fault {
        let canary = &self.watch.canary;
        match fault {
            Fault::Broken(mut failure) => {
                failure.expected = canary.redact(&failure.expected);
                failure.got = canary.redact(&failure.got);
                Fault::Broken(failure)
            }
            Fault::Unfit(words) => Fault::Unfit(words),
            Fault::Suite(words) => Fault::Suite(canary.redact(&words)),
        }
    }

    /// Takes what the last answer breaks of what holds for every answer. Where another scenario
    /// answers for it, this one goes on.
    pub(super) fn remark(&self, call: &Call, fault: Fault) -> Result<(), Fault> {
        let (Some(ledger), Fault::Broken(failure)) = (&self.ledger, self.redacted(fault.clone()))
        else {
            return Err(fault);
        };
        let requirement = failure.requirement.as_deref().unwrap_or_default();
        if !ledger.keeps(&self.scenario, requirement) {
            return Err(fault);
        }
        let place = self.wire.len().saturating_sub(1);
        let at = format!("in an answer to {}", call.name());
        ledger.enter(&self.scenario, requirement, at, &failure, place);
        Ok(())
    }
}
