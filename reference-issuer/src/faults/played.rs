//! A script that is being played: pure bookkeeping, from the order of the calls to what each
//! of them meets.

use std::collections::BTreeMap;

use clp_schemas::chaos::{Drawn, draw};
use clp_schemas::ops::faults::{Fault, FaultRule, FaultScript, FaultState, FaultStep, FaultTarget};
use clp_schemas::problem::{Problem, ProblemType};

/// The most runs that one script is played for.
const RUNS: usize = 64;
/// The most rules of a replay: no script has more.
const REPLAYED_RULES: usize = 1000;
/// The most steps of a replay, so that it can be put back within the limits of a body.
const REPLAYED_STEPS: usize = 4000;

/// A script, and how far each run has come in it.
#[derive(Debug)]
pub(super) struct Played {
    script: FaultScript,
    runs: BTreeMap<String, Run>,
    met: BTreeMap<(String, FaultTarget), Vec<FaultStep>>,
    steps: usize,
    is_complete: bool,
}

/// How far a run has come.
#[derive(Debug)]
struct Run {
    /// In each rule.
    places: Vec<Place>,
    /// How many calls it has made of each endpoint.
    calls: BTreeMap<FaultTarget, u64>,
}

/// The next step of a rule, and how many calls it was for already.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    step: usize,
    taken: u32,
}

/// What a script says about a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    /// What the call meets.
    pub(super) fault: Fault,
    /// Whether chaos drew it, and no rule gave it.
    pub(super) is_drawn: bool,
}

impl Played {
    /// A script that nobody has called by yet.
    pub(super) fn new(script: FaultScript) -> Self {
        Self {
            script,
            runs: BTreeMap::new(),
            met: BTreeMap::new(),
            steps: 0,
            is_complete: true,
        }
    }

    /// What the next call of a run meets; `None` where the script has nothing to say about it.
    ///
    /// # Errors
    /// `invalid-fault` where the script is played for too many runs already.
    pub(super) fn next(
        &mut self,
        name: &str,
        target: FaultTarget,
    ) -> Result<Option<Said>, Problem> {
        if self.runs.len() >= RUNS && !self.runs.contains_key(name) {
            return Err(Problem::new(ProblemType::InvalidFault)
                .detail("too many runs; put the script again to begin anew"));
        }
        let run = self.runs.entry(name.to_owned()).or_insert_with(|| Run {
            places: vec![Place::default(); self.script.rules.len()],
            calls: BTreeMap::new(),
        });
        let calls = run.calls.entry(target).or_default();
        *calls += 1;
        let ordinal = *calls;
        let by_rule = self
            .script
            .rules
            .iter()
            .zip(&mut run.places)
            .filter(|(rule, _)| fits(rule, name, target))
            .find_map(|(rule, place)| place.take(rule));
        let is_drawn = by_rule.is_none();
        let fault = by_rule.or_else(|| self.drawn(name, target, ordinal));
        self.note(name, target, fault.unwrap_or(Fault::OK));
        Ok(fault.map(|fault| Said { fault, is_drawn }))
    }

    fn drawn(&self, run: &str, target: FaultTarget, ordinal: u64) -> Option<Fault> {
        let chaos = self.script.chaos.as_ref()?;
        let call = Drawn {
            seed: chaos.seed?,
            run,
            endpoint: target.name(),
            ordinal,
        };
        let position = draw(call, chaos.percent, chaos.among.len())?;
        chaos.among.get(position).copied()
    }

    /// Keeps what a call met, repetitions together, as far as there is room.
    fn note(&mut self, run: &str, target: FaultTarget, fault: Fault) {
        if !self.is_complete {
            return;
        }
        let key = (run.to_owned(), target);
        let known = self.met.get_mut(&key).and_then(|steps| steps.last_mut());
        let is_known = known.is_some();
        if known.is_some_and(|last| repeated(last, fault)) {
            return;
        }
        if self.steps >= REPLAYED_STEPS || (!is_known && self.met.len() >= REPLAYED_RULES) {
            self.is_complete = false;
            return;
        }
        self.steps += 1;
        let steps = self.met.entry(key).or_default();
        steps.push(FaultStep::Once(fault));
    }

