//! A stand-in for a Kubernetes cluster in the tests: API server, scheduler, kubelets and the agents in pods, in one
//! process without a packet.
//!
//! It answers as a real server does, as far as the orchestrator asks; what goes wrong is told at the start (`--fault`)
//! or at run time (`POST /fake/faults` at the address `admin` of its one line of output). `GET /fake/log` lists the
//! requests that it has seen, `GET /fake/objects` what it has.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test's stand-in: it may die of a test's mistake")]

mod admin;
mod args;
mod delete;
#[path = "../fake/mod.rs"]
mod fake;
mod faults;
mod forward;
mod kinds;
mod kubelet;
mod moments;
mod nodes;
mod owners;
mod pod_agent;
mod pods;
mod quantity;
mod read;
mod refusal;
mod request;
mod routes;
mod scheduler;
mod seed;
mod select;
mod serve;
mod state;
mod store;
mod times;
mod watch;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use clap::Parser;
use serde_json::json;
use tokio::net::TcpListener;

use crate::args::Args;
use crate::state::Cluster;

/// Addresses that a node has for pods.
const PODS_OF_A_NODE: usize = 240;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    if args.pairs * 2 > args.nodes * PODS_OF_A_NODE || args.nodes > PODS_OF_A_NODE {
        eprintln!("fake: {} pairs need more of --nodes, which are {PODS_OF_A_NODE} at most", args.pairs);
        std::process::exit(2);
    }
    let fake = Cluster::new(args);
    fake.args.fault.iter().for_each(|fault| moments::begin(&fake, fault.clone()));
    seed::all(&fake);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    if let Some(path) = fake.args.kubeconfig_out.clone() {
        fs::write(&path, kubeconfig(&address, &fake.args.home)).unwrap();
        tokio::spawn(end_with_the_test(path.parent().map(Path::to_owned).unwrap_or_default()));
    }
    let hello = json!({"address": address, "admin": admin.local_addr().unwrap(), "pid": std::process::id()});
    println!("{hello}");
    let router = Router::new().fallback(routes::answer).with_state(fake.clone());
    let router = router.merge(admin::router(fake.clone()));
    tokio::spawn(serve::api(fake.clone(), listener, router));
    axum::serve(admin, admin::router(fake)).await.unwrap();
}

fn kubeconfig(address: &str, namespace: &str) -> String {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {"server": address}}],
        "users": [{"name": "fake-user", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake-user", "namespace": namespace}}],
    });
    format!("{config}\n")
}

/// A test that was killed leaves this behind; its folder goes with it.
async fn end_with_the_test(folder: PathBuf) {
    while folder.as_os_str().is_empty() || folder.exists() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    std::process::exit(0);
}
