//! What a configuration has to be.

use super::*;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const TOKENS: [(&str, &str); 5] = [
    ("CONTROL_TOKEN", "c"),
    ("OWNER_TOKEN", "o"),
    ("APPROVER_TOKEN", "a"),
    ("BYSTANDER_TOKEN", "b"),
    ("OUTSIDER_TOKEN", "x"),
];

fn load(text: &str, env: &BTreeMap<String, String>) -> Result<Target, ConfigFault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    Target::load(None, Some(&path), env)
}

#[test]
fn the_example_loads_and_shows_no_token() {
    let Target::Remote(remote) = load(EXAMPLE, &env(&TOKENS)).unwrap() else {
        panic!("it names an issuer");
    };
    assert_eq!(remote.control.as_ref().unwrap().token.expose(), "c");
    assert_eq!(
        remote.cast.as_ref().unwrap().members["outsider"]
            .token
            .expose(),
        "x"
    );
    let shown = format!("{remote:?}");
    assert!(
        shown.contains("[secret]") && !shown.contains("\"x\""),
        "{shown}"
    );
}

#[test]
fn nothing_at_all_means_the_reference_issuer() {
    assert!(matches!(
        Target::load(None, None, &env(&[])),
        Ok(Target::Reference)
    ));
}

#[test]
fn the_environment_wins_and_can_do_without_a_file() {
    let mut variables = env(&TOKENS);
    variables.insert(
        "CLP_CONFORMANCE__ISSUER".to_owned(),
        "https://other.example".to_owned(),
    );
    variables.insert(
        "CLP_CONFORMANCE__CONTROL__TOKEN".to_owned(),
        "secret".to_owned(),
    );
    let Target::Remote(remote) = load(EXAMPLE, &variables).unwrap() else {
        panic!("it names an issuer");
    };
    assert_eq!(remote.url.host_str(), Some("other.example"));
    assert_eq!(remote.control.unwrap().token.expose(), "secret");

    variables.insert(
        "CLP_CONFORMANCE__CONTROL__URL".to_owned(),
        "http://localhost:9/".to_owned(),
    );
    assert!(matches!(
        Target::load(None, None, &variables),
        Ok(Target::Remote(_))
    ));
}

#[test]
fn what_is_malformed_incomplete_or_unsafe_is_refused() {
    let changed = |from: &str, to: &str| load(&EXAMPLE.replace(from, to), &env(&TOKENS));
    assert!(matches!(
        changed("{ env = \"CONTROL_TOKEN\" }", "\"c\""),
        Err(ConfigFault::TokenInFile(_))
    ));
    assert!(matches!(
        changed("\"OWNER_TOKEN\"", "\"NOT_SET\""),
        Err(ConfigFault::TokenMissing(..))
    ));
    assert!(matches!(
        changed("[probe]", "[probes]\n[probe]"),
        Err(ConfigFault::Form(_))
    ));
    assert!(matches!(
        changed("cast.outsider", "cast.stranger"),
        Err(ConfigFault::NoCast)
    ));
    assert!(matches!(
        changed("https://staging", "http://staging"),
        Err(ConfigFault::Url("issuer"))
    ));
    assert!(matches!(
        changed("https://control", "https://me:pw@control"),
        Err(ConfigFault::Url("control.url"))
    ));
    for (line, variable) in [
        ("token = { env = \"CONTROL_TOKEN\" }", "TOKEN"),
        ("url = \"https://control.staging.example.com\"", "URL"),
    ] {
        let words = changed(line, "").unwrap_err().to_string();
        assert!(words.contains(&format!("CONTROL__{variable}")), "{words}");
    }
    let alone = "issuer = \"https://staging.example.com\"";
    assert!(matches!(load(alone, &env(&[])), Err(ConfigFault::NoCast)));
}

#[test]
fn a_fault_says_file_line_and_member() {
    let words = |from: &str, to: &str| {
        load(&EXAMPLE.replacen(from, to, 1), &env(&TOKENS))
            .unwrap_err()
            .to_string()
    };
    let said = words("id = \"prin_0123456789abcdefghij\"", "id = \"ana\"");
    assert!(said.contains("config.toml:20: cast.owner.id: "), "{said}");
    let said = words("id = \"prin_0", "idd = \"prin_0");
    assert!(said.contains("config.toml:20: cast.owner.idd: "), "{said}");
    let said = words("issuer = ", "issuer ");
    assert!(said.contains("config.toml:3: "), "{said}");
}

#[test]
fn a_token_file_is_below_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clp.toml");
    let text = EXAMPLE.replace("{ env = \"CONTROL_TOKEN\" }", "{ file = \"token.txt\" }");
    std::fs::write(&path, text).unwrap();
    let said = Target::load(None, Some(&path), &env(&TOKENS))
        .unwrap_err()
        .to_string();
    let token = folder.path().join("token.txt");
    assert!(
        said.contains("control.token: ") && said.contains(&*token.to_string_lossy()),
        "{said}"
    );
    std::fs::write(&token, "from a file\n").unwrap();
    let Ok(Target::Remote(remote)) = Target::load(None, Some(&path), &env(&TOKENS)) else {
        panic!("it names an issuer");
    };
    assert_eq!(remote.control.unwrap().token.expose(), "from a file");
}

#[test]
fn the_example_keeps_its_lines_in_the_help() {
    // The help indents by ten.
    assert!(EXAMPLE.lines().all(|line| line.len() + 10 < 80));
}
