//! What must not load does not load, and what must fail is seen to fail: a suite that cannot
//! fail says nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that gives up fails, which is right"
)]

use std::sync::Arc;

use clp_conformance::cli;
use clp_conformance::parser::{self, LoadFault, Suite};
use clp_conformance::record::{
    Conclusion, Failure, RunRecord, ScenarioRecord, SecretsRecord, StepVerdict, SubjectRecord,
    Subset, Verdict,
};
use clp_conformance::report;
use clp_conformance::requirements::{Extract, Frozen, Registry, Requirement};
use clp_conformance::run::{Begin, Seen, execute};
use clp_conformance::world::World;
use cucumber::step::{Collection, Context};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use regex::Regex;

fn registry() -> Registry {
    let requirement = |id: &str| Requirement {
        id: id.to_owned(),
        keyword: "MUST".to_owned(),
        actor: "issuer".to_owned(),
        class: "core".to_owned(),
        section: "13-create.md#create".to_owned(),
        text: "An issuer MUST do `this`.".to_owned(),
    };
    let extract = Extract {
        protocol: "1.0".to_owned(),
        requirements: vec![requirement("CLP-XXX-001"), requirement("CLP-XXX-002")],
    };
    let frozen = Frozen {
        revision: "1.0".to_owned(),
        requirements: vec!["CLP-XXX-001".to_owned(), "CLP-XXX-002".to_owned()],
        excluded: [("CLP-XXX-002".to_owned(), "no way to see it".to_owned())].into(),
        without_saboteur: [].into(),
    };
    Registry::new(extract, frozen)
}

fn load(text: &str) -> Result<Suite, Vec<LoadFault>> {
    let sources = [("features/create.feature".to_owned(), text.to_owned())];
    parser::load(&sources, &registry(), &|step| {
        if step.value.contains("undefined") {
            Err("no step definition matches".to_owned())
        } else {
            Ok(())
        }
    })
}

const HEAD: &str = "@core\nFeature: Create\n";
const TWIN: &str = "    When Ana calls credential_create with:\n      | member | value |\n      | owner | \"a\" |\n    Then it is accepted\n";

fn scenario(tags: &str, name: &str, steps: &str) -> String {
    format!("\n  {tags}\n  Scenario: {name}\n{steps}")
}

/// A refusal with its twin, and what is between them.
fn refusal(between: &str, problem: &str) -> String {
    let steps = format!("{TWIN}{between}    Then it is refused as {problem}\n");
    format!("{HEAD}{}", scenario("@CLP-XXX-001", "One", &steps))
}

#[test]
fn a_refusal_beside_its_twin_loads_and_counts_as_a_triple() {
    let again = "    When the same call is made with environment set to \"mars\"\n";
    let suite = load(&refusal(again, "unknown-environment")).unwrap();
    let one = suite.scenarios().next().unwrap();
    assert_eq!(one.info.id, "create/one");
    assert_eq!(one.info.class, "core");
    let triple = &one.info.triples[0];
    assert_eq!(
        (
            triple.endpoint.as_str(),
            triple.requirement.as_str(),
            triple.outcome.as_str()
        ),
        ("credential_create", "CLP-XXX-001", "unknown-environment")
    );
}

#[test]
fn the_features_of_this_suite_load() {
    let registry = Registry::embedded().unwrap();
    let suite = clp_conformance::run::suite(&registry);
    assert!(suite.is_ok(), "{}", suite.unwrap_err());
}