    /// What has come of it, and what is left.
    pub(super) fn state(&self) -> FaultState {
        let rules = self.met.iter().map(|((run, target), steps)| FaultRule {
            endpoint: *target,
            run: Some(run.clone()),
            steps: steps.clone(),
        });
        FaultState {
            script: self.script.clone(),
            remaining: self.remaining(),
            replay: FaultScript {
                rules: rules.collect(),
                chaos: None,
            },
            complete: self.is_complete,
        }
    }

    fn remaining(&self) -> Vec<FaultRule> {
        let left = |name: &String, rule: &FaultRule, place: &Place| {
            let steps = place.left(rule);
            let is_own = rule.run.as_ref().is_none_or(|run| run == name);
            (is_own && !steps.is_empty()).then(|| FaultRule {
                endpoint: rule.endpoint,
                run: Some(name.clone()),
                steps,
            })
        };
        self.runs
            .iter()
            .flat_map(|(name, run)| {
                let rules = self.script.rules.iter().zip(&run.places);
                rules.filter_map(move |(rule, place)| left(name, rule, place))
            })
            .collect()
    }
}

fn fits(rule: &FaultRule, run: &str, target: FaultTarget) -> bool {
    (rule.endpoint == FaultTarget::Any || rule.endpoint == target)
        && rule.run.as_ref().is_none_or(|only| only == run)
}

/// Whether a step is of this fault; it is then for one call more.
fn repeated(step: &mut FaultStep, fault: Fault) -> bool {
    if step.fault() != fault {
        return false;
    }
    let times = step.times().saturating_add(1);
    *step = FaultStep::Repeated { times, fault };
    true
}

impl Place {
    /// The next step of a rule, if it has one left.
    fn take(&mut self, rule: &FaultRule) -> Option<Fault> {
        let step = rule.steps.get(self.step)?;
        self.taken += 1;
        if self.taken >= step.times() {
            *self = Self {
                step: self.step + 1,
                taken: 0,
            };
        }
        Some(step.fault())
    }

