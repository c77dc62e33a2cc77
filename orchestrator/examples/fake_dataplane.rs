//! A stand-in for `dataplane agent` in the tests: it speaks the agent's API and sends no packet.
//!
//! A fake sender "sends" 1,000 frames a second; a fake receiver "receives" what its sender left in `$FAKE_SHARED`.
//! `$FAKE_MODE` makes it misbehave: `version`, `prepare-fails`, `no-hello`, `tx-dies`, `cut`, `loses`,
//! `never-stops`;
//! `MODE@POD` is for one agent alone.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test's stand-in: it may die of a test's mistake")]

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use traffic::profile::Stop;
use traffic::wire::{
    Account, ClockId, CoreCounters, CoreInfo, Ended, Health, Inventory, Latency, Pacing, PortStats, Ready,
    Role, RunSpec, RunState, RunStatus, RxShard, Sample, Summary, TxShard, VERSION,
};

const PPS: f64 = 1000.0;
const LOST_WHEN_LOSING: u64 = 7;

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
    runs: Arc<Mutex<HashMap<String, Run>>>,
    cuts_left: Arc<Mutex<u32>>,
}

type Answer<T> = Result<T, (StatusCode, Json<Value>)>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let after = |flag: &str| args.iter().position(|a| a == flag).and_then(|i| args.get(i + 1)).cloned();
    let env = |key: &str, default: &str| std::env::var(key).unwrap_or_else(|_| default.to_owned());
    let state_dir = PathBuf::from(after("--state-dir").unwrap());
    let mode = mode_here(&env("FAKE_MODE", ""), &state_dir);
    if mode == "no-hello" {
        eprintln!("fake: no hugepages for breakfast");
        std::process::exit(1);
    }
    let agent = Agent {
        cuts_left: Arc::new(Mutex::new(if mode == "cut" { 5 } else { 0 })),
        mode,
        state_dir,
        shared: env("FAKE_SHARED", "/tmp").into(),
        tick: Duration::from_millis(env("FAKE_TICK_MS", "100").parse().unwrap()),
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
    save(&agent, &run.spec.id, "ready.json", &serde_json::to_string(&ready(&run.spec)).unwrap());
    let answer = RunStatus { state: RunState::Preparing, ..status_of(&run) };
    agent.runs.lock().unwrap().insert(run.spec.id.clone(), run);
    (StatusCode::CREATED, Json(answer))
}

fn dir(agent: &Agent, id: &str) -> PathBuf {
    agent.state_dir.join("runs").join(id)
}

fn save(agent: &Agent, id: &str, name: &str, text: &str) {
    fs::write(dir(agent, id).join(name), text).unwrap();
}

fn ready(spec: &RunSpec) -> Ready {
    Ready {
        // No process has it: a recovery must not take this for an engine that runs.
        pid: u32::MAX,
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
        clock: clock(),
        memory: "ordinary pages, 64 MiB".into(),
        startup_ms: 1,
        warnings: Vec::new(),
    }
}

