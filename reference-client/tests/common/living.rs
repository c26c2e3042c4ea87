//! An issuer made by hand that remembers: credentials, installations and one rotation, each
//! with an entity tag. It claims every profile, or those that a test names.

#![expect(
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use clp_schemas::key::{GENERATION_BYTES, Key};
use serde_json::{Value, json};

use super::issuer::{
    CREDENTIAL, PRINCIPAL, SUCCESSOR, credential, permissions, permissions_digest,
};
use super::{MANIFEST, Reply, Seen, Server, manifest, problem};

pub const ROTATION: &str = "rot_0123456789abcdefghij";
pub const PROBE: &str = "probe-value-that-opens-nothing";
const ALL: &[&str] = &["lifecycle", "inventory", "oauth", "webhooks", "bound-keys"];

/// What the issuer remembers, and how it is to behave.
#[derive(Default)]
pub struct Memory {
    pub credentials: BTreeMap<String, Value>,
    pub installations: BTreeMap<String, Value>,
    pub rotation: Option<Value>,
    pub usage: Option<Value>,
    /// What was used of a credential.
    pub analysis: Option<Value>,
    /// Whether the resource accepts the successor.
    pub works: bool,
    /// Whether the resource fails instead of refusing.
    pub broken: bool,
    /// The next request with this in its body is carried out, and its answer gets lost.
    pub lost: Option<&'static str>,
    /// Every request whose method and path hold this is carried out, and no answer comes.
    pub hangs: Option<&'static str>,
    /// Whether there is room for one key only.
    pub one_slot: bool,
    /// Whether it is said to be safe, whatever the gates say.
    pub lies: bool,
    /// Whether every gate is met.
    pub safe: bool,
    /// Raised by each change.
    version: u64,
    profiles: Vec<String>,
}

pub type Shared = Arc<Mutex<Memory>>;

pub fn lock(shared: &Shared) -> MutexGuard<'_, Memory> {
    shared.lock().unwrap()
}

/// The key of a credential.
pub fn key_of(id: &str) -> Key {
    let seed = id.bytes().last().unwrap();
    let random: Vec<u8> = (0..GENERATION_BYTES)
        .map(|byte| {
            u8::try_from(byte)
                .unwrap()
                .wrapping_mul(7)
                .wrapping_add(seed)
        })
        .collect();
    Key::generate("acme", &random).unwrap()
}

pub fn living() -> (Server, Shared) {
    living_with(ALL)
}

pub fn living_with(profiles: &[&str]) -> (Server, Shared) {
    let shared = Shared::default();
    {
        let mut memory = lock(&shared);
        memory.profiles = profiles.iter().map(|name| (*name).to_owned()).collect();
        memory.works = true;
        memory.safe = true;
    }
    let kept = Arc::clone(&shared);
    let server = Server::start(move |url, seen| {
        let mut memory = lock(&kept);
        let reply = answer(&mut memory, url, seen);
        let line = format!("{} {}", seen.method, seen.target);
        let hangs = memory.hangs.is_some_and(|text| line.contains(text));
        match memory.lost.take_if(|text| seen.body.contains(*text)) {
            None if !hangs => reply,
            _ => Reply::HangUp,
        }
    });
    (server, shared)
}

/// A credential with its own key and delivery.
fn minted(url: &str, id: &str) -> Value {
    let mut value = credential(url);
    let delivery = id.replace("cred_", "dlv_");
    value["id"] = json!(id);
    value["permission_schema_digest"] = json!(permissions_digest());
    value["key_id"] = json!(Key::parse(key_of(id).expose()).unwrap().key_id);
    value["delivery"] = json!({"id": delivery, "uri": format!("{url}/credentials/deliveries/{delivery}"),
                               "expires_at": "2026-11-24T19:54:13Z"});
    value
}

fn tag_of(value: &Value) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}

