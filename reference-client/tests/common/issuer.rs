//! An honest issuer made by hand, and the command that talks to it.

use std::process::{Command, Output};

use clp_schemas::approval::{self, ApprovalDocument};
use clp_schemas::key::{GENERATION_BYTES, Key};
use clp_schemas::permissions::PermissionDocument;
use serde_json::{Value, json};

use super::{MANIFEST, Reply, Seen, Server, manifest};

pub const CREDENTIAL: &str = "cred_0123456789abcdefghij";
pub const SUCCESSOR: &str = "cred_0123456789abcdefghik";
pub const REQUEST: &str = "req_0123456789abcdefghij";
pub const DELIVERY: &str = "dlv_0123456789abcdefghij";
pub const PRINCIPAL: &str = "prin_0123456789abcdefghij";
pub const TOKEN: &str = "owner-token-for-tests";

/// A create, without options.
pub const CREATE: &[&str] = &[
    "create",
    "--purpose",
    "nightly import",
    "--owner",
    "data-team",
    "--project",
    "atlas",
    "--environment",
    "staging",
    "--allow",
    "event:read:atlas/*",
];

pub fn key() -> Key {
    let random: Vec<u8> = (0..GENERATION_BYTES)
        .map(|byte| u8::try_from(byte).unwrap())
        .collect();
    Key::generate("acme", &random).unwrap()
}

pub fn credential(url: &str) -> Value {
    json!({
        "id": CREDENTIAL, "type": "api_key", "state": "provisioned", "purpose": "nightly import",
        "owner": "data-team", "project": "atlas", "environment": "staging",
        "permissions": [{"resource_type": "event", "selector": "atlas/*", "actions": ["read"]}],
        "permission_schema_digest": format!("sha256:{}", "0".repeat(64)),
        "key_id": Key::parse(key().expose()).unwrap().key_id,
        "created_at": "2026-11-24T19:39:13Z", "created_by": PRINCIPAL, "created_via": {"kind": "direct"},
        "labels": {}, "disclosed_to": [],
        "delivery": {"id": DELIVERY, "uri": format!("{url}/credentials/deliveries/{DELIVERY}"),
                     "expires_at": "2026-11-24T19:54:13Z"}
    })
}

pub fn delivery() -> Value {
    json!({"id": DELIVERY, "credential_id": CREDENTIAL, "mode": "plain", "expires_at": "2026-11-24T19:54:13Z",
           "secret": {"kind": "api_key", "value": key().expose()}})
}

pub fn permissions() -> Value {
    json!({"version": "1", "environments": ["staging"], "resource_types": {"event": {"title": {"en": "Events"},
        "actions": {"read": {"risk": "low", "consent": {"en": "Read events of {selector}"}},
                    "write": {"risk": "high", "implies": ["read"], "consent": {"en": "Write events of {selector}"}}}}}})
}

/// The digest by which that document is named.
pub fn permissions_digest() -> String {
    serde_json::from_value::<PermissionDocument>(permissions())
        .unwrap()
        .digest()
}

/// An issuer that answers discovery and deliveries; `reply` answers the rest.
pub fn issuer(reply: impl Fn(&str, &Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |url, seen| {
        if seen.is("GET", MANIFEST) {
            super::json(200, &manifest(url))
        } else if seen.is("GET", "/.well-known/credential-permissions") {
            super::json(200, &permissions())
        } else if seen.is("GET", &format!("/credentials/deliveries/{DELIVERY}")) {
            super::json(200, &delivery())
        } else {
            reply(url, seen)
        }
    })
}

pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn clp(home: &tempfile::TempDir, server: &Server, arguments: &[&str]) -> Run {
    let url = server.url();
    clp_with(
        home,
        &[("CLP_ISSUER", &url), ("CLP_TOKEN", TOKEN)],
        arguments,
    )
}

/// The command with this environment.
pub fn clp_with(home: &tempfile::TempDir, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_clp"))
        .args([
            "--allow-loopback-http",
            "--allow-test-issuer",
            "--timeout",
            "5",
        ])
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .env("CLP_HOME", home.path())
        .output()
        .unwrap();
    let run = Run {
        status: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    };
    for text in [&run.stderr, &run.stdout] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert!(!run.stderr.contains(key().expose()), "{}", run.stderr);
    run
}

pub fn wanted() -> Value {
    json!({"type": "api_key", "permissions": [{"resource_type": "event", "selector": "atlas/*", "actions": ["read"]}],
           "purpose": "fix ticket", "owner": "data-team", "project": "atlas", "environment": "staging",
           "subject": {"kind": "agent", "id": "fixer"}, "lifetime_seconds": 1800})
}

pub fn body() -> Value {
    json!({"type": "api_key", "permissions": [{"resource_type": "event", "selector": "atlas/*", "actions": ["read"]}],
           "purpose": "fix\u{1b}[2J ticket", "owner": "data-team", "project": "atlas", "environment": "staging",
           "subject": {"kind": "agent", "id": "fixer"}, "lifetime_seconds": 1800,
           "justification": "please\n  - read nothing\u{202e}"})
}

/// A pending request, as an honest issuer answers it.
pub fn request(url: &str, body: &Value) -> Value {
    let document = json!({"clp": "1.0", "issuer": url, "request_id": REQUEST, "version": 1, "requester": PRINCIPAL,
                          "actors": [{"principal": PRINCIPAL, "kind": "person"}],
                          "permission_schema_digest": permissions_digest(), "request": body});
    let typed: ApprovalDocument = serde_json::from_value(document.clone()).unwrap();
    json!({"id": REQUEST, "version": 1, "state": "pending_approval", "requester": PRINCIPAL, "submitted": body,
           "approval_document": document, "digest": approval::digest(&typed).unwrap(),
           "consent": ["Read events of \"atlas/*\""], "approvals": [], "created_at": "2026-11-24T19:39:13Z",
           "expires_at": "2026-12-01T19:39:13Z", "interval": 1, "approval_uri": format!("{url}/approve"), "user_code": "WDJB-MJHT"})
}

/// What an issuer does to a request, and to a challenge, before it answers.
pub type Twist = fn(&mut Value);
