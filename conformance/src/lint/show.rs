//! Findings for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Document, Finding, Severity, lint};

/// What is found in one document.
#[derive(Clone, Debug)]
pub struct Report {
    document: Document,
    findings: Vec<Finding>,
}

impl Report {
    /// Looks at a document.
    #[must_use]
    pub fn of(document: Document) -> Self {
        Self {
            findings: lint(&document.bytes),
            document,
        }
    }

    /// Whether nothing has to be done: no error, and where it is `strict` no warning either.
    #[must_use]
    pub fn is_fine(&self, strict: bool) -> bool {
        let [errors, warnings, _] = self.counts();
        errors == 0 && !(strict && warnings > 0)
    }

    fn counts(&self) -> [usize; 3] {
        [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
            self.findings
                .iter()
                .filter(|one| one.severity == severity)
                .count()
        })
    }
}

/// Findings for people: a paragraph each, and a line for each document that counts them.
#[must_use]
pub fn text(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        one(report, &mut text);
    }
    text
}

fn one(report: &Report, text: &mut String) {
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let code = json!(finding.code);
        let breaks = finding
            .requirement
            .map(|id| format!(" ({id})"))
            .unwrap_or_default();
        let place = if finding.pointer.is_empty() {
            "the whole document".to_owned()
        } else {
            finding.pointer.escape_debug().to_string()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{severity} {}{breaks} at {place}\n  {}",
            code.as_str().unwrap_or_default(),
            finding.message
        );
    }
    let [errors, warnings, notes] = report.counts();
    let digest = report.document.digest();
    let _ = writeln!(
        text,
        "{}: {}, {}, {}{}",
        report.document.source,
        many(errors, "error"),
        many(warnings, "warning"),
        many(notes, "note"),
        digest
            .map(|digest| format!("; {digest}"))
            .unwrap_or_default()
    );
}

fn many(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Findings for programs.
#[must_use]
pub fn json(reports: &[Report]) -> Value {
    let documents: Vec<_> = reports
        .iter()
        .map(|report| {
            let [errors, warnings, notes] = report.counts();
            let mut shown = json!({
                "source": report.document.source,
                "errors": errors,
                "warnings": warnings,
                "notes": notes,
                "findings": report.findings,
            });
            if let (Some(digest), Some(object)) = (report.document.digest(), shown.as_object_mut())
            {
                object.insert("digest".to_owned(), json!(digest));
            }
            shown
        })
        .collect();
    json!({ "documents": documents })
}
