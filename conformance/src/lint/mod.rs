//! The linter of permission documents (specification chapter 04-permissions).
//!
//! It reads the JSON by itself and says everything that it finds, where a reader that only
//! refuses stops at the first fault. The two agree: a document has an *error* here exactly if
//! `PermissionDocument` refuses it, which a test holds. Warnings and notes are about what the
//! specification admits and the people who are to agree to it would stumble over.

#[cfg(test)]
mod examples;
mod form;
mod graph;
mod model;
mod show;
mod source;
mod words;

use serde::Serialize;
use serde_json::Value;

pub use show::{Report, json, text};
pub use source::{Document, MAX_DOCUMENT, SourceFault, read};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The specification refuses the document.
    Error,
    /// The document is admitted and misleads somebody.
    Warning,
    /// Worth a look.
    Note,
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Not JSON, or JSON that readers understand differently.
    NotJson,
    /// A value of another type than the member's.
    WrongType,
    /// A member that is needed.
    MissingMember,
    /// A member that the specification does not define.
    UnknownMember,
    /// A word that is none of a closed list.
    UnknownValue,
    /// Too few or too many entries.
    Size,
    /// A name of a form that is not admitted.
    Name,
    /// Something twice that stands once.
    Repeated,
    /// A resource type that only the specification defines.
    Reserved,
    /// An implied action that the resource type does not have.
    UnknownImplied,
    /// An action that implies itself.
    Cycle,
    /// A text that is empty, too long, or not one plain line.
    Text,
    /// A language tag that is none.
    Language,
    /// A brace in a consent text that is no `{selector}`, or a second one.
    Placeholder,
    /// An action with less risk than one that it implies.
    LessRisky,
    /// A deprecated action that others still grant.
    DeprecatedImplied,
    /// An action whose consent text is too long to be shown.
    NeverApproved,
    /// A consent text without its placeholder.
    NoSelector,
    /// A text without a language that other texts have.
    LanguageMissing,
    /// Two actions that ask for consent in the same words.
    SameConsent,
    /// Names that people take for the same.
    Confusable,
    /// An action that nobody should ask for, and that nothing else grants.
    DeadAction,
    /// An implied action that another implied one includes.
    Redundant,
}

impl Code {
    /// Every code, in the order of severity.
    pub const ALL: [Self; 23] = [
        Self::NotJson,
        Self::WrongType,
        Self::MissingMember,
        Self::UnknownMember,
        Self::UnknownValue,
        Self::Size,
        Self::Name,
        Self::Repeated,
        Self::Reserved,
        Self::UnknownImplied,
        Self::Cycle,
        Self::Text,
        Self::Language,
        Self::Placeholder,
        Self::LessRisky,
        Self::DeprecatedImplied,
        Self::NeverApproved,
        Self::NoSelector,
        Self::LanguageMissing,
        Self::SameConsent,
        Self::Confusable,
        Self::DeadAction,
        Self::Redundant,
    ];

    /// How much it weighs.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::LessRisky
            | Self::DeprecatedImplied
            | Self::NeverApproved
            | Self::NoSelector
            | Self::LanguageMissing
            | Self::SameConsent
            | Self::Confusable => Severity::Warning,
            Self::DeadAction | Self::Redundant => Severity::Note,
            _ => Severity::Error,
        }
    }

    /// The requirement that an error breaks.
    #[must_use]
    pub const fn requirement(self) -> Option<&'static str> {
        match self.severity() {
            Severity::Warning | Severity::Note => None,
            Severity::Error => Some(match self {
                Self::Reserved => "CLP-PRM-003",
                Self::UnknownImplied | Self::Cycle => "CLP-PRM-002",
                _ => "CLP-PRM-001",
            }),
        }
    }
}

/// One thing that is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// What it is.
    pub code: Code,
    /// The requirement that it breaks; errors alone have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<&'static str>,
    /// JSON Pointer (RFC 6901) to the place. Where a name is itself at fault, it points to the
    /// object that holds the name.
    pub pointer: String,
    /// What is wrong, why that matters, and what to do, in one paragraph.
    pub message: String,
}

/// What is found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, code: Code, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding {
            severity: code.severity(),
            code,
            requirement: code.requirement(),
            pointer: pointer.into(),
            message: message.into(),
        });
    }
}

/// Everything that is found in the bytes of a permission document: errors first, and each
/// kind in the order of the document.
#[must_use]
pub fn lint(bytes: &[u8]) -> Vec<Finding> {
    match source::parse(bytes) {
        Ok(value) => lint_value(&value),
        Err(fault) => {
            let mut findings = Findings::default();
            findings.add(
                Code::NotJson,
                "",
                format!("the document cannot be read: {fault}; readers have to agree on what it says, so that its digest means one thing"),
            );
            findings.0
        }
    }
}

/// Everything that is found in a permission document that was read already.
#[must_use]
pub fn lint_value(document: &Value) -> Vec<Finding> {
    let mut findings = Findings::default();
    let model = form::read(document, &mut findings);
    graph::look(&model, &mut findings);
    words::look(&model, &mut findings);
    let mut found = findings.0;
    found.sort_by_key(|one| one.severity);
    found
}

/// Text of the document as it can be shown, in backticks.
fn shown(text: &str) -> String {
    format!("`{}`", harmless(text))
}

/// Text of the document without what a terminal obeys, and not too long.
fn harmless(text: &str) -> String {
    const MOST: usize = 80;
    let head: String = text.chars().take(MOST).collect();
    let rest = if text.chars().nth(MOST).is_some() {
        "..."
    } else {
        ""
    };
    format!("{}{rest}", head.escape_debug())
}
