//! What the agent makes of engines that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agent_support;

use std::time::Duration;

use agent_support::{TestAgent, settings, spec};
use hyper::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

fn pid_of(ready: &Value) -> Pid {
    Pid::from_raw(i32::try_from(ready["ready"]["pid"].as_i64().unwrap()).unwrap()).unwrap()
}

fn is_gone(pid: Pid) -> bool {
    test_kill_process(pid).is_err()
}

#[tokio::test]
async fn a_crash_is_told_with_its_signal_and_the_log_and_keeps_samples_and_agent() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,mode=crash,samples=3").await;
    let failed = client.wait("a", "done").await;
    assert_eq!(failed["state"], "failed");
    let error = failed["error"].as_str().unwrap();
    for part in
        ["died by signal 11 (SIGSEGV)", "3 samples are kept", "driver: about to fall", "another device"]
    {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
    assert_eq!(client.samples("a", "from=0").await, [0, 1, 2]);
    let on_disk = std::fs::read_to_string(dir.path().join("runs/a/error.txt")).unwrap();
    assert_eq!(on_disk.trim_end(), error);
    client.start("b", "vdev:net_fake0,samples=1").await;
    assert_eq!(client.wait("b", "done").await["state"], "done", "the agent goes on, the device is free");
    agent.end().await;
}

#[tokio::test]
async fn an_engine_killed_from_outside_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0").await;
    assert_eq!(client.samples("a", "from=2&wait_ms=20000&max=1").await, [2]);
    let (_, status) = client.get("/v1/runs/a").await;
    kill_process(pid_of(&status), Signal::KILL).unwrap();
    let failed = client.wait("a", "done").await;
    assert!(failed["error"].as_str().unwrap().contains("died by signal 9 (SIGKILL, killed)"), "{failed}");
    let kept = failed["samples"].as_u64().unwrap();
    assert_eq!(client.samples("a", "").await, (0..kept).collect::<Vec<_>>());
    agent.end().await;
}

#[tokio::test]
async fn an_engines_own_error_is_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.json(Method::POST, "/v1/runs", &spec("a", "vdev:net_fake0,mode=fail")).await;
    let failed = client.wait("a", "ready").await;
    assert_eq!(failed["error"], "device net_fake0 is broken on purpose: choose another");
    agent.end().await;
}

#[tokio::test]
async fn an_engine_that_never_gets_ready_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.limits.prepare = Duration::from_millis(300);
    let agent = TestAgent::start(settings).await;
    let client = agent.client;
    client.json(Method::POST, "/v1/runs", &spec("a", "vdev:net_fake0,mode=mute")).await;
    let failed = client.wait("a", "ready").await;
    assert!(
        failed["error"].as_str().unwrap().contains("was not ready within 0.3 s and was killed"),
        "{failed}"
    );
    agent.end().await;
}

#[tokio::test]
async fn an_engine_that_does_not_stop_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.limits.slack = Duration::from_millis(300);
    let agent = TestAgent::start(settings).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,mode=hang").await;
    client.samples("a", "from=0&wait_ms=20000").await;
    client.post("/v1/runs/a/stop").await;
    let failed = client.wait("a", "done").await;
    assert!(
        failed["error"].as_str().unwrap().contains("0.3 s after being told to stop and was killed"),
        "{failed}"
    );
    agent.end().await;
}

#[tokio::test]
async fn deleting_a_live_run_and_ending_the_agent_leave_no_engine_behind() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    let deleted = pid_of(&client.prepare("a", "vdev:net_fake0,mode=hang").await);
    let left = pid_of(&client.prepare("b", "vdev:net_fake1,mode=hang").await);
    client.post("/v1/runs/a/start").await;
    assert_eq!(client.json(Method::DELETE, "/v1/runs/a", &Value::Null).await.0, StatusCode::NO_CONTENT);
    assert!(is_gone(deleted));
    assert!(!dir.path().join("runs/a").exists());
    assert!(!is_gone(left));
    agent.end().await;
    assert!(is_gone(left));
    let error = std::fs::read_to_string(dir.path().join("runs/b/error.txt")).unwrap();
    assert!(error.contains("after being discarded and was killed"), "{error}");
}

#[tokio::test]
async fn a_flood_is_kept_whole_on_disk_and_bounded_in_memory_and_log() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,mode=flood,samples=9000").await;
    let done = client.wait("a", "done").await;
    assert_eq!((&done["state"], &done["samples"]), (&json!("done"), &json!(9000)), "{done}");
    let mut numbers = Vec::new();
    while numbers.len() < 9000 {
        let part = client.samples("a", &format!("from={}", numbers.len())).await;
        assert!(!part.is_empty());
        numbers.extend(part);
    }
    assert_eq!(numbers, (0..9000).collect::<Vec<_>>());
    let log = std::fs::read_to_string(dir.path().join("runs/a/engine.log")).unwrap();
    assert!(log.len() < (8 << 20) + 4096, "{} bytes of log", log.len());
    assert!(log.lines().last().unwrap().contains("later lines are left out"), "the log says what it lacks");
    let (_, text) = client.raw(Method::GET, "/metrics", &[], axum::body::Body::empty()).await;
    assert!(text.contains("dpdkbench_run_stray_lines_total{run=\"a\",role=\"tx\"} 2"), "{text}");
    agent.end().await;
}

#[tokio::test]
async fn a_sample_out_of_turn_is_ignored_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let agent = TestAgent::start(settings(&dir)).await;
    let client = agent.client;
    client.start("a", "vdev:net_fake0,mode=gap,samples=4").await;
    client.wait("a", "done").await;
    assert_eq!(client.samples("a", "").await, [0, 1, 2, 3]);
    let log = std::fs::read_to_string(dir.path().join("runs/a/engine.log")).unwrap();
    assert!(log.contains("sample 17 where sample 2 was due"), "{log}");
    agent.end().await;
}

#[tokio::test]
async fn an_engine_that_can_not_be_started_leaves_no_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.engine_command = vec!["/nonexistent/engine".into()];
    let agent = TestAgent::start(settings).await;
    let (status, answer) = agent.client.json(Method::POST, "/v1/runs", &spec("a", "vdev:net_fake0")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        answer["error"].as_str().unwrap().contains("can't start the engine `/nonexistent/engine`"),
        "{answer}"
    );
    assert_eq!(std::fs::read_dir(dir.path().join("runs")).unwrap().count(), 0);
    agent.end().await;
}
