//! Reading an audit log with `clp`: checkpoints are kept, and a log that forgets is found out.

#![expect(
    clippy::unwrap_used,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::audit::leaf::{self, Disclosed};
use clp_schemas::audit::merkle::{self, Hash, Node};
use clp_schemas::canonical::to_base64;
use clp_schemas::time::Timestamp;
use common::issuer::clp;
use common::{MANIFEST, Reply, Seen, Server, manifest};
use serde_json::{Value, json};

/// A log made by hand, which can be made to forget.
struct Log {
    pair: Ed25519KeyPair,
    leaves: Vec<(Vec<u8>, BTreeMap<String, Disclosed>)>,
    nodes: HashMap<Node, Hash>,
}

impl Log {
    fn new(purpose: &str, size: u64) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let mut log = Self {
            pair,
            leaves: Vec::new(),
            nodes: HashMap::new(),
        };
        for index in 0..size {
            let values = BTreeMap::from([("note".to_owned(), json!(purpose))]);
            let time = Timestamp::from_unix(1_800_000_000);
            let sealed = leaf::seal(index, time, "credential.used", values, || [9; 16]).unwrap();
            let hash = merkle::leaf_hash(&sealed.0);
            log.nodes
                .extend(merkle::append(index, hash, |node| log.node(node)).unwrap());
            log.leaves.push(sealed);
        }
        log
    }

    fn node(&self, node: Node) -> Result<Hash, ()> {
        self.nodes.get(&node).copied().ok_or(())
    }

    fn size(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap()
    }

    fn note(&self, origin: &str) -> String {
        let head = Checkpoint {
            origin: origin.to_owned(),
            tree_size: self.size(),
            root: merkle::root(self.size(), |node| self.node(node)).unwrap(),
        };
        head.sign(&self.pair).unwrap()
    }

    fn entries(&self, origin: &str) -> Value {
        let entries: Vec<_> = (0_u64..)
            .zip(&self.leaves)
            .map(|(index, (leaf, disclosed))| json!({"index": index, "leaf": to_base64(leaf), "disclosed": disclosed}))
            .collect();
        json!({"log_origin": origin, "entries": entries})
    }

    fn answer(&self, url: &str, seen: &Seen) -> Reply {
        let prefix = url.trim_start_matches("http://");
        let origin = format!("{prefix}/ten_0123456789abcdefghij");
        let number = |name: &str| -> u64 {
            let query = seen.target.split_once('?').unwrap().1;
            let pair = query
                .split('&')
                .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            pair.unwrap().parse().unwrap()
        };
        let path = seen.target.split('?').next().unwrap();
        match path.trim_start_matches("/credentials/audit/") {
            MANIFEST => {
                let mut value = manifest(url);
                let log = json!({"origin_prefix": prefix, "public_key": to_base64(self.pair.public_key().as_ref())});
                let members = value.as_object_mut().unwrap();
                members.insert("profiles_supported".to_owned(), json!(["audit-proofs"]));
                members.insert("audit_log".to_owned(), log);
                common::json(200, &value)
            }
            "entries" => common::json(200, &self.entries(&origin)),
            "checkpoint" => {
                let headers = "Content-Type: text/plain; charset=utf-8\r\n".to_owned();
                Reply::Answer(200, headers, self.note(&origin).into_bytes())
            }
            "proofs/inclusion" => {
                let (index, size) = (number("index"), number("tree_size"));
                let hashes = merkle::inclusion(index, size, |node| self.node(node)).unwrap();
                common::json(
                    200,
                    &json!({"index": index, "tree_size": size, "hashes": hashes}),
                )
            }
            _ => {
                let (from, to) = (number("from"), number("to"));
                let hashes = merkle::consistency(from, to, |node| self.node(node)).unwrap();
                common::json(200, &json!({"from": from, "to": to, "hashes": hashes}))
            }
        }
    }
}

fn serve(log: Log) -> (Server, Arc<Mutex<Log>>) {
    let log = Arc::new(Mutex::new(log));
    let served = Arc::clone(&log);
    let server = Server::start(move |url, seen| served.lock().unwrap().answer(url, seen));
    (server, log)
}

#[test]
fn a_log_that_grows_is_followed_and_one_that_forgets_is_found_out() {
    let home = tempfile::tempdir().unwrap();
    let (server, log) = serve(Log::new("as it was", 5));
    let look = || clp(&home, &server, &["audit", "--checkpoint"]);
    let first = look();
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert!(first.stdout.contains("first checkpoint"));
    *log.lock().unwrap() = Log::new("as it was", 9);
    let second = look();
    assert_eq!(second.status, 0, "{}", second.stderr);
    assert!(
        second.stdout.contains("continues the log of 5 entries"),
        "{}",
        second.stdout
    );
    for forged in [
        Log::new("as it was", 6),
        Log::new("rewritten", 12),
        Log::new("rewritten", 9),
    ] {
        *log.lock().unwrap() = forged;
        let run = look();
        assert_eq!(run.status, 6, "{}", run.stdout);
    }
    // What was kept is the proof against the log, and was not replaced by what it disproves.
    *log.lock().unwrap() = Log::new("as it was", 12);
    assert_eq!(look().status, 0);
}

