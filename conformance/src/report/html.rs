//! One self-contained page: the verdict, what was tested, and for each scenario the sentence
//! of the spec, the steps, what differs and what went over the wire.

use std::collections::{BTreeMap, HashSet};

use askama::Template;
use serde_json::Value;

use super::difference::places;
use super::{ReportFault, alike, footnotes, headline, secrets, skipped};
use crate::record::{
    Conclusion, Counts, Exchange, Failure, RequirementRef, RunRecord, ScenarioRecord, StepVerdict,
    Verdict,
};

/// Longest text in the list of what does not hold, in characters.
const MAX_SHORT: usize = 160;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    run: &'a RunRecord,
    tone: &'static str,
    banner: &'static str,
    headline: String,
    footnotes: Vec<String>,
    skipped: Vec<(&'a str, usize)>,
    counts: Counts,
    ran: usize,
    triples: usize,
    own: usize,
    secrets: Vec<String>,
    seconds: String,
    broken: Vec<BrokenView<'a>>,
    operations: Vec<OperationView<'a>>,
    requirements: Vec<RequirementView<'a>>,
}

/// A failure, and how many more read alike.
struct BrokenView<'a> {
    anchor: String,
    name: &'a str,
    expected: String,
    got: String,
    alike: usize,
}

struct OperationView<'a> {
    name: &'a str,
    passed: usize,
    total: usize,
    scenarios: Vec<ScenarioView<'a>>,
}

struct ScenarioView<'a> {
    one: &'a ScenarioRecord,
    anchor: String,
    verdict: &'static str,
    label: &'static str,
    open: bool,
    ran: bool,
    quotes: Vec<Quote<'a>>,
    steps: Vec<StepView<'a>>,
    failure: Option<FailureView<'a>>,
    exchanges: Vec<ExchangeView<'a>>,
    search: String,
}

struct Quote<'a> {
    id: &'a str,
    chapter: &'a str,
    parts: Vec<Part<'a>>,
}

/// A piece of a sentence; code in it stands between backticks.
struct Part<'a> {
    code: bool,
    text: &'a str,
}

struct StepView<'a> {
    keyword: &'a str,
    text: &'a str,
    table: &'a [Vec<String>],
    class: &'static str,
    said: &'static str,
}

struct FailureView<'a> {
    broke: Option<Quote<'a>>,
    expected: String,
    got: String,
    places: Vec<String>,
    hint: Option<&'a str>,
}

struct ExchangeView<'a> {
    one: &'a Exchange,
    status: String,
    sent: String,
    back: String,
}

struct RequirementView<'a> {
    quote: Quote<'a>,
    scenarios: Vec<(&'static str, String, &'a str)>,
}

/// Renders it.
///
/// # Errors
/// Where the template cannot be filled.
pub fn render(record: &RunRecord) -> Result<String, ReportFault> {
    let counts = record.counts();
    let (tone, banner) = match record.conclusion() {
        Conclusion::Full => ("pass", "Pass"),
        Conclusion::Partial => ("part", "Not a full pass"),
        Conclusion::Empty => ("part", "Nothing was run"),
        Conclusion::Failed => ("fail", "Fail"),
        Conclusion::Broken => ("fail", "The suite failed"),
    };
    let page = Page {
        run: record,
        tone,
        banner,
        headline: headline(record),
        footnotes: footnotes(record),
        skipped: skipped(record),
        counts,
        ran: counts.pass + counts.fail + counts.known + counts.error,
        triples: record.triples_passed(),
        own: record.own_passed(),
        secrets: secrets(record),
        seconds: format!(
            "{:.2}",
            std::time::Duration::from_millis(record.duration_millis).as_secs_f64()
        ),
        broken: broken(record),
        operations: operations(record),
        requirements: requirements(record),
    };
    page.render()
        .map_err(|fault| ReportFault::Render(fault.to_string()))
}

fn broken(record: &RunRecord) -> Vec<BrokenView<'_>> {
    alike(record)
        .into_iter()
        .filter_map(|group| {
            let (first, others) = group.split_first()?;
            let failure = first.failure.as_ref()?;
            Some(BrokenView {
                anchor: anchor(&first.id),
                name: &first.name,
                expected: short(&failure.expected),
                got: short(&failure.got),
                alike: others.len(),
            })
        })
        .collect()
}

/// Enough of a text to tell it from others.
fn short(text: &str) -> String {
    let mut kept: String = text.chars().take(MAX_SHORT).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

fn operations(record: &RunRecord) -> Vec<OperationView<'_>> {
    let mut operations: Vec<OperationView<'_>> = Vec::new();
    // Of failures that read alike, only the first is unfolded.
    let firsts: HashSet<&str> = alike(record)
        .iter()
        .filter_map(|group| group.first().map(|first| first.id.as_str()))
        .collect();
    for one in &record.scenarios {
        let view = scenario(one, firsts.contains(one.id.as_str()));
        let passed = usize::from(one.verdict == Verdict::Pass);
        match operations
            .iter_mut()
            .find(|operation| operation.name == one.operation)
        {
            Some(operation) => {
                operation.passed += passed;
                operation.total += 1;
                operation.scenarios.push(view);
            }
            None => operations.push(OperationView {
                name: &one.operation,
                passed,
                total: 1,
                scenarios: vec![view],
            }),
        }
    }
    operations
}

