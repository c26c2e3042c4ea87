//! The routes of a persona's own API, as data: what is called, and what has to be permitted.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// One method on one path template, and the access that it amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The method, in upper case.
    pub method: String,
    /// The path, such as `/v1/projects/{project}/records/{record}`.
    pub path: Template,
    /// The resource type that it touches.
    pub resource_type: String,
    /// The resource that it touches, in terms of the path's parameters.
    pub selector: Template,
    /// The action that has to be permitted.
    pub action: String,
    /// What it does with the data.
    pub effect: Effect,
    /// What it knows about an access, by the name of the constraint it bears on.
    #[serde(default)]
    pub facts: BTreeMap<String, FactSource>,
}

/// What a route does with the data of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Answers every value right below the path.
    List,
    /// Answers the value at the path.
    Read,
    /// Puts the body at the path.
    Write,
    /// Puts the body below the path, under the next free number.
    Append,
    /// Takes the value at the path away.
    Remove,
}

/// Where a fact about an access is taken from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FactSource {
    /// A parameter of the path, as text.
    Path(String),
    /// An integer in the query, and what holds where it is absent.
    Query {
        /// The name of the query parameter.
        name: String,
        /// Its value where it is absent.
        default: i64,
    },
    /// Whether the query has this parameter with the value `true`.
    Switch(String),
    /// The caller's IP address.
    Address,
}

/// A path with `{parameters}`, each a whole segment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Word(String),
    Parameter(String),
}

/// A text that is no path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a template: want segments joined by `/`, each a word or one `{{parameter}}`")]
pub struct NotATemplate;

/// The values of a template's parameters, by name.
pub type Parameters = BTreeMap<String, String>;

impl TryFrom<String> for Template {
    type Error = NotATemplate;

    fn try_from(text: String) -> Result<Self, NotATemplate> {
        let segments: Vec<Segment> = text
            .trim_start_matches('/')
            .split('/')
            .map(|segment| {
                let name = segment
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                let inner = name.unwrap_or(segment);
                if inner.is_empty() || inner.contains(['{', '}', '*', '%', '?', '#']) {
                    return Err(NotATemplate);
                }
                Ok(match name {
                    Some(name) => Segment::Parameter(name.to_owned()),
                    None => Segment::Word(segment.to_owned()),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { text, segments })
    }
}

impl Template {
    /// The names of its parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Word(_) => None,
        })
    }

    /// The parameters of a path (its segments already decoded) that has this form.
    #[must_use]
    pub fn matches(&self, path: &[String]) -> Option<Parameters> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut found = Parameters::new();
        for (segment, given) in self.segments.iter().zip(path) {
            match segment {
                Segment::Word(word) if word == given => {}
                Segment::Word(_) => return None,
                Segment::Parameter(_) if given.is_empty() => return None,
                Segment::Parameter(name) => {
                    found.insert(name.clone(), given.clone());
                }
            }
        }
        Some(found)
    }

    /// The template with its parameters filled in; `None` where one of them is not there.
    #[must_use]
    pub fn fill(&self, parameters: &Parameters) -> Option<String> {
        let filled: Option<Vec<&str>> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Word(word) => Some(word.as_str()),
                Segment::Parameter(name) => parameters.get(name).map(String::as_str),
            })
            .collect();
        Some(filled?.join("/"))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