#[test]
fn of_two_runs_at_once_the_larger_checkpoint_stays() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let log = Arc::new(Mutex::new(Log::new("as it was", 5)));
    // While this run asks whether 7 continues 5, another one looks, and keeps 9.
    let answered = std::sync::atomic::AtomicBool::new(false);
    let (shared, place) = (Arc::clone(&log), Arc::clone(&home));
    let between = Server::start(move |url, seen| {
        let late = seen.target.contains("/proofs/consistency")
            && !answered.swap(true, std::sync::atomic::Ordering::SeqCst);
        if !late {
            return shared.lock().unwrap().answer(url, seen);
        }
        let reply = shared.lock().unwrap().answer(url, seen);
        *shared.lock().unwrap() = Log::new("as it was", 9);
        let other = Server::at(url);
        assert_eq!(clp(&place, &other, &["audit", "--checkpoint"]).status, 0);
        reply
    });
    assert_eq!(clp(&home, &between, &["audit", "--checkpoint"]).status, 0);
    *log.lock().unwrap() = Log::new("as it was", 7);
    let run = clp(&home, &between, &["audit", "--checkpoint"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("continues the log of 9 entries"),
        "{}",
        run.stdout
    );
    *log.lock().unwrap() = Log::new("as it was", 7);
    assert_eq!(clp(&home, &between, &["audit", "--checkpoint"]).status, 6);
}

#[test]
fn a_checkpoint_by_another_key_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let log = Log::new("x", 3);
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let server = Server::start(move |url, seen| match log.answer(url, seen) {
        Reply::Answer(status, headers, body) if headers.contains("text/plain") => {
            let note = String::from_utf8(body).unwrap();
            let forged = Checkpoint::read_unverified(&note)
                .unwrap()
                .sign(&other)
                .unwrap();
            Reply::Answer(status, headers, forged.into_bytes())
        }
        reply => reply,
    });
    let run = clp(&home, &server, &["audit", "--checkpoint"]);
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(!home.path().join("checkpoints").exists());
}

#[test]
fn an_entry_that_does_not_fit_its_leaf_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut log = Log::new("true", 3);
    if let Some(note) = log
        .leaves
        .get_mut(1)
        .and_then(|(_, shown)| shown.get_mut("note"))
    {
        note.value = json!("false");
    }
    let (server, log) = serve(log);
    let run = clp(&home, &server, &["audit"]);
    assert_eq!(run.status, 6, "{}", run.stdout);
    *log.lock().unwrap() = Log::new("true", 3);
    let run = clp(&home, &server, &["audit", "--json", "--limit", "2"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown.pointer("/items/1/members/note"), Some(&json!("true")));
    assert_eq!(shown.pointer("/more"), Some(&json!(true)));
}

#[test]
fn a_proof_is_written_and_verified_without_the_issuer() {
    let home = tempfile::tempdir().unwrap();
    let (server, log) = serve(Log::new("x", 4));
    assert_eq!(clp(&home, &server, &["audit", "--checkpoint"]).status, 0);
    *log.lock().unwrap() = Log::new("x", 7);
    let file = home.path().join("proof.json");
    let file = file.to_str().unwrap();
    let run = clp(
        &home,
        &server,
        &[
            "audit", "--proof", "2", "--output", file, "--redact", "note",
        ],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    let key = to_base64(log.lock().unwrap().pair.public_key().as_ref());
    let verify =
        |arguments: &[&str]| clp(&home, &server, &[&["verify", "audit"], arguments].concat());
    let run = verify(&[file, "--key", &key]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for said in [
        "authenticated",
        "note: redacted",
        "4 entries of the earlier checkpoint",
        "only the issuer vouches",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    let unsigned = verify(&[file, "--unauthenticated"]);
    assert!(unsigned.stdout.contains("consistent, unauthenticated"));
    assert_eq!(verify(&[file]).status, 2);
    assert_eq!(verify(&[file, "--key", &to_base64(&[1; 32])]).status, 6);
    let text = std::fs::read_to_string(file)
        .unwrap()
        .replace("\"tree_size\": 7", "\"tree_size\": 6");
    std::fs::write(file, text).unwrap();
    assert_eq!(verify(&[file, "--key", &key]).status, 6);
    let run = clp(&home, &server, &["audit", "--proof", "7", "--output", file]);
    assert_eq!(run.status, 2, "{}", run.stderr);
}