fn scenario(one: &ScenarioRecord, open: bool) -> ScenarioView<'_> {
    let (verdict, label) = marks(one);
    let ids: Vec<&str> = one
        .requirements
        .iter()
        .map(|quote| quote.id.as_str())
        .collect();
    ScenarioView {
        anchor: anchor(&one.id),
        verdict,
        label,
        open,
        ran: !one.steps.is_empty(),
        quotes: one.requirements.iter().map(quote).collect(),
        steps: one
            .steps
            .iter()
            .map(|step| {
                let (class, said) = match step.verdict {
                    StepVerdict::Passed => ("ok", "held"),
                    StepVerdict::Failed => ("bad", "did not hold"),
                    StepVerdict::NotRun => ("idle", "not run"),
                };
                StepView {
                    keyword: &step.keyword,
                    text: &step.text,
                    table: &step.table,
                    class,
                    said,
                }
            })
            .collect(),
        failure: one.failure.as_ref().map(|failure| FailureView {
            broke: failure.requirement.as_deref().map(|id| Quote {
                id,
                chapter: failure.chapter.as_deref().unwrap_or_default(),
                parts: parts(failure.sentence.as_deref().unwrap_or_default()),
            }),
            expected: pretty(&failure.expected),
            got: pretty(&failure.got),
            places: differ(failure),
            hint: failure.hint.as_deref(),
        }),
        exchanges: one.exchanges.iter().map(exchange).collect(),
        search: format!("{} {} {}", one.name, one.id, ids.join(" ")).to_lowercase(),
        one,
    }
}

fn differ(failure: &Failure) -> Vec<String> {
    let (found, more) = places(&failure.expected, &failure.got);
    let mut lines: Vec<String> = failure.pointer.iter().cloned().collect();
    lines.extend(found.into_iter().map(|place| {
        format!(
            "{}: expected {}, got {}",
            place.pointer, place.expected, place.got
        )
    }));
    if more > 0 {
        lines.push(format!("and {more} places more"));
    }
    lines
}

fn marks(one: &ScenarioRecord) -> (&'static str, &'static str) {
    match one.verdict {
        Verdict::Fail if one.known_failure => ("known", "known to fail"),
        Verdict::Disabled => ("disabled", "not declared"),
        verdict => (verdict.name(), verdict.name()),
    }
}

fn anchor(id: &str) -> String {
    id.replace('/', "--")
}

fn quote(of: &RequirementRef) -> Quote<'_> {
    Quote {
        id: &of.id,
        chapter: &of.chapter,
        parts: parts(&of.sentence),
    }
}

fn parts(sentence: &str) -> Vec<Part<'_>> {
    sentence
        .split('`')
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(at, text)| Part {
            code: at % 2 == 1,
            text,
        })
        .collect()
}

fn exchange(one: &Exchange) -> ExchangeView<'_> {
    let head = |headers: &[(String, String)]| -> String {
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect()
    };
    let whole = |first: String, headers: &[(String, String)], body: Option<&String>| {
        let body = body
            .map(|body| format!("\n{}", pretty(body)))
            .unwrap_or_default();
        format!("{first}\n{}{body}", head(headers))
    };
    let request = &one.request;
    ExchangeView {
        one,
        status: one.response.as_ref().map_or_else(
            || "no answer".to_owned(),
            |response| response.status.to_string(),
        ),
        sent: whole(
            format!("{} {}", request.method, request.url),
            &request.headers,
            request.body.as_ref(),
        ),
        back: one.response.as_ref().map_or_else(
            || one.fault.clone().unwrap_or_default(),
            |response| {
                whole(
                    response.status.to_string(),
                    &response.headers,
                    response.body.as_ref(),
                )
            },
        ),
    }
}

/// JSON with line breaks; anything else as it is.
fn pretty(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() || value.is_array() => {
            serde_json::to_string_pretty(&value).unwrap_or_else(|_| text.to_owned())
        }
        _ => text.to_owned(),
    }
}

fn requirements(record: &RunRecord) -> Vec<RequirementView<'_>> {
    let mut found: BTreeMap<&str, RequirementView<'_>> = BTreeMap::new();
    for one in &record.scenarios {
        for requirement in &one.requirements {
            found
                .entry(&requirement.id)
                .or_insert_with(|| RequirementView {
                    quote: quote(requirement),
                    scenarios: Vec::new(),
                })
                .scenarios
                .push((marks(one).0, anchor(&one.id), &one.name));
        }
    }
    found.into_values().collect()
}
