//! The agent's HTTP API with an engine that behaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agent_support;

use std::time::Instant;

use agent_support::{JSON, TestAgent, settings, spec};
use axum::body::Body;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_run_goes_from_preparing_to_done_and_its_files_tell_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    let (status, health) = client.get("/healthz").await;
    assert_eq!((status, &health["version"]), (StatusCode::OK, &json!(traffic::wire::VERSION)));

    client.start("exp-1_tx0", "vdev:net_fake0,samples=5").await;
    let done = client.wait("exp-1_tx0", "done").await;
    assert_eq!((&done["state"], &done["samples"]), (&json!("done"), &json!(5)), "{done}");
    assert_eq!(done["ready"]["driver"], "net_fake");
    assert_eq!(done["summary"]["totals"]["n"], 5);
    assert_eq!(client.samples("exp-1_tx0", "").await, [0, 1, 2, 3, 4]);
    assert_eq!(client.samples("exp-1_tx0", "from=3").await, [3, 4]);
    assert_eq!(client.samples("exp-1_tx0", "from=1&max=2").await, [1, 2]);
    assert_eq!(
        client.samples("exp-1_tx0", "from=5&wait_ms=20000").await,
        [0; 0],
        "over: nothing to wait for"
    );
    assert_eq!(client.post("/v1/runs/exp-1_tx0/start").await.0, StatusCode::CONFLICT);
    assert_eq!(client.post("/v1/runs/exp-1_tx0/stop").await.0, StatusCode::OK, "stop is idempotent");

    let files = dir.path().join("runs/exp-1_tx0");
    for (name, lines) in [("samples.ndjson", 5), ("engine.log", 1)] {
        assert_eq!(std::fs::read_to_string(files.join(name)).unwrap().lines().count(), lines, "{name}");
    }
    for name in ["spec.json", "ready.json", "summary.json"] {
        serde_json::from_slice::<Value>(&std::fs::read(files.join(name)).unwrap()).expect(name);
    }
    let (_, list) = client.get("/v1/runs").await;
    assert_eq!(list[0]["id"], "exp-1_tx0");
    assert_eq!(
        client.json(Method::DELETE, "/v1/runs/exp-1_tx0", &Value::Null).await.0,
        StatusCode::NO_CONTENT
    );
    assert!(!files.exists());
    assert_eq!(client.get("/v1/runs/exp-1_tx0").await.0, StatusCode::NOT_FOUND);
    agent.end().await;
}

#[tokio::test]
async fn waits_end_with_what_was_waited_for_and_with_time() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.prepare("a", "vdev:net_fake0").await;
    let begun = Instant::now();
    let (_, answer) = client.get("/v1/runs/a?wait_ms=150&state=running,done").await;
    assert_eq!(answer["state"], "ready");
    assert!(begun.elapsed().as_millis() >= 150);
    let waiting = tokio::spawn(async move { client.samples("a", "from=3&wait_ms=20000").await });
    for _ in 0..2 {
        let (status, answer) = client.post("/v1/runs/a/start").await;
        assert_eq!((status, &answer["state"]), (StatusCode::OK, &json!("running")), "start is idempotent");
    }
    assert_eq!(waiting.await.unwrap()[0], 3);
    let (_, answer) = client.post("/v1/runs/a/stop").await;
    assert!(["stopping", "done"].contains(&answer["state"].as_str().unwrap()));
    let done = client.wait("a", "done").await;
    assert_eq!((&done["state"], &done["summary"]["ended"]), (&json!("done"), &json!("stopped")));
    agent.end().await;
}

#[tokio::test]
async fn a_run_told_to_stop_before_it_was_ready_ends_without_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    // Its engine is not ready before it is told something.
    client.json(Method::POST, "/v1/runs", &spec("a", "vdev:net_fake0,mode=late")).await;
    assert_eq!(client.post("/v1/runs/a/start").await.0, StatusCode::CONFLICT, "not ready yet");
    let (_, answer) = client.post("/v1/runs/a/stop").await;
    assert_eq!(answer["state"], "stopping");
    let done = client.wait("a", "done").await;
    assert_eq!((&done["state"], &done["samples"]), (&json!("done"), &json!(0)));
    assert!(done["ready"].is_object());
    agent.end().await;
}

