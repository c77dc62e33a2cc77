//! An agent on a port of its own, with the fake engine, and a client for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use dataplane::agent::limits::Limits;
use dataplane::agent::{Agent, AgentError, Settings};
use dataplane::inventory::HostFacts;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest that anything may take in a test; what takes longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a body has to be said to be.
pub const JSON: (&str, &str) = ("content-type", "application/json");

/// Program and arguments of the fake engine.
pub fn fake_engine() -> Vec<OsString> {
    vec!["python3".into(), PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fake_engine.py").into()]
}

/// What an agent on a fresh directory is told.
pub fn settings(state_dir: &TempDir) -> Settings {
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: None,
        state_dir: state_dir.path().to_owned(),
        idle_exit: None,
        engine_command: fake_engine(),
        limits: Limits { discard: Duration::from_millis(500), ..Limits::default() },
    }
}

/// Nothing that DPDK would say.
pub fn facts() -> HostFacts {
    HostFacts { dpdk_version: "none".into(), tsc_hz: 1 }
}

/// An agent in this process.
pub struct TestAgent {
    pub client: Client,
    pub metrics: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl TestAgent {
    pub async fn start(settings: Settings) -> TestAgent {
        TestAgent::try_start(settings).await.unwrap()
    }

    pub async fn try_start(settings: Settings) -> Result<TestAgent, AgentError> {
        let agent = Agent::bind(settings, facts()).await?;
        let (client, metrics) = (Client { address: agent.address }, agent.metrics_address);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(agent.run(async { stopped.await.unwrap_or_default() }));
        Ok(TestAgent { client, metrics, stop: Some(stop), task })
    }

    /// As SIGTERM would.
    pub async fn end(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.ended().await;
    }

    /// Returns when it has ended by itself.
    pub async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.task).await.expect("the agent ends").unwrap();
    }
}

/// Speaks HTTP, a connection a request.
#[derive(Clone, Copy)]
pub struct Client {
    pub address: SocketAddr,
}

impl Client {
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> (StatusCode, String) {
        let exchange = async {
            let stream = TcpStream::connect(self.address).await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            let connection = tokio::spawn(connection);
            let mut request = Request::builder().method(method).uri(path).header("host", "agent");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
            let status = response.status();
            let bytes = to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap();
            connection.abort();
            (status, String::from_utf8(bytes.to_vec()).unwrap())
        };
        tokio::time::timeout(PATIENCE + Duration::from_secs(20), exchange).await.expect("an answer")
    }

    pub async fn json(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let (status, text) = self.raw(method, path, &[JSON], body).await;
        let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect(&text) };
        if status.is_client_error() || status.is_server_error() {
            assert!(value["error"].is_string(), "{status} without a sentence: {text}");
        }
        (status, value)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.json(Method::GET, path, &Value::Null).await
    }

    pub async fn post(&self, path: &str) -> (StatusCode, Value) {
        self.json(Method::POST, path, &Value::Null).await
    }

    /// Prepares a run and waits until it is ready.
    pub async fn prepare(&self, id: &str, device: &str) -> Value {
        let (status, answer) = self.json(Method::POST, "/v1/runs", &spec(id, device)).await;
        assert_eq!((status, &answer["state"]), (StatusCode::CREATED, &json!("preparing")), "{answer}");
        let answer = self.wait(id, "ready").await;
        assert_eq!(answer["state"], "ready", "{answer}");
        answer
    }

    /// Prepares a run and starts it. One of a few samples may be over by the time of the answer.
    pub async fn start(&self, id: &str, device: &str) {
        self.prepare(id, device).await;
        let (status, answer) = self.post(&format!("/v1/runs/{id}/start")).await;
        let state = answer["state"].as_str().unwrap();
        let may_be = if device.contains('=') { &["running", "done", "failed"][..] } else { &["running"] };
        assert!(status == StatusCode::OK && may_be.contains(&state), "{answer}");
    }

    /// Waits for a state or the end.
    pub async fn wait(&self, id: &str, state: &str) -> Value {
        let (status, answer) = self.get(&format!("/v1/runs/{id}?wait_ms=20000&state={state}")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Waits for sample `n`; returns the numbers from there on.
    pub async fn samples(&self, id: &str, query: &str) -> Vec<u64> {
        let path = format!("/v1/runs/{id}/samples?{query}");
        let (status, text) = self.raw(Method::GET, &path, &[], Body::empty()).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_u64().unwrap()).collect()
    }
}

/// A run that the agent lets through.
pub fn spec(id: &str, device: &str) -> Value {
    let fixed = |value: &str| json!(value);
    json!({
        "version": traffic::wire::VERSION, "id": id, "role": "tx", "device": device, "tag": 1, "tx_workers": 1,
        "sample_interval_ms": 10, "drain_limit_ms": 0, "limit_s": 60,
        "profile": { "streams": [{
            "frame_size": 64,
            "ethernet": { "src": fixed("02:00:00:00:00:01"), "dst": fixed("02:00:00:00:00:02") },
            "ipv4": { "src": fixed("10.0.0.1"), "dst": fixed("10.0.0.2") },
            "udp": { "src": 1234, "dst": 5678 },
        }]},
    })
}
