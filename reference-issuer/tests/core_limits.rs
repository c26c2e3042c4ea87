//! Peers that hang, guess, or come by another name.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod core_support;

use std::time::Duration;

use clp_issuer::Issuer;
use core_support::World;
use reqwest::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

async fn hang(url: &str) -> TcpStream {
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: local")
        .await
        .unwrap();
    stream
}

#[tokio::test]
async fn half_a_header_is_not_waited_for_for_long() {
    let config = clp_issuer::config::Config::built_in().unwrap();
    let running = Issuer::builder()
        .config(config.with_ports(0).unwrap())
        .header_time(Duration::from_millis(50))
        .spawn()
        .await
        .unwrap();
    let mut stream = hang(&running.personas[0].url).await;
    let mut left = Vec::new();
    // Whatever it says, it hangs up.
    let _ = timeout(SOON, stream.read_to_end(&mut left)).await.unwrap();
    running.shutdown().await;
}

#[tokio::test]
async fn who_hangs_does_not_keep_the_state_from_being_closed() {
    let directory = tempfile::tempdir().unwrap();
    let config = clp_issuer::config::Config::built_in().unwrap();
    let running = Issuer::builder()
        .config(config.with_ports(0).unwrap())
        .data_dir(directory.path())
        .grace(Duration::from_millis(50))
        .spawn()
        .await
        .unwrap();
    let _stream = hang(&running.personas[0].url).await;
    timeout(SOON, running.shutdown()).await.unwrap();
    assert!(!directory.path().join("issuer.db-wal").exists());
}

#[tokio::test]
async fn another_name_for_this_machine_is_not_answered() {
    let world = World::start().await;
    let url = format!("{}/.well-known/credential-issuer", world.origin);
    world.send(world.request("GET", &url)).await.ok(200);
    let rebound = world.request("GET", &url).header("host", "rebound.example");
    assert_eq!(world.send(rebound).await.problem(), "not-found");
    let control = world.running.control_url.clone().unwrap();
    let rebound = world
        .request("POST", &format!("{control}/sandboxes"))
        .header("host", "rebound.example");
    assert_eq!(world.send(rebound).await.problem(), "not-found");
}

#[tokio::test]
async fn who_guesses_at_the_resource_or_at_test_control_is_slowed_down() {
    let world = World::start().await;
    let control = world.running.control_url.clone().unwrap();
    let calls = [
        (
            "GET",
            format!("{}/v1/projects/atlas/records/1", world.origin),
        ),
        ("POST", format!("{control}/sandboxes")),
    ];
    let http = Client::new();
    for (method, url) in calls {
        let mut statuses = Vec::new();
        for _ in 0..601 {
            let call = http.request(method.parse().unwrap(), &url);
            let answer = call.bearer_auth("guess").send().await.unwrap();
            statuses.push(answer.status().as_u16());
        }
        let (last, before) = statuses.split_last().unwrap();
        assert_eq!(*last, 429, "{url}");
        assert!(before.iter().all(|status| *status == 401), "{url}");
    }
}
