//! The record as one JSON file, with what follows from it.

use serde::Serialize;

use super::{ReportFault, headline};
use crate::record::{Conclusion, Counts, RunRecord};

#[derive(Serialize)]
struct Document<'a> {
    /// Grows when a reader of an older one would misread it.
    format: u32,
    conclusion: &'static str,
    headline: String,
    counts: Counts,
    /// Distinct (endpoint, requirement, outcome); each requirement of a scenario counts.
    triples_passed: usize,
    /// Scenarios with an endpoint, first requirement and outcome of their own.
    own_passed: usize,
    run: &'a RunRecord,
}

/// Renders it.
///
/// # Errors
/// Where it cannot be serialised.
pub fn render(record: &RunRecord) -> Result<String, ReportFault> {
    let document = Document {
        format: 1,
        conclusion: match record.conclusion() {
            Conclusion::Full => "full_pass",
            Conclusion::Partial => "partial_pass",
            Conclusion::Empty => "nothing_run",
            Conclusion::Failed => "failed",
            Conclusion::Broken => "broken",
        },
        headline: headline(record),
        counts: record.counts(),
        triples_passed: record.triples_passed(),
        own_passed: record.own_passed(),
        run: record,
    };
    serde_json::to_string_pretty(&document)
        .map(|text| text + "\n")
        .map_err(|fault| ReportFault::Render(fault.to_string()))
}