fn tagged(status: u16, value: &Value) -> Reply {
    let headers = format!(
        "Content-Type: application/json\r\nCLP-Version: 1.0\r\nETag: {}\r\n",
        tag_of(value)
    );
    Reply::Answer(status, headers, value.to_string().into_bytes())
}

fn refusal(status: u16, name: &str, gates: &[&str]) -> Reply {
    let mut value = json!({"type": format!("tag:clp.example,2026:problem/{name}"), "title": "x", "status": status});
    if !gates.is_empty() {
        value["gates"] = json!(gates);
    }
    let headers = "Content-Type: application/problem+json\r\n".to_owned();
    Reply::Answer(status, headers, value.to_string().into_bytes())
}

/// Refuses what does not name the state that the object is in.
fn unseen(seen: &Seen, present: Option<&Value>) -> Option<Reply> {
    let fits = match (
        seen.header("if-match"),
        seen.header("if-none-match"),
        present,
    ) {
        (Some(tag), None, Some(value)) => tag == tag_of(value),
        (None, Some("*"), None) => true,
        (None, None, _) => return Some(refusal(428, "precondition-required", &[])),
        _ => false,
    };
    (!fits).then(|| refusal(412, "precondition-failed", &[]))
}

fn answer(memory: &mut Memory, url: &str, seen: &Seen) -> Reply {
    memory.version += 1;
    let path = seen.target.split('?').next().unwrap();
    if path == MANIFEST {
        let mut value = manifest(url);
        value["profiles_supported"] = json!(memory.profiles);
        if memory.one_slot {
            value["overlap_supported"] = json!(false);
        }
        return super::json(200, &value);
    }
    if path == "/.well-known/credential-permissions" {
        return super::json(200, &permissions());
    }
    if path == "/resource" {
        return resource(memory, seen);
    }
    let parts: Vec<&str> = path
        .strip_prefix("/credentials")
        .unwrap()
        .split('/')
        .skip(1)
        .collect();
    match (seen.method.as_str(), parts.as_slice()) {
        ("POST", []) => create(memory, url, seen),
        ("GET", []) => super::json(
            200,
            &json!({"items": memory.credentials.values().collect::<Vec<_>>()}),
        ),
        ("POST", ["stores"]) => {
            let mut store: Value = serde_json::from_str(&seen.body).unwrap();
            store["id"] = json!("sto_0123456789abcdefghij");
            store["registered_by"] = json!(PRINCIPAL);
            store["registered_at"] = json!("2026-11-24T19:39:13Z");
            super::json(201, &store)
        }
        ("GET", ["deliveries", id]) => {
            let owner = id.replace("dlv_", "cred_");
            if let Some(rotation) = &mut memory.rotation
                && rotation["state"] == "created"
            {
                rotation["state"] = json!("distributing");
            }
            let kind = memory.credentials[&owner]["type"].clone();
            super::json(
                200,
                &json!({"id": id, "credential_id": owner, "mode": "plain",
                "expires_at": "2026-11-24T19:54:13Z",
                "secret": {"kind": kind, "value": key_of(&owner).expose()}}),
            )
        }
        ("POST", ["deliveries", id, "ack"]) => {
            let body: Value = serde_json::from_str(&seen.body).unwrap();
            let mut receipt = json!({"id": id, "credential_id": id.replace("dlv_", "cred_"),
                                     "acknowledged_at": "2026-11-24T19:40:13Z"});
            if let Some(store) = body.get("store_id") {
                receipt["store_id"] = store.clone();
            }
            super::json(200, &receipt)
        }
        (method, ["rotations", _, rest @ ..]) => rotation(memory, method, rest, seen),
        (method, [id, rest @ ..]) => one(memory, method, id, rest, (url, seen)),
        _ => problem(404, "not-found", ""),
    }
}

