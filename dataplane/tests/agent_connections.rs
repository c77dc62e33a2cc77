//! Clients that do not keep to the protocol's pace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agent_support;

use std::time::Duration;

use agent_support::{PATIENCE, TestAgent, settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a part of a request, then waits for what the agent makes of it.
async fn answer_to(agent: &TestAgent, part: &str) -> String {
    let mut stream = TcpStream::connect(agent.client.address).await.unwrap();
    stream.write_all(part.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, read).await.expect("the agent closes the connection").unwrap();
    answer
}

#[tokio::test]
async fn half_a_request_does_not_hold_a_connection_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.limits.header_read = Duration::from_millis(200);
    settings.limits.body_read = Duration::from_millis(200);
    let agent = TestAgent::start(settings).await;
    answer_to(&agent, "").await;
    answer_to(&agent, "GET /healthz HTTP/1.1\r\nhost:").await;
    let text = answer_to(
        &agent,
        "POST /v1/runs HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{",
    )
    .await;
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    let text = answer_to(&agent, "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200"), "a kept connection that stays quiet is closed: {text}");
    agent.end().await;
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_waits_leaves_nothing_running() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.idle_exit = Some(Duration::from_millis(300));
    let agent = TestAgent::start(settings).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,samples=1").await;
    client.wait("a", "done").await;
    client.start("b", "vdev:net_fake0").await;
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    stream.write_all(b"GET /v1/runs/b?wait_ms=30000 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    drop(stream);
    client.post("/v1/runs/b/stop").await;
    client.wait("b", "done").await;
    // Only a request that is still waited on could keep it from ending as idle.
    agent.ended().await;
}