    /// The steps of a rule that are still to come.
    fn left(self, rule: &FaultRule) -> Vec<FaultStep> {
        let mut steps = rule.steps.get(self.step..).unwrap_or_default().to_vec();
        if let Some(first) = steps.first_mut()
            && self.taken > 0
        {
            let fault = first.fault();
            *first = match first.times() - self.taken {
                1 => FaultStep::Once(fault),
                times => FaultStep::Repeated { times, fault },
            };
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::endpoint::EndpointId;
    use clp_schemas::ops::faults::DropAt;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const CREATE: FaultTarget = FaultTarget::Endpoint(EndpointId::CredentialCreate);
    const LIST: FaultTarget = FaultTarget::Endpoint(EndpointId::CredentialList);
    const BUSY: Fault = Fault::Answer {
        status: 503,
        retry_after: None,
    };
    const LOST: Fault = Fault::Drop {
        drop: DropAt::AfterCommit,
    };

    fn played(script: Value) -> Played {
        Played::new(serde_json::from_value(script).unwrap())
    }

    fn meets(played: &mut Played, run: &str, target: FaultTarget) -> Option<Fault> {
        let said = played.next(run, target).unwrap();
        said.map(|said| said.fault)
    }

    #[test]
    fn steps_are_taken_in_order_by_each_run_for_itself() {
        let mut script = played(json!({"rules": [
            {"endpoint": "credential_create",
             "steps": [{"times": 2, "fault": {"status": 503}}, {"drop": "after_commit"}, "ok"]},
            {"endpoint": "*", "steps": ["duplicate"]},
            {"endpoint": "credential_list", "run": "b", "steps": [{"delay_ms": 5}]},
        ]}));
        for run in ["a", "b"] {
            assert_eq!(meets(&mut script, run, CREATE), Some(BUSY));
            assert_eq!(meets(&mut script, run, CREATE), Some(BUSY));
            assert_eq!(meets(&mut script, run, CREATE), Some(LOST));
            assert_eq!(meets(&mut script, run, CREATE), Some(Fault::OK));
        }
        let twice = serde_json::from_value(json!("duplicate")).unwrap();
        assert_eq!(meets(&mut script, "a", LIST), Some(twice));
        assert_eq!(meets(&mut script, "a", LIST), None);
        assert_eq!(meets(&mut script, "b", FaultTarget::Resource), Some(twice));
        assert_eq!(
            meets(&mut script, "b", LIST),
            Some(Fault::Delay { delay_ms: 5 })
        );
        assert_eq!(meets(&mut script, "b", CREATE), None);
    }

    #[test]
    fn what_is_left_is_told_for_each_run_that_called() {
        let mut script = played(json!({"rules": [
            {"endpoint": "credential_create", "steps": [{"times": 3, "fault": {"status": 503}}, "ok"]},
            {"endpoint": "resource", "run": "b", "steps": ["ok"]},
        ]}));
        assert!(script.state().remaining.is_empty());
        meets(&mut script, "a", CREATE);
        let left = serde_json::to_value(script.state().remaining).unwrap();
        assert_eq!(
            left,
            json!([{"endpoint": "credential_create", "run": "a",
                    "steps": [{"times": 2, "fault": {"status": 503}}, "ok"]}])
        );
        meets(&mut script, "a", CREATE);
        let left = serde_json::to_value(script.state().remaining).unwrap();
        assert_eq!(left[0]["steps"], json!([{"status": 503}, "ok"]));
        meets(&mut script, "a", CREATE);
        meets(&mut script, "a", CREATE);
        assert!(script.state().remaining.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut script = played(json!({"rules": [{"endpoint": "*", "steps": ["ok"]}]}));
        for run in 0..RUNS {
            meets(&mut script, &run.to_string(), CREATE);
        }
        let refused = script.next("one more", CREATE).unwrap_err();
        assert_eq!(refused.kind(), Some(ProblemType::InvalidFault));
        let steps: Vec<Value> = (0..=REPLAYED_STEPS)
            .map(|number| json!({"status": if number % 2 == 0 { 500 } else { 503 }}))
            .collect();
        let mut long = played(json!({"rules": [{"endpoint": "*", "steps": steps}]}));
        for _ in 0..REPLAYED_STEPS {
            meets(&mut long, "a", CREATE);
        }
        assert!(long.state().complete);
        assert!(meets(&mut long, "a", CREATE).is_some());
        assert!(!long.state().complete);
        assert_eq!(long.state().replay.rules[0].steps.len(), REPLAYED_STEPS);
    }

    fn calls() -> impl Strategy<Value = Vec<(&'static str, FaultTarget)>> {
        let run = prop_oneof![Just("a"), Just("b")];
        let target = prop_oneof![Just(CREATE), Just(LIST), Just(FaultTarget::Resource)];
        proptest::collection::vec((run, target), 0..60)
    }

    proptest! {
        #[test]
        fn a_replay_lets_the_same_calls_meet_the_same(seed in 0..1000_u64, calls in calls()) {
            let script = json!({
                "rules": [{"endpoint": "*", "steps": ["ok", "duplicate", {"times": 2, "fault": {"status": 429}}]}],
                "chaos": {"seed": seed, "percent": 50,
                          "among": [{"status": 503}, {"drop": "after_commit"}, {"truncate_at": 1}]},
            });
            let mut first = played(script);
            let met: Vec<Fault> = calls.iter()
                .map(|(run, target)| meets(&mut first, run, *target).unwrap_or(Fault::OK))
                .collect();
            let mut again = Played::new(first.state().replay);
            // Other runs in between, and another order of the endpoints, make no difference.
            let mut order: Vec<usize> = (0..calls.len()).collect();
            order.sort_by_key(|position| calls[*position]);
            for position in order {
                let (run, target) = calls[position];
                prop_assert_eq!(meets(&mut again, run, target).unwrap_or(Fault::OK), met[position]);
            }
            prop_assert!(again.state().remaining.is_empty());
        }

        #[test]
        fn chaos_goes_by_run_endpoint_and_number_alone(seed in 0..1000_u64, calls in calls()) {
            let script = json!({"chaos": {"seed": seed, "percent": 40,
                                          "among": [{"status": 503}, {"status": 429}]}});
            let (mut mixed, mut alone) = (played(script.clone()), played(script));
            let of_a = |(run, target): &&(&str, FaultTarget)| *run == "a" && *target == CREATE;
            let in_between: Vec<_> = calls.iter()
                .map(|call| (call, meets(&mut mixed, call.0, call.1)))
                .filter(|(call, _)| of_a(call))
                .map(|(_, fault)| fault)
                .collect();
            let by_itself: Vec<_> = calls.iter().filter(of_a)
                .map(|(run, target)| meets(&mut alone, run, *target))
                .collect();
            prop_assert_eq!(in_between, by_itself);
        }
    }
}
