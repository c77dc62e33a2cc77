//! A stand-in for `dataplane agent` in the tests: it speaks the agent's API and sends no packet.
//!
//! A fake sender "sends" 1,000 frames a second; a fake receiver "receives" what its sender left in `$FAKE_SHARED`.
//! `$FAKE_MODE` makes it misbehave: `version`, `prepare-fails`, `no-hello`, `tx-dies`, `cut`, `loses`, `mute` (reflects
//! nothing), `vanishes` (the agent dies and leaves an engine process), `never-stops`;
//! `MODE@POD` is for one agent alone, and `MODE-once` for the first agent that it meets.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test's stand-in: it may die of a test's mistake")]

mod engine;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use traffic::wire::{
    ClockId, CoreInfo, Health, Inventory, Ready, Role, RunSpec, RunState, RunStatus, Sample, Summary, VERSION,
};

use crate::engine::{PPS, engine};

struct Run {
    spec: RunSpec,
    state: RunState,
    started: Option<Instant>,
    stop: bool,
    samples: Vec<Sample>,
    summary: Option<Summary>,
    error: Option<String>,
}

#[derive(Clone)]
struct Agent {
    mode: String,
    state_dir: PathBuf,
    shared: PathBuf,
    tick: Duration,
    /// Of an engine process, in the mode that needs one.
    engine: Option<u32>,
    runs: Arc<Mutex<HashMap<String, Run>>>,
    cuts_left: Arc<Mutex<u32>>,
}

type Answer<T> = Result<T, (StatusCode, Json<Value>)>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|verb| verb == "engine") {
        return end_with_the_test(std::env::var("FAKE_SHARED").unwrap().into()).await;
    }
    let after = |flag: &str| args.iter().position(|a| a == flag).and_then(|i| args.get(i + 1)).cloned();
    let env = |key: &str, default: &str| std::env::var(key).unwrap_or_else(|_| default.to_owned());
    let state_dir = PathBuf::from(after("--state-dir").unwrap());
    let mode = mode_here(&env("FAKE_MODE", ""), &state_dir);
    let mode = once(mode, &PathBuf::from(env("FAKE_SHARED", "/tmp")));
    if mode == "no-hello" {
        eprintln!("fake: no hugepages for breakfast");
        std::process::exit(1);
    }
    let agent = Agent {
        cuts_left: Arc::new(Mutex::new(if mode == "cut" { 5 } else { 0 })),
        state_dir,
        shared: env("FAKE_SHARED", "/tmp").into(),
        tick: Duration::from_millis(env("FAKE_TICK_MS", "100").parse().unwrap()),
        engine: (mode == "vanishes").then(|| {
            let mut engine = std::process::Command::new(std::env::current_exe().unwrap());
            engine.arg("engine").stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
            engine.stderr(std::process::Stdio::null()).spawn().unwrap().id()
        }),
        mode,
        runs: Arc::default(),
    };
    tokio::spawn(end_with_the_test(agent.shared.clone()));
    let app = Router::new()
        .route("/healthz", get(health))
        .route("/v1/inventory", get(async || Json(inventory())))
        .route("/v1/runs", post(prepare))
        .route("/v1/runs/{id}", get(status).delete(forget))
        .route("/v1/runs/{id}/start", post(start))
        .route("/v1/runs/{id}/stop", post(stop))
        .route("/v1/runs/{id}/samples", get(samples))
        .with_state(agent);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hello =
        json!({"listening": listener.local_addr().unwrap(), "pid": std::process::id(), "version": VERSION});
    println!("{hello}");
    axum::serve(listener, app).await.unwrap();
}

/// `tx-dies@tx1` is for the agent of tx1 alone.
fn mode_here(mode: &str, state_dir: &std::path::Path) -> String {
    match mode.split_once('@') {
        Some((_, pod)) if !state_dir.ends_with(pod) => String::new(),
        Some((mode, _)) => mode.to_owned(),
        None => mode.to_owned(),
    }
}

/// `tx-dies-once` is `tx-dies` until an agent has taken it, as a file tells the next ones.
fn once(mode: String, shared: &std::path::Path) -> String {
    let Some(first) = mode.strip_suffix("-once") else { return mode };
    match fs::File::create_new(shared.join("taken-once")) {
        Ok(_) => first.to_owned(),
        Err(_) => String::new(),
    }
}

/// A killed orchestrator leaves its agents behind, as the real ones; the test's folder goes with the test.
async fn end_with_the_test(folder: PathBuf) {
    while folder.exists() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    std::process::exit(0);
}

async fn health(State(agent): State<Agent>) -> Json<Health> {
    let version = if agent.mode == "version" { 99 } else { VERSION };
    Json(Health { version, release: "9.9.9".into(), pid: std::process::id() })
}

fn clock() -> ClockId {
    ClockId { name: "tsc".into(), hz: 1_000_000_000, boot_id: "fake".into(), invariant: true }
}

fn inventory() -> Inventory {
    let core = |cpu| CoreInfo { cpu, numa_node: 0, siblings: Vec::new() };
    Inventory {
        hostname: "fake".into(),
        kernel: "6.1".into(),
        cpu_model: "fake".into(),
        dpdk_version: "DPDK 0".into(),
        cores: vec![core(0), core(1)],
        hugepages: Vec::new(),
        memory: Vec::new(),
        devices: Vec::new(),
        clock: clock(),
        ..Inventory::default()
    }
}

