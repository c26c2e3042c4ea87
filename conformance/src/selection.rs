//! Which scenarios run: a pure function of what the subject declares, what the suite was
//! given, and a scenario's tags. Nothing that is declared is left out without a word.

use clp_schemas::endpoint::Class;
use clp_schemas::ops::discover::Manifest;

use crate::parser::ScenarioInfo;
use crate::subject::Which;

/// What is to be done with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It runs.
    Run,
    /// It is declared and cannot run here: reported, counted, and never green.
    Skip(String),
    /// It is not declared.
    Disabled(String),
}

/// What the subject declares. A manifest that cannot be read declares the core class: who
/// is tested claims at least that, and an absent issuer must not pass by being absent.
#[must_use]
pub fn choose(manifest: Option<&Manifest>, test_control: bool, scenario: &ScenarioInfo) -> Choice {
    let class = Class::from_name(&scenario.class).unwrap_or(Class::Core);
    if class != Class::Core {
        match manifest {
            None => {
                return Choice::Disabled(
                    "the manifest, which would claim this profile, cannot be read".to_owned(),
                );
            }
            Some(manifest) if !manifest.claims(class) => {
                return Choice::Disabled(format!(
                    "the manifest does not list `{}` in `profiles_supported`",
                    class.name()
                ));
            }
            Some(_) => {}
        }
    }
    if let Some(manifest) = manifest
        && let Some(class) = Which::of(&scenario.tags).claimed_too_much(manifest)
    {
        return Choice::Disabled(format!(
            "it is about an issuer that does not list `{}` in `profiles_supported`",
            class.name()
        ));
    }
    if let Some(manifest) = manifest
        && let Some(reason) = other_methods(manifest, &scenario.tags)
    {
        return Choice::Disabled(reason);
    }
    // Without a manifest nothing can be reached, so nothing is excused by what is missing here either.
    if manifest.is_some() && !test_control {
        if class == Class::TestControl {
            return Choice::Skip(
                "the suite was not given the address and token of test control".to_owned(),
            );
        }
        if scenario.needs_clock {
            return Choice::Skip(
                "it moves the clock, and the suite was not given test control".to_owned(),
            );
        }
    }
    Choice::Run
}

/// The tags of a scenario that is about issuers which list a method of approval, and about those
/// which do not.
pub const METHOD_TAGS: [&str; 2] = ["with-method-", "without-method-"];

/// Why a scenario is about issuers that list other methods of approval, if it is.
fn other_methods(manifest: &Manifest, tags: &[String]) -> Option<String> {
    let listed = manifest.auth_methods.as_deref().unwrap_or_default();
    let [with, without] = METHOD_TAGS;
    tags.iter().find_map(|tag| {
        if let Some(method) = tag.strip_prefix(without) {
            let lists = listed.iter().any(|one| one == method);
            return lists.then(|| {
                format!("it is about an issuer that does not list `{method}` in `auth_methods`")
            });
        }
        let method = tag.strip_prefix(with)?;
        let lists = listed.iter().any(|one| one == method);
        (!lists).then(|| format!("the manifest does not list `{method}` in `auth_methods`"))
    })
}

/// What narrows a run. Filters of one kind are alternatives; kinds are joined by "and".
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// A tag expression, such as `@core and not @needs-clock`.
    pub tags: Option<gherkin::tagexpr::TagOperation>,
    /// Its text, for the report.
    pub tags_text: Option<String>,
    /// Requirement ids.
    pub requirements: Vec<String>,
    /// Sections of the spec: a chapter number, file or anchor.
    pub sections: Vec<String>,
    /// Scenario ids, or parts of names.
    pub names: Vec<String>,
}

impl Filters {
    /// Whether nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_none()
            && self.requirements.is_empty()
            && self.sections.is_empty()
            && self.names.is_empty()
    }

    /// As they were given, for the report.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let of = |flag: &'static str, values: &[String]| -> Vec<String> {
            values
                .iter()
                .map(|value| format!("--{flag} {value}"))
                .collect()
        };
        let mut words: Vec<String> = self
            .tags_text
            .iter()
            .map(|text| format!("--tags {text}"))
            .collect();
        words.extend(of("requirement", &self.requirements));
        words.extend(of("section", &self.sections));
        words.extend(of("name", &self.names));
        words
    }

    /// Whether a scenario is within. `section_of` finds the section of a requirement.
    #[must_use]
    pub fn admit(
        &self,
        scenario: &ScenarioInfo,
        section_of: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        use cucumber::tag::Ext as _;
        let by_tags = self
            .tags
            .as_ref()
            .is_none_or(|expression| expression.eval(&scenario.tags));
        let by_requirement = self.requirements.is_empty()
            || scenario
                .requirements
                .iter()
                .any(|id| self.requirements.contains(id));
        let by_section = self.sections.is_empty()
            || scenario
                .requirements
                .iter()
                .filter_map(|id| section_of(id))
                .any(|section| self.sections.iter().any(|wanted| within(&section, wanted)));
        let by_name = self.names.is_empty()
            || self.names.iter().any(|wanted| {
                scenario.id == *wanted
                    || scenario
                        .name
                        .to_lowercase()
                        .contains(&wanted.to_lowercase())
            });
        by_tags && by_requirement && by_section && by_name
    }
}

