//! What was acknowledged outlives a process that is killed in the middle of its work.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::audit::merkle::{Hash, leaf_hash, verify_consistency, verify_inclusion};
use clp_schemas::audit::note::PublicKey;
use clp_schemas::canonical::from_base64;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

/// How often the process is killed.
const KILLS: u32 = 4;
/// How many callers create at the same time.
const CALLERS: u32 = 4;
/// After how many acknowledged creates a kill comes.
const CREATES: u32 = 12;

const ANA: &str = "demo-exampleapi-ana-not-a-secret";

/// A running `clp-issuer`.
struct Process {
    child: Child,
    endpoint: String,
    origin: String,
}

impl Process {
    async fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_clp-issuer"))
            .args(["--port", "0", "--data"])
            .arg(data)
            .env_remove("CLP_CONTROL_TOKEN")
            .env("CLP_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line());
        let line: Value = serde_json::from_str(&line.await.unwrap().unwrap().unwrap()).unwrap();
        let origin = line["personas"][0]["url"].as_str().unwrap().to_owned();
        let manifest = format!("{origin}/.well-known/credential-issuer");
        let manifest: Value = Client::new()
            .get(manifest)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let endpoint = manifest["credential_issuer_endpoint"]
            .as_str()
            .unwrap()
            .to_owned();
        Self {
            child,
            endpoint,
            origin,
        }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = Client::new()
            .get(format!("{}{path}", self.endpoint))
            .bearer_auth(ANA)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn checkpoint(&self) -> Checkpoint {
        let manifest = format!("{}/.well-known/credential-issuer", self.origin);
        let manifest: Value = Client::new()
            .get(manifest)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let key = manifest["audit_log"]["public_key"].as_str().unwrap();
        let note = Client::new()
            .get(format!("{}/audit/checkpoint", self.endpoint))
            .bearer_auth(ANA)
            .send()
            .await
            .unwrap();
        let note = note.text().await.unwrap();
        Checkpoint::open(&note, &PublicKey::from_base64(key).unwrap()).unwrap()
    }

    /// Every `credential.created` of the log by credential: its index and its leaf.
    async fn created(&self) -> BTreeMap<String, (u64, Hash)> {
        let mut found = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/audit/entries?event=credential.created&limit=200{cursor}");
            let page = self.get(&path).await;
            for entry in page["entries"].as_array().unwrap() {
                let leaf = from_base64(entry["leaf"].as_str().unwrap()).unwrap();
                let id = entry["disclosed"]["credential_id"]["value"]
                    .as_str()
                    .unwrap();
                let index = entry["index"].as_u64().unwrap();
                assert!(
                    found
                        .insert(id.to_owned(), (index, leaf_hash(&leaf)))
                        .is_none()
                );
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}

/// Creates with one key after the other until the process is gone; answers what was
/// acknowledged, and the body and key of the call that got no answer.
async fn create_until_killed(
    endpoint: String,
    name: String,
    done: Arc<Semaphore>,
) -> (Vec<String>, String) {
    let http = Client::new();
    let mut acknowledged = Vec::new();
    loop {
        let key = format!("{name}-{}", acknowledged.len());
        match create(&http, &endpoint, &key).await {
            Some(id) => acknowledged.push(id),
            None => return (acknowledged, key),
        }
        done.add_permits(1);
    }
}

/// One create; `None` where no whole answer came.
async fn create(http: &Client, endpoint: &str, key: &str) -> Option<String> {
    let body = json!({
        "type": "api_key",
        "permissions": [{"resource_type": "record", "selector": "atlas/*", "actions": ["read"]}],
        "purpose": "a crash test",
        "owner": "team-edge",
        "project": "atlas",
        "environment": "staging",
    });
    let answer = http
        .post(endpoint)
        .bearer_auth(ANA)
        .header("Idempotency-Key", key)
        .json(&body)
        .send()
        .await
        .ok()?;
    let status = answer.status();
    let made: Value = answer.json().await.ok()?;
    assert_eq!(status, 201, "{made}");
    Some(made["id"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_is_there_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut last: Option<Checkpoint> = None;
    for round in 0..KILLS {
        let mut process = Process::start(data.path()).await;
        let done = Arc::new(Semaphore::new(0));
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let name = format!("crash-{round}-{caller}");
                tokio::spawn(create_until_killed(
                    process.endpoint.clone(),
                    name,
                    Arc::clone(&done),
                ))
            })
            .collect();
        // Not a wait for time: a wait for work, so that the kill falls into the middle of it.
        let enough = done.acquire_many(CREATES + round * 5).await;
        enough.unwrap().forget();
        process.child.kill().await.unwrap();
        let mut unanswered = Vec::new();
        for caller in callers {
            let (ids, key) = caller.await.unwrap();
            acknowledged.extend(ids);
            unanswered.push(key);
        }

        let process = Process::start(data.path()).await;
        // A call without an answer is repeated with its key, and is carried out once at most.
        let http = Client::new();
        for key in unanswered {
            let id = create(&http, &process.endpoint, &key).await.unwrap();
            let again = create(&http, &process.endpoint, &key).await.unwrap();
            assert_eq!(id, again);
            acknowledged.push(id);
        }
        for id in &acknowledged {
            assert_eq!(process.get(&format!("/{id}")).await["id"], id.as_str());
        }
        last = Some(verify(&process, &acknowledged, last).await);
    }
    assert!(acknowledged.len() >= (KILLS * CREATES) as usize);
}

/// Verifies the whole log against its signed head, and that it only grew since `last`.
async fn verify(
    process: &Process,
    acknowledged: &[String],
    last: Option<Checkpoint>,
) -> Checkpoint {
    let created = process.created().await;
    assert_eq!(
        created.len(),
        acknowledged.len(),
        "each create is in the log once"
    );
    let head = process.checkpoint().await;
    for id in acknowledged {
        let (index, leaf) = created[id];
        let path = format!(
            "/audit/proofs/inclusion?index={index}&tree_size={}",
            head.tree_size
        );
        let proof = process.get(&path).await;
        let hashes = hashes(&proof);
        verify_inclusion(leaf, index, head.tree_size, &hashes, head.root).unwrap();
    }
    if let Some(last) = last {
        let path = format!(
            "/audit/proofs/consistency?from={}&to={}",
            last.tree_size, head.tree_size
        );
        let proof = process.get(&path).await;
        verify_consistency(
            last.tree_size,
            head.tree_size,
            &hashes(&proof),
            last.root,
            head.root,
        )
        .unwrap();
    }
    head
}

fn hashes(proof: &Value) -> Vec<Hash> {
    let hashes = proof["hashes"].as_array().unwrap();
    hashes
        .iter()
        .map(|hash| Hash::from_base64(hash.as_str().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path()).await;
    let id = create(&Client::new(), &process.endpoint, "signal-1")
        .await
        .unwrap();
    let pid = process.child.id().unwrap().to_string();
    let sent = Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
    let ended = tokio::time::timeout(Duration::from_secs(30), process.child.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0));
    let process = Process::start(data.path()).await;
    assert_eq!(process.get(&format!("/{id}")).await["state"], "provisioned");
}
