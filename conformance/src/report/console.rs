//! What the person at the terminal reads: each failure with the spec's sentence, what was
//! sent, what came back and where they differ; then the counts and the verdict.

use std::fmt::Write as _;

use super::difference::places;
use super::story::story;
use super::{alike, headline, secrets, skipped};
use crate::record::{Conclusion, Exchange, Failure, RunRecord, ScenarioRecord, Verdict};

/// Longest body shown, in characters. The other reports hold the whole.
const MAX_BODY: usize = 1200;

/// How wide JSON is printed, in characters.
const WIDTH: usize = 100;

/// Longest two texts that are shown whole beside the places where they differ, in characters.
const MAX_BOTH: usize = 160;

/// Header fields of an answer that say nothing about whether it is right.
const NOISE: [&str; 7] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
    "vary",
];

/// Most scenarios that are named beside one that failed alike.
const MAX_ALSO: usize = 5;

/// Renders it, with colours where the terminal has them.
#[must_use]
pub fn render(record: &RunRecord, colours: bool) -> String {
    let paint = Paint { colours };
    let mut text = String::new();
    for group in alike(record) {
        let Some((first, others)) = group.split_first() else {
            continue;
        };
        text.push_str(&failure(first, paint));
        if !others.is_empty() {
            line(&mut text, "also", &others_named(others));
        }
        text.push('\n');
    }
    for id in &record.stale_known_failures {
        let _ = writeln!(
            text,
            "{} {id}\n      it is listed as a known failure and did not fail; take it off the list\n",
            paint.red("STALE")
        );
    }
    for fault in &record.faults {
        let _ = writeln!(text, "{} {fault}\n", paint.red("ERROR"));
    }
    text.push_str(&summary(record, paint));
    text
}

fn others_named(others: &[&ScenarioRecord]) -> String {
    let named: Vec<&str> = others
        .iter()
        .take(MAX_ALSO)
        .map(|one| one.id.as_str())
        .collect();
    let more = others.len().saturating_sub(MAX_ALSO);
    if more > 0 {
        format!("{}\nand {more} more", named.join("\n"))
    } else {
        named.join("\n")
    }
}

fn failure(scenario: &ScenarioRecord, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "{} {}",
        paint.red(if scenario.verdict == Verdict::Error {
            "ERROR"
        } else {
            "FAIL "
        }),
        paint.bold(&scenario.id)
    );
    let unknown = Failure::default();
    let failure = scenario.failure.as_ref().unwrap_or(&unknown);
    if scenario.verdict == Verdict::Error {
        line(
            &mut text,
            "whose",
            "the suite's: this says nothing about the subject",
        );
    } else if let Some(id) = &failure.requirement {
        let sentence = failure.sentence.as_deref().unwrap_or_default();
        let chapter = failure
            .chapter
            .as_ref()
            .map(|chapter| format!(" (spec/{chapter})"))
            .unwrap_or_default();
        line(&mut text, "spec", &format!("{id} “{sentence}”{chapter}"));
    }
    for part in story(scenario) {
        line(&mut text, part.name, &part.text);
    }
    if let Some(exchange) = scenario.exchange_at_fault() {
        line(&mut text, "sent", &sent(exchange));
        line(&mut text, "back", &back(exchange));
    }
    if let Some(pointer) = &failure.pointer {
        line(&mut text, "at", pointer);
    }
    let (differ, more) = places(&failure.expected, &failure.got);
    // Of two long texts only the places are worth reading.
    if differ.is_empty() || failure.expected.len() + failure.got.len() <= MAX_BOTH {
        line(&mut text, "expected", &failure.expected);
        line(&mut text, "got", &failure.got);
    }
    for place in differ {
        line(&mut text, "at", &place.pointer);
        line(&mut text, "expected", &place.expected);
        line(&mut text, "got", &place.got);
    }
    if more > 0 {
        line(&mut text, "", &format!("and {more} places more"));
    }
    if let Some(hint) = &failure.hint {
        line(&mut text, "hint", hint);
    }
    line(&mut text, "alone", &scenario.command);
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    let mut name = name;
    for part in value.lines().flat_map(wrapped) {
        // What the subject sent must not steer the terminal.
        let part: String = part
            .chars()
            .map(|letter| {
                if letter.is_control() {
                    '\u{fffd}'
                } else {
                    letter
                }
            })
            .collect();
        let _ = writeln!(text, "  {name:<9} {part}");
        name = "";
    }
}