#[test]
fn each_rule_of_the_loader_is_kept() {
    let accepted = |tags: &str, name: &str| scenario(tags, name, TWIN);
    let two = "    When the same call is made with:\n      | member | value |\n      | owner | 1 |\n      | purpose | 2 |\n";
    let act_and_change =
        "    When the clock advances by 901 seconds\n    When the same call is made by Cleo\n";
    let unjudged = "    When Ana calls credential_revoke on x\n    When Cleo calls credential_create with:\n      | member | value |\n      | owner | \"a\" |\n";
    let alone = scenario(
        "@CLP-XXX-001",
        "One",
        "    When Ana calls credential_create\n    Then it is refused as forbidden\n",
    );
    let other_twin = scenario(
        "@CLP-XXX-001",
        "One",
        "    When Ana calls credential_list\n    Then it is accepted\n    When Ana calls credential_create\n    Then it is refused as forbidden\n",
    );
    let after = scenario(
        "@CLP-XXX-001",
        "One",
        "    When Ana calls credential_create by itself\n    Then it is refused as forbidden\n    When Ana calls credential_create\n    Then it is accepted\n",
    );
    let change = "    When the same call is made by Cleo\n";
    let cases = [
        (format!("{HEAD}{alone}"), "has no twin"),
        (format!("{HEAD}{other_twin}"), "has no twin"),
        (format!("{HEAD}{after}"), "has no twin"),
        (refusal(two, "forbidden"), "lie 2 changes"),
        (
            refusal(
                "    When the same call is made by Cleo and with owner set to 1\n",
                "forbidden",
            ),
            "lie 2 changes",
        ),
        (refusal(act_and_change, "forbidden"), "lie 2 changes"),
        (refusal(unjudged, "forbidden"), "lie 2 changes"),
        (refusal(change, "no-such-problem"), "not in the registry"),
        (refusal(change, "delivery-gone"), "never answers"),
        (refusal("", "forbidden"), "no call that could be refused"),
        (
            format!("{HEAD}{}", accepted("@CLP-XXX-009", "One")),
            "`CLP-XXX-009` is not in the spec",
        ),
        (
            format!("{HEAD}{}", accepted("@needs-clock", "One")),
            "no requirement",
        ),
        (
            format!("Feature: Create\n{}", accepted("@CLP-XXX-001", "One")),
            "no class",
        ),
        (
            format!("{HEAD}{}", accepted("@CLP-XXX-001 @approval", "One")),
            "two classes",
        ),
        (
            format!("{HEAD}{}", accepted("@CLP-XXX-001 @allow.skipped", "One")),
            "has no meaning",
        ),
        (
            format!(
                "{HEAD}{}{}",
                accepted("@CLP-XXX-001", "One"),
                accepted("@CLP-XXX-001", "One")
            ),
            "is also at",
        ),
        (
            format!(
                "{HEAD}{}{}",
                accepted("@CLP-XXX-001", "One two"),
                accepted("@CLP-XXX-001", "One, two")
            ),
            "choose another name",
        ),
        (
            format!(
                "{HEAD}{}",
                scenario(
                    "@CLP-XXX-001",
                    "One",
                    &format!("{TWIN}    And an undefined step\n")
                )
            ),
            "no step definition matches",
        ),
        (
            format!(
                "{HEAD}{}",
                scenario(
                    "@CLP-XXX-001",
                    "One",
                    "    When Ana calls credential_list\n"
                )
            ),
            "judges nothing",
        ),
        (
            format!(
                "{HEAD}{}",
                scenario(
                    "@CLP-XXX-001",
                    "One",
                    "    When Ana calls credential_list\n    Then all is well\n"
                )
            ),
            "never says",
        ),
        (
            format!(
                "{HEAD}\n  @CLP-XXX-001\n  Scenario Outline: One\n{TWIN}    And <colour> it is\n\n    Examples:\n      | colour |\n      | red |\n      | blue |\n"
            ),
            "is also at",
        ),
        ("Nonsense: Create\n".to_owned(), "not Gherkin"),
        (HEAD.to_owned(), "no scenario"),
    ];
    for (text, expected) in cases {
        let faults = load(&text).unwrap_err();
        assert!(
            faults
                .iter()
                .any(|fault| fault.to_string().contains(expected)),
            "{expected}: {faults:?}\n{text}"
        );
    }
}

fn holds(_: &mut World, _: Context) -> LocalBoxFuture<'_, ()> {
    async {}.boxed_local()
}

fn breaks(world: &mut World, _: Context) -> LocalBoxFuture<'_, ()> {
    world.failure = Some(Failure::new("one thing", "another"));
    async { panic!("it does not hold") }.boxed_local()
}

fn swallows(world: &mut World, _: Context) -> LocalBoxFuture<'_, ()> {
    world.failure = Some(Failure::new("one thing", "another"));
    async {}.boxed_local()
}

fn panics(_: &mut World, _: Context) -> LocalBoxFuture<'_, ()> {
    async { panic!("the suite has a mistake") }.boxed_local()
}

fn planted() -> Collection<World> {
    let pattern = |text: &str| Regex::new(text).unwrap();
    Collection::new()
        .when(None, pattern("^it holds$"), holds)
        .then(None, pattern("^it holds$"), holds)
        .then(None, pattern("^it breaks$"), breaks)
        .then(None, pattern("^it breaks silently$"), swallows)
        .then(None, pattern("^it panics$"), panics)
        .then(None, pattern("^it is ambi"), holds)
        .then(None, pattern("^it is ambiguous$"), holds)
}

