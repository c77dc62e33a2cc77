//! What was typed. Each verb has a file of its own.

pub mod dump;
pub mod engine;
pub mod flow_table;
pub mod frames;
pub mod frames_replay;
pub mod lua;
pub mod options;
pub mod out;
pub mod probe;
pub mod probe_port;
pub mod reflect;
pub mod rx;
pub mod show;
pub mod standalone;
pub mod tx;

use clap::{Parser, Subcommand};

use crate::agent::AgentArgs;

/// DPDK packet generator and receiver: by hand, or as the agent of a pod.
#[derive(Debug, Parser)]
#[command(name = "dataplane", version, about, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Send what a profile says
    Tx(tx::TxArgs),
    /// Receive and account for what comes
    Rx(rx::RxArgs),
    /// Send back what comes, addresses swapped (testpmd's macswap)
    Reflect(reflect::ReflectArgs),
    /// Print or save the frames that a profile would send; needs no NIC and no root
    Frames(frames::FramesArgs),
    /// Run a Pktgen Lua script on ports (pktgen -f), or listen for Lua text (pktgen -G)
    Lua(Box<lua::LuaArgs>),
    /// Show what this host or pod has for DPDK: CPUs, hugepages, devices
    Probe(probe::ProbeArgs),
    /// Serve the HTTP API that the orchestrator drives
    Agent(AgentArgs),
    /// One run: a spec and commands on standard input, events on standard output (used by the agent)
    #[command(hide = true)]
    Engine,
}
