//! The proof that a client refuses for the reason that a scenario names: beside the refusal
//! stands the same task, done, and between the two lies exactly one change.

use std::collections::{BTreeMap, HashMap};

use gherkin::{Step, StepType};

use super::misbehaviour::{How, by_words};

/// A task as its text says, by part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Task {
    name: String,
    parts: BTreeMap<String, String>,
}

/// A task that was done, and what was changed since.
struct Twin {
    task: Task,
    changes: usize,
}

#[derive(Default)]
struct Reader {
    twins: HashMap<String, Twin>,
    last: Option<Task>,
    open: Option<Task>,
    /// What was done without being what the scenario is about.
    given: Vec<Task>,
    /// What the issuer does wrong, by the name of the newest.
    misbehaves: Option<&'static str>,
    judged: bool,
    outcome: Option<(String, String)>,
}

/// Checks a scenario about a client, and says what it is about.
pub(super) fn judge(steps: &[&Step]) -> Result<(String, String), (usize, String)> {
    let mut reader = Reader::default();
    for step in steps {
        reader
            .step(step)
            .map_err(|reason| (step.position.line, reason))?;
    }
    let end = steps.last().map_or(0, |step| step.position.line);
    if !reader.judged {
        return Err((
            end,
            "the scenario judges nothing: it has no `Then`".to_owned(),
        ));
    }
    reader.outcome.ok_or((
        end,
        "the scenario never says how a task ends: `it does so`, `it refuses` or `it was stopped there`"
            .to_owned(),
    ))
}

fn rows(step: &Step) -> BTreeMap<String, String> {
    step.table
        .iter()
        .flat_map(|table| table.rows.iter().skip(1))
        .filter_map(|row| {
            let (name, values) = row.split_first()?;
            Some((name.clone(), values.join(" | ")))
        })
        .collect()
}