async fn run_planted(steps: &str, begin: Begin) -> Seen {
    let text = format!("Feature: Planted\n\n  Scenario: One\n{steps}");
    let feature = gherkin::Feature::parse(text, gherkin::GherkinEnv::default()).unwrap();
    execute(vec![feature], planted(), begin, 1, false).await
}

fn at_once() -> Begin {
    Arc::new(|_| async { Ok(()) }.boxed_local())
}

#[tokio::test]
async fn each_kind_of_failure_is_seen_as_one() {
    let cases = [
        ("it holds", Verdict::Pass),
        ("it breaks", Verdict::Fail),
        ("it breaks silently", Verdict::Fail),
        ("it has no definition", Verdict::Fail),
        ("it panics", Verdict::Error),
        ("it is ambiguous", Verdict::Error),
    ];
    for (step, expected) in cases {
        let seen = run_planted(
            &format!("    When it holds\n    Then {step}\n    Then it holds\n"),
            at_once(),
        )
        .await;
        let one = &seen.observed["One"];
        assert_eq!(one.verdict, expected, "{step}: {one:?}");
        assert_eq!(one.failure.is_some(), expected != Verdict::Pass, "{step}");
        assert_eq!(one.steps[0].verdict, StepVerdict::Passed, "{step}");
        let last = if matches!(step, "it holds" | "it breaks silently") {
            StepVerdict::Passed
        } else {
            StepVerdict::NotRun
        };
        assert_eq!(one.steps[2].verdict, last, "{step}");
        assert!(seen.faults.is_empty());
    }
}

#[tokio::test]
async fn a_scenario_that_finds_no_place_is_no_pass() {
    let broken: Begin = Arc::new(|world| {
        world.failure = Some(Failure::new("a manifest", "404"));
        async { Err("there is no manifest".to_owned()) }.boxed_local()
    });
    let seen = run_planted("    When it holds\n", broken).await;
    assert_eq!(seen.observed["One"].verdict, Verdict::Fail);
    let ours: Begin =
        Arc::new(|_| async { Err("the suite has no randomness".to_owned()) }.boxed_local());
    let seen = run_planted("    When it holds\n", ours).await;
    assert_eq!(seen.observed["One"].verdict, Verdict::Error);
}

#[tokio::test]
async fn a_scenario_without_steps_is_no_pass() {
    let seen = run_planted("", at_once()).await;
    assert!(
        seen.observed
            .get("One")
            .is_none_or(|one| one.verdict == Verdict::Error)
    );
}

