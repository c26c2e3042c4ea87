//! Text that stands in the chapters between markers: the tables and diagrams that the code
//! already holds.

use std::fmt::Write as _;

use clp_schemas::endpoint::{self, Auth, Base, Endpoint, Idempotency, Media, Precondition};
use clp_schemas::problem::{Fault, ProblemType};
use clp_schemas::state::{Machine, Named, credential, installation, request, rotation};
use clp_schemas::target::RegisteredKind;
use serde_json::Value;

const OPEN: &str = "<!-- generated:";
const SHUT: &str = "<!-- /generated -->";

/// Fills every block of a chapter. `vector` finds a test vector by its path.
///
/// # Errors
/// Every block that is unknown or never closed, with its line.
pub fn fill(
    chapter: &str,
    text: &str,
    vector: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, Vec<String>> {
    let mut filled = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        let Some(name) = line
            .strip_prefix(OPEN)
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        match block(name, vector) {
            Ok(block) => filled.push_str(&block),
            Err(fault) => faults.push(format!("spec/{chapter}:{}: {fault}", at + 1)),
        }
        if !lines.any(|(_, line)| line == SHUT) {
            faults.push(format!(
                "spec/{chapter}:{}: `{name}` is never closed",
                at + 1
            ));
            break;
        }
        filled.push_str(SHUT);
        filled.push('\n');
    }
    if faults.is_empty() {
        Ok(filled)
    } else {
        Err(faults)
    }
}

fn block(name: &str, vector: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let (kind, of) = name.split_once('/').unwrap_or((name, ""));
    match (kind, of) {
        ("problems", "") => Ok(problems()),
        ("targets", "") => Ok(targets()),
        ("endpoints", of) => endpoints(of),
        ("states", "credential") => Ok(states(&credential::MACHINE)),
        ("states", "request") => Ok(states(&request::MACHINE)),
        ("states", "installation") => Ok(states(&installation::MACHINE)),
        ("states", "rotation") => Ok(states(&rotation::MACHINE)),
        ("vector", path) => {
            let (path, part) = path.split_once('#').unwrap_or((path, ""));
            example(&vector(path)?, path, part)
        }
        _ => Err(format!("there is no block `{name}`")),
    }
}

/// The kinds of places that are registered.
fn targets() -> String {
    let mut text = "| Name | What it is | Takes up a new secret |\n|---|---|---|\n".to_owned();
    for kind in RegisteredKind::ALL {
        // Writing to a string cannot fail.
        let (meaning, takes_up) = (kind.meaning(), kind.takes_up());
        let _ = writeln!(text, "| `{kind}` | {meaning} | `{takes_up}` |");
    }
    text
}

/// One vector by its id, or a whole file that is not a list of vectors.
fn example(text: &str, path: &str, id: &str) -> Result<String, String> {
    let file: Value = serde_json::from_str(text)
        .map_err(|fault| format!("the vector `{path}` is not JSON: {fault}"))?;
    if id.is_empty() {
        return Ok(format!("```json\n{}\n```\n", pretty(&file)?));
    }
    let one = file
        .get("vectors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|one| one.get("id").and_then(Value::as_str) == Some(id))
        .ok_or_else(|| format!("the file `{path}` has no vector `{id}`"))?;
    let comment = one
        .get("comment")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut text =
        format!("Vector `{id}` of `test-vectors/{path}`: {comment}. Input and what is expected:\n");
    for name in ["input", "expect"] {
        let part = one
            .get(name)
            .ok_or_else(|| format!("the vector `{id}` has no `{name}`"))?;
        let _ = write!(text, "\n```json\n{}\n```\n", pretty(part)?);
    }
    Ok(text)
}

fn pretty(value: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|fault| fault.to_string())
}

fn endpoints(of: &str) -> Result<String, String> {
    let rows: Vec<&Endpoint> = endpoint::ALL
        .iter()
        .copied()
        .filter(|row| match row.base {
            Base::Control => row.class.name() == of,
            Base::Origin | Base::Credentials => {
                row.operation.name() == of || row.class.name() == of
            }
        })
        .collect();
    if rows.is_empty() {
        return Err(format!("no endpoint belongs to `{of}`"));
    }
    let mut text = String::from(
        "| Endpoint | Call | Class | Caller | Idempotency-Key | Precondition | Success | Problems of its own |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let problems: Vec<String> = row
            .own_problems
            .iter()
            .map(|kind| format!("`{}`", kind.name()))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | `{}` | `{}` | {} | {} | {} | {} | {} |",
            row.name,
            row.signature(),
            row.class.name(),
            caller(row.auth),
            match row.idempotency {
                Idempotency::Key => "needed",
                Idempotency::None => "—",
            },
            precondition(row.precondition),
            success(row),
            if problems.is_empty() {
                "—".to_owned()
            } else {
                problems.join(", ")
            },
        );
    }
    Ok(text)
}

