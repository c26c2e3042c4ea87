//! The decisions, without a database.

use clp_schemas::approval::Decision;
use clp_schemas::key::Key;
use clp_schemas::ops::approve::Approval;
use clp_schemas::ops::create::{Credential, Origin, OriginKind};
use clp_schemas::ops::discover::{AuthMethod, CredentialType};
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::ops::revoke::{Revocation, RevocationMode, RevocationReason};
use clp_schemas::ops::rotate::RotationReason;
use clp_schemas::state::credential::State;
use clp_schemas::state::{request as request_state, rotation as rotation_state};
use clp_schemas::time::Timestamp;

use super::credential::{Blueprint, Fresh, FreshSecret, create, deliver, expire, lapse, revoke};
use super::rotation::{ExpiryFacts, Neighbours, Opening, open};
use super::{Effect, request};
use crate::store::RotationRow;

const NOW: i64 = 1_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn fresh(letter: &str) -> Fresh {
    let key = Key::assemble("t", &letter.repeat(16), &letter.repeat(32)).unwrap();
    Fresh {
        id: format!("cred_{}", letter.repeat(22)).parse().unwrap(),
        delivery: format!("dlv_{}", letter.repeat(22)).parse().unwrap(),
        key_id: letter.repeat(16),
        secret: FreshSecret::Key(key),
        public_jwk: None,
    }
}

fn minted(letter: &str, state: State) -> Credential {
    let blueprint = Blueprint {
        kind: CredentialType::ApiKey,
        permissions: serde_json::from_str(
            r#"[{"resource_type":"x","selector":"*","actions":["read"]}]"#,
        )
        .unwrap(),
        permission_schema_digest: "sha256:00".to_owned(),
        purpose: "p".to_owned(),
        owner: "o".to_owned(),
        project: "a".to_owned(),
        environment: "e".to_owned(),
        subject: None,
        expires_at: Some(at(NOW + 100)),
        rotation_policy: None,
        labels: std::collections::BTreeMap::new(),
        created_via: Origin {
            kind: OriginKind::Direct,
            request_id: None,
            rotation_id: None,
        },
        predecessor: None,
        cnf: None,
        webhook: None,
    };
    let creator = "prin_0123456789abcdefghij".parse().unwrap();
    let (mut credential, effects) = create(blueprint, fresh(letter), &creator, at(NOW));
    assert_eq!(credential.state, State::Provisioned);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Mint { .. }))
    );
    assert_eq!(events(&effects), ["credential.created"]);
    credential.state = state;
    credential
}

fn events(effects: &[Effect]) -> Vec<&str> {
    let entry = |effect: &Effect| match effect {
        Effect::Audit(entry) => Some(entry.event.as_str()),
        _ => None,
    };
    effects.iter().filter_map(entry).collect()
}

fn saved(effects: &[Effect]) -> Vec<State> {
    let state = |effect: &Effect| match effect {
        Effect::SaveCredential(credential) => Some(credential.state),
        _ => None,
    };
    effects.iter().filter_map(state).collect()
}

fn closes_delivery(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::CloseDelivery(_)))
}

fn revocation() -> Revocation {
    Revocation {
        mode: RevocationMode::Immediate,
        reason: RevocationReason::Other,
        by: "prin_0123456789abcdefghij".to_owned(),
        at: at(NOW),
    }
}

fn rotation(predecessor: &Credential, successor: &Credential) -> RotationRow {
    RotationRow {
        id: "rot_0123456789abcdefghij".parse().unwrap(),
        state: rotation_state::State::Created,
        reason: RotationReason::Scheduled,
        predecessor: predecessor.id.clone(),
        successor: successor.id.clone(),
        created_at: at(NOW),
        plan: None,
        probe_value: None,
        probe_key_id: None,
        probe_refused_at: None,
        event_accepted_at: None,
        ended_at: None,
    }
}

#[test]
fn the_first_delivery_activates_and_discloses_once() {
    let credential = minted("a", State::Provisioned);
    let delivery = crate::store::DeliveryRow {
        id: "dlv_0123456789abcdefghij".parse().unwrap(),
        credential: credential.id.clone(),
        principal: credential.created_by.clone(),
        expires_at: at(NOW + 900),
    };
    let effects = deliver(credential, &delivery, None, at(NOW + 1));
    let Some(Effect::SaveCredential(active)) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(
        (active.state, active.disclosed_to.len()),
        (State::Active, 1)
    );
    let again = deliver((**active).clone(), &delivery, None, at(NOW + 2));
    assert!(saved(&again).is_empty());
    assert_eq!(events(&again), ["credential.delivered"]);
}

