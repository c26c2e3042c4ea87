//! The proof that a refusal is refused for the reason it names: beside it stands an accepted
//! call of the same endpoint, and between the two lies exactly one change. Where a call has
//! several faults, each of them is added to a call whose refusal is proven already, and the
//! problem changes with it.
//!
//! What is given after the first acceptance is a change like any other, unless [`Ground`] knows
//! it as one that only makes again what the call before used up.

mod ground;

use std::collections::{BTreeMap, HashMap};

use clp_schemas::endpoint::{self, BodyForm};
use clp_schemas::ops::oauth::OauthErrorCode;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::Named as _;
use gherkin::{Step, StepType};

use self::ground::{Given, Ground, Origin};
use crate::steps::grammar::{Phrase, phrase};

/// How an accepted outcome is named.
const ACCEPTED: &str = "accepted";
/// What stands for a call with a minted key, which is no endpoint of the protocol.
const RESOURCE: &str = "resource";

/// The part of a call that says who makes it.
const CALLER: &str = "the caller";
/// The part of a call that says on what it is made.
const OBJECT: &str = "the object";

/// Checks a scenario's steps.
///
/// Returns the endpoint and the outcome that the scenario is about: those of its last
/// refusal, or else of its last acceptance.
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
    reader.refusal.or(reader.acceptance).ok_or((
        end,
        "the scenario never says that a call is accepted or refused".to_owned(),
    ))
}

/// A call, as far as its text says: each part that can differ, by name.
#[derive(Clone, Debug)]
struct Call {
    endpoint: String,
    parts: BTreeMap<String, String>,
    /// The parts, with the making of each object they refer to in place of its name.
    forms: BTreeMap<String, String>,
    /// How what it is made on came about.
    history: Vec<Origin>,
}

impl Call {
    fn fresh(endpoint: String, step: &Step, ground: &Ground) -> Self {
        let (caller, rest) = step
            .value
            .split_once(" calls ")
            .unwrap_or(("", &step.value));
        let (rest, object) = rest.split_once(" on ").unwrap_or((rest, ""));
        let mut parts = BTreeMap::from([
            (CALLER.to_owned(), caller.to_owned()),
            (
                OBJECT.to_owned(),
                object.trim_end_matches(" with:").to_owned(),
            ),
            ("the sentence".to_owned(), rest.to_owned()),
        ]);
        parts.extend(rows(step));
        let mut call = Self {
            endpoint,
            parts,
            forms: BTreeMap::new(),
            history: Vec::new(),
        };
        call.remember(ground);
        call
    }

    /// Takes down how what it is about came about.
    fn remember(&mut self, ground: &Ground) {
        let object = match self.parts.get(OBJECT).map_or("", String::as_str) {
            "" if self.endpoint.starts_with("installation_") => "installation",
            object => object,
        };
        self.history = ground.history(object);
        self.forms = self
            .parts
            .iter()
            .map(|(name, value)| (name.clone(), ground.form(value)))
            .collect();
    }

    /// The same call with what a repetition's sentence and table change.
    fn changed(&self, sentence: Option<&str>, step: &Step, ground: &Ground) -> Self {
        let mut call = self.clone();
        for change in sentence
            .into_iter()
            .flat_map(clauses)
            .filter(|change| *change != "with")
        {
            let (part, value) = if let Some(caller) = change.strip_prefix("by ") {
                (CALLER, caller)
            } else if let Some(object) = change.strip_prefix("on ") {
                (OBJECT, object)
            } else {
                let change = change.strip_prefix("with ").unwrap_or(change);
                change.split_once(" set to ").unwrap_or((change, ""))
            };
            call.parts.insert(part.to_owned(), value.to_owned());
        }
        call.parts.extend(rows(step));
        call.remember(ground);
        call
    }

    /// In how many parts two calls differ, `changes` made between them counted in. What can be
    /// used only once has to be another one the second time, so another object that came about
    /// in the same way counts where nothing else differs.
    fn differences(&self, other: &Self, changes: usize) -> usize {
        let names = self.parts.keys().chain(
            other
                .parts
                .keys()
                .filter(|name| !self.parts.contains_key(*name)),
        );
        let differ: Vec<&String> = names
            .filter(|name| self.parts.get(*name) != other.parts.get(*name))
            .collect();
        let named = differ
            .iter()
            .filter(|name| **name != OBJECT && self.forms.get(**name) != other.forms.get(**name))
            .count();
        let besides = changes + named + ground::differences(&self.history, &other.history);
        let others = differ.iter().filter(|name| **name != OBJECT).count();
        match (besides, others) {
            (0, 0) => differ.len(),
            (0, others) => others,
            (besides, _) => besides,
        }
    }
}

/// The changes that a sentence names, joined by "and"; one within quotes joins nothing.
fn clauses(sentence: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begin = 0;
    for (at, joint) in sentence.match_indices(" and ") {
        let before = sentence.get(begin..at).unwrap_or_default();
        if before.matches('"').count() % 2 == 0 {
            found.push(before);
            begin = at + joint.len();
        }
    }
    found.push(sentence.get(begin..).unwrap_or_default());
    found
}

