//! How a scenario got to where it broke. Of a refusal: what was accepted before, and what was
//! changed then, so that it is seen which one thing the subject did not mind.

use crate::record::{ScenarioRecord, StepRecord, StepVerdict};
use crate::steps::grammar::{Phrase, phrase};

/// Most steps that are shown before the one that did not hold.
const MOST: usize = 12;

/// One line of the story, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) text: String,
}

/// The steps up to the one that did not hold.
pub(super) fn story(scenario: &ScenarioRecord) -> Vec<Part> {
    let steps = &scenario.steps;
    let broke = steps
        .iter()
        .position(|step| step.verdict == StepVerdict::Failed);
    let ran = broke.unwrap_or_else(|| {
        steps
            .iter()
            .filter(|step| step.verdict == StepVerdict::Passed)
            .count()
    });
    let before = steps.get(..ran).unwrap_or_default();
    let failing = broke.and_then(|at| steps.get(at));
    let part = |name, text| Part { name, text };
    let mut parts = twin(before, failing).unwrap_or_else(|| {
        let hidden = before.len().saturating_sub(MOST);
        let mut lines: Vec<String> = before.iter().skip(hidden).map(sentence).collect();
        if hidden > 0 {
            lines.insert(0, format!("({hidden} steps, which held)"));
        }
        vec![part("before", lines.join("\n"))]
    });
    parts.retain(|part| !part.text.is_empty());
    parts.extend(failing.map(|step| part("step", sentence(step))));
    parts
}

/// The call that was accepted, and what was changed since; `None` where what broke is not how
/// a changed call ended.
fn twin(before: &[StepRecord], failing: Option<&StepRecord>) -> Option<Vec<Part>> {
    let verdict = matches!(
        phrase(&failing?.text),
        Phrase::Refused { .. } | Phrase::Accepted | Phrase::Again { .. }
    );
    let accepted = before
        .iter()
        .rposition(|step| phrase(&step.text) == Phrase::Accepted)?;
    let call = before.get(..accepted)?.iter().rfind(|step| {
        matches!(
            phrase(&step.text),
            Phrase::Call { .. } | Phrase::Again { .. }
        )
    })?;
    let since: Vec<String> = before
        .get(accepted + 1..)?
        .iter()
        .map(|step| step.text.clone() + &table(step))
        .collect();
    let changes = !since.is_empty() || matches!(phrase(&failing?.text), Phrase::Again { .. });
    (verdict && changes).then(|| {
        vec![
            Part {
                name: "accepted",
                text: call.text.clone() + &table(call),
            },
            Part {
                name: "then",
                text: since.join("\n"),
            },
        ]
    })
}

/// A step with its table, on one line.
fn sentence(step: &StepRecord) -> String {
    format!("{} {}{}", step.keyword, step.text, table(step))
}

fn table(step: &StepRecord) -> String {
    let rows: Vec<String> = step
        .table
        .iter()
        // The first row says what the columns are.
        .skip(1)
        .map(|row| match row.as_slice() {
            [name, value] => format!("{name} = {value}"),
            cells => cells.join(" | "),
        })
        .collect();
    if rows.is_empty() {
        String::new()
    } else {
        format!(" {}", rows.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(steps: &[(&str, StepVerdict)]) -> Vec<(&'static str, String)> {
        let steps = steps.iter().map(|(text, verdict)| {
            let (keyword, text) = text.split_once(' ').unwrap();
            StepRecord {
                keyword: keyword.to_owned(),
                text: text.to_owned(),
                table: Vec::new(),
                verdict: *verdict,
            }
        });
        let scenario = ScenarioRecord {
            steps: steps.collect(),
            ..ScenarioRecord::default()
        };
        let parts = story(&scenario).into_iter();
        parts.map(|part| (part.name, part.text)).collect()
    }

    #[test]
    fn of_a_refusal_the_twin_is_told() {
        use StepVerdict::{Failed, NotRun, Passed};
        let text = |words: &str| words.to_owned();
        assert_eq!(
            told(&[
                ("Given Ana has a credential called old", Passed),
                ("When Ana calls credential_read on old", Passed),
                ("Then it is accepted", Passed),
                ("When the same call is made by Dov", Passed),
                ("Then it is refused as not-found", Failed),
                ("And the answer has:", NotRun),
            ]),
            [
                ("accepted", text("Ana calls credential_read on old")),
                ("then", text("the same call is made by Dov")),
                ("step", text("Then it is refused as not-found")),
            ]
        );
        assert_eq!(
            told(&[
                ("When Ana calls credential_read on old", Passed),
                ("Then it is accepted", Passed),
                ("And the answer has:", Failed),
            ]),
            [
                (
                    "before",
                    text("When Ana calls credential_read on old\nThen it is accepted")
                ),
                ("step", text("And the answer has:")),
            ]
        );
        assert_eq!(told(&[("Given a thing", NotRun)]), []);
    }
}