#[tokio::test]
async fn an_id_and_a_device_are_held_once() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.prepare("a", "pci:03:00.0").await;
    let create =
        async |id: &str, device: &str| client.json(Method::POST, "/v1/runs", &spec(id, device)).await;
    let (status, answer) = create("a", "vdev:net_fake1").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer["error"].as_str().unwrap().contains("run `a` exists"), "{answer}");
    let (status, answer) = create("b", "pci:0000:03:00.0").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer["error"].as_str().unwrap().contains("held by run `a`"), "{answer}");
    client.post("/v1/runs/a/stop").await;
    assert_eq!(client.wait("a", "done").await["state"], "done");
    assert_eq!(create("b", "pci:0000:03:00.0").await.0, StatusCode::CREATED, "free once the run is over");
    agent.end().await;
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_sentence_and_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    let with = |key: &str, value: Value| {
        let mut body = spec("a", "vdev:net_fake0");
        body[key] = value;
        body
    };
    let long_id = "x".repeat(65);
    for (body, hint) in [
        (with("version", json!(999)), "version 999"),
        (with("version", json!("1")), "version \"1\""),
        (with("id", json!("")), "run id"),
        (with("id", json!("../../etc")), "run id"),
        (with("id", json!("A")), "run id"),
        (with("id", json!(long_id)), "run id"),
        (with("device", json!("eth0")), "device `eth0`"),
        (with("burst", json!(65)), "burst is 65"),
        (with("sample_interval_ms", json!(1)), "sample_interval_ms is 1"),
        (with("limit_s", json!(0)), "limit_s is 0"),
        (with("per_flow", json!(32_769)), "per_flow is 32769"),
        (
            with("profile", json!({"replay": {"file": "x", "loops": 4_294_967_297_u64}})),
            "profile.replay.loops: 4294967297",
        ),
        (with("colour", json!("red")), "colour"),
        (json!([]), "version"),
    ] {
        let (status, answer) = client.json(Method::POST, "/v1/runs", &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(hint), "{answer} without {hint}");
    }
    let (status, text) = client.raw(Method::POST, "/v1/runs", &[JSON], Body::from("{not json")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    for (path, expected) in [
        ("/v1/runs/..%2f..%2fetc", StatusCode::NOT_FOUND),
        ("/v1/runs/unknown/samples", StatusCode::NOT_FOUND),
        ("/nothing", StatusCode::NOT_FOUND),
        ("/v1/runs/a?wait_ms=30001", StatusCode::BAD_REQUEST),
        ("/v1/runs/a?state=sleeping", StatusCode::BAD_REQUEST),
        ("/v1/runs/a?state=", StatusCode::NOT_FOUND),
        ("/v1/runs/a?state=done,", StatusCode::BAD_REQUEST),
        ("/v1/runs/a?stat=ready", StatusCode::BAD_REQUEST),
        ("/v1/runs/a/samples?max=10001", StatusCode::BAD_REQUEST),
        ("/v1/runs/a/samples?from=-1", StatusCode::BAD_REQUEST),
        ("/v1/runs/a/start", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        assert_eq!(client.get(path).await.0, expected, "{path}");
    }
    let (status, _) =
        client.raw(Method::GET, "/v1/runs", &[("origin", "http://evil.example")], Body::empty()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(std::fs::read_dir(dir.path().join("runs")).unwrap().count(), 0);
    agent.end().await;
}

#[tokio::test]
async fn a_huge_body_is_answered_with_413_and_one_just_small_enough_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let body = |bytes: usize| Body::from(vec![b' '; bytes]);
    let (status, text) = agent.client.raw(Method::POST, "/v1/runs", &[JSON], body((1 << 20) + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
    let (status, _) = agent.client.raw(Method::POST, "/v1/runs", &[JSON], body(8 << 20)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = agent.client.raw(Method::POST, "/v1/runs", &[JSON], body(1 << 20)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    agent.end().await;
}

#[tokio::test]
async fn two_hundred_requests_at_once_are_all_answered() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,samples=50").await;
    let mut requests = tokio::task::JoinSet::new();
    for index in 0..200 {
        requests.spawn(async move {
            match index % 4 {
                0 => client.get("/healthz").await.0,
                1 => client.get("/v1/inventory").await.0,
                2 => client.get("/v1/runs/a?wait_ms=20000&state=done").await.0,
                _ => {
                    client
                        .raw(Method::GET, "/v1/runs/a/samples?from=49&wait_ms=20000", &[], Body::empty())
                        .await
                        .0
                }
            }
        });
    }
    while let Some(status) = requests.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
    agent.end().await;
}

#[tokio::test]
async fn metrics_show_the_newest_sample_and_the_open_listener_shows_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let agent = TestAgent::start(settings).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,samples=4").await;
    client.wait("a", "done").await;
    let open = agent_support::Client { address: agent.metrics.unwrap() };
    let (status, text) = open.raw(Method::GET, "/metrics", &[], Body::empty()).await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "dpdkbench_core_tx_packets_total{run=\"a\",role=\"tx\",worker=\"1\",cpu=\"1\"} 30",
        "dpdkbench_port_tx_bytes_total{run=\"a\",role=\"tx\"} 1800",
        "dpdkbench_lost_packets{run=\"a\",role=\"tx\"} 1",
        "dpdkbench_latency_seconds{run=\"a\",role=\"tx\",quantile=\"0.5\"} 0.0000002",
        "dpdkbench_run_state{run=\"a\",role=\"tx\",dpdkbench_run_state=\"done\"} 1",
        "dpdkbench_run_samples_total{run=\"a\",role=\"tx\"} 4",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let mut families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), count, "a family is described once");
    assert_eq!(open.get("/v1/runs").await.0, StatusCode::NOT_FOUND);
    assert_eq!(open.post("/metrics").await.0, StatusCode::METHOD_NOT_ALLOWED);
    agent.end().await;
}
