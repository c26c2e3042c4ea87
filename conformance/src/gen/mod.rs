//! `cargo gen`: files that are made from others are committed, and a check says when they
//! have gone stale. It also holds the rules that the spec's text keeps.

mod blocks;
mod extract;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::requirements::{Extract, Frozen, REVISION};

/// Where ids are cited: folder and extension.
const CITERS: [(&str, &str); 5] = [
    ("conformance/features", "feature"),
    ("conformance/src/steps", "rs"),
    ("reference-issuer/src", "rs"),
    ("reference-client/src", "rs"),
    ("test-vectors", "json"),
];
/// What ids that only stand in examples begin with; no chapter uses this area.
const EXAMPLES: &str = "CLP-XXX-";

/// Whether to mend or only to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write what is stale.
    Write,
    /// Change nothing.
    Check,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Files that were stale, below the root; written in [`Mode::Write`].
    pub stale: Vec<String>,
    /// What generating cannot mend.
    pub faults: Vec<String>,
    /// How many files are generated, in whole or in part.
    pub files: usize,
}

/// The folder that holds `spec` and `schemas`, at or above `from`.
#[must_use]
pub fn root_above(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .find(|folder| folder.join("spec").is_dir() && folder.join("schemas").is_dir())
        .map(Path::to_path_buf)
}

/// Generates everything below `root`, or says what is stale.
///
/// # Errors
/// Where a file cannot be read or written.
pub fn run(root: &Path, mode: Mode) -> Result<Outcome, std::io::Error> {
    let mut outcome = Outcome::default();
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in clp_schemas::generate::files()? {
        wanted.insert(format!("schemas/{path}"), text);
    }
    let chapters = files_below(&root.join("spec"), "md")?;
    let (numbered, others): (Vec<_>, Vec<_>) = chapters
        .into_iter()
        .partition(|(name, _)| name.starts_with(|first: char| first.is_ascii_digit()));
    match extract::extract(&numbered) {
        Ok(found) => {
            outcome.faults.extend(frozen_faults(root, &found)?);
            outcome.faults.extend(citation_faults(root, &found)?);
            wanted.insert(
                "spec/requirements.json".to_owned(),
                serde_json::to_string_pretty(&found)? + "\n",
            );
        }
        Err(faults) => outcome.faults.extend(faults),
    }
    // Decisions and the summary hold no requirement, so they have to keep the same rule of prose.
    if let Err(faults) = extract::extract(&others) {
        outcome.faults.extend(faults);
    }
    let vector = |path: &str| {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside {
            return Err(format!("`{path}` is not below `test-vectors`"));
        }
        std::fs::read_to_string(root.join("test-vectors").join(path))
            .map_err(|fault| format!("the vector `{path}` cannot be read: {fault}"))
    };
    for (name, text) in &numbered {
        match blocks::fill(name, text, &vector) {
            Ok(filled) => {
                wanted.insert(format!("spec/{name}"), filled);
            }
            Err(faults) => outcome.faults.extend(faults),
        }
    }
    outcome.files = wanted.len();
    for (path, _) in files_below(&root.join("schemas/v1"), "json")? {
        let path = format!("schemas/v1/{path}");
        if !wanted.contains_key(&path) {
            if mode == Mode::Write {
                std::fs::remove_file(root.join(&path))?;
            }
            outcome.stale.push(path);
        }
    }
    for (path, text) in &wanted {
        let at = root.join(path);
        if std::fs::read_to_string(&at).is_ok_and(|there| there == *text) {
            continue;
        }
        if mode == Mode::Write {
            if let Some(folder) = at.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&at, text)?;
        }
        outcome.stale.push(path.clone());
    }
    Ok(outcome)
}

/// Files with an extension, by path below `folder`, in order. No folder is no file.
fn files_below(folder: &Path, extension: &str) -> Result<Vec<(String, String)>, std::io::Error> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        if !at.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&at)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path
                    .strip_prefix(folder)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, std::fs::read_to_string(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The frozen list names what the spec has, and until a second revision all of it.
fn frozen_faults(root: &Path, found: &Extract) -> Result<Vec<String>, std::io::Error> {
    let path = format!("conformance/requirements/{REVISION}.toml");
    let frozen: Frozen = match toml::from_str(&std::fs::read_to_string(root.join(&path))?) {
        Ok(frozen) => frozen,
        Err(fault) => return Ok(vec![format!("{path}: {}", fault.message())]),
    };
    let known: BTreeSet<&str> = found
        .requirements
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let mut listed = BTreeSet::new();
    let mut faults = Vec::new();
    for id in &frozen.requirements {
        if !listed.insert(id.as_str()) {
            faults.push(format!("{path}: `{id}` is listed twice"));
        }
        if !known.contains(id.as_str()) {
            faults.push(format!(
                "{path}: `{id}` is not in the spec; a revision keeps what it has"
            ));
        }
    }
    for id in known.difference(&listed) {
        faults.push(format!(
            "{path}: `{id}` is in the spec and not in the list; put it under `requirements`, and under `[excluded]` with the reason if nothing can test it from outside"
        ));
    }
    for (id, reason) in &frozen.excluded {
        if !listed.contains(id.as_str()) {
            faults.push(format!("{path}: `{id}` is excluded and not in the list"));
        }
        if reason.trim().is_empty() {
            faults.push(format!("{path}: `{id}` is excluded without a reason"));
        }
    }
    Ok(faults)
}

fn citation_faults(root: &Path, found: &Extract) -> Result<Vec<String>, std::io::Error> {
    let known: BTreeSet<&str> = found
        .requirements
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    let mut faults = Vec::new();
    for (folder, extension) in CITERS {
        for (name, text) in files_below(&root.join(folder), extension)? {
            let unknown: BTreeSet<&str> = extract::citations(&text)
                .filter(|id| !known.contains(id) && !id.starts_with(EXAMPLES))
                .collect();
            for id in unknown {
                faults.push(format!("{folder}/{name}: `{id}` is not in the spec"));
            }
        }
    }
    Ok(faults)
}
