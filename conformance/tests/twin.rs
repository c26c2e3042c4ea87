//! What the proof of a refusal by its twin counts as one change, as two, and as none.

use clp_conformance::parser::{self, LoadFault, Suite};
use clp_conformance::requirements::{Extract, Frozen, Registry, Requirement};

const TWIN: &str = "    When Ana calls credential_create with:\n      | member | value |\n      | owner | \"a\" |\n    Then it is accepted\n";

fn load(steps: &str) -> Result<Suite, Vec<LoadFault>> {
    let id = "CLP-XXX-001".to_owned();
    let extract = Extract {
        protocol: "1.0".to_owned(),
        requirements: vec![Requirement {
            id: id.clone(),
            keyword: "MUST".to_owned(),
            actor: "issuer".to_owned(),
            class: "core".to_owned(),
            section: "13-create.md#create".to_owned(),
            text: "An issuer MUST do `this`.".to_owned(),
        }],
    };
    let frozen = Frozen {
        revision: "1.0".to_owned(),
        requirements: vec![id],
        excluded: [].into(),
        without_saboteur: [].into(),
    };
    let text = format!("@core\nFeature: Create\n\n  @CLP-XXX-001\n  Scenario: One\n{steps}");
    let sources = [("features/create.feature".to_owned(), text)];
    parser::load(&sources, &Registry::new(extract, frozen), &|_| Ok(()))
}

/// A refusal with its twin, and what is between them.
fn refusal(between: &str, problem: &str) -> String {
    format!("{TWIN}{between}    Then it is refused as {problem}\n")
}

#[test]
fn one_change_is_one_change_however_it_is_made() {
    for between in [
        "    When the same call is made by Cleo\n",
        "    When the same call is made without owner\n",
        "    When the same call is made with purpose set to \"this and that\"\n",
        "    Given the entries of credential.created that Ana sees are counted\n    When the same call is made by Cleo\n",
        "    Given the clock advances by 901 seconds\n    When the same call is made again\n",
        "    When the same call is made with:\n      | member | value |\n      | owner | 1 |\n",
        "    When the clock advances by 901 seconds\n    When the same call is made again\n",
        "    When Ben calls credential_create with:\n      | member | value |\n      | owner | \"a\" |\n",
        "    When Ana calls credential_create with:\n      | member | value |\n      | owner | \"b\" |\n",
        "    When Ana calls credential_revoke on x\n    Then it is accepted\n    When Ana calls credential_create with:\n      | member | value |\n      | owner | \"a\" |\n",
        "    Given a revoked credential called other\n    When the same call is made on other\n",
        "    When the same call is made again\n",
    ] {
        let loaded = load(&refusal(between, "forbidden"));
        assert!(loaded.is_ok(), "{between}: {loaded:?}");
    }
}

#[test]
fn what_is_given_after_the_twin_is_a_change() {
    let two = "lie 2 changes";
    for (before, between) in [
        // The clock, and somebody else.
        (
            "",
            "    Given the clock advances by 901 seconds\n    When the same call is made by Cleo\n",
        ),
        // An object in another state, and another member.
        (
            "",
            "    Given a revoked credential called other\n    When the same call is made on other and with purpose set to 1\n",
        ),
        // A flawed signature, and somebody else.
        (
            "    Given an active credential called first\n    And an active credential called second\n    And Ben signs a challenge for first\n",
            "    Given Ben signs a challenge for second with a bit flipped\n    When the same call is made on second and by Cleo\n",
        ),
        // What was given before, but of another object.
        (
            "    Given an active credential called first\n    And Ana suspends first\n",
            "    Given Ana suspends other\n    When the same call is made by Cleo\n",
        ),
    ] {
        let twin = TWIN.replace("credential_create with", "credential_create on first with");
        let steps = format!("{before}{twin}{between}    Then it is refused as forbidden\n");
        let faults = load(&steps).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.to_string().contains(two)),
            "{faults:?}\n{steps}"
        );
    }
}

#[test]
fn what_the_twin_used_up_can_be_given_again() {
    for (before, between) in [
        // A fresh object of the same kind, and a fresh signature over it.
        (
            "    Given an active credential called first\n    And Ben signs a challenge for first\n",
            "    Given an active credential called second\n    And Ben signs a challenge for second\n    When the same call is made on second and by Cleo\n",
        ),
        // The flaw in the signature is the change.
        (
            "    Given an active credential called first\n    And Ben signs a challenge for first\n",
            "    Given an active credential called second\n    And Ben signs a challenge for second with a bit flipped\n    When the same call is made on second\n",
        ),
        // Word for word what was given before.
        (
            "    Given an active credential called first\n    And Ana suspends first\n",
            "    Given Ana suspends first\n    When the same call is made by Cleo\n",
        ),
    ] {
        let twin = TWIN.replace("credential_create with", "credential_create on first with");
        let steps = format!("{before}{twin}{between}    Then it is refused as forbidden\n");
        let loaded = load(&steps);
        assert!(loaded.is_ok(), "{loaded:?}\n{steps}");
    }
}

#[test]
fn a_second_fault_is_added_to_a_proven_refusal_and_changes_the_problem() {
    let first = "    When the same call is made with owner set to 1\n    Then it is refused as invalid-request\n";
    let both = "    When the same call is made by Cleo and with owner set to 1\n";
    assert!(load(&refusal(&format!("{first}{both}"), "forbidden")).is_ok());
    // Without the first, or with its own problem again, the second proves nothing.
    assert!(load(&refusal(both, "forbidden")).is_err());
    assert!(load(&refusal(&format!("{first}{both}"), "invalid-request")).is_err());
}