/// A step's table below its heading, and the text below it.
fn rows(step: &Step) -> impl Iterator<Item = (String, String)> {
    let table = step
        .table
        .iter()
        .flat_map(|table| table.rows.iter().skip(1));
    let rows = table.filter_map(|row| {
        let (name, values) = row.split_first()?;
        Some((name.clone(), values.join(" | ")))
    });
    let text = step
        .docstring
        .iter()
        .map(|text| ("the text".to_owned(), text.clone()));
    rows.chain(text)
}

/// A call whose outcome is known, and how many changes were made since.
struct Twin {
    call: Call,
    changes: usize,
    /// The problem, where it was refused.
    problem: Option<String>,
}

impl Twin {
    /// How many changes lie between it and a call.
    fn distance(&self, call: &Call) -> usize {
        call.differences(&self.call, self.changes)
    }
}

/// Checks that an endpoint can answer with a problem, or with an error of OAuth.
fn answers(endpoint: &str, problem: &str) -> Result<(), String> {
    let row = endpoint::ALL
        .iter()
        .find(|row| row.name == endpoint)
        .ok_or_else(|| format!("`{endpoint}` is not in the endpoint table"))?;
    let oauth = row.body() == BodyForm::Form
        && OauthErrorCode::ALL
            .iter()
            .any(|code| code.name() == problem);
    if oauth {
        return Ok(());
    }
    let kind = ProblemType::from_name(problem)
        .ok_or_else(|| format!("`{problem}` is not in the registry of problems"))?;
    if row.problems().contains(&kind) {
        Ok(())
    } else {
        Err(format!(
            "`{endpoint}` never answers `{problem}`, says its row in the endpoint table"
        ))
    }
}

#[derive(Default)]
struct Reader {
    /// What was given so far.
    ground: Ground,
    /// The last accepted call of each endpoint.
    twins: HashMap<String, Twin>,
    /// The calls whose refusal is proven.
    refused: Vec<Twin>,
    /// The call that "the same call" repeats: the last one that is no repetition itself.
    base: Option<Call>,
    /// The call that awaits its verdict.
    open: Option<Call>,
    judged: bool,
    refusal: Option<(String, String)>,
    acceptance: Option<(String, String)>,
}

impl Reader {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        if step.ty == StepType::Given {
            // Before the first acceptance it is there for the twin and for the refusal alike.
            let given = self.ground.take(step, self.twins.is_empty());
            if given == Given::Changed {
                self.unjudged();
                self.change();
            }
            return Ok(());
        }
        if step.ty == StepType::Then {
            self.judged = true;
        }
        match phrase(&step.value) {
            Phrase::Call { endpoint } => {
                self.unjudged();
                let call = Call::fresh(endpoint, step, &self.ground);
                self.base = Some(call.clone());
                self.open = Some(call);
            }
            Phrase::Again { change } => {
                self.unjudged();
                let base = self
                    .base
                    .as_ref()
                    .ok_or("there is no call yet that could be the same")?;
                self.open = Some(base.changed(change.as_deref(), step, &self.ground));
            }
            Phrase::Accepted => {
                let call = self
                    .open
                    .take()
                    .ok_or("there is no call that could be accepted")?;
                self.accept(call);
            }
            Phrase::Refused { problem } => {
                let call = self
                    .open
                    .take()
                    .ok_or("there is no call that could be refused")?;
                self.refuse(&call, problem)?;
            }
            Phrase::Other if step.ty == StepType::When => {
                self.unjudged();
                self.change();
            }
            Phrase::Other => {}
        }
        Ok(())
    }

    /// A call whose verdict nobody gave may have changed something.
    fn unjudged(&mut self) {
        if self.open.take().is_some() {
            self.change();
        }
    }

    /// Something changed, for every twin.
    fn change(&mut self) {
        for twin in self.twins.values_mut().chain(&mut self.refused) {
            twin.changes += 1;
        }
    }

    fn accept(&mut self, call: Call) {
        self.change();
        self.acceptance = Some((call.endpoint.clone(), ACCEPTED.to_owned()));
        let twin = Twin {
            changes: 0,
            problem: None,
            call,
        };
        self.twins.insert(twin.call.endpoint.clone(), twin);
    }

    fn refuse(&mut self, call: &Call, problem: String) -> Result<(), String> {
        let name = &call.endpoint;
        if name != RESOURCE {
            answers(name, &problem)?;
        }
        let twin = self.twins.get(name).ok_or_else(|| {
            format!("the refusal of `{name}` has no twin: first show the call being accepted, then change one thing")
        })?;
        // Saying it again is the change, where nothing else is.
        let changes = twin.distance(call).max(1);
        let added = self.refused.iter().any(|one| {
            one.call.endpoint == *name
                && one.distance(call) == 1
                && one.problem.as_ref() != Some(&problem)
        });
        if changes != 1 && !added {
            return Err(format!(
                "between the accepted `{name}` and its refusal lie {changes} changes; there has to be exactly one"
            ));
        }
        self.refused.push(Twin {
            call: call.clone(),
            changes: 0,
            problem: Some(problem.clone()),
        });
        self.refusal = Some((name.clone(), problem));
        Ok(())
    }
}
