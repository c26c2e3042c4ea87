//! The house: which package may know which, what stands at the top, and how long a file is.

#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Longest source file, in lines.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// The workspace's own packages; others are not asked for, so that nothing is downloaded.
fn metadata() -> cargo_metadata::Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("clp-test-vectors", &[][..]),
        ("clp-schemas", &[][..]),
        ("clp-issuer", &["clp-schemas"][..]),
        ("clp-client", &["clp-schemas"][..]),
        (
            "clp-conformance",
            &[
                "clp-schemas",
                "clp-test-vectors",
                "clp-issuer",
                "clp-client",
            ][..],
        ),
    ]);
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .map(|one| one.name.to_string())
        .collect();
    assert_eq!(
        ours,
        allowed.keys().map(|name| (*name).to_owned()).collect()
    );
    for package in metadata.workspace_packages() {
        let may = allowed[package.name.as_str()];
        for dependency in &package.dependencies {
            // Tests of the schemas and the peers read the vectors.
            let vectors = dependency.kind == DependencyKind::Development
                && dependency.name == "clp-test-vectors";
            if ours.contains(&dependency.name) && !vectors {
                assert!(
                    may.contains(&dependency.name.as_str()),
                    "{} knows {}",
                    package.name,
                    dependency.name
                );
            }
        }
    }
}

#[test]
fn one_crypto_provider_and_no_openssl() {
    // As built for this machine: the lock file also names what no feature turns on.
    let tree = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--prefix",
            "none",
            "--edges",
            "normal,build,dev",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    for banned in ["ring", "openssl", "openssl-sys", "native-tls"] {
        assert!(!names.contains(banned), "{banned} is in the tree");
    }
    assert!(names.contains("aws-lc-rs"));
}

/// Every file below a folder, but for what git does not keep.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                files(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    for folder in [
        "schemas",
        "test-vectors",
        "reference-issuer",
        "reference-client",
        "conformance",
    ] {
        files(&root.join(folder), &mut found);
    }
    found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (
                path.strip_prefix(&root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                text,
            )
        })
        .collect()
}

#[test]
fn the_suite_knows_the_peers_in_one_place_each() {
    let subject = |path: &str| {
        [
            "conformance/src/subject/reference.rs",
            "conformance/src/subject/client.rs",
        ]
        .contains(&path)
    };
    let me = "conformance/tests/house.rs";
    for (path, text) in sources() {
        if path.starts_with("conformance/") && path != me && !subject(&path) {
            assert!(
                !text.contains("clp_issuer"),
                "{path} imports the reference issuer"
            );
            assert!(
                !text.contains("clp_client"),
                "{path} imports the reference client"
            );
        }
    }
}

#[test]
fn an_oracle_shares_nothing_with_what_it_judges() {
    let mut seen = 0;
    for (path, text) in sources() {
        if path.starts_with("conformance/src/oracle/") || path.starts_with("conformance/src/model/")
        {
            seen += 1;
            for peer in ["clp_issuer", "clp_client", "clp_schemas"] {
                let used = text
                    .lines()
                    .any(|line| !line.trim_start().starts_with("//") && line.contains(peer));
                assert!(!used, "{path} uses {peer}");
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn files_are_short_enough_to_be_read() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines");
        let name = Path::new(&path)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(
            !["utils", "util", "helpers", "helper"].contains(&name.as_str()),
            "{path}: say what it does"
        );
    }
}

/// Most step definitions: more, and nobody could read a feature without looking each up.
const MAX_STEPS: usize = 60;

#[test]
fn the_vocabulary_of_the_features_stays_small() {
    let mut definitions = 0;
    for (path, text) in sources() {
        if path.starts_with("conformance/src/steps/") {
            let mut defines = false;
            for line in text.lines() {
                let attribute = ["#[given(", "#[when(", "#[then("]
                    .iter()
                    .any(|begin| line.starts_with(begin));
                defines |= attribute;
                if defines && line.starts_with("async fn ") {
                    definitions += 1;
                    defines = false;
                }
            }
        }
    }
    assert!(
        (1..=MAX_STEPS).contains(&definitions),
        "{definitions} definitions"
    );
}

#[test]
fn the_top_level_is_as_planned() {
    let planned: BTreeSet<&str> = [
        "Cargo.toml",
        "Cargo.lock",
        "spec",
        "schemas",
        "reference-issuer",
        "reference-client",
        "conformance",
        "test-vectors",
        "README.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ]
    .into();
    let found: BTreeSet<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    let unplanned: Vec<&String> = found
        .iter()
        .filter(|name| !planned.contains(name.as_str()))
        .collect();
    assert!(unplanned.is_empty(), "{unplanned:?}");
    let missing: Vec<&&str> = planned
        .iter()
        .filter(|name| !found.contains(**name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_is_left_to_do() {
    let me = "conformance/tests/house.rs";
    for (path, text) in sources() {
        if path != me {
            for mark in ["TODO", "FIXME", "XXX:", "todo!(", "unimplemented!("] {
                assert!(!text.contains(mark), "{path} has {mark}");
            }
        }
    }
}

/// Saboteurs use the seams; nothing that serves a call knows that there are any.
#[test]
fn no_handler_knows_of_saboteurs() {
    let source = root().join("reference-issuer/src");
    let may = ["sabotage", "issuer.rs", "cli.rs", "lib.rs"];
    let mut found = Vec::new();
    files(&source, &mut found);
    for path in found {
        let below = path.strip_prefix(&source).unwrap();
        let first = below.components().next().unwrap().as_os_str();
        if may.iter().any(|name| first == *name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.to_lowercase().contains("sabot"),
            "{} knows of saboteurs",
            below.display()
        );
    }
}
