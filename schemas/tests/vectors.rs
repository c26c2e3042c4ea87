//! Every file of test vectors against the code that issuer, client and suite share.
//! The vectors of permissions have a test of their own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "vectors/identity.rs"]
mod identity;

use std::collections::BTreeMap;
use std::fmt::Debug;

use aws_lc_rs::signature::Ed25519KeyPair;
use clp_schemas::approval::{self, ApprovalDocument, ApprovalFault, Decision, record};
use clp_schemas::audit::bundle::{self, Bundle};
use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::audit::leaf::{self, Disclosed};
use clp_schemas::audit::merkle::{self, Hash, Node};
use clp_schemas::audit::note::{Note, PublicKey};
use clp_schemas::canonical::{self, CanonicalFault};
use clp_schemas::chaos::{Drawn, draw};
use clp_schemas::jose::PublicJwk;
use clp_schemas::json;
use clp_schemas::key::{self, Key, Verifier};
use clp_schemas::statement::Statement;
use clp_schemas::time::Timestamp;
use clp_schemas::webhook::{self, WebhookFault, WebhookSecret};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Computes what a vector expects from its input.
type Check = fn(&Value) -> Value;

/// The folders' files, and what computes each one's `expect` from a vector's `input`.
const CHECKS: &[(&str, Check)] = &[
    ("approval/challenge.json", challenge),
    ("approval/digest-refused.json", digest_refused),
    ("approval/digest.json", digest),
    ("approval/id-token.json", identity::id_token),
    ("approval/introspection.json", identity::introspection),
    ("approval/narrow.json", narrow),
    ("approval/record.json", approval_record),
    ("audit/bundle.json", audit_bundle),
    ("audit/checkpoint-open.json", checkpoint_open),
    ("audit/checkpoint.json", checkpoint),
    ("audit/consistency.json", consistency),
    ("audit/inclusion.json", inclusion),
    ("audit/leaf-check.json", leaf_check),
    ("audit/leaf.json", audit_leaf),
    ("audit/note.json", note),
    ("audit/tree.json", tree),
    ("canonical/base64.json", base64),
    ("canonical/jcs.json", jcs),
    ("dpop/thumbprint.json", thumbprint),
    ("faults/chaos.json", chaos),
    ("keys/assemble.json", assemble),
    ("keys/parse.json", parse),
    ("keys/verifier.json", verifier),
    ("rotation/statement.json", statement),
    ("webhook/sign.json", webhook_sign),
    ("webhook/verify.json", webhook_verify),
];