fn caller(auth: Auth) -> &'static str {
    match auth {
        Auth::Anyone => "anybody",
        Auth::Principal => "principal",
        Auth::PrincipalOrSelf => "principal, or the credential itself",
        Auth::Control => "holder of the test control token",
    }
}

/// What the caller has to name, or that the answer carries a tag.
fn precondition(precondition: Precondition) -> &'static str {
    match precondition {
        Precondition::None => "—",
        Precondition::Tagged => "tagged",
        Precondition::IfMatch => "`If-Match`",
        Precondition::IfMatchOrNew => "`If-Match`, or `If-None-Match: *` for a new one",
    }
}

fn success(row: &Endpoint) -> String {
    let statuses: Vec<String> = row.successes().iter().map(u16::to_string).collect();
    let statuses = statuses.join(" or ");
    match row.media {
        Media::Json => format!("{statuses} JSON"),
        Media::Text => format!("{statuses} text"),
        Media::Empty => statuses,
    }
}

fn problems() -> String {
    let mut text = String::from("| Problem | Status | Whose turn | Title |\n|---|---|---|---|\n");
    for kind in ProblemType::ALL {
        let turn = match kind.fault() {
            Fault::Peer => "the caller's",
            Fault::Person => "a person's",
            Fault::Issuer => "the issuer's",
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {turn} | {} |",
            kind.name(),
            kind.status(),
            kind.title()
        );
    }
    text
}

fn states<S: Copy + PartialEq + Named, E: Copy + PartialEq + Named>(
    machine: &Machine<S, E>,
) -> String {
    let mut text = format!("```mermaid\n{}```\n\n", machine.mermaid());
    text.push_str("| From | Event | To |\n|---|---|---|\n");
    for row in machine.transitions {
        let _ = writeln!(
            text,
            "| `{}` | `{}` | `{}` |",
            row.from.name(),
            row.event.name(),
            row.to.name()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(path: &str) -> Result<String, String> {
        Err(format!("there is no vector `{path}`"))
    }

    #[test]
    fn a_block_is_replaced_and_the_rest_is_left_alone() {
        let text =
            "Before.\n\n<!-- generated:problems -->\nleftover\n<!-- /generated -->\n\nAfter.\n";
        let once = fill("x.md", text, &none).unwrap();
        assert!(once.starts_with("Before.\n\n<!-- generated:problems -->\n| Problem"));
        assert!(once.ends_with("<!-- /generated -->\n\nAfter.\n"));
        assert!(!once.contains("leftover"));
        assert_eq!(fill("x.md", &once, &none).unwrap(), once);
    }

    #[test]
    fn an_unknown_or_open_block_is_a_fault() {
        for name in [
            "nonsense",
            "endpoints/nonsense",
            "states/nonsense",
            "vector/nonsense",
        ] {
            let text = format!("<!-- generated:{name} -->\n<!-- /generated -->\n");
            assert_eq!(fill("x.md", &text, &none).unwrap_err().len(), 1, "{name}");
        }
        assert!(fill("x.md", "<!-- generated:problems -->\n", &none).is_err());
    }

    #[test]
    fn a_vector_is_found_by_its_id() {
        let file = r#"{"vectors": [{"id": "a-b", "comment": "small", "input": {"c": 1}, "expect": {"d": 2}}]}"#;
        let found = |_: &str| Ok(file.to_owned());
        let text = "<!-- generated:vector/a.json#a-b -->\n<!-- /generated -->\n";
        let filled = fill("x.md", text, &found).unwrap();
        let input = filled.find("\"c\": 1").unwrap();
        let expect = filled.find("\"d\": 2").unwrap();
        assert!(
            filled.contains("Vector `a-b` of `test-vectors/a.json`: small.") && input < expect,
            "{filled}"
        );
        assert!(fill("x.md", &text.replace("a-b", "a-c"), &found).is_err());
    }

    #[test]
    fn every_endpoint_stands_in_some_table() {
        let mut all = String::new();
        for of in [
            "discover",
            "scope",
            "request",
            "approve",
            "create",
            "store",
            "inject",
            "inventory",
            "rotate",
            "revoke",
            "audit",
            "test-control",
            "approval-policy",
            "faults",
        ] {
            all.push_str(&endpoints(of).unwrap());
        }
        for row in endpoint::ALL {
            assert!(all.contains(&format!("`{}`", row.name)), "{}", row.name);
        }
    }
}