async fn prepare(State(agent): State<Agent>, Json(spec): Json<RunSpec>) -> (StatusCode, Json<RunStatus>) {
    let failing = agent.mode == "prepare-fails" && spec.role == Role::Rx;
    let run = Run {
        state: if failing { RunState::Failed } else { RunState::Ready },
        error: failing.then(|| "device vdev:net_memif0 can't be opened: no such driver".to_owned()),
        spec,
        started: None,
        stop: false,
        samples: Vec::new(),
        summary: None,
    };
    fs::create_dir_all(dir(&agent, &run.spec.id)).unwrap();
    save(&agent, &run.spec.id, "spec.json", &serde_json::to_string(&run.spec).unwrap());
    save(&agent, &run.spec.id, "ready.json", &serde_json::to_string(&ready(&agent, &run.spec)).unwrap());
    let answer = RunStatus { state: RunState::Preparing, ..status_of(&agent, &run) };
    agent.runs.lock().unwrap().insert(run.spec.id.clone(), run);
    (StatusCode::CREATED, Json(answer))
}

fn dir(agent: &Agent, id: &str) -> PathBuf {
    agent.state_dir.join("runs").join(id)
}

fn save(agent: &Agent, id: &str, name: &str, text: &str) {
    fs::write(dir(agent, id).join(name), text).unwrap();
}

fn ready(agent: &Agent, spec: &RunSpec) -> Ready {
    Ready {
        // Most often a number that no process has: a recovery must not take this for an engine that runs.
        pid: agent.engine.unwrap_or(u32::MAX),
        dpdk_version: "DPDK 0".into(),
        device: spec.device.clone(),
        port_name: "net_memif0".into(),
        driver: "net_memif".into(),
        mac: "02:00:00:00:00:09".parse().unwrap(),
        link_up: true,
        link_mbps: 10_000,
        numa_node: -1,
        main_cpu: spec.lcores[0],
        worker_cpus: spec.lcores[1..].to_vec(),
        queues: [1, 1],
        descriptors: [1024, 1024],
        requested_pps: (spec.role == Role::Tx).then_some(PPS),
        flows: 100,
        stamped: spec.profile.stamp,
        rss: Vec::new(),
        flow_control: None,
        checksums: None,
        clock: clock(),
        memory: "ordinary pages, 64 MiB".into(),
        startup_ms: 1,
        warnings: Vec::new(),
    }
}

fn status_of(agent: &Agent, run: &Run) -> RunStatus {
    RunStatus {
        id: run.spec.id.clone(),
        role: run.spec.role,
        state: run.state,
        ready: (run.state != RunState::Failed).then(|| Box::new(ready(agent, &run.spec))),
        started_unix_ns: None,
        samples: run.samples.len() as u64,
        summary: run.summary.clone().map(Box::new),
        error: run.error.clone(),
    }
}

fn with<T>(agent: &Agent, id: &str, act: impl FnOnce(&mut Run) -> T) -> Answer<T> {
    let mut runs = agent.runs.lock().unwrap();
    let missing = || (StatusCode::NOT_FOUND, Json(json!({"error": format!("no run {id} here")})));
    runs.get_mut(id).map(act).ok_or_else(missing)
}

async fn status(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer<Json<RunStatus>> {
    let wait: u64 = query.get("wait_ms").map_or(0, |w| w.parse().unwrap());
    let until = Instant::now() + Duration::from_millis(wait);
    let states = query.get("state").cloned().unwrap_or_default();
    loop {
        let status = with(&agent, &id, |run| status_of(&agent, run))?;
        let word = format!("{:?}", status.state).to_lowercase();
        if status.state.is_over() || states.split(',').any(|s| s == word) || Instant::now() >= until {
            return Ok(Json(status));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn start(State(agent): State<Agent>, Path(id): Path<String>) -> Answer<Json<RunStatus>> {
    let status = with(&agent, &id, |run| {
        run.state = RunState::Running;
        run.started = Some(Instant::now());
        status_of(&agent, run)
    })?;
    tokio::spawn(engine(agent, id));
    Ok(Json(status))
}

async fn stop(State(agent): State<Agent>, Path(id): Path<String>) -> Answer<Json<RunStatus>> {
    with(&agent, &id, |run| {
        run.stop = agent.mode != "never-stops";
        if run.state == RunState::Sent {
            run.state = RunState::Done;
        }
        Json(status_of(&agent, run))
    })
}

async fn forget(State(agent): State<Agent>, Path(id): Path<String>) -> StatusCode {
    agent.runs.lock().unwrap().remove(&id);
    StatusCode::NO_CONTENT
}

async fn samples(
    State(agent): State<Agent>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, u64>>,
) -> Answer<Body> {
    let from = query.get("from").copied().unwrap_or(0);
    let until = Instant::now() + Duration::from_millis(query.get("wait_ms").copied().unwrap_or(0));
    loop {
        let (lines, over) = with(&agent, &id, |run| {
            let fresh = run.samples.iter().filter(|s| s.n >= from);
            let lines: Vec<String> =
                fresh.map(|s| format!("{}\n", serde_json::to_string(s).unwrap())).collect();
            (lines, run.state.is_over())
        })?;
        if !lines.is_empty() && take_cut(&agent) {
            let half = Bytes::from(lines[0][..lines[0].len() / 2].to_owned());
            let parts = [Ok(half), Err(std::io::Error::other("cut"))];
            return Ok(Body::from_stream(futures_util::stream::iter(parts)));
        }
        if !lines.is_empty() || over || Instant::now() >= until {
            return Ok(Body::from(lines.concat()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn take_cut(agent: &Agent) -> bool {
    let mut left = agent.cuts_left.lock().unwrap();
    let cut = *left > 0;
    *left = left.saturating_sub(1);
    cut
}
