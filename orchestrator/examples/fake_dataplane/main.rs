//! A stand-in for `dataplane agent` in the tests: it speaks the agent's API and sends no packet.
//!
//! A fake sender "sends" 1,000 frames a second; a fake receiver "receives" what its sender has sent, which it knows
//! from `$FAKE_SHARED`. `$FAKE_MODE` makes it misbehave: `version`, `old-version`, `prepare-fails` (a receiver's),
//! `tx-prepare-fails`, `no-hello`, `tx-dies`, `cut`, `loses`, `deaf` (receives nothing), `mute` (reflects nothing),
//! `vanishes` (the agent dies and leaves an engine process), `never-stops`; `MODE@POD` is for one agent alone, and
//! `MODE-once` for the first agent that it meets.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test's stand-in: it may die of a test's mistake")]

mod disk;
#[path = "../fake/mod.rs"]
mod fake;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use traffic::wire::{CoreInfo, Inventory, VERSION};

use crate::disk::Disk;
use crate::fake::{Agent, Ether, Setup, api, figures};

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
    let shared = PathBuf::from(env("FAKE_SHARED", "/tmp"));
    let setup = Setup {
        ether: Ether::Folder(shared.clone()),
        tick_ms: Some(env("FAKE_TICK_MS", "100").parse().unwrap()),
        prepare_ms: 0,
        // Most often a number that no process has: a recovery must not take this for an engine that runs.
        engine_pid: if mode == "vanishes" { engine_process() } else { u32::MAX },
        mac: "02:00:00:00:00:09".parse().unwrap(),
        inventory: inventory(),
        route: Box::new(|_| None),
        together: None,
    };
    let agent = Agent::new(setup, &mode);
    tokio::spawn(end_with_the_test(shared));
    let disk = Disk::new(agent.clone(), state_dir);
    tokio::spawn(disk.clone().keep());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hello =
        json!({"listening": listener.local_addr().unwrap(), "pid": std::process::id(), "version": VERSION});
    println!("{hello}");
    axum::serve(listener, disk.before_every_answer(api::router(agent))).await.unwrap();
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

/// Something that has a pid and does nothing.
fn engine_process() -> u32 {
    let mut engine = std::process::Command::new(std::env::current_exe().unwrap());
    engine.arg("engine").stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    engine.stderr(std::process::Stdio::null()).spawn().unwrap().id()
}

/// A killed orchestrator leaves its agents behind, as the real ones; the test's folder goes with the test.
async fn end_with_the_test(folder: PathBuf) {
    while folder.exists() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    std::process::exit(0);
}

fn inventory() -> Inventory {
    let core = |cpu| CoreInfo { cpu, numa_node: 0, siblings: Vec::new() };
    Inventory {
        hostname: "fake".into(),
        kernel: "6.1".into(),
        cpu_model: "fake".into(),
        dpdk_version: "DPDK 0".into(),
        cores: vec![core(0), core(1)],
        clock: figures::clock("fake"),
        ..Inventory::default()
    }
}
