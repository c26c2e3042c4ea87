//! Issuers that misbehave: nothing they do leads anywhere, costs much, or is believed.

#![expect(clippy::panic, reason = "what is not as it should be fails the test")]

mod common;

use std::time::{Duration, Instant};

use clp_client::error::{NotAllowed, ProtocolFault, Unreachable};
use clp_client::transport::{Policy, Repeat, Timeouts};
use clp_client::{Client, Error, Settings, Token};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{CredentialList, ListQuery};
use clp_schemas::problem::ProblemType;
use common::{MANIFEST, Reply, Server, json, manifest, problem, raw_json, redirect};
use serde_json::json;

const LOCAL: Policy = Policy {
    loopback_http: true,
    private_addresses: false,
    test_issuer: true,
};

fn client(url: &str, policy: Policy) -> Result<Client, Error> {
    Client::new(
        url.parse()?,
        Settings {
            policy,
            timeouts: Timeouts {
                connect: Duration::from_secs(2),
                total: Duration::from_millis(700),
            },
            repeat: Repeat {
                attempts: 3,
                pause: Duration::from_millis(5),
                longest_wait: Duration::from_secs(2),
            },
            token: Some(Token::new("owner-token")?),
            ..Settings::default()
        },
    )
}

async fn discover(server: &Server) -> Result<(), Error> {
    client(&server.url(), LOCAL)?.issuer().await.map(|_| ())
}

async fn list(server: &Server) -> Result<(), Error> {
    let client = client(&server.url(), LOCAL)?;
    client
        .call::<CredentialList>(&Nothing {}, &ListQuery::default(), &Nothing {})
        .await
        .map(|_| ())
}

