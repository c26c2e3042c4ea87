//! The end of a rotation: the gates are waited for, and then the predecessor goes.

use std::time::Duration;

use clp_schemas::gates::GateState;
use clp_schemas::ops::revoke::{RevocationMode, RevocationReason};
use clp_schemas::ops::rotate::GateReport;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::rotation::State;
use clp_schemas::time::Timestamp;
use tokio::time::Instant;

use super::health;
use super::record::Step;
use super::steps::Drive;
use crate::error::Error;
use crate::ops::inject::LOOKS;
use crate::render;

/// Pause between two looks at the gates.
const PAUSE: Duration = Duration::from_secs(2);

/// The gates that are not met, by name.
pub(super) fn missing(report: &GateReport) -> Vec<String> {
    let gates = report.gates.iter().chain(&report.issuer_gates);
    gates
        .filter(|gate| gate.state != GateState::Met)
        .map(|gate| gate.id.to_string())
        .collect()
}

impl Drive<'_> {
    /// Advances, waits for the gates, and lets the predecessor go.
    pub(super) async fn drain(&mut self) -> Result<(), Error> {
        self.note(Step::Drain)?;
        if self.record.managed {
            let state = self.rotation().await?.state;
            if state != State::Draining {
                self.advance(state).await?;
                self.say(
                    "the successor is where it is used; waiting for the predecessor to fall silent",
                );
            }
        }
        self.wait().await?;
        self.note(Step::Complete)?;
        self.complete().await?;
        self.say(&format!("{} is revoked", self.record.predecessor));
        Ok(())
    }

    /// The last step: by the issuer, or where it has no gates by this client's own judgement.
    async fn complete(&self) -> Result<(), Error> {
        if self.record.managed {
            self.advance(State::Draining).await?;
        } else {
            let (mode, reason) = (RevocationMode::Immediate, RevocationReason::Superseded);
            let predecessor = &self.record.predecessor;
            self.client.revoke(predecessor, mode, reason, None).await?;
        }
        Ok(())
    }

    /// Takes it one stage further from `stage`. Whoever uses the successor for the first time
    /// meanwhile changes what was seen, and nothing that the decision rests on: it is looked at
    /// again, and decided again.
    async fn advance(&self, stage: State) -> Result<(), Error> {
        let mut looks = LOOKS;
        loop {
            let seen = self.client.rotation(&self.record.rotation_id).await?;
            if seen.value.state != stage {
                // An answer got lost, or somebody else took it further: it is looked at anew.
                return match seen.value.state {
                    State::Draining | State::Completed => Ok(()),
                    _ => Err(Problem::new(ProblemType::RotationNotOpen).into()),
                };
            }
            looks -= 1;
            match self.client.advance(&seen).await {
                Err(fault)
                    if looks > 0 && fault.problem() == Some(ProblemType::PreconditionFailed) => {}
                stepped => return stepped.map(|_| ()).map_err(|fault| self.waiting(fault)),
            }
        }
    }

    async fn wait(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + self.options.wait;
        let mut shown = String::new();
        let unsaid = !self.record.no_places
            && !self.client.sabotage.breaks("CLP-ROT-040")
            && !self.has_its_place_known().await?;
        loop {
            let (mut missing, text, judges_all) = self.standing().await?;
            if text != shown {
                self.mention(&text);
                shown = text;
            }
            if unsaid {
                missing.push("your word that no place uses it, --no-places".to_owned());
            } else if !judges_all && !self.options.moved_everything {
                missing.push(
                    "your word that every place has the successor, --i-have-moved-everything"
                        .to_owned(),
                );
            }
            if missing.is_empty() {
                return Ok(());
            }
            let next = Instant::now() + PAUSE;
            if next > deadline {
                return Err(Error::Gates {
                    rotation: self.record.rotation_id.clone(),
                    missing: missing.join(", "),
                });
            }
            tokio::time::sleep_until(next).await;
        }
    }

    /// A place is known to somebody; of what signs events the issuer knows the one receiver.
    async fn has_its_place_known(&self) -> Result<bool, Error> {
        let by_event = health::is_by_event(self.entry(&self.record.successor)?.kind);
        Ok(by_event || self.has_place().await?)
    }

    /// What is not met yet, how that reads, and whether the issuer has judged all there is.
    async fn standing(&self) -> Result<(Vec<String>, String, bool), Error> {
        if self.record.managed {
            let report = self.client.gates(&self.record.rotation_id).await?;
            let judges_all = report.safe_to_revoke.is_some();
            return Ok((missing(&report), render::gates(&report), judges_all));
        }
        let opened = self.rotation().await?.created_at;
        let from = self
            .record
            .placed_at
            .map_or(opened, |placed| placed.max(opened));
        let kept = i64::try_from(self.record.kept_seconds).unwrap_or(i64::MAX);
        let until = from.plus(kept);
        let missing = match Timestamp::system_now() < until {
            true => vec![format!("the old one is kept until {until}")],
            false => Vec::new(),
        };
        let text = "the issuer has no gates: it does not know where the credential is used\n";
        Ok((missing, text.to_owned(), false))
    }

    /// A gate that is not met is no failure; it is waited for.
    fn waiting(&self, fault: Error) -> Error {
        match fault {
            Error::Refused(problem) if problem.kind() == Some(ProblemType::GateUnmet) => {
                let names: Vec<String> = problem.gates.iter().map(ToString::to_string).collect();
                Error::Gates {
                    rotation: self.record.rotation_id.clone(),
                    missing: names.join(", "),
                }
            }
            other => other,
        }
    }
}
