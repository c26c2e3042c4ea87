//! The program as it is started: what it prints, where it listens, how it ends.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use clp_issuer::config::Config;
use serde_json::Value;

const README: &str = include_str!("../README.md");

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clp-issuer"));
    command.args(arguments).env_remove("CLP_CONTROL_TOKEN");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ends the process however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn faults_of_the_caller_are_told_apart_from_others() {
    assert_eq!(run(&["--help"]).status.code(), Some(0));
    assert_eq!(run(&["--no-such-option"]).status.code(), Some(2));
    let missing = run(&["--config", "/nonexistent/config.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("/nonexistent/config.toml: cannot be read"));
    assert_eq!(run(&["--port", "65530"]).status.code(), Some(2));
    let nowhere = run(&["--port", "0", "--data", "/proc/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(nowhere.stdout.is_empty());
}

#[test]
fn a_control_token_that_is_no_token_is_refused_and_not_shown() {
    let refused = program(&["--port", "0"])
        .env("CLP_CONTROL_TOKEN", "hush")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(!text(&refused.stderr).contains("hush"));
}

#[test]
fn completions_and_configuration_are_printed_without_tokens() {
    assert!(text(&run(&["completions", "bash"]).stdout).contains("clp-issuer"));
    let shown = text(&run(&["--print-config"]).stdout);
    let shown_value: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown_value["personas"][0]["name"], "exampleapi");
    assert!(!shown.contains("not-a-secret"));
}

#[test]
fn it_says_where_it_listens_and_keeps_its_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("token");
    let child = program(&[
        "--port",
        "0",
        "--log-format",
        "json",
        "--control-token-file",
    ])
    .arg(&token_file)
    .env("CLP_LOG", "trace")
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut child = Running(child);
    // Read all the while, so that a long log never holds the program up.
    let mut stderr = child.0.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        log
    });
    let mut line = String::new();
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["personas"].as_array().unwrap().len(), 3);
    assert!(
        said["control_url"]
            .as_str()
            .unwrap()
            .starts_with("http://localhost:")
    );

    let token = fs::read_to_string(&token_file).unwrap();
    let mode = fs::metadata(&token_file).unwrap().permissions().mode();
    assert_eq!((token.len(), mode & 0o777), (43, 0o600));
    let at = said["personas"][0]["url"].as_str().unwrap();
    let origin = at.strip_prefix("http://localhost:").unwrap();
    let port: u16 = origin.parse().unwrap();
    assert!(is_on_loopback_alone(port));

    call(at, "demo-exampleapi-ana-not-a-secret");
    call(said["control_url"].as_str().unwrap(), &token);
    let pid = child.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let log = log.join().unwrap();
    assert!(log.contains("NOT FOR PRODUCTION"));
    assert!(log.contains("\"serving\""));
    for secret in [token.as_str(), "not-a-secret"] {
        assert!(!log.contains(secret) && !line.contains(secret));
    }
}

/// One call with a token, so that there is one to be found in the log.
fn call(origin: &str, token: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = reqwest::Client::new()
        .get(format!("{origin}/credentials"))
        .bearer_auth(token)
        .send();
    assert!(runtime.block_on(answer).unwrap().status().as_u16() < 500);
}

/// Whether the kernel has the port listening on 127.0.0.1 and nowhere else.
fn is_on_loopback_alone(port: u16) -> bool {
    const LISTENS: &str = "0A";
    let wanted = format!(":{port:04X}");
    let listening: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter(|table| Path::new(table).exists())
        .flat_map(|table| {
            fs::read_to_string(table)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state) = (fields.get(1)?, fields.get(3)?);
            (local.ends_with(&wanted) && *state == LISTENS).then(|| (*local).to_owned())
        })
        .collect();
    listening == [format!("0100007F{wanted}")]
}

#[test]
fn the_readme_knows_every_persona_and_token_and_its_example_is_read() {
    let config = Config::built_in().unwrap();
    for persona in &config.personas {
        assert!(README.contains(&format!("| `{}` | {} |", persona.name, persona.port)));
        for principal in persona.tenants.iter().flat_map(|tenant| &tenant.principals) {
            let row = README
                .lines()
                .find(|line| line.contains(&format!("`{}`", principal.token.expose())));
            let row = row.unwrap();
            assert!(
                row.contains(&format!("| `{}` | {}", persona.name, principal.name)),
                "{row}"
            );
            let actions = &principal.permissions.0[0].actions;
            assert!(
                row.contains(&format!("| {} |", actions.join(", ")))
                    || row.contains("| everything |"),
                "{row}"
            );
        }
    }
    let block = |number: usize| {
        let block = README.split("```toml\n").nth(number).unwrap();
        block.split("```").next().unwrap()
    };
    let (example, faults) = (block(1), block(2));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    fs::write(&path, format!("{example}{faults}")).unwrap();
    let read = Config::read(&path).unwrap();
    assert_eq!(read.faults.rules.len(), 1);
    assert_eq!(read.faults.chaos.unwrap().among.len(), 2);
    let ports: Vec<u16> = read.personas.iter().map(|persona| persona.port).collect();
    assert_eq!(
        (ports, read.control.unwrap().port),
        (vec![9001, 8802], 9010)
    );
}