fn fault(result: Result<(), Error>) -> ProtocolFault {
    match result {
        Err(Error::Protocol(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// An issuer whose manifest is sound and whose list is answered by `reply`.
fn issuer(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |url, seen| match seen.is("GET", MANIFEST) {
        true => json(200, &manifest(url)),
        false => reply(url),
    })
}

#[tokio::test]
async fn a_sound_issuer_is_used_and_sees_version_and_token() {
    let server = issuer(|_| json(200, &json!({"items": [], "later_member": {"a": 1}})));
    list(&server).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[1].header("authorization"), Some("Bearer owner-token"));
    assert_eq!(seen[1].header("clp-version"), Some("1.0"));
}

#[tokio::test]
async fn redirects_stay_within_the_origin() {
    let elsewhere = Server::start(|url, _| json(200, &manifest(url)));
    let target = format!("{}{MANIFEST}", elsewhere.url());
    let server = Server::start(move |_, _| redirect(&target));
    assert_eq!(
        fault(discover(&server).await),
        ProtocolFault::RedirectElsewhere
    );
    assert!(elsewhere.seen().is_empty());

    let server = Server::start(|url, seen| match seen.target.as_str() {
        "/moved" => json(200, &manifest(url)),
        _ => redirect("/moved"),
    });
    discover(&server).await.unwrap();

    let server = Server::start(|_, _| redirect("/again"));
    assert_eq!(fault(discover(&server).await), ProtocolFault::Redirects);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_redirect_takes_no_token_elsewhere() {
    let thief = Server::start(|_, _| json(200, &json!({"items": []})));
    let target = thief.url();
    let server = issuer(move |_| redirect(&target));
    assert_eq!(fault(list(&server).await), ProtocolFault::RedirectElsewhere);
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn large_documents_are_refused_whether_announced_or_not() {
    let body = |size: usize| format!("{{\"x\":\"{}\"}}", "a".repeat(size));
    let too_large = ProtocolFault::TooLarge { limit: 262_144 };
    let server = Server::start(move |_, _| raw_json(body(262_144)));
    assert_eq!(fault(discover(&server).await), too_large);

    let server = Server::start(|_, _| {
        let headers =
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nX-Hides: ".to_owned();
        // The length that the server adds ends up in a header field that nobody reads.
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x1_0000)).repeat(5);
        Reply::Answer(200, headers, chunk.into_bytes())
    });
    assert_eq!(fault(discover(&server).await), too_large);
}

#[tokio::test]
async fn json_that_two_readers_could_read_apart_is_refused() {
    let refused = |text: &'static str| async move {
        let server = Server::start(move |_, _| raw_json(text));
        fault(discover(&server).await)
    };
    use clp_schemas::json::Fault;
    let twice = refused(
        r#"{"credential_issuer_endpoint":"https://a.example/c","credential_issuer_endpoint":"https://b.example/c"}"#,
    );
    assert_eq!(twice.await, ProtocolFault::Json(Fault::DuplicateMember));
    assert_eq!(
        refused(r#"{"manifest_version":9007199254740993}"#).await,
        ProtocolFault::Json(Fault::IntegerTooLarge)
    );
    assert!(matches!(
        refused("{").await,
        ProtocolFault::Json(Fault::Syntax { .. })
    ));
    assert_eq!(
        refused(r#"{"credential_issuer":"https://a.example"}"#).await,
        ProtocolFault::NoEndpoint
    );
    let deep = Server::start(|_, _| raw_json("[".repeat(33) + &"]".repeat(33)));
    assert_eq!(
        fault(discover(&deep).await),
        ProtocolFault::Json(Fault::TooDeep { limit: 32 })
    );
}

#[tokio::test]
async fn manifests_of_others_are_refused() {
    let with = |member: &'static str, value: serde_json::Value| async move {
        let server = Server::start(move |url, _| {
            let mut manifest = manifest(url);
            manifest[member] = value.clone();
            json(200, &manifest)
        });
        fault(discover(&server).await)
    };
    assert_eq!(
        with("issuer_identifier", json!("https://api.example.com")).await,
        ProtocolFault::OtherIssuer
    );
    assert_eq!(
        with(
            "credential_issuer_endpoint",
            json!("https://api.example.com/c")
        )
        .await,
        ProtocolFault::EndpointElsewhere
    );
    assert!(matches!(
        with("supports_audit", json!(false)).await,
        ProtocolFault::Manifest(_)
    ));
    assert!(matches!(
        with("credential_issuer_endpoint", json!("x")).await,
        ProtocolFault::Form { .. }
    ));
    let html = Server::start(|_, _| {
        Reply::Answer(
            200,
            "Content-Type: text/html\r\n".to_owned(),
            b"{}".to_vec(),
        )
    });
    assert_eq!(fault(discover(&html).await), ProtocolFault::MediaType);
}

#[tokio::test]
async fn what_was_not_allowed_is_not_called() {
    let server = Server::start(|url, _| json(200, &manifest(url)));
    let try_with = |url: String, policy: Policy| async move {
        let client = match client(&url, policy) {
            Ok(client) => client,
            Err(Error::NotAllowed(fault)) => return fault,
            Err(other) => panic!("{other:?}"),
        };
        match client.issuer().await {
            Err(Error::NotAllowed(fault)) => fault,
            other => panic!("{other:?}"),
        }
    };
    let port = server.port;
    let none = Policy::default();
    assert_eq!(try_with(server.url(), none).await, NotAllowed::LoopbackHttp);
    assert_eq!(
        try_with(format!("https://127.0.0.1:{port}"), none).await,
        NotAllowed::Address
    );
    // A name is judged by what it resolves to, and before a connection is made.
    assert_eq!(
        try_with(format!("https://localhost:{port}"), none).await,
        NotAllowed::Address
    );
    assert!(server.seen().is_empty());
    let without_test = Policy {
        test_issuer: false,
        ..LOCAL
    };
    assert_eq!(
        try_with(server.url(), without_test).await,
        NotAllowed::TestIssuer
    );
}

#[tokio::test]
async fn slow_and_broken_answers_end_in_time() {
    let begun = Instant::now();
    let server = Server::start(|_, _| Reply::Stall);
    let result = discover(&server).await;
    assert!(
        matches!(result, Err(Error::Unreachable(Unreachable::Timeout))),
        "{result:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(server.seen().len(), 3);

    let server = Server::start(|_, _| Reply::HangUp);
    let result = discover(&server).await;
    assert!(
        matches!(result, Err(Error::Unreachable(Unreachable::Broken))),
        "{result:?}"
    );

    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let result = client(&format!("http://localhost:{closed}"), LOCAL)
        .unwrap()
        .issuer()
        .await;
    assert!(
        matches!(result, Err(Error::Unreachable(Unreachable::Connection))),
        "{result:?}"
    );
}

#[tokio::test]
async fn refusals_are_understood_by_type_and_status() {
    let server = issuer(|_| problem(403, "forbidden", ""));
    let refused = list(&server).await.unwrap_err();
    assert_eq!(refused.problem(), Some(ProblemType::Forbidden));
    let server = issuer(|_| problem(404, "forbidden", ""));
    assert_eq!(fault(list(&server).await), ProtocolFault::Problem);
    let server = issuer(|_| problem(418, "of-a-later-version", ""));
    assert!(matches!(list(&server).await, Err(Error::Refused(_))));
    let server = issuer(|_| {
        Reply::Answer(
            502,
            "Content-Type: text/html\r\n".to_owned(),
            b"oops".to_vec(),
        )
    });
    assert!(matches!(
        list(&server).await,
        Err(Error::Unreachable(Unreachable::Gateway(502)))
    ));
    let server = issuer(|_| Reply::Answer(404, String::new(), Vec::new()));
    assert_eq!(fault(list(&server).await), ProtocolFault::Status(404));
    let server = issuer(|_| {
        let headers = "Content-Type: application/json\r\nCLP-Version: 2.0\r\n".to_owned();
        Reply::Answer(200, headers, b"{\"items\":[]}".to_vec())
    });
    assert_eq!(fault(list(&server).await), ProtocolFault::Version);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let refused = AtomicBool::new(false);
    let server = issuer(move |_| match refused.swap(true, Ordering::SeqCst) {
        false => problem(429, "rate-limited", "Retry-After: 1\r\n"),
        true => json(200, &json!({"items": []})),
    });
    let begun = Instant::now();
    list(&server).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let server = issuer(|_| problem(429, "rate-limited", "Retry-After: 3600\r\n"));
    let refused = list(&server).await.unwrap_err();
    assert_eq!(refused.problem(), Some(ProblemType::RateLimited));
    assert_eq!(server.count("GET", "/credentials"), 1);
}

#[tokio::test]
async fn links_that_lead_away_are_not_followed() {
    use clp_schemas::ops::store::DeliveryRead;
    let server = issuer(|_| json(200, &json!({})));
    let thief = Server::start(|_, _| json(200, &json!({})));
    let client = client(&server.url(), LOCAL).unwrap();
    let path = "deliveries/dlv_0123456789abcdefghij";
    for link in [
        format!("{}/credentials/{path}", thief.url()),
        format!("{}/other/{path}", server.url()),
        format!("{}/credentials/../other/{path}", server.url()),
        format!("{}/credentialsx/{path}", server.url()),
        format!("https://localhost:{}/credentials/{path}", server.port),
        path.to_owned(),
    ] {
        let result = client.follow::<DeliveryRead>(&link).await.map(|_| ());
        assert_eq!(fault(result), ProtocolFault::LinkElsewhere, "{link}");
    }
    assert!(thief.seen().is_empty());
    assert_eq!(server.seen().len(), 1);
}
