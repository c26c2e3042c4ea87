//! What the command tells somebody to do next when it does not work the first time.

mod common;

use common::issuer::{CREDENTIAL, TOKEN, clp, clp_with, issuer};
use common::{Reply, Server, problem};

fn unauthenticated() -> Reply {
    problem(
        401,
        "unauthenticated",
        "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n",
    )
}

#[test]
fn a_refused_token_is_named() {
    let home = tempfile::tempdir().unwrap();
    let server = issuer(|_, _| unauthenticated());
    let run = clp(&home, &server, &["show", CREDENTIAL]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("does not accept the token in CLP_TOKEN"),
        "{}",
        run.stderr
    );
    let url = server.url();
    let environment = [("CLP_CONTROL", url.as_str()), ("CLP_CONTROL_TOKEN", TOKEN)];
    let run = clp_with(&home, &environment, &["sandbox"]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(
        run.stderr.contains("the token in CLP_CONTROL_TOKEN"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_wrong_base_url_is_said_to_have_no_manifest() {
    let home = tempfile::tempdir().unwrap();
    let bare = || Reply::Answer(404, String::new(), Vec::new());
    for (server, status) in [
        (Server::start(|_, _| problem(404, "not-found", "")), 3),
        (Server::start(move |_, _| bare()), 5),
    ] {
        let run = clp(&home, &server, &["discover"]);
        assert_eq!(run.status, status, "{}", run.stderr);
        let wanted = format!(
            "there is no manifest at {}/.well-known/credential-issuer",
            server.url()
        );
        assert!(run.stderr.contains(&wanted), "{}", run.stderr);
        assert!(run.stderr.contains("check --issuer"), "{}", run.stderr);
    }
}

#[test]
fn what_is_missing_here_is_named_with_the_next_step() {
    let home = tempfile::tempdir().unwrap();
    let new = ["passkey", "new", "--relying-party", "localhost"];
    let register = ["passkey", "register"];
    let no_file = [("CLP_TOKEN_FILE", "/nowhere/token")];
    let fails = |environment: &[(&str, &str)], arguments: &[&str], status, wanted: &[&str]| {
        let run = clp_with(&home, environment, arguments);
        assert_eq!(run.status, status, "{}", run.stderr);
        for wanted in wanted {
            assert!(run.stderr.contains(wanted), "{wanted}: {}", run.stderr);
        }
    };
    fails(&no_file, &["store", "list"], 1, &["CLP_TOKEN_FILE: cannot"]);
    fails(&[], &["sandbox"], 2, &["set CLP_CONTROL"]);
    fails(&[], &register, 1, &["clp passkey new"]);
    assert_eq!(clp_with(&home, &[], &new).status, 0);
    fails(&[], &new, 1, &["already", "--passkey"]);
    fails(&[], &register, 2, &["clp sandbox"]);
}