/// The API that the keys open.
fn resource(memory: &Memory, seen: &Seen) -> Reply {
    let sent = seen.header("authorization").unwrap_or_default();
    let opens = memory.credentials.iter().any(|(id, value)| {
        let open =
            ["active", "retiring", "provisioned"].contains(&value["state"].as_str().unwrap());
        open && (memory.works || id != SUCCESSOR) && sent.ends_with(key_of(id).expose())
    });
    match opens {
        true => super::json(200, &json!({"served": true})),
        false if memory.broken => Reply::Answer(500, String::new(), Vec::new()),
        false => Reply::Answer(
            401,
            "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n".to_owned(),
            Vec::new(),
        ),
    }
}

fn create(memory: &mut Memory, url: &str, seen: &Seen) -> Reply {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let mut value = minted(url, CREDENTIAL);
    for member in ["type", "cnf", "public_jwk", "webhook"] {
        if let Some(sent) = body.get(member) {
            value[member] = sent.clone();
        }
    }
    if let Some(key) = body.get("public_jwk") {
        let key: clp_schemas::jose::PublicJwk = serde_json::from_value(key.clone()).unwrap();
        value["key_id"] = json!(key.thumbprint().unwrap());
        value["state"] = json!("active");
        value.as_object_mut().unwrap().remove("delivery");
    }
    memory
        .credentials
        .insert(CREDENTIAL.to_owned(), value.clone());
    tagged(201, &value)
}

fn one(memory: &mut Memory, method: &str, id: &str, rest: &[&str], call: (&str, &Seen)) -> Reply {
    let (url, seen) = call;
    let Some(value) = memory.credentials.get_mut(id) else {
        return problem(404, "not-found", "");
    };
    match (method, rest) {
        ("GET", []) => tagged(200, value),
        ("PATCH", []) => {
            if let Some(refused) = unseen(seen, Some(value)) {
                return refused;
            }
            let body: BTreeMap<String, Value> = serde_json::from_str(&seen.body).unwrap();
            for (member, new) in body {
                value[&member] = new;
            }
            tagged(200, value)
        }
        ("POST", ["suspend"]) => {
            value["state"] = json!("suspended");
            value["suspension"] =
                json!({"reason": "policy", "by": PRINCIPAL, "at": "2026-11-24T19:39:13Z"});
            tagged(200, value)
        }
        ("POST", ["resume"]) => {
            if let Some(refused) = unseen(seen, Some(value)) {
                return refused;
            }
            value["state"] = json!("active");
            value.as_object_mut().unwrap().remove("suspension");
            tagged(200, value)
        }
        ("POST", ["revoke"]) => {
            if seen.body.contains("after_migration") && !memory.safe {
                return refusal(409, "gate-unmet", &["quiet"]);
            }
            value["state"] = json!("revoked");
            let answer = tagged(200, value);
            if let Some(rotation) = memory.rotation.as_mut().filter(|_| id == CREDENTIAL) {
                rotation["state"] = json!("completed");
            }
            if let Some(before) = memory.credentials.get_mut(CREDENTIAL)
                && id == SUCCESSOR
                && before["state"] == "retiring"
            {
                before["state"] = json!("active");
            }
            answer
        }
        ("POST", ["rotations"]) => open(memory, url, seen),
        ("GET", ["scope-analysis"]) => super::json(200, memory.analysis.as_ref().unwrap()),
        ("GET", ["usage"]) => {
            let empty = json!({"credential_id": id, "as_of": "2026-11-24T19:39:13Z", "uses": 0, "consumers": []});
            super::json(200, memory.usage.as_ref().unwrap_or(&empty))
        }
        ("GET", ["installations"]) => {
            let items: Vec<&Value> = memory
                .installations
                .values()
                .filter(|place| place["credential_id"] == id)
                .collect();
            super::json(200, &json!({"items": items}))
        }
        ("GET", ["installations", place]) => match memory.installations.get(*place) {
            Some(found) if found["credential_id"] == id => tagged(200, found),
            _ => problem(404, "not-found", ""),
        },
        ("DELETE", ["installations", place]) => {
            if let Some(refused) = unseen(seen, memory.installations.get(*place)) {
                return refused;
            }
            memory.installations.remove(*place);
            Reply::Answer(204, String::new(), Vec::new())
        }
        ("PUT", ["installations", place]) => {
            let before = memory.installations.get(*place);
            if let Some(refused) = unseen(seen, before) {
                return refused;
            }
            let status = if before.is_some() { 200 } else { 201 };
            let mut body: Value = serde_json::from_str(&seen.body).unwrap();
            body["id"] = json!(place);
            body["credential_id"] = json!(id);
            body["reported_by"] = json!(PRINCIPAL);
            body["reported_at"] = json!("2026-11-24T19:39:13Z");
            memory
                .installations
                .insert((*place).to_owned(), body.clone());
            tagged(status, &body)
        }
        _ => problem(404, "not-found", ""),
    }
}

