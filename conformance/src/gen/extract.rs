//! Requirements out of the spec's chapters, and what must hold of the prose around them.

use std::collections::HashMap;
use std::sync::LazyLock;

use clp_schemas::problem::ProblemType;
use regex::Regex;

use crate::requirements::{Extract, Requirement};

/// Who can be bound.
const ACTORS: [&str; 4] = ["issuer", "client", "verifier", "resource"];
/// What a program can claim.
const CLASSES: [&str; 13] = [
    "core",
    "approval",
    "approval-policy",
    "audit-proofs",
    "lifecycle",
    "inventory",
    "oauth",
    "webhooks",
    "bound-keys",
    "faults",
    "test-control",
    "client",
    "verifier",
];
/// The keywords in use. The others of BCP 14 mean the same and would be searched for in vain.
const KEYWORDS: [&str; 5] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];

/// The errors of RFC 6749 section 5.2, which the token endpoint answers instead of problems.
const OAUTH_ERRORS: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

#[expect(
    clippy::unwrap_used,
    reason = "the patterns are constants, and every test of this module compiles them"
)]
mod pattern {
    use super::{LazyLock, Regex};

    pub(super) static ITEM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^- \*\*(CLP-[A-Z]{3}-[0-9]{3})\*\* \(([a-z]+), ([a-z-]+)\) (.+)$").unwrap()
    });
    pub(super) static KEYWORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b(MUST NOT|MUST|SHALL NOT|SHALL|REQUIRED|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|MAY|OPTIONAL)\b")
            .unwrap()
    });
    // A name with `_` is a member or an endpoint, but for the errors of OAuth (`invalid_scope`).
    pub(super) static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\brefuse\b[^;]*?\bwith `([a-z]+(?:-[a-z]+)*|(?:invalid|unsupported|unauthorized)_[a-z_]+)`").unwrap()
    });
    pub(super) static CITATION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bCLP-[A-Z]{3}-[0-9]{3}\b").unwrap());
}

/// Reads every chapter, given by file name and text.
///
/// # Errors
/// Every fault found, each with file and line.
pub fn extract(chapters: &[(String, String)]) -> Result<Extract, Vec<String>> {
    let mut reader = Reader::default();
    for (name, text) in chapters {
        reader.chapter(name, text);
    }
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for one in &reader.found {
        if let Some(first) = seen.insert(&one.id, &one.section) {
            reader
                .faults
                .push(format!("{}: `{}` is also in {first}", one.section, one.id));
        }
    }
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    reader.found.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(Extract {
        protocol: "1.0".to_owned(),
        requirements: reader.found,
    })
}

/// The ids that a text cites.
pub fn citations(text: &str) -> impl Iterator<Item = &str> {
    pattern::CITATION
        .find_iter(text)
        .map(|found| found.as_str())
}

#[derive(Default)]
struct Reader {
    found: Vec<Requirement>,
    faults: Vec<String>,
    /// The item whose continuation lines are being read, with the line where it began.
    open: Option<(Requirement, usize)>,
}

impl Reader {
    fn chapter(&mut self, name: &str, text: &str) {
        let mut section = name.to_owned();
        let mut fence: Option<String> = None;
        let mut boilerplate = false;
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            if let Some(mark) = fence_of(line) {
                match &fence {
                    Some(open) if mark.starts_with(open.as_str()) => fence = None,
                    Some(_) => {}
                    None => fence = Some(mark.to_owned()),
                }
                self.close(name);
                continue;
            }
            if fence.is_some() {
                continue;
            }
            match line.trim() {
                "<!-- bcp14 -->" => boilerplate = true,
                "<!-- /bcp14 -->" => boilerplate = false,
                _ => {}
            }
            if let Some(heading) = line.strip_prefix('#') {
                section = format!("{name}#{}", anchor(heading.trim_start_matches('#')));
            }
            if line.starts_with("- **CLP-") {
                self.close(name);
                self.begin(name, number, line, &section);
            } else if let (Some((open, _)), Some(more)) =
                (self.open.as_mut(), line.strip_prefix("  "))
            {
                open.text.push(' ');
                open.text.push_str(more.trim());
            } else {
                self.close(name);
                if !boilerplate && let Some(word) = pattern::KEYWORD.find(line) {
                    self.faults.push(format!(
                        "spec/{name}:{number}: `{}` outside of a requirement; say it in lower case, or give it an id",
                        word.as_str()
                    ));
                }
            }
        }
        self.close(name);
        if fence.is_some() || boilerplate {
            self.faults.push(format!(
                "spec/{name}: a code block or a `bcp14` marker is never closed"
            ));
        }
    }

    fn begin(&mut self, name: &str, number: usize, line: &str, section: &str) {
        let Some((_, [id, actor, class, text])) =
            pattern::ITEM.captures(line).map(|found| found.extract())
        else {
            self.faults.push(format!(
                "spec/{name}:{number}: a requirement is written `- **CLP-XXX-nnn** (actor, class) Sentence.`"
            ));
            return;
        };
        if !ACTORS.contains(&actor) {
            self.faults.push(format!(
                "spec/{name}:{number}: `{actor}` is no actor; there are {}",
                ACTORS.join(", ")
            ));
        }
        if !CLASSES.contains(&class) {
            self.faults.push(format!(
                "spec/{name}:{number}: `{class}` is no class; there are {}",
                CLASSES.join(", ")
            ));
        }
        let requirement = Requirement {
            id: id.to_owned(),
            keyword: String::new(),
            actor: actor.to_owned(),
            class: class.to_owned(),
            section: section.to_owned(),
            text: text.trim().to_owned(),
        };
        self.open = Some((requirement, number));
    }

    fn close(&mut self, name: &str) {
        let Some((mut requirement, number)) = self.open.take() else {
            return;
        };
        let words: Vec<&str> = pattern::KEYWORD
            .find_iter(&requirement.text)
            .map(|found| found.as_str())
            .collect();
        match words.as_slice() {
            [word] if KEYWORDS.contains(word) => requirement.keyword = (*word).to_owned(),
            [word] => self.faults.push(format!(
                "spec/{name}:{number}: `{}` says `{word}`; the keywords in use are {}",
                requirement.id,
                KEYWORDS.join(", ")
            )),
            _ => self.faults.push(format!(
                "spec/{name}:{number}: `{}` has {} keywords of BCP 14; a requirement has one",
                requirement.id,
                words.len()
            )),
        }
        for problem in pattern::REFUSAL
            .captures_iter(&requirement.text)
            .filter_map(|found| found.get(1))
            .map(|problem| problem.as_str())
        {
            let of_oauth = requirement.class == "oauth" && OAUTH_ERRORS.contains(&problem);
            if !of_oauth && ProblemType::from_name(problem).is_none() {
                self.faults.push(format!(
                    "spec/{name}:{number}: `{}` refuses with `{problem}`, which is no problem of `schemas/src/problem.rs`",
                    requirement.id
                ));
            }
        }
        self.found.push(requirement);
    }
}