/// A long line of JSON in several, broken after commas outside of its strings; anything else
/// as it is.
fn wrapped(line: &str) -> Vec<String> {
    if line.len() <= WIDTH || !line.starts_with(['{', '[']) {
        return vec![line.to_owned()];
    }
    let mut lines = Vec::new();
    let mut current = String::new();
    let mut piece = String::new();
    let (mut inside, mut escaped) = (false, false);
    for letter in line.chars() {
        piece.push(letter);
        match letter {
            '"' if !escaped => inside = !inside,
            ',' if !inside => {
                if !current.is_empty() && current.len() + piece.len() > WIDTH {
                    lines.push(std::mem::take(&mut current));
                }
                current.push_str(&std::mem::take(&mut piece));
            }
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    if !current.is_empty() && current.len() + piece.len() > WIDTH {
        lines.push(std::mem::take(&mut current));
    }
    lines.push(current + &piece);
    lines
}

fn sent(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let mut text = format!("{} {}", request.method, request.url);
    for (name, value) in &request.headers {
        let _ = write!(text, "\n{name}: {value}");
    }
    if let Some(body) = &request.body {
        let _ = write!(text, "\n{}", short(body));
    }
    text
}

fn back(exchange: &Exchange) -> String {
    let Some(response) = &exchange.response else {
        return format!(
            "nothing: {}",
            exchange.fault.as_deref().unwrap_or("no reason known")
        );
    };
    let mut text = response.status.to_string();
    for (name, value) in &response.headers {
        if !NOISE.contains(&name.as_str()) {
            let _ = write!(text, "\n{name}: {value}");
        }
    }
    if let Some(body) = &response.body {
        let _ = write!(text, "\n{}", short(body));
    }
    text
}

fn short(body: &str) -> String {
    let mut kept: String = body.chars().take(MAX_BODY).collect();
    if kept.len() < body.len() {
        kept.push_str(" … (the whole is in report.html)");
    }
    kept
}

fn summary(record: &RunRecord, paint: Paint) -> String {
    let mut text = String::new();
    let counts = record.counts();
    let subject = &record.subject;
    let _ = writeln!(text, "  subject   {} at {}", subject.name, subject.url);
    if let Some(fault) = &subject.manifest_fault {
        let _ = writeln!(
            text,
            "  manifest  {}: {fault}; the whole core was tried all the same",
            paint.red("cannot be read")
        );
    } else {
        let profiles = if subject.profiles.is_empty() {
            "none".to_owned()
        } else {
            subject.profiles.join(", ")
        };
        let _ = writeln!(text, "  profiles  {profiles}");
    }
    let _ = writeln!(
        text,
        "  ran       {} scenarios in {:.2} s, seed {}, requirements {}",
        counts.pass + counts.fail + counts.known + counts.error,
        std::time::Duration::from_millis(record.duration_millis).as_secs_f64(),
        record.seed,
        record.requirements_revision
    );
    let mut parts = vec![paint.green(&format!("{} pass", counts.pass))];
    for (count, name) in [(counts.fail, "fail"), (counts.error, "error")] {
        let part = format!("{count} {name}");
        parts.push(if count > 0 { paint.red(&part) } else { part });
    }
    for (count, name) in [
        (counts.known, "known to fail"),
        (counts.skip, "skip"),
        (counts.disabled, "not declared"),
    ] {
        let part = format!("{count} {name}");
        parts.push(if count > 0 { paint.yellow(&part) } else { part });
    }
    let _ = writeln!(text, "  counts    {}", parts.join(", "));
    let _ = writeln!(
        text,
        "  distinct  {} scenarios hold with an endpoint, first requirement and outcome of their own\n            {} triples of endpoint, requirement and outcome, where each requirement of a scenario counts",
        record.own_passed(),
        record.triples_passed()
    );
    line(&mut text, "secrets", &secrets(record).join("\n"));
    for (reason, count) in skipped(record) {
        let _ = writeln!(text, "  skipped   {count}: {reason}");
    }
    let said = headline(record);
    let said = match record.conclusion() {
        Conclusion::Full => paint.green(&format!("PASS: {said}")),
        Conclusion::Partial => paint.yellow(&format!("PARTIAL: {said}")),
        Conclusion::Empty => paint.yellow(&format!("NOTHING RUN: {said}")),
        Conclusion::Failed => paint.red(&format!("FAIL: {said}")),
        Conclusion::Broken => paint.red(&format!("ERROR: {said}")),
    };
    let _ = writeln!(text, "\n{said}");
    text
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint {
    colours: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn red(self, text: &str) -> String {
        self.with("31;1", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32;1", text)
    }

    fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_json_is_broken_outside_of_its_strings_and_stays_json() {
        let text = format!("{{\"a\\\"\":\"{}\",\"b\":[1,2,3]}}", "x,".repeat(120));
        let lines = wrapped(&text);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines.concat(), text);
        assert_eq!(wrapped(&"x".repeat(200)).len(), 1);
        assert_eq!(wrapped("{}"), ["{}"]);
    }
}
