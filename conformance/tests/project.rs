//! A whole project, spread over three providers, is rotated while somebody uses it: nothing
//! fails, though the run is killed half-way and gone on with.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod bench;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench::{Bench, said, value};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Credentials at each of the three providers.
const EACH: usize = 4;
/// What each user waits between two calls.
const PAUSE: Duration = Duration::from_millis(10);

/// One credential in use.
struct Used {
    issuer: String,
    id: String,
    variable: String,
    file: PathBuf,
    /// The first key, which is refused in the end.
    key: String,
    url: String,
}

/// Four credentials at each provider, all of a provider in one file. What the second of one
/// provider keeps going is where the first of the next one is used.
async fn credentials(bench: &Bench) -> Vec<Used> {
    let mut all = Vec::new();
    for (at, (issuer, sandbox)) in bench.providers.iter().enumerate() {
        let probe = &sandbox["probe"];
        let text = |name: &str| probe[name].as_str().unwrap().to_owned();
        let permissions = bench.home.path().join(format!("{at}.json"));
        std::fs::write(&permissions, probe["read_permissions"].to_string()).unwrap();
        let file = bench.home.path().join(format!("{at}.env"));
        let url = format!("{issuer}{}", probe["read"]["path"].as_str().unwrap());
        for number in 0..EACH {
            let made = bench
                .answer(&[
                    "--issuer",
                    issuer,
                    "create",
                    "--purpose",
                    &format!("service {at}-{number}"),
                    "--owner",
                    "data team",
                    "--project",
                    &text("project"),
                    "--environment",
                    &text("environment"),
                    "--permissions",
                    permissions.to_str().unwrap(),
                    "--lifetime",
                    "1d",
                    "--max-overlap",
                    "1h",
                ])
                .await;
            let id = made["id"].as_str().unwrap().to_owned();
            let variable = format!("KEY_{number}");
            let mut words = vec![
                "--issuer".to_owned(),
                issuer.clone(),
                "inject".to_owned(),
                id.clone(),
                format!("--env-file={}", file.display()),
                format!("--name={variable}"),
                format!("--title=service-{at}-{number}"),
                format!("--user-agent=user-{at}-{number}/"),
                format!("--health={url}"),
            ];
            if number == 1 {
                words.push(format!("--depends-on=service-{}-0", at + 1));
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            bench.answer(&words).await;
            all.push(Used {
                issuer: issuer.clone(),
                id,
                key: value(&file, &variable),
                variable,
                file: file.clone(),
                url: url.clone(),
            });
        }
    }
    all
}

/// What happened to those who used the credentials all the while.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    failures: Mutex<Vec<String>>,
    over: AtomicBool,
}

