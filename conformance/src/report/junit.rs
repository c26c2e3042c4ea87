//! `JUnit` XML, which every CI system reads: one test suite an operation, one test case a
//! scenario.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::difference::places;
use super::story::story;
use super::{ReportFault, footnotes};
use crate::record::{Conclusion, Failure, RunRecord, ScenarioRecord, Verdict};

/// Longest body shown, in characters.
const MAX_BODY: usize = 600;

/// Renders it.
///
/// # Errors
/// Where it cannot be serialised.
pub fn render(record: &RunRecord) -> Result<String, ReportFault> {
    let mut report = Report::new("clp-conformance");
    report.set_time(Duration::from_millis(record.duration_millis));
    let mut suites: Vec<TestSuite> = Vec::new();
    for scenario in &record.scenarios {
        let case = case(scenario);
        match suites
            .iter_mut()
            .find(|suite| suite.name.as_str() == scenario.operation)
        {
            Some(suite) => {
                suite.add_test_case(case);
            }
            None => {
                let mut suite = TestSuite::new(scenario.operation.clone());
                suite.add_test_case(case);
                suites.push(suite);
            }
        }
    }
    suites.push(whole(record));
    report.add_test_suites(suites);
    report
        .to_string()
        .map_err(|fault| ReportFault::Render(fault.to_string()))
}

fn case(scenario: &ScenarioRecord) -> TestCase {
    let mut case = TestCase::new(scenario.name.clone(), status(scenario));
    case.set_classname(scenario.operation.clone());
    case.set_time(Duration::from_millis(scenario.duration_millis));
    case.add_property(Property::new("id", scenario.id.clone()));
    for requirement in &scenario.requirements {
        case.add_property(Property::new("requirement", requirement.id.clone()));
    }
    case
}

fn status(scenario: &ScenarioRecord) -> TestCaseStatus {
    let reason = scenario.reason.clone().unwrap_or_default();
    match scenario.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail if scenario.known_failure => {
            skipped("known failure", "it fails, as is known")
        }
        Verdict::Fail => broken(NonSuccessKind::Failure, scenario),
        Verdict::Error => broken(NonSuccessKind::Error, scenario),
        Verdict::Skip => skipped("skip", &reason),
        Verdict::Disabled => skipped("disabled", &reason),
    }
}

fn skipped(kind: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_type(kind).set_message(reason);
    status
}

fn broken(kind: NonSuccessKind, scenario: &ScenarioRecord) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(scenario.verdict.name());
    if let Some(failure) = &scenario.failure {
        status.set_message(failure.to_string());
        status.set_description(description(failure, scenario));
    }
    status
}

fn description(failure: &Failure, scenario: &ScenarioRecord) -> String {
    let mut lines = Vec::new();
    if let Some(id) = &failure.requirement {
        lines.push(format!(
            "{id}: {}",
            failure.sentence.as_deref().unwrap_or_default()
        ));
    }
    for part in story(scenario) {
        lines.push(format!("{}: {}", part.name, part.text));
    }
    if let Some(exchange) = scenario.exchange_at_fault() {
        let request = &exchange.request;
        let back = exchange.response.as_ref().map_or_else(
            || "nothing".to_owned(),
            |response| {
                let body = response.body.as_deref().unwrap_or_default();
                format!("{} {}", response.status, short(body))
            },
        );
        let body = request.body.as_deref().unwrap_or_default();
        lines.push(format!(
            "sent: {} {} {}",
            request.method,
            request.url,
            short(body)
        ));
        lines.push(format!("back: {back}"));
    }
    if let Some(pointer) = &failure.pointer {
        lines.push(format!("at: {pointer}"));
    }
    lines.push(format!("expected: {}", failure.expected));
    lines.push(format!("got: {}", failure.got));
    for place in places(&failure.expected, &failure.got).0 {
        lines.push(format!(
            "at {}: expected {}, got {}",
            place.pointer, place.expected, place.got
        ));
    }
    if let Some(hint) = &failure.hint {
        lines.push(format!("hint: {hint}"));
    }
    lines.push(format!("alone: {}", scenario.command));
    lines.join("\n")
}

/// As much of a body as a list of failures can bear. The other reports hold the whole.
fn short(body: &str) -> String {
    let mut kept: String = body.chars().take(MAX_BODY).collect();
    if kept.len() < body.len() {
        kept.push('…');
    }
    kept
}

/// What is to be said of the run as a whole, so that a CI system that only counts cases
/// cannot take a subset, or a stale list, for a full pass.
fn whole(record: &RunRecord) -> TestSuite {
    let mut suite = TestSuite::new("the run");
    for (name, value) in [
        ("subject", record.subject.url.clone()),
        ("requirements", record.requirements_revision.clone()),
        ("seed", record.seed.to_string()),
    ] {
        suite.add_property(Property::new(name, value));
    }
    let mut add = |name: &str, status: TestCaseStatus| {
        let mut case = TestCase::new(name, status);
        case.set_classname("the run");
        suite.add_test_case(case);
    };
    let notes = footnotes(record);
    let status = match record.conclusion() {
        Conclusion::Empty => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("error").set_message("nothing was run");
            status
        }
        _ if notes.is_empty() => TestCaseStatus::success(),
        _ => skipped("partial", &notes.join("; ")),
    };
    add("is a full one", status);
    for id in &record.stale_known_failures {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_type("stale")
            .set_message("it is listed as a known failure and did not fail");
        add(id, status);
    }
    for (at, fault) in record.faults.iter().enumerate() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("error").set_message(fault.clone());
        add(&format!("fault {}", at + 1), status);
    }
    suite
}
