//! Test vectors of the Credential Lifecycle Protocol (CLP), embedded.
//!
//! A vector is an input and what an implementation has to make of it, as JSON, so that
//! an implementation in any language can use the files as they are. This crate only hands
//! them out: it depends on nothing that it could be used to test.

use include_dir::{Dir, File, include_dir};
use serde::Deserialize;
use serde_json::Value;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR");

/// The form of the files, a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("../vector.schema.json");

/// The manifest of the proposal that CLP began with, byte for byte. Every client has to
/// be able to read it.
pub const PROPOSAL_MANIFEST: &[u8] = include_bytes!("../discover/proposal-manifest.json");

/// The folder of the permission documents that model real providers.
const VOCABULARIES: &str = "permissions/vocabularies";

/// A file of vectors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// What is tested, and what `input` and `expect` hold.
    pub description: String,
    /// The requirement of the specification that is tested, such as `CLP-APP-006`.
    pub requirement: String,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// An input, and what has to come of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Names the vector, uniquely in its file.
    pub id: String,
    /// What is particular about it.
    pub comment: String,
    /// Marks by which a reader can pass over it; the file's description explains them.
    #[serde(default)]
    pub flags: Vec<String>,
    /// What goes in. Its members depend on the file.
    pub input: Value,
    /// What has to come out. Its members depend on the file.
    pub expect: Value,
}

/// Why there are no vectors.
#[derive(Debug)]
pub enum VectorFault {
    /// No file has this path.
    NoSuchFile,
    /// The file is not of the form that [`SCHEMA`] describes.
    Form(serde_json::Error),
}

impl std::fmt::Display for VectorFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchFile => formatter.write_str("no file of vectors has this path"),
            Self::Form(_) => formatter.write_str("the file of vectors is malformed"),
        }
    }
}

impl std::error::Error for VectorFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoSuchFile => None,
            Self::Form(error) => Some(error),
        }
    }
}

/// The path, such as `approval/digest.json`, and the bytes of every file of vectors, in
/// order of the paths.
#[must_use]
pub fn files() -> Vec<(&'static str, &'static [u8])> {
    let mut all: Vec<_> = FILES
        .dirs()
        .flat_map(Dir::files)
        .filter_map(as_vectors)
        .collect();
    all.sort_unstable();
    all
}

/// Reads the file of vectors at `path`.
///
/// # Errors
/// [`VectorFault`].
pub fn load(path: &str) -> Result<VectorFile, VectorFault> {
    let (_, bytes) = FILES
        .get_file(path)
        .and_then(as_vectors)
        .ok_or(VectorFault::NoSuchFile)?;
    serde_json::from_slice(bytes).map_err(VectorFault::Form)
}

/// The name, such as `github.json`, and the bytes of every permission document that models the
/// published permissions of a real provider, in order of the names. `README.md` beside them
/// says where each is from.
#[must_use]
pub fn vocabularies() -> Vec<(&'static str, &'static [u8])> {
    let folder = FILES.get_dir(VOCABULARIES);
    let mut all: Vec<_> = folder
        .into_iter()
        .flat_map(Dir::files)
        .filter(|file| file.path().extension().is_some_and(|it| it == "json"))
        .filter_map(|file| Some((file.path().file_name()?.to_str()?, file.contents())))
        .collect();
    all.sort_unstable();
    all
}

fn as_vectors(file: &'static File<'static>) -> Option<(&'static str, &'static [u8])> {
    let is_json = file.path().extension().is_some_and(|it| it == "json");
    let is_document = file.contents() == PROPOSAL_MANIFEST || file.path().starts_with(VOCABULARIES);
    let path = file.path().to_str()?;
    (is_json && !is_document && path.contains('/')).then_some((path, file.contents()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_no_id_occurs_twice() {
        let files = files();
        assert!(files.len() >= 17, "{} files", files.len());
        for (path, _) in files {
            let file = load(path).unwrap_or_else(|fault| panic!("{path}: {fault:?}"));
            let mut ids = std::collections::BTreeSet::new();
            for vector in file.vectors {
                assert!(ids.insert(vector.id.clone()), "{path}: {}", vector.id);
            }
        }
    }

    #[test]
    fn what_is_no_file_of_vectors_is_not_handed_out() {
        for path in [
            "discover/proposal-manifest.json",
            "permissions/vocabularies/github.json",
            "vector.schema.json",
            "src/lib.rs",
            "../Cargo.toml",
            "",
        ] {
            assert!(matches!(load(path), Err(VectorFault::NoSuchFile)), "{path}");
        }
    }

    #[test]
    fn the_vocabularies_are_handed_out_by_name() {
        let names: Vec<_> = vocabularies().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "cloudflare.json",
                "github.json",
                "postgresql.json",
                "stripe.json"
            ]
        );
    }

    #[test]
    fn the_proposals_manifest_is_as_it_was() {
        let manifest: Value = serde_json::from_slice(PROPOSAL_MANIFEST).unwrap();
        assert_eq!(manifest["issuer"], "ExampleAPI");
        assert_eq!(PROPOSAL_MANIFEST.len(), 625);
    }
}
