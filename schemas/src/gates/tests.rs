use super::*;

const OPENED: i64 = 1_800_000_000;

fn place() -> Place {
    Place {
        id: InstallationId::from_entropy([1; 16]),
        on_successor: true,
        state: installation::State::Verified,
        required: true,
        use_interval_seconds: None,
        seen: true,
        reported: Sight::Untold,
        probe_reported: Sight::Untold,
    }
}

/// A rotation that may end: every test changes one thing.
fn facts() -> Facts {
    Facts {
        now: Timestamp::from_unix(OPENED + 3600),
        opened_at: Timestamp::from_unix(OPENED),
        plan: Plan {
            quiet_period_seconds: 600,
            min_overlap_seconds: 60,
            least_basis: Basis::Observed,
            deadline: None,
        },
        kind: CredentialType::ApiKey,
        successor: credential::State::Active,
        verdict: Verdict::Equal,
        observation: UsageObservation::PerConsumer,
        predecessor_used_at: Some(Timestamp::from_unix(OPENED + 60)),
        probe_refused_at: Some(Timestamp::from_unix(OPENED + 60)),
        event_accepted_at: None,
        places: vec![place()],
        senders: vec![Sender {
            name: "nightly/1.0".to_owned(),
            fits: 1,
        }],
    }
}

fn missing(facts: &Facts) -> Vec<(String, GateState)> {
    let decision = safe_to_revoke(&evaluate(facts), facts.now);
    assert_eq!(decision.safe, decision.missing.is_empty());
    decision.missing.into_iter().collect()
}

fn only(gate: GateId, state: GateState) -> Vec<(String, GateState)> {
    vec![(gate.to_string(), state)]
}

#[test]
fn the_predecessor_may_go_when_all_six_are_met() {
    assert_eq!(missing(&facts()), []);
    assert_eq!(evaluate(&facts()).len(), 6);
    assert!(!safe_to_revoke(&[], facts().now).safe);
}

/// A gate, how it then stands, and what was changed.
type Case = (GateId, GateState, fn(&mut Facts));

#[test]
fn each_gate_stops_it_alone() {
    use GateState::{Unknown, Unmet};
    let cases: [Case; 11] = [
        (GateId::Successor, Unmet, |f| {
            f.successor = credential::State::Suspended
        }),
        (GateId::Successor, Unmet, |f| f.verdict = Verdict::Broader),
        (GateId::Installations, Unmet, |f| {
            f.places[0].on_successor = false
        }),
        (GateId::Installations, Unmet, |f| {
            f.places[0].state = installation::State::Installed;
        }),
        (GateId::Health, Unmet, |f| f.probe_refused_at = None),
        (GateId::Health, Unmet, |f| {
            f.places[0].probe_reported = Sight::Accepted
        }),
        (GateId::Quiet, Unmet, |f| {
            f.predecessor_used_at = Some(f.now)
        }),
        (GateId::Consumers, Unmet, |f| f.senders[0].fits = 0),
        (GateId::Consumers, Unknown, |f| f.senders[0].fits = 2),
        (GateId::Overlap, Unmet, |f| {
            f.plan.min_overlap_seconds = 3601
        }),
        (GateId::Quiet, Unmet, |f| f.plan.quiet_period_seconds = 3541),
    ];
    for (gate, state, change) in cases {
        let mut facts = facts();
        change(&mut facts);
        assert_eq!(missing(&facts), only(gate, state));
    }
}

#[test]
fn a_monthly_job_keeps_the_predecessor_until_it_was_seen() {
    let mut facts = facts();
    facts.plan.least_basis = Basis::Reported;
    facts.places[0].seen = false;
    facts.places[0].reported = Sight::Accepted;
    facts.places[0].use_interval_seconds = Some(2_678_400);
    assert_eq!(missing(&facts), only(GateId::Quiet, GateState::Unmet));
    facts.places[0].seen = true;
    assert_eq!(missing(&facts), []);
}

#[test]
fn a_report_is_not_enough_where_the_plan_asks_for_a_sight() {
    let mut facts = facts();
    facts.places[0].seen = false;
    facts.places[0].reported = Sight::Accepted;
    let gates = evaluate(&facts);
    assert_eq!(gates[1].state, GateState::Unknown);
    assert_eq!(gates[1].basis, None);
    facts.plan.least_basis = Basis::Reported;
    assert_eq!(evaluate(&facts)[1].basis, Some(Basis::Reported));
    assert_eq!(missing(&facts), []);
}

#[test]
fn what_is_retired_or_not_required_is_not_awaited() {
    for change in [
        (|p: &mut Place| p.state = installation::State::Retired) as fn(&mut Place),
        |p| p.required = false,
    ] {
        let mut facts = facts();
        facts.places[0].on_successor = false;
        change(&mut facts.places[0]);
        assert_eq!(missing(&facts), []);
    }
}

#[test]
fn without_an_inventory_three_are_judged_and_what_is_unseen_is_unknown() {
    let mut facts = facts();
    let ids: Vec<GateId> = issuer_gates(&facts).iter().map(|gate| gate.id).collect();
    assert_eq!(ids, [GateId::Successor, GateId::Quiet, GateId::Overlap]);
    facts.observation = UsageObservation::None;
    assert_eq!(issuer_gates(&facts)[1].state, GateState::Unknown);
    facts.observation = UsageObservation::LastUsed;
    assert_eq!(missing(&facts), only(GateId::Consumers, GateState::Unknown));
}

#[test]
fn a_webhook_is_judged_by_what_its_receiver_answered() {
    let mut facts = facts();
    facts.kind = CredentialType::WebhookSecret;
    facts.places.clear();
    facts.senders.clear();
    facts.predecessor_used_at = Some(facts.now);
    assert_eq!(
        missing(&facts),
        only(GateId::Installations, GateState::Unmet)
    );
    facts.event_accepted_at = Some(facts.now);
    assert_eq!(missing(&facts), []);
    facts.probe_refused_at = None;
    assert_eq!(missing(&facts), only(GateId::Health, GateState::Unmet));
}