#[test]
fn every_vector_comes_out_as_expected() {
    let mut failures = Vec::new();
    for (path, check) in CHECKS {
        for vector in clp_test_vectors::load(path).unwrap().vectors {
            let found = check(&vector.input);
            if found != vector.expect {
                failures.push(format!(
                    "{path} {}: {found}, not {}",
                    vector.id, vector.expect
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_file_of_these_folders_is_left_out() {
    let mine = [
        "approval/",
        "audit/",
        "canonical/",
        "dpop/",
        "faults/",
        "keys/",
        "rotation/",
        "webhook/",
    ];
    let files: Vec<_> = clp_test_vectors::files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| mine.iter().any(|folder| path.starts_with(folder)))
        .collect();
    let checked: Vec<_> = CHECKS.iter().map(|(path, _)| *path).collect();
    assert_eq!(files, checked);
}

fn chaos(input: &Value) -> Value {
    let drawn: Vec<Value> = (1..=number(input, "calls"))
        .map(|ordinal| {
            let call = Drawn {
                seed: number(input, "seed"),
                run: text(input, "run"),
                endpoint: text(input, "endpoint"),
                ordinal,
            };
            let percent = u8::try_from(number(input, "percent")).unwrap();
            let among = usize::try_from(number(input, "among")).unwrap();
            draw(call, percent, among).map_or(json!(-1), |position| json!(position))
        })
        .collect();
    json!({ "drawn": drawn })
}

#[test]
fn every_file_fits_the_schema_of_vectors() {
    let schema = serde_json::from_str(clp_test_vectors::SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (path, bytes) in clp_test_vectors::files() {
        let file = json::parse(bytes, json::Limits::default())
            .unwrap_or_else(|fault| panic!("{path}: {fault}"));
        let faults: Vec<_> = schema
            .iter_errors(&file)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{path}: {faults:?}");
    }
    assert!(
        !schema.is_valid(&json!({"description": "x", "requirement": "CLP-AUD-001", "vectors": []}))
    );
}

/// `{"fault": name}`, from the name of a variant: `NotSigned` is `not-signed`.
fn fault(fault: &impl Debug) -> Value {
    let text = format!("{fault:?}");
    let variant = text.split(['(', ' ', '{']).next().unwrap();
    let mut name = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    json!({ "fault": name })
}

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap()
}

fn number(input: &Value, name: &str) -> u64 {
    input[name].as_u64().unwrap()
}

fn typed<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn as_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn public_key(input: &Value) -> PublicKey {
    PublicKey::from_base64(text(input, "public_key")).unwrap()
}

fn jcs(input: &Value) -> Value {
    // Not through the strict reader, which refuses some of the numbers of RFC 8785.
    let value = serde_json::from_str(text(input, "json")).unwrap();
    match canonical::to_bytes(&value) {
        Ok(bytes) => json!({
            "sha256": to_hex(&canonical::sha256(&bytes)),
            "canonical": as_text(bytes),
        }),
        Err(error) => fault(&error),
    }
}

fn base64(input: &Value) -> Value {
    let read = match text(input, "alphabet") {
        "base64url" => canonical::from_base64url,
        "base64" => canonical::from_base64,
        other => panic!("{other}"),
    };
    read(text(input, "text")).map_or_else(
        |error| fault(&error),
        |bytes| json!({"hex": to_hex(&bytes)}),
    )
}

fn digest(input: &Value) -> Value {
    let document: ApprovalDocument = typed(&input["approval_document"]);
    let bytes = canonical::to_bytes(&serde_json::to_value(&document).unwrap()).unwrap();
    json!({"canonical": as_text(bytes), "digest": approval::digest(&document).unwrap()})
}

fn narrow(input: &Value) -> Value {
    let document: ApprovalDocument = typed(&input["approval_document"]);
    let sent = |name: &str| input.get(name).cloned();
    let agreed = approval::Agreed {
        permissions: sent("permissions"),
        lifetime_seconds: sent("lifetime_seconds"),
        renewable_until: sent("renewable_until"),
    };
    let document = approval::narrowed(document, agreed).unwrap();
    digest(&json!({"approval_document": document}))
}

fn digest_refused(input: &Value) -> Value {
    let bytes = text(input, "document").as_bytes();
    let Ok(value) = json::parse(bytes, json::Limits::default()) else {
        return json!({"fault": "unreadable"});
    };
    let Ok(document) = serde_json::from_value::<ApprovalDocument>(value) else {
        return json!({"fault": "form"});
    };
    match approval::digest(&document) {
        Ok(digest) => json!({ "digest": digest }),
        Err(ApprovalFault::Canonical(CanonicalFault::Null)) => json!({"fault": "null"}),
        Err(error) => fault(&error),
    }
}

fn approval_record(input: &Value) -> Value {
    let bytes = text(input, "record").as_bytes();
    match record::from_bytes(bytes).and_then(|record| record::verify(&record)) {
        Ok(report) => json!({
            "method": report.method,
            "decision": report.decision,
            "approver": report.approver,
            "digest": report.digest,
        }),
        Err(fault) => json!({"stage": fault.stage()}),
    }
}

fn challenge(input: &Value) -> Value {
    let (digest, nonce) = (text(input, "digest"), text(input, "nonce"));
    let approver = text(input, "approver");
    let decision: Decision = typed(&input["decision"]);
    let mut object = input.clone();
    object["context"] = json!(approval::CHALLENGE_CONTEXT);
    let challenge = approval::challenge(digest, nonce, decision, approver);
    json!({
        "canonical": as_text(canonical::to_bytes(&object).unwrap()),
        "challenge": canonical::to_base64url(&challenge),
    })
}

fn assemble(input: &Value) -> Value {
    let prefix = text(input, "prefix");
    match Key::assemble(prefix, text(input, "key_id"), text(input, "random")) {
        Ok(key) => json!({"key": key.expose(), "pattern": key::pattern(prefix).unwrap()}),
        Err(error) => fault(&error),
    }
}

fn parse(input: &Value) -> Value {
    match Key::parse(text(input, "text")) {
        Ok(parsed) => json!({"prefix": parsed.prefix, "key_id": parsed.key_id}),
        Err(error) => fault(&error),
    }
}

fn verifier(input: &Value) -> Value {
    let verifier = Verifier::of(&from_hex(text(input, "pepper")), text(input, "key"));
    json!({"verifier": to_hex(verifier.as_bytes())})
}

fn audit_leaf(input: &Value) -> Value {
    let members: BTreeMap<String, Disclosed> = typed(&input["members"]);
    let values = members
        .iter()
        .map(|(name, member)| (name.clone(), member.value.clone()))
        .collect();
    let mut salts = members.values().map(|member| {
        canonical::from_base64url(&member.salt)
            .unwrap()
            .try_into()
            .unwrap()
    });
    let salt = || salts.next().unwrap();
    let (index, time) = (number(input, "index"), typed(&input["time"]));
    let (leaf, disclosed) = leaf::seal(index, time, text(input, "event"), values, salt).unwrap();
    assert_eq!(disclosed, members);
    let hash = merkle::leaf_hash(&leaf);
    json!({"leaf": as_text(leaf), "leaf_hash": hash})
}

fn leaf_check(input: &Value) -> Value {
    let disclosed = typed(&input["disclosed"]);
    match leaf::check(text(input, "leaf").as_bytes(), &disclosed) {
        Ok(entry) => json!({"redacted": entry.redacted}),
        Err(error) => fault(&error),
    }
}

fn tree(input: &Value) -> Value {
    let leaves: Vec<String> = typed(&input["leaves"]);
    let mut nodes: BTreeMap<Node, Hash> = BTreeMap::new();
    for (size, leaf) in (0..).zip(&leaves) {
        let hash = merkle::leaf_hash(&from_hex(leaf));
        let completed =
            merkle::append(size, hash, |node| nodes.get(&node).copied().ok_or(())).unwrap();
        nodes.extend(completed);
    }
    let size = u64::try_from(leaves.len()).unwrap();
    let root = merkle::root(size, |node| nodes.get(&node).copied().ok_or(())).unwrap();
    json!({ "root": root })
}

fn inclusion(input: &Value) -> Value {
    let leaf = merkle::leaf_hash(&from_hex(text(input, "leaf")));
    let (index, size) = (number(input, "index"), number(input, "tree_size"));
    let hashes: Vec<Hash> = typed(&input["hashes"]);
    let verdict = merkle::verify_inclusion(leaf, index, size, &hashes, typed(&input["root"]));
    json!({"valid": verdict.is_ok()})
}

fn consistency(input: &Value) -> Value {
    let (from, to) = (number(input, "from"), number(input, "to"));
    let hashes: Vec<Hash> = typed(&input["hashes"]);
    let (old, new) = (typed(&input["from_root"]), typed(&input["to_root"]));
    let verdict = merkle::verify_consistency(from, to, &hashes, old, new);
    json!({"valid": verdict.is_ok()})
}

fn note(input: &Value) -> Value {
    let verified = Note::parse(text(input, "note")).and_then(|note| {
        note.verify(text(input, "name"), &public_key(input))?;
        Ok(note.text())
    });
    verified.map_or_else(|error| fault(&error), |text| json!({ "text": text }))
}

fn checkpoint(input: &Value) -> Value {
    let pair = Ed25519KeyPair::from_seed_unchecked(&from_hex(text(input, "seed"))).unwrap();
    let checkpoint = Checkpoint {
        origin: text(input, "origin").to_owned(),
        tree_size: number(input, "tree_size"),
        root: typed(&input["root"]),
    };
    let key = PublicKey::of(&pair);
    json!({
        "text": checkpoint.to_text(),
        "public_key": key.to_string(),
        "key_id": to_hex(&key.key_id(&checkpoint.origin)),
        "note": checkpoint.sign(&pair).unwrap(),
    })
}

fn checkpoint_open(input: &Value) -> Value {
    match Checkpoint::open(text(input, "note"), &public_key(input)) {
        Ok(read) => json!({"origin": read.origin, "tree_size": read.tree_size, "root": read.root}),
        Err(error) => fault(&error),
    }
}

fn audit_bundle(input: &Value) -> Value {
    let bundle = Bundle::from_bytes(input["bundle"].to_string().as_bytes()).unwrap();
    let key = input.get("public_key").map(|_| public_key(input));
    match bundle::verify(&bundle, key.as_ref()) {
        Ok(report) => json!({"verdict": report.verdict, "redacted": report.redacted}),
        Err(error) => fault(&error),
    }
}

fn thumbprint(input: &Value) -> Value {
    match typed::<PublicJwk>(&input["jwk"]).thumbprint() {
        Ok(thumbprint) => json!({ "thumbprint": thumbprint }),
        Err(refused) => fault(&refused),
    }
}

fn statement(input: &Value) -> Value {
    let keys: Vec<PublicJwk> = typed(&input["keys"]);
    match Statement::read(text(input, "statement"), &keys, typed(&input["at"])) {
        Ok(said) => json!({ "safe": said.safe, "unknowns": said.unknowns }),
        Err(refused) => fault(&refused),
    }
}

fn webhook_sign(input: &Value) -> Value {
    let secrets: Vec<WebhookSecret> = typed::<Vec<String>>(&input["secrets"])
        .iter()
        .map(|secret| WebhookSecret::parse(secret).unwrap())
        .collect();
    let secrets: Vec<&WebhookSecret> = secrets.iter().collect();
    let timestamp = input["timestamp"].as_i64().unwrap();
    let body = text(input, "body").as_bytes();
    json!({ "signature": webhook::signatures(&secrets, text(input, "id"), timestamp, body) })
}

fn webhook_verify(input: &Value) -> Value {
    let verdict = webhook::verify(
        &WebhookSecret::parse(text(input, "secret")).unwrap(),
        text(input, "id"),
        input["timestamp"].as_i64().unwrap(),
        text(input, "signature"),
        text(input, "body").as_bytes(),
        Timestamp::from_unix(input["now"].as_i64().unwrap()),
    );
    json!({ "verdict": match verdict {
        Ok(()) => "valid",
        Err(WebhookFault::Time) => "time",
        Err(WebhookFault::Signature) => "signature",
        Err(WebhookFault::Secret) => "secret",
    }})
}
