//! What the agent keeps until it is acknowledged, and how a stream that broke off goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agent_support;

use std::path::Path;

use agent_support::{Client, PATIENCE, TestAgent, settings, spec};
use dataplane::agent::limits::FINISHED_RUNS_MAX;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// A finished run under another id, as an agent of earlier would have left it.
fn copy_run(runs: &Path, from: &str, to: &str) {
    std::fs::create_dir(runs.join(to)).unwrap();
    for name in ["ready.json", "samples.ndjson", "summary.json", "engine.log"] {
        std::fs::copy(runs.join(from).join(name), runs.join(to).join(name)).unwrap();
    }
    let spec = std::fs::read_to_string(runs.join(from).join("spec.json")).unwrap();
    let spec = spec.replace(&format!("\"id\": \"{from}\""), &format!("\"id\": \"{to}\""));
    std::fs::write(runs.join(to).join("spec.json"), spec).unwrap();
}

async fn assert_whole(client: &Client, id: &str) {
    let (status, run) = client.get(&format!("/v1/runs/{id}")).await;
    assert_eq!((status, &run["state"]), (StatusCode::OK, &json!("done")), "{id}: {run}");
    assert_eq!(run["summary"]["totals"]["n"], 3, "{id}: its last word");
    assert_eq!(client.samples(id, "from=0").await, [0, 1, 2], "{id}");
}

#[tokio::test]
async fn a_finished_run_is_kept_until_it_is_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let agent = TestAgent::start(settings(&dir)).await;
    agent.client.start("first", "vdev:net_fake0,samples=3").await;
    agent.client.wait("first", "done").await;
    // More than are held in memory, by agents before and by this one.
    agent.end().await;
    for n in 0..FINISHED_RUNS_MAX {
        copy_run(&runs, "first", &format!("copy-{n}"));
    }
    let agent = TestAgent::start(settings(&dir)).await;
    for n in 0..3 {
        agent.client.start(&format!("later-{n}"), "vdev:net_fake0,samples=3").await;
        agent.client.wait(&format!("later-{n}"), "done").await;
    }
    for id in ["first", "copy-0", "copy-63", "later-0", "later-2"] {
        assert_whole(&agent.client, id).await;
    }
    agent.end().await;
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    for id in ["first", "copy-17", "later-1"] {
        assert_whole(&client, id).await;
        assert_eq!(
            client.json(Method::DELETE, &format!("/v1/runs/{id}"), &Value::Null).await.0,
            StatusCode::NO_CONTENT
        );
        assert_eq!(client.get(&format!("/v1/runs/{id}")).await.0, StatusCode::NOT_FOUND);
        let (status, _) = client.json(Method::DELETE, &format!("/v1/runs/{id}"), &Value::Null).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "acknowledged once");
    }
    agent.end().await;
    assert_eq!(std::fs::read_dir(runs).unwrap().count(), FINISHED_RUNS_MAX + 4 - 3);
}

#[tokio::test]
async fn nothing_is_thrown_away_for_a_new_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.limits.kept_runs = 2;
    let agent = TestAgent::start(settings.clone()).await;
    for id in ["a", "b"] {
        agent.client.start(id, "vdev:net_fake0,samples=3").await;
        agent.client.wait(id, "done").await;
    }
    let create =
        async |client: Client| client.json(Method::POST, "/v1/runs", &spec("c", "vdev:net_fake0")).await;
    let (status, answer) = create(agent.client).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("2 runs are on disk") && error.contains("DELETE /v1/runs/"), "{error}");
    agent.end().await;
    let agent = TestAgent::start(settings).await;
    assert_eq!(create(agent.client).await.0, StatusCode::CONFLICT, "a restart makes no room");
    for id in ["a", "b"] {
        assert_whole(&agent.client, id).await;
    }
    agent.client.json(Method::DELETE, "/v1/runs/a", &Value::Null).await;
    assert_eq!(create(agent.client).await.0, StatusCode::CREATED, "an acknowledged one does");
    assert_whole(&agent.client, "b").await;
    agent.end().await;
}

/// Reads samples from `from` on, drops the connection after `bytes` of the body, and gives the whole lines that came.
async fn cut_after(client: &Client, from: u64, bytes: usize) -> Vec<u8> {
    let socket = TcpSocket::new_v4().unwrap();
    // Most of the body is still on the agent's side when the connection goes.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(client.address).await.unwrap();
    let request = format!("GET /v1/runs/a/samples?from={from}&max=5000 HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let head = loop {
        let mut part = [0; 1000];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut part)).await.expect("it goes on").unwrap();
        assert_ne!(read, 0, "the body is longer than {bytes} bytes");
        answer.extend_from_slice(&part[..read]);
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        if answer.len() - head > bytes {
            break head + 4;
        }
    };
    // Unread bytes are left: the kernel answers the agent's next ones with a reset.
    drop(stream);
    let whole = answer.iter().rposition(|byte| *byte == b'\n').unwrap();
    answer.get(head..=whole).unwrap_or_default().to_vec()
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_from_the_last_sample() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,mode=flood,samples=9000").await;
    let mut lines = Vec::new();
    // While it runs and after its end; from memory and from the file; cut off mid-line and mid-sample.
    for bytes in [10_000, 100_003, 1, 1_000_001, 333] {
        let next = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        client
            .raw(
                Method::GET,
                &format!("/v1/runs/a/samples?from={}&wait_ms=20000&max=1", next + 2000),
                &[],
                axum::body::Body::empty(),
            )
            .await;
        lines.extend(cut_after(&client, next, bytes).await);
    }
    let done = client.wait("a", "done").await;
    assert_eq!((&done["state"], &done["samples"]), (&json!("done"), &json!(9000)), "{done}");
    loop {
        let next = lines.iter().filter(|byte| **byte == b'\n').count();
        let path = format!("/v1/runs/a/samples?from={next}");
        let (status, text) = client.raw(Method::GET, &path, &[], axum::body::Body::empty()).await;
        assert_eq!(status, StatusCode::OK);
        if text.is_empty() {
            break;
        }
        lines.extend(text.into_bytes());
    }
    let on_disk = std::fs::read(dir.path().join("runs/a/samples.ndjson")).unwrap();
    assert!(lines == on_disk, "each sample came once, byte for byte: {} and {}", lines.len(), on_disk.len());
    assert_eq!(on_disk.iter().filter(|byte| **byte == b'\n').count(), 9000);
    agent.end().await;
}
