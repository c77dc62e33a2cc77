//! The agent: the pod's process 1. It holds no DPDK: each run is an engine process of its own, so that a
//! crash in a driver ends that run and nothing else, and what was measured until then can still be read.
//!
//! Read it in the order of a request: [`server`] (connections) → [`api`] (endpoints) → [`runs`] (which there
//! are) → [`run`] (one of them) → [`supervise`] (its engine) → [`events`] (what the engine says) → [`store`]
//! (what of it is on disk).

pub mod api;
pub mod args;
pub mod body;
pub mod check;
pub mod death;
pub mod device;
pub mod endpoints;
pub mod error;
pub mod events;
pub mod failure;
pub mod limits;
pub mod lines;
pub mod load;
pub mod log;
pub mod metrics;
pub mod next_hop;
pub mod openapi;
pub mod reap;
pub mod recover;
pub mod run;
pub mod runs;
pub mod samples;
pub mod server;
pub mod spec;
pub mod store;
pub mod supervise;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use traffic::wire::VERSION;

pub use args::{AgentArgs, Settings};
pub use error::AgentError;

use crate::inventory::HostFacts;
use api::Shared;
use load::Load;
use runs::Runs;
use store::Store;

/// `dataplane agent`: serves until SIGTERM, SIGINT or the idle limit; or, with `--check`, asks another one.
pub async fn serve(args: AgentArgs, facts: HostFacts) -> Result<(), AgentError> {
    if args.openapi {
        say(&format!("{:#}", openapi::document()));
        return Ok(());
    }
    if args.check {
        let health = check::check(args.listen).await?;
        say(&format!("agent {} at {} is well (pid {})", health.release, args.listen, health.pid));
        return Ok(());
    }
    // Before anything is announced: a signal that comes early must not find the default action.
    let mut terminate = signal(SignalKind::terminate()).map_err(AgentError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(AgentError::Signals)?;
    let agent = Agent::bind(Settings::try_from(args)?, facts).await?;
    let ready = serde_json::json!({
        "listening": agent.address.to_string(), "pid": std::process::id(), "version": VERSION,
    });
    say(&ready.to_string());
    if std::process::id() == 1 {
        tokio::spawn(reap::reap_strangers());
    }
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => log::note("SIGTERM: ending all runs"),
            _ = interrupt.recv() => log::note("SIGINT: ending all runs"),
        }
    };
    agent.run(stop).await;
    Ok(())
}

/// A line on standard output. Nobody has to read it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// An agent that listens already, and serves once run.
#[derive(Debug)]
pub struct Agent {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it serves `/metrics` to the world, if it does.
    pub metrics_address: Option<SocketAddr>,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    settings: Settings,
    shared: Shared,
}

impl Agent {
    /// Takes the ports and the state directory, or changes nothing and says what is in the way.
    pub async fn bind(settings: Settings, facts: HostFacts) -> Result<Agent, AgentError> {
        if !settings.listen.ip().is_loopback() {
            return Err(AgentError::NotLoopback(settings.listen));
        }
        let listener = server::listen("--listen", settings.listen).await?;
        let metrics_listener = match settings.metrics_listen {
            Some(address) => Some(server::listen("--metrics-listen", address).await?),
            None => None,
        };
        let store = Store::open(&settings.state_dir)?;
        let state_dir = |source| AgentError::StateDir { path: settings.state_dir.clone(), source };
        let load = Load::default();
        let runs = Runs::open(store, settings.engine_command.clone(), settings.limits, load.clone());
        let runs = Arc::new(runs.map_err(state_dir)?);
        let bound = |listener: &TcpListener, flag, address| {
            listener.local_addr().map_err(|source| AgentError::Listen { flag, address, source })
        };
        Ok(Agent {
            address: bound(&listener, "--listen", settings.listen)?,
            metrics_address: metrics_listener
                .as_ref()
                .map(|listener| {
                    bound(listener, "--metrics-listen", settings.metrics_listen.unwrap_or(settings.listen))
                })
                .transpose()?,
            listener,
            metrics_listener,
            shared: Shared { runs, facts, load, limits: settings.limits },
            settings,
        })
    }

    /// Serves until `stop` returns or nobody needs the agent any more; then ends all engines.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Agent { listener, metrics_listener, settings, shared, .. } = self;
        let (ending, seen) = watch::channel(false);
        let mut servers = tokio::task::JoinSet::new();
        servers.spawn(server::serve(listener, api::router(shared.clone()), settings.limits, seen.clone()));
        if let Some(listener) = metrics_listener {
            servers.spawn(server::serve(
                listener,
                api::metrics_router(shared.clone()),
                settings.limits,
                seen,
            ));
        }
        tokio::select! {
            () = stop => {}
            () = shared.load.idle_for(settings.idle_exit) => log::note("idle: ending as asked by --idle-exit"),
        }
        // Engines first: whoever waits for a run still gets its end.
        shared.runs.end().await;
        ending.send_replace(true);
        while servers.join_next().await.is_some() {}
    }
}