/// The run of backticks or tildes that a line begins a code block with, if it does.
fn fence_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mark = line
        .chars()
        .next()
        .filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let fence = line.get(..line.len() - rest.len())?;
    (fence.len() >= 3 && !rest.contains(mark)).then_some(fence)
}

/// The anchor that a heading gets in the book and on code hosts.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            ' ' | '-' => Some('-'),
            '_' => Some('_'),
            _ if letter.is_alphanumeric() => Some(letter),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Extract, Vec<String>> {
        extract(&[("13-create.md".to_owned(), text.to_owned())])
    }

    const GOOD: &str = "# Create\n\nWhy.\n\n## From a `request`\n\n- **CLP-CRE-001** (issuer, core) An issuer MUST NOT\n  do that.\n- **CLP-CRE-002** (client, client) A client MAY.\n\n```\nMUST\n```\n";

    #[test]
    fn a_requirement_is_read_with_its_continuation_and_section() {
        let found = read(GOOD).unwrap().requirements;
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text, "An issuer MUST NOT do that.");
        assert_eq!(found[0].keyword, "MUST NOT");
        assert_eq!(found[0].section, "13-create.md#from-a-request");
        assert_eq!(found[1].keyword, "MAY");
    }

    #[test]
    fn each_fault_is_seen() {
        let cases = [
            ("Prose that MUST not shout.", "outside of a requirement"),
            (
                "- **CLP-CRE-003** (issuer, core) It MUST and it MAY.",
                "has 2 keywords",
            ),
            (
                "- **CLP-CRE-003** (issuer, core) It does.",
                "has 0 keywords",
            ),
            (
                "- **CLP-CRE-003** (issuer, core) It SHALL.",
                "the keywords in use",
            ),
            ("- **CLP-CRE-003** (nobody, core) It MUST.", "is no actor"),
            ("- **CLP-CRE-003** (issuer, bronze) It MUST.", "is no class"),
            ("- **CLP-CRE-3** (issuer, core) It MUST.", "is written"),
            ("- **CLP-CRE-001** (issuer, core) It MUST.", "is also in"),
            (
                "- **CLP-CRE-003** (issuer, core) It MUST refuse `x` with `no-such-name`.",
                "which is no problem",
            ),
            (
                "- **CLP-CRE-003** (issuer, core) It MUST refuse it with `invalid_scope`.",
                "which is no problem",
            ),
            ("```\nunclosed", "never closed"),
            (
                "- **CLP-CRE-003** (issuer, core) It MUST.\n\n  Prose that MAY.",
                "outside of a requirement",
            ),
        ];
        for (more, expected) in cases {
            let faults = read(&format!("{GOOD}\n{more}\n")).unwrap_err();
            assert!(
                faults.iter().any(|fault| fault.contains(expected)),
                "{more}: {faults:?}"
            );
        }
    }

    #[test]
    fn the_boilerplate_may_name_the_keywords() {
        let text =
            format!("{GOOD}\n<!-- bcp14 -->\nThe key words MUST and SHALL are.\n<!-- /bcp14 -->\n");
        assert!(read(&text).is_ok());
    }
}