fn status_of(run: &Run) -> RunStatus {
    RunStatus {
        id: run.spec.id.clone(),
        role: run.spec.role,
        state: run.state,
        ready: (run.state != RunState::Failed).then(|| Box::new(ready(&run.spec))),
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
        let status = with(&agent, &id, |run| status_of(run))?;
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
        status_of(run)
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
        Json(status_of(run))
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

/// One run, ticking until it is over.
async fn engine(agent: Agent, id: String) {
    loop {
        tokio::time::sleep(agent.tick).await;
        let Ok(over) = with(&agent, &id, |run| tick(&agent, run)) else { return };
        if over {
            return;
        }
    }
}

fn tick(agent: &Agent, run: &mut Run) -> bool {
    let elapsed = run.started.unwrap().elapsed();
    let planned = match run.spec.profile.stop {
        Stop::DurationS(s) => Duration::from_secs_f64(s),
        _ => Duration::MAX,
    };
    let over = run.stop || (run.spec.role == Role::Tx && elapsed >= planned);
    let n = run.samples.len() as u64;
    let sample = sample(agent, run, n, elapsed.min(planned));
    if agent.mode == "tx-dies" && run.spec.role == Role::Tx && n == 3 {
        run.state = RunState::Failed;
        run.error = Some("the engine was killed by signal 11 (SIGSEGV)".into());
        save(agent, &run.spec.id, "error.txt", "the engine was killed by signal 11 (SIGSEGV)");
        return true;
    }
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir(agent, &run.spec.id).join("samples.ndjson"))
        .unwrap();
    writeln!(file, "{}", serde_json::to_string(&sample).unwrap()).unwrap();
    if run.spec.role == Role::Tx {
        fs::write(agent.shared.join(run.spec.tag.to_string()), sample.port.opackets.to_string()).unwrap();
    }
    run.samples.push(sample.clone());
    if over {
        run.summary = Some(summary(run, sample));
        save(agent, &run.spec.id, "summary.json", &serde_json::to_string(&run.summary).unwrap());
        // As the real one: a sender holds its port until it is told to close it.
        run.state = if run.spec.role == Role::Tx { RunState::Sent } else { RunState::Done };
    }
    over
}

fn sample(agent: &Agent, run: &Run, n: u64, elapsed: Duration) -> Sample {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let cpu = run.spec.lcores[1];
    let base = Sample {
        n,
        unix_ns: unix.as_nanos() as u64,
        elapsed_ns: elapsed.as_nanos() as u64,
        ..Sample::default()
    };
    if run.spec.role == Role::Tx {
        let packets = (elapsed.as_secs_f64() * PPS).round() as u64;
        let core =
            CoreCounters { cpu, tx_packets: packets, tx_bytes: packets * 60, ..CoreCounters::default() };
        let port = PortStats { opackets: packets, obytes: packets * 60, ..PortStats::default() };
        return Sample { cores: vec![core], port, ..base };
    }
    let sent = fs::read_to_string(agent.shared.join(run.spec.tag.to_string())).unwrap_or_default();
    let lost = if agent.mode == "loses" { LOST_WHEN_LOSING } else { 0 };
    let packets = sent.parse::<u64>().unwrap_or(0).saturating_sub(lost);
    let latency = Latency {
        clock: "tsc".into(),
        count: packets,
        p50_ns: 850,
        p99_ns: 12_340,
        max_ns: 99_000,
        ..Latency::default()
    };
    Sample {
        cores: vec![CoreCounters {
            cpu,
            rx_packets: packets,
            rx_bytes: packets * 60,
            ..CoreCounters::default()
        }],
        port: PortStats { ipackets: packets, ibytes: packets * 60, ..PortStats::default() },
        account: Some(Account {
            received: packets,
            flows_seen: Some(packets.min(100)),
            ..Account::default()
        }),
        latency: Some(latency),
        ..base
    }
}

fn summary(run: &Run, totals: Sample) -> Summary {
    let (sent, received) = (totals.port.opackets, totals.port.ipackets);
    let is_tx = run.spec.role == Role::Tx;
    let seconds = totals.elapsed_ns as f64 / 1e9;
    Summary {
        ended: if run.stop { Ended::Stopped } else { Ended::Complete },
        effective_ns: totals.elapsed_ns,
        tx_shards: if is_tx { vec![TxShard { shard: 0, sent }] } else { Vec::new() },
        rx_shards: if is_tx {
            Vec::new()
        } else {
            vec![RxShard { shard: 0, expected: received, received, ..RxShard::default() }]
        },
        pacing: is_tx.then(|| Pacing {
            requested_pps: PPS,
            offered_pps: sent as f64 / seconds,
            achieved_pps: sent as f64 / seconds,
            given_up: 0,
        }),
        mbufs_missing: 0,
        xstats: Default::default(),
        warnings: Vec::new(),
        totals,
    }
}