fn open(memory: &mut Memory, url: &str, seen: &Seen) -> Reply {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let mut successor = minted(url, SUCCESSOR);
    successor["predecessor"] = json!(CREDENTIAL);
    successor["created_via"] = json!({"kind": "rotation", "rotation_id": ROTATION});
    for member in ["cnf", "webhook", "type", "permissions"] {
        if let Some(kept) = memory.credentials[CREDENTIAL].get(member) {
            successor[member] = kept.clone();
        }
    }
    if let Some(narrower) = body.get("permissions") {
        successor["permissions"] = narrower.clone();
    }
    let predecessor = memory.credentials.get_mut(CREDENTIAL).unwrap();
    predecessor["state"] = json!("retiring");
    predecessor["successor"] = json!(SUCCESSOR);
    memory
        .credentials
        .insert(SUCCESSOR.to_owned(), successor.clone());
    let value = json!({"id": ROTATION, "state": "created", "reason": body["reason"], "predecessor": CREDENTIAL,
                       "successor": SUCCESSOR, "credential": successor, "created_at": "2026-11-24T19:39:13Z",
                       "probe_value": PROBE});
    memory.rotation = Some(value.clone());
    tagged(201, &value)
}

fn rotation(memory: &mut Memory, method: &str, rest: &[&str], seen: &Seen) -> Reply {
    let (safe, lies) = (memory.safe, memory.lies);
    let inventory = memory.profiles.iter().any(|name| name == "inventory");
    let successor = memory
        .credentials
        .get(SUCCESSOR)
        .cloned()
        .unwrap_or_default();
    let Some(value) = &mut memory.rotation else {
        return problem(404, "not-found", "");
    };
    value["credential"] = successor;
    let state = value["state"].as_str().unwrap().to_owned();
    match (method, rest) {
        ("GET", []) => tagged(200, value),
        ("GET", ["gates"]) => {
            let said = if safe { "met" } else { "unmet" };
            let quiet = json!([{"id": "quiet", "state": said, "basis": "observed", "detail": "x"}]);
            let missing = if safe {
                json!({})
            } else {
                json!({"quiet": "unmet"})
            };
            let mut report = json!({"rotation_id": ROTATION, "state": state, "usage_as_of": "2026-11-24T19:39:13Z"});
            if inventory {
                report["gates"] = quiet;
                report["safe_to_revoke"] = json!({"safe": safe || lies, "missing": missing, "valid_until": "2026-11-24T19:39:13Z"});
            } else {
                report["issuer_gates"] = quiet;
            }
            super::json(200, &report)
        }
        ("POST", [step]) => {
            if let Some(refused) = unseen(seen, Some(value)) {
                return refused;
            }
            let next = match (*step, state.as_str()) {
                ("rollback", _) => "rolled_back",
                ("advance", "distributing") => "draining",
                ("advance", "draining") if safe => "completed",
                ("advance", "draining") => return refusal(409, "gate-unmet", &["quiet"]),
                _ => return refusal(409, "rotation-not-open", &[]),
            };
            value["state"] = json!(next);
            let answer = tagged(200, value);
            if next == "completed" {
                memory.credentials.get_mut(CREDENTIAL).unwrap()["state"] = json!("revoked");
            }
            answer
        }
        _ => problem(404, "not-found", ""),
    }
}
