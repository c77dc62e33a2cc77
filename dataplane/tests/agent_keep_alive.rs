//! Connections that are kept open, as an orchestrator keeps them through a port-forward.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agent_support;

use std::time::Duration;

use agent_support::{PATIENCE, TestAgent, settings};
use axum::body::{Body, to_bytes};
use dataplane::agent::limits::{CONNECTIONS_MAX, Limits};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Kept = SendRequest<Body>;

async fn connect(agent: &TestAgent) -> Kept {
    let stream = TcpStream::connect(agent.client.address).await.unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn get(kept: &mut Kept, path: &str) -> StatusCode {
    let request = Request::get(path).header("host", "agent").body(Body::empty()).unwrap();
    let exchange = async {
        kept.ready().await.expect("the connection is still open");
        let response = kept.send_request(request).await.expect("an answer on the same connection");
        let status = response.status();
        to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap();
        status
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("in time")
}

#[test]
fn a_kept_connection_may_be_quiet_for_longer_than_an_orchestrator_ever_is() {
    assert!(Limits::default().header_read >= Duration::from_secs(60));
}

#[tokio::test]
async fn only_its_own_limit_ends_a_quiet_connection() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    // The others are shorter than the silence, and it is longer than any that a busy machine adds.
    settings.limits.body_read = Duration::from_millis(100);
    settings.limits.write = Duration::from_millis(100);
    settings.limits.header_read = Duration::from_secs(60);
    let agent = TestAgent::start(settings).await;
    let mut kept = connect(&agent).await;
    assert_eq!(get(&mut kept, "/healthz").await, StatusCode::OK);
    // Nothing to wait for: silence is what is tested.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(get(&mut kept, "/healthz").await, StatusCode::OK);
    // A request that waits longer than those limits, too.
    agent.client.prepare("a", "vdev:net_fake0").await;
    assert_eq!(get(&mut kept, "/v1/runs/a?wait_ms=500&state=done").await, StatusCode::OK);
    agent.end().await;
}

#[tokio::test]
async fn one_connection_carries_thousands_of_requests_errors_among_them() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let mut kept = connect(&agent).await;
    for _ in 0..1000 {
        assert_eq!(get(&mut kept, "/healthz").await, StatusCode::OK);
        assert_eq!(get(&mut kept, "/v1/runs/nothing").await, StatusCode::NOT_FOUND);
        assert_eq!(get(&mut kept, "/v1/runs/nothing?colour=red").await, StatusCode::BAD_REQUEST);
    }
    agent.end().await;
}

#[tokio::test]
async fn many_connections_stay_open_and_one_too_many_waits_for_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut kept = connect(&agent).await;
        assert_eq!(get(&mut kept, "/healthz").await, StatusCode::OK);
        all.push(kept);
    }
    for kept in &mut all {
        assert_eq!(get(kept, "/healthz").await, StatusCode::OK);
    }
    let mut late = connect(&agent).await;
    let answer = tokio::spawn(async move { get(&mut late, "/healthz").await });
    for kept in &mut all {
        assert_eq!(get(kept, "/healthz").await, StatusCode::OK);
    }
    assert!(!answer.is_finished(), "the bound holds");
    all.pop();
    assert_eq!(answer.await.unwrap(), StatusCode::OK, "one that goes makes room");
    agent.end().await;
}
