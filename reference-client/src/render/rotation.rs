//! Rotations and their gates, for people.

use clp_schemas::gates::{Gate, GateState};
use clp_schemas::ops::rotate::{GateReport, Rotation};

use super::{Facts, table};

pub(crate) fn rotation(rotation: &Rotation) -> String {
    let mut facts = Facts::default();
    facts
        .add("rotation", rotation.id.as_str())
        .add("state", rotation.state.to_string())
        .add("reason", rotation.reason.to_string())
        .add("predecessor", rotation.predecessor.as_str())
        .add("successor", rotation.successor.as_str())
        .add("begun", rotation.created_at.to_string());
    if let Some(plan) = &rotation.plan {
        facts
            .add(
                "quiet for",
                format!("{} seconds", plan.quiet_period_seconds),
            )
            .add(
                "side by side for",
                format!("{} seconds", plan.min_overlap_seconds),
            )
            .add("least basis", plan.least_basis.to_string())
            .add_some("deadline", plan.deadline);
    }
    facts.add_some("ended", rotation.ended_at);
    facts.text()
}

/// Every gate, what it rests on, and what is missing.
pub(crate) fn gates(report: &GateReport) -> String {
    let row = |gate: &Gate| {
        vec![
            gate.id.to_string(),
            match gate.state {
                GateState::Met => "met".to_owned(),
                GateState::Unmet => "NOT MET".to_owned(),
                GateState::Unknown => "NOT KNOWN".to_owned(),
            },
            gate.basis
                .map_or_else(|| "-".to_owned(), |basis| basis.to_string()),
            gate.detail.clone(),
        ]
    };
    let rows = report.gates.iter().chain(&report.issuer_gates).map(row);
    let text = table(
        &["gate", "state", "basis", "detail"],
        rows,
        "no gate is known",
    );
    match report.safe_to_revoke {
        Some(_) => text,
        None => format!(
            "{text}these are the issuer's gates alone: it does not know where the credential is used\n"
        ),
    }
}