fn record(verdicts: &[Verdict]) -> RunRecord {
    let scenarios = verdicts
        .iter()
        .enumerate()
        .map(|(at, verdict)| ScenarioRecord {
            id: format!("create/{at}"),
            operation: "create".to_owned(),
            name: format!("<b>{at}</b>"),
            class: "core".to_owned(),
            requirements: vec![registry().quote("CLP-XXX-001")],
            triples: Vec::new(),
            verdict: *verdict,
            reason: Some("a reason".to_owned()),
            known_failure: false,
            steps: Vec::new(),
            exchanges: Vec::new(),
            failure: (*verdict == Verdict::Fail).then(|| Failure {
                requirement: Some("CLP-XXX-001".to_owned()),
                sentence: Some("An issuer MUST do `this`.".to_owned()),
                ..Failure::new(r#"{"a": 1}"#, r#"{"a": 2}"#)
            }),
            duration_millis: 1,
            command: format!("clp-conformance --name create/{at}"),
        })
        .collect();
    RunRecord {
        suite_version: "0".to_owned(),
        protocol_version: "1.0".to_owned(),
        requirements_revision: "1.0".to_owned(),
        subject: SubjectRecord {
            name: "somebody".to_owned(),
            url: "https://issuer.example/".to_owned(),
            embedded: false,
            environment: None,
            profiles: Vec::new(),
            test_control: false,
            manifest_fault: None,
        },
        started_at: "2026-11-24T19:39:13Z".to_owned(),
        duration_millis: 1,
        seed: 0,
        concurrency: 1,
        subset: None,
        scenarios,
        stale_known_failures: Vec::new(),
        faults: Vec::new(),
        secrets: SecretsRecord::default(),
    }
}

#[test]
fn nothing_but_a_full_pass_is_called_one() {
    use Verdict::{Disabled, Error, Fail, Pass, Skip};
    let mut subset = record(&[Pass]);
    subset.subset = Some(Subset {
        filters: vec!["--name x".to_owned()],
        left_out: 3,
    });
    let mut stale = record(&[Pass]);
    stale.stale_known_failures.push("create/0".to_owned());
    let mut faulty = record(&[Pass]);
    faulty.faults.push("a feature did not parse".to_owned());
    let mut known = record(&[Pass, Fail]);
    known.scenarios[1].known_failure = true;
    let cases = [
        (record(&[Pass, Pass]), Conclusion::Full, 0),
        (record(&[Pass, Disabled]), Conclusion::Full, 0),
        (record(&[Pass, Skip]), Conclusion::Partial, 0),
        (subset, Conclusion::Partial, 0),
        (known, Conclusion::Partial, 0),
        (record(&[Pass, Fail]), Conclusion::Failed, 1),
        (stale, Conclusion::Failed, 1),
        (record(&[Pass, Error]), Conclusion::Broken, 3),
        (record(&[Fail, Error]), Conclusion::Broken, 1),
        (faulty, Conclusion::Broken, 3),
        (record(&[]), Conclusion::Empty, 3),
        (record(&[Disabled, Skip]), Conclusion::Empty, 3),
    ];
    for (record, conclusion, code) in cases {
        assert_eq!(record.conclusion(), conclusion, "{record:?}");
        assert_eq!(cli::code(&record), code);
        let full = conclusion == Conclusion::Full;
        let console = report::console::render(&record, false);
        assert_eq!(console.contains("PASS:"), full, "{console}");
        let page = report::html::render(&record).unwrap();
        assert_eq!(page.contains("<h1>Pass</h1>"), full);
        let json = report::json::render(&record).unwrap();
        assert_eq!(json.contains("\"full_pass\""), full);
        let junit = report::junit::render(&record).unwrap();
        let clean = !["<failure", "<error", "type=\"partial\""]
            .iter()
            .any(|mark| junit.contains(mark));
        assert_eq!(clean, full, "{junit}");
    }
}

#[test]
fn a_failure_is_told_with_the_sentence_the_difference_and_the_command() {
    let record = record(&[Verdict::Fail]);
    let console = report::console::render(&record, false);
    for part in [
        "CLP-XXX-001 “An issuer MUST do `this`.”",
        "  at        /a\n  expected  1\n  got       2\n",
        "clp-conformance --name create/0",
    ] {
        assert!(console.contains(part), "{part}\n{console}");
    }
    let page = report::html::render(&record).unwrap();
    assert!(page.contains("<code>this</code>"));
    assert!(!page.contains("<b>0</b>"), "names are escaped");
    for external in ["http-equiv=\"refresh\"", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(external), "{external}");
    }
}

#[test]
fn what_a_subject_sends_does_not_steer_the_terminal() {
    let mut record = record(&[Verdict::Fail]);
    record.scenarios[0].failure = Some(Failure::new("a", "\u{1b}[2Jgone"));
    assert!(!report::console::render(&record, false).contains('\u{1b}'));
}

#[test]
fn what_is_missing_or_excluded_too_much_shows_in_the_coverage() {
    let one = load(&format!("{HEAD}{}", scenario("@CLP-XXX-002", "One", TWIN))).unwrap();
    let coverage = clp_conformance::coverage::measure(&one, &registry(), &[]);
    assert_eq!(coverage.missing, ["CLP-XXX-001"]);
    assert_eq!(coverage.stale_exclusions, ["CLP-XXX-002"]);
    assert_eq!(
        (coverage.scenarios, coverage.triples, coverage.issuer_musts),
        (1, 1, 2)
    );
}

#[test]
fn further_requirements_of_a_scenario_make_no_further_scenario() {
    let text = format!(
        "{HEAD}{}{}",
        scenario("@CLP-XXX-001 @CLP-XXX-002", "One", TWIN),
        scenario("@CLP-XXX-001", "Two", TWIN)
    );
    let suite = load(&text).unwrap();
    let coverage = clp_conformance::coverage::measure(&suite, &registry(), &[]);
    assert_eq!(
        (coverage.scenarios, coverage.own, coverage.triples),
        (2, 1, 2)
    );
    let mut run = record(&[Verdict::Pass, Verdict::Pass]);
    for (scenario, loaded) in run.scenarios.iter_mut().zip(suite.scenarios()) {
        scenario.triples.clone_from(&loaded.info.triples);
    }
    assert_eq!((run.own_passed(), run.triples_passed()), (1, 2));
}
