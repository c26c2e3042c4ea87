//! Approving by a log-in: the browser goes to the provider with the challenge as nonce, what comes
//! back is for this decision, and whoever else knocks is sent away.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use clp_schemas::approval::{self, Decision};
use clp_schemas::canonical::to_base64url;
use common::issuer::{PRINCIPAL, REQUEST, TOKEN, body, issuer, request};
use common::{Server, json};
use serde_json::json;
use url::Url;

/// The challenge for the request, base64url.
fn challenge(url: &str) -> String {
    let digest = request(url, &body())["digest"].as_str().unwrap().to_owned();
    let nonce = to_base64url(&[7; 32]);
    to_base64url(&approval::challenge(
        &digest,
        &nonce,
        Decision::Approve,
        PRINCIPAL,
    ))
}

/// An issuer that is its own provider, whose ID tokens have this nonce, or the one asked for.
fn both(nonce: Option<&'static str>) -> Server {
    issuer(move |url, seen| {
        let path = |rest: &str| format!("/credentials/requests/{REQUEST}{rest}");
        if seen.is("POST", &path("/approval-challenges")) {
            let asked = request(url, &body());
            return json(
                201,
                &json!({"id": "chl_0123456789abcdefghij", "request_id": REQUEST, "version": 1,
                    "digest": asked["digest"], "approver": PRINCIPAL, "nonce": to_base64url(&[7; 32]),
                    "decision": "approve", "challenge": challenge(url),
                    "expires_at": "2026-11-24T19:44:13Z", "relying_party_id": "localhost",
                    "allow_credentials": [], "methods": ["passkey", "oidc", "sso"],
                    "identity_providers": [{"issuer": url, "client_id": "clp-cli",
                        "methods": ["oidc", "sso"], "acr_values": ["urn:a", "urn:b"]}]}),
            );
        }
        if seen.is("GET", "/.well-known/openid-configuration") {
            let metadata = json!({"issuer": url, "authorization_endpoint": format!("{url}/auth"),
                "token_endpoint": format!("{url}/token")});
            return json(200, &metadata);
        }
        if seen.is("POST", "/token") {
            let nonce = nonce.map_or_else(|| challenge(url), str::to_owned);
            let part = |value: &serde_json::Value| to_base64url(value.to_string().as_bytes());
            let token = format!(
                "{}.{}.AAAA",
                part(&json!({"alg": "RS256"})),
                part(&json!({"iss": url, "nonce": nonce}))
            );
            return json(200, &json!({"id_token": token, "token_type": "Bearer"}));
        }
        if seen.is("POST", &path("/approvals")) {
            return json(
                201,
                &json!({"id": "apr_0123456789abcdefghij", "request_id": REQUEST, "version": 1,
                    "decision": "approve", "approver": PRINCIPAL, "method": "oidc",
                    "approved_at": "2026-11-24T19:40:13Z", "expires_at": "2026-11-24T20:40:13Z"}),
            );
        }
        json(200, &request(url, &body()))
    })
}

/// What the browser does at an address of this machine.
fn browse(address: &str) -> String {
    let url = Url::parse(address).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let query = url.query().unwrap_or_default();
    write!(
        stream,
        "GET {}?{query} HTTP/1.1\r\nHost: x\r\n\r\n",
        url.path()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Approves by a log-in that ends so; answers the exit code and where the browser was sent.
fn log_in(server: &Server, method: &str, end: &str) -> (i32, Url) {
    let home = tempfile::tempdir().unwrap();
    let digest = request(&server.url(), &body())["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut run = Command::new(env!("CARGO_BIN_EXE_clp"))
        .args([
            "--allow-loopback-http",
            "--allow-test-issuer",
            "--timeout",
            "5",
        ])
        .args(["approve", REQUEST, "--digest", &digest, "--method", method])
        .env_clear()
        .env("CLP_HOME", home.path())
        .env("CLP_ISSUER", server.url())
        .env("CLP_TOKEN", TOKEN)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap()).lines();
    let sent = said
        .find_map(|line| Url::parse(&line.unwrap()).ok())
        .unwrap();
    let parts: std::collections::HashMap<_, _> = sent.query_pairs().into_owned().collect();
    let back = &parts["redirect_uri"];
    assert!(browse(&format!("{back}?code=forged&state=another")).contains("404"));
    assert!(browse(&format!("{back}?{end}&state={}", parts["state"])).contains("200 OK"));
    (run.wait().unwrap().code().unwrap(), sent)
}

fn submitted(server: &Server) -> usize {
    let path = format!("/credentials/requests/{REQUEST}/approvals");
    server.count("POST", &path)
}

#[test]
fn a_log_in_for_this_decision_approves() {
    for method in ["oidc", "sso"] {
        let server = both(None);
        let (status, sent) = log_in(&server, method, "code=one-code");
        assert_eq!((status, submitted(&server)), (0, 1));
        let part = |name: &str| {
            let mut pairs = sent.query_pairs();
            pairs
                .find(|(one, _)| one == name)
                .map(|(_, it)| it.into_owned())
        };
        assert_eq!(part("nonce"), Some(challenge(&server.url())));
        assert_eq!(part("max_age").as_deref(), Some("0"));
        let classes = (method == "sso").then_some("urn:a urn:b");
        assert_eq!(part("acr_values").as_deref(), classes);
        let seen = server.seen();
        let redeemed = seen.iter().find(|seen| seen.is("POST", "/token")).unwrap();
        assert!(redeemed.body.contains("code=one-code"));
        assert!(redeemed.header("authorization").is_none());
    }
}

#[test]
fn a_log_in_for_something_else_is_not_submitted() {
    let server = both(Some("another"));
    let (status, _) = log_in(&server, "oidc", "code=one-code");
    assert_eq!((status, submitted(&server)), (5, 0));
    let server = both(None);
    let (status, _) = log_in(&server, "oidc", "error=access_denied");
    assert_eq!((status, submitted(&server)), (6, 0));
}
