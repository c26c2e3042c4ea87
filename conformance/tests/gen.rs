//! What is generated is committed as it would be generated now, and the spec keeps its rules.

#![expect(
    clippy::unwrap_used,
    reason = "a test that gives up fails, which is right"
)]

use std::path::Path;

use clp_conformance::r#gen::{self, Mode};

#[test]
fn nothing_is_stale() {
    let root = r#gen::root_above(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let outcome = r#gen::run(&root, Mode::Check).unwrap();
    assert_eq!(outcome.faults, Vec::<String>::new());
    assert_eq!(
        outcome.stale,
        Vec::<String>::new(),
        "run `cargo gen` and commit what it writes"
    );
}

/// A small repository with one chapter, one feature and the frozen list.
fn planted(folder: &Path, chapter: &str, feature: &str, frozen: &str) {
    let put = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("spec/13-create.md", chapter);
    put("conformance/features/create.feature", feature);
    put("conformance/requirements/1.0.toml", frozen);
    std::fs::create_dir_all(folder.join("schemas")).unwrap();
}

const CHAPTER: &str = "# Create\n\n- **CLP-CRE-001** (issuer, core) An issuer MUST.\n\n<!-- generated:problems -->\n<!-- /generated -->\n";
const FEATURE: &str = "@CLP-CRE-001\n";
const FROZEN: &str = "revision = \"1.0\"\nrequirements = [\"CLP-CRE-001\"]\n[excluded]\n";

#[test]
fn what_is_written_is_fresh_and_what_is_touched_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    planted(root, CHAPTER, FEATURE, FROZEN);
    let stale = r#gen::run(root, Mode::Check).unwrap().stale;
    assert!(stale.contains(&"spec/13-create.md".to_owned()));
    assert!(stale.contains(&"spec/requirements.json".to_owned()));
    assert!(stale.contains(&"schemas/v1/openapi.json".to_owned()));
    assert!(
        !root.join("spec/requirements.json").exists(),
        "a check writes nothing"
    );

    r#gen::run(root, Mode::Write).unwrap();
    let outcome = r#gen::run(root, Mode::Check).unwrap();
    assert_eq!((outcome.stale, outcome.faults), (Vec::new(), Vec::new()));

    std::fs::write(root.join("schemas/v1/problem.schema.json"), "{}").unwrap();
    std::fs::write(root.join("schemas/v1/forgotten.schema.json"), "{}").unwrap();
    let stale = r#gen::run(root, Mode::Check).unwrap().stale;
    assert_eq!(
        stale,
        [
            "schemas/v1/forgotten.schema.json",
            "schemas/v1/problem.schema.json"
        ]
    );
    r#gen::run(root, Mode::Write).unwrap();
    assert!(!root.join("schemas/v1/forgotten.schema.json").exists());
}

#[test]
fn what_generating_cannot_mend_is_a_fault() {
    let cases = [
        (
            CHAPTER.to_owned(),
            "@CLP-CRE-002\n",
            FROZEN,
            "`CLP-CRE-002` is not in the spec",
        ),
        (
            format!("{CHAPTER}\nIt MUST.\n"),
            FEATURE,
            FROZEN,
            "outside of a requirement",
        ),
        (
            CHAPTER.to_owned(),
            FEATURE,
            "revision = \"1.0\"\nrequirements = []\n[excluded]\n",
            "in the spec and not in the list",
        ),
        (
            CHAPTER.to_owned(),
            FEATURE,
            "revision = \"1.0\"\nrequirements = [\"CLP-CRE-001\", \"CLP-CRE-009\"]\n[excluded]\n",
            "a revision keeps what it has",
        ),
        (
            CHAPTER.to_owned(),
            FEATURE,
            "revision = \"1.0\"\nrequirements = [\"CLP-CRE-001\"]\n[excluded]\nCLP-CRE-001 = \" \"\n",
            "without a reason",
        ),
        (
            format!("{CHAPTER}\n<!-- generated:vector/../secret.json -->\n<!-- /generated -->\n"),
            FEATURE,
            FROZEN,
            "is not below `test-vectors`",
        ),
    ];
    for (chapter, feature, frozen, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        planted(folder.path(), &chapter, feature, frozen);
        let faults = r#gen::run(folder.path(), Mode::Check).unwrap().faults;
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{expected}: {faults:?}"
        );
    }
}
