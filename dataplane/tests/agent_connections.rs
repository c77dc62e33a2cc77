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
    // Longer than this test may need from one request to the next.
    settings.idle_exit = Some(Duration::from_secs(3));
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

/// What no HTTP library would send. Nothing of it may end the agent, hang, or be answered with a fault of the agent's.
#[tokio::test]
async fn bytes_that_are_hardly_http_are_answered_with_a_client_error() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let long = "a".repeat(100_000);
    let with_body = |headers: &str, body: &[u8]| {
        let head = format!("POST /v1/runs HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let get =
        |target: &str| format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").into_bytes();
    let json = "content-type: application/json\r\n";
    // A sentence comes with all that reaches the API; what is no HTTP at all has only a status.
    for (request, status, has_sentence) in [
        (get("/v1/runs/%ff%fe"), "400", true),
        (get("/v1/runs/%00"), "404", true),
        (get("/v1/runs/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), "404", true),
        (get("/v1/runs/%F0%9F%98%80/samples"), "404", true),
        (get("/v1/runs/a?wait_ms=%ff"), "400", true),
        (get("/v1/runs/a?wait_ms=-1"), "400", true),
        (get("/v1/runs/a?wait_ms=1&wait_ms=2"), "400", true),
        (get("/v1/runs/a/samples?from=18446744073709551616"), "400", true),
        (get("/v1/next-hop?to=%00"), "400", true),
        (get("//v1//runs"), "404", true),
        (get("*"), "404", true),
        (get(&format!("/{long}")), "414", false),
        (get("/v1/runs/\u{1f600}"), "404", true),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec(), "400", false),
        (b"GET / HTTP/3.7\r\n\r\n".to_vec(), "400", false),
        (with_body(&format!("{json}content-length: 4"), b"\xff\xfe\x00{"), "400", true),
        (with_body(&format!("{json}content-length: 0"), b""), "400", true),
        (with_body(&format!("{json}content-length: 4"), b"null"), "400", true),
        (with_body(&format!("{json}content-length: -1"), b""), "400", false),
        (with_body(&format!("{json}content-length: 99999999999999999999999"), b""), "400", false),
        (with_body(&format!("{json}transfer-encoding: chunked"), b"zz\r\n"), "400", true),
        (with_body("content-type: text/plain\r\ncontent-length: 2", b"{}"), "415", true),
        (with_body("content-length: 2", b"{}"), "415", true),
        (with_body(&"x: y\r\n".repeat(200), b""), "431", false),
    ] {
        let shown = String::from_utf8_lossy(&request).chars().take(120).collect::<String>();
        let mut stream = TcpStream::connect(agent.client.address).await.unwrap();
        // What is refused early may not be read whole.
        let _ = stream.write_all(&request).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(read.is_ok(), "no end of the answer to {shown}: {answer}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown}: {answer}");
        if has_sentence {
            let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
            let error: serde_json::Value = serde_json::from_str(body).expect(&answer);
            assert!(error["error"].is_string(), "{shown}: {answer}");
        }
    }
    let nested = format!("{{\"version\":{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let (status, text) = agent
        .client
        .raw(hyper::Method::POST, "/v1/runs", &[agent_support::JSON], axum::body::Body::from(nested))
        .await;
    assert_eq!(status, hyper::StatusCode::BAD_REQUEST, "{text}");
    assert_eq!(agent.client.get("/healthz").await.0, hyper::StatusCode::OK);
    agent.end().await;
}