#[test]
fn what_has_ended_stays_as_it_is() {
    for state in [State::Revoked, State::Expired] {
        let ended = minted("a", state);
        assert!(expire(ended.clone(), Neighbours::default(), at(NOW)).is_empty());
        let (after, effects) = revoke(ended.clone(), Neighbours::default(), revocation(), None);
        assert_eq!(after, ended);
        assert!(effects.is_empty());
    }
    for state in [
        State::Provisioned,
        State::Active,
        State::Retiring,
        State::Suspended,
    ] {
        let (after, effects) = revoke(
            minted("a", state),
            Neighbours::default(),
            revocation(),
            None,
        );
        assert_eq!(after.state, State::Revoked);
        assert_eq!(after.revocation, Some(revocation()));
        assert!(closes_delivery(&effects));
        let effects = expire(minted("a", state), Neighbours::default(), at(NOW));
        assert_eq!(saved(&effects), [State::Expired]);
        assert!(closes_delivery(&effects));
    }
}

#[test]
fn a_lapse_ends_only_what_nobody_fetched() {
    let lapsed = lapse(
        minted("a", State::Provisioned),
        Neighbours::default(),
        at(NOW),
    );
    assert_eq!(events(&lapsed), ["credential.expired"]);
    let kept = lapse(minted("a", State::Active), Neighbours::default(), at(NOW));
    assert!(closes_delivery(&kept) && saved(&kept).is_empty());
}

#[test]
fn only_an_active_credential_retires() {
    for state in State::ALL {
        let predecessor = minted("a", *state);
        let opening = Opening {
            id: "rot_0123456789abcdefghij".parse().unwrap(),
            reason: RotationReason::Scheduled,
            expires_at: None,
            by: predecessor.created_by.clone(),
            permissions: predecessor.permissions.clone(),
            plan: None,
            probe_value: None,
            probe_key_id: None,
        };
        let (row, successor, effects) = open(predecessor.clone(), opening, fresh("b"), at(NOW));
        if *state != State::Active {
            assert_eq!(saved(&effects), [*state], "it stays as it was");
            continue;
        }
        assert_eq!(successor.predecessor, Some(predecessor.id.clone()));
        assert_eq!(successor.permissions, predecessor.permissions);
        assert_eq!(row.successor, successor.id);
        assert_eq!(saved(&effects), [State::Retiring]);
        assert_eq!(
            events(&effects),
            ["credential.created", "credential.rotated"]
        );
    }
}

#[test]
fn whichever_ends_first_decides_the_rotation() {
    let predecessor = minted("a", State::Retiring);
    let successor = minted("b", State::Active);
    let states = |effects: &[Effect]| -> Vec<_> {
        let state = |effect: &Effect| match effect {
            Effect::SaveRotation(row) => Some(row.state),
            _ => None,
        };
        effects.iter().filter_map(state).collect()
    };
    let row = rotation(&predecessor, &successor);

    let ends_old = Neighbours {
        replaced_by: Some(row.clone()),
        replaces: None,
    };
    let (_, effects) = revoke(predecessor.clone(), ends_old, revocation(), None);
    assert_eq!(states(&effects), [rotation_state::State::Completed]);
    assert_eq!(saved(&effects), [State::Revoked]);

    let ends_new = Neighbours {
        replaced_by: None,
        replaces: Some((row, predecessor)),
    };
    let effects = expire(successor, ends_new, at(NOW));
    assert_eq!(states(&effects), [rotation_state::State::RolledBack]);
    assert_eq!(saved(&effects), [State::Expired, State::Active]);
}

#[test]
fn a_successor_never_outlives_what_was_granted() {
    let facts = ExpiryFacts {
        now: at(NOW),
        wanted: None,
        lifetime: None,
        renewable_until: None,
        max_lifetime: None,
    };
    let lived = ExpiryFacts {
        lifetime: Some(100),
        ..facts
    };
    let renewable = |until| ExpiryFacts {
        renewable_until: Some(at(NOW + until)),
        ..lived
    };
    let wanting = |facts: ExpiryFacts, wanted| ExpiryFacts {
        wanted: Some(at(NOW + wanted)),
        ..facts
    };
    for (facts, expected) in [
        (facts, Ok(None)),
        (wanting(facts, 1), Ok(Some(1))),
        (wanting(facts, 0), Err(())),
        (lived, Ok(Some(100))),
        (wanting(lived, 100), Ok(Some(100))),
        (wanting(lived, 101), Err(())),
        (renewable(50), Ok(Some(50))),
        (wanting(renewable(50), 51), Err(())),
        (renewable(200), Ok(Some(100))),
        (renewable(0), Err(())),
        (wanting(renewable(-1), 1), Err(())),
        (
            ExpiryFacts {
                max_lifetime: Some(30),
                ..lived
            },
            Ok(Some(30)),
        ),
    ] {
        let decided = facts.fits().then(|| facts.expires_at()).ok_or(());
        assert_eq!(
            decided,
            expected.map(|end| end.map(|end: i64| at(NOW + end))),
            "{facts:?}"
        );
    }
}