/// Whether `13-create.md#from-a-request` is within `13`, `13-create`, `13-create.md` or itself.
fn within(section: &str, wanted: &str) -> bool {
    let chapter = section.split('#').next().unwrap_or(section);
    section == wanted
        || chapter == wanted
        || chapter.strip_suffix(".md") == Some(wanted)
        || chapter.split('-').next() == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(class: &str, needs_clock: bool) -> ScenarioInfo {
        ScenarioInfo {
            id: "create/a-name".to_owned(),
            operation: "create".to_owned(),
            name: "A name".to_owned(),
            class: class.to_owned(),
            requirements: vec!["CLP-CRE-001".to_owned()],
            tags: vec![class.to_owned(), "CLP-CRE-001".to_owned()],
            needs_clock,
            triples: Vec::new(),
        }
    }

    fn manifest(profiles: &[&str]) -> Manifest {
        serde_json::from_value(serde_json::json!({
            "credential_issuer_endpoint": "https://issuer.example/credentials",
            "profiles_supported": profiles,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_declared_runs_and_what_is_not_does_not() {
        let claims = manifest(&["approval"]);
        assert_eq!(
            choose(Some(&claims), true, &scenario("core", false)),
            Choice::Run
        );
        assert_eq!(
            choose(Some(&claims), true, &scenario("approval", false)),
            Choice::Run
        );
        let disabled = choose(Some(&claims), true, &scenario("audit-proofs", false));
        assert!(matches!(disabled, Choice::Disabled(reason) if reason.contains("audit-proofs")));
    }

    #[test]
    fn without_test_control_clocks_stand_still() {
        let claims = manifest(&["test-control"]);
        assert!(matches!(
            choose(Some(&claims), false, &scenario("core", true)),
            Choice::Skip(_)
        ));
        assert!(matches!(
            choose(Some(&claims), false, &scenario("test-control", false)),
            Choice::Skip(_)
        ));
        assert_eq!(
            choose(Some(&claims), false, &scenario("core", false)),
            Choice::Run
        );
    }

    #[test]
    fn what_is_about_others_does_not_run_where_the_profile_is_claimed() {
        let about = |tag: &str, class: &str| {
            let mut one = scenario(class, false);
            one.tags.push(tag.to_owned());
            one
        };
        let everything = manifest(&["lifecycle", "inventory"]);
        let less = manifest(&["lifecycle"]);
        let none = manifest(&["approval", "audit-proofs", "test-control"]);
        for (tag, class, runs, does_not) in [
            ("without-inventory", "lifecycle", &less, &everything),
            ("without-profiles", "core", &none, &less),
        ] {
            let one = about(tag, class);
            assert_eq!(choose(Some(runs), true, &one), Choice::Run);
            let not = choose(Some(does_not), true, &one);
            assert!(matches!(not, Choice::Disabled(reason) if reason.contains("it is about")));
        }
    }

    #[test]
    fn a_method_is_tried_where_it_is_listed() {
        let lists = |methods: &[&str]| {
            let mut manifest = manifest(&["approval"]);
            manifest.auth_methods = Some(methods.iter().map(|one| (*one).to_owned()).collect());
            manifest
        };
        for (tag, methods, runs) in [
            ("with-method-sso", &["passkey", "sso"][..], true),
            ("with-method-sso", &["passkey"][..], false),
            ("without-method-sso", &["passkey"][..], true),
            ("without-method-sso", &["sso"][..], false),
        ] {
            let mut one = scenario("approval", false);
            one.tags.push(tag.to_owned());
            let choice = choose(Some(&lists(methods)), true, &one);
            assert_eq!(choice == Choice::Run, runs, "{tag} {methods:?}");
        }
    }

    #[test]
    fn an_absent_issuer_is_tested_for_the_whole_core() {
        for needs_clock in [false, true] {
            for control in [false, true] {
                assert_eq!(
                    choose(None, control, &scenario("core", needs_clock)),
                    Choice::Run
                );
            }
        }
        assert!(matches!(
            choose(None, true, &scenario("approval", false)),
            Choice::Disabled(_)
        ));
    }

    #[test]
    fn filters_of_several_kinds_all_have_to_admit() {
        let section = |_: &str| Some("13-create.md#from-a-request".to_owned());
        let one = scenario("core", false);
        for wanted in [
            "13",
            "13-create",
            "13-create.md",
            "13-create.md#from-a-request",
        ] {
            let filters = Filters {
                sections: vec![wanted.to_owned()],
                ..Filters::default()
            };
            assert!(filters.admit(&one, &section), "{wanted}");
        }
        let filters = Filters {
            sections: vec!["1".to_owned()],
            ..Filters::default()
        };
        assert!(!filters.admit(&one, &section));
        let filters = Filters {
            requirements: vec!["CLP-CRE-001".to_owned()],
            names: vec!["other".to_owned()],
            ..Filters::default()
        };
        assert!(!filters.admit(&one, &section));
        let filters = Filters {
            tags: Some("@core and not @needs-clock".parse().unwrap()),
            ..Filters::default()
        };
        assert!(filters.admit(&one, &section));
        assert!(!filters.admit(
            &ScenarioInfo {
                tags: vec!["needs-clock".to_owned()],
                ..one
            },
            &section
        ));
    }
}