/// Reads the file anew and calls, until it is over.
async fn uses(used: Arc<Used>, agent: String, http: reqwest::Client, seen: Arc<Seen>) {
    while !seen.over.load(Ordering::Relaxed) {
        let key = value(&used.file, &used.variable);
        let call = http
            .get(&used.url)
            .bearer_auth(&key)
            .header("User-Agent", &agent);
        let came = call.send().await;
        seen.requests.fetch_add(1, Ordering::Relaxed);
        match came {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => {
                let what = format!("{agent}: {}", answer.status());
                seen.failures.lock().unwrap().push(what);
            }
            Err(fault) => seen
                .failures
                .lock()
                .unwrap()
                .push(format!("{agent}: {fault}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

const ROTATE: &[&str] = &[
    "rotate",
    "--project",
    "atlas",
    "--quiet",
    "2s",
    "--wait",
    "90s",
    "--i-have-moved-everything",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_rotated_over_three_providers_and_nobody_notices() {
    let bench = Bench::start().await;
    let used: Vec<Arc<Used>> = credentials(&bench)
        .await
        .into_iter()
        .map(Arc::new)
        .collect();
    assert_eq!((bench.providers.len(), used.len()), (3, 12));
    let seen = Arc::new(Seen::default());
    let http = reqwest::Client::new();
    let users: Vec<_> = used
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let agent = format!("user-{}-{}/1.0", index / EACH, index % EACH);
            tokio::spawn(uses(
                Arc::clone(one),
                agent,
                http.clone(),
                Arc::clone(&seen),
            ))
        })
        .collect();

    // It is said in advance, and nothing is changed by saying it.
    let would = bench.answer(&[ROTATE, &["--dry-run"]].concat()).await;
    assert_eq!(would["items"].as_array().unwrap().len(), 12, "{would:#}");
    assert!(
        used.iter()
            .all(|one| value(&one.file, &one.variable) == one.key)
    );

    // The first run is killed when some are done, and others are on their way.
    let mut first = bench.clp(ROTATE).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    let mut before = Vec::new();
    let mut done = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        done += usize::from(line.ends_with(": done"));
        before.push(line);
        if done == 3 {
            break;
        }
    }
    assert_eq!(done, 3, "{}", before.join("\n"));
    first.kill().await.unwrap();
    let killed_at = seen.requests.load(Ordering::Relaxed);

    let second = bench.clp(ROTATE).output().await.unwrap();
    let told = said(&second);
    assert!(second.status.success(), "{}\n{told}", before.join("\n"));
    assert!(told.contains("going on with the run of"), "{told}");

    let failures = seen.failures.lock().unwrap().clone();
    let requests = seen.requests.load(Ordering::Relaxed);
    eprintln!(
        "{} credentials over {} providers: {requests} requests ({killed_at} before the kill), {} failures",
        used.len(),
        bench.providers.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{failures:#?}\n{told}");
    assert!(requests > 500, "{requests}");

    // Each was replaced once, whichever run did it, and the old keys open nothing.
    for one in &used {
        assert_ne!(value(&one.file, &one.variable), one.key);
        let old = http
            .get(&one.url)
            .bearer_auth(&one.key)
            .send()
            .await
            .unwrap();
        assert_eq!(old.status().as_u16(), 401, "{}", one.id);
        let shown = bench
            .answer(&["--issuer", &one.issuer, "show", &one.id])
            .await;
        assert_eq!(shown["state"], "revoked", "{shown:#}");
    }
    for issuer in bench.providers.keys() {
        let listed = bench.answer(&["--issuer", issuer, "list"]).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2 * EACH);
    }
    // An outage would have been seen: here is one.
    let hasty = ["--reason", "compromise", "--revoke-first"];
    let third = bench
        .clp(&[ROTATE, &hasty].concat())
        .output()
        .await
        .unwrap();
    assert!(third.status.success(), "{}", said(&third));
    seen.over.store(true, Ordering::Relaxed);
    for user in users {
        user.await.unwrap();
    }
    let outage = seen.failures.lock().unwrap().len();
    eprintln!("and {outage} failures where the old keys were revoked first");
    assert!(outage > 0);
    // What others depend on came first.
    let all = [before.join("\n"), told].concat();
    for at in 0..2 {
        let begun = |name: &str| {
            let of =
                |line: &&str| line.contains(&format!("({name})")) && line.contains(" opened: ");
            all.lines().position(|line| of(&line))
        };
        let first = begun(&format!("service {at}-1"));
        let later = begun(&format!("service {}-0", at + 1));
        assert!(
            first.is_some() && first < later,
            "{first:?} {later:?}\n{all}"
        );
    }
}

/// A credential of the first provider, and perhaps the file that it is in.
async fn one(
    bench: &Bench,
    issuer: &str,
    purpose: &str,
    policy: &[&str],
    place: &[&str],
) -> String {
    let permissions = bench.home.path().join("one.json");
    let probe = &bench.providers[issuer]["probe"];
    std::fs::write(&permissions, probe["read_permissions"].to_string()).unwrap();
    let create = [
        "--issuer",
        issuer,
        "create",
        "--purpose",
        purpose,
        "--owner",
        "data team",
        "--project",
        probe["project"].as_str().unwrap(),
        "--environment",
        probe["environment"].as_str().unwrap(),
        "--permissions",
        permissions.to_str().unwrap(),
    ];
    let made = bench.answer(&[&create[..], policy].concat()).await;
    let id = made["id"].as_str().unwrap().to_owned();
    if place.is_empty() {
        // To be in use, it has to be used once.
        let url = format!("{issuer}{}", probe["read"]["path"].as_str().unwrap());
        let call = [
            "--issuer",
            issuer,
            "call",
            &id,
            "GET",
            &url,
            "--user-agent",
            "nobody/",
        ];
        let output = bench.clp(&call).output().await.unwrap();
        assert!(output.status.success(), "{}", said(&output));
    } else {
        let file = format!("--env-file={}", bench.home.path().join("one.env").display());
        let inject = ["--issuer", issuer, "inject", &id, &file];
        bench.answer(&[&inject[..], place].concat()).await;
    }
    id
}

/// How a command ended, and its JSON.
async fn ended(bench: &Bench, arguments: &[&str]) -> (i32, Value) {
    let arguments = [&["--json"][..], arguments].concat();
    let output = bench.clp(&arguments).output().await.unwrap();
    let told = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), told)
}

/// How each ended, by its purpose.
fn ends(told: &Value) -> std::collections::BTreeMap<&str, &str> {
    let items = told["items"].as_array().into_iter().flatten();
    items
        .map(|item| {
            (
                item["purpose"].as_str().unwrap(),
                item["end"].as_str().unwrap_or("?"),
            )
        })
        .collect()
}

/// The issuer of all profiles.
async fn whole(bench: &Bench) -> String {
    for issuer in bench.providers.keys() {
        let manifest = bench.answer(&["--issuer", issuer, "discover"]).await;
        if manifest.to_string().contains("\"inventory\"") {
            return issuer.clone();
        }
    }
    String::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_rotated_once_and_the_rest_is_left_to_people() {
    let bench = Bench::start().await;
    let issuer = whole(&bench).await;
    let probe = &bench.providers[&issuer]["probe"];
    let health = format!(
        "--health={issuer}{}",
        probe["read"]["path"].as_str().unwrap()
    );
    let often = ["--rotate-every", "9s"];
    let place = ["--name=KEY", "--user-agent=nightly/", &health];
    let old = one(&bench, &issuer, "old", &often, &place).await;
    one(&bench, &issuer, "old and nowhere", &often, &[]).await;
    one(&bench, &issuer, "without a policy", &[], &["--name=OTHER"]).await;

    // A fresh one is due soon, and is told with its reason; it is not rotated in every run.
    let (exit, told) = ended(&bench, &["due", "--within", "1d"]).await;
    assert_eq!(exit, 8, "{told:#}");
    let purposes: Vec<_> = ends(&told).into_keys().collect();
    assert_eq!(purposes, ["old", "old and nowhere"], "{told:#}");
    assert_eq!(
        told["items"][0]["why"][0]["why"], "rotate_every",
        "{told:#}"
    );

    let due = ["rotate", "--due", "--within", "3s"];
    let dry = [&due[..], &["--dry-run"]].concat();
    loop {
        let (_, told) = ended(&bench, &dry).await;
        if told["items"].as_array().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let (exit, told) = ended(&bench, &due).await;
    assert_eq!(exit, 7, "{told:#}");
    let found = ends(&told);
    assert_eq!(found["old"], "done", "{told:#}");
    assert_eq!(found["old and nowhere"], "needs a person", "{told:#}");
    let shown = bench.answer(&["--issuer", &issuer, "show", &old]).await;
    assert_eq!(shown["state"], "revoked", "{shown:#}");

    // At once again: what was done is not done twice. A word settles the other.
    let (exit, told) = ended(
        &bench,
        &[&due[..], &["--no-places", "--open-anyway"]].concat(),
    )
    .await;
    assert_eq!(
        ends(&told).into_iter().collect::<Vec<_>>(),
        [("old and nowhere", "waits")]
    );
    assert_eq!(exit, 7, "{told:#}");
    let listed = bench.answer(&["--issuer", &issuer, "list"]).await;
    let count = |purpose: &str| {
        let items = listed["items"].as_array().unwrap().iter();
        items.filter(|item| item["purpose"] == purpose).count()
    };
    assert_eq!(
        (
            count("old"),
            count("old and nowhere"),
            count("without a policy")
        ),
        (2, 2, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_a_failure_is_held_back_and_gone_on_with_later() {
    let bench = Bench::start().await;
    let issuer = whole(&bench).await;
    let probe = &bench.providers[&issuer]["probe"];
    let health = format!(
        "--health={issuer}{}",
        probe["read"]["path"].as_str().unwrap()
    );
    let place = |name: &'static str, title: &'static str, keeps: &'static str| {
        [
            format!("--name={name}"),
            format!("--title={title}"),
            format!("--depends-on={keeps}"),
        ]
    };
    let mut first = None;
    for (purpose, (name, title, keeps), check) in [
        ("first", ("A", "database", "web"), "--health-cmd=false"),
        ("second", ("B", "web", "reports"), &health),
        ("third", ("C", "reports", "web"), &health),
        ("alone", ("D", "cron", "nothing"), &health),
    ] {
        let place = place(name, title, keeps);
        let mut words: Vec<&str> = place.iter().map(String::as_str).collect();
        words.push(check);
        let id = one(&bench, &issuer, purpose, &[], &words).await;
        first = first.or(Some(id));
    }
    let first = first.unwrap();
    let rotate = ["rotate", "--project", "atlas"];
    let (_, told) = ended(&bench, &[&rotate[..], &["--dry-run"]].concat()).await;
    let order = ends(&told);
    assert_eq!(order.len(), 4, "{told:#}");
    assert_eq!(told["items"][0]["purpose"], "first", "{told:#}");
    assert_eq!(told["circles"][0].as_array().unwrap().len(), 2, "{told:#}");

    let (exit, told) = ended(&bench, &rotate).await;
    assert_eq!(exit, 3, "{told:#}");
    let found = ends(&told);
    let wanted = [
        ("first", "failed"),
        ("second", "held back"),
        ("third", "held back"),
    ];
    assert!(
        wanted.iter().all(|(name, end)| found[name] == *end),
        "{told:#}"
    );
    assert_eq!(found["alone"], "done", "{told:#}");

    // The check is mended, and the same command goes on with what is left.
    let file = format!("--env-file={}", bench.home.path().join("one.env").display());
    let inject = [
        "--issuer", &issuer, "inject", &first, &file, "--name=A", &health,
    ];
    bench.answer(&inject).await;
    let (exit, told) = ended(&bench, &rotate).await;
    assert_eq!(exit, 0, "{told:#}");
    let found = ends(&told);
    assert_eq!(found.len(), 3, "{told:#}");
    assert!(found.values().all(|end| *end == "done"), "{told:#}");
    let listed = bench.answer(&["--issuer", &issuer, "list"]).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 8);
}
