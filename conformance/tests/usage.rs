//! Where is this key used? A project of sixty places at the reference issuer: its graph, its
//! picture, what breaks, and its handoff, which holds no secret.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use clp_conformance::oracle::canary::{Canary, Channel};
use serde_json::Value;
use tempfile::TempDir;

/// A program of the workspace, made where it is not there yet: they stand beside each other.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_clp-conformance")).with_file_name(name);
    let build = ["build", "--quiet", "--workspace", "--bins"];
    let status = Command::new(env!("CARGO")).args(build).status();
    assert!(status.unwrap().success());
    path
}

/// An issuer, and a home of a client with a sandbox there.
struct Bench {
    issuer: Child,
    client: PathBuf,
    home: TempDir,
    url: String,
    control: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.issuer.kill();
        let _ = self.issuer.wait();
    }
}

impl Bench {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let client = program("clp");
        let mut issuer = Command::new(client.with_file_name("clp-issuer"))
            .args(["--port", "0", "--control-token-file"])
            .arg(home.path().join("control-token"))
            .env_remove("CLP_CONTROL_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(issuer.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let served: Value = serde_json::from_str(&line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bench = Self {
            issuer,
            client,
            home,
            url: text(&served["personas"][0]["url"]),
            control: text(&served["control_url"]),
        };
        bench.clp(&["sandbox"]);
        bench
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.client);
        let home = self.home.path();
        command
            .args(["--allow-loopback-http", "--allow-test-issuer"])
            .args(arguments)
            .env_clear()
            .env("CLP_HOME", home)
            .env("CLP_ISSUER", &self.url)
            .env("CLP_CONTROL", &self.control)
            .env("CLP_CONTROL_TOKEN_FILE", home.join("control-token"));
        let token = home.join("sandbox/owner.token");
        if token.exists() {
            command.env("CLP_TOKEN_FILE", token);
        }
        command.output().unwrap()
    }

    /// What a command prints that succeeds.
    fn clp(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let all = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.clp(&all)).unwrap()
    }

    fn create(&self, purpose: &str, owner: &str) -> String {
        let made = self.json(&[
            "create",
            "--purpose",
            purpose,
            "--owner",
            owner,
            "--project",
            "atlas",
            "--environment",
            "staging",
            "--allow",
            "record:read:atlas/*",
            "--lifetime",
            "30d",
        ]);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Brings a credential to a place of this name, recognised by its name as user agent.
    fn place(&self, credential: &str, kind: &str, name: &str, dependents: &[&str]) {
        let file = self.home.path().join("env");
        let variable = format!("KEY_{}", name.replace([' ', '.'], "_").to_uppercase());
        let agent = format!("{name}/");
        let mut arguments = vec![
            "inject",
            credential,
            "--env-file",
            file.to_str().unwrap(),
            "--name",
            &variable,
            "--kind",
            kind,
            "--title",
            name,
            "--user-agent",
            &agent,
        ];
        for name in dependents {
            arguments.extend(["--depends-on", name]);
        }
        self.clp(&arguments);
    }

    /// Calls the API with the credential, as this user agent.
    fn used(&self, credential: &str, agent: &str) {
        let secret = self.clp(&["store", "read", credential]);
        let url = format!("{}/v1/projects/atlas/records/1", self.url);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let call = reqwest::Client::new()
            .get(url)
            .header("user-agent", agent)
            .bearer_auth(secret)
            .send();
        assert!(runtime.block_on(call).unwrap().status().is_success());
    }
}

/// Sixty places of five credentials.
fn project(bench: &Bench) -> Vec<String> {
    let owners = ["data team", "web team"];
    let names = ["exports", "previews", "notebooks", "deploys", "pipelines"];
    let kinds = ["cron", "vercel", "notebook", "deploy", "github_actions"];
    let mut all = Vec::new();
    for (at, (name, kind)) in names.iter().zip(kinds).enumerate() {
        let credential = bench.create(name, owners[at % 2]);
        for number in 1..=12 {
            let place = format!("{name} {number}");
            let next = format!("{} 1", names[(at + 1) % 5]);
            // The first of each stops the first of the next, and so round in a circle.
            let dependents = match number {
                1 => vec![next.as_str(), "shop"],
                2..=6 => vec!["reports"],
                _ => vec![],
            };
            bench.place(&credential, kind, &place, &dependents);
        }
        all.push(credential);
    }
    all
}