impl Reader {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let text = step.value.trim().trim_end_matches(':').trim_end();
        let text = text.strip_suffix(" with").unwrap_or(text);
        if let Some(name) = text.strip_prefix("the client was asked to ") {
            self.unjudged();
            self.given(Task {
                name: name.to_owned(),
                parts: rows(step),
            });
        } else if let Some(name) = text.strip_prefix("the client is asked to ") {
            self.ask(Task {
                name: name.to_owned(),
                parts: rows(step),
            });
        } else if text == "it is asked the same" {
            let mut task = self
                .last
                .clone()
                .ok_or("there is no task yet that could be the same")?;
            task.parts.extend(rows(step));
            self.ask(task);
        } else if let Some(words) = text.strip_prefix("the issuer ")
            && step.ty == StepType::Given
        {
            self.misbehave(words)?;
        } else if step.ty == StepType::Given {
            self.unjudged();
            self.change();
        } else if step.ty == StepType::Then {
            self.judged = true;
            self.verdict(text)?;
        }
        Ok(())
    }

    fn misbehave(&mut self, words: &str) -> Result<(), String> {
        self.unjudged();
        self.change();
        if words == "is honest again" {
            self.misbehaves = None;
            return Ok(());
        }
        let found = by_words(words)
            .ok_or_else(|| format!("no issuer {words}: `misbehaviour.rs` lists what it can do"))?;
        self.misbehaves = Some(found.name);
        // One that wants patience on opening and on reading does one thing.
        if found.words == "says so on every reading" {
            for twin in self.twins.values_mut() {
                twin.changes = twin.changes.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn ask(&mut self, task: Task) {
        self.unjudged();
        self.last = Some(task.clone());
        self.open = Some(task);
    }

    /// A task whose end nobody judged may have changed something.
    fn unjudged(&mut self) {
        if self.open.take().is_some() {
            self.change();
        }
    }

    fn change(&mut self) {
        for twin in self.twins.values_mut() {
            twin.changes += 1;
        }
    }

    /// A task that is no point of the scenario. To do again what was done in the same way
    /// before only makes a fresh object, since the one before is used up.
    fn given(&mut self, task: Task) {
        if self.given.contains(&task) {
            return;
        }
        self.given.push(task.clone());
        let last = self.last.take();
        self.done(task);
        self.last = last;
    }

    fn done(&mut self, task: Task) {
        self.change();
        self.last = Some(task.clone());
        self.twins
            .insert(task.name.clone(), Twin { task, changes: 0 });
    }

    fn verdict(&mut self, text: &str) -> Result<(), String> {
        let outcome = match text {
            // There is no more to be done where nobody answers.
            "it does so" | "the other origin saw a connection" => "accepted",
            "it refuses" => "refused",
            "it was stopped there" => "stopped",
            _ => return Ok(()),
        };
        if self.open.is_none() && text.starts_with("the other origin") {
            return Ok(());
        }
        let task = self
            .open
            .take()
            .ok_or("there is no task whose end could be judged")?;
        let mut said = self.misbehaves.map(str::to_owned);
        match outcome {
            "accepted" => self.done(task.clone()),
            "stopped" => {
                let silent = super::misbehaviour::ALL
                    .iter()
                    .any(|one| Some(one.name) == self.misbehaves && matches!(one.how, How::Silent));
                if !silent {
                    return Err("nothing stops the client: the issuer has to go silent".to_owned());
                }
                self.change();
            }
            _ => {
                let changed = self.refused(&task)?;
                said = changed.or(said);
            }
        }
        let outcome = said.map_or_else(|| outcome.to_owned(), |said| format!("{outcome}: {said}"));
        self.outcome = Some((format!("client {}", task.name), outcome));
        Ok(())
    }

    /// The part of the task that differs from its twin, where it is that.
    fn refused(&self, task: &Task) -> Result<Option<String>, String> {
        let name = &task.name;
        let twin = self.twins.get(name).ok_or_else(|| {
            format!("the refusal of `{name}` has no twin: first show the task being done, then change one thing")
        })?;
        let names = twin.task.parts.keys().chain(
            task.parts
                .keys()
                .filter(|name| !twin.task.parts.contains_key(*name)),
        );
        let differ: Vec<&String> = names
            .filter(|name| twin.task.parts.get(*name) != task.parts.get(*name))
            .collect();
        let changes = twin.changes + differ.len();
        if changes != 1 {
            return Err(format!(
                "between `{name}` done and refused lie {changes} changes; there has to be exactly one"
            ));
        }
        Ok(differ.first().map(|name| (*name).clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gherkin::{Feature, GherkinEnv};

    fn judged(steps: &str) -> Result<(String, String), String> {
        let text = format!("Feature: x\n  Scenario: y\n{steps}");
        let feature = Feature::parse(text, GherkinEnv::default()).unwrap();
        let steps: Vec<&Step> = feature.scenarios[0].steps.iter().collect();
        judge(&steps).map_err(|(_, reason)| reason)
    }

    const DONE: &str = "    When the client is asked to discover\n    Then it does so\n";
    const AGAIN: &str = "    When it is asked the same\n    Then it refuses\n";

    #[test]
    fn a_refusal_beside_its_twin_with_one_change_loads() {
        let one = "    Given the issuer states the identifier of another issuer\n";
        let found = judged(&format!("{DONE}{one}{AGAIN}")).unwrap();
        let expected = ("client discover", "refused: other-identifier");
        assert_eq!((found.0.as_str(), found.1.as_str()), expected);
        let table = "    When it is asked the same with:\n      | member | value |\n      | test | false |\n    Then it refuses\n";
        let found = judged(&format!("{DONE}{table}")).unwrap();
        assert_eq!(found.1, "refused: test");
    }

    #[test]
    fn what_proves_nothing_does_not_load() {
        let one = "    Given the issuer states the identifier of another issuer\n";
        let two = "    Given the issuer contradicts itself about revocation\n";
        let alone = "    When the client is asked to discover\n    Then it refuses\n";
        for (steps, reason) in [
            (alone.to_owned(), "no twin"),
            (format!("{DONE}{AGAIN}"), "0 changes"),
            (format!("{DONE}{one}{two}{AGAIN}"), "2 changes"),
            (format!("{one}{alone}"), "no twin"),
            (
                "    When the client is asked to discover\n".to_owned(),
                "judges nothing",
            ),
            (format!("{DONE}    Given the issuer flies\n"), "no issuer"),
            (
                "    When the client is asked to discover\n    Then it was stopped there\n"
                    .to_owned(),
                "has to go silent",
            ),
        ] {
            let found = judged(&steps).unwrap_err();
            assert!(found.contains(reason), "{steps}\n{found}");
        }
    }
}