fn pending() -> CredentialRequest {
    serde_json::from_value(serde_json::json!({
        "id": "req_0123456789abcdefghij", "version": 1, "state": "pending_approval",
        "requester": "prin_0123456789abcdefghij",
        "submitted": {
            "type": "api_key", "purpose": "p", "owner": "o", "project": "a", "environment": "e",
            "permissions": [{"resource_type": "x", "selector": "*", "actions": ["read"]}],
            "subject": {"kind": "task", "id": "t"}, "lifetime_seconds": 60,
        },
        "approval_document": {}, "digest": "d", "consent": [], "approvals": [],
        "created_at": at(NOW), "expires_at": at(NOW + 600), "interval": 5, "approval_uri": "u",
        "user_code": "BCDF-GHJK",
    }))
    .unwrap()
}

fn approval(decision: Decision) -> Approval {
    Approval {
        id: "apr_0123456789abcdefghij".parse().unwrap(),
        request_id: "req_0123456789abcdefghij".parse().unwrap(),
        version: 1,
        decision,
        approver: Some("prin_9876543210abcdefghij".parse().unwrap()),
        method: AuthMethod::Test,
        policy: None,
        approved_at: at(NOW + 10),
        expires_at: at(NOW + 3610),
        reason: None,
    }
}

fn request_in(effects: Vec<Effect>) -> CredentialRequest {
    let request = |effect| match effect {
        Effect::SaveRequest(request) => Some(*request),
        _ => None,
    };
    effects.into_iter().find_map(request).unwrap()
}

#[test]
fn a_request_ends_in_one_way() {
    use request_state::State;
    let approved = request_in(request::decide(pending(), approval(Decision::Approve), true).1);
    let denied = request_in(request::decide(pending(), approval(Decision::Deny), false).1);
    assert_eq!(
        (approved.state, denied.state),
        (State::Approved, State::Denied)
    );
    let credential = minted("a", clp_schemas::state::credential::State::Active).id;
    let issued = request_in(request::issue(approved.clone(), credential.clone()));
    assert_eq!(issued.state, State::Issued);
    assert_eq!(issued.credential_id, Some(credential));
    for other in [&pending(), &denied, &approved, &issued] {
        assert!(!request::has_lapsed(other), "{}", other.state);
    }

    // Its own end passes an approved request by; that of the approval does not.
    assert!(request::expire(approved.clone(), at(NOW + 600)).is_empty());
    let unused = request_in(request::expire(approved, at(NOW + 3610)));
    assert!(request::has_lapsed(&unused));
    assert!(request::expire(pending(), at(NOW + 599)).is_empty());
    let undecided = request_in(request::expire(pending(), at(NOW + 600)));
    assert!(!request::has_lapsed(&undecided));
    assert!(request::expire(issued, at(NOW + 9999)).is_empty());
}

#[test]
fn a_request_waits_for_as_many_as_it_takes_and_for_the_same_version() {
    use request_state::State;
    let (waiting, _) = request::decide(pending(), approval(Decision::Approve), false);
    assert_eq!(waiting.state, State::PendingApproval);
    let second = Approval {
        approved_at: at(NOW + 500),
        expires_at: at(NOW + 4100),
        ..approval(Decision::Approve)
    };
    let (approved, _) = request::decide(waiting.clone(), second.clone(), true);
    assert_eq!(request::counted(&approved).count(), 2);
    // The first of them to lapse ends it.
    assert_eq!(request::ends_at(&approved), Some(at(NOW + 3610)));

    // What had lapsed by then did not count.
    let late = Approval {
        approved_at: at(NOW + 3610),
        expires_at: at(NOW + 7210),
        ..second
    };
    let (approved, _) = request::decide(waiting, late, true);
    assert_eq!(request::counted(&approved).count(), 1);
    assert_eq!(request::ends_at(&approved), Some(at(NOW + 7210)));

    let mut next = approved.clone();
    next.version = 2;
    let (amended, _) = request::amend(next, &["purpose"]);
    assert_eq!(amended.state, State::PendingApproval);
    assert_eq!(request::agreed(&amended).count(), 0);
    assert_eq!(request::ends_at(&amended), Some(at(NOW + 600)));
    let (cancelled, _) = request::cancel(amended);
    assert_eq!(cancelled.state, State::Cancelled);
    assert_eq!(request::ends_at(&cancelled), None);
}
