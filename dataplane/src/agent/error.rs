//! Why an agent does not start, or does not answer.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What ends `dataplane agent` with an error.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Anybody who reaches the API can start engines as the agent's user; Kubernetes guards loopback by
    /// port-forward.
    #[error(
        "--listen {0} is not a loopback address: whoever reaches the agent may start engines. Listen on \
         127.0.0.1:{port} and reach it by port-forward; for Prometheus there is --metrics-listen",
        port = .0.port()
    )]
    NotLoopback(SocketAddr),
    /// Somebody else listens there.
    #[error(
        "port {port} of {ip} is taken ({flag} {address}): end the program that holds it (`ss -ltnp sport = \
         :{port}` names it), choose another port, or let the kernel choose with `{flag} {ip}:0`",
        port = address.port(), ip = address.ip()
    )]
    PortTaken {
        /// The option that named it.
        flag: &'static str,
        /// As asked.
        address: SocketAddr,
    },
    /// The kernel refused the address.
    #[error(
        "can't listen on {flag} {address}: {source}. Choose an address of this host and a port of 1024 or \
         more"
    )]
    Listen {
        /// The option that named it.
        flag: &'static str,
        /// As asked.
        address: SocketAddr,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Samples would have nowhere to go.
    #[error(
        "state directory {path}: {source}. Give a directory that this user may write to with --state-dir"
    )]
    StateDir {
        /// The directory, or what in it failed.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Two agents would take each other's runs for abandoned ones.
    #[error(
        "state directory {path} is in use by another agent: end that agent, or give this one its own \
         --state-dir"
    )]
    StateDirBusy {
        /// The directory.
        path: PathBuf,
    },
    /// The default engine is this program itself.
    #[error(
        "can't find this program's own file to start engines with: {0}. Name the engine with --engine-command"
    )]
    NoEngine(io::Error),
    /// Nothing to serve from.
    #[error("--state-dir is missing: name the directory that runs are written to")]
    NoStateDir,
    /// Signals could not be caught.
    #[error("can't wait for SIGTERM and SIGINT: {0}")]
    Signals(io::Error),
    /// `--check` of port 0.
    #[error("--check needs the port that the agent listens on: --check --listen 127.0.0.1:PORT")]
    CheckPort,
    /// `--check` found nobody, or somebody else.
    #[error("no healthy agent at {address}: {reason}. Start one with `dataplane agent --listen {address}`")]
    Unhealthy {
        /// Where it was looked for.
        address: SocketAddr,
        /// What came instead.
        reason: String,
    },
}