fn valid(schema: &str, document: &Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join("schemas/v1").join(schema);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(document)
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

/// Left, top, right and bottom of everything that is drawn as a tile.
fn tiles(svg: &str) -> Vec<[i32; 4]> {
    let rectangle = regex::Regex::new(
        r#"<rect class="tile" x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)" rx"#,
    )
    .unwrap();
    let all = rectangle.captures_iter(svg).map(|found| {
        let number = |at: usize| found[at].parse::<i32>().unwrap();
        [
            number(1),
            number(2),
            number(1) + number(3),
            number(2) + number(4),
        ]
    });
    all.collect()
}

#[test]
fn a_project_of_sixty_places_is_drawn_and_handed_over() {
    let bench = Bench::start();
    let credentials = project(&bench);
    bench.used(&credentials[0], "exports 1/2.0");
    bench.used(&credentials[0], "stranger/1");
    // Matches the places 1, 10, 11 and 12, as far as anybody can tell.
    bench.used(&credentials[1], "previews 1/1");

    let graph = bench.json(&["inventory", "--project", "atlas"]);
    valid("usage-graph.schema.json", &graph);
    let count = |kind: &str| {
        let nodes = graph["nodes"].as_array().unwrap().iter();
        nodes.filter(|node| node["kind"] == kind).count()
    };
    assert_eq!(
        (count("place"), count("credential"), count("owner")),
        (60, 5, 2)
    );
    assert_eq!(count("dependent"), 7);

    let file = bench.home.path().join("atlas.svg");
    let output = ["--format", "svg", "--output", file.to_str().unwrap()];
    bench.clp(&[&["inventory", "--project", "atlas"][..], &output].concat());
    let svg = std::fs::read_to_string(&file).unwrap();
    let tiles = tiles(&svg);
    // Two owners, five credentials, sixty places, who was not declared, and what depends.
    assert_eq!(tiles.len(), 2 + 5 + 60 + 1 + 7);
    for (at, [left, top, right, bottom]) in tiles.iter().enumerate() {
        assert!(*left >= 0 && *right <= 1200 && *top > 0);
        for [other_left, other_top, other_right, other_bottom] in &tiles[at + 1..] {
            let apart = right <= other_left
                || other_right <= left
                || bottom <= other_top
                || other_bottom <= top;
            assert!(apart, "two things stand on one another");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read who uses what");
    }

    // What one deploys stops what the next one does, all round.
    let breaks = bench.json(&["inventory", "--breaks", &credentials[3]]);
    valid("usage-breaks.schema.json", &breaks);
    let node = |id: &Value| {
        let nodes = breaks["graph"]["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["id"] == *id).unwrap().clone()
    };
    let hit = breaks["hit"].as_array().unwrap();
    let far = hit
        .iter()
        .find(|hit| node(&hit["node"])["label"] == "notebooks 1");
    assert!(
        far.unwrap()["path"].as_array().unwrap().len() > 8,
        "{far:?}"
    );
    assert_eq!(breaks["cycles"].as_array().unwrap().len(), 1);
    // Notebooks that hold another key go on.
    assert!(
        hit.iter()
            .all(|hit| node(&hit["node"])["label"] != "notebooks 2")
    );
    let nothing = bench.run(&["inventory", "--breaks", "of nobody"]);
    assert_eq!(nothing.status.code(), Some(2));

    secrets_stay(&bench, &credentials);
}

/// Somebody pastes a key where a label was asked for: it goes no further.
fn secrets_stay(bench: &Bench, credentials: &[String]) {
    let mut canary = Canary::default();
    for credential in credentials {
        canary.taint("a secret", &bench.clp(&["store", "read", credential]));
    }
    let token = std::fs::read_to_string(bench.home.path().join("sandbox/owner.token")).unwrap();
    canary.taint("the token", token.trim());
    let pasted = bench.clp(&["store", "read", &credentials[0]]);
    let label = format!("note={pasted}");
    bench.clp(&["amend", &credentials[1], "--label", &label]);
    let shown = bench.clp(&["show", &credentials[1]]);
    let planted = canary.search(Channel::Output, shown.as_bytes());
    assert!(
        planted.is_some(),
        "what is searched for is not there: {shown}"
    );

    let handoff = ["handoff", "--project", "atlas", "--format"];
    let mut seen = 0;
    for format in ["json", "markdown", "html"] {
        let written = bench.clp(&[&handoff[..], &[format]].concat());
        let found = canary.search(Channel::Output, written.as_bytes());
        assert!(found.is_none(), "a secret is in the handoff as {format}");
        seen += usize::from(written.contains("a secret stood here"));
        assert!(written.contains("clp --issuer"), "{written}");
        if format == "json" {
            let document: Value = serde_json::from_str(&written).unwrap();
            valid("handoff.schema.json", &document);
            let all = document["credentials"].as_array().unwrap();
            assert_eq!(all.len(), 5);
            for one in all {
                assert_eq!(one["may"][0], "Read the records \"atlas/*\"");
                assert_eq!(one["places"].as_array().unwrap().len(), 12);
                let url = one["replacing"]["url"].as_str().unwrap();
                assert!(url.ends_with("/rotations"), "{url}");
            }
        }
    }
    assert!(seen >= 1, "the label is gone altogether");
    for format in ["text", "json", "dot", "mermaid", "svg"] {
        let written = bench.clp(&["inventory", "--project", "atlas", "--format", format]);
        let found = canary.search(Channel::Output, written.as_bytes());
        assert!(found.is_none(), "a secret is in the inventory as {format}");
    }
}
